"""From a definition and what exists to steps: what is created, kept, recreated, removed, and in which order."""

import random
from dataclasses import replace

import pytest
from support.labs import lab, plan_up, running, who
from support.pretend import Engines, Refused

from dockerlab import plan
from dockerlab.command import Command, Part
from dockerlab.errors import ConflictError
from dockerlab.identity import Identity
from dockerlab.plan import Key, Plan, Step, build
from dockerlab.plan.bringing_up import Situation, up
from dockerlab.snapshot import LABEL_FINGERPRINT, ContainerState, NetworkState, Snapshot

BASE = """
networks: {front: {subnet: 172.28.1.0/24}, back: {subnet: 172.28.2.0/24}}
containers:
  web: {networks: [front, back], ports: ["80:80"]}
  side: {network_mode: "container:web"}
  db: {networks: {back: {ip: 172.28.2.2}}}
  cache: {networks: [back]}
"""


def actions(wanted):
    """Return what happens to each object, as a person is told."""
    return {f"{step.key.kind} {step.key.name}": step.action for step in wanted.steps if step.action != "clear"}


def changed(wanted):
    return {name: action for name, action in actions(wanted).items() if action != "keep"}


def again(old, new):
    """Return the plan of `up` with a new definition on engines where the old one runs, and carry it out."""
    engines = running(lab(old))
    wanted = plan_up(lab(new), engines)
    engines.carry_out(wanted)
    assert plan_up(lab(new), engines).changes == (), "it does not converge"
    return wanted


def in_any_order(definition, engines, times=10):
    """Return the plan, and carry it out on copies of the engines in many orders that it allows."""
    wanted = plan_up(definition, engines())
    by_key = {step.key: step for step in wanted.steps}
    for seed in range(times):
        chance, graph, order = random.Random(seed), wanted.graph(), []
        graph.prepare()
        waiting = []
        while graph.is_active():
            waiting += graph.get_ready()
            key = waiting.pop(chance.randrange(len(waiting)))
            order.append(by_key[key])
            graph.done(key)
        fresh = engines()
        fresh.carry_out(wanted, order)
        assert plan_up(definition, fresh).changes == ()
    return wanted


def test_absent_is_created():
    """On empty hosts everything is created."""
    wanted = plan_up(lab(BASE), Engines(["local"]))
    assert set(actions(wanted).values()) == {"create"}
    assert wanted.counts() == {"create": 6}
    assert len(wanted.changes) == 6


def test_same_is_kept():
    """A second `up` has no changes and no commands, also for another run of the same owner."""
    engines = running(lab(BASE))
    wanted = plan_up(lab(BASE), engines, who(lab(BASE), run="ffff"))
    assert wanted.changes == ()
    assert wanted.counts() == {"keep": 6}
    assert [step.commands for step in wanted.steps] == [()] * 6


def test_changed_container():
    """A changed container alone is recreated: its removal and its creation are two steps and one change."""
    wanted = again(BASE, BASE.replace("cache: {", "cache: {hostname: x, "))
    assert changed(wanted) == {"container cache": "recreate"}
    assert [(str(s.key), s.action, s.key.half) for s in wanted.steps if s.key.name == "cache"] == [
        ("container cache on local", "clear", "unmake"),
        ("container cache on local", "recreate", "make"),
    ]


def test_changed_network():
    """A changed network takes its containers with it, and those that joined them; the others stay."""
    wanted = again(BASE, BASE.replace("front: {", "front: {internal: true, "))
    assert changed(wanted) == {
        "network front": "recreate",
        "container web": "recreate",
        "container side": "recreate",
    }


def test_changed_owner():
    """A recreated owner of a namespace takes those that joined it along."""
    wanted = again(BASE, BASE.replace('"80:80"', '"81:80"'))
    assert changed(wanted) == {"container web": "recreate", "container side": "recreate"}


def test_dropped():
    """What the definition no longer has is removed, the network after its last container."""
    wanted = again(BASE, "containers: {cache: {}}")
    assert changed(wanted) == {
        "container web": "remove",
        "container side": "remove",
        "container db": "remove",
        "container cache": "recreate",
        "network front": "remove",
        "network back": "remove",
    }


