"""Checks: pass, fail or unknown, each with its reason in terms of the model."""

import shlex
from dataclasses import replace
from itertools import cycle

from support.labs import lab, running
from support.worlds import changed, pretended

from dockerlab.checks.judge import judge_checks
from dockerlab.checks.model import Check
from dockerlab.checks.outcome import overall
from dockerlab.checks.scene import Scene
from dockerlab.drift import Difference
from dockerlab.hosts.fake import FakeHost
from dockerlab.probe.base import Observation, unknown
from dockerlab.reach.matrix import beside
from dockerlab.snapshot import NetworkState
from dockerlab.survey import Seen
from dockerlab.verify import Cause, Report, judge_all

DEMO = """
    hosts: {vm0: , vm1: }
    containers:
      web: {host: vm0}
      side: {host: vm0}
    outside: {internet: 203.0.113.10}
"""


def scene(observed, answer=lambda *_: (1, b"", b"no"), *, ip_forward=True, answers=None):
    """Return the demo as it runs, with a state for each cell by a function of it, and hosts that are a function."""
    definition = lab(DEMO)
    engines = running(definition)
    snapshots = engines.snapshots()
    world = pretended(definition, engines)
    now = world if ip_forward else changed(world, "vm0", without_forwarding)
    rows, predicted = beside(world, now)
    seen = [observed(cell, told) for (cell, _), told in zip(rows, predicted, strict=True)]
    judged = judge_all(rows, seen, predicted)
    report = Report("demo", "", judged, {}, {}, 0.0, world=world, notes=("vm0: a note",))
    hosts = {host: FakeHost(host, answer) for host in definition.hosts}
    return Scene(definition, hosts, Seen(snapshots, engines.facts()), lambda: report, answers or {})


def without_containers(here):
    empty = {host: replace(snapshot, containers=()) for host, snapshot in here.snapshots.items()}
    return replace(here, seen=replace(here.seen, snapshots=empty))


def without_forwarding(space):
    return replace(space, sysctls={**space.sysctls, "net/ipv4/ip_forward": "0"})


def as_predicted(_cell, expected):
    return Observation("reachable" if expected.reachable else "unreachable")


def lost(_cell, _expected):
    return Observation("unreachable", "timeout")


def check(**fields):
    return Check.model_validate(fields)


def judged(scene, **fields):
    (outcome,) = judge_checks([check(**fields)], scene)
    return outcome


OUT = {"from": "web", "to": "internet", "expected": "reachable"}


def test_a_cell_that_holds():
    """A cell that is as expected passes, and says why by the model."""
    outcome = judged(scene(as_predicted), cells=OUT)
    assert (outcome.verdict, outcome.about) == ("pass", "web -> internet, ping: reachable")
    assert "MASQUERADE" in outcome.where[0]


def test_cells_that_hold_for_several_reasons():
    """Of cells that are meant together each rule is told once, with a cell that it is about; one alone needs none."""
    everybody = judged(scene(as_predicted), cells={"from": "web", "to": "*"}).where
    assert everybody[0] == "web -> side: both are on docker0 of vm0: one layer 2, nothing in between"
    assert len({line.split(": ")[1] for line in everybody}) == len(everybody) > 2
    (both,) = judged(scene(as_predicted), cells={"from": "[ws]*", "to": "internet"}).where
    assert both.startswith("it goes out through vm0")


def test_a_cell_that_the_hosts_explain():
    """A cell that fails as the model predicts for the hosts as they are is explained by the model's own reason."""
    outcome = judged(scene(as_predicted, ip_forward=False), cells=OUT)
    assert outcome.verdict == "fail"
    assert outcome.because.startswith("web -> internet (203.0.113.10) ping is unreachable")
    assert "by the model" not in outcome.because
    assert (
        "by the model it has to be, as the hosts are now: vm0 does not forward: net.ipv4.ip_forward is 0"
        in (outcome.where[0])
    )
    for expected, verdict in (("expected", "fail"), ("predicted", "pass")):
        assert judged(scene(as_predicted, ip_forward=False), cells={**OUT, "expected": expected}).verdict == verdict


