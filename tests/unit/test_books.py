"""An engine's books as the definition has them: what is the engine's to choose is kept, all else is as it should be."""

from dataclasses import replace
from ipaddress import ip_interface, ip_network

import pytest
from support.lab_hosts import EXAMPLES, NAMES
from support.labs import lab, read, running
from support.worlds import looked

from dockerlab.imagined.books import books
from dockerlab.reach.matrix import matrix
from dockerlab.reach.worlds import defined

DEMO = lab("""
    networks:
      front: {subnet: 172.28.1.0/24}
      back: {}
      vault: {internal: true, subnet: 172.28.3.0/24}
    containers:
      web: {networks: {front: {ip: 172.28.1.2, aliases: [www]}}, ports: ["8080:80"]}
      both: {networks: [front, back]}
      side: {network_mode: "container:web"}
      hidden: {networks: [vault]}
""")


def told(snapshot):
    """Return what books say that a definition decides: who is where, with which addresses and gateways."""
    return {
        container.name: (
            container.running,
            {n: (tuple(map(str, e.addresses)), e.gateway) for n, e in container.endpoints.items()},
        )
        for container in snapshot.containers
    }


def networks(snapshot):
    return {(state.name, state.id, state.subnets, state.gateways, state.internal) for state in snapshot.networks}