def test_dropped_network_waits_for_recreated_containers():
    """A network that is dropped goes after the containers that leave it, in every order that the plan allows."""
    new = lab(BASE.replace(", back]", "]").replace("{back: {ip: 172.28.2.2}}", "[front]").replace("[back]", "[front]"))
    new = new.model_copy(update={"networks": {"front": new.networks["front"]}})
    in_any_order(new, lambda: running(lab(BASE)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("containers: {a: {ports: ['80:80']}}", "containers: {b: {ports: ['80:80']}}"),
        (
            "containers: {a: {ports: ['80:80']}, b: {ports: ['81:80']}}",
            "containers: {a: {ports: ['81:80']}, b: {ports: ['80:80']}}",
        ),
        (
            "networks: {n: {subnet: 10.0.0.0/24}}\ncontainers: {a: {networks: {n: {ip: 10.0.0.9}}}}",
            "networks: {n: {subnet: 10.0.0.0/24}}\ncontainers: {b: {networks: {n: {ip: 10.0.0.9}}}}",
        ),
        (
            "networks: {n: {subnet: 10.0.0.0/24}}\ncontainers: {a: {networks: [n]}}",
            "networks: {m: {subnet: 10.0.0.0/24}}\ncontainers: {a: {networks: [m]}}",
        ),
        (
            "networks: {n: {subnet: 10.0.0.0/24}, m: {subnet: 10.0.1.0/24}}\ncontainers: {a: {networks: [n, m]}}",
            "networks: {n: {subnet: 10.0.1.0/24}, m: {subnet: 10.0.0.0/24}}\ncontainers: {a: {networks: [n, m]}}",
        ),
    ],
    ids=["renamed, same port", "ports swapped", "renamed, same address", "renamed network", "subnets swapped"],
)
def test_what_goes_makes_room(old, new):
    """What is new gets the port, address or subnet of what goes, in every order that the plan allows."""
    in_any_order(lab(new), lambda: running(lab(old)))


def test_any_order_of_a_first_up():
    """A first `up` succeeds in every order that the plan allows: fixed addresses are not given to somebody else."""
    in_any_order(lab(BASE), lambda: Engines(["local"]))


def test_moved_container():
    """A container that moves is removed on the one host and created on the other."""
    old = "hosts: {x: , y: }\ncontainers: {a: {host: x}, b: {host: y}}"
    engines = running(lab(old))
    wanted = plan_up(lab(old.replace("a: {host: x}", "a: {host: y}")), engines)
    assert {(str(s.key), s.action) for s in wanted.changes} == {
        ("container a on x", "remove"),
        ("container a on y", "create"),
    }


def altered(engines, name, **changes):
    """Change what a pretended engine says of a container."""
    engine = next(iter(engines.values()))
    engine.containers[name] = replace(engine.containers[name], **changes)
    return engines


def test_stopped_is_recreated():
    """A container that has stopped is recreated, with those that joined it."""
    engines = altered(running(lab(BASE)), "web", running=False, status="exited", exit_code=1)
    assert changed(plan_up(lab(BASE), engines)) == {"container web": "recreate", "container side": "recreate"}


def test_missing_network_is_recreated():
    """A container that lacks one of its networks is recreated: an `up` may have been cut short between two commands."""
    engines = running(lab(BASE))
    only = {"front": engines["local"].containers["web"].endpoints["front"]}
    altered(engines, "web", endpoints=only)
    assert changed(plan_up(lab(BASE), engines)) == {"container web": "recreate", "container side": "recreate"}


def test_fixed_addresses_go_first():
    """Containers with fixed addresses are made before those that take any address of the same network."""
    wanted = plan_up(lab(BASE), Engines(["local"]))
    by_name = {step.key.name: step for step in wanted.steps}
    db = Key("local", "container", "db")
    assert db in by_name["cache"].after
    assert db in by_name["web"].after
    assert db not in by_name["db"].after
    order = [step.key.name for step in wanted.ordered()]
    assert order.index("db") < order.index("cache")


def test_partly_fixed_addresses_go_in_between():
    """A container with a fixed and an automatic address goes after those that are all fixed, ahead of the rest."""
    definition = lab("""
        networks: {n: {subnet: 10.0.0.0/24}, m: {subnet: 10.0.1.0/24}}
        containers:
          rest: {networks: [n]}
          partly: {networks: {n: {ip: 10.0.0.2}, m: {}}}
          whole: {networks: {m: {ip: 10.0.1.2}}}
        """)
    in_any_order(definition, lambda: Engines(["local"]))


