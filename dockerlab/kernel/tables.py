"""From what `ip -json route` and `ip -json rule` print to routes and to the rules that choose a table; pure.

Each function raises AttributeError, LookupError, TypeError or ValueError for what is no such output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from dockerlab.kernel.addresses import IpNetwork
from dockerlab.kernel.routes import MAIN, Hop, Route, Selector

Json = Mapping[str, Any]

EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
KNOWN = frozenset(
    {"priority", "not", "src", "srclen", "dst", "dstlen", "fwmark", "fwmask", "iif", "oif", "iif_detached"}
    | {"oif_detached", "ipproto", "sport", "sport_start", "sport_end", "dport", "dport_start", "dport_end", "table"}
    | {"suppress_prefixlen", "suppress_prefixlength", "goto", "unresolved", "nop", "to_tbl", "action", "protocol"}
)
"""What a rule says that a walk can follow; anything else is a condition that nobody here can evaluate."""
USUAL = {"scope": "global", "protocol": "boot"}
ALL_BITS = 0xFFFFFFFF


def routes(entries: Iterable[Json], version: int) -> tuple[tuple[Route, ...], tuple[str, ...]]:
    """Return the routes that `ip -json -4 route show table all` (or `-6`) lists, and the texts of those left out.

    A route for one type of service or one source alone is left out: a walk that took it for all would be wrong.
    """
    entries = [entry for entry in entries if entry]
    found = [(_route(entry, version), "tos" in entry or "from" in entry) for entry in entries]
    return tuple(route for route, odd in found if not odd), tuple(route.text for route, odd in found if odd)


def _route(entry: Json, version: int) -> Route:
    source = entry.get("prefsrc")
    return Route(
        destination=network(entry["dst"], version),
        kind=entry.get("type", "unicast"),
        table=str(entry.get("table", MAIN)),
        hops=tuple(_hop(each) for each in (entry.get("nexthops") or [entry]) if "dev" in each or "gateway" in each),
        source=ip_address(source) if source else None,
        metric=int(entry.get("metric", 0)),
        scope=_unless_usual(entry, "scope"),
        protocol=_unless_usual(entry, "protocol"),
        text=" ".join(_words(entry)),
    )


def _unless_usual(entry: Json, key: str) -> str:
    """Return what `ip` prints without being asked for details: not what every route has that a person made."""
    said = str(entry.get(key, ""))
    return "" if said == USUAL[key] else said


def network(text: str, version: int) -> IpNetwork:
    """Return what `ip` calls a destination: a network, or `default` for the whole of an IP version."""
    return ip_network(EVERYWHERE[version] if text in ("default", "all") else text, strict=False)


def _hop(entry: Json) -> Hop:
    gateway = _gateway(entry)
    return Hop(entry.get("dev", ""), ip_address(gateway) if gateway else None, "dead" not in entry.get("flags", ()))


def _gateway(entry: Json) -> str:
    return entry.get("gateway") or (entry.get("via") or {}).get("host") or ""


def _words(entry: Json) -> Iterator[str]:
    """Yield a route's words as `ip route` prints them, without what changes by itself."""
    kind = entry.get("type", "unicast")
    yield from ([] if kind == "unicast" else [kind])
    yield str(entry["dst"])
    for key in ("from", "tos"):
        yield from ([key, str(entry[key])] if key in entry else [])
    yield from _hop_words(entry)
    yield from (["table", str(entry["table"])] if entry.get("table", MAIN) != MAIN else [])
    for key, word in (("protocol", "proto"), ("scope", "scope")):
        yield from ([word, said] if (said := _unless_usual(entry, key)) else [])
    for key, word in (("prefsrc", "src"), ("metric", "metric")):
        yield from ([word, str(entry[key])] if key in entry else [])
    yield from (["onlink"] if "onlink" in entry.get("flags", ()) else [])
    for each in entry.get("nexthops", ()):
        yield "nexthop"
        yield from _hop_words(each)
        yield from (["weight", str(each["weight"])] if "weight" in each else [])


def _hop_words(entry: Json) -> Iterator[str]:
    gateway = _gateway(entry)
    if gateway:
        yield from ("via", *(["inet6"] if (entry.get("via") or {}).get("family") == "inet6" else []), gateway)
    if "dev" in entry:
        yield from ("dev", entry["dev"])


