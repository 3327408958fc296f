"""Who reaches whom: each rule of the model by itself, and what it does not claim to know."""

from dataclasses import replace
from ipaddress import ip_interface
from types import SimpleNamespace

import pytest
from support.facts import altered, way
from support.labs import lab, running
from support.pretend import Engines
from support.worlds import changed, looked, pretended

from dockerlab.facts import Facts
from dockerlab.kernel.model import Listener
from dockerlab.reach import matrix, outcome_of
from dockerlab.reach.matrix import beside
from dockerlab.reach.story import in_words
from dockerlab.reach.worlds import defined, surveyed
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.outcome import SpaceId, Step

TWO = "hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}\n"


def predictions(text, facts=lambda found: found, engines=None, change=None):
    """Return every prediction by (source, to, probe, target), on pretended engines whose facts may be altered.

    With `change`, the namespace of the one host is what that makes of it.
    """
    definition = lab(text)
    engines = engines or running(definition)
    world = pretended(definition, engines, facts(engines.facts()))
    if change is not None:
        world = changed(world, "local", change)
    return {(cell.source, cell.to, cell.probe, cell.target): expected for cell, expected in matrix(world)}


def ask(found, source, to, probe="ping", target=None):
    """Return (reachable, rule, symptom) of one cell; `target` may be left out where there is one."""
    cells = [e for (s, t, p, a), e in found.items() if (s, t, p) == (source, to, probe) and target in (None, a)]
    assert len(cells) == 1, [key for key in found if key[0] == source]
    return cells[0].reachable, cells[0].rule, cells[0].symptom


BRIDGES = """
networks:
  n: {subnet: 10.1.0.0/24}
  m: {subnet: 10.2.0.0/24}
  shut: {subnet: 10.3.0.0/24, internal: true}
  quiet: {subnet: 10.4.0.0/24, driver_opts: {com.docker.network.bridge.enable_icc: "false"}}
  plain: {subnet: 10.5.0.0/24, driver_opts: {com.docker.network.bridge.enable_ip_masquerade: "false"}}
containers:
  n1: {networks: [n], expose: [80]}
  n2: {networks: [n]}
  m1: {networks: [m]}
  both: {networks: [n, m]}
  s1: {networks: [shut]}
  s2: {networks: [shut]}
  q1: {networks: [quiet]}
  q2: {networks: [quiet]}
  p1: {networks: [plain]}
  old1: {}
  old2: {}
  bare: {network_mode: host}
  side: {network_mode: "container:n1"}
  none1: {network_mode: none}
outside: {internet: {address: 203.0.113.10, ports: [80]}}
"""


@pytest.fixture(scope="module")
def bridges():
    return predictions(BRIDGES)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (("side", "n1"), (True, "own-address", None)),
        (("n1", "n2"), (True, "same-bridge", None)),
        (("side", "n2"), (True, "same-bridge", None)),
        (("n2", "n1", "tcp/80"), (True, "same-bridge", None)),
        (("n1", "m1"), (False, "bridge-isolation", "timeout")),
        (("n1", "old1"), (False, "bridge-isolation", "timeout")),
        (("n1", "s1"), (False, "bridge-internal", "timeout")),
        (("n1", "both", "ping", "10.1.0.4"), (True, "same-bridge", None)),
        (("n1", "both", "ping", "10.2.0.3"), (False, "bridge-isolation", "timeout")),
        (("both", "m1"), (True, "same-bridge", None)),
        (("s1", "s2"), (True, "same-bridge", None)),
        (("s1", "gateway:shut"), (True, "host-local", None)),
        (("s1", "n1"), (False, "bridge-internal", "no route")),
        (("s1", "local"), (False, "bridge-internal", "no route")),
        (("s1", "internet"), (False, "bridge-internal", "no route")),
        (("q1", "q2"), (False, "bridge-icc", "timeout")),
        (("q1", "gateway:quiet"), (True, "host-local", None)),
        (("q1", "internet"), (True, "masquerade", None)),
        (("n1", "gateway:n"), (True, "host-local", None)),
        (("n1", "gateway:m"), (True, "host-local", None)),
        (("n1", "local"), (True, "host-local", None)),
        (("n1", "internet"), (True, "masquerade", None)),
        (("n1", "internet", "tcp/80"), (True, "masquerade", None)),
        (("local", "n1"), (True, "host-to-bridge", None)),
        (("local", "s1"), (True, "host-to-bridge", None)),
        (("local", "q1"), (True, "host-to-bridge", None)),
        (("bare", "s1"), (True, "host-to-bridge", None)),
        (("bare", "local"), (True, "own-address", None)),
        (("local", "gateway:n"), (True, "own-address", None)),
        (("local", "internet"), (True, "outside", None)),
        (("none1", "n1"), (False, "none", "no route")),
        (("none1", "internet"), (False, "none", "no route")),
        (("n1", "n2", "dns"), (True, "dns-shared-network", None)),
        (("side", "n2", "dns"), (True, "dns-shared-network", None)),
        (("n1", "m1", "dns"), (False, "dns-no-shared-network", "no such name")),
        (("n1", "old1", "dns"), (False, "dns-no-shared-network", "no such name")),
        (("old1", "old2", "dns"), (False, "dns-default-bridge", "no such name")),
        (("bare", "n1", "dns"), (False, "dns-host-mode", "no such name")),
        (("none1", "n1", "dns"), (False, "none", "no route")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else "",
)
def test_one_host(bridges, cell, expected):
    """On one host: what stands on one bridge meets, the host is everywhere, and nothing else passes between bridges."""
    assert ask(bridges, *cell) == expected


