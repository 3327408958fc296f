"""Namespaces and parents held against what the engine gave: who is changed behind its back is named."""

import json
from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest
from support.facts import way
from support.lab_hosts import EXAMPLES, NAMES
from support.labs import lab, read, running
from support.machinery import failed, program_said
from support.worlds import pretended

from dockerlab.drift import inside
from dockerlab.drift.kernel import Sided, differences, mended
from dockerlab.hosts.fake import FakeHost
from dockerlab.kernel.model import Link
from dockerlab.kernel.routes import Neighbour
from dockerlab.reach import matrix
from dockerlab.survey.inside import look_inside
from dockerlab.verify.causes import upon

DEMO = """
    hosts: {vm0: , vm1: }
    networks:
      front: {subnet: 172.28.1.0/24, gateway: 172.28.1.1}
      lan: {driver: macvlan, subnet: 10.9.0.0/24, gateway: 10.9.0.1, parent: eth0.50}
      wide: {driver: overlay, subnet: 10.8.0.0/24}
    containers:
      web: {host: vm0, networks: {front: {ip: 172.28.1.10}}}
      side: {network_mode: "container:web"}
      other: {host: vm0, networks: {front: {ip: 172.28.1.11}}}
      plain: {host: vm0}
      far: {host: vm1, networks: {lan: {ip: 10.9.0.5}}}
      up: {host: vm1, networks: {wide: {ip: 10.8.0.5}}}
"""


def engines_of(definition):
    """Return what the engines say of a lab that runs, with a MAC address for each place in it."""
    found, number = {}, 0
    for host, snapshot in running(definition).snapshots().items():
        containers = []
        for container in snapshot.containers:
            number += 1
            places = {n: replace(p, mac=f"02:42:00:00:00:{number:02x}") for n, p in container.endpoints.items()}
            containers.append(replace(container, endpoints=places))
        found[host] = replace(snapshot, containers=tuple(containers))
    return found


def side(world):
    return Sided(world.fabric.net.machines, world.homes)


def at(name):
    """Return what changes the namespace of a container, and leaves the others."""
    return lambda world, change: {
        host: replace(m, namespaces=tuple(change(s) if s.id == world.homes[name].space else s for s in m.namespaces))
        if host == world.homes[name].host
        else m
        for host, m in world.fabric.net.machines.items()
    }


def told(name, change=lambda space: space, definition=None):
    """Return what is said once the namespace of a container, or of a host, of the demo was changed."""
    definition = definition or lab(DEMO)
    snapshots = engines_of(definition)
    world = pretended(definition, None, running(definition).facts(), snapshots)
    there = replace(side(world), machines=at(name)(world, change))
    found = differences(side(world), there)
    return [str(each) for each in inside.beneath(definition, snapshots, there.machines, found)]


def with_link(**changes):
    return lambda space: replace(
        space, links=tuple(replace(link, **changes) if link.name == "eth0" else link for link in space.links)
    )


def with_default(*gateways):
    """Return what gives a namespace these default routes, and no other."""
    routes = tuple(way(None, gateway, "eth0") for gateway in gateways)
    return lambda space: replace(space, routes=(*(r for r in space.routes if r.destination.prefixlen), *routes))


def with_neighbour(address, mac):
    return lambda space: replace(space, neighbours=(Neighbour(ip_address(address), "eth0", mac),))


def without_links(space):
    return replace(space, links=space.links[:1], routes=())


@pytest.mark.parametrize("name", NAMES)
def test_an_example_as_it_was_made(name):
    """What an engine has made, and nobody has changed, is named nowhere."""
    definition = read(EXAMPLES / f"{name}.yaml")
    assert told(next(iter(definition.hosts)), definition=definition) == []


def test_what_was_changed_in_a_namespace():
    """Each change is named with what the engine gave, and the command that makes the namespace anew."""
    (gateway,) = told("web", with_default("172.28.1.254"))
    assert gateway == (
        "vm0: container web has its default route by 172.28.1.254, and the engine gave it 172.28.1.1; "
        "right would be: docker restart web"
    )
    (none,) = told("web", with_default())
    assert "has no default route, and the engine gave it one by 172.28.1.1;" in none
    (mask,) = told("web", with_link(addresses=(ip_interface("172.28.1.10/32"),)))
    assert "has a wrong subnet mask on eth0: 172.28.1.10/32, and the engine gave it 172.28.1.10/24;" in mask
    (down,) = told("web", with_link(up=False))
    assert "has its interface eth0 down" in down
    (gone,) = told("web", with_link(addresses=()))
    assert "lacks the address 172.28.1.10/24 on eth0, which the engine gave it;" in gone
    (unplugged,) = told("web", without_links)
    assert "has no interface for 172.28.1.10/24, which the engine gave it on front;" in unplugged