def test_a_cell_that_the_model_does_not_explain():
    """A cell that fails against the model says what it predicts, and what the report's notes tell."""
    outcome = judged(scene(lost), cells=OUT)
    assert outcome.verdict == "fail"
    assert (
        "web -> internet (203.0.113.10) ping is unreachable (timeout); by the model it should be reachable"
        in (outcome.where[0])
    )
    assert outcome.beside == ("vm0: a note",)
    several = judged(scene(lost), cells={**OUT, "from": "*"})
    assert several.more[0] == "so are 3 other cells"
    pair = judged(scene(lost), cells={**OUT, "from": "vm?"})
    assert pair.more[0] == "so is one other cell"


def test_a_cell_that_holds_against_the_model():
    """Where an exercise wants the opposite of what the model predicts, the reason is what was seen."""
    outcome = judged(scene(lost), cells={**OUT, "expected": "unreachable"})
    assert outcome.verdict == "pass"
    assert outcome.where == ("web -> internet (203.0.113.10) ping is unreachable (timeout)",)


def test_a_cell_that_could_not_be_told():
    """What could not be told is unknown whatever is expected, and what is no cell as well."""
    for expected in ("reachable", "unreachable", "predicted"):
        outcome = judged(scene(lambda *_: unknown("no agent")), cells={**OUT, "expected": expected})
        assert (outcome.verdict, outcome.because) == (
            "unknown", "web -> internet (203.0.113.10) ping is unknown: no agent",
        )  # fmt: skip
    assert judged(scene(as_predicted), cells={"from": "web", "to": "nobody"}).verdict == "unknown"


def caused(here, *causes):
    """Return a scene whose cells that did not pass have these causes in turn."""
    report, told = here.verify(), cycle(causes)
    cells = tuple(cell if cell.verdict == "pass" else replace(cell, cause=next(told)) for cell in report.cells)
    return replace(here, verify=lambda: replace(report, cells=cells))


GONE = Cause("vm0", "lab", "container", "container web", "container web does not exist", "docker run web")
POLICY = Cause("vm0", "host", "policy", "filter INPUT policy", "filter INPUT policy DROP", "iptables -P INPUT ACCEPT")


def test_the_cause_of_a_cell():
    """Beside a cell stands its cause with what puts it right, and not all that the lab has and nobody has made yet."""
    here = caused(scene(lambda *_: unknown("web does not exist")), GONE)
    outcome = judged(here, cells=OUT)
    assert outcome.beside == ("vm0: container web does not exist", "vm0: a note")
    assert outcome.how == ("vm0: docker run web",)


def test_a_cause_inside_a_container():
    """What is typed for a container's namespace finds the process out: nobody knows its number."""
    into, pid = "nsenter --net --target", "$(docker inspect --format {{.State.Pid}} web)"
    undo = f"{into} 1000 ip link set eth0 up && {into} 1000 ip route replace default via 172.17.0.1"
    down = Cause("vm0", "host", "link", "eth0", "eth0 of web is down", undo)
    assert judged(caused(scene(lost), down), cells=OUT).how == (
        f"vm0: sh -c '{into} {pid} ip link set eth0 up && {into} {pid} ip route replace default via 172.17.0.1'",
    )
    quoted = replace(down, undo=f"{into} 1000 iptables -D OUTPUT -m comment --comment 'it'\"'\"'s; $HOME' -j DROP")
    line = judged(caused(scene(lost), quoted), cells=OUT).how[0].removeprefix("vm0: ")
    assert shlex.split(shlex.split(line)[2].replace(pid, "1"))[-3] == "it's; $HOME"
    nobody = replace(down, undo=f"{into} 77 ip link set eth0 up")
    assert judged(caused(scene(lost), nobody), cells=OUT).how == (f"vm0: {into} 77 ip link set eth0 up",)