def test_container_without_addresses_is_not_a_target(bridges):
    """Nobody asks for a container that has no address, nor for one without a network by name."""
    assert not any(to == "none1" for _, to, _, _ in bridges)


LAN = (
    TWO
    + """
networks:
  lan: {driver: macvlan, subnet: 192.168.22.0/24, gateway: 192.168.22.1, parent: eth0}
containers:
  a: {host: vm0, networks: {lan: {ip: 192.168.22.200}}}
  b: {host: vm1, networks: {lan: {ip: 192.168.22.201}}}
  c: {host: vm0, networks: {lan: {ip: 192.168.22.202}}}
  plain0: {host: vm0, ports: ["80:80"]}
  plain1: {host: vm1}
outside: {internet: 203.0.113.10}
"""
)
VLAN = LAN.replace("parent: eth0", "parent: eth0.50")


@pytest.fixture(scope="module")
def lan():
    return predictions(LAN)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (("a", "c"), (True, "same-lan", None)),
        (("a", "b"), (True, "same-lan", None)),
        (("a", "vm0"), (False, "macvlan-own-host", "host unreachable")),
        (("vm0", "a"), (False, "macvlan-own-host", "host unreachable")),
        (("plain0", "a"), (False, "macvlan-own-host", "host unreachable")),
        (("a", "vm1"), (True, "same-lan", None)),
        (("vm1", "a"), (True, "same-lan", None)),
        (("plain1", "a"), (True, "masquerade", None)),
        (("a", "gateway:lan"), (True, "same-lan", None)),
        (("a", "internet"), (True, "outside", None)),
        (("b", "vm0", "tcp/80"), (True, "published", None)),
        (("a", "vm0", "tcp/80"), (False, "macvlan-own-host", "host unreachable")),
        (("vm0", "vm1"), (True, "same-lan", None)),
        (("vm1", "plain0"), (False, "same-address", "wrong answerer")),
        (("plain0", "plain1"), (False, "same-address", "wrong answerer")),
        (("plain0", "vm1"), (True, "masquerade", None)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else "",
)
def test_macvlan(lan, cell, expected):
    """On one LAN all are neighbours, but a child and its own host never meet."""
    assert ask(lan, *cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (("a", "b"), (True, "same-lan")),
        (("a", "c"), (True, "same-lan")),
        (("a", "gateway:lan"), (False, "other-segment")),
        (("a", "plain0"), (False, "other-segment")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else "",
)
def test_vlan(cell, expected):
    """On a VLAN the children meet, but the gateway and all else stand on the untagged LAN: another layer 2."""
    assert ask(predictions(VLAN), *cell)[:2] == expected


@pytest.mark.parametrize("mode", ["private", "vepa"])
def test_macvlan_submodes(mode):
    """Children that the kernel keeps apart do not meet as they do in mode bridge; vepa may be up to the switch."""
    found = predictions(LAN.replace("parent: eth0", f"parent: eth0, macvlan_mode: {mode}"))
    reachable, rule, _ = ask(found, "a", "c")
    assert reachable is not True
    assert rule == f"macvlan-{mode}"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("passthru", (False, "macvlan-passthru", "timeout")), ("bridge", (False, "reply-lost", "reply lost"))],
)
def test_passthru(mode, expected):
    """A host answers ARP on every LAN, but a child in mode passthru takes what is then sent to it."""
    networks = f"""
networks:
  whole: {{driver: macvlan, parent: eth0.50, macvlan_mode: {mode}, internal: true, subnet: 10.9.5.0/24}}
  beside: {{driver: macvlan, parent: eth0.50, subnet: 192.168.22.0/24}}
"""
    containers = """
containers:
  taker: {host: vm0, networks: {whole: {ip: 10.9.5.10}}}
  tagged: {host: vm1, networks: {beside: {ip: 192.168.22.210}}}
"""
    assert ask(predictions(TWO + networks + containers), "tagged", "vm0") == expected


