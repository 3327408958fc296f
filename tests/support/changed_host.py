"""A small host made by hand, as it was imagined and as it was surveyed: `web` and `db` on a bridge, `web` published."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from itertools import pairwise

from dockerlab.drift.kernel import Sided
from dockerlab.imagined import ground
from dockerlab.imagined.machines import machines
from dockerlab.kernel import iptables, nft
from dockerlab.kernel.model import Link, Listener, Machine, Namespace, Proxy
from dockerlab.kernel.routes import Hop, Route, Selector
from dockerlab.kernel.rules import Ruleset
from dockerlab.versions import Engine, numbers
from dockerlab.walk.outcome import SpaceId
from support.labs import lab

RULES = """
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.28.1.0/24 ! -o br-front -j MASQUERADE
-A DOCKER ! -i br-front -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.28.1.10:80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o br-front -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o br-front -j DOCKER
-A FORWARD -i br-front ! -o br-front -j ACCEPT
-A FORWARD -i br-front -o br-front -j ACCEPT
-A DOCKER -d 172.28.1.10/32 ! -i br-front -o br-front -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
"""

SELECTORS = (
    Selector(4, 0, table="local", text="0: from all lookup local"),
    Selector(4, 32766, table="main", text="32766: from all lookup main"),
    Selector(4, 32767, table="default", text="32767: from all lookup default"),
)


def link(index, name, kind="", mac="", **more):
    """Return a link whose addresses are texts."""
    addresses = tuple(map(ip_interface, more.pop("addresses", ())))
    return Link(index, name, kind, mac, more.pop("mtu", 1500), addresses=addresses, **more)


def route(text, device="", **more):
    """Return a route as `ip route` prints it: `DESTINATION [via ROUTER] dev DEVICE …`."""
    words = text.split()
    if words[0] in ("local", "broadcast", "blackhole", "unreachable", "prohibit"):
        more["kind"] = words.pop(0)
    after = dict(pairwise(words))
    device = device or after.get("dev", "")
    hops = (Hop(device, ip_address(after["via"]) if "via" in after else None),) if device else ()
    to = ip_network("0.0.0.0/0" if words[0] == "default" else words[0])
    metric = int(after.get("metric", 0))
    return Route(to, hops=hops, table=after.get("table", "main"), metric=metric, text=text, **more)


def brought(address, device):
    """Return the routes that the kernel makes of an address."""
    held = ip_interface(address)
    connected = f"{held.network} dev {device} proto kernel scope link src {held.ip}"
    own = f"local {held.ip} dev {device} table local proto kernel scope host src {held.ip}"
    return (route(connected, source=held.ip, scope="link"), route(own, source=held.ip, scope="host"))


def machine(rules=RULES, *, first=100, pid=0):
    """Return the host; `first` is where an engine begins to count, and `pid` the first of the containers' processes."""
    ground = Namespace(
        1, host=True,
        links=(
            link(1, "lo", addresses=["127.0.0.1/8"]),
            link(2, "eth0", mac="02:00:00:00:00:61", addresses=["192.168.22.61/24"]),
            link(3, "br-front", "bridge", mac="02:42:00:00:00:01", addresses=["172.28.1.1/24"]),
            *(link(first + n, f"veth{first + n:x}", "veth", peer=first + 10 + n, away=True, master="br-front")
              for n in (0, 1)),
        ),
        routes=(
            route("default via 192.168.22.1 dev eth0"),
            *brought("192.168.22.61/24", "eth0"),
            *brought("172.28.1.1/24", "br-front"),
        ),
        selectors=SELECTORS,
        sysctls={"net/ipv4/ip_forward": "1", "net/ipv4/conf/eth0.50/rp_filter": "2",
                 f"net/ipv4/conf/veth{first:x}/rp_filter": "2"},
        ruleset=iptables.read(rules, "ip"),
        listeners=(Listener("tcp", "0.0.0.0", 8080, ((pid + 90, "docker-proxy"),)),),
    )  # fmt: skip
    proxies = (Proxy(pid + 90, "tcp", "0.0.0.0", 8080, "172.28.1.10", 80),)
    boxes = (_box(n, first, pid) for n in (0, 1))
    return Machine("vm0", root=True, namespaces=(ground, *boxes), proxies=proxies)


def _box(number, first, pid):
    own = f"172.28.1.1{number}/24"
    return Namespace(
        first + number, pids=(pid + 10 + number,),
        links=(
            link(1, "lo", addresses=["127.0.0.1/8"]),
            link(first + 10 + number, "eth0", "veth", f"02:42:ac:1c:01:1{number}", peer=first + number, away=True,
                 addresses=[own]),
        ),
        routes=(route("default via 172.28.1.1 dev eth0"), *brought(own, "eth0")),
        selectors=SELECTORS,
        ruleset=iptables.read("", "ip"),
        listeners=(Listener("tcp", "::", 80, ((pid + 10 + number, "httpd"),)),),
    )  # fmt: skip


def neighbour():
    """Return another host on the LAN, with nothing of Docker on it."""
    ground = Namespace(
        1, host=True,
        links=(link(1, "lo", addresses=["127.0.0.1/8"]),
               link(2, "eth0", mac="02:00:00:00:00:62", addresses=["192.168.22.62/24"])),
        routes=(route("default via 192.168.22.1 dev eth0"), *brought("192.168.22.62/24", "eth0")),
        selectors=SELECTORS,
        ruleset=iptables.read("", "ip"),
        listeners=(Listener("tcp", "0.0.0.0", 9000, ((5, "nc"),)),),
    )  # fmt: skip
    return Machine("vm1", root=True, namespaces=(ground,))