def test_what_does_not_run_proves_nothing():
    """A cell to a container that is not there is unknown, also where it is to be unreachable."""
    here = scene(lost)
    bare = without_containers(here)
    outcome = judged(bare, cells={"from": "vm0", "to": "web", "expected": "unreachable"})
    assert (outcome.verdict, outcome.because) == ("unknown", "vm0 -> web ping: web does not exist on vm0")


def test_the_fault_of_a_host_is_not_charged():
    """A cell that a host is at fault for is no failure of the student, unless the host was broken on purpose."""
    here = caused(scene(lost), POLICY)
    assert judged(here, cells=OUT).verdict == "fail"
    spared = judged(replace(here, spares=True), cells=OUT)
    assert spared.verdict == "unknown"
    assert spared.because.endswith("; vm0: filter INPUT policy DROP; not charged to you")
    assert spared.how == ("vm0: iptables -P INPUT ACCEPT",)
    assert judged(replace(caused(scene(lost), GONE), spares=True), cells=OUT).verdict == "fail"


def test_the_lab_as_defined():
    """Objects that are as defined pass; the first difference is the reason, and the others follow."""
    here = scene(as_predicted)
    assert judged(here, lab=["all"]).verdict == "pass"
    bare = without_containers(here)
    outcome = judged(bare, lab=["all"])
    assert outcome.verdict == "fail"
    assert outcome.because == "vm0: container web does not exist"
    assert outcome.how[0].startswith("vm0: docker run")
    assert len(outcome.more) == 1
    assert judged(bare, lab=["side"]).more == ()


def test_a_look():
    """A fact passes by the line that has its words, fails with what it says instead, and is unknown when unread."""

    def answer(argv, _):
        return "net.ipv4.x = 1\n" if argv[:2] == ("sysctl", "-n") else (1, "", "iptables: Permission denied")

    here = scene(as_predicted, answer)
    right = judged(here, look={"on": "vm0", "at": "sysctl net.x", "has": "1"}, because="it has to")
    assert (right.verdict, right.because, right.where) == ("pass", "it has to", ("vm0 says: net.ipv4.x = 1",))
    wrong = judged(here, look={"on": "vm0", "at": "sysctl net.x", "has": "0"})
    assert (wrong.verdict, wrong.where) == ("fail", ("it says: net.ipv4.x = 1",))
    assert judged(here, look={"on": "vm0", "at": "sysctl net.x", "lacks": "0"}).verdict == "pass"
    assert judged(here, look={"on": "vm0", "at": "sysctl net.x", "lacks": "1"}).verdict == "fail"
    unread = judged(here, look={"on": "vm0", "at": "rules nat DOCKER", "lacks": "1"})
    assert (unread.verdict, unread.because) == (
        "unknown", "vm0: rules nat DOCKER could not be read: iptables: Permission denied",
    )  # fmt: skip


def test_a_look_into_a_container():
    """A container's facts are read in its network namespace; one that does not run has none to be told."""
    here = scene(as_predicted, lambda _argv, _: "default via 172.17.0.1 dev eth0\n")
    assert judged(here, look={"on": "web", "at": "routes", "has": "default via 172.17.0.1"}).verdict == "pass"
    (call,) = here.hosts["vm0"].calls
    assert call[:3] == ("nsenter", "--target=1000", "--net")
    bare = without_containers(here)
    outcome = judged(bare, look={"on": "web", "at": "routes", "lacks": "x"})
    assert (outcome.verdict, outcome.because) == ("unknown", "web does not exist on vm0")


def test_a_look_at_a_bridge():
    """A network stands for its bridge on the host; one whose driver has none there cannot be looked at."""
    asked = []

    def answer(argv, _given):
        asked.append(argv)
        return (0, b"7: veth1@if6: master docker0 state UP\n")

    here = scene(as_predicted, answer)
    assert judged(here, look={"on": "vm0", "at": "ports bridge:bridge", "has": ["veth1@if6:"]}).verdict == "pass"
    assert asked[-1][-2:] == ("master", "docker0")
    flat = NetworkState("f1a7", "flat", "macvlan")
    snapshot = here.snapshots["vm0"]
    snapshots = {**here.snapshots, "vm0": replace(snapshot, networks=(*snapshot.networks, flat))}
    here.seen = replace(here.seen, snapshots=snapshots)
    outcome = judged(here, look={"on": "vm0", "at": "ports bridge:flat", "has": ["veth1@if6:"]})
    assert (outcome.verdict, "has no bridge on vm0: its driver is macvlan" in outcome.because) == ("unknown", True)


