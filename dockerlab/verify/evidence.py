"""What both ends show of one cell: routes and neighbours at the source, and the firewall rules that counted it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dockerlab.hosts.base import Host
from dockerlab.reach import Cell
from dockerlab.snapshot import Snapshot

LINK = re.compile(r"^(?P<index>\d+): (?P<name>[^:@]+)(?:@(?:if(?P<peer>\d+)|[^:]+))?:(?:.*? master (?P<master>\S+))?")
RULE = re.compile(r"^\[(?P<packets>\d{1,20}):\d+\] (?P<rule>-A .*)$")


def around(
    cell: Cell,
    hosts: Mapping[str, Host],
    snapshots: Mapping[str, Snapshot],
    box: str,
    ask: Callable[[], str],
    behind: Sequence[str] = (),
) -> list[str]:
    """Return the evidence for a cell, a line each: what both ends know, what was observed, which rules counted.

    `box` is the source's namespace, `ask` probes the cell once and says what was seen; `behind` are the containers that
    publish the port that is asked for. Needs root on the hosts; what cannot be read is said to be so.
    """
    before = {name: _counters(host) for name, host in hosts.items()}
    lines = _end(box, cell.target, hosts, snapshots)
    lines.append(f"observed: {ask()}")
    for end in (cell.holder, *behind):
        if end not in (None, box):
            lines += _end(str(end), None, hosts, snapshots)
    for name, host in hosts.items():
        lines += _counted(name, before[name], _counters(host))
    return lines


def _end(box: str, towards: str | None, hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot]) -> list[str]:
    """Return what one end knows: its way to an address or its routes, its neighbours, and where its wires end."""
    where = next((host for host, snapshot in snapshots.items() if box == host or snapshot.container(box)), None)
    if where is None:
        return [f"{box} is on none of the hosts"]
    host, enter = hosts[where], _enter(snapshots[where], box)
    lines = _shown(host, box, [*enter, "ip", "route", *(("get", towards) if towards is not None else ("show",))])
    lines += _shown(host, box, [*enter, "ip", "neighbour", "show"])
    return lines + (_wires(host, box, enter) if enter else [])


def _wires(host: Host, box: str, enter: Sequence[str]) -> list[str]:
    """Return for each interface of a container the host's end of its cable, and the bridge that it is a port of."""
    inside = host.run([*enter, "ip", "-o", "link", "show"], timeout=20)
    outside = host.run(["ip", "-o", "link", "show"], timeout=20)
    if not inside.ok or not outside.ok:
        return [f"the interfaces of {box} cannot be read: {inside.error if not inside.ok else outside.error}"]
    ends = {found["index"]: found for line in outside.text.splitlines() if (found := LINK.match(line))}
    lines = []
    for line in inside.text.splitlines():
        own = LINK.match(line)
        if own is None or own["peer"] is None:
            continue
        end = ends.get(own["peer"])
        there = f"{end['name']} on {host.name}" if end is not None else "no interface of the host's own namespace"
        port = f", a port of {end['master']}" if end is not None and end["master"] else ""
        lines.append(f"{own['name']} of {box} leads to {there}{port}")
    return lines


def _enter(snapshot: Snapshot, box: str) -> list[str]:
    container = snapshot.container(box)
    return [] if container is None else ["nsenter", f"--target={container.pid}", "--net", "--"]


def _shown(host: Host, box: str, argv: Sequence[str]) -> list[str]:
    """Return a command as it would be typed, and its output indented."""
    result = host.run(argv, timeout=20)
    text = result.text.strip() if result.ok else result.error
    typed = " ".join(argv[argv.index("ip") :]) if "ip" in argv else " ".join(argv)
    return [f"in {box}: {typed}", *(f"    {line}" for line in (text or "(nothing)").splitlines())]


def _counters(host: Host) -> dict[tuple[str, str], int] | str:
    """Return how many packets each firewall rule of a host has counted, by table and rule; or why that is not known."""
    result = host.run(["iptables-save", "-c"], timeout=20)
    if not result.ok:
        return f"its firewall rules cannot be read: {result.error}"
    table, found = "", dict[tuple[str, str], int]()
    for line in result.text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif rule := RULE.match(line):
            found[table, rule["rule"]] = int(rule["packets"])
    return found


def _counted(host: str, before: dict[tuple[str, str], int] | str, after: dict[tuple[str, str], int] | str) -> list[str]:
    if isinstance(before, str) or isinstance(after, str):
        return [f"on {host}: {before if isinstance(before, str) else after}"]
    grown = [(table, rule, now - before.get((table, rule), 0)) for (table, rule), now in after.items()]
    lines = [f"    {table:<7} +{count:<3} {rule}" for table, rule, count in grown if count > 0]
    return [f"on {host}: the firewall rules that counted packets meanwhile", *(lines or ["    (none)"])]
