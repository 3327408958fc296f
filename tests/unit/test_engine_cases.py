"""What one definition comes to on the engines on both sides of a boundary: cells with their rules, and refusals."""

from dataclasses import replace

import pytest
from support.labs import lab, running
from support.worlds import looked

from dockerlab.imagined.refusals import refusals
from dockerlab.reach import matrix, worlds
from dockerlab.reach.rules import RULES
from dockerlab.versions import Engine, named

MODE = "com.docker.network.bridge.gateway_mode_ipv4"
VAULT = """
networks: {front: {subnet: 10.1.0.0/24}, vault: {subnet: 10.2.0.0/24, internal: true}}
containers: {web: {networks: [front]}, safe: {networks: [vault]}}
"""
GATE = f"""
networks: {{front: {{subnet: 10.1.0.0/24}}, gate: {{subnet: 10.2.0.0/24, driver_opts: {{{MODE}: MODE}}}}}}
containers: {{web: {{networks: [front]}}, open: {{networks: [gate], ports: ["8080:80"], expose: [90]}}}}
"""
ROUTED, UNPROTECTED = GATE.replace("MODE}", "routed}"), GATE.replace("MODE}", "nat-unprotected}")
BOTH = f"""
networks:
  alpha: {{subnet: 10.1.0.0/24}}
  zeta: {{subnet: 10.2.0.0/24, driver_opts: {{{MODE}: routed}}}}
  other: {{subnet: 10.3.0.0/24}}
containers: {{both: {{networks: [alpha, zeta], ports: ["8080:80"]}}, web: {{networks: [other]}}}}
"""
L3 = """
networks:
  aaa: {driver: ipvlan, parent: eth0, ipvlan_mode: l3, subnet: 10.1.0.0/24}
  bbb: {subnet: 10.2.0.0/24}
containers: {both: {networks: {aaa: , bbb: PLACE}, ports: ["8080:80"]}, bare: {network_mode: host}}
"""
L3_LAST = L3.replace("PLACE", "{gw_priority: 1}")
L3 = L3.replace("PLACE", "")
PARENTLESS = """
networks: {own: {driver: macvlan, subnet: 10.1.0.0/24}}
containers: {a: {networks: [own]}}
"""
ALONE = """
networks:
  flat: {subnet: 10.1.0.0/24, driver_opts: {com.docker.network.bridge.inhibit_ipv4: "true"}}
  cell: {subnet: 10.2.0.0/24, internal: true, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: isolated}}
containers: {a: {networks: [flat]}, b: {networks: [cell]}}
"""
TRUSTED = """
networks:
  front: {subnet: 10.1.0.0/24, driver_opts: {com.docker.network.bridge.name: br-front}}
  back: {subnet: 10.2.0.0/24, driver_opts: {com.docker.network.bridge.trusted_host_interfaces: br-front}}
containers: {web: {networks: [front]}, db: {networks: [back], ports: ["5432:5432"]}}
"""
APART = """
networks: {apart: {subnet: 10.1.0.0/24, driver_opts: {com.docker.network.bridge.enable_icc: "false"}}}
containers: {a: {networks: [apart], ports: ["8080:80"]}, b: {networks: [apart]}}
"""
LAN = """
networks: {lan: {driver: macvlan, parent: eth0, subnet: 192.0.2.0/24}}
containers: {a: {networks: [lan]}}
outside: {away: 203.0.113.9}
"""
NAMES = """
networks:
  aaa: {subnet: 10.1.0.0/24, internal: true}
  bbb: {subnet: 10.2.0.0/24}
  ccc: {subnet: 10.3.0.0/24}
  ddd: {subnet: [10.4.0.0/24, "fd00:4::/64"]}
  eee: {driver: overlay, subnet: 10.5.0.0/24}
containers:
  asker: {networks: {aaa: , bbb: , ccc: PLACE, ddd: , eee: }}
  fox: {networks: {aaa: {aliases: [vault]}}}
  gnu: {networks: {bbb: {aliases: [vault, plain, dual]}}}
  elk: {networks: {ccc: {aliases: [plain]}}}
  yak: {networks: {ddd: {aliases: [dual, over]}}}
  ape: {networks: {eee: {aliases: [over]}}}
"""
PREFERRED = NAMES.replace("PLACE", "{gw_priority: 1}")
NAMES = NAMES.replace("PLACE", "")
OTHERS = (False, "wrong answerer")
YES = (True, None)