def test_a_question():
    """An answer is right whatever its case and blanks; a wrong one gets the hint, and none is not right."""
    ask = {"question": "Which?", "answer": ["docker0", "the bridge"], "wrong": "look at ip link"}
    assert judged(scene(lost), ask=ask).because.startswith("not answered yet")
    assert judged(scene(lost, answers={"Which?": " The  BRIDGE. "}), ask=ask).verdict == "pass"
    outcome = judged(scene(lost, answers={"Which?": "eth0"}), ask=ask)
    assert (outcome.verdict, outcome.because, outcome.where) == ("fail", "'eth0' is not right", ("look at ip link",))


def test_a_question_whose_answer_is_found():
    """The right answer is the word behind another one in what the host shows; where it cannot be seen, unknown."""
    ask = {"question": "Which MAC?", "found": {"on": "vm0", "at": "links eth0", "after": "link/ether"}}
    here = scene(
        lost, lambda *_: "2: eth0: <UP> link/ether 02:42:0a:00:00:01 brd", answers={"Which MAC?": "02:42:0A:00:00:01"}
    )
    assert judged(here, ask=ask).verdict == "pass"
    assert judged(scene(lost, answers={"Which MAC?": "x"}), ask=ask).verdict == "unknown"


def test_overall():
    """One failure is a failure, what could not be told is no success, and no checks prove nothing."""
    here = scene(as_predicted)
    good, bad = judged(here, cells=OUT), judged(scene(lost), cells=OUT)
    unsure = judged(scene(lambda *_: unknown("x")), cells=OUT)
    assert overall([good]) == "pass"
    assert overall([good, bad, unsure]) == "fail"
    assert overall([good, unsure]) == "unknown"
    assert overall([]) == "unknown"


def test_what_a_host_is_to_be_told_is_charged():
    """What a look of the same step asks of a host is no fault of it; a cause of another kind stays one."""
    here = replace(caused(scene(lost, lambda *_: "-P INPUT DROP\n"), POLICY), spares=True)
    asked = {"look": {"on": "vm0", "at": "rules filter INPUT", "has": "-P INPUT ACCEPT"}}
    _, cell = judge_checks([check(**asked), check(cells=OUT)], here)
    assert (cell.verdict, "not charged" in cell.because) == ("fail", False)
    asked = {"look": {"on": "vm0", "at": "sysctl net.x", "has": "1"}}
    _, cell = judge_checks([check(**asked), check(cells=OUT)], here)
    assert (cell.verdict, "not charged" in cell.because) == ("unknown", True)


def test_what_is_an_object_of_the_lab_is_charged():
    """An engine that has left its Swarm is a host's fault for `verify`, and a student's deed in an exercise."""
    gone = Cause("vm0", "host", "engine", "network wide", "network wide does not exist: this engine is in no Swarm")
    here = replace(caused(scene(lost), gone), spares=True)
    here.differences = (Difference("vm0", "network", "wide", "does not exist: this engine is in no Swarm"),)
    assert judged(here, cells=OUT).verdict == "fail"


def test_a_look_at_what_is_not_there():
    """An interface, image or file that is not there is a fact: nothing stands in it."""
    said = {
        "links eth0": ('Device "eth0" does not exist.', "vm0 has no interface eth0"),
        "ports yard0": ('Error: argument "yard0" is wrong: Device does not exist', "vm0 has no interface yard0"),
        "layers web": ("Error: No such image: web", "vm0 has no image web"),
        "daemon": ("cat: /etc/docker/daemon.json: No such file or directory", "vm0 has no /etc/docker/daemon.json"),
    }
    for at, (error, told) in said.items():
        here = scene(as_predicted, lambda *_, error=error: (1, "", error))
        wanted = judged(here, look={"on": "vm0", "at": at, "has": "x"})
        assert (wanted.verdict, wanted.because) == ("fail", told)
        assert judged(here, look={"on": "vm0", "at": at, "lacks": "x"}).verdict == "pass"
    question = {"question": "How many?", "found": {"on": "vm0", "at": "layers web", "count": True}}
    asked = scene(as_predicted, lambda *_: (1, "", "Error: No such image: web"), answers={"How many?": "3"})
    assert judged(asked, ask=question).because == "the right answer could not be looked up: vm0 has no image web"


