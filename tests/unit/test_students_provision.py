"""A class brought up and taken down on pretended engines: all at once, each for itself, and nothing left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from support.facts import altered, way
from support.labs import lab as parse
from support.labs import who
from support.pretend import Engines, Refused

from dockerlab import plan
from dockerlab.errors import ConflictError
from dockerlab.hosts.fake import FakeHost
from dockerlab.identity import CLASS
from dockerlab.provision.reporting import Silent
from dockerlab.provision.up import Wish
from dockerlab.snapshot import LABEL_INSTANCE, NetworkState, Snapshot
from dockerlab.students import course, provision
from dockerlab.students.listing import instances, rows, table
from dockerlab.students.refusals import of_nobody
from dockerlab.students.roster import counted
from dockerlab.students.subnets import Source
from dockerlab.survey import Answers, Seen

BRIDGE = "networks: {front: {}}\ncontainers: {web: {networks: [front]}, alone: {}}"
LAN = """
hosts: {vm0: , vm1: }
networks: {lan: {driver: macvlan, subnet: 192.168.22.0/24, parent: eth0.50}}
containers:
  left: {host: vm0, networks: {lan: {ip: 192.168.22.200}}}
  right: {host: vm1, networks: {lan: {ip: 192.168.22.201}}}
"""
WIDE = """
name: wide
hosts: {vm0: , vm1: }
networks: {wide: {driver: overlay}}
containers: {east: {host: vm0, networks: [wide]}, west: {host: vm1, networks: [wide]}}
"""
NOW = datetime(2027, 1, 31, tzinfo=timezone.utc)


def a_class(text, number):
    made, problems = course.arranged(parse(text), counted(number), ["vm0", "vm1"], Source())
    assert problems == []
    return made


def planned(made, engines, run="1"):
    """Return the plans of a class on pretended engines."""
    seen = Seen(engines.snapshots(), engines.facts())
    found = provision.Planned(who(made.lab, run=run))
    labs = [*([(CLASS, made.shared)] if made.shared else []), *((i.student.id, i.lab) for i in made.instances)]
    for identity, lab in labs:
        me = replace(who(made.lab, run=run), instance=identity)
        try:
            found.plans[identity] = provision.plan_instance(lab, me, hosts(engines), seen, {}, Wish())
        except ConflictError as error:
            found.failures[identity] = error
    return found


def hosts(engines, refuses=()):
    def answer(name):
        def respond(argv, _given):
            if any(word in " ".join(argv) for word in refuses):
                return (1, "", "device or resource busy")
            try:
                return engines[name].run(argv)
            except Refused as refusal:
                return (1, "", str(refusal))

        return respond

    return {name: FakeHost(name, answer(name)) for name in engines}


def up(made, engines, refuses=()):
    found = planned(made, engines)
    return provision.carry_out(
        found,
        lambda: found,
        hosts(engines, refuses),
        Silent(),
        look_again=lambda asked: Answers({name: engines[name].snapshot() for name in asked}),
    )


def names(engines):
    return {c.name for snapshot in engines.snapshots().values() for c in snapshot.containers}


@pytest.fixture
def engines():
    return Engines(["vm0", "vm1"])


@pytest.mark.parametrize("text", [BRIDGE, LAN, WIDE])
def test_a_class_comes_and_goes(engines, text):
    """All instances are made in one run, a second one changes nothing, and their removal leaves nothing."""
    made = a_class(text, 5)
    outcome = up(made, engines)
    assert (outcome.up, outcome.failures) == ([f"s0{n}" for n in range(1, 6)], {})
    assert len(names(engines)) == 10
    assert planned(made, engines, run="2").whole.changes == ()
    gone = plan.remove(engines.snapshots(), lambda labels: LABEL_INSTANCE in labels)
    assert gone.notes == ()
    engines.carry_out(gone)
    assert names(engines) == set()
    assert all(not list(snapshot.labelled()) for snapshot in engines.snapshots().values())


def test_what_all_share_is_made_once(engines):
    """The network of a LAN is there once on each host, and the Swarm once; both are the class's, and nobody's own."""
    for text in (LAN, WIDE):
        assert up(a_class(text, 3), engines).failures == {}
    labels = [list(s.labelled()) for s in engines.snapshots().values()]
    ours = [each for host in labels for each in host if each[LABEL_INSTANCE] == CLASS]
    assert len(ours) == 4  # a network and a receipt for the Swarm, on both hosts


def test_one_failure_stops_nobody_else(engines):
    """Of an instance that fails, what was made is removed again; the others come up."""
    made = a_class(BRIDGE, 4)
    outcome = up(made, engines, refuses=("s02-alone",))
    assert outcome.up == ["s01", "s03", "s04"]
    assert "device or resource busy" in outcome.failures["s02"]
    assert names(engines) == {f"s0{n}-{c}" for n in (1, 3, 4) for c in ("web", "alone")}
    assert not any(n.name == "s02-front" for s in engines.snapshots().values() for n in s.networks)


def test_what_is_left_of_a_failure_is_told(engines):
    """What could not be removed again is named."""
    outcome = up(a_class(BRIDGE, 2), engines, refuses=("s02-alone", "network rm"))
    assert "left: network s02-front on vm1" in outcome.failures["s02"]


def test_something_foreign_stops_one_alone(engines):
    """A name that is taken is the failure of its instance, found before anything of it is made."""
    engines["vm0"].run(["docker", "run", "--detach", "--name", "s01-web", "dockerlab/node"])
    outcome = up(a_class(BRIDGE, 2), engines)
    assert outcome.up == ["s02"]
    assert "s01-web was not made by dockerlab" in outcome.failures["s01"]


def test_a_route_into_the_range_is_refused(engines):
    """A host that has a route into an instance's subnet would be cut off from what is there."""
    made = a_class(BRIDGE, 1)
    route = way("198.18.0.0/16", None, "tun0")
    facts = {name: altered(each, routes=(route,)) for name, each in engines.facts().items()}
    seen = Seen(engines.snapshots(), facts)
    with pytest.raises(ConflictError, match=r"route to 198.18.0.0/16 by tun0.*--subnets"):
        provision.plan_instance(
            made.instances[0].lab, replace(who(made.lab), instance="s01"), hosts(engines), seen, {}, Wish()
        )


