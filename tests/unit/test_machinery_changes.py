"""What is different between two recorded looks, why, and how that is shown and followed."""

from __future__ import annotations

import ast
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from importlib.resources import files
from itertools import pairwise

import pytest
from support.machinery import ENGINES, failed, raw, seen, with_ground, with_rules

from dockerlab.command import Command, Part, Result
from dockerlab.errors import HostError
from dockerlab.hosts.fake import FakeHost
from dockerlab.hosts.local import LocalHost
from dockerlab.machinery import send
from dockerlab.machinery.diff import diff, spelled
from dockerlab.machinery.episodes import BY_HAND, Episode, between, cause_of
from dockerlab.machinery.watching import watch
from dockerlab.plan import Key, Step
from dockerlab.provision.showing import MEANWHILE, Showing
from dockerlab.report import changes
from dockerlab.survey import send as survey

NOON = datetime(2027, 1, 31, 12, tzinfo=timezone.utc)


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


def what(told, verb: str, kind: str, where: str | None = None) -> set[str]:
    """Return what changed in this way, but for the kernel's own doings."""
    return {
        each.change.what
        for each in told
        if (each.change.verb, each.change.kind) == (verb, kind)
        and where in (None, each.change.where)
        and not each.minor
    }


def line(machine: str, engine: str) -> bytes:
    return json.dumps(raw(engine, machine)).encode() + b"\n"


def test_nothing_changed(engine):
    """Between a look and itself there is no change, and what is not there has no cause but somebody's hand."""
    assert diff(seen(engine), seen(engine)) == []
    assert cause_of(()) == BY_HAND


def test_a_new_network(engine):
    """A bridge network adds its bridge with the gateway's address, a route, and rules; each has a reason."""
    before, after = seen(engine, "mixed"), seen(engine, "network")
    told = between(before, after)
    bridge = f"br-{next(n.id for n in after.networks if n.name == 'typed')[:12]}"
    assert cause_of(told) == "docker network create: typed (bridge)"
    assert what(told, "added", "link", "host") == {f"{bridge} (bridge)"}
    assert what(told, "added", "address") == {f"172.31.7.1/24 dev {bridge}"}
    assert any(route.startswith(f"172.31.7.0/24 dev {bridge}") for route in what(told, "added", "route"))
    assert f"iptables -t nat -A POSTROUTING -s 172.31.7.0/24 ! -o {bridge} -j MASQUERADE" in what(told, "added", "rule")
    assert all(each.why for each in told)
    assert {each.change.verb for each in told if not each.minor} == {"added"}


def test_a_new_container(engine):
    """A container with a published port adds a namespace, a cable into its bridge, rules and a docker-proxy."""
    before, after = seen(engine, "network"), seen(engine, "container")
    told = between(before, after)
    bridge = f"br-{next(n.id for n in after.networks if n.name == 'typed')[:12]}"
    assert cause_of(told).startswith("docker run, create or compose: container typed")
    (port,) = what(told, "added", "port", "host")
    assert port.endswith(f" master {bridge}")
    assert what(told, "added", "link", "host") == {f"{port.split()[0]} (veth)"}
    assert what(told, "added", "link", "typed") == {"eth0 (veth)"}
    assert what(told, "added", "address", "typed") == {"172.31.7.2/24 dev eth0"}
    assert "default via 172.31.7.1 dev eth0" in what(told, "added", "route", "typed")
    assert "docker-proxy tcp 0.0.0.0:8081 -> 172.31.7.2:80" in what(told, "added", "proxy")
    wanted = (
        f"iptables -t nat -A DOCKER ! -i {bridge} -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.31.7.2:80"
    )
    assert wanted in what(told, "added", "rule")
    assert all(each.why for each in told)


def test_a_container_that_shares(engine):
    """Of a container in the network namespace of another one, that one's name is told, not its ID."""
    after = seen(engine)
    before = replace(after, containers=tuple(each for each in after.containers if each.name != "side"))
    told = what(between(before, after), "added", "container")
    assert told == {"side (running, in the network namespace of web)"}


def test_a_removed_container(engine):
    """What came with a container goes with it, and its namespace with all that was in it."""
    came = between(seen(engine, "network"), seen(engine, "container"))
    went = between(seen(engine, "container"), seen(engine, "removed"))
    for kind in ("link", "port", "rule", "proxy"):
        assert what(went, "removed", kind, "host") == what(came, "added", kind, "host"), kind
    assert len(what(went, "removed", "namespace", "typed")) == 1
    assert all(each.minor for each in between(seen(engine, "network"), seen(engine, "removed")))
    assert cause_of(went) == "docker rm: container typed was removed"


def test_rules_add_up(engine):
    """The rules before, less what went, plus what came, are the rules afterwards, however often one is there."""
    names = ("mixed", "network", "container", "removed")
    for first, last in pairwise(names):
        before, after = (Counter(map(spelled, seen(engine, name).ground.ruleset.rules())) for name in (first, last))
        found = diff(seen(engine, first), seen(engine, last))
        came = Counter(change.what for change in found if (change.kind, change.verb) == ("rule", "added"))
        went = Counter(change.what for change in found if (change.kind, change.verb) == ("rule", "removed"))
        assert before - went + came == after