def test_a_look_for_an_interface():
    """An interface is known by its name, whatever `ip` writes behind it; another one that begins so is not meant."""
    line = "47: alone0@if46: <UP> mtu 1500 master docker0 state UP\n"
    here = scene(as_predicted, lambda *_: line)
    for word, has in (("alone0", True), ("alone", False), ("alone0@if46:", True)):
        outcome = judged(here, look={"on": "vm0", "at": "links", "lacks": word})
        assert outcome.verdict == ("fail" if has else "pass"), word
        outcome = judged(here, look={"on": "vm0", "at": "ports docker0", "has": [word, "state UP"]})
        assert outcome.verdict == ("pass" if has else "fail"), word


def test_a_look_names_what_is_lacking():
    """Of several words, those are named that stand nowhere; where each does, and never together, all are."""
    here = scene(as_predicted, lambda *_: "active manager true nodes 1\ninactive\n")
    outcome = judged(here, look={"on": "vm0", "at": "swarm", "has": ["active", "nodes 2"]})
    assert outcome.because == "no line of it has nodes 2"
    outcome = judged(here, look={"on": "vm0", "at": "swarm", "has": ["inactive", "nodes 1"]})
    assert outcome.because == "no line of it has inactive and nodes 1"


def test_a_look_at_a_long_line():
    """Of a line that is longer than somebody reads, what was looked for is shown, and not the rest of it."""
    line = f"3: eth0@if7: <UP> {'promiscuity 0 ' * 30} macvlan mode bridge bcqueuelen 1000 {'gso 65536 ' * 9}"
    here = scene(as_predicted, lambda *_: line)
    outcome = judged(here, look={"on": "vm0", "at": "links", "has": "macvlan mode bridge"})
    assert (outcome.verdict, outcome.where) == ("pass", ("vm0 says: … macvlan mode bridge …",))


def test_a_look_at_the_engines_settings():
    """They are words, however the file is written; a file that is no JSON has none, and says where it ends."""
    wanted = {"on": "vm0", "at": "daemon", "has": ["bip 10.0.0.1/24", "dns 1.1.1.1 8.8.8.8", "icc false"]}
    text = '{"icc":false,\n "dns": ["1.1.1.1", "8.8.8.8"], "bip": "10.0.0.1/24"}'
    assert judged(scene(as_predicted, lambda *_: text), look=wanted).verdict == "pass"
    outcome = judged(scene(as_predicted, lambda *_: text.replace("}", ",}")), look=wanted)
    assert outcome.verdict == "fail"
    assert outcome.because.startswith("/etc/docker/daemon.json of vm0 is no JSON, and no engine starts with it: ")
    assert judged(scene(as_predicted, lambda *_: ""), look=wanted).verdict == "fail"
    deep = judged(scene(as_predicted, lambda *_: "[" * 10**5), look=wanted)
    assert "is no JSON" in deep.because, "whoever wrote that file is told, and nobody else is"


def test_a_cell_that_the_definition_itself_expects():
    """Where the definition says what is expected, the reason of a cell that holds is that of the hosts as they are."""
    told = "a cable was laid by hand"
    here = scene(as_predicted)
    report = here.verify()
    cells = tuple(
        replace(cell, expected=replace(cell.expected, rule="expect", text=told)) for cell in report.cells
    )  # fmt: skip
    by_hand = replace(here, verify=lambda: replace(report, cells=cells))
    (why,) = judged(by_hand, cells=OUT).where
    assert "MASQUERADE" in why