def word(engines, version="28.5"):
    return books(DEMO, dict.fromkeys(DEMO.hosts, version), engines.snapshots())["local"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_stays(name):
    """Where everything is as the definition has it, the books are the engines' own."""
    definition = read(EXAMPLES / f"{name}.yaml")
    seen = running(definition).snapshots()
    found = books(definition, {host: s.engine_version for host, s in seen.items()}, seen)
    for host, snapshot in seen.items():
        assert told(found[host]) == told(snapshot)
        assert networks(snapshot) <= networks(found[host])


def test_what_was_taken_off_a_network_is_back_on_it():
    """An automatic address that nobody has any more is the first free one; what is still there keeps its own."""
    engines = running(DEMO)
    before = told(word(engines))
    engines["local"].run(("docker", "network", "disconnect", "front", "both"))
    after = told(word(engines))
    assert after["both"][1]["back"] == before["both"][1]["back"]
    assert after["both"][1]["front"] == (("172.28.1.3/24",), "172.28.1.1")


def test_what_the_engine_does_not_tell_is_given_to_nobody():
    """An engine that names no gateway of its own choice has one all the same: no container gets that address."""
    engines = running(DEMO)
    engines["local"].local["front"] = replace(engines["local"].local["front"], gateways=())
    engines["local"].run(("docker", "network", "disconnect", "front", "both"))
    assert told(word(engines))["both"][1]["front"] == (("172.28.1.3/24",), "172.28.1.1")


def test_a_network_made_otherwise_is_as_defined():
    """Its identifier stays, its facts are the definition's, and whoever is on it has what that network gives."""
    engines = running(DEMO)
    engine = engines["local"]
    engine.local["vault"] = replace(engine.local["vault"], internal=False, subnets=(ip_network("10.9.0.0/24"),))
    hidden = engine.containers["hidden"]
    moved = replace(hidden.endpoints["vault"], addresses=(ip_interface("10.9.0.7/24"),), gateway="10.9.0.1")
    engine.containers["hidden"] = replace(hidden, endpoints={"vault": moved})
    found = word(engines)
    assert found.network("vault").internal
    assert found.network("vault").subnets == (ip_network("172.28.3.0/24"),)
    assert found.network("vault").id == engine.local["vault"].id
    assert told(found)["hidden"][1]["vault"] == (("172.28.3.2/24",), "")
    old = told(word(engines, "20.10"))
    assert old["hidden"][1]["vault"] == (("172.28.3.2/24",), "172.28.3.1")


def test_what_is_stopped_or_missing_runs():
    """Books know neither stopped nor missing containers of the lab; identifiers and ports are there."""
    engines = running(DEMO)
    there = engines["local"].containers
    there["web"] = replace(there["web"], running=False, status="exited", pid=0, published=())
    del there["hidden"]
    found = word(engines)
    assert all(container.running for container in found.containers)
    web = found.container("web")
    assert (web.id, [(p.host_port, p.container_port) for p in web.published]) == (there["web"].id, [(8080, 80)] * 2)
    assert found.container("side").network_mode == f"container:{web.id}"
    assert told(found)["hidden"] == (True, {"vault": (("172.28.3.2/24",), "")})


def test_a_fixed_address_belongs_to_whom_it_is_given():
    """Who took the fixed address of another container has another one in the books."""
    engines = running(DEMO)
    there = engines["local"].containers
    both = there["both"]
    taken = replace(both.endpoints["front"], addresses=(ip_interface("172.28.1.2/24"),))
    there["both"] = replace(both, endpoints={**both.endpoints, "front": taken})
    del there["web"]
    found = told(word(engines))
    assert found["web"][1]["front"][0] == ("172.28.1.2/24",)
    assert found["both"][1]["front"][0] == ("172.28.1.3/24",)


def test_what_is_nobodys_stays():
    """Networks and containers that are not the lab's are in the books as they were seen."""
    engines = running(DEMO)
    engines["local"].run(("docker", "network", "create", "--driver", "bridge", "mine"))
    engines["local"].run(("docker", "run", "--name", "stranger", "--network", "mine", "image"))
    found, seen = word(engines), engines.snapshots()["local"]
    assert found.container("stranger") == seen.container("stranger")
    assert found.network("mine") == seen.network("mine")


def test_a_full_subnet():
    """Where a subnet has no address left, the container is there without one."""
    definition = lab("""
        networks: {n: {subnet: 10.0.0.0/30}}
        containers: {a: {networks: [n]}, b: {networks: [n]}}
    """)
    found = books(definition, {"local": "28.5"})["local"]
    assert [tuple(map(str, c.endpoints["n"].addresses)) for c in found.containers] == [("10.0.0.2/30",), ()]


WIDE = lab("""
    hosts: {vm0: , vm1: }
    networks: {wide: {driver: overlay, subnet: 10.50.0.0/24}}
    containers:
      left: {host: vm0, networks: {wide: {ip: 10.50.0.2}}}
      right: {host: vm1, networks: {wide: {ip: 10.50.0.4}}}
""")


@pytest.mark.parametrize(
    ("balancers", "kept"),
    [
        ({"vm0": "10.50.0.3", "vm1": "10.50.0.5"}, {"vm0": ["10.50.0.3"], "vm1": ["10.50.0.5"]}),
        ({"vm0": "10.50.0.4", "vm1": "10.50.0.5"}, {"vm0": [], "vm1": ["10.50.0.5"]}),
        ({"vm0": "10.50.0.3", "vm1": "10.60.0.3"}, {"vm0": ["10.50.0.3"], "vm1": []}),
    ],
    ids=["usual", "another's address", "out of the subnet"],
)
def test_each_host_has_its_own_endpoints_on_an_overlay(balancers, kept):
    """A host's books tell what is attached there; nobody has an address that is another's or none of the network's."""
    found = books(WIDE, {"vm0": "28.5", "vm1": "28.5"}, of_a_swarm(balancers))
    for host, name in (("vm0", "left"), ("vm1", "right")):
        container, state = found[host].container(name), found[host].network("wide")
        own = str(container.endpoints["wide"].addresses[0].ip)
        assert {str(member.ip) for member in state.members.values()} == {own, *kept[host]}
        assert state.containers == (name,)


def test_an_overlay_leads_to_one_machine_for_each_address():
    """What the Swarm has for itself on an overlay stands in no container's way, and the way out is nobody's target."""
    engines = running(WIDE)
    seen = looked(engines, snapshots=of_a_swarm({"vm0": "10.50.0.3", "vm1": "10.50.0.5"}, engines))
    rows = [(row, told) for row, told in matrix(defined(WIDE, seen)) if row.probe == "ping"]
    assert {(row.to, row.target) for row, _ in rows if row.to in WIDE.containers} == {
        ("left", "10.50.0.2"),
        ("right", "10.50.0.4"),
    }
    between = {(row.source, row.to): (told.reachable, told.rule) for row, told in rows}
    assert between["left", "right"] == between["right", "left"] == (True, "same-overlay")


def of_a_swarm(balancers, engines=None):
    """Return what engines say whose overlay has a container, and an endpoint of its own, on each host."""
    seen = (engines or running(WIDE)).snapshots()
    for host, snapshot in seen.items():
        (container,) = snapshot.containers
        own = container.endpoints["wide"].addresses[0]
        members = {
            "wide": {container.id: own, "lb-wide": ip_interface(f"{balancers[host]}/24")},
            "docker_gwbridge": {container.id: ip_interface("172.18.0.3/16")},
        }
        states = (replace(n, members=members.get(n.name, {})) for n in snapshot.networks)
        seen[host] = replace(snapshot, networks=tuple(states))
    return seen
