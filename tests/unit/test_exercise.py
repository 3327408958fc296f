"""Exercises: their files, a person's progress, and the end held against the beginning."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.facts import facts_of, nic, way
from support.labs import lab

from dockerlab.checks.judge import Outcome
from dockerlab.checks.looks import parse, stands
from dockerlab.cli.exercise import words
from dockerlab.daemon import DaemonFile
from dockerlab.errors import DefinitionError, UsageError
from dockerlab.exercise import hints, loader, progress
from dockerlab.exercise.model import Folder
from dockerlab.exercise.readme import sections
from dockerlab.exercise.remains import Holdings, changes, held_by
from dockerlab.faults import FAULTS
from dockerlab.faults.fault import Break
from dockerlab.faults.injury import Act, Injury, choose
from dockerlab.kernel import iptables
from dockerlab.snapshot import LABEL_LAB, ContainerState, NetworkState, Snapshot

README = """\
# 01 · A title

The aim.

```sh
dockerlab exercise start 01
```

## 1 · First

Do this.

```sh
# a comment
ls \\
  -l
# another
true
```

It prints:

```text
## 9 · not a section
```

This fails:

```sh fails
false
```

## 2 · Second

And that.

## Questions

None.
"""

LAB = """
hosts: {vm0: , vm1: }
networks:
  front: {subnet: 172.28.1.0/24}
containers:
  web: {host: vm0, networks: [front]}
  far: {host: vm1}
"""

STEPS = """\
steps:
  - title: First
    checks: [{lab: all}]
  - title: Second
    checks:
      - cells: {from: web, to: far, expected: unreachable}
