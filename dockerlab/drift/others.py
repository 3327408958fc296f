"""Neighbours, settings, sockets and docker-proxies that are missing, foreign or changed; pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from ipaddress import ip_address

from dockerlab.drift import undo
from dockerlab.drift.difference import Difference, Told, difference, how_of, key_of, setting_key, sides_of
from dockerlab.drift.edits import Hand, Swap, Tune
from dockerlab.drift.sides import Pair
from dockerlab.kernel.model import Listener, Machine, Proxy
from dockerlab.kernel.routes import Neighbour

EVERYWHERE = ("", "*", "::", "0.0.0.0")  # noqa: S104 - compared, not bound
FORWARDING = {
    4: ("net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"),
    6: ("net/ipv6/conf/all/forwarding",),
}
"""What the kernel sets for all interfaces when it is set (`devinet_sysctl_forward`, `addrconf_fixup_forwarding`)."""
BEGINNING = frozenset(
    {"arp_ignore", "arp_announce", "arp_filter", "proxy_arp", "proxy_arp_pvlan", "rp_filter", "accept_local"}
    | {"route_localnet", "proxy_ndp", "src_valid_mark", "ignore_routes_with_linkdown"}
    | {"icmp_echo_ignore_all", "echo_ignore_all"}
)
"""Settings that are 0 when a kernel begins, and those of interfaces what they are by default when one is made."""
RESOLVER = "127.0.0.11"
"""Where an engine's name server has a port of the kernel's choice, in each container."""


def neighbours(pair: Pair) -> Iterator[Difference]:
    """Yield the neighbour entries that somebody fixed, deleted or changed."""
    if "neighbours" in pair.there.unread or "neighbours" in pair.wanted.unread:
        return
    where = undo.place(pair.there)
    ours = {(each.address, each.device): each for each in pair.wanted.neighbours}
    theirs = {(each.address, each.device): each for each in pair.there.neighbours}
    for key, now in theirs.items():
        right = ours.get(key)
        if right is None:
            says = f"the neighbour entry {now.address} on {now.device} never expires, and says {now.mac or 'proxy'}"
            yield _neighbour(pair, now, None, says, undo.neighbour(where, "del", now))
        elif (right.mac.lower(), right.proxy) != (now.mac.lower(), now.proxy):
            says = f"the neighbour entry {now.address} on {now.device} says {now.mac}, where it would be {right.mac}"
            yield _neighbour(pair, now, right, says, undo.neighbour(where, "replace", right))
    for key, right in ours.items():
        if key not in theirs:
            says = f"the neighbour entry {right.address} on {right.device} is missing"
            yield _neighbour(pair, None, right, says, undo.neighbour(where, "add", right))


def _neighbour(pair: Pair, now: Neighbour | None, right: Neighbour | None, says: str, back: str) -> Difference:
    shown = now or right
    if shown is None:
        raise ValueError("a neighbour entry that is on neither side")
    told = Told(shown.device, f"{shown.address} lladdr {shown.mac or 'proxy'}", says, back)
    edits = [Swap(pair.at, "neighbours", now, right)]
    return difference(pair, how_of(now, right), "neighbour", told, edits, sides_of(pair, now, right))


def settings(pair: Pair) -> Iterator[Difference]:
    """Yield the settings that have another value, of those that were imagined or that a kernel begins with.

    What one setting says for all interfaces is told once: forwarding of an interface only where it is its own. Whether
    a container forwards is not compared where nobody forwards on its behalf: a new namespace has it from the host's
    first one, which is not always the host's own.
    """
    if "sysctls" in pair.there.unread or "sysctls" in pair.wanted.unread:
        return
    for path, now in pair.there.sysctls.items():
        right = _expected(pair, path)
        if right is None or not now or now == right or _by_another(pair, path, now):
            continue
        name = undo.setting(path)
        back = undo.sysctl(undo.place(pair.there), path, right)
        says = f"{name} is {now}, where it would be {right}"
        told_of = Told(name, f"{name} = {now}", says, back)
        keys = [setting_key(pair.at, each) for each in (path, *_below(pair, path))]
        keys += [setting_key(pair.origin, path)]
        edits = [Tune(pair.at, each, right) for each in (path, *_below(pair, path))]
        yield difference(pair, "changed", "sysctl", told_of, edits, keys)


def _expected(pair: Pair, path: str) -> str | None:
    """Return the value that a setting would have, None where nobody knows."""
    above = next(iter(FORWARDING.get(_version(path), ())), "")
    forwards = path.endswith(("/forwarding", "/ip_forward"))
    if forwards and not pair.of_host:
        return None
    known = pair.wanted.sysctls.get(path)
    if known is None and forwards:
        return pair.wanted.sysctls.get(above)
    link, key = _of_link(path)
    if known is not None or key not in BEGINNING or (link and pair.wanted.link(link) is None):
        return known
    return pair.wanted.sysctls.get(path.replace(f"/{link}/", "/default/"), "0")


def _of_link(path: str) -> tuple[str, str]:
    """Return of which interface a setting is, empty for one of all, and what it is called."""
    head, _, key = path.rpartition("/")
    link = head.partition("/conf/")[2]
    return ("" if link in ("all", "default") else link), key


def _version(path: str) -> int:
    return 4 if path.startswith("net/ipv4/") else 6 if path.startswith("net/ipv6/") else 0


def _by_another(pair: Pair, path: str, now: str) -> bool:
    """Tell whether a setting is what another one, for all interfaces, has made of it."""
    above = _above(pair, path)
    return path.endswith("/forwarding") and path != above and now == pair.there.sysctls.get(above)


def _above(pair: Pair, path: str) -> str:
    """Return the setting by which all interfaces forward; under one of its names it may not be readable."""
    version = _version(path)
    return next((each for each in FORWARDING.get(version, ()) if pair.there.sysctls.get(each)), "")


def _below(pair: Pair, path: str) -> list[str]:
    """Return the settings that a kernel sets with another one."""
    if path != _above(pair, path):
        return []
    start = f"net/ipv{_version(path)}/conf/"
    return [p for p in pair.there.sysctls if p.startswith(start) and p.endswith("/forwarding") and p != path]


def sockets(pair: Pair, proxied: frozenset[Hashable] = frozenset()) -> Iterator[Difference]:
    """Yield who listens in a namespace and was not imagined to, or the other way round; `proxied` are proxies' own."""
    if pair.there.deaf or pair.wanted.deaf:
        return
    ours = {place(each): each for each in pair.wanted.listeners if each.address != RESOLVER}
    theirs = {place(each): each for each in pair.there.listeners if each.address != RESOLVER}
    for key, now in theirs.items():
        if key not in ours and key not in proxied:
            pid, name = now.holders[0] if now.holders else (0, "somebody")
            back = undo.kill(pid) if pid else "" if pair.of_host else undo.restart(pair.who)
            says = f"{name or 'somebody'} listens on {_socket(now)}, which was not imagined"
            yield _listener(pair, now, None, says, back)
    for key, right in ours.items():
        if key not in theirs and key not in proxied:
            back = "" if pair.of_host else undo.restart(pair.who)
            yield _listener(pair, None, right, f"nobody listens on {_socket(right)}", back)