@pytest.mark.parametrize(
    ("source", "port", "expected"),
    [
        ("remote", 80, (True, "published", None)),
        ("other", 80, (True, "published", None)),
        ("web", 80, (True, "published", None)),
        ("bare", 80, (True, "published", None)),
        ("vm1", 80, (True, "published", None)),
        ("remote", 81, (False, "publish-loopback", "refused")),
        ("bare", 81, (False, "publish-loopback", "refused")),
        ("remote", 82, (True, "published", None)),
        ("remote", 83, (False, "publish-address", "refused")),
        ("remote", 84, (False, "publish-needs-bridge", "refused")),
        ("remote", 85, (True, "published", None)),
    ],
)
def test_published(source, port, expected):
    """A published port leads to its container from everywhere, unless it is bound elsewhere or has no bridge."""
    found = predictions(
        TWO
        + """
networks: {n: {subnet: 10.1.0.0/24}, shut: {subnet: 10.3.0.0/24, internal: true}}
containers:
  web: {host: vm0, ports: ["80:8080", "127.0.0.1:81:80", "192.168.22.61:82:80", "192.168.22.99:83:80"]}
  hidden: {host: vm0, networks: [shut], ports: ["84:80"]}
  split: {host: vm0, ports: ["127.0.0.1:85:80"]}
  split2: {host: vm0, ports: ["192.168.22.61:85:80"]}
  other: {host: vm0, networks: [n]}
  bare: {host: vm0, network_mode: host}
  remote: {host: vm1}
"""
    )
    assert ask(found, source, "vm0", f"tcp/{port}") == expected


def test_same_address_of_two_hosts():
    """Both hosts have a 172.17.0.2: who answers is not who was meant, and that is no success."""
    found = predictions(TWO + "containers: {a: {host: vm0}, b: {host: vm1}, c: {host: vm1}}")
    assert ask(found, "a", "b") == (False, "same-address", "wrong answerer")
    assert ask(found, "vm1", "a") == (False, "same-address", "wrong answerer")
    assert ask(found, "a", "c") == (False, "other-segment", "host unreachable")
    assert ask(found, "b", "c") == (True, "same-bridge", None)


def test_unrouted():
    """A bridge's addresses are known to its host alone."""
    found = predictions(
        TWO + "networks: {n: {subnet: 10.1.0.0/24}}\ncontainers: {a: {host: vm0, networks: [n]}, b: {host: vm1}}"
    )
    assert ask(found, "vm1", "a")[:2] == (False, "unrouted")
    assert ask(found, "b", "a")[:2] == (False, "unrouted")


OVERLAY = (
    TWO
    + """
networks: {w: {driver: overlay, subnet: 10.9.0.0/24}, x: {driver: overlay, subnet: 10.8.0.0/24, internal: true}}
containers:
  a: {host: vm0, networks: [w]}
  b: {host: vm1, networks: [w]}
  x1: {host: vm0, networks: [x]}
  plain: {host: vm0}
outside: {internet: 203.0.113.10}
"""
)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (("a", "b"), (True, "same-overlay")),
        (("a", "b", "dns"), (True, "dns-shared-network")),
        (("a", "vm0"), (True, "host-local")),
        (("a", "vm1"), (True, "masquerade")),
        (("a", "internet"), (True, "masquerade")),
        (("a", "plain"), (False, "bridge-isolation")),
        (("x1", "internet"), (False, "no-default-route")),
        (("vm0", "a"), (False, "unrouted")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else "",
)
def test_overlay(cell, expected):
    """An overlay is one layer 2 over its hosts, with a way out over docker_gwbridge, and none of the host's into it."""
    assert ask(predictions(OVERLAY), *cell)[:2] == expected