def test_a_rule_twice(engine):
    """A second rule that is like one that is there already is a change, though the set of rules is the same."""
    before = seen(engine)
    rule = list(before.ground.ruleset.rules())[-1]
    ruleset = before.ground.ruleset
    chains = tuple(
        replace(c, rules=(*c.rules, rule))
        if (c.family, c.table, c.name) == (rule.family, rule.table, rule.chain)
        else c
        for c in ruleset.chains
    )
    after = with_ground(before, ruleset=replace(ruleset, chains=chains))
    assert [(c.verb, c.what) for c in diff(before, after)] == [("added", spelled(rule))]
    assert [(c.verb, c.what) for c in diff(after, before)] == [("removed", spelled(rule))]


def test_policy_setting_and_mtu(engine):
    """A policy, a setting of the kernel, and an interface's MTU that are another one now are told with both values."""
    before = seen(engine)
    ruleset = before.ground.ruleset
    chains = tuple(
        replace(c, policy="ACCEPT") if (c.family, c.table, c.name) == ("ip", "filter", "FORWARD") else c
        for c in ruleset.chains
    )
    links = tuple(replace(link, mtu=1400) if link.name == "docker0" else link for link in before.ground.links)
    after = with_ground(
        before,
        ruleset=replace(ruleset, chains=chains),
        sysctls={**before.ground.sysctls, "net/ipv4/ip_forward": "0"},
        links=links,
    )
    told = {each.change.what: each.why for each in between(before, after)}
    assert set(told) == {"docker0 mtu 1500 -> 1400", "filter FORWARD DROP -> ACCEPT", "net.ipv4.ip_forward 1 -> 0"}
    assert told["filter FORWARD DROP -> ACCEPT"] == "Forwarded packets that no rule decides about pass."


@pytest.mark.parametrize("key", ["name", "state", "mtu", "mac"])
@pytest.mark.parametrize("link", ["eth0", "docker0", "lo", "eth0.50"])
def test_an_interface_that_was_still_in_the_making(engine, key, link):
    """A look may come while a namespace is put together: whatever of an interface changes then has a reason."""
    after = seen(engine)
    other = {"name": "veth7", "state": "DOWN", "mtu": 9000, "mac": "02:00:00:00:00:07"}
    links = tuple(replace(e, **{key: other[key]}) if e.name == link else e for e in after.ground.links)
    before = with_ground(after, links=links)
    told = between(before, after)
    assert [each.change.verb for each in told if each.change.kind == "link"] == ["changed"]
    assert all(each.why for each in told)


def test_what_cannot_be_read_has_not_changed(engine):
    """Where a look could not read the firewall, the engine or a namespace, nothing is said to have gone."""
    before = seen(engine)
    denied = failed(["iptables-save"], "Permission denied")
    gone = failed(["docker", "ps"], "Cannot connect to the Docker daemon")
    spaces = with_rules(engine, ip=denied, ip6=denied, known=False)
    for space in spaces:
        space["said"]["address"] = failed(["ip"], "Operation not permitted")
    after = seen(engine, containers=gone, networks=gone, namespaces=spaces)
    assert diff(before, after) == diff(after, before) == []


def test_the_first_rules(engine):
    """A firewall that was read and had no rules is not one that could not be read: all its rules are new."""
    empty = {"argv": [], "rc": 0, "out": "", "err": ""}
    found = diff(seen(engine, namespaces=with_rules(engine, ip=empty, ip6=empty)), seen(engine))
    assert sum(change.kind == "rule" for change in found) == len(list(seen(engine).ground.ruleset.rules()))


def test_text_and_json():
    """An episode is a few lines for people and one line of JSON; what the kernel does by itself is only counted."""
    told = between(seen("28.5", "network"), seen("28.5", "container"))
    episode = Episode(NOON, "vm0", "Start container typed", "docker run --name typed node", 1.5, told)
    lines = changes.text(episode, 100).splitlines()
    assert lines[:3] == ["", "vm0 # docker run --name typed node", "  Start container typed"]
    assert max(map(len, lines)) <= 100
    assert lines[-1].endswith("of the kernel's own: loopback, link-local addresses, a carrier on a cable")
    read = json.loads(changes.json_line(episode))
    assert (read["time"], read["host"], read["seconds"]) == ("2027-01-31T12:00:00.000+00:00", "vm0", 1.5)
    assert len(read["changes"]) == len(told)
    blind = Episode(NOON, "vm0", "Start it", "docker run node", failure="vm0: gone")
    assert "what changed cannot be told: vm0: gone" in changes.text(blind)
    assert "nothing of the host's networks changed" in changes.text(replace(blind, failure=""))


