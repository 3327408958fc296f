"""The Swarm that overlay networks need: made where there is none, noted, and left again by those that made it."""

from dataclasses import replace

import pytest
from support.labs import lab, plan_up, running, who
from support.pretend import Engines

from dockerlab import plan
from dockerlab.command import Variable
from dockerlab.errors import ConflictError
from dockerlab.plan import Key
from dockerlab.plan.bringing_up import Situation, up
from dockerlab.plan.swarm import TOKEN
from dockerlab.snapshot import NetworkState, Snapshot, SwarmState

WIDE = lab("""
    hosts: {vm0: , vm1: , vm2: }
    networks: {wide: {driver: overlay, subnet: 10.50.0.0/24}}
    containers:
      a: {host: vm0, networks: [wide]}
      b: {host: vm1, networks: [wide]}
      c: {host: vm2, networks: [wide]}
    """)


def steps(wanted):
    """Return the steps about the Swarm, in order, with their commands."""
    return [
        (step.key.host, step.key.kind, step.key.name, [" ".join(map(str, c.argv[1:3])) for c in step.commands])
        for step in wanted.ordered()
        if step.key.kind in ("swarm", "receipt")
    ]


def words(wanted, key):
    """Return the one command of a step."""
    (command,) = next(step.commands for step in wanted.steps if step.key == key)
    return command.argv


def swarm_of(engines, manager, *workers):
    """Let pretended engines be in a Swarm that somebody else made."""
    engines[manager].run(("docker", "swarm", "init", "--advertise-addr", "1.2.3.4"))
    for worker in workers:
        engines[worker].run(("docker", "swarm", "join", "--token", "SWMTKN-1-worker", "1.2.3.4:2377"))
    return engines


def test_no_swarm_without_overlay():
    """A lab without overlay networks leaves Swarms alone, whatever they are."""
    wanted = plan_up(lab("containers: {a: {}}"), Engines(["local"]))
    assert steps(wanted) == []


def test_made_where_there_is_none():
    """The first host makes it and the others join, each after a note; the token comes from the manager."""
    wanted = plan_up(WIDE, Engines(WIDE.hosts))
    made = steps(wanted)
    assert sorted(made) == sorted(
        [
            ("vm0", "receipt", "swarm", ["volume create"]),
            ("vm0", "swarm", "init", ["swarm init"]),
            ("vm0", "swarm", "invite", ["swarm join-token"]),
            ("vm1", "receipt", "swarm", ["volume create"]),
            ("vm1", "swarm", "join", ["swarm join"]),
            ("vm2", "receipt", "swarm", ["volume create"]),
            ("vm2", "swarm", "join", ["swarm join"]),
        ]
    )
    order = [entry[:3] for entry in made]
    for host, name in (("vm0", "init"), ("vm1", "join"), ("vm2", "join")):
        assert order.index((host, "receipt", "swarm")) < order.index((host, "swarm", name))
    assert order.index(("vm0", "swarm", "init")) < order.index(("vm0", "swarm", "invite"))
    assert order.index(("vm0", "swarm", "invite")) < order.index(("vm1", "swarm", "join"))
    assert words(wanted, Key("vm0", "swarm", "init"))[-2:] == ("--advertise-addr", "192.168.22.61")
    assert words(wanted, Key("vm1", "swarm", "join"))[3:] == (
        *("--token", TOKEN, "--advertise-addr", "192.168.22.62", "192.168.22.61:2377"),
    )


def test_network_waits_for_all():
    """The network is made once, on the manager, after every host is in the Swarm; a second `up` changes nothing."""
    engines = Engines(WIDE.hosts)
    wanted = plan_up(WIDE, engines)
    made = [step for step in wanted.steps if step.key.kind == "network"]
    assert [step.key.host for step in made] == ["vm0"]
    assert {Key("vm1", "swarm", "join"), Key("vm2", "swarm", "join")} <= made[0].after
    for container in (step for step in wanted.steps if step.key.kind == "container"):
        assert made[0].key in container.after
    engines.carry_out(wanted)
    assert plan_up(WIDE, engines).changes == ()


