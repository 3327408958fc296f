"""From what the program on a host printed, the engine's words among it, to a `Machinery`; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockerlab.engine.convert import to_container, to_network
from dockerlab.gate import parsed
from dockerlab.machinery.model import Machinery
from dockerlab.survey import parse
from dockerlab.survey.rules import ok, reason

Json = Mapping[str, Any]


def machinery(host: str, seen: Json) -> Machinery:
    """Return what a look saw; raises AttributeError, LookupError, TypeError or ValueError for what is none."""
    containers = tuple(sorted((to_container(c) for c in _lines(seen["containers"])), key=lambda c: c.name))
    networks = (to_network(entry, containers) for entry in _lines(seen["networks"]))
    kernel = parse.machine(host, seen)
    engine = _first(seen["engine"])
    return Machinery(
        kernel=kernel,
        engine=engine.get("ServerVersion") or "",
        backend=_backend(engine),
        listed=ok(seen["containers"]) and ok(seen["networks"]),
        containers=containers,
        networks=tuple(sorted(networks, key=lambda network: network.name)),
        resolvers={identity: said["text"] for identity, said in seen["resolvers"].items() if "text" in said},
        unread=(*_unread(seen), *kernel.unread, *_resolvers(seen)),
    )


def _unread(seen: Json) -> Iterator[str]:
    """Yield a sentence for each thing that the engine did not tell, with the reason."""
    for what in ("engine", "containers", "networks"):
        if not ok(seen[what]):
            yield f"what the engine knows ({what}): {reason(seen[what])}"


def _resolvers(seen: Json) -> Iterator[str]:
    # Without root it is the same with every container: said once.
    reasons = [said["error"] for said in seen["resolvers"].values() if "error" in said]
    if reasons:
        yield f"the resolv.conf of {len(reasons)} container{'s' if len(reasons) > 1 else ''}: {reasons[0]}"


def _backend(engine: Json) -> str:
    """Return what the engine keeps its rules with; one that does not say so is too old for anything but iptables."""
    driver = (engine.get("FirewallBackend") or {}).get("Driver")
    return driver or ("iptables" if engine.get("ServerVersion") else "")


def _lines(said: Json) -> list[Any]:
    """Return one object for each line of JSON."""
    return [parsed(line) for line in said["out"].splitlines() if line.startswith("{")]


def _first(said: Json) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(_lines(said)), {})
    return found
