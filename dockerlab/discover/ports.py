"""A container's ports: those that are published, and those on which it listens."""

from __future__ import annotations

from collections.abc import Iterable

from dockerlab.discover.entry import Entry, Json
from dockerlab.discover.places import Surroundings
from dockerlab.snapshot import ContainerState


def ports(entry: Entry, container: ContainerState) -> None:
    """Note the published ports, as one would type them; the port that an engine picked is picked again."""
    host = (container.detail or {}).get("HostConfig") or {}
    exposed = ((container.detail or {}).get("Config") or {}).get("ExposedPorts") or {}
    found: list[str] = []
    for port, bindings in sorted((host.get("PortBindings") or {}).items(), key=lambda item: _number(item[0])):
        target = port.removesuffix("/tcp")
        for address, number in _bindings(bindings or ()):
            if "-" in number:
                picked = _picked(container, port)
                entry.say(f"one of {number} for port {port}: here {picked or 'none, as it does not run'}", "ports")
            text = _published(address, number, target, _picked(container, port))
            if text not in found:
                found.append(text)
    if host.get("PublishAllPorts"):
        there = {text.rpartition(":")[2] for text in found}
        more = [p.removesuffix("/tcp") for p in sorted(exposed, key=_number) if p.removesuffix("/tcp") not in there]
        if more:
            entry.say("published by --publish-all", "ports")
        found += more
    if container.network_mode.startswith("container:"):
        return
    entry.put("ports", found)
    if found and container.network_mode == "host":
        entry.say("published without effect, as it is on the host's network", "ports")


def _published(address: str, number: str, target: str, picked: str) -> str:
    """Return a published port as one types it; of a range, the port that was `picked`, or else the first."""
    if "-" in number:
        number = picked or number.partition("-")[0]
    where = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
    return f"{where}{number}:{target}" if number or where else target


def _number(port: str) -> tuple[int, str]:
    text, _, protocol = port.partition("/")
    return (int(text) if text.isdecimal() else 0), protocol


def _bindings(bindings: Iterable[Json]) -> list[tuple[str, str]]:
    """Return the host's ends of a port; one for every address of each version is one for every address."""
    pairs = [(str(each.get("HostIp") or ""), str(each.get("HostPort") or "")) for each in bindings]
    found: list[tuple[str, str]] = []
    for address, number in pairs:
        both = number and {("0.0.0.0", number), ("::", number)} <= set(pairs)  # noqa: S104 - read, not bound
        pair = ("", number) if both and address in ("0.0.0.0", "::") else (address, number)  # noqa: S104
        if pair not in found:
            found.append(pair)
    return found


def _picked(container: ContainerState, port: str) -> str:
    target, protocol = _number(port)
    picked = (p for p in container.published if (p.container_port, p.protocol) == (target, protocol or "tcp"))
    return next((str(each.host_port) for each in picked), "")


def expose(entry: Entry, container: ContainerState, around: Surroundings) -> None:
    """Note the TCP ports on which it listens and that are not published, so that they are asked for as well."""
    if container.network_mode.startswith("container:"):
        return
    published = {_number(text.rpartition(":")[2])[0] for text in entry.data.get("ports", ()) if "/" not in text}
    listening = around.listening.get(container.id, ())
    entry.put("expose", sorted(set(listening) - published))
