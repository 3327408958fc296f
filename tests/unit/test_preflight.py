"""What is known to fail is refused before anything is created, all of it at once."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from support.facts import altered
from support.labs import lab, running, who
from support.pretend import Engines

from dockerlab.errors import ConflictError
from dockerlab.provision import preflight
from dockerlab.snapshot import ContainerState, NetworkState, PublishedPort

LAB = "networks: {{n: {}}}\ncontainers: {{web: {{networks: [n]}}}}\n"
KERNEL = {"CONFIG_MACVLAN": "y", "CONFIG_VXLAN": "y"}


def refusal(text, networks=(), containers=(), kernel=KERNEL, gossip=False):
    """Return the lines of the refusal, none where the lab may be built."""
    definition = lab(text)
    engines = Engines(definition.hosts)
    facts = {host: altered(found, kernel_config=kernel, gossip=gossip) for host, found in engines.facts().items()}
    seen = {
        host: replace(found, networks=(*found.networks, *networks), containers=tuple(containers))
        for host, found in engines.snapshots().items()
    }
    try:
        preflight.check(definition, who(definition), facts, seen)
    except ConflictError as error:
        return [line.strip() for line in str(error).splitlines()[1:]]
    return []


def test_nothing_in_the_way():
    """A lab that fits is not refused."""
    assert (
        refusal(
            "networks: {n: {driver: macvlan, subnet: 10.9.0.0/24, parent: eth0.50}}\ncontainers: {web: {networks: [n]}}"
        )
        == []
    )


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("{driver: macvlan, subnet: 10.9.0.0/24, parent: eth7}", "wants parent eth7, but the interfaces are"),
        ("{driver: macvlan, subnet: 10.9.0.0/24, parent: eth0.77}", "needs CONFIG_VLAN_8021Q"),
        ("{driver: macvlan, subnet: 10.9.0.0/24}", "needs CONFIG_DUMMY"),
        ("{driver: ipvlan, subnet: 10.9.0.0/24, parent: eth0}", "needs CONFIG_IPVLAN"),
    ],
)
def test_what_a_host_lacks(network, words):
    """A parent interface or a kernel driver that is not there is named, with the host and the network."""
    (line,) = refusal(LAB.format(network))
    assert line.startswith("local: network n ")
    assert words in line


WIDE = "networks: {n: {driver: overlay}}\ncontainers: {web: {networks: [n]}}\n"


@pytest.mark.parametrize(
    ("text", "listens", "lines"), [(WIDE, True, 1), (WIDE, False, 0), (WIDE, None, 0), (LAB.format("{}"), True, 0)]
)
def test_the_gossip_port(text, listens, lines):
    """An engine that is in no Swarm and has the port of one is refused for an overlay, and for nothing else."""
    found = refusal(text, gossip=listens)
    assert len(found) == lines
    assert all("local: TCP port 7946" in line and "restart" in line for line in found)


def test_the_gossip_port_of_the_swarm_itself():
    """An engine that is in a Swarm has the port for it."""
    definition = lab(WIDE)
    engines = Engines(definition.hosts)
    facts = {host: altered(found, kernel_config=KERNEL, gossip=True) for host, found in engines.facts().items()}
    seen = {
        host: replace(found, swarm=replace(found.swarm, state="active")) for host, found in engines.snapshots().items()
    }
    assert preflight.obstacles(definition, who(definition), facts, seen) == []


def test_an_unknown_kernel_is_no_reason():
    """Where the kernel's configuration cannot be read, nothing is claimed of it."""
    assert (
        refusal(
            "networks: {n: {driver: ipvlan, subnet: 10.9.0.0/24, parent: eth0}}\ncontainers: {web: {networks: [n]}}",
            kernel={},
        )
        == []
    )


def test_an_overlap_names_the_culprit():
    """A subnet that another network on the host has is refused with that network's name and subnet."""
    other = NetworkState("1", "theirs", "bridge", subnets=(ip_network("10.9.0.0/16"),))
    (line,) = refusal(LAB.format("{subnet: 10.9.1.0/24}"), networks=[other])
    assert "subnet 10.9.1.0/24 of network n overlaps with network theirs (10.9.0.0/16)" in line


def test_a_taken_port_names_its_owner():
    """A published port that another container has on the same address is refused with that container's name."""
    other = ContainerState("1", "theirs", "x", running=True, published=(PublishedPort("0.0.0.0", 8080, 80, "tcp"),))
    (line,) = refusal("containers: {web: {ports: ['127.0.0.1:8080:80']}}", containers=[other])
    assert line == "local: port 8080 of web is taken by container theirs"