def test_existing_manager():
    """A manager among the hosts is used: nothing is noted there, the others join it, the network is made there."""
    wanted = plan_up(WIDE, swarm_of(Engines(WIDE.hosts), "vm1"))
    assert ("vm1", "swarm", "manager", []) in steps(wanted)
    assert not any(step.key == Key("vm1", "receipt", "swarm") for step in wanted.steps)
    assert {step.key.host for step in wanted.steps if step.key.kind == "receipt"} == {"vm0", "vm2"}
    assert [step.key.host for step in wanted.steps if step.key.kind == "network"] == ["vm1"]
    assert words(wanted, Key("vm0", "swarm", "join"))[-1] == "192.168.22.62:2377"


def test_existing_swarm_of_all():
    """Where all hosts are in one Swarm there is nothing to do for it, and nothing that `down` would undo."""
    engines = swarm_of(Engines(WIDE.hosts), "vm0", "vm1", "vm2")
    engines.carry_out(plan_up(WIDE, engines))
    assert all(engine.volumes == {} for engine in engines.values())
    engines.carry_out(plan.down(engines.snapshots(), "demo", None))
    assert engines.swarm.members == {"vm0", "vm1", "vm2"}
    assert set(engines.swarm.networks) == {"ingress"}


def test_worker_of_a_foreign_swarm():
    """A host in a Swarm whose manager is not of the lab is a conflict that names both ways out."""
    snapshots = {"vm1": Snapshot("vm1", swarm=SwarmState("active", "n", manager=False))}
    with pytest.raises(ConflictError, match=r"vm1: is in a Swarm whose manager .* 'docker swarm leave' on vm1"):
        up(WIDE, who(WIDE), Situation(snapshots, {}))


def test_two_swarms():
    """Hosts in different Swarms are a conflict that names them."""
    snapshots = {
        host: Snapshot(host, swarm=SwarmState("active", host, manager=True, cluster_id=host)) for host in ("vm0", "vm2")
    }
    with pytest.raises(ConflictError, match="vm0 and vm2 are in different Swarms"):
        up(WIDE, who(WIDE), Situation(snapshots, {}))


def test_only_hosts_that_need_it():
    """A host without an overlay network does not join."""
    small = lab("""
        hosts: {vm0: , vm1: , vm2: }
        networks: {wide: {driver: overlay, subnet: 10.50.0.0/24}}
        containers: {a: {host: vm1, networks: [wide]}, b: {host: vm2, networks: [wide]}, c: {host: vm0}}
        """)
    wanted = plan_up(small, Engines(small.hosts))
    assert {entry[0] for entry in steps(wanted)} == {"vm1", "vm2"}


def test_unknown_addresses():
    """Where no address is known a script asks for the manager's, and a join leaves its own to the engine."""
    wanted = up(WIDE, who(WIDE), Situation({}, {"vm0": None, "vm1": "name.example", "vm2": "10.0.0.3"}))
    address = words(wanted, Key("vm0", "swarm", "init"))[-1]
    assert isinstance(address, Variable)
    assert "vm0" in address.hint
    assert "--advertise-addr" not in words(wanted, Key("vm1", "swarm", "join"))
    assert "10.0.0.3" in words(wanted, Key("vm2", "swarm", "join"))


def test_down_leaves_what_was_made():
    """Workers leave before managers, each forgets its note after that, and the network goes first."""
    engines = running(WIDE)
    removal = plan.down(engines.snapshots(), "demo", None)
    order = [(step.key.host, step.key.kind) for step in removal.ordered()]
    network = order.index(("vm0", "network"))
    leaves = {host: order.index((host, "swarm")) for host in WIDE.hosts}
    assert network < leaves["vm1"] < leaves["vm0"]
    assert leaves["vm2"] < leaves["vm0"]
    assert all(leaves[host] < order.index((host, "receipt")) for host in WIDE.hosts)
    assert [host for host, kind in order if kind == "network"] == ["vm0"]
    engines.carry_out(removal)
    assert engines.swarm.members == set()
    assert all(engine.volumes == {} and engine.containers == {} for engine in engines.values())