def sided(host, first):
    """Return a host as one side of a comparison, beside its neighbour."""
    homes = {name: SpaceId("vm0", first + n) for n, name in enumerate(("web", "db"))}
    return Sided({"vm0": host, "vm1": neighbour()}, homes)


def imagined():
    """Return the host as an engine would have made it: numbers and names are made up."""
    return sided(machine(), 100)


def surveyed(host=None):
    """Return the host as it was found, which is as it was imagined unless another one is given."""
    return sided(host or machine(first=7, pid=1000), 7)


def with_space(host, identity, **parts):
    """Return a host with other parts in one namespace."""
    spaces = tuple(replace(s, **parts) if s.id == identity else s for s in host.namespaces)
    return replace(host, namespaces=spaces)


def with_link(host, identity, name, **parts):
    """Return a host with another link of that name in one namespace."""
    space = host.space(identity)
    links = tuple(replace(each, **parts) if each.name == name else each for each in space.links)
    return with_space(host, identity, links=links)


GROUND, WEB, DB = 1, 7, 8


def base():
    """Return the host as it was found, and as it should be."""
    return machine(first=7, pid=1000)


def ruled(text, *more):
    """Return the host with other rules."""
    ruleset = iptables.read(text, "ip")
    for other in more:
        ruleset = Ruleset(ruleset.chains + other.chains, ruleset.sets + other.sets, ruleset.read | other.read)
    return with_space(base(), GROUND, ruleset=ruleset)


def drop_all(chain):
    """Return rules that drop everything in one chain."""
    return f"*filter\n:{chain} ACCEPT [0:0]\n-A {chain} -j DROP\nCOMMIT\n"


def after(line, *new, text=RULES):
    """Return the rules with others behind one of them."""
    assert line in text
    return text.replace(f"{line}\n", "\n".join((line, *new, "")))


def without(*lines):
    """Return the rules without some."""
    text = RULES
    for line in lines:
        assert line in text
        text = text.replace(f"{line}\n", "")
    return text


def plus(identity, part, *more):
    """Return the host with more of something in one namespace."""
    host = base()
    return with_space(host, identity, **{part: (*getattr(host.space(identity), part), *more)})


def minus(identity, part, keep):
    """Return the host with only those of something in one namespace that are to be kept."""
    host = base()
    return with_space(host, identity, **{part: tuple(filter(keep, getattr(host.space(identity), part)))})


def tuned(path, value):
    """Return the host with another value of a setting."""
    host = base()
    return with_space(host, GROUND, sysctls=host.ground.sysctls | {path: value})


def down(identity, name):
    """Return the host with a link put down, and its routes gone as the kernel takes them."""
    host = with_link(base(), identity, name, up=False, carrier=False, state="DOWN")
    routes = [r for r in host.space(identity).routes if {hop.device for hop in r.hops} != {name}]
    return with_space(host, identity, routes=tuple(routes))


def nft_table(policy="accept", handle=9):
    """Return a ruleset of nftables that drops what goes to port 80."""
    place = {"family": "inet", "table": "fw"}
    match = {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}
    objects = [
        {"table": {"family": "inet", "name": "fw", "handle": 1}},
        {"chain": place | {"name": "fwd", "handle": 1, "type": "filter", "hook": "forward", "prio": -5,
                           "policy": policy}},
        {"rule": place | {"chain": "fwd", "handle": handle, "expr": [{"match": match}, {"drop": None}]}},
    ]  # fmt: skip
    return nft.read({"nftables": objects})


def readdressed():
    """Return the host with an address taken off a container, and what the kernel takes with it."""
    host = with_link(base(), WEB, "eth0", addresses=())
    return with_space(host, WEB, routes=())


def foreign_link():
    """Return the host with an interface that is nobody's, its address and its routes."""
    host = plus(GROUND, "links", link(20, "shim", "macvlan", addresses=["192.168.22.250/32"], peer=2))
    more = route("192.168.22.200 dev shim scope link")
    return with_space(host, GROUND, routes=(*host.ground.routes, more))


def cableless():
    """Return the host with a container's cable pulled out: both ends are gone."""
    host = minus(GROUND, "links", lambda each: each.name != "veth7")
    space = host.space(WEB)
    return with_space(host, WEB, links=space.links[:1], routes=())


def wired():
    """Return the host with one more cable from a container to the bridge."""
    host = plus(GROUND, "links", link(30, "wire", "veth", peer=31, away=True, master="br-front"))
    own = link(31, "eth9", "veth", "02:42:00:00:00:99", peer=30, away=True, addresses=["172.28.1.99/24"])
    space = host.space(DB)
    routes = (*space.routes, *brought("172.28.1.99/24", "eth9"))
    return with_space(host, DB, links=(*space.links, own), routes=routes)


def of(book, change=lambda space: space):
    """Return the kernel of a host on which there is what its engine's book says, with its own namespace changed."""
    alone = lab(f"containers: {{alone: {{network_mode: none, host: {book.host}}}}}\nhosts: {{{book.host}: null}}")
    engines = {book.host: Engine(numbers(book.engine_version))}
    made = machines(alone, {book.host: book}, ground.made_up(alone), engines).machines[book.host]
    return replace(made, namespaces=tuple(change(space) if space.host else space for space in made.namespaces))