def test_fixed_addresses_of_a_swarm_go_first():
    """An overlay's addresses are common to all hosts: a fixed one on another host goes first as well."""
    definition = lab("""
        hosts: {x: , y: }
        networks: {w: {driver: overlay, subnet: 10.5.0.0/24}}
        containers: {a: {host: x, networks: [w]}, b: {host: y, networks: {w: {ip: 10.5.0.2}}}}
        """)
    wanted = in_any_order(definition, lambda: Engines(definition.hosts))
    assert Key("y", "container", "b") in next(s for s in wanted.steps if s.key.name == "a").after


def test_order():
    """Networks come before containers, the owner of a namespace before who joins it, images before all of theirs."""
    bring = {("local", "dockerlab/node"): Command("local", (Part(("docker", "pull", "dockerlab/node")),))}
    wanted = plan_up(lab(BASE), Engines(["local"]), images=bring)
    names = [f"{step.key.kind} {step.key.name}" for step in wanted.ordered()]
    assert names.index("network front") < names.index("container web") < names.index("container side")
    assert names.index("network back") < names.index("container db")
    assert names.index("image dockerlab/node") < min(names.index(f"container {c}") for c in ("web", "side", "db"))


def test_foreign_names():
    """Every name that is taken by somebody else is told at once, with whose it is; nothing is planned."""
    definition = lab(BASE)
    engines = Engines(["local"])
    engines["local"].run(("docker", "run", "--name", "web", "image"))
    engines["local"].run(("docker", "run", "--name", "db", "--label", "dockerlab.lab=demo", "--label",
                          "dockerlab.owner=pupil@desk", "image"))  # fmt: skip
    engines["local"].run(("docker", "network", "create", "--driver", "bridge", "--label", "dockerlab.lab=x", "front"))
    with pytest.raises(ConflictError) as caught:
        plan_up(definition, engines)
    assert str(caught.value) == (
        "nothing was created, because names are taken:\n"
        "  local: container web was not made by dockerlab\n"
        "  local: container db is of lab demo, made by pupil@desk\n"
        "  local: network front is of lab x, made by somebody unknown\n"
        "Rename them in the definition, or remove what is there."
    )


@pytest.mark.parametrize(
    "identity",
    [
        Identity("demo", "pupil@desk", "0"),
        Identity("other", "teacher@desk", "0"),
        Identity("demo", "teacher@desk", "0", "s1"),
    ],
    ids=["other owner", "other lab", "instance"],
)
def test_others_objects_are_foreign(identity):
    """What another owner, lab or instance made is neither taken over nor removed."""
    engines = running(lab(BASE), identity)
    with pytest.raises(ConflictError):
        plan_up(lab(BASE), engines)
    wanted = plan_up(lab("containers: {new: {}}"), engines)
    assert changed(wanted) == {"container new": "create"}


def test_unlooked_host_counts_as_empty():
    """A host without a snapshot is planned as if nothing were there: so a script can be written without hosts."""
    wanted = up(lab(BASE), who(lab(BASE)), Situation({}, {}))
    assert set(actions(wanted).values()) == {"create"}


def test_down_goes_by_labels():
    """`down` needs no definition: it removes what has the lab's labels, containers first, and nothing else."""
    engines = running(lab(BASE))
    engines["local"].run(("docker", "run", "--name", "mine", "image"))
    engines["local"].run(("docker", "network", "create", "--driver", "bridge", "my-net"))
    removal = plan.down(engines.snapshots(), "demo", "teacher@desk")
    engines.carry_out(removal)
    assert set(engines["local"].containers) == {"mine"}
    assert set(engines["local"].local) == {"bridge", "host", "none", "my-net"}
    assert removal.counts() == {"remove": 6}


@pytest.mark.parametrize(
    ("lab_name", "owner", "instance", "count"),
    [
        ("demo", "teacher@desk", None, 6),
        ("demo", None, None, 6),
        (None, "teacher@desk", None, 6),
        (None, None, None, 6),
        ("other", None, None, 0),
        ("demo", "pupil@desk", None, 0),
        (None, "pupil@desk", None, 0),
        ("demo", None, "s1", 0),
    ],
)
def test_down_takes_what_was_meant(lab_name, owner, instance, count):
    """Lab, owner and instance each narrow what `down` takes; None means every lab, or whoever made it."""
    removal = plan.down(running(lab(BASE)).snapshots(), lab_name, owner, instance)
    assert len(removal.changes) == count