def everywhere(**changes):
    """Return a function that changes a fact on every host."""
    return lambda found: {host: altered(facts, **changes) for host, facts in found.items()}


ONE = """
networks: {n: {subnet: 10.1.0.0/24}}
containers: {a: {networks: [n]}, b: {networks: [n]}}
outside: {internet: 203.0.113.10}
"""


def setting(path, value):
    """Return what gives a namespace another setting of its kernel."""
    return lambda space: replace(space, sysctls={**space.sysctls, path: value})


def unread(space):
    """Return a namespace whose settings could not be read."""
    return replace(space, sysctls={}, unread={"sysctls": "permission denied"})


def test_forwarding_off():
    """A host that does not forward keeps its containers from the outside; what is on one bridge still meets."""
    found = predictions(ONE, change=setting("net/ipv4/ip_forward", "0"))
    assert ask(found, "a", "internet") == (False, "ip-forward-off", "timeout")
    assert ask(found, "a", "b")[0] is True
    assert ask(found, "a", "local")[0] is True


def test_forwarding_unknown():
    """Where ip_forward could not be read there is no claim about what is forwarded, and it says why."""
    found = predictions(ONE, change=unread)
    assert ask(found, "a", "internet") == (None, "unseen-forwarding", None)
    assert ask(found, "a", "b")[0] is True


def test_unknown_machine_on_a_lan():
    """Whether somebody else on a LAN holds an address cannot be seen: no claim about a gateway that nobody confirms."""
    text = """
        networks: {lan: {driver: macvlan, subnet: 192.168.50.0/24, gateway: 192.168.50.1, parent: eth0.50}}
        containers: {a: {networks: [lan]}}
        outside: {internet: 203.0.113.10}
        """
    found = predictions(text)
    assert ask(found, "a", "gateway:lan") == (None, "unseen-lan", None)
    assert ask(found, "a", "internet")[0] is None


def test_unknown_router():
    """Where a router leads is only known for what the definition vouches for."""
    text = """
        networks: {lan: {driver: macvlan, subnet: 192.168.50.0/24, gateway: 192.168.50.1, parent: eth0.50}}
        containers: {a: {networks: [lan]}}
        """
    assert ask(predictions(text), "local", "a") == (None, "unseen-router", None)


def test_nothing_known_of_a_host():
    """Without a host's facts nothing is said of the way out; what stands on one bridge is known all the same."""
    found = predictions(ONE, lambda found: {host: Facts(host) for host in found})
    assert ask(found, "a", "b")[:2] == (True, "same-bridge")
    assert ask(found, "a", "internet")[0] is not True


def test_host_as_router():
    """A host that is another host's router is still itself, and reached as itself."""

    def via_vm0(found):
        route = way(None, "192.168.22.61", "eth0")
        return {**found, "vm1": altered(found["vm1"], routes=(route,))}

    found = predictions(TWO + "containers: {a: {host: vm0}, b: {host: vm1}}", via_vm0)
    assert ask(found, "vm1", "vm0") == (True, "same-lan", None)
    assert ask(found, "b", "vm0")[0] is True


def test_longest_route_wins():
    """Of two routes that fit, the more specific one is taken, in whatever order the host lists them."""

    def routed(found):
        routes = (
            way("10.0.0.0/8", "192.168.22.9", "eth0"),
            way("10.7.0.0/16", "192.168.22.62", "eth0"),
        )
        return {**found, "vm0": altered(found["vm0"], routes=routes)}

    text = TWO + "networks: {n: {subnet: 10.7.0.0/24}}\ncontainers: {a: {host: vm1, networks: [n]}, b: {host: vm0}}"
    definition = lab(text)
    engines = running(definition)
    world = pretended(definition, engines, routed(engines.facts()))
    cell = next(cell for cell, _ in matrix(world) if (cell.source, cell.to, cell.probe) == ("vm0", "a", "ping"))
    says = [step.says for step in outcome_of(world, cell).steps]
    assert "10.7.0.2 is sent by eth0 to 192.168.22.62" in says