CASES = [
    # An internal network gives a default route up to 24: the host's other addresses are reached by it.
    (VAULT, "24.0.9", {"safe local ping": YES, "safe web ping": (False, "timeout")}),
    (VAULT, "25.0.0", {"safe local ping": (False, "no route"), "safe web ping": (False, "no route")}),
    # The host has no address on an internal bridge on 25.0.0 to 25.0.3.
    (VAULT, "24.0.9", {"local safe ping": YES}),
    (VAULT, "25.0.3", {"local safe ping": (False, None)}),
    (VAULT, "25.0.4", {"local safe ping": YES}),
    (VAULT, "26.0.0", {"local safe ping": YES}),
    # Gateway mode routed lets in other bridges and pings from 28.0 on.
    (ROUTED, "27.5.1", {"web open tcp/80": (False, "timeout"), "web open ping": (False, "timeout")}),
    (ROUTED, "28.0.0", {"web open tcp/80": YES, "web open ping": YES, "web open tcp/90": (False, "timeout")}),
    # A published port is open on a routed network from 29.0 on, whichever gives the default route.
    (BOTH, "28.5.2", {"web both tcp/80 10.2.0.2": (False, "timeout")}),
    (BOTH, "29.0.0", {"web both tcp/80 10.2.0.2": YES}),
    # Mode l3 of ipvlan competes for the default route from 28.0 on, and then the bridge publishes nothing.
    (L3, "28.0.0", {"bare local tcp/8080": (False, "refused"), "both local ping": (False, None)}),
    (L3_LAST, "28.0.0", {"bare local tcp/8080": YES, "both local ping": YES}),
    # Between bridges, gateway mode nat-unprotected is open from 29.0 on.
    (UNPROTECTED, "28.5.2", {"web open tcp/90": (False, "timeout"), "web open ping": (False, "timeout")}),
    (UNPROTECTED, "29.0.0", {"web open tcp/90": YES, "web open ping": YES}),
    (UNPROTECTED, "29.0.0-nftables", {"web open tcp/90": YES, "web open ping": YES}),
    # `inhibit_ipv4` leaves the host no address on any engine, mode isolated from 28.0 on.
    (ALONE, "27.5.1", {"local a ping": (False, None), "local b ping": YES}),
    (ALONE, "28.0.0", {"local a ping": (False, None), "local b ping": (False, None)}),
    # A trusted interface may be another bridge: from 29.0 on it lets published ports in.
    (TRUSTED, "28.5.2", {"web db tcp/5432 10.2.0.2": (False, "timeout")}),
    (TRUSTED, "29.0.0", {"web db tcp/5432 10.2.0.2": YES, "web db ping": (False, "timeout")}),
    (TRUSTED, "29.0.0-nftables", {"web db tcp/5432 10.2.0.2": YES, "web db ping": (False, "timeout")}),
    # From 29.0 on nobody guesses the router of a LAN.
    (LAN, "28.5.2", {"a away ping": YES}),
    (LAN, "29.0.0", {"a away ping": (False, "no route")}),
    # Of several networks with a name: a Swarm's first, then by priority (from 28.0 on), not internal, gateways, name.
    *(
        (
            NAMES,
            engine,
            {
                "asker fox dns vault": OTHERS,
                "asker gnu dns vault": YES,
                "asker gnu dns plain": YES,
                "asker elk dns plain": OTHERS,
                "asker yak dns dual": YES,
                "asker gnu dns dual": OTHERS,
                "asker ape dns over": YES,
                "asker yak dns over": OTHERS,
            },
        )
        for engine in ("20.10.24", "26.1.5", "27.5.1", "28.0.0", "29.10")
    ),
    (PREFERRED, "28.0.0", {"asker elk dns plain": YES, "asker gnu dns plain": OTHERS}),
    (PREFERRED, "29.10", {"asker elk dns plain": YES, "asker gnu dns plain": OTHERS}),
]