def test_down_of_a_lab_leaves_its_instances():
    """An instance of the lab is not the lab itself."""
    engines = running(lab(BASE), Identity("demo", "teacher@desk", "0", "s1"))
    assert plan.down(engines.snapshots(), "demo", None).steps == ()
    assert len(plan.down(engines.snapshots(), "demo", None, "s1").steps) == 6


def test_down_keeps_a_used_network():
    """A network on which a foreign container is stays, with a note that says how to free it; the rest goes."""
    engines = running(lab(BASE))
    engines["local"].run(("docker", "run", "--name", "mine", "--network", "back", "image"))
    removal = plan.down(engines.snapshots(), "demo", None)
    (note,) = removal.notes
    assert note == (
        "local: network back is kept: mine is attached and not the lab's; "
        "run 'docker network disconnect back mine' and then down again"
    )
    engines.carry_out(removal)
    assert set(engines["local"].containers) == {"mine"}
    assert "back" in engines["local"].local
    assert "front" not in engines["local"].local


def test_down_keeps_a_network_used_by_a_namesake():
    """A foreign container counts as foreign though one of the lab has its name on another host."""
    labels = {"dockerlab.lab": "demo", "dockerlab.owner": "o"}
    snapshots = {
        "x": Snapshot("x", networks=(NetworkState("1", "n", "bridge", labels=labels, containers=("web",)),)),
        "y": Snapshot("y", containers=(ContainerState("2", "web", "i", labels),)),
    }
    removal = plan.down(snapshots, "demo", None)
    assert [str(step.key) for step in removal.steps] == ["container web on y"]
    assert len(removal.notes) == 1


def test_fingerprint_label_decides():
    """What is there is the same if its fingerprint label is; another one means another definition."""
    engines = running(lab(BASE))
    labels = {**engines["local"].containers["cache"].labels, LABEL_FINGERPRINT: "other"}
    altered(engines, "cache", labels=labels)
    assert changed(plan_up(lab(BASE), engines)) == {"container cache": "recreate"}


def test_plan_graph_ignores_what_is_not_planned():
    """A step that waits for something outside the plan waits for nothing."""
    one = Step(Key("h", "container", "one"), "create", after=frozenset({Key("h", "image", "elsewhere")}))
    two = Step(Key("h", "container", "two"), "create", after=frozenset({one.key}))
    assert Plan((two, one)).ordered() == (one, two)


def test_pretended_engines_refuse():
    """The pretended engines of these tests do refuse what a real one refuses."""
    engine = Engines(["x"])["x"]
    engine.run(("docker", "network", "create", "--driver", "bridge", "--subnet", "10.0.0.0/24", "n"))
    engine.run(("docker", "run", "--name", "a", "--network", "n", "--ip", "10.0.0.2", "--publish", "80:80", "image"))
    for argv in (
        "network rm n",
        "network create --driver bridge --subnet 10.0.0.0/25 m",
        "network create --driver overlay o",
        "run --name a image",
        "run --name b --network n --ip 10.0.0.2 image",
        "run --name b --publish 80:80 image",
        "run --name b --network container:c image",
        "rm b",
    ):
        with pytest.raises(Refused):
            engine.run(("docker", *argv.split()))
    assert set(engine.containers) == {"a"}


@pytest.mark.parametrize(
    ("changes", "left_behind"),
    [
        ({"started": 20}, True),
        ({"started": 5}, False),
        ({"id": "another"}, True),
    ],
    ids=["started again", "started before", "made anew"],
)
def test_who_was_left_behind_is_recreated(changes, left_behind):
    """A joiner whose owner has another namespace by now is made again, and nothing else is."""
    engines = altered(altered(running(lab(BASE)), "side", started=10), "web", **changes)
    assert changed(plan_up(lab(BASE), engines)) == ({"container side": "recreate"} if left_behind else {})


def test_each_command_is_made_once(monkeypatch):
    """A lab of twice as many containers takes twice as many commands: a network is not planned for each of them."""

    def made(containers):
        many = f"c: {{replicas: {containers}, networks: [net]}}"
        wanted = lab(f"networks: {{net: {{subnet: 10.9.0.0/16}}}}\ncontainers: {{{many}}}")
        count.clear()
        plan_up(wanted, Engines(["local"]))
        return len(count)

    original = build.render.command
    count = []
    monkeypatch.setattr(build.render, "command", lambda *a, **k: (count.append(1), original(*a, **k))[1])
    ten, twenty = made(10), made(20)
    assert 10 <= ten <= 40
    assert made(100) - twenty == 8 * (twenty - ten)
    assert (twenty - ten) <= 30