def place(listener: Listener) -> Hashable:
    """Return what only one socket has in a namespace; one of IPv6 that listens everywhere takes IPv4 as well."""
    return (listener.protocol, "*" if listener.address in EVERYWHERE else listener.address, listener.port)


def _socket(listener: Listener) -> str:
    return f"{listener.protocol} {listener.address}:{listener.port}"


def _listener(pair: Pair, now: Listener | None, right: Listener | None, says: str, back: str) -> Difference:
    shown = now or right
    if shown is None:
        raise ValueError("a socket that is on neither side")
    told = Told(_socket(shown), _socket(shown), says, back)
    edits = [Swap(pair.at, "listeners", now, right)]
    return difference(pair, how_of(now, right), "socket", told, edits, sides_of(pair, now, right))


def proxies(
    pair: Pair, wanted: Machine, there: Machine, holders: Mapping[str, str]
) -> tuple[list[Difference], frozenset[Hashable]]:
    """Return the docker-proxies that are gone or too many, and the places of their sockets.

    `holders` are the containers by their addresses.
    """
    ours = {_proxy(each): each for each in wanted.proxies}
    theirs = {_proxy(each): each for each in there.proxies}
    found = []
    for key, right in ours.items():
        if key not in theirs:
            name = holders.get(right.to, "")
            back = undo.restart(name) if name else undo.RESTART
            found.append(_handed(pair, None, right, f"{undo.proxy_words(right)} does not run", back))
    for key, now in theirs.items():
        if key not in ours:
            says = f"{undo.proxy_words(now)} runs, and is not the engine's"
            found.append(_handed(pair, now, None, says, undo.kill(now.pid)))
    return found, frozenset(place(socket_of(pair, each)) for each in (*wanted.proxies, *there.proxies))


def _proxy(proxy: Proxy) -> Hashable:
    return (proxy.protocol, proxy.address or "0.0.0.0", proxy.port, proxy.to, proxy.to_port)  # noqa: S104 - compared


def socket_of(pair: Pair, proxy: Proxy) -> Listener:
    """Return the socket that a docker-proxy holds, as the side where it is tells it, or as it would be."""
    held = [each for space in (pair.there, pair.wanted) for each in space.listeners]
    known = (each for each in held if any(pid == proxy.pid for pid, _ in each.holders) and proxy.pid)
    address = proxy.address or "0.0.0.0"  # noqa: S104 - compared, not bound
    exact = (e for e in held if (e.protocol, e.address, e.port) == (proxy.protocol, address, proxy.port))
    usual = Listener(proxy.protocol, str(ip_address(address)), proxy.port, ((proxy.pid, "docker-proxy"),))
    return next(known, None) or next(exact, usual)


def _handed(pair: Pair, now: Proxy | None, right: Proxy | None, says: str, back: str) -> Difference:
    shown = now or right
    if shown is None:
        raise ValueError("a docker-proxy that is on neither side")
    socket = socket_of(pair, shown)
    keys = {*sides_of(pair, now, right), key_of(pair.at if now else pair.origin, socket)}
    where = f"docker-proxy {shown.protocol} {shown.address or '*'}:{shown.port}"
    told = Told(where, undo.proxy_words(shown), says, back)
    return difference(pair, how_of(now, right), "proxy", told, [Hand(pair.at, now, right, socket)], keys)
