"""By which rule a cell is told that somebody's change of a host decides, and in which words."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from support.labs import lab, running
from support.worlds import pretended

from dockerlab.imagined import ground
from dockerlab.imagined.books import books
from dockerlab.kernel import iptables
from dockerlab.kernel.routes import Selector
from dockerlab.reach import matrix, worlds
from dockerlab.versions import Engine, numbers
from dockerlab.walk.compiled import Fabric

BRIDGES = """
networks:
  n: {subnet: 10.1.0.0/24}
  m: {subnet: 10.2.0.0/24}
containers:
  n1: {networks: [n]}
  n2: {networks: [n]}
  m1: {networks: [m], ports: ["8080:80"]}
outside: {internet: {address: 203.0.113.10}}
"""
OVERLAY = """
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks: {wide: {driver: overlay, subnet: 10.50.0.0/24, driver_opts: {encrypted: ""}}}
containers:
  left: {host: vm0, networks: [wide]}
  right: {host: vm1, networks: [wide]}
"""

TWINS = """
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks:
  n: {subnet: 10.1.0.0/24, driver_opts: {com.docker.network.bridge.enable_ip_masquerade: "false"}}
  k: {subnet: 10.1.0.0/24}
containers:
  n1: {host: vm0, networks: [n]}
  k1: {host: vm1, networks: [k]}
"""


def told(text, name, change, source, to, probe="ping"):
    """Return what is predicted of a cell where the namespace of a host or a container is what `change` makes of it."""
    definition = lab(text)
    world = pretended(definition, running(definition))
    home = world.homes[name]
    machine = world.fabric.net.machines[home.host]
    spaces = tuple(change(space) if space.id == home.space else space for space in machine.namespaces)
    machines = {**world.fabric.net.machines, home.host: replace(machine, namespaces=spaces)}
    now = replace(world, fabric=Fabric(replace(world.fabric.net, machines=machines)))
    (found,) = ((cell, e) for cell, e in matrix(now) if (cell.source, cell.to, cell.probe) == (source, to, probe))
    return found


def chain(table, name, change):
    """Return a change of one chain of IPv4."""

    def changed(space):
        chains = tuple(
            change(each) if (each.family, each.table, each.name) == ("ip", table, name) else each
            for each in space.ruleset.chains
        )
        return replace(space, ruleset=replace(space.ruleset, chains=chains))

    return changed


def first(text):
    """Return a change by which FORWARD begins with a rule."""
    rule = replace(iptables.rule("ip", "filter", f"-A FORWARD {text}"), number=1)
    return chain("filter", "FORWARD", lambda each: replace(each, rules=(rule, *each.rules)))


def setting(path, value):
    return lambda space: replace(space, sysctls={**space.sysctls, path: value})


def links(fits, **changes):
    """Return a change of those interfaces that a test picks."""

    def changed(space):
        assert any(map(fits, space.links))
        return replace(space, links=tuple(replace(link, **changes) if fits(link) else link for link in space.links))

    return changed


def forbidden(space):
    rule = Selector(4, 10, "prohibit", source=ip_network("10.1.0.0/24"), text="10: from 10.1.0.0/24 prohibit")
    return replace(space, selectors=(rule, *space.selectors))


def silent(space):
    return replace(space, listeners=())


def is_bridge(link):
    return link.kind == "bridge" and any(address.ip in ip_network("10.1.0.0/24") for address in link.addresses)


def is_port(link):
    return link.kind == "veth" and bool(link.master)


CHANGES = [
    ("local", first("-s 10.1.0.0/24 -j DROP"), ("n1", "n2"), "foreign-rule", "filter FORWARD 1 on local drops it"),
    (
        "local", first("-j REJECT"), ("n1", "internet"), "foreign-rule", "filter FORWARD 1 on local refuses it",
    ),
    (
        "local", chain("filter", "INPUT", lambda each: replace(each, policy="DROP")), ("n1", "local"),
        "foreign-policy", "the policy of filter INPUT is DROP",
    ),
    ("local", forbidden, ("n1", "internet"), "policy-route", "from 10.1.0.0/24 prohibit"),
    (
        "local", setting("net/ipv4/icmp_echo_ignore_all", "1"), ("n1", "local"),
        "kernel-setting", "net.ipv4.icmp_echo_ignore_all = 1",
    ),
    ("local", links(is_bridge, up=False), ("n1", "n2"), "link-down", "is down"),
    ("local", links(is_port, info={"state": "blocking"}), ("n1", "n2"), "bridge-port", "is blocking, at host local"),
    ("local", links(is_bridge, mtu=40), ("n2", "local"), "mtu", "the MTU of"),
    ("m1", silent, ("n1", "local", "tcp/8080"), "proxy-for-nobody", "docker-proxy of local takes the connection"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "ends", "rule", "because"), CHANGES, ids=[each[3] for each in CHANGES])
def test_what_a_change_of_a_host_is_called(name, change, ends, rule, because):
    """A cell that somebody's change of a host decides is told by that object and the rule for its kind."""
    cell, found = told(BRIDGES, name, change, *ends)
    assert (found.reachable, found.rule) == (False, rule)
    assert because in found.because(cell)


def test_a_rule_that_cannot_be_known():
    """Where a condition that no look at the host shows decides, there is no claim, and the rule is quoted."""
    cell, found = told(BRIDGES, "local", first("-m limit --limit 1/sec -j DROP"), "n1", "n2")
    assert (found.reachable, found.rule) == (None, "unseen-match")
    assert "filter FORWARD 1" in found.because(cell)


def test_a_sender_who_is_not_believed():
    """A host with a strict `rp_filter` and a bridge of the sender's own subnet believes nobody from elsewhere."""
    cell, found = told(TWINS, "vm1", setting("net/ipv4/conf/all/rp_filter", "1"), "n1", "vm1")
    assert (found.reachable, found.rule) == (False, "rp-filter")
    assert "vm1 drops it: rp_filter" in found.because(cell)


def test_an_encrypted_overlay_in_the_clear():
    """A host whose frames of an encrypted overlay are not marked is not heard, by a rule of Docker's own."""
    cell, found = told(OVERLAY, "vm0", chain("mangle", "OUTPUT", lambda each: replace(each, rules=())), "left", "right")
    assert (found.reachable, found.rule) == (False, "overlay-encrypted")
    assert "do not come in in the clear" in found.because(cell)


ROUTED = """
networks:
  n: {subnet: 10.1.0.0/24}
  r: {subnet: 10.2.0.0/24, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed}}
containers:
  n1: {networks: [n]}
  r1: {networks: [r], expose: [9]}
"""


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
def test_the_two_backends_of_an_engine(backend):
    """What either backend of an engine drops is told by the same rule, and by the name of the program."""
    definition = lab(ROUTED)
    engines = {"local": Engine(numbers("29.8"), backend=backend)}
    book = books(definition, {"local": "29.8"})
    world = worlds.imagined(definition, book, ground.made_up(definition), engines, {})
    found = {(cell.source, cell.to, cell.probe): (e.rule, e.because(cell)) for cell, e in matrix(world)}
    assert found["n1", "r1", "tcp/9"][0] == "direct-routing"
    rule, because = found["r1", "n1", "ping"]
    assert rule == "bridge-isolation"
    assert f"bridge n of local is another bridge of local: {backend} drops" in because
