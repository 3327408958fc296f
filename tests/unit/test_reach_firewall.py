"""What a host lets in from elsewhere: FORWARD's policy, gateway modes, trusted interfaces, no firewall at all."""

from dataclasses import replace

import pytest
from support.facts import altered, way
from support.labs import lab, running
from support.worlds import pretended

from dockerlab.daemon import Effective
from dockerlab.imagined.engines import engine_of
from dockerlab.reach import matrix
from dockerlab.snapshot import Snapshot

LAB = """
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks:
  nat: {subnet: 10.1.0.0/24}
  gate: {subnet: 10.2.0.0/24, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}}
  loose: {subnet: 10.3.0.0/24, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: nat-unprotected}}
  known: {subnet: 10.4.0.0/24, driver_opts: {com.docker.network.bridge.trusted_host_interfaces: "eth1:eth0"}}
  shut: {subnet: 10.5.0.0/24, internal: true}
containers:
  web: {host: vm0, networks: {nat: {ip: 10.1.0.10}}, ports: ["8081:80"], expose: [81]}
  gated: {host: vm0, networks: {gate: {ip: 10.2.0.10}}, ports: ["8082:80"], expose: [81]}
  free: {host: vm0, networks: {loose: {ip: 10.3.0.10}}, ports: ["8083:80"], expose: [81]}
  friend: {host: vm0, networks: {known: {ip: 10.4.0.10}}, ports: ["8084:80"], expose: [81]}
  safe: {host: vm0, networks: {shut: {ip: 10.5.0.10}}, expose: [81]}
  far: {host: vm1}
"""

ROUTE = way("10.0.0.0/13", "192.168.22.61", "eth0")


def build(engine, text=LAB, **settings):
    """Return the world of engines of one version; vm1 has a route to vm0's bridges, vm0 these settings."""
    definition = lab(text)
    engines = running(definition)
    snapshots = {host: replace(found, engine_version=engine) for host, found in engines.snapshots().items()}
    facts = engines.facts()
    facts["vm0"] = altered(facts["vm0"], **settings)
    facts["vm1"] = altered(facts["vm1"], routes=(*facts["vm1"].ground.routes, ROUTE))
    return pretended(definition, None, facts, snapshots)


def predictions(engine, text=LAB, **settings):
    """Return (reachable, rule) by source, target and probe."""
    world = build(engine, text, **settings)
    return {(cell.source, cell.to, cell.probe): (e.reachable, e.rule) for cell, e in matrix(world)}


@pytest.mark.parametrize(
    ("engine", "policy", "to", "seen"),
    [
        ("20.10.24", "DROP", "web", {"ping": "forward-policy", "tcp/80": True, "tcp/81": "forward-policy"}),
        ("20.10.24", "DROP", "gated", {"ping": "forward-policy", "tcp/80": True, "tcp/81": "forward-policy"}),
        ("20.10.24", "DROP", "safe", {"ping": "bridge-internal", "tcp/81": "bridge-internal"}),
        ("20.10.24", "ACCEPT", "web", {"ping": True, "tcp/80": True, "tcp/81": True}),
        ("20.10.24", None, "web", {"ping": "unseen-forwarding", "tcp/80": True, "tcp/81": "unseen-forwarding"}),
        ("27.5.1", "DROP", "gated", {"ping": "forward-policy", "tcp/80": True, "tcp/81": "forward-policy"}),
        ("28.5.2", "ACCEPT", "web", dict.fromkeys(("ping", "tcp/80", "tcp/81"), "direct-routing")),
        ("28.5.2", "DROP", "gated", {"ping": True, "tcp/80": True, "tcp/81": "direct-routing"}),
        ("28.5.2", "DROP", "free", {"ping": True, "tcp/80": True, "tcp/81": True}),
        ("28.5.2", "ACCEPT", "friend", {"ping": "direct-routing", "tcp/80": True, "tcp/81": "direct-routing"}),
        ("28.5.2", "ACCEPT", "safe", {"ping": "bridge-internal", "tcp/81": "bridge-internal"}),
    ],
)
@pytest.mark.parametrize("source", ["vm1", "far"])
def test_direct_routing(engine, policy, to, seen, source):
    """Whom a machine with a route to a bridge reaches there is up to the policy or, from 28 on, the gateway mode."""
    found = predictions(engine, forward_policy=policy)
    rule = "routed" if source == "vm1" else "masquerade"
    for probe, expected in seen.items():
        reachable = True if expected is True else None if expected == "unseen-forwarding" else False
        assert found[source, to, probe] == (reachable, rule if expected is True else expected), probe


def test_direct_routing_allowed():
    """With the engine's own setting, published ports are open to those who have a route, and nothing else is."""
    found = predictions("28.5.2", direct_routing=True)
    assert found["vm1", "web", "tcp/80"] == (True, "routed")
    assert found["vm1", "web", "tcp/81"] == (False, "direct-routing")


def test_between_bridges():
    """From another bridge of the host, a routed network lets in pings and published ports; no other one does."""
    found = predictions("28.5.2")
    assert found["web", "gated", "ping"] == (True, "masquerade")
    assert found["web", "gated", "tcp/80"] == (True, "masquerade")
    assert found["web", "gated", "tcp/81"] == (False, "direct-routing")
    for to in ("free", "friend"):
        assert found["web", to, "ping"] == (False, "bridge-isolation")
    assert found["gated", "web", "ping"] == (False, "bridge-isolation")


