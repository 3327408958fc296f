"""Images that a lab builds: the definition, the commands, the plans of up and down, and whose an image is."""

import shlex
import subprocess

import pytest
from support.labs import lab, plan_up, who
from support.pretend import Engines

from dockerlab import plan
from dockerlab.command import Command, Part
from dockerlab.engine.convert import Answers, to_snapshot
from dockerlab.errors import ConflictError, DefinitionError, UsageError
from dockerlab.hosts.fake import FakeHost
from dockerlab.lab.image import instructions
from dockerlab.plan import build_image
from dockerlab.plan.images import KIND
from dockerlab.provision import reconcile, scripts
from dockerlab.provision.images import bring
from dockerlab.snapshot import ContainerState, ImageState, Snapshot
from dockerlab.students.images import own_image, own_images

TWO = """
    images:
      top: {from: "mid:1", dockerfile: "RUN a \\\\\\n  from b\\n# FROM x\\nCMD [c]\\n"}
      "mid:1": {steps: [one, "two; $(id) 'x'"]}
    containers: {a: {image: top}, b: {image: dockerlab/node}}
    """
LAB = lab(TWO)


def built(engines, host="local"):
    return {i.names: i for i in engines[host].pictures.values() if i.names}


def actions(steps):
    return {str(s.key).removesuffix(" on local") + f" {s.key.half}": s.action for s in steps}


def up(definition=LAB, engines=None, run="0"):
    engines = engines if engines is not None else Engines(definition.hosts)
    steps = plan_up(definition, engines, who(definition, run=run))
    engines.carry_out(steps)
    return engines, actions(steps.steps)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: {from: b, steps: [x]}, b: {from: a, steps: [x]}", "images.a.from", "a from b from a is a circle"),
        ("a: {from: a, steps: [x]}", "images.a.from", "a from a is a circle"),
        ("a: {}", "images.a", "write either `steps` or a `dockerfile`"),
        ("a: {steps: [x], dockerfile: RUN y}", "images.a", "write either"),
        ("a: {steps: [' ']}", "images.a.steps[0]", "a step is empty"),
        ("a: {dockerfile: 'FROM x'}", "images.a.dockerfile", "leave FROM out"),
        ('a: {dockerfile: "RUN x\\ncopy a b"}', "images.a.dockerfile", "nothing to copy"),
        ("a: {dockerfile: 'ADD http://x /'}", "images.a.dockerfile", "nothing to add"),
        ("a: {dockerfile: '# x'}", "images.a.dockerfile", "no instruction"),
        ("A: {steps: [x]}", "images.A", "is no name for an image"),
        ("'a b': {steps: [x]}", "images.'a b'", "is no name for an image"),
        ("--rm: {steps: [x]}", "images.--rm", "is no name for an image"),
        ("a: {steps: [x]}, 'a:latest': {steps: [x]}", "images.'a:latest'", "this is a once more"),
        ("dockerlab/node: {steps: [x]}", "images.'dockerlab/node'", "made by dockerlab itself"),
        ("a: {steps: [x], hosts: [nowhere]}", "images.a.hosts[0]", "no host nowhere"),
        (
            "a: {steps: [x], expect: {unchanged_by: [c]}}",
            "images.a.expect.unchanged_by[0]",
            "no container of this image",
        ),
    ],
)
def test_wrong_definitions(text, place, message):
    """What is wrong with an image is told with its place, a circle of bases among it."""
    with pytest.raises(DefinitionError) as caught:
        lab(f"images: {{{text}}}\ncontainers: {{c: {{image: dockerlab/node}}}}")
    told = {problem.path: problem.message for problem in caught.value.problems}
    assert message in told[place]
    assert all(problem.line > 1 for problem in caught.value.problems)


def test_instructions():
    """What a backslash continues is no instruction, also behind a comment or an empty line; case does not matter."""
    assert list(instructions("run a \\\n from x\nRUN b \\\n# c \\\n\n COPY\n# FROM\nCMD x")) == [
        "run a \\",
        "RUN b \\",
        "CMD x",
    ]