class Quiet:
    """A reporter that notes in which order it is told."""

    one_by_one = False

    def __init__(self):
        self.told = []

    def started(self, step):
        self.told.append(f"started {step.key.name}")

    def ran(self, command, _):
        self.told.append(f"ran {command.why}")

    def lost(self, step, loss):
        self.told.append(f"lost {step} {loss}")

    def finished(self, step, _):
        self.told.append(f"finished {step.key.name}")


def step(name: str) -> Step:
    command = Command("vm0", (Part(("docker", "run", name)),), f"Start {name}")
    return Step(Key("vm0", "container", name), "create", (command,), (), frozenset())


def run(showing: Showing, one: Step) -> None:
    showing.started(one)
    showing.ran(one.commands[0], Result(("docker",), 0, b"", b"", 0.5))
    showing.finished(one, None)


def test_each_change_has_its_command():
    """What a command changed is told with it; what changed between two commands is no command's, and told as such."""
    looks = iter([seen("28.5", n) for n in ("mixed", "network", "container", "container", "removed")])
    told: list[Episode] = []
    inner = Quiet()
    showing = Showing(inner, {"vm0": FakeHost("vm0", lambda *_: "")}, told.append, lambda _: next(looks))
    run(showing, step("one"))
    run(showing, step("two"))
    showing.end()
    assert [(e.command, e.cause) for e in told] == [
        ("docker run one", "Start one"),
        ("", MEANWHILE),
        ("docker run two", "Start two"),
        ("", MEANWHILE),
    ]
    assert what(told[0].changes, "added", "network") == {"typed (bridge)"}
    assert what(told[1].changes, "added", "container")
    assert told[2].changes == ()
    assert what(told[3].changes, "removed", "container") == {"typed"}
    assert inner.told[:3] == ["started one", "ran Start one", "finished one"]
    assert showing.one_by_one  # several steps at once would wait for one turn, and each for ever


def test_a_host_that_cannot_be_looked_at_is_still_worked_on():
    """Where looking fails, the command counts all the same, and its changes are said not to be known."""

    def fail(host):
        raise HostError(host.name, "no python3")

    told: list[Episode] = []
    inner = Quiet()
    showing = Showing(inner, {"vm0": FakeHost("vm0", lambda *_: "")}, told.append, fail)
    run(showing, step("one"))
    assert inner.told == ["started one", "ran Start one", "finished one"]
    assert {episode.failure for episode in told} == {"vm0: no python3"}
    assert all(episode.changes == () for episode in told)


def test_a_step_without_commands_waits_for_nobody():
    """What is kept neither waits for the host's turn nor is looked at."""
    showing = Showing(Quiet(), {"vm0": FakeHost("vm0", lambda *_: "")}, pytest.fail, lambda _: pytest.fail("looked"))
    kept = replace(step("one"), action="keep", commands=())
    showing.started(kept)
    showing.finished(kept, None)
    assert showing.end() is None


def test_watching(engine):
    """Each look that differs from the one before is an episode; signs of life are not; a lost host ends it."""
    said = b"".join([line("mixed", engine), b"\n", line("mixed", engine), line("network", engine), b"\n"])
    ready: list[str] = []
    found = watch({"vm0": FakeHost("vm0", lambda *_: said)}, lambda: ready.append("now"))
    first = next(found)
    assert (first.host, first.cause) == ("vm0", "docker network create: typed (bridge)")
    assert ready == ["now"]
    lost = next(found)
    assert (lost.host, lost.failure != "", lost.notable) == ("vm0", True, True)
    with pytest.raises(HostError, match="no host is left to watch"):
        next(found)


def test_the_program_is_for_old_pythons():
    """All that is sent to a host is understood by Python 3.6."""
    for module in survey.PROGRAM.modules:
        text = files("dockerlab.survey.program").joinpath(f"{module}.py").read_text("utf-8")
        assert ast.parse(text, feature_version=(3, 6)).body


def test_the_program_runs_here():
    """The program reads this machine, with or without an engine and root, and says what it could not read."""
    host = LocalHost()
    machine = send.look(host)
    assert machine.kernel.kernel
    assert machine.ground.id
    assert (machine.ground.link("lo") is not None) == ("links" not in machine.ground.unread)
    assert machine.engine or any(what.startswith("what the engine knows") for what in machine.unread)


def test_a_host_without_python():
    """A host on which the program cannot run is an error that says what it needs, and not an empty one."""
    bare = FakeHost("vm0", lambda *_: (127, "", "sh: python3: not found"))
    with pytest.raises(HostError, match=r"needs python3 \(3.6 or later\) there: sh: python3: not found"):
        send.look(bare)
    told = send.look_at_all({"vm0": bare})
    assert (told.answers, list(told.failures)) == ({}, ["vm0"])


@pytest.mark.parametrize("said", ["", "Welcome!", "[]", '{"uid": 0}', '{"containers": 3}'])
def test_what_is_no_look(said):
    """What is not the program's own output is an error of that host."""
    with pytest.raises(HostError, match="vm0: what its python3 says cannot be understood"):
        send.look(FakeHost("vm0", lambda *_: said))