def selectors(entries: Iterable[Json], version: int) -> tuple[Selector, ...]:
    """Return the rules that `ip -json rule` (or `ip -json -6 rule`) lists, in their order."""
    return tuple(_selector(entry, version) for entry in entries if entry)


def _selector(entry: Json, version: int) -> Selector:
    action = entry.get("action") or entry.get("to_tbl") or ("nop" if "nop" in entry else "table")
    goto = entry.get("goto")
    mark = entry.get("fwmark")
    suppress = entry.get("suppress_prefixlen", entry.get("suppress_prefixlength"))
    return Selector(
        version=version,
        priority=int(entry["priority"]),
        action="goto" if goto is not None else action,
        table=str(entry.get("table", "")),
        source=_end(entry, "src", version),
        destination=_end(entry, "dst", version),
        incoming=entry.get("iif", ""),
        outgoing=entry.get("oif", ""),
        mark=None if mark is None else (_number(mark), _number(entry.get("fwmask", ALL_BITS))),
        protocol=str(entry.get("ipproto", "")),
        ports=_ports(entry, "dport"),
        source_ports=_ports(entry, "sport"),
        negated="not" in entry,
        suppress=None if suppress is None else int(suppress),
        goto=0 if goto in (None, "none") else int(goto),
        strict=tuple(f"{key} {value}".strip() for key, value in _strange(entry)),
        text=" ".join(_selector_words(entry)),
    )


def _number(said: Any) -> int:
    return said if isinstance(said, int) else int(said, 0)


def _end(entry: Json, end: str, version: int) -> IpNetwork | None:
    text = entry.get(end, "all")
    if text == "all":
        return None
    whole = ip_network(EVERYWHERE[version]).max_prefixlen
    text = EVERYWHERE[version].partition("/")[0] if text == "0" else text
    return ip_network(f"{text}/{entry.get(f'{end}len', whole)}", strict=False)


def _ports(entry: Json, end: str) -> tuple[int, int] | None:
    if end in entry:
        return int(entry[end]), int(entry[end])
    if f"{end}_start" in entry:
        return int(entry[f"{end}_start"]), int(entry[f"{end}_end"])
    return None


def _strange(entry: Json) -> Iterator[tuple[str, str]]:
    if "uid_start" in entry:
        yield "uidrange", f"{entry['uid_start']}-{entry.get('uid_end', '')}"
    for key, value in entry.items():
        if key not in KNOWN and key not in ("uid_start", "uid_end"):
            yield key, "" if value is None else str(value)


def _selector_words(entry: Json) -> Iterator[str]:
    """Yield a rule's words as `ip rule` prints them."""
    yield f"{entry['priority']}:"
    yield from (["not"] if "not" in entry else [])
    for key, word in (("src", "from"), ("dst", "to")):
        if key in entry or key == "src":
            length = f"/{entry[f'{key}len']}" if f"{key}len" in entry else ""
            yield from (word, f"{entry.get(key, 'all')}{length}")
    yield from (["tos", str(entry["tos"])] if "tos" in entry else [])
    if "fwmark" in entry:
        yield from ("fwmark", str(entry["fwmark"]) + (f"/{entry['fwmask']}" if "fwmask" in entry else ""))
    for key in ("iif", "oif"):
        yield from ([key, entry[key]] if key in entry else [])
    yield from (word for key, value in _strange(entry) for word in (key, value) if word and key != "tos")
    yield from (["ipproto", str(entry["ipproto"])] if "ipproto" in entry else [])
    for key in ("sport", "dport"):
        ports = _ports(entry, key)
        yield from ([key, str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"] if ports else [])
    yield from _ending(entry)


def _ending(entry: Json) -> Iterator[str]:
    action = entry.get("action") or entry.get("to_tbl") or ("nop" if "nop" in entry else "")
    if "goto" in entry:
        yield from ("goto", str(entry["goto"]))
    elif action:
        yield action
    else:
        yield from ("lookup", str(entry.get("table", "")))
    for key in ("suppress_prefixlen", "suppress_prefixlength"):
        yield from (["suppress_prefixlength", str(entry[key])] if key in entry else [])