def test_no_default_route():
    """A host without a default route reaches its neighbours and nothing beyond."""
    found = predictions(ONE, everywhere(routes=()))
    assert ask(found, "local", "internet") == (False, "no-default-route", "no route")
    assert ask(found, "a", "internet")[0] is False


def test_internal_with_a_default_route():
    """Engines up to 26 give a default route on an internal network: what leaves is dropped, which is a timeout."""
    text = """
        networks: {shut: {subnet: 10.3.0.0/24, internal: true}}
        containers: {s: {networks: [shut]}}
        outside: {internet: 203.0.113.10}
        """
    definition = lab(text)
    engines = running(definition)
    engine = engines["local"]
    state = engine.containers["s"]
    endpoint = replace(state.endpoints["shut"], gateway="10.3.0.1")
    engine.containers["s"] = replace(state, endpoints={"shut": endpoint})
    assert ask(predictions(text, engines=engines), "s", "internet") == (False, "bridge-internal", "timeout")


def test_not_running_yet():
    """Without engines the definition's fixed addresses count, and what has none is told as unknown."""
    text = "networks: {n: {subnet: 10.1.0.0/24}}\ncontainers: {a: {networks: {n: {ip: 10.1.0.9}}}, b: {networks: [n]}}"
    found = predictions(text, engines=Engines(["local"]))
    assert ask(found, "a", "b") == (None, "no-namespace", None)
    assert ("b", "a", "ping", "10.1.0.9") in found


def test_stopped_container():
    """A container that has lost its address is not said to be reachable at it, nor its port to be published."""
    text = 'containers: {a: {}, b: {ports: ["8080:80"]}}'
    engines = running(lab(text))
    state = engines["local"].containers["b"]
    endpoint = replace(state.endpoints["bridge"], addresses=(), gateway="")
    engines["local"].containers["b"] = replace(state, running=False, endpoints={"bridge": endpoint})
    found = predictions(text, engines=engines)
    assert ask(found, "a", "b") == (None, "no-address", None)
    assert ask(found, "a", "local", "tcp/8080", "192.168.22.61") == (False, "nothing-published", "refused")


def test_every_source_asks_every_target(bridges):
    """Each container and host asks for every address of every other one, each gateway, and all outside."""
    sources = {source for source, _, _, _ in bridges}
    assert sources == {*lab(BRIDGES).containers, "local"}
    for source in sources:
        asked = {to for s, to, _, _ in bridges if s == source}
        assert {"internet", "gateway:n", "gateway:shut"} <= asked
        assert asked >= ({"n1", "n2", "m1", "both", "s1", "q1", "old1"} - {source})


def test_ipv6():
    """Both families of a bridge meet, each at its own address."""
    found = predictions(
        "networks: {n: {subnet: [10.1.0.0/24, 'fd00:1::/64']}}\ncontainers: {a: {networks: [n]}, b: {networks: [n]}}"
    )
    assert ask(found, "a", "b", "ping", "10.1.0.3")[0] is True
    assert ask(found, "a", "b", "ping", "fd00:1::3")[0] is True


def test_two_addresses_of_a_host():
    """Every address of a host on a LAN is asked for, its bridges' addresses only as gateways."""

    def second(found):
        facts = found["local"]
        nics = tuple(
            replace(nic, addresses=(*nic.addresses, ip_interface("192.168.23.5/24"))) if nic.name == "eth0" else nic
            for nic in facts.ground.links
        )
        return {"local": altered(facts, nics=nics)}

    found = predictions("containers: {a: {}}", second)
    assert {target for _, to, _, target in found if to == "local"} == {"192.168.22.61", "192.168.23.5"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (setting("net/bridge/bridge-nf-call-iptables", "1"), (False, "bridge-icc", "timeout")),
        (setting("net/bridge/bridge-nf-call-iptables", "0"), (True, "same-bridge", None)),
        (unread, (None, "unseen-forwarding", None)),
    ],
)
def test_icc_off_needs_br_netfilter(change, expected):
    """iptables drops what a bridge switches only where br_netfilter hands it over; unread, the model makes no claim."""
    assert ask(predictions(BRIDGES, change=change), "q1", "q2") == expected