def test_routed_publishes_nothing_on_the_host():
    """In gateway mode routed nothing takes a connection to the host's port; older engines do not know the mode."""
    assert predictions("28.5.2")["vm1", "vm0", "tcp/8082"] == (False, "publish-routed")
    assert predictions("20.10.24")["vm1", "vm0", "tcp/8082"] == (True, "published")


def test_routed_is_not_masqueraded():
    """A routed network's containers leave with their own address: the answer needs a route, and vm1 has one."""
    found = predictions("28.5.2")
    assert found["gated", "vm1", "ping"] == (True, "routed")
    assert found["free", "vm1", "ping"] == (True, "masquerade")


def test_icc_off_in_mode_routed():
    """In gateway mode routed pings pass between the ports of a bridge that icc=false keeps apart, and nothing else."""
    off = LAB.replace("ipv4: routed}", 'ipv4: routed, com.docker.network.bridge.enable_icc: "false"}')
    two = off + "  gated2: {host: vm0, networks: {gate: {ip: 10.2.0.11}}}\n"
    found = predictions("28.5.2", two)
    assert found["gated2", "gated", "ping"] == (True, "same-bridge")
    assert found["gated2", "gated", "tcp/80"] == (False, "bridge-icc")
    assert predictions("20.10.24", two)["gated2", "gated", "ping"] == (False, "bridge-icc")


def test_without_iptables():
    """Without the engine's rules nothing is kept apart and nothing masqueraded, and docker-proxy alone publishes."""
    found = predictions("28.5.2", iptables=False, forward_policy="ACCEPT")
    assert found["web", "free", "ping"] == (True, "routed")
    assert found["vm1", "vm0", "tcp/8081"] == (True, "published")
    assert found["free", "vm0", "tcp/8081"] == (True, "published")
    nobody = predictions("28.5.2", iptables=False, userland_proxy=False)
    assert nobody["vm1", "vm0", "tcp/8081"] == (None, "publish-no-proxy")


PLAIN = """  plain: {subnet: 10.6.0.0/24, driver_opts: {com.docker.network.bridge.enable_ip_masquerade: "false"}}
containers:
  bare: {host: vm0, networks: {plain: {ip: 10.6.0.10}}}
  mate: {host: vm0, networks: {nat: {ip: 10.1.0.11}}}
"""


def test_published_from_another_bridge():
    """From 29 on DNAT serves the other bridges: the server sees the host, unless its client is not masqueraded."""
    text = LAB.replace("containers:\n", PLAIN)
    for settings in ({}, {"userland_proxy": False}):
        found = predictions("29.0.0", text, **settings)
        assert found["friend", "vm0", "tcp/8081"] == (True, "published")
        assert found["bare", "vm0", "tcp/8081"] == (False, "reply-lost")
    assert predictions("28.5.2", text)["friend", "vm0", "tcp/8081"] == (True, "published")
    assert predictions("28.5.2", text, userland_proxy=False)["friend", "vm0", "tcp/8081"] == (False, "publish-no-proxy")


def test_settings_that_could_not_be_read():
    """Up to 28 docker-proxy decides of ports across bridges: who cannot read the engine's settings makes no claim."""
    text = LAB.replace("containers:\n", PLAIN)
    found = predictions("28.5.2", text, known=False)
    assert found["friend", "vm0", "tcp/8081"] == (None, "publish-no-proxy")
    assert found["mate", "vm0", "tcp/8081"] == (True, "published")
    assert found["vm1", "vm0", "tcp/8081"] == (True, "published")
    assert predictions("29.0.0", text, known=False)["friend", "vm0", "tcp/8081"] == (True, "published")


@pytest.mark.parametrize("engine", ["20.10.24", "28.5.2", "29.0.0"])
@pytest.mark.parametrize(("proxy", "by"), [(True, "docker-proxy"), (False, "DNAT")])
def test_who_serves_the_same_bridge(engine, proxy, by):
    """What comes from the published port's own bridge is the proxy's, and where no proxy runs it is DNAT's."""
    world = build(engine, LAB.replace("containers:\n", PLAIN), userland_proxy=proxy)
    rows = {(cell.source, cell.to, cell.probe): (cell, expected) for cell, expected in matrix(world)}
    for source in ("mate", "web"):
        cell, expected = rows[source, "vm0", "tcp/8081"]
        assert (expected.reachable, expected.rule) == (True, "published")
        assert f"port 8081: {by}" in expected.because(cell)


def test_ipv6_filters_follow_the_settings():
    """IPv6 is filtered from 27 on, unless the engine is told otherwise."""

    def filters(engine, **settings):
        return engine_of(Snapshot("h", f"{engine[0]}.{engine[1]}.0"), Effective(**settings)).filters

    assert filters((20, 10)) == {4}
    assert filters((28, 5)) == {4, 6}
    assert filters((20, 10), ip6tables=True) == {4, 6}
    assert filters((28, 5), ip6tables=False) == {4}
    assert filters((28, 5), iptables=False) == {6}
    assert filters((20, 10), iptables=False) == frozenset()