def test_order_and_hosts():
    """An image comes after the one that it is built on, and is built where something on top of it is wanted."""
    assert LAB.images_in_order() == ["mid:1", "top"]
    two = lab("""
        hosts: {vm0: , vm1: }
        images: {low: {steps: [x]}, high: {from: low, steps: [x]}, alone: {steps: [x]}, at: {steps: [x], hosts: [vm1]}}
        containers: {a: {host: vm1, image: "high:latest"}}
        """)
    unused = lab("""
        hosts: {vm0: , vm1: }
        images: {low: {steps: [x]}, unused: {from: low, steps: [x]}}
        containers: {a: {host: vm1, image: low}}
        """)
    assert unused.hosts_of_image("low") == unused.hosts_of_image("unused") == ("vm0", "vm1")
    assert {name: two.hosts_of_image(name) for name in two.images} == {
        "low": ("vm1",),
        "high": ("vm1",),
        "alone": ("vm0", "vm1"),
        "at": ("vm1",),
    }


def test_step_is_one_word():
    """A step is one argument behind `sh -c`, whatever it contains, and the same in the script."""
    commands = build_image.image(LAB, "mid:1", "local", who(LAB)).create
    runs = [c for c in commands if c.argv[:2] == ("docker", "run")]
    assert [c.argv[-3:] for c in runs] == [("sh", "-c", "one"), ("sh", "-c", "two; $(id) 'x'")]
    assert runs[1].argv[-4] in {c for c in runs[1].argv if not isinstance(c, str)}
    script = scripts.of(LAB, who(LAB))
    assert subprocess.run(["sh", "-n"], input=script.encode(), capture_output=True, check=False).stderr == b""
    assert "sh -c " + shlex.quote("two; $(id) 'x'") in script
    assert "needs $" not in script


def test_dockerfile_is_text():
    """A Dockerfile reaches docker on standard input, in a script as one quoted word; its labels come first."""
    (command,) = [c for c in build_image.image(LAB, "top", "local", who(LAB)).create if c.text]
    assert command.argv[:4] == ("env", "DOCKER_BUILDKIT=0", "docker", "build")
    lines = command.text.splitlines()
    assert lines[0] == "FROM mid:1"
    assert lines[1].startswith('LABEL "dockerlab.lab"="demo" "dockerlab.owner"="teacher@desk"')
    assert b"".join(command.given()) == command.text.encode()
    done = subprocess.run(["sh", "-c", command.piped("cat")], capture_output=True, check=True)
    assert done.stdout.decode() == command.text


def test_labels_are_quoted():
    """A label's value is text in a Dockerfile, and one that no quotes hold is refused."""
    text = build_image.dockerfile(LAB.images["top"], {"a": 'x" y\\ $z'})
    assert text.splitlines()[1] == 'LABEL "a"="x\\" y\\\\ \\$z"'
    with pytest.raises(UsageError, match="as a label"):
        build_image.dockerfile(LAB.images["top"], {"a": "x\nRUN y"})


def test_up_twice():
    """Built once, then kept; no container is left of the steps, and a script of up needs no variable from outside."""
    engines, first = up()
    assert first == {
        "built image mid:1 make": "create",
        "built image top make": "create",
        "container a make": "create",
        "container b make": "create",
    }
    assert sorted(engines["local"].containers) == ["a", "b"]
    _, again = up(engines=engines, run="1")
    assert set(again.values()) == {"keep"}


def test_changes_go_up():
    """A changed image is built anew with what is built on it and their containers, and the old ones are cleared."""
    engines, _ = up()
    before = set(engines["local"].pictures)
    changed = lab(TWO.replace("one,", "other,"))
    _, steps = up(changed, engines, run="1")
    assert steps == {
        "built image mid:1 make": "recreate",
        "built image top make": "recreate",
        "built image mid:1 unmake": "clear",
        "built image top unmake": "clear",
        "container a unmake": "clear",
        "container a make": "recreate",
        "container b make": "keep",
    }
    left = set(engines["local"].pictures)
    assert len(left) == len(before)
    assert len(left & before) == 1  # what all is built on
    assert set(up(changed, engines, run="2")[1].values()) == {"keep"}