def test_a_namespace_that_is_shared():
    """What was changed in a namespace is told of the container that it was made for, whoever stands first."""
    text = DEMO.replace('      side: {network_mode: "container:web"}\n', "")
    text = text.replace("      web: ", '      side: {network_mode: "container:web"}\n      web: ')
    (down,) = told("web", with_link(up=False), lab(text))
    assert "vm0: container web has its interface eth0 down" in down


def test_who_else_has_an_address():
    """An address of another one of the lab's containers is named with whose it is; any other is one's own affair."""
    twice = (ip_interface("172.28.1.10/24"), ip_interface("172.28.1.11/24"))
    (said,) = told("web", with_link(addresses=twice))
    assert "has the address 172.28.1.11 of other on eth0 as well;" in said
    assert told("web", with_link(addresses=(twice[0], ip_interface("172.28.1.99/24")))) == []


def test_a_neighbour_entry_that_stays():
    """An entry that never expires is wrong where it has another MAC address than its holder was given."""
    definition = lab(DEMO)
    place = engines_of(definition)["vm0"].container("other").endpoints["front"]
    (said,) = told("web", with_neighbour("172.28.1.11", "02:00:de:ad:be:ef"))
    assert "by which 172.28.1.11 (other) has the MAC address 02:00:de:ad:be:ef; it is " + place.mac in said
    assert told("web", with_neighbour("172.28.1.11", place.mac.upper())) == []


def test_an_overlay_that_has_lost_sight_of_a_host():
    """Its engine should know where the other host's containers are; the command tells the kernel in its place."""
    web = "web: {host: vm0, networks: {front: {ip: 172.28.1.10}"
    definition = lab(DEMO.replace(web, f"{web}, wide: {{ip: 10.8.0.9}}"))
    world = pretended(definition, None, running(definition).facts(), engines_of(definition))
    there = {
        name: replace(m, namespaces=tuple(
            replace(s, forwards=(), neighbours=()) if s.forwards and name == "vm1" else s for s in m.namespaces
        ))
        for name, m in world.fabric.net.machines.items()
    }  # fmt: skip
    (found,) = differences(side(world), replace(side(world), machines=there))
    assert (found.host, found.who, found.kind, found.where) == ("vm1", "vm1", "neighbour", "vxlan0")
    assert "does not know who is on 192.168.22.61" in str(found)
    assert "ip neighbour replace 10.8.0.9 lladdr" in found.undo
    assert "bridge fdb replace" in found.undo
    cured = upon(world, mended(there, [found]))
    assert matrix(cured) == matrix(world)
    assert matrix(upon(world, there)) != matrix(world)


def test_a_name_server():
    """On a network of one's own the engine's name server is asked; on docker0 anybody may be."""
    definition = lab(DEMO)
    snapshots = engines_of(definition)
    (said,) = map(str, inside.resolvers(definition, snapshots, {"web": ("192.0.2.53",), "plain": ("192.0.2.53",)}))
    assert "asks 192.0.2.53 for names, and the engine's name server is 127.0.0.11; right would be: docker exec" in said
    assert list(inside.resolvers(definition, snapshots, {"web": (inside.OWN_RESOLVER,)})) == []


def test_more_than_a_tunnel_takes():
    """An interface of an overlay network sends no more than a tunnel takes; elsewhere the size is free."""
    (said,) = told("up", with_link(mtu=9000))
    assert "has MTU 9000 on eth0, and the tunnel of wide takes 1450;" in said
    assert told("web", with_link(mtu=9000)) == []


def test_a_parent_that_is_down():
    """A parent that is down is named with its network and host; one that is up, or not known, is not."""
    (said,) = told("vm1", lambda space: replace(
        space, links=tuple(replace(link, up=link.name != "eth0.50") for link in space.links)
    ))  # fmt: skip
    assert said == (
        "vm1: network lan has a parent that is down: no frame leaves vm1 by eth0.50, and none enters; "
        "right would be: ip link set eth0.50 up"
    )
    assert told("vm1") == []