NAMED = """
networks: {n: {}, m: {}}
containers:
  a: {networks: {n: {aliases: [www, pair]}, m: {}}, hostname: alpha}
  b: {networks: {n: {aliases: [pair, j, both]}}}
  c: {networks: {m: {aliases: [www, both]}}}
  j: {network_mode: "container:b"}
  k: {network_mode: "container:a"}
  n1: {networks: [n]}
  m1: {networks: [m]}
  wide: {networks: [n, m]}
  old: {hostname: elder}
  bare: {network_mode: host}
"""


@pytest.mark.parametrize(
    ("source", "to", "name", "expected"),
    [
        ("n1", "a", "www", (True, "dns-shared-network", None)),
        ("n1", "a", "alpha", (True, "dns-shared-network", None)),
        ("m1", "a", "alpha", (True, "dns-shared-network", None)),
        ("n1", "a", "pair", (True, "dns-shared-network", None)),
        ("n1", "b", "pair", (True, "dns-shared-network", None)),
        ("n1", "j", "j", (True, "dns-shared-network", None)),
        ("m1", "j", "j", (False, "dns-joined", None)),
        ("m1", "a", "pair", (False, "dns-no-shared-network", None)),
        ("m1", "a", "www", (False, "dns-no-shared-network", "wrong answerer")),
        ("n1", "c", "www", (False, "dns-no-shared-network", "wrong answerer")),
        ("wide", "a", "www", (False, "dns-no-shared-network", "wrong answerer")),
        ("wide", "c", "www", (True, "dns-shared-network", None)),
        ("old", "a", "www", (False, "dns-default-bridge", None)),
        ("bare", "a", "www", (False, "dns-host-mode", None)),
    ],
)
def test_further_names(source, to, name, expected):
    """An alias is known on its own network alone, a hostname on all; who asks for a name of others gets others.

    How an unknown name shows is not claimed: whether the host itself serves names is not looked at.
    """
    known = predictions(NAMED, lambda found: {"local": replace(found["local"], nameservers=("192.168.22.61",))})
    assert ask(known, source, to, "dns", name) == expected


def test_a_host_that_serves_no_names():
    """Where it is known who listens for datagrams on a host, and nobody does on port 53, a question is refused."""

    def asked(change=None):
        found = predictions(
            NAMED, lambda facts: {"local": replace(facts["local"], nameservers=("192.168.22.61",))}, change=change
        )
        return ask(found, "old", "a", "dns", "www")

    def gossips(space):
        return replace(space, listeners=(*space.listeners, Listener("udp", "0.0.0.0", 7946)))

    assert asked() == (False, "dns-default-bridge", None)
    assert asked(gossips) == (False, "dns-default-bridge", "refused")


def test_a_name_gives_the_addresses_of_all_who_have_it():
    """What a name has to give are the addresses of all who have it on the first network where the asker finds it."""
    definition = lab(NAMED)
    engines = running(definition)
    world = pretended(definition, engines)
    found = {(cell.source, cell.to, cell.target): cell.answers for cell, _ in matrix(world) if cell.probe == "dns"}
    at = {(name, network): str(address) for name in "abc" for network, address in world.people.addresses[name]}
    assert found["n1", "a", "pair"] == (at["a", "n"], at["b", "n"])
    assert found["wide", "a", "a"] == (at["a", "m"],)
    assert found["n1", "c", "www"] == (at["c", "m"],)
    assert found["k", "a", "a"] == (at["a", "m"], at["a", "n"])  # of its own name the hosts file has all
    assert found["m1", "a", "pair"] == ()
    assert ("n1", "old", "elder") not in found


