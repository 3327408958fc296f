"""Hosts as engines would make them: their rules chain by chain, their links and routes, and why each rule is there."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

import pytest
from support.labs import lab
from support.recorded import FILES, differences, recorded
from support.recordings import needed

from dockerlab.imagined.books import books as imagined_books
from dockerlab.imagined.ground import made_up, stripped
from dockerlab.imagined.machines import machines
from dockerlab.imagined.origin import origin
from dockerlab.kernel import iptables, nft
from dockerlab.kernel.routes import MAIN
from dockerlab.modes import bridge_nft, bridge_rules, overlay
from dockerlab.reach.rules import RULES
from dockerlab.versions import Engine, numbers

GOLDEN = Path(__file__).parents[1] / "imagined"
LAB = """
networks:
  front: {subnet: [172.28.1.0/24, "fd00:1::/64"]}
  apart: {subnet: 172.28.2.0/24, driver_opts: {com.docker.network.bridge.enable_icc: "false"}}
  vault: {subnet: [172.28.3.0/24, "fd00:3::/64"], internal: true}
  gate: {subnet: 172.28.4.0/24, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}}
  named: {subnet: 172.28.5.0/24, driver_opts: {com.docker.network.host_ipv4: 192.0.2.10}}
containers:
  web: {networks: [front], ports: ["8080:80", "127.0.0.1:8081:80"]}
  quiet: {networks: [apart], ports: ["5353:53/udp"]}
  safe: {networks: [vault]}
  open: {networks: [gate], ports: ["8082:80"]}
  both: {networks: [front, gate], ports: ["8083:81"]}
"""
ENGINES = ["20.10", "24.0.5", "25.0.3", "26.1", "27.5", "28.0.0", "28.0.1", "28.1", "28.2.1", "28.5", "29.8"]


def imagine(definition, engine="28.5"):
    """Return what engines of a version would say, by host."""
    return imagined_books(definition, dict.fromkeys(definition.hosts, engine))


def made(definition, engine, **settings):
    """Return a lab's hosts as engines of a version would make them, on hosts that are made up."""
    books = imagine(definition, engine)
    engines = dict.fromkeys(books, Engine(numbers(engine), **settings))
    return machines(definition, books, made_up(definition), engines)


def ground(definition, engine, **settings):
    return made(definition, engine, **settings).machines["local"].ground


def home(found, name):
    where = found.homes[name]
    return found.machines[where.host].space(where.space)


@pytest.mark.parametrize("engine", ENGINES)
def test_rules_of_an_engine(engine, golden):
    """What `iptables-save` and `ip6tables-save` would print on a host with a lab of every kind of bridge."""
    rules = ground(lab(LAB), engine).ruleset
    texts = []
    for family, program in (("ip", "iptables-save"), ("ip6", "ip6tables-save")):
        kept = replace(rules, chains=tuple(chain for chain in rules.chains if chain.family == family))
        texts.append(f"# {program}\n{iptables.write(kept)}")
    golden(GOLDEN / f"{engine}.rules", "\n".join(texts))


def test_rules_of_the_nftables_backend(golden):
    """What `nft list ruleset` would print, maps written out where they are used."""
    golden(GOLDEN / "29.8-nftables.rules", nft.write(ground(lab(LAB), "29.8", backend="nftables").ruleset))


@pytest.mark.parametrize("engine", ["20.10", "28.5", "29.8"])
def test_rules_without_docker_proxy(engine, golden):
    """Without docker-proxy every connection to a published port is translated, the host's own too."""
    rules = ground(lab(LAB), engine, proxy=False).ruleset
    kept = replace(rules, chains=tuple(c for c in rules.chains if (c.family, c.table) == ("ip", "nat")))
    golden(GOLDEN / f"{engine}-proxyless.rules", iptables.write(kept))


def test_an_engine_that_keeps_no_rules_has_none():
    """With `iptables` and `ip6tables` off there are the kernel's own chains alone."""
    rules = ground(lab(LAB), "28.5", iptables=False, ip6tables=False).ruleset
    assert list(rules.rules()) == []
    assert all(chain.hook for chain in rules.chains)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_rule_is_known_again(engine):
    """Of each rule that is imagined it can be told why it is there."""
    for proxy in (True, False):
        for rule in ground(lab(LAB), engine, proxy=proxy).ruleset.rules():
            assert origin(rule) is not None, rule.text