def test_another_base():
    """Where the base is another image now, or is about to be brought, all that is built on it is built anew."""
    engines, _ = up()
    engines["local"].add_image(("dockerlab/node:latest",))
    _, steps = up(engines=engines, run="1")
    assert steps["built image mid:1 make"] == steps["built image top make"] == "recreate"
    bring = {("local", "dockerlab/node"): Command("local", (Part(("docker", "import", "-", "dockerlab/node")),))}
    coming = plan_up(LAB, engines, who(LAB, run="2"), bring)
    assert actions(coming.steps)["built image mid:1 make"] == "recreate"


def test_container_of_an_older_image():
    """A container that a crash has left on the image of before is made again though its image is kept."""
    engines, _ = up()
    old = engines["local"].containers["a"]
    engines["local"].containers["a"] = ContainerState(**{**vars(old), "image_id": "sha256:old"})
    _, steps = up(engines=engines, run="1")
    assert steps["container a make"] == "recreate"
    assert steps["built image top make"] == "keep"


def test_down_removes_all():
    """`down` removes the lab's images by ID, what is built on others first, and never what they are built on."""
    engines, _ = up()
    engines.carry_out(plan.down(engines.snapshots(), "demo", "teacher@desk"))
    assert [image.names for image in engines["local"].pictures.values()] == [("dockerlab/node:latest",)]


def test_after_a_crash():
    """Wherever a build is cut off, `down` alone removes all of it, and another `up` completes it."""
    whole = [c for step in plan_up(LAB, Engines(LAB.hosts)).ordered() for c in step.commands]
    for number in range(1, len(whole)):
        for then in ("down", "up"):
            engines, values = Engines(LAB.hosts), {}
            for command in [c for step in plan_up(LAB, engines).ordered() for c in step.commands][:number]:
                said = engines["local"].run(command.resolve(values), command.text)
                if command.stores:
                    values[command.stores] = said
            if then == "up":
                up(engines=engines, run="1")
                up(engines=engines, run="2")
                assert set(up(engines=engines, run="3")[1].values()) == {"keep"}
                assert sorted(engines["local"].containers) == ["a", "b"]
            engines.carry_out(plan.down(engines.snapshots(), "demo", "teacher@desk"))
            assert [i.names for i in engines["local"].pictures.values()] == [("dockerlab/node:latest",)], number
            assert not engines["local"].containers


def test_foreign_name():
    """An image of somebody else under a name that the lab wants is a refusal before anything is made."""
    engines = Engines(LAB.hosts)
    engines["local"].add_image(("top:latest",))
    with pytest.raises(ConflictError, match="local: image top was not made by dockerlab"):
        plan_up(LAB, engines)


def entry(identifier, *, tags=(), labels=None, parent=""):
    return {"Id": identifier, "RepoTags": list(tags), "Labels": labels, "ParentId": parent}


def seen(images, containers=()):
    return to_snapshot("local", Answers({}, {}, list(containers), [], [], images))


OURS = {
    "dockerlab.lab": "demo",
    "dockerlab.owner": "teacher@desk",
    "dockerlab.fingerprint": "f",
    "dockerlab.image": "web:latest",
}


def listed(name, image, labels):
    return {"Id": name, "Names": [f"/{name}"], "Image": "web", "ImageID": image, "Labels": labels, "State": "running"}


def test_inherited_labels():
    """What somebody makes from a lab's image has its labels and is not the lab's; what a build was making is."""
    snapshot = seen(
        [
            entry("web", tags=["web:latest"], labels=OURS),
            entry("mine", tags=["mine:1"], labels={**OURS, "role": "x"}, parent="web"),
            entry("step", tags=["<none>:<none>"], labels=OURS),
        ],
        [
            listed("guest", "web", {**OURS, "role": "y"}),
            listed("own", "web", {**OURS, "dockerlab.fingerprint": "own"}),
            listed("building", "step", OURS),
        ],
    )
    assert {i.id: dict(i.labels) for i in snapshot.image_states} == {"web": OURS, "mine": {"role": "x"}, "step": OURS}
    labels = {container.name: dict(container.labels) for container in snapshot.containers}
    assert labels["guest"] == {"role": "y"}
    assert labels["own"]["dockerlab.lab"] == labels["building"]["dockerlab.lab"] == "demo"