def test_a_name_that_the_engine_refuses():
    """A container's name of one letter is refused here, not by the engine in the middle of `up`."""
    assert refusal("containers: {a: {}}") == ["local: container a: the engine wants names of at least two characters"]


@pytest.mark.parametrize(
    ("network", "refused"),
    [
        ("{subnet: 192.168.0.0/16}", True),
        ("{subnet: 192.168.22.128/25}", True),
        ("{subnet: 192.168.23.0/24}", False),
        ("{driver: macvlan, subnet: 192.168.22.0/24, parent: eth0.50}", False),
    ],
)
def test_the_hosts_own_network(network, refused):
    """A bridge may not take a subnet in which the host has neighbours; a macvlan is meant to share it."""
    lines = refusal(LAB.format(network))
    assert bool(lines) is refused
    assert all(line.startswith("local: subnet 192.168.") for line in lines)
    assert all("overlaps with the host's own network 192.168.22.0/24 on eth0: " in line for line in lines)


def test_a_bridge_that_is_the_labs_own():
    """The address that the host has on the lab's own bridge is not in its way."""
    definition = lab(LAB.format("{subnet: 10.7.0.0/24}"))
    engines = running(definition)
    preflight.check(definition, who(definition), engines.facts(), engines.snapshots())


OPTION = "com.docker.network.bridge.gateway_mode_ipv4"


def by(engine, text, firewall="iptables", ip6_forward=True):
    """Return what is refused on an engine."""
    definition = lab(text)
    engines = Engines(definition.hosts)
    facts = {host: altered(found, ip6_forward=ip6_forward) for host, found in engines.facts().items()}
    seen = {
        host: replace(found, engine_version=engine, firewall=firewall) for host, found in engines.snapshots().items()
    }
    return [
        each.told for each in preflight.obstacles(definition, who(definition), facts, seen) if each.rule == "engine"
    ]


@pytest.mark.parametrize(
    ("engine", "mode", "words"),
    [
        ("26.1.5", "nat-unprotected", None),
        ("27.5.1", "routed", None),
        ("27.5.1", "nat-unprotected", "which engine 27.5.1 does not know; it knows nat, routed"),
        ("27.5.1", "isolated", "which engine 27.5.1 does not know"),
        ("28.0.0", "nat-unprotected", None),
        ("28.5.2", "bridged", "it knows nat, routed, nat-unprotected, isolated"),
        ("28.5.2", "isolated", "say `internal: true` as well"),
    ],
)
def test_a_gateway_mode_that_the_engine_does_not_know(engine, mode, words):
    """Engines from 27 on refuse a mode that they do not know; those before ignore the option."""
    found = by(engine, LAB.format(f"{{driver_opts: {{{OPTION}: {mode}}}}}"))
    if words is None:
        assert found == []
    else:
        (told,) = found
        assert told.startswith(f"network n wants gateway mode {mode}")
        assert words in told


def test_no_swarm_beside_nftables():
    """The nftables backend takes no Swarm, so that there is no overlay."""
    assert by("29.8.0", WIDE) == []
    (told,) = by("29.8.0", WIDE, firewall="nftables")
    assert "takes none with `firewall-backend: nftables`" in told


def test_ipv6_beside_nftables_wants_forwarding():
    """The nftables backend never turns forwarding on, and refuses a network with IPv6 where it is off."""
    six = LAB.format('{subnet: "fd00::/64"}')
    assert by("29.8.0", six, ip6_forward=False) == []
    assert by("29.8.0", six, firewall="nftables") == []
    (told,) = by("29.8.0", six, firewall="nftables", ip6_forward=False)
    assert "sysctl -w net.ipv6.conf.all.forwarding=1" in told


@pytest.mark.parametrize(("engine", "refused"), [("27.5.1", True), ("28.0.0", False)])
def test_two_ways_out(engine, refused):
    """Up to 27 a container on ipvlan in mode l3 and on a network with a gateway does not start."""
    text = """
        networks:
          far: {driver: ipvlan, parent: eth0, ipvlan_mode: l3, subnet: 10.9.0.0/24}
          near: {subnet: 10.8.0.0/24}
        containers: {web: {networks: [far, near]}}
        """
    found = by(engine, text)
    assert bool(found) is refused
    assert all("container web is on far, whose mode l3 gives a default route, and on near" in told for told in found)