def test_every_rule_of_nftables_is_known_again():
    for rule in ground(lab(LAB), "29.8", backend="nftables").ruleset.rules():
        assert origin(rule) is not None, rule.text


@pytest.mark.parametrize(
    "line",
    [
        "-A DOCKER-USER -s 172.28.1.0/24 -j DROP",
        "-A FORWARD -j DROP",
        "-A DOCKER -d 172.28.1.2/32 ! -i br-a -o br-b -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A DOCKER ! -i br-a -o br-a -p udp -j DROP",
        "-A INPUT -i docker0 -j ACCEPT",
    ],
)
def test_a_foreign_rule_has_no_origin(line):
    """Not even one that looks like Docker's, but speaks of two bridges, or stands elsewhere."""
    assert origin(iptables.rule("ip", "filter", line)) is None


def test_pages_of_rules_are_there():
    """Each line that names a page of the rules names one that there is."""
    lines = (*bridge_rules.NETWORK, *bridge_rules.ENDPOINT, *bridge_rules.PORT, *overlay.ENCRYPTED)
    lines += (*bridge_nft.NETWORK, *bridge_nft.ENDPOINT, *bridge_nft.PORT)
    assert {line.page for line in lines} - {""} <= {rule.id for rule in RULES}
    assert all(line.why for line in lines)


def test_who_lives_where():
    """Who joins another shares its namespace, host mode is the host's, none has lo alone."""
    found = made(
        lab(
            """
            containers:
              web: {network_mode: bridge, expose: [80, 81]}
              side: {network_mode: "container:web"}
              bare: {network_mode: host, expose: [82]}
              alone: {network_mode: none}
            """
        ),
        "28.5",
    )
    assert found.homes["side"] == found.homes["web"]
    assert home(found, "bare").host
    assert [link.name for link in home(found, "alone").links] == ["lo"]
    assert {listener.port for listener in home(found, "web").listeners} == {80, 81}
    assert {listener.port for listener in home(found, "bare").listeners} == {82}


def test_somebody_elses_container_of_the_same_name():
    """On another host it has a namespace of its own, and is not the lab's."""
    definition = lab("hosts: {vm0: , vm1: }\ncontainers: {web: {host: vm0}}\n")
    books = imagine(definition)
    foreign = replace(books["vm0"].container("web"), id="other")
    books["vm1"] = replace(books["vm1"], containers=(foreign,))
    found = machines(definition, books, made_up(definition), {})
    assert found.homes["web"].host == "vm0"
    assert len(found.machines["vm1"].namespaces) == 2


def numbered(space, index):
    return next(link for link in space.links if link.index == index)


def test_a_cable_has_two_ends():
    """A container's interface and a port of the bridge name each other, as the kernel has it."""
    found = made(lab("networks: {n: {subnet: 10.1.0.0/24}}\ncontainers: {a: {networks: [n]}}\n"), "28.5")
    inside = home(found, "a").link("eth0")
    outside = numbered(found.machines["local"].ground, inside.peer)
    assert (outside.peer, outside.kind, outside.away, inside.away) == (inside.index, "veth", True, True)
    bridge = found.machines["local"].ground.link(outside.master)
    assert bridge.addresses == (ip_interface("10.1.0.1/24"),)
    assert bridge.carrier


def ways(found, name):
    """Return the default routes of a container: from which address's version, by which interface, to which router."""
    routes = [route for route in home(found, name).routes if route.table == MAIN and not route.destination.prefixlen]
    return {route.version: (route.hops[0].device, route.hops[0].via and str(route.hops[0].via)) for route in routes}


TWO = """
networks:
  alpha: {subnet: 10.1.0.0/24}
  beta: {subnet: [10.2.0.0/24, "fd00:2::/64"]}
  vault: {subnet: 10.3.0.0/24, internal: true}
containers:
  a: {networks: [alpha, beta, vault]}
  v: {networks: [vault]}
"""