@pytest.mark.parametrize(
    ("extra", "containers", "said"),
    [
        ([], [ContainerState("g", "guest", "web", image_id="web")], "container guest is made from it"),
        ([ImageState("mine", ("mine:1",), {}, "web")], [], "image mine:1 is built on it"),
        ([ImageState("123456789012345", (), {}, "web")], [], "image 123456789012 is built on it"),
    ],
)
def test_in_use_by_others(extra, containers, said):
    """An image that somebody else uses stays, and so does what it is built on; `down` says what is in the way."""
    web = ImageState("web", ("web:latest",), OURS, "step")
    step = ImageState("step", (), OURS)
    snapshot = Snapshot("local", image_states=(step, web, *extra), containers=tuple(containers))
    removal = plan.down({"local": snapshot}, "demo", "teacher@desk")
    assert removal.steps == ()
    assert len(removal.notes) == 1
    assert said in removal.notes[0]


def test_another_tag():
    """An image that has another name as well stays under both."""
    web = ImageState("web", ("kept:1", "web:latest"), OURS)
    removal = plan.down({"local": Snapshot("local", image_states=(web,))}, "demo", "teacher@desk")
    assert removal.steps == ()
    assert "docker image rm kept:1" in removal.notes[0]


def test_lost_commands():
    """After a lost connection a step is run again from its image, never taken for done; a removal shows in the list."""
    step = next(c for c in build_image.image(LAB, "mid:1", "local", who(LAB)).create if c.argv[:2] == ("docker", "run"))
    argv = step.resolve({v.name: "dockerlab.base=sha256:1" for v in step.argv if not isinstance(v, str)})
    name = argv[argv.index("--name") + 1]
    labels = dict(argv[at + 1].split("=", 1) for at, word in enumerate(argv) if word == "--label")
    there = ContainerState("c", name, "x", labels, status="exited")
    assert reconcile.fate(argv, Snapshot("", containers=(there,))) == "half"
    assert reconcile.fate(argv, Snapshot("")) == "undone"
    remove = ("docker", "image", "rm", "--no-prune", "sha256:1", "sha256:2")
    assert reconcile.fate(remove, Snapshot("", image_states=(ImageState("sha256:2"),))) == "undone"
    assert reconcile.fate(remove, Snapshot("")) == "done"
    assert reconcile.certain(("docker", "commit", "x"))
    assert reconcile.certain(("env", "DOCKER_BUILDKIT=0", "docker", "build", "-"))


def test_each_student_has_their_own():
    """In a student's instance the images that the lab builds, and all that speaks of them, have the student's name."""
    mine = lab("""
        images:
          low: {steps: [x], expect: {shares: {"high:latest": 7}, unchanged_by: [a]}}
          high: {from: low, steps: [x], hosts: [local], expect: {shares: {low: dockerlab/node}}}
        containers: {a: {image: low}}
        """)
    moved = own_images(mine, "s01", {"a": "s01-a"}, {"local": "vm1"})
    assert list(moved) == ["s01-low", "s01-high"]
    assert (moved["s01-low"].base, moved["s01-high"].base) == ("dockerlab/node", "s01-low")
    assert moved["s01-high"].hosts == ("vm1",)
    assert moved["s01-low"].expect.shares == {"s01-high": 7}
    assert moved["s01-high"].expect.shares == {"s01-low": "dockerlab/node"}
    assert moved["s01-low"].expect.unchanged_by == ("s01-a",)
    assert own_image(mine, "s01", "nginx") == "nginx"


def test_brought_is_what_is_not_built():
    """A host gets from elsewhere what its images are built on, and never what is built there."""
    host = FakeHost("local", lambda _argv, _given: "")
    mine = lab("images: {a: {from: nginx, steps: [x]}, b: {from: a, steps: [x]}}\ncontainers: {aa: {image: b}}")
    assert mine.images_needed("local") == {"nginx"}
    brought = bring(mine, {"local": host}, {"local": Snapshot("local")}, host, "missing")
    assert set(brought) == {("local", "dockerlab/node"), ("local", "nginx")}


def test_kind_is_told():
    """A built image is called so wherever steps are told."""
    assert str(plan.Key("vm0", KIND, "web")) == "built image web on vm0"
