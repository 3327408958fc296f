"""Cases from the field where engine or kernel are not at hand: what is imagined and predicted of them there."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.field import case_of, claims, for_engine, matches, with_addresses
from support.recorded import FILES, looked, recorded
from support.recordings import needed
from support.worlds import left_behind

from dockerlab.imagined.refusals import refusals
from dockerlab.reach.matrix import beside, matrix
from dockerlab.reach.worlds import defined, offline, surveyed
from dockerlab.verify.causes import Odd, host_causes, is_odd, upon
from dockerlab.versions import named
from dockerlab.walk.conversation import exchange
from dockerlab.walk.packet import Flow

POLICY = ("policy", "filter FORWARD policy", "host", "iptables -P FORWARD ACCEPT")


def unlike(step, engine, rows):
    """Return which cells of a step are claimed otherwise than the case has them, or not at all."""
    found = {asked: [told for cell, told in rows if matches(cell, asked)] for asked in step["cells"]}
    assert all(len(each) == 1 for each in found.values()), found
    wanted = {asked: for_engine(words, engine) for asked, words in step["cells"].items()}
    return {
        asked: told for asked, (told,) in found.items() if wanted[asked] is not None and not claims(wanted[asked], told)
    }


@pytest.mark.parametrize("engine", ["20.10.24", "26.1.5", "27.5.1", "28.5.2", "29.8", "29.8-nftables"])
def test_the_mtu_of_daemon_json(engine):
    """It is docker0's alone: a network of one's own has its own, and what it sends at full size does not leave."""
    case = case_of("said-mtu-of-the-engine")
    world = offline(with_addresses(case), named(engine))
    (step,) = case["steps"]
    assert unlike(step, named(engine).version[0], matrix(world)) == {}
    mtus = {name: world.space(name).link("eth0").mtu for name in step["mtus"]}
    assert mtus == step["mtus"]
    assert world.space("vm0").link("docker0").mtu == 1400
    for asked, wanted in step["full"].items():
        name, _, address = asked.partition(" -> ")
        outcome = exchange(world.fabric, world.homes[name], Flow(ip_address(address), size=mtus[name]))
        assert (outcome.reachable is True or outcome.symptom) == wanted, asked


@pytest.mark.parametrize("engine", ["28.0.0", "28.5.2", "29.8", "29.8-nftables"])
def test_mode_l3_beside_a_bridge(engine):
    """From 28.0 on it competes for the default route with the bridge, which publishes nothing where it has lost."""
    case = case_of("ipvlan-l3-beside-a-bridge")
    definition = with_addresses(case)
    assert not any(refusals(definition, "vm0", named(engine)))
    world = offline(definition, named(engine))
    assert unlike(case["steps"][0], named(engine).version[0], matrix(world)) == {}
    ways = {
        name: [route.hops[0].device for route in world.space(name).routes if not route.destination.prefixlen]
        for name in ("both", "bridged")
    }
    modes = {name: [world.space(name).link(device).kind for device in found] for name, found in ways.items()}
    assert modes == {"both": ["ipvlan"], "bridged": ["veth"]}


@pytest.mark.parametrize("engine", ["20.10.24", "25.0.3", "27.5.1"])
def test_mode_l3_beside_a_bridge_does_not_start(engine):
    """Up to 27 the engine refuses to start such a container ("file exists"), and that is said before."""
    definition = with_addresses(case_of("ipvlan-l3-beside-a-bridge"))
    found = list(refusals(definition, "vm0", named(engine)))
    assert {name for name in ("both", "bridged", "peer") if any(f"container {name} is on aaa" in w for w in found)} == {
        "both", "bridged",
    }  # fmt: skip


def dropping(machine):
    """Return a host on which FORWARD of iptables drops by its policy, beside all that is in nftables."""
    return replace(machine, namespaces=tuple(left_behind(s) if s.host else s for s in machine.namespaces))


def judged(wanted, there):
    """Return what is predicted of each cell, the cells that fare otherwise than expected, and the cause of each."""
    rows, told = beside(wanted, there)
    odd = [Odd(cell, e, p) for (cell, e), p in zip(rows, told, strict=True) if is_odd(e, p)]
    predicted = [(cell, p) for (cell, _), p in zip(rows, told, strict=True)]
    return predicted, [each.cell for each in odd], host_causes(wanted, there, odd)


def test_a_policy_left_by_iptables():
    """Beside an engine 29 that writes for nftables it drops what that engine accepts, and is the cause."""
    case = case_of("a-policy-left-by-iptables")
    before, after = case["steps"]
    wanted = offline(with_addresses(case), named("29.8-nftables"))
    assert unlike(before, 29, matrix(wanted)) == {}
    machines = wanted.fabric.net.machines
    rows, _, causes = judged(wanted, upon(wanted, {**machines, "vm0": dropping(machines["vm0"])}))
    assert unlike(after, 29, rows) == {}
    assert {(cause.kind, cause.where, cause.side, cause.undo) for cause in causes} == {POLICY}
    assert {cause.host for cause in causes} == {"vm0"}


@needed
def test_a_policy_left_by_iptables_beside_recorded_rules():
    """On hosts as an engine 29.8 with nftables has made them it takes away what was reached, and is the only new cause.

    No host was recorded with both, so that the policy is put into what was recorded: what it is to take away was seen
    to be reached without it. With the rules that the same engine writes for iptables the same cells were reached,
    though FORWARD's policy was DROP there.
    """
    lost, kept = set(), set()
    for each in few("29.8-nftables"):
        seen = looked(each)
        wanted = defined(each.lab, seen)
        _, before, _ = judged(wanted, surveyed(each.lab, seen))
        seen.machines = {host: dropping(machine) for host, machine in seen.machines.items()}
        rows, odd, causes = judged(wanted, surveyed(each.lab, seen))
        new = [cause for cell, cause in zip(odd, causes, strict=True) if cell not in before]
        assert {(cause.kind, cause.where, cause.side, cause.undo) for cause in new} <= {POLICY}, each.name
        gone = {(each.name, c.source, c.to, c.target, c.probe) for c, told in rows if told.reachable is False}
        lost |= reached(each) & gone
        kept |= reached(each) - gone
    assert len(lost) > 60
    assert len(kept) > 200
    assert {("bridge/default.yaml", "one", "internet", "203.0.113.10", "ping"),
            ("examples/ports.yaml", "vm1", "vm0", "192.168.22.61", "tcp/80")} <= lost  # fmt: skip
    assert {("bridge/default.yaml", "vm0", "one", "172.17.0.3", "ping"),
            ("bridge/default.yaml", "one", "vm0", "192.168.22.61", "ping")} <= kept  # fmt: skip
    beside_iptables = list(few("29.8-iptables"))
    policies = {
        chain.policy
        for each in beside_iptables
        for machine in looked(each).machines.values()
        for chain in machine.ground.ruleset.chains
        if (chain.family, chain.table, chain.name) == ("ip", "filter", "FORWARD")
    }
    assert policies == {"DROP"}
    there = {short(key) for each in beside_iptables for key in reached(each)}
    assert {short(key) for key in lost} <= there


def few(engine):
    """Yield the recorded labs of bridges with an engine, which are the ones whose packets FORWARD sees."""
    (path,) = [path for path in FILES if path.name.startswith(engine)]
    for each in recorded(path):
        if not each.refused and "#" not in each.name and each.name.startswith(("examples/", "bridge/")):
            yield each


def reached(each):
    """Return the cells of a recorded lab that were seen to be reached, with its name."""
    return {
        (each.name, saw["from"], saw["to"], saw["target"], saw["probe"])
        for saw in each.cells
        if saw["observed"] == "reachable"
    }


def short(key):
    """Return a cell without its address, which containers of docker0 have by the order in which they start."""
    name, source, to, _, probe = key
    return name, source, to, probe