MOVED = """
networks: {front: {subnet: 10.1.0.0/24}, back: {subnet: 10.2.0.0/24}}
containers:
  web: {networks: {front: {ip: 10.1.0.10, aliases: [www]}}}
  peer: {networks: {back: {aliases: [pal]}}}
  near: {networks: [front]}
  plain: {}
"""


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([], {}),
        (["connect --ip 10.2.0.20 --alias site back web"], {("peer", "web", "web"), ("web", "peer", "peer"),
                                                             ("web", "peer", "pal")}),
        (["connect --alias www back web"], {("peer", "web", "web"), ("peer", "web", "www"), ("web", "peer", "peer"),
                                            ("web", "peer", "pal")}),
        (["disconnect front web"], {("near", "web", "web"), ("near", "web", "www"), ("web", "near", "near")}),
        (["disconnect front web", "connect --ip 10.1.0.10 front web"], {("near", "web", "www")}),
        (["connect back plain"], {("plain", "peer", "peer"), ("plain", "peer", "pal"), ("peer", "plain", "plain")}),
        (["create --driver bridge other", "connect other web", "connect other plain"],
         {("web", "plain", "plain"), ("plain", "web", "web")}),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_names_on_networks_that_somebody_else_chose(commands, expected):
    """Names are predicted by the networks that containers are really on, and expected by those of the definition."""
    definition = lab(MOVED)
    engines = running(definition)
    for command in commands:
        engines["local"].run(("docker", "network", *command.split()))
    wanted, now = worlds_of(definition, engines)
    rows, predicted = beside(wanted, now)
    assert [told for _, told in rows] == [told for _, told in matrix(pretended(definition, running(definition)))]
    differ = {
        (cell.source, cell.to, cell.target)
        for (cell, one), other in zip(rows, predicted, strict=True)
        if cell.probe == "dns" and one.reachable != other.reachable
    }
    assert differ == set(expected)


def test_nobody_knows_the_name_of_who_does_not_run():
    """A container that has stopped has no name on its networks, though its address there is fixed."""
    definition = lab(MOVED)
    engines = running(definition)
    web = engines["local"].containers["web"]
    engines["local"].containers["web"] = replace(web, running=False, pid=0, status="exited")
    _, now = worlds_of(definition, engines)
    assert ("front", "local") not in now.people.known_on.get("web", ())
    assert (("front", "local"), "near") in now.people.named
    assert (("front", "local"), "web") not in now.people.named


def test_a_name_that_gives_another_address():
    """A container that has another address than its own is found by its name, and not where it should be."""
    definition = lab(MOVED)
    engines = running(definition)
    for command in ("disconnect front web", "connect --ip 10.1.0.77 --alias www front web"):
        engines["local"].run(("docker", "network", *command.split()))
    rows, predicted = beside(*worlds_of(definition, engines))
    told = {
        (cell.source, cell.to, cell.target): (one.reachable, other.reachable, other.symptom)
        for (cell, one), other in zip(rows, predicted, strict=True)
        if cell.probe == "dns"
    }
    assert told["near", "web", "web"] == told["near", "web", "www"] == (True, False, "wrong answerer")
    assert told["web", "near", "near"] == (True, True, None)


@pytest.mark.parametrize(
    ("network", "expected"), [("front", (False, "wrong answerer")), ("back", (True, None))], ids=["shared", "elsewhere"]
)
def test_a_strangers_name(network, expected):
    """Docker's DNS gives a stranger's address beside a container's own where he has its name on a network of both."""
    definition = lab(MOVED)
    engines = running(definition)
    engines["local"].run(("docker", "run", "--detach", "--name", "stranger", "--network", "bridge", "dockerlab/node"))
    engines["local"].run(("docker", "network", "connect", "--alias", "www", network, "stranger"))
    rows, predicted = beside(*worlds_of(definition, engines))
    told = {
        (cell.source, cell.to, cell.target): (one.reachable, (other.reachable, other.symptom))
        for (cell, one), other in zip(rows, predicted, strict=True)
        if cell.probe == "dns"
    }
    assert told["near", "web", "www"] == (True, expected)
    assert told["near", "web", "web"] == (True, (True, None))


FILED = """
networks: {front: {subnet: 10.1.0.0/24}, back: {subnet: 10.2.0.0/24}, six: {subnet: "fd00::/64", enable_ipv4: false}}
containers:
  app: {networks: [front], extra_hosts: {DB: 10.2.0.20, web: 203.0.113.5, far: "fd00::20", gate: host-gateway}}
  side: {network_mode: "container:app"}
  bare: {network_mode: host, extra_hosts: {db: 10.2.0.20, web: never}}
  db: {networks: {back: {ip: 10.2.0.20}}}
  web: {networks: {front: {aliases: [gate]}}}
  far: {networks: {six: {ip6: "fd00::20"}}}
"""