def told(text, engine):
    """Return what is said of each cell, by source, target and probe, and also with its address."""
    found = {}
    for cell, said in matrix(worlds.offline(lab(text), engine)):
        key = f"{cell.source} {cell.to} {cell.probe}"
        found[key] = found[f"{key} {cell.target}"] = said
    return found


@pytest.mark.parametrize(("text", "engine", "cells"), CASES)
def test_a_case_by_engine(text, engine, cells):
    """A cell is reached or lost as the engine's version has it, with that symptom, by a rule that has a page."""
    found = told(text, named(engine))
    assert {key: (found[key].reachable, found[key].symptom) for key in cells} == cells
    assert {found[key].rule for key in cells} <= {rule.id for rule in RULES}


@pytest.mark.parametrize(("engine", "open_"), [("28.5", False), ("29.0", True), ("29.8-nftables", True)])
def test_direct_routing_between_bridges(engine, open_):
    """`allow-direct-routing` counts between two bridges of one host from 29.0 on, for published ports alone."""
    found = told(TRUSTED.replace("br-front}}\ncontainers", "eth9}}\ncontainers"), replace(named(engine), direct=True))
    assert found["web db tcp/5432 10.2.0.2"].reachable is open_
    assert found["web db ping"].reachable is False


@pytest.mark.parametrize(
    ("engine", "proxy", "reached"),
    [("28.5", True, True), ("28.5", False, False), ("29.8.0", False, False), ("29.8.1", False, None),
     ("29.10", False, None), ("29.10", True, True)],
)  # fmt: skip
def test_a_neighbours_published_port_with_icc_off(engine, proxy, reached):
    """docker-proxy serves it; without one it is closed up to 29.8.0, and of later engines nothing is claimed."""
    text = "hosts: {local: {daemon: {userland-proxy: false}}}\n" * (not proxy) + APART
    found = told(text, named(engine))["b local tcp/8080"]
    assert (found.reachable, found.rule) == (reached, "published" if proxy else "bridge-icc")


@pytest.mark.parametrize(("engine", "given"), [("26.0.0", True), ("26.0.1", False)])
@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_a_network_without_a_parent_leads_nowhere(engine, given, driver):
    """Up to 26.0.0 it gives a default route all the same."""
    definition = lab(PARENTLESS.replace("macvlan", driver))
    space = worlds.offline(definition, named(engine)).space("a")
    assert any(not route.destination.prefixlen for route in space.routes) is given


@pytest.mark.parametrize(("engine", "through"), [("25.0.3", False), ("27.5.1", False), ("28.0.0", True)])
def test_who_asks_the_hosts_name_servers(engine, through):
    """From 28.0 on Docker's DNS asks them from the host's namespace."""
    assert worlds.offline(lab(VAULT), named(engine)).people.resolvers["web"].through_host is through


@pytest.mark.parametrize("engine", ["20.10.24", "27.5.1", "28.5.2"])
@pytest.mark.parametrize(
    ("servers", "uplinks", "front", "alone"),
    [
        (["127.0.0.1"], [], (["127.0.0.1"], True), ["8.8.8.8", "8.8.4.4"]),
        (["127.0.0.1", "192.0.2.5"], [], (["127.0.0.1", "192.0.2.5"], True), ["192.0.2.5"]),
        (["127.0.0.53"], ["192.0.2.5"], (["192.0.2.5"], None), ["192.0.2.5"]),
        (["127.0.0.53"], [], ([], None), []),
    ],
)
def test_name_servers_on_the_hosts_loopback(engine, servers, uplinks, front, alone):
    """Docker's DNS asks them from the host's namespace on every engine; docker0's containers are given others.

    systemd-resolved's own address is not taken, but the servers behind it (moby libnetwork/resolvconf, `Path`).
    """
    definition = lab("networks: {n: {subnet: 10.1.0.0/24}}\ncontainers: {a: {networks: [n]}, b: }\n")
    seen = looked(running(definition))
    facts = {"local": replace(seen.facts["local"], nameservers=tuple(servers), uplinks=tuple(uplinks))}
    world = worlds.imagined(definition, seen.snapshots, seen.machines, {"local": named(engine)}, facts)
    asked = world.people.resolvers["a"]
    through = front[1] if front[1] is not None else bool(front[0]) and engine == "28.5.2"
    assert [str(each) for each in asked.servers] == front[0]
    assert asked.through_host is through or not asked.servers
    assert [str(each) for each in world.people.resolvers["b"].servers] == alone


