"""From what the program on a host printed to the state of its kernel; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from dockerlab.gate import parsed
from dockerlab.kernel import links, tables
from dockerlab.kernel.model import Listener, Machine, Namespace, Proxy
from dockerlab.kernel.routes import Route, Selector
from dockerlab.kernel.rules import Ruleset
from dockerlab.survey.rules import BOTH, ok, reason, ruleset

Json = Mapping[str, Any]
T = TypeVar("T")

KINDS = {
    "address": "links",
    "route": "routes",
    "rule": "selectors",
    "rule6": "selectors",
    "neighbour": "neighbours",
    "proxy": "neighbours",
    "fdb": "forwards",
}
"""What of a namespace is not known where a question of the program was not answered."""


def machine(host: str, seen: Json) -> Machine:
    """Return what a look saw; raises AttributeError, LookupError, TypeError or ValueError for what is none."""
    spaces = tuple(_namespace(each, seen["owners"]) for each in seen["namespaces"])
    return Machine(
        host=host,
        root=seen["uid"] == 0,
        kernel=seen["kernel"],
        namespaces=spaces,
        proxies=tuple(proxy for each in seen["proxies"] if (proxy := _proxy(each)) is not None),
        unread=tuple(_unread(seen, spaces)),
    )


def _unread(seen: Json, spaces: tuple[Namespace, ...]) -> Iterator[str]:
    """Yield a sentence for each thing that could not be seen, with the reason; what `ip` did not tell is elsewhere."""
    for space in spaces:
        if space.host:
            yield from space.ruleset.unread
    # Without root it is the same with every container: said once.
    inside = [why for path, why in seen["unread"].items() if path.endswith("/ns/net")]
    yield from (f"{path}: {why}" for path, why in seen["unread"].items() if not path.endswith("/ns/net"))
    if inside:
        yield f"the network namespaces of {len(inside)} container{'s' if len(inside) > 1 else ''}: {inside[0]}"
    if seen["unseen"]:
        yield f"which process listens where: {seen['unseen']} processes cannot be looked into (root is needed)"


def _namespace(seen: Json, owners: list[Any]) -> Namespace:
    said = seen["said"]
    held: dict[int, list[tuple[int, str]]] = {}
    for owner in owners:
        held.setdefault(owner["inode"], []).append((owner["pid"], owner["name"]))
    unread: dict[str, str] = {
        kind: reason(said[what]) for what, kind in KINDS.items() if what in said and not ok(said[what])
    }
    if "reason" in seen:
        unread = dict.fromkeys((*KINDS.values(), "rules", "sysctls"), str(seen["reason"]))
    if "blind" in seen:
        unread |= {"rules": seen["blind"], "sysctls": seen["blind"]}
    found, odd = _routes(said)
    if odd:
        unread.setdefault("routes", f"not understood: {'; '.join(odd)[:300]}")
    rules = ruleset(seen["rules"]) if "rules" in seen else Ruleset()
    if "rules" in seen and rules.read != BOTH:
        unread.setdefault("rules", rules.unread[0] if rules.unread else "nobody knows why")
    return Namespace(
        id=seen["id"],
        host=seen["host"],
        paths=tuple(seen["paths"]),
        pids=tuple(seen["pids"]),
        links=_read(said, "address", links.links) or (),
        routes=found,
        selectors=_selectors(said),
        neighbours=tuple(each for what in ("neighbour", "proxy") for each in _read(said, what, links.neighbours) or ()),
        sysctls=_sysctls(seen["sysctls"]) if "sysctls" in seen else {},
        ruleset=rules,
        forwards=_read(said, "fdb", links.forwards) or (),
        listeners=tuple(
            Listener(
                s["protocol"],
                s["address"],
                s["port"],
                tuple(held.get(s["inode"], ())),
                s.get("device", ""),
            )
            for s in seen.get("sockets", ())
        ),
        deaf=seen.get("deaf", seen.get("reason", "")),
        unread=unread,
    )


def _read(said: Json, what: str, understand: Callable[[list[Any]], T]) -> T | None:
    """Return what `ip -json` printed: nothing at all stands for an empty list; None for what has failed."""
    if what not in said or not ok(said[what]):
        return None
    return understand(parsed(said[what]["out"] or "[]"))


def _routes(said: Json) -> tuple[tuple[Route, ...], tuple[str, ...]]:
    """Return the routes of both versions, which `ip` lists one after the other, and the texts of those left out."""

    def both(entries: list[Any]) -> tuple[tuple[Route, ...], tuple[str, ...]]:
        parts = [tables.routes([e for e in entries if e and _version(e) == version], version) for version in (4, 6)]
        return (*parts[0][0], *parts[1][0]), (*parts[0][1], *parts[1][1])

    return _read(said, "route", both) or ((), ())


def _version(entry: Json) -> int:
    """Return a route's IP version: one of IPv6 always has a preference among routers, be it by default."""
    return 6 if "pref" in entry or ":" in entry["dst"] or ":" in entry.get("gateway", "") else 4


def _selectors(said: Json) -> tuple[Selector, ...]:
    first = _read(said, "rule", lambda entries: tables.selectors(entries, 4))
    return (*(first or ()), *(_read(said, "rule6", lambda entries: tables.selectors(entries, 6)) or ()))


def _sysctls(seen: Json) -> dict[str, str]:
    """Return the settings by their path below /proc/sys."""
    found = dict(seen["single"])
    for folder, those in seen["interfaces"].items():
        for interface, values in those["rows"].items():
            pairs = zip(those["names"], values, strict=True)
            found |= {f"{folder}/{interface}/{name}": value for name, value in pairs if value is not None}
    return found


def _proxy(seen: Json) -> Proxy | None:
    """Return a docker-proxy by its arguments; None for one whose arguments are not those that we know."""
    words = [word.lstrip("-") for word in seen["argv"]]
    flags = {name: value for word, value in zip(words, [*words[1:], ""], strict=True) for name in (word,)}
    try:
        return Proxy(
            pid=seen["pid"],
            protocol=flags["proto"],
            address=flags["host-ip"],
            port=int(flags["host-port"]),
            to=flags["container-ip"],
            to_port=int(flags["container-port"]),
        )
    except (LookupError, ValueError):
        return None
