"""What a machine is like beneath its engine: interfaces, routes, forwarding; one round trip per host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

from dockerlab import daemon
from dockerlab.daemon import Effective, effective
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.kernel import routes
from dockerlab.kernel.model import Link, Machine, Namespace
from dockerlab.topology import HostFacts, Nic, Route

ABOUT = (
    r"""
PATH="$PATH:/usr/sbin:/sbin"
section() { printf '\n== %s\n' "$1"; }
section id; id -u
section kernel; uname -r
section architecture; uname -m
section python; command -v python3
section nameservers; grep '^nameserver' /etc/resolv.conf
section firewall; iptables --version
section config
{ zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } | grep -E '^CONFIG_(MACVLAN|IPVLAN|VLAN_8021Q|VXLAN|DUMMY)='
section settings
"""
    + daemon.SETTINGS
)
"""What is no state of the kernel's networks. Reads only, as do the others, and they are constants all: nothing of a
definition ever becomes part of them."""

NETWORK = r"""
section ip_forward; cat /proc/sys/net/ipv4/ip_forward
section ip6_forward; cat /proc/sys/net/ipv6/conf/all/forwarding
section bridge_nf; cat /proc/sys/net/bridge/bridge-nf-call-iptables
section forward_policy; iptables -S FORWARD | head -n 1
section rp_filter; grep -H . /proc/sys/net/ipv4/conf/*/rp_filter
section gossip; [ -r /proc/net/tcp ] && cat /proc/net/tcp /proc/net/tcp6 | grep -c ':1F0A [0-9A-F]*:0000 0A '
section addresses; ip -o address show
section links; ip -o link show
section routes; ip -o -4 route show; ip -o -6 route show
"""
"""What is wanted of the kernel where nobody looks at it as a whole, or where a host has no Python for that."""

END = "section end\n"
SCRIPT = ABOUT + NETWORK + END

GOSSIP = 7946
"""The TCP port by which the hosts of a Swarm talk."""
OF_THE_KERNEL = ("ip_forward", "ip6_forward", "bridge_nf", "forward_policy", "interfaces (is iproute2 installed?)")
"""What may be missing of the facts that are the kernel's."""


def gather(host: Host, *, whole: bool = True) -> HostFacts:
    """Return the facts of a host, or those that are not its kernel's; raises HostError when it cannot be asked at all.

    Where the whole is not wanted, `of` gives the rest.
    """
    script = SCRIPT if whole else ABOUT + END
    result = host.run(["sh", "-s"], input=script.encode(), timeout=30)
    if "== end" not in result.text:
        raise HostError(host.name, f"could not read the machine's interfaces: {result.error or 'no output'}")
    return parse(host.name, result.text)


def parse(host: str, text: str) -> HostFacts:
    """Return the facts that the script's output tells; what a section does not tell is None and listed as missing.

    Raises HostError for what is not of the form that the programs of the script print.
    """
    try:
        return _parse(host, text)
    except (LookupError, ValueError) as error:
        raise HostError(host, f"what it says of its interfaces and routes cannot be understood: {error}") from error


def _parse(host: str, text: str) -> HostFacts:
    sections = read_sections(text)
    settings = _settings(host, sections)
    flags = {name: _flag(sections.get(name, [])) for name in ("ip_forward", "ip6_forward", "bridge_nf")}
    policy = _first(sections, "forward_policy").removeprefix("-P FORWARD ") or None
    missing = [name for name, value in {**flags, "forward_policy": policy}.items() if value is None]
    if not settings.known:
        missing.append(f"the engine's settings ({settings.file})")
    if not sections.get("links"):
        missing.append("interfaces (is iproute2 installed?)")
    return HostFacts(
        host=host,
        nics=_nics(sections),
        routes=tuple(route for line in sections.get("routes", []) if (route := _route(line)) is not None),
        root=_first(sections, "id") == "0",
        python=_first(sections, "python") or None,
        forward_policy=policy,
        userland_proxy=settings.userland_proxy,
        iptables=settings.iptables,
        ip6tables=settings.ip6tables,
        direct_routing=settings.direct_routing,
        live_restore=settings.live_restore,
        settings_read=settings.known,
        dns=settings.dns,
        settings_of=settings.changed_by,
        firewall=settings.backend or _first(sections, "firewall"),
        nameservers=tuple(line.split()[1] for line in sections.get("nameservers", []) if len(line.split()) > 1),
        gossip=_count(sections.get("gossip", [])),
        kernel=_first(sections, "kernel"),
        architecture=_first(sections, "architecture"),
        kernel_config=dict(line.split("=", 1) for line in sections.get("config", [])),
        missing=tuple(missing),
        **flags,
    )


def _settings(host: str, sections: Mapping[str, list[str]]) -> Effective:
    """Return what the engine runs with; nothing is known of it where the answer is not what the script prints."""
    try:
        return effective(daemon.parse(host, "\n".join(sections.get("settings", []))))
    except HostError:
        return Effective(known=False)


def of(about: HostFacts, machine: Machine) -> HostFacts:
    """Return a host's facts with those of its kernel as the survey's program saw it."""
    ground = machine.ground
    flags = {
        "ip_forward": _setting(ground, "net/ipv4/ip_forward"),
        "ip6_forward": _setting(ground, "net/ipv6/conf/all/forwarding"),
        "bridge_nf": _setting(ground, "net/bridge/bridge-nf-call-iptables"),
    }
    chain = ground.ruleset.chain("ip", "filter", "FORWARD")
    # A table that nobody has used yet lets everything through.
    policy = (chain.policy if chain is not None else "ACCEPT") if "ip" in ground.ruleset.read else None
    told = {**flags, "forward_policy": policy, OF_THE_KERNEL[-1]: ground.links or None}
    missing = [name for name, value in told.items() if value is None]
    missing += [what for what in about.missing if what not in OF_THE_KERNEL]
    return replace(
        about,
        root=machine.root,
        kernel=machine.kernel,
        nics=tuple(_nic(link, ground) for link in ground.links),
        routes=tuple(_plain(route) for route in ground.routes if _leads(route)),
        forward_policy=policy,
        gossip=None if ground.deaf else any((e.protocol, e.port) == ("tcp", GOSSIP) for e in ground.listeners),
        missing=tuple(missing),
        ip_forward=flags["ip_forward"],
        ip6_forward=flags["ip6_forward"],
        bridge_nf=flags["bridge_nf"],
    )


def _setting(ground: Namespace, path: str) -> bool | None:
    value = ground.sysctl(path)
    return None if value is None else bool(value)


def _nic(link: Link, ground: Namespace) -> Nic:
    """Return an interface with its effective filter: the larger of its own and that of `all`, as the kernel does."""
    own, of_all = (ground.sysctl(f"net/ipv4/conf/{name}/rp_filter") for name in (link.name, "all"))
    return Nic(link.name, link.addresses, link.mac, link.up, None if own is None else max(own, of_all or 0))


def _leads(route: routes.Route) -> bool:
    return route.kind == "unicast" and route.table == routes.MAIN and bool(route.hops)


def _plain(route: routes.Route) -> Route:
    """Return a route with its first hop: it is the one that counts."""
    hop = route.hops[0]
    return Route(route.destination if route.destination.prefixlen else None, hop.via, hop.device)


def read_sections(text: str) -> dict[str, list[str]]:
    """Return the lines that are not blank behind each heading `== NAME` of a script's output."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("== "):
            current = sections.setdefault(line[3:].strip(), [])
        elif line.strip():
            current.append(line)
    return sections


def _first(sections: dict[str, list[str]], name: str) -> str:
    return next(iter(sections.get(name, [])), "").strip()


def _flag(lines: list[str]) -> bool | None:
    return {"0": False, "1": True}.get(lines[0].strip()) if lines else None


def _count(lines: list[str]) -> bool | None:
    return int(lines[0]) > 0 if lines else None


def _nics(sections: dict[str, list[str]]) -> tuple[Nic, ...]:
    """Parse `ip -o`: `2: eth0@if7    inet 192.168.22.61/24 brd …` and `2: eth0@if7: <UP> … link/ether MAC …`."""
    held: dict[str, list[str]] = {}
    for line in sections.get("addresses", []):
        words = line.split()
        if len(words) > 3 and words[2] in ("inet", "inet6"):
            held.setdefault(words[1].partition("@")[0], []).append(words[3])
    filters = _rp_filters(sections.get("rp_filter", []))
    nics = []
    for line in sections.get("links", []):
        words = line.split()
        name = words[1].rstrip(":").partition("@")[0]
        mac = words[words.index("link/ether") + 1] if "link/ether" in words else ""
        up = "UP" in words[2].strip("<>").split(",")
        nics.append(Nic(name, tuple(ip_interface(a) for a in held.get(name, [])), mac, up, filters.get(name)))
    return tuple(nics)


def _rp_filters(lines: list[str]) -> dict[str, int]:
    """Return each interface's effective setting: the larger of its own and that of `all`, as the kernel does."""
    own = {line.split("/")[-2]: int(line.rpartition(":")[2]) for line in lines if line.rpartition(":")[2].isdigit()}
    return {name: max(value, own.get("all", 0)) for name, value in own.items()}


def _route(line: str) -> Route | None:
    """Parse a line of `ip -o route`, such as `default via 192.168.22.1 dev eth0`; None for what is no unicast route.

    Of several next hops it is the first that counts.
    """
    words = line.split()
    if words[0] in ("unreachable", "blackhole", "prohibit", "multicast", "broadcast", "local") or "dev" not in words:
        return None
    after = words[words.index("via") + 1 :] if "via" in words else []
    via = ip_address(after[1] if after[0] in ("inet", "inet6") else after[0]) if after else None
    destination = None if words[0] == "default" else ip_network(words[0], strict=False)
    return Route(destination, via, words[words.index("dev") + 1])