def test_down_leaves_only_where_it_is_noted():
    """A host that was in the Swarm before stays in it."""
    engines = swarm_of(Engines(WIDE.hosts), "vm1")
    engines.carry_out(plan_up(WIDE, engines))
    engines.carry_out(plan.down(engines.snapshots(), "demo", None))
    assert engines.swarm.members == {"vm1"}


def test_down_keeps_a_swarm_in_use():
    """A Swarm on which somebody else has a network is kept, with a note; the lab's own objects go."""
    engines = running(WIDE)
    engines.swarm.networks["theirs"] = NetworkState("t", "theirs", "overlay", "swarm")
    removal = plan.down(engines.snapshots(), "demo", None)
    (note,) = removal.notes
    assert note == (
        "vm0, vm1, vm2: the Swarm is kept, because network theirs is on it and not the lab's; "
        "remove that first and then run down again"
    )
    engines.carry_out(removal)
    assert engines.swarm.members == {"vm0", "vm1", "vm2"}
    assert "wide" not in engines.swarm.networks


def test_down_after_a_crash_between_note_and_swarm():
    """A note without a Swarm, as a crash leaves it, is simply removed."""
    engines = Engines(["vm0"])
    engines["vm0"].run(("docker", "volume", "create", "--label", "dockerlab.lab=demo", "--label",
                        "dockerlab.receipt=swarm", "dockerlab-swarm"))  # fmt: skip
    removal = plan.down(engines.snapshots(), "demo", None)
    assert [str(step.key) for step in removal.steps] == ["note of swarm on vm0"]
    engines.carry_out(removal)
    assert engines["vm0"].volumes == {}


def test_down_removes_a_wide_network_on_its_manager_only():
    """A worker sees the network too, but only the manager can remove it; without one, nothing is tried."""
    labels = {"dockerlab.lab": "demo"}
    wide = NetworkState("1", "wide", "overlay", "swarm", labels)
    worker = Snapshot("vm1", networks=(wide,), swarm=SwarmState("active"))
    assert plan.down({"vm1": worker}, "demo", None).steps == ()
    manager = replace(worker, host="vm0", swarm=SwarmState("active", manager=True))
    removal = plan.down({"vm0": manager, "vm1": worker}, "demo", None)
    assert [step.key.host for step in removal.steps] == ["vm0"]


def test_down_after_a_worker_has_left_by_itself():
    """The lab's Swarm forgets a node that left before its networks go; the node of a host that came back stays."""
    engines = running(WIDE)
    engines["vm1"].run(("docker", "swarm", "leave", "--force"))
    lost = engines.swarm.node("vm1")
    engines["vm1"].run(("docker", "swarm", "join", "--token", "SWMTKN-1-worker", "1.2.3.4:2377"))
    engines["vm2"].run(("docker", "swarm", "leave", "--force"))
    wanted = plan.down(engines.snapshots(), "demo", None)
    forgotten = {step.key.name for step in wanted.steps if step.key.name.startswith("member ")}
    assert forgotten == {f"member {node}" for node in (lost, engines.swarm.node("vm2"))}
    engines.carry_out(wanted)
    assert not engines.swarm.networks
    assert not any(list(snapshot.labelled()) for snapshot in engines.snapshots().values())


def test_down_forgets_nobody_where_the_swarm_stays():
    """In a Swarm that somebody else made, or that others use, no node is taken away."""
    engines = swarm_of(Engines(WIDE.hosts), "vm0", "vm1", "vm2")
    engines.carry_out(plan_up(WIDE, engines))
    engines["vm1"].run(("docker", "swarm", "leave", "--force"))
    wanted = plan.down(engines.snapshots(), "demo", None)
    assert not [step for step in wanted.steps if step.key.kind == "swarm"]