@pytest.mark.parametrize(
    ("source", "to", "name", "expected"),
    [
        ("app", "db", "db", (True, "hosts-file", None)),
        ("side", "db", "db", (True, "hosts-file", None)),
        ("bare", "db", "db", (True, "hosts-file", None)),
        ("app", "web", "web", (False, "hosts-file", "wrong answerer")),
        ("side", "web", "web", (False, "hosts-file", "wrong answerer")),
        ("app", "web", "gate", (False, "hosts-file", "wrong answerer")),
        ("app", "far", "far", (True, "hosts-file", None)),
        ("bare", "web", "web", (False, "dns-host-mode", "no such name")),
        ("db", "web", "web", (False, "dns-no-shared-network", "no such name")),
    ],
)
def test_lines_of_the_hosts_file(source, to, name, expected):
    """What a hosts file says is what a name gives, whatever a name server knows; it is right by the address alone."""
    assert ask(predictions(FILED), source, to, "dns", name) == expected


def test_a_strangers_name_on_the_spot():
    """Of hosts as they are, a name has to give the lab's own addresses: a stranger's beside them is a wrong answer."""
    definition = lab(MOVED)
    engines = running(definition)
    engines["local"].run(("docker", "run", "--detach", "--name", "stranger", "--network", "bridge", "dockerlab/node"))
    engines["local"].run(("docker", "network", "connect", "--alias", "www", "--alias", "pal", "front", "stranger"))
    _, now = worlds_of(definition, engines)
    told = {(c.source, c.target): (c.answers, e.reachable, e.symptom) for c, e in matrix(now) if c.probe == "dns"}
    (peer,) = (str(address) for _, address in now.people.addresses["peer"])
    assert told["near", "www"] == (("10.1.0.10",), False, "wrong answerer")
    assert told["near", "web"] == (("10.1.0.10",), True, None)
    assert told["near", "pal"] == ((peer,), False, "wrong answerer")
    assert told["near", "peer"][0] == ()


def worlds_of(definition, engines):
    """Return a lab's worlds as it is defined and as it is, on engines with the kernels of their books."""
    seen = looked(engines)
    seen.machines = pretended(definition, engines).fabric.net.machines
    return defined(definition, seen), surveyed(definition, seen)


def test_names_end_at_their_network():
    """Two networks on one parent are one LAN and two networks: names go from neither to the other."""
    known = predictions(
        """
networks: {one: {driver: macvlan, parent: eth0, subnet: 10.1.0.0/24},
           two: {driver: macvlan, parent: eth0, subnet: 10.2.0.0/24}}
containers: {a: {networks: [one]}, b: {networks: [two]}}
"""
    )
    assert ask(known, "a", "b", "dns")[:2] == (False, "dns-no-shared-network")


def test_a_neighbour_goes_by_its_name():
    """Whoever hears a packet is told by the name of its container, not by the number that its namespace has."""
    web, ground = SpaceId("vm0", 4), SpaceId("vm0", 1)

    def space(name, *, host=False):
        return SimpleNamespace(name=name, namespace=SimpleNamespace(host=host))

    spaces = {web: space("a2c85bc30223 on vm0"), ground: space("vm0", host=True)}
    world = SimpleNamespace(names={web: "web", ground: "vm0"}, fabric=SimpleNamespace(spaces=spaces))
    steps = [Step(ground, "neighbour", f"172.17.0.3 is {spaces[web].name} on docker0", link="docker0", to=web)]
    assert list(in_words(world, steps)) == ["vm0: 172.17.0.3 is web on docker0"]


def test_the_port_behind_a_published_one():
    """Where nobody listens behind a published port, it is the container's port that is named, and not its host's."""
    definition = lab(
        "hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}\n"
        "containers: {web: {host: vm0, ports: ['81:80'], command: httpd -f -p 80}, remote: {host: vm1}}"
    )
    world = pretended(definition, running(definition))
    machine = world.fabric.net.machines["vm0"]
    quiet = tuple(space if space.host else replace(space, listeners=()) for space in machine.namespaces)
    machines = {**world.fabric.net.machines, "vm0": replace(machine, namespaces=quiet)}
    silent = replace(world, fabric=Fabric(replace(world.fabric.net, machines=machines)))
    rows = [(cell, told) for cell, told in matrix(silent) if (cell.source, cell.probe) == ("remote", "tcp/81")]
    assert [told.because(cell) for cell, told in rows] == [
        "the connection arrives at web, where nothing listens on port 80",
    ]
