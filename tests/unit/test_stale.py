"""Networks that an engine does not let go: what containers that are gone left there, and a count that is wrong."""

from dataclasses import replace

import pytest

from dockerlab.command import Result
from dockerlab.engine.convert import to_container, to_network
from dockerlab.hosts.fake import FakeHost
from dockerlab.plan import Key, Plan
from dockerlab.plan.taking_down import down, remove_network
from dockerlab.provision import stale
from dockerlab.provision.execute import execute
from dockerlab.snapshot import LABEL_LAB, LABEL_OWNER, ContainerState, NetworkState, Snapshot

OURS = {LABEL_LAB: "demo", LABEL_OWNER: "me"}
KEY = Key("vm0", "network", "n", "unmake")
HELD = "Error response from daemon: error while removing network: network n id 1 has active endpoints"
NAMED = HELD + ' (name:"c1" id:"0123456789ab")'  # engines from 28.1
DETACH = ("docker", "network", "disconnect", "--force", "1", "c1")


def network(**more):
    return NetworkState("1", "n", "bridge", labels=OURS, **more)


def look(snapshot):
    return lambda _host, _names: snapshot


def cures(snapshot, said=HELD, key=KEY, **options):
    """Return what would be run, as words, where the removal failed with these words and this is there."""
    result = Result(("docker", "network", "rm", "1"), 1, b"", said.encode(), 0.1)
    host = FakeHost("vm0", lambda _argv, _given: "")
    return [each.argv for each in stale.cures(host, key, result, look=look(snapshot), **options)]


def test_what_is_left_on_a_network():
    """An endpoint without a container, under whatever key, was left behind; those of containers and Swarms were not."""
    containers = [to_container({"Id": "a1", "Names": ["/web"], "State": "running"})]
    listed = {
        "a1": {"Name": "web"},
        "ep-77": {"Name": "c1"},
        "b2": {"Name": "gone"},
        "ep-78": {"Name": "web"},
        "lb-n": {"Name": "n-endpoint"},
    }
    found = to_network({"Id": "1", "Name": "n", "Containers": listed}, containers)
    assert (found.containers, found.stale) == (("web",), ("c1", "gone"))
    assert to_network({"Id": "1", "Name": "n", "Containers": listed}).stale == ()


@pytest.mark.parametrize("said", [HELD, NAMED])
def test_left_behind(said):
    """What a container that is gone has left is taken off by force, with a reason; the engine is not restarted."""
    assert cures(Snapshot("vm0", networks=(network(stale=("c1",)),)), said, may_restart=True) == [DETACH]


@pytest.mark.parametrize("whose", [{}, OURS, {LABEL_LAB: "other"}])
def test_somebody_is_there(whose):
    """As long as a container that exists is on the network nothing is done, whoever's it is."""
    there = ContainerState("c", "c2", "image", whose, running=True)
    seen = Snapshot("vm0", containers=(there,), networks=(network(containers=("c2",), stale=("c1",)),))
    assert cures(seen, may_restart=True) == []


def test_a_wrong_count():
    """Where nobody is listed the engine is restarted, if it may be and runs nobody's container."""
    runs = ContainerState("c", "web", "image", running=True)
    alone = Snapshot("vm0", networks=(network(),))
    assert cures(alone) == []
    assert cures(Snapshot("vm0", containers=(runs,), networks=(network(),)), may_restart=True) == []
    safe = Snapshot("vm0", containers=(runs,), networks=(network(),), live_restore=True)
    assert [argv[:2] for argv in cures(alone, may_restart=True) + cures(safe, may_restart=True)] == [("sh", "-s")] * 2


def test_other_failures():
    """Another failure, another step's, or a network that is gone by now needs no cure."""
    seen = Snapshot("vm0", networks=(network(stale=("c1",)),))
    assert cures(seen, "permission denied") == []
    assert cures(seen, key=Key("vm0", "container", "n", "unmake")) == []
    assert cures(Snapshot("vm0")) == []


class Deaf:
    """A reporter that tells nobody."""

    one_by_one = False
    started = ran = lost = finished = lambda *_: None


def test_removed_after_the_cure():
    """A held network is removed once what was left there is taken off; what fails still is told with what to do."""
    held, done = [True], []

    def respond(argv, _given):
        done.append(tuple(argv))
        if tuple(argv) == DETACH:
            held.clear()
        return (1, "", HELD) if held else ""

    def cure(host, key, result):
        return stale.cures(host, key, result, look=look(Snapshot("vm0", networks=(network(stale=("c1",)),))))

    step = remove_network("vm0", network(), "remove", frozenset())
    impatient = replace(step, commands=tuple(replace(each, waits_for=()) for each in step.commands))
    removal = Plan((impatient,))
    hosts = {"vm0": FakeHost("vm0", respond)}
    assert execute(removal, hosts, Deaf(), cure=cure).complete
    assert done == [("docker", "network", "rm", "1"), DETACH, ("docker", "network", "rm", "1")]
    held.append(True)
    (failure,) = execute(removal, hosts, Deaf(), cure=lambda *_: ()).failures.values()
    assert "'docker network inspect n' on vm0 shows who is still on it" in str(failure)
    assert "--allow-engine-restart" in str(failure)


def test_down_goes_on():
    """`down` takes an endpoint without a container for nobody's: it removes the network, and notes nothing."""
    plan = down({"vm0": Snapshot("vm0", networks=(network(stale=("c1",)),))}, "demo", "me")
    assert ([step.key for step in plan.steps], plan.notes) == ([KEY], ())