def test_the_list_of_a_class(engines):
    """A line for each student, what is of no student last."""
    up(a_class(BRIDGE, 3), engines)
    found = rows(engines.snapshots(), "demo", counted(2), NOW)
    assert [(r["id"], r["student"], r["hosts"], r["running"], r["networks"]) for r in found] == [
        ("s01", "student 1", ["vm0"], 2, 1),
        ("s02", "student 2", ["vm1"], 2, 1),
        ("s03", "(not in the roster)", ["vm0"], 2, 1),
    ]
    assert "2 of 2 run" in table(found)
    assert set(instances(engines.snapshots(), "demo", "teacher@desk")) == {"s01", "s02", "s03"}
    assert list(instances(engines.snapshots(), "demo", "somebody@else")) == []


def test_who_is_nobody_of_the_class(engines):
    """An ID of which nothing is there is refused where others of the class are; a name alone is something there."""
    there = a_class(BRIDGE, 3)
    assert of_nobody(there.instances[0], engines.snapshots()) is None
    up(replace(there, instances=there.instances[:2]), engines)
    first, _, third = there.instances
    assert of_nobody(first, engines.snapshots()) is None
    told = of_nobody(third, engines.snapshots())
    assert told.startswith("--student s03: nothing of it is on vm0, vm1, where a class is; did you mean s01 or s02?\n")
    (name, *_) = third.lab.networks
    typed = {"vm0": Snapshot("vm0", networks=(NetworkState("1", name, "bridge"),))}
    assert of_nobody(third, {**engines.snapshots(), **typed}) is None
