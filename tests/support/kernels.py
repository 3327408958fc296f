"""A small host made by hand, as it was imagined and as it was surveyed: `web` and `db` on a bridge, `web` published."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from itertools import pairwise

from dockerlab.drift.kernel import Sided
from dockerlab.kernel import iptables
from dockerlab.kernel.model import Link, Listener, Machine, Namespace, Proxy
from dockerlab.kernel.routes import Hop, Route, Selector
from dockerlab.walk.outcome import SpaceId

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
    own = f"local {held.ip} dev {device} table local"
    return (route(f"{held.network} dev {device} proto kernel scope link src {held.ip}"), route(own))


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


def sided(host, first):
    """Return a host as one side of a comparison."""
    return Sided({"vm0": host}, {name: SpaceId("vm0", first + n) for n, name in enumerate(("web", "db"))})


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