@pytest.mark.parametrize(
    ("engine", "shut"),
    [("20.10", {4: ("eth0", "10.3.0.1")}), ("24.0", {4: ("eth0", "10.3.0.1")}), ("25.0", {}), ("28.5", {})],
)
def test_the_way_out_of_several_networks(engine, shut):
    """One that gives both IP versions comes first; an internal network gives a way up to engine 24 alone."""
    found = made(lab(TWO), engine)
    assert ways(found, "a") == {4: ("eth1", "10.2.0.1"), 6: ("eth1", "fd00:2::1")}
    assert ways(found, "v") == shut


@pytest.mark.parametrize(
    ("engine", "four"), [("27.5", "beta"), ("28.0", "beta"), ("29.4.0", "beta"), ("29.4.1", "alpha"), ("29.8", "alpha")]
)
def test_a_gateways_priority(engine, four):
    """Engines before 28 do not know it; up to 29.4.0 a network with both versions comes before it all the same."""
    definition = lab(TWO)
    books = imagine(definition, engine)
    a = books["local"].container("a")
    first = replace(a, endpoints={**a.endpoints, "alpha": replace(a.endpoints["alpha"], priority=9)})
    book = replace(books["local"], containers=(first, *(c for c in books["local"].containers if c.name != "a")))
    found = machines(definition, {"local": book}, made_up(definition), {"local": Engine(numbers(engine))})
    assert ways(found, "a")[4][1] == {"alpha": "10.1.0.1", "beta": "10.2.0.1"}[four]
    assert ways(found, "a")[6][1] == "fd00:2::1"


@pytest.mark.parametrize(("engine", "address"), [("24.0", True), ("25.0.3", False), ("25.0.4", True), ("28.5", True)])
def test_the_hosts_address_on_an_internal_bridge(engine, address):
    """It has none on 25.0.0 to 25.0.3."""
    space = ground(lab(TWO), engine)
    assert any(ip_interface("10.3.0.1/24") in link.addresses for link in space.links) is address


@pytest.mark.parametrize(("engine", "isolated"), [("27.5", False), ("28.5", True)])
def test_a_bridge_without_the_host(engine, isolated):
    """`inhibit_ipv4` leaves the host no address on any engine; mode `isolated` is known from 28.0 on."""
    option = "com.docker.network.bridge."
    definition = lab(
        f"""
        networks:
          flat: {{subnet: 10.1.0.0/24, driver_opts: {{{option}inhibit_ipv4: "true"}}}}
          cell: {{subnet: 10.2.0.0/24, internal: true, driver_opts: {{{option}gateway_mode_ipv4: isolated}}}}
        containers: {{a: {{networks: [flat]}}, b: {{networks: [cell]}}}}
        """
    )
    held = {address.ip for link in ground(definition, engine).links for address in link.addresses}
    assert ip_address("10.1.0.1") not in held
    assert (ip_address("10.2.0.1") not in held) is isolated


def test_children_of_a_parent():
    """macvlan's and ipvlan's interfaces hang on the host's parent; a VLAN is made where there is none, or a dummy."""
    found = made(
        lab(
            """
            networks:
              lan: {driver: macvlan, parent: eth0.50, subnet: 192.168.50.0/24, gateway: 192.168.50.1}
              own: {driver: macvlan, subnet: 10.9.0.0/24}
              far: {driver: ipvlan, parent: eth1, ipvlan_mode: l3, subnet: 10.8.0.0/24}
            containers:
              a: {networks: [lan]}
              b: {networks: [own]}
              c: {networks: [far]}
            """
        ),
        "28.5",
    )
    host = found.machines["local"].ground
    lower = {name: numbered(host, home(found, name).link("eth0").peer) for name in "abc"}
    assert (lower["a"].name, lower["a"].kind, host.link("eth0").index) == ("eth0.50", "vlan", lower["a"].peer)
    assert lower["b"].kind == "dummy"
    assert lower["c"].name == "eth1"
    assert home(found, "a").link("eth0").info == {"mode": "bridge"}
    assert home(found, "c").link("eth0").info == {"mode": "l3", "flags": "bridge"}
    assert ways(found, "a") == {4: ("eth0", "192.168.50.1")}
    assert ways(found, "b") == {}
    assert ways(found, "c") == {4: ("eth0", None)}