@pytest.mark.parametrize("option", ["com.docker.network.host_ipv4", "com.docker.network.host_ipv6"])
@pytest.mark.parametrize(("engine", "known"), [("24.0.9", False), ("25.0.0", True), ("29.8-nftables", True)])
def test_the_source_address_that_a_network_names(option, engine, known):
    """It is the address of what leaves: the rule for IPv4 has it on every engine, that for IPv6 from 25.0 on."""
    version = option[-1]
    address = "192.0.2.10" if version == "4" else "2001:db8::10"
    text = 'networks: {n: {subnet: [10.1.0.0/24, "fd00:1::/64"], driver_opts: {OPTION: "ADDRESS"}}}\n'
    text += "containers: {a: {networks: [n]}}\n"
    definition = lab(text.replace("OPTION", option).replace("ADDRESS", address))
    maker = replace(named(engine), ip6tables=True)
    rules = worlds.offline(definition, maker).fabric.net.machines["local"].ground.ruleset
    assert any(address in rule.text for rule in rules.rules()) is (known or version == "4")


def refused(text, engine, **facts):
    """Return why an engine would not make a lab."""
    definition = lab(text)
    return [why for host in definition.hosts for why in refusals(definition, host, named(engine), **facts)]


ISOLATED = ALONE.replace("inhibit_ipv4", "enable_icc")
WIDE = """
hosts: {vm0: ssh://root@192.0.2.1, vm1: ssh://root@192.0.2.2}
networks: {wide: {driver: overlay, subnet: SUBNETS}}
containers: {left: {host: vm0, networks: [wide]}, right: {host: vm1, networks: [wide]}}
"""
NARROW, WIDE6 = (WIDE.replace("SUBNETS", told) for told in ("10.50.0.0/24", '[10.50.0.0/24, "fd00:50::/64"]'))
SIX = 'networks: {n: {subnet: [10.1.0.0/24, "fd00:1::/64"]}}\ncontainers: {a: {networks: [n]}}\n'


@pytest.mark.parametrize(
    ("text", "engine", "said"),
    [
        (UNPROTECTED, "26.1.5", ""),  # it knows no gateway mode, and ignores the option in silence
        (UNPROTECTED, "27.5.1", "gateway mode nat-unprotected, which engine 27.5.1 does not know"),
        (UNPROTECTED, "28.0.0", ""),
        (ISOLATED, "27.5.1", "gateway mode isolated, which engine 27.5.1 does not know"),
        (ISOLATED, "28.0.0", ""),
        (ISOLATED.replace("internal: true, ", ""), "28.0.0", "say `internal: true` as well"),
        (ROUTED, "27.5.1", ""),
        (L3, "27.5.1", "does not start it"),
        (L3, "28.0.0", ""),
        (NARROW, "29.8", ""),
        (NARROW, "29.0-nftables", "say `iptables` in daemon.json, and restart the engine"),
        (NARROW, "29.8-nftables", "`features: {swarm-nftables: true}`"),
        (WIDE6, "28.5", "no IPv6 on an overlay"),
        (SIX, "29.8", ""),
    ],
)
def test_what_an_engine_refuses(text, engine, said):
    """What it does not know or cannot make is known before anything is made, with what can be done."""
    found = " ".join(refused(text, engine, forwards_ipv6=False))
    assert (said in found) if said else not found


@pytest.mark.parametrize(("forwards", "refuses"), [(False, True), (True, False), (None, False)])
def test_ipv6_beside_the_nftables_backend(forwards, refuses):
    """It wants the host to forward IPv6 by itself, and the way to that is told."""
    found = " ".join(refused(SIX, "29.8-nftables", forwards_ipv6=forwards))
    assert ("sysctl -w net.ipv6.conf.all.forwarding=1" in found) is refuses


def test_an_engine_that_is_not_known_refuses_nothing():
    definition = lab(UNPROTECTED)
    assert list(refusals(definition, "local", Engine())) == []