"""


def loads(text):
    return loader.loads(text, "exercise.yaml", lab(LAB), sections(README)[1][:2])


def mistakes(text):
    """Return the mistakes in an exercise, each as line:column: path: message."""
    with pytest.raises(DefinitionError) as caught:
        loads(text)
    return [str(problem).removeprefix("exercise.yaml:") for problem in caught.value.problems]


def test_the_readme():
    """Sections are steps, `sh` blocks are what is typed, and other blocks are shown."""
    aim, parts = sections(README)
    assert aim == "The aim."
    first, second, questions = parts
    assert (first.number, first.title, second.number, questions.number) == (1, "First", 2, 0)
    assert first.prose == "Do this.\n\nIt prints:\n\n    ## 9 · not a section\n\nThis fails:\n\n    false  # fails"
    assert [(block.commands, block.fails) for block in first.blocks] == [(("ls -l", "true"), False), (("false",), True)]


def test_every_exercise_that_comes_along():
    """Each loads, has a step for every section of its README, and checks by which its faults are seen."""
    known = loader.exercises()
    assert known
    for path in known.values():
        folder = loader.load(path)
        assert len(folder.sections) == len(folder.exercise.steps)
        assert folder.aim
        assert folder.lab.title
        assert all(broken.reason for broken in folder.exercise.faults)


def test_the_commands_of_a_step():
    """What is to fail is marked, and after the last step there are none."""
    aim, parts = sections(README)
    folder = Folder("01", Path("01"), lab(LAB), loads(STEPS), aim, parts[:2])
    assert hints.commands(folder, 0) == ("ls -l", "true", "# this fails:", "false")
    assert hints.commands(folder, 2) == ()


def test_what_explains_several_checks_is_said_once():
    """Every check has its own reason, and what is known beside that stands below the first one."""
    outcomes = [
        Outcome("a", "fail", "why a", ("it says: 0",), ("a drop",)),
        Outcome("b", "fail", "why b", ("it says: 0",), ("a drop", "why a", "a route")),
    ]
    told = [line.strip() for line in words.of_outcomes(outcomes, brief=False)]
    assert told == ["FAIL    a", "why a", "it says: 0", "a drop", "FAIL    b", "why b", "it says: 0", "a route"]
    assert list(words.of_outcomes(outcomes, brief=True)) == ["FAIL    a", "FAIL    b"]


def test_find():
    """An exercise is found by its ID, its number, or its folder; another word tells what there is."""
    known = loader.exercises()
    name = next(iter(known))
    assert loader.find(name) == loader.find(name[:2]) == loader.find(str(int(name[:2]))) == known[name]
    assert loader.find(str(known[name])) == known[name]
    with pytest.raises(UsageError, match=r"there is no such exercise: known: 01-"):
        loader.find("nonsense")


def test_a_right_exercise():
    """What is right is loaded with its defaults."""
    exercise = loads(STEPS)
    assert exercise.begin == "made"
    assert exercise.steps[1].checks[0].cells.source == "web"


def with_check(check):
    return STEPS.replace("lab: all", check)


WHOLE = STEPS + "intact: [{lab: all}]\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (STEPS.replace("Second", "Secnd"), "4:12: steps[1].title", "the README.md has no section `## 2 · Secnd`"),
        (
            STEPS.replace("web", "wbe"),
            "6:23: steps[1].checks[0].cells.from",
            "nobody asks as wbe: did you mean web?",
        ),
        (with_check("lab: [wen]"), "3:21: steps[0].checks[0].lab[0]", "no wen in the lab: did you mean web?"),
        (
            with_check("look: {on: vm0, at: sysctl, has: x}"),
            "3:35: steps[0].checks[0].look.at",
            "'sysctl': behind `sysctl` belong 1 words (a kernel setting, such as net.ipv4.ip_forward)",
        ),
        (
            with_check('look: {on: vm0, at: "rules nat -F", has: x}'),
            "3:35: steps[0].checks[0].look.at",
            "'-F' has no place behind `rules`: use letters, digits and _ . : / @ -",
        ),
        (
            with_check("look: {on: vm9, at: routes, has: x}"),
            "3:26: steps[0].checks[0].look.on",
            "no host or container vm9 in the lab: did you mean vm0 or vm1?",
        ),
        (
            with_check("look: {on: vm0, at: routes}"),
            "3:21: steps[0].checks[0].look",
            "write either `has` or `lacks`: what has to stand there, or what must not",
        ),
        (
            with_check("lab: all, cells: {from: web}"),
            "3:14: steps[0].checks[0]",
            "a check is one of `cells`, `lab`, `inside`, `look`, `ask`: write exactly one of them",
        ),
        (
            STEPS.replace("[{lab: all}]", "[]"),
            "3:13: steps[0].checks",
            "a step without checks is never done: write at least one",
        ),
        (STEPS + "falts: []\n", "7:1: falts", "unknown key 'falts': did you mean faults?"),
        (
            WHOLE + "faults: [{fault: icc-of, on: front}]\n",
            "8:18: faults[0].fault",
            "icc-of is no fault: did you mean icc-off?",
        ),
        (
            WHOLE + "faults: [{fault: icc-off, on: web}]\n",
            "8:31: faults[0].on",
            "icc-off on web: the lab has no network web; it has front, bridge",
        ),
        (
            WHOLE + "faults: [{fault: wrong-subnet, on: front}]\n",
            "8:10: faults[0]",
            "`using` is missing: the wrong subnet, such as 172.28.9.0/24",
        ),
        (
            STEPS + "faults: [{fault: icc-off, on: front}]\n",
            "7:9: faults",
            "faults want `intact`: the checks by which one sees that something is broken",
        ),
    ],
)
def test_a_wrong_exercise(text, place, said):
    """Each mistake has its place and says what would be right."""
    assert mistakes(text) == [f"{place}: {said}"]


def test_looks():
    """What is looked at is one of a few facts, and a word in it is never a flag."""
    assert parse("rules nat POSTROUTING")[1] == ("nat", "POSTROUTING")
    for wrong in ("", "rm /", "links -4", "rules nat", "rules nut POSTROUTING", "routes default", "sysctl --all"):
        with pytest.raises(ValueError, match=r"."):
            parse(wrong)


def test_words_that_stand_in_a_line():
    """Words are found whole, and all in one line."""
    lines = ["-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", "-A POSTROUTING -j RETURN"]
    assert stands(("-s 172.17.0.0/16", "MASQUERADE"), lines) == lines[0]
    assert stands(("-s 172.17.0.0", "MASQUERADE"), lines) is None
    assert stands(("MASQUERADE", "RETURN"), lines) is None


def begun(**more):
    injury = Injury(
        broken=Break(fault="ip-forward-off", on="vm0"), undo=(Act(host="vm0", argv=("sysctl", "-w", "x=1")),), wide=True
    )
    return progress.Progress(id="02-outside", folder=Path("/x"), started="2026-01-01T00:00:00", fault=injury, **more)


def test_progress_is_kept(tmp_path):
    """What is written is read again as it was, also what it takes to mend a fault, and can be forgotten."""
    here = begun(sandbox=True, step=2, before={"vm0": Holdings(containers=frozenset({"a"}), policy="DROP")})
    progress.write(here, tmp_path)
    assert progress.read("02-outside", tmp_path) == here
    assert progress.running(tmp_path) == ["02-outside"]
    assert progress.current(None, tmp_path) == progress.current("2", tmp_path) == here
    progress.forget("02-outside", tmp_path)
    assert progress.read("02-outside", tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_which_exercise(tmp_path):
    """Where several are on, one has to be named; where none is, it is said how to begin."""
    with pytest.raises(UsageError, match=r"no exercise is on: `dockerlab exercise start ID` begins one"):
        progress.current(None, tmp_path)
    for name in ("02-outside", "05-macvlan"):
        progress.write(begun().model_copy(update={"id": name}), tmp_path)
    with pytest.raises(UsageError, match="2 exercises are on, say which: 02-outside, 05-macvlan"):
        progress.current(None, tmp_path)
    assert progress.current("5", tmp_path).id == "05-macvlan"
    with pytest.raises(UsageError, match="the exercise 7 is not on"):
        progress.current("7", tmp_path)


def test_a_folder_that_begins_with_a_dot(tmp_path):
    """An exercise in a folder such as .hid is on like any other; what a crash left half written is not."""
    progress.write(begun().model_copy(update={"id": ".hid"}), tmp_path)
    (tmp_path / "..hid.x1y2").touch()
    assert progress.running(tmp_path) == [".hid"]
    assert progress.current(".hid", tmp_path).id == progress.current("ex/.hid", tmp_path).id == ".hid"


def test_two_folders_of_one_name(tmp_path):
    """An exercise does not go on where another one of its name stands: that is refused, with where the other one is."""
    here = begun().model_copy(update={"id": "lab", "folder": tmp_path / "ex" / "lab"})
    progress.same(here, tmp_path / "ex" / "lab")
    with pytest.raises(UsageError, match=f"the one in {tmp_path}/ex/lab: stop it first"):
        progress.same(here, tmp_path / "ex2" / "lab")


def test_a_progress_that_is_none(tmp_path):
    """A file that somebody has changed is named, with what to do."""
    (tmp_path / "02-outside.json").write_text('{"id": 3}')
    with pytest.raises(UsageError, match=r"02-outside\.json: not the progress of an exercise"):
        progress.read("02-outside", tmp_path)


def test_where_progress_is():
    """It is in the user's own state directory; a relative XDG_STATE_HOME counts for nothing, as the standard says."""
    assert progress.directory({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/dockerlab/exercises")
    for elsewhere in ("", "relative"):
        found = progress.directory({"XDG_STATE_HOME": elsewhere, "HOME": "/h"})
        assert found == Path("/h/.local/state/dockerlab/exercises")


def test_a_seed_chooses():
    """The same seed gives the same fault, and many seeds give each of them."""
    breaks = [Break(fault=name, on="x") for name in list(FAULTS)[:5]]
    assert choose(breaks, "monday-anna") == choose(breaks, "monday-anna")
    assert {choose(breaks, f"monday-{number}").fault for number in range(50)} == {b.fault for b in breaks}
    with pytest.raises(UsageError, match="has no faults"):
        choose([], "monday")


MASQUERADE = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"
SAVED = b"""*nat
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.4/32 -d 172.17.0.4/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -i br-0123 ! -o br-0123 -j ACCEPT
COMMIT
"""


WAY, DEFAULT = "172.28.2.0/24 via 192.168.22.61 dev eth0", "default via 192.168.22.1 dev eth0"
ROUTES = (
    way(None, "192.168.22.1", "eth0"),
    way("172.17.0.0/16", None, "docker0"),
    way("fe80::/64", None, "eth0"),
)


def seen(saved=SAVED, **more):
    snapshot = Snapshot(
        "vm0",
        containers=(ContainerState("1", "web", "x", {LABEL_LAB: "demo"}), ContainerState("2", "guest", "x")),
        networks=(NetworkState("3", "bridge", "bridge"), NetworkState("4", "docker_gwbridge", "bridge")),
    )
    nics = (nic("eth0"), nic("docker0", up=False), nic("veth1"), nic("br-1"))
    ground = facts_of("vm0", nics=nics, routes=ROUTES, ip_forward=True).ground
    ground = replace(ground, ruleset=iptables.read(saved.decode(), "ip"))
    return held_by(snapshot, ground, DaemonFile("vm0")).model_copy(update=more)


def test_what_a_host_holds():
    """What comes and goes with labs and networks is left out."""
    assert seen() == Holdings(
        containers={"guest"}, networks={"bridge"}, links={"eth0 up", "docker0 down"}, policy="DROP", ip_forward=True,
        rules={f"nat {MASQUERADE}"}, routes={DEFAULT},
    )  # fmt: skip


def test_nothing_has_changed():
    """Two looks at one host that is as it was have no difference; docker0 may go up."""
    assert changes("vm0", seen(), seen(links=frozenset({"eth0 up", "docker0 up"}))) == []


def test_what_has_changed():
    """What came, went or changed is told with what mends it."""
    now = seen(
        saved=b"*filter\n-A FORWARD -j DROP\n",
        containers=frozenset({"guest", "mine"}),
        networks=frozenset({"own"}),
        links=frozenset({"eth0 down", "docker0 up", "veil0 up"}),
        policy="ACCEPT",
        ip_forward=False,
        routes=frozenset({WAY, "10.77.0.0/24 dev veil0"}),
    )
    told = [str(change).removeprefix("vm0: ") for change in changes("vm0", seen(), now)]
    assert told == [
        "container mine was made meanwhile; 'docker rm --force mine' mends it",
        "network own was made meanwhile; 'docker network rm own' mends it",
        "network bridge is gone",
        "the interface eth0 was up, is down; 'ip link set eth0 up' mends it",
        "the interface veil0 was made meanwhile; 'ip link delete veil0' mends it",
        f"the route `{WAY}` was added meanwhile; 'ip route delete {WAY}' mends it",
        f"the route `{DEFAULT}` is gone; 'ip route add {DEFAULT}' mends it",
        "the policy of chain FORWARD was DROP and is ACCEPT; 'iptables -w -P FORWARD DROP' mends it",
        "net.ipv4.ip_forward was 1 and is 0; 'sysctl -w net.ipv4.ip_forward=1' mends it",
        "the rule `filter -A FORWARD -j DROP` was added meanwhile; 'iptables -w -t filter -D FORWARD -j DROP' mends it",
        f"the rule `nat {MASQUERADE}` is gone; 'iptables -w -t nat {MASQUERADE}' mends it",
    ]


def test_an_engine_has_changed():
    """A Swarm and changed settings are told; the networks go with the Swarm, and docker0 gets its address back."""
    before = seen(bridge="172.17.0.1/16")
    now = seen(swarm=True, wide=frozenset({"wide"}), settings='{"bip": "192.168.1.5/24"}', bridge="192.168.1.5/24")
    swarm, settings = changes("vm0", before, now)
    assert swarm.undo == ("docker", "swarm", "leave", "--force")
    assert settings.undo[-3:] == ("", "/etc/docker/daemon.json", '{"bip": "172.17.0.1/16"}')
    assert "write back what it was" in str(settings)
    (network,) = changes("vm0", seen(swarm=True), seen(swarm=True, wide=frozenset({"wide"})))
    assert network.undo == ("docker", "network", "rm", "wide")