def test_what_rides_on_a_parent_that_is_down():
    """With the parent its children lose their carrier: the parent alone is named, and put right it is as it was."""
    definition = lab(DEMO + "      near: {host: vm0, networks: {lan: {ip: 10.9.0.6}}}\n")
    world = pretended(definition, None, running(definition).facts(), engines_of(definition))

    def fallen(space):
        links = (
            replace(link, up=False) if space.host and link.name == "eth0.50"
            else replace(link, carrier=False) if link.kind == "macvlan" else link for link in space.links
        )  # fmt: skip
        return replace(space, links=tuple(links))

    there = {
        name: replace(m, namespaces=tuple(map(fallen, m.namespaces))) if name == "vm1" else m
        for name, m in world.fabric.net.machines.items()
    }
    (found,) = differences(side(world), replace(side(world), machines=there))
    assert (found.host, found.kind, found.where, found.undo) == ("vm1", "link", "eth0.50", "ip link set eth0.50 up")
    (lost,) = (
        told
        for cell, told in matrix(upon(world, there))
        if (cell.source, cell.to, cell.probe) == ("far", "near", "ping")
    )
    assert (lost.reachable, lost.rule, lost.text) == (False, "link-down", "eth0 has no carrier, at far")
    assert matrix(upon(world, mended(there, [found]))) == matrix(world)


PLAIN = """
    hosts: {vm0: }
    containers: {web: {host: vm0}, side: {network_mode: "container:web"}}
"""
ADDRESS = [
    {},
    {
        "ifindex": 2,
        "ifname": "eth0",
        "link_type": "ether",
        "flags": ["UP"],
        "mtu": 1500,
        "address": "02:42:ac:11:00:02",
        "addr_info": [{"local": "172.17.0.2", "prefixlen": 16}],
    },
]


ROUTES = [{"dst": "default", "gateway": "172.17.0.1", "dev": "eth0", "flags": []}]


def test_what_a_namespace_says():
    """What `ip` prints is read, also where it prints nothing at all for an empty list."""
    definition = lab(PLAIN)
    snapshots = running(definition).snapshots()
    pid = snapshots["vm0"].container("web").pid
    said = program_said({pid: {"address": ADDRESS, "route": ROUTES}}, resolver="# none\nnameserver 192.168.22.1\n")
    host = FakeHost("vm0", lambda *_: json.dumps(said))
    found, unseen = look_inside(definition, snapshots, {"vm0": host})
    link = Link(2, "eth0", mac="02:42:ac:11:00:02", mtu=1500, addresses=(ip_interface("172.17.0.2/16"),))
    assert found.keys() == {"web"}
    web = found["web"]
    assert (web.links, web.gateways(4), web.gateways(6)) == ((link,), ("172.17.0.1",), ())
    assert web.nameservers == ("192.168.22.1",)
    assert unseen == {}
    assert json.loads(host.calls[0][-1]) == {"pids": [pid], "detail": "all"}


def test_a_namespace_that_says_nothing():
    """What could not be read is not taken for an empty namespace."""
    definition = lab(PLAIN)
    snapshots = running(definition).snapshots()
    pid = snapshots["vm0"].container("web").pid
    refused = program_said({})
    refused["unread"] = {f"/proc/{pid}/ns/net": "[Errno 13] Permission denied"}
    found, unseen = look_inside(definition, snapshots, {"vm0": FakeHost("vm0", lambda *_: json.dumps(refused))})
    assert found == {}
    why = "the network namespaces of 1 container: [Errno 13] Permission denied"
    assert unseen == {"web": f"vm0: the network namespace of web cannot be read: {why}"}
    broken = program_said({pid: {"address": ADDRESS}})
    broken["namespaces"][-1]["said"]["address"] = failed(["ip", "-json"], "Object is unknown")
    found, unseen = look_inside(definition, snapshots, {"vm0": FakeHost("vm0", lambda *_: json.dumps(broken))})
    assert found == {}
    assert unseen["web"].endswith("`ip -json` failed (exit code 1): Object is unknown")
