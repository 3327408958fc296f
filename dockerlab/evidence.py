"""What both ends show of one cell: routes and neighbours at the source, and the firewall rules that counted it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dockerlab.hosts.base import Host
from dockerlab.reach import Cell
from dockerlab.snapshot import Snapshot

RULE = re.compile(r"^\[(?P<packets>\d+):\d+\] (?P<rule>-A .*)$")


def around(
    cell: Cell, hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot], box: str, ask: Callable[[], str]
) -> list[str]:
    """Return the evidence for a cell, a line each: what the source knows, what was observed, which rules counted.

    `box` is the source's sandbox, `ask` probes the cell once and says what was seen. Needs root on the hosts; what
    cannot be read is said to be so.
    """
    where = next((host for host, snapshot in snapshots.items() if box == host or snapshot.container(box)), None)
    if where is None:
        return [f"{box} is on none of the hosts"]
    enter = _enter(snapshots[where], box)
    before = {name: _counters(host) for name, host in hosts.items()}
    lines = _shown(hosts[where], box, [*enter, "ip", "route", "get", cell.target])
    lines.append(f"observed: {ask()}")
    lines += _shown(hosts[where], box, [*enter, "ip", "neighbour", "show"])
    for name, host in hosts.items():
        lines += _counted(name, before[name], _counters(host))
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