@pytest.mark.parametrize(("engine", "via"), [("28.5", "10.7.0.1"), ("29.8", None)])
def test_a_lan_without_a_gateway_takes_the_way_out(engine, via):
    """From 29 on a macvlan network whose gateway nobody named is chosen by its name, and then leads nowhere."""
    text = """
        networks:
          aaa: {driver: macvlan, parent: eth0, subnet: 10.7.0.0/24}
          bbb: {subnet: 10.6.0.0/24}
        containers: {a: {networks: [aaa, bbb], ports: ["8080:80"]}}
        """
    found = made(lab(text), engine)
    assert ways(found, "a") == ({4: ("eth0", via)} if via else {})
    assert found.machines["local"].proxies == ()


def test_an_overlay_is_in_a_namespace_of_its_own():
    """Its bridge and its VXLAN are hidden and know where the others' containers are; the way out is docker_gwbridge."""
    found = made(
        lab(
            """
            hosts: {vm0: ssh://root@192.0.2.1, vm1: ssh://root@192.0.2.2}
            networks: {wide: {driver: overlay, subnet: 10.50.0.0/24}}
            containers: {left: {host: vm0, networks: [wide]}, right: {host: vm1, networks: [wide]}}
            """
        ),
        "28.5",
    )
    hidden = next(space for space in found.machines["vm0"].namespaces if space.link("vxlan0") is not None)
    right = home(found, "right").link("eth0")
    assert hidden.link("vxlan0").master == "br0"
    assert [(each.mac, each.to) for each in hidden.forwards] == [(right.mac, "192.0.2.2")]
    assert {link.mtu for link in hidden.links if link.name != "lo"} == {1450}
    assert ways(found, "left")[4][0] == "eth1"
    outside = numbered(found.machines["vm0"].ground, home(found, "left").link("eth1").peer)
    assert outside.master == "docker_gwbridge"


def test_published_ports_have_docker_proxies():
    """One for each address of the host; IPv6 is handed to IPv4 where the container has no IPv6 address."""
    machine = made(lab(LAB), "28.5").machines["local"]
    told = {(proxy.address, proxy.port, proxy.to, proxy.to_port) for proxy in machine.proxies}
    assert ("0.0.0.0", 5353, "172.28.2.2", 53) in told
    assert ("::", 5353, "172.28.2.2", 53) in told
    assert ("::", 8080, "fd00:1::2", 80) in told
    assert ("::", 8082, "172.28.4.2", 80) in told
    assert "0.0.0.0" not in {address for address, port, *_ in told if port == 8082}  # in mode routed it is not taken
    holders = {(each.address, each.port): each.holders[0][1] for each in machine.ground.listeners}
    assert holders["127.0.0.1", 8081] == "docker-proxy"
    bare = made(lab(LAB), "28.5", proxy=False).machines["local"]
    assert bare.proxies == ()
    assert {each.holders[0][1] for each in bare.ground.listeners} == {"dockerd"}


def test_the_ground_of_a_host_is_what_is_not_docker():
    """Its bridges, cables and rules are gone, and so is every rule, route and setting that nobody promised."""
    definition = lab(LAB)
    books = imagine(definition)
    whole = made(definition, "28.5").machines["local"]
    bare = stripped(whole, books["local"]).ground
    assert {link.name for link in bare.links} == {"lo", "eth0"}
    assert {hop.device for route in bare.routes for hop in route.hops} == {"lo", "eth0"}
    assert ip_network("0.0.0.0/0") in {route.destination for route in bare.routes}
    assert [(chain.name, chain.policy, chain.rules) for chain in bare.ruleset.chains] == [
        ("FORWARD", "DROP", ()),
        ("FORWARD", "ACCEPT", ()),
    ]
    again = machines(definition, books, {"local": stripped(whole, books["local"])}, {"local": Engine(numbers("28.5"))})
    assert {link.name for link in again.machines["local"].ground.links} == {link.name for link in whole.ground.links}


@needed
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".json")[0])
def test_imagined_is_real(path):
    """On pristine hosts with other engines every rule, link, address and route is as it is imagined."""
    found = [text for each in recorded(path) if not each.refused for text in differences(each)]
    assert found == []
