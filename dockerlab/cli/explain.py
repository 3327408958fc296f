"""`dockerlab explain` and `dockerlab lint`: the model's word on a definition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import options as o
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockerlab.hosts.base import Host
    from dockerlab.lab.model import Lab
    from dockerlab.lifecycle import Seen
    from dockerlab.reach import Cell, Expectation, World


def explain(
    lab: o.LabArgument,
    source: Annotated[str | None, typer.Argument(metavar="FROM", help="A container or host.")] = None,
    to: Annotated[str | None, typer.Argument(metavar="TO", help="A container, host, gateway, outside target.")] = None,
    probe: Annotated[str | None, typer.Option("--probe", help="ping, tcp/PORT or dns; else all of them.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="From the definition alone: no host is touched.")] = False,
    engine: Annotated[str, typer.Option("--engine", help="With --offline: the engine's version.")] = "28.5",
    live: Annotated[bool, typer.Option("--live", help="Probe once, and show what both ends say.")] = False,
    settings: o.SetOption = None,
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
    output: o.OutputOption = None,
) -> None:
    """Explain why FROM reaches TO or not, hop by hop; without them, the whole matrix, rule by rule."""
    if (source is None) != (to is None):
        raise UsageError("name both ends, FROM and TO, or neither of them")
    if live and (offline or source is None):
        raise UsageError("--live asks the real hosts about one pair: leave out --offline, and name FROM and TO")
    definition = o.load_lab(lab, settings)
    if not re.match(r"\d+\.\d+", engine):
        raise UsageError(f"--engine {engine}: write a version of the Docker engine, such as 20.10 or 28.5")
    if offline:
        from dockerlab.reach import build_world
        from dockerlab.reach.offline import imagine

        o.write(_told(definition, build_world(definition, *imagine(definition, engine)), source, to, probe), output)
        return
    from dockerlab import lifecycle
    from dockerlab.session import open_session

    with open_session(definition.hosts, o.whereabouts(sandbox, inventory, accept_new_host_keys), o.say) as session:
        world, seen = lifecycle.understand(definition, session.hosts)
        text = _told(definition, world, source, to, probe)
        if live:
            text += _shown(world, seen, session.hosts, _chosen(definition, world, source, to, probe))
        o.write(text, output)


def _shown(world: World, seen: Seen, hosts: Mapping[str, Host], rows: list[tuple[Cell, Expectation]]) -> str:
    from dockerlab import lifecycle

    lines: list[str] = []
    for cell, _ in rows:
        if cell.probe == "dns" or not cell.target:
            continue
        lines += [f"{cell.source} -> {cell.to} {cell.target} {cell.probe}, live"]
        lines += [f"  {line}" for line in lifecycle.evidence(cell, world, seen, hosts)]
    return "\n".join(lines) + "\n"


def _told(lab: Lab, world: World, source: str | None, to: str | None, probe: str | None) -> str:
    from dockerlab.report import as_words

    rows = _chosen(lab, world, source, to, probe)
    return as_words.whole(rows) if source is None else as_words.pair(world, rows)


def _chosen(
    lab: Lab, world: World, source: str | None, to: str | None, probe: str | None
) -> list[tuple[Cell, Expectation]]:
    """Return the rows that are asked for; raises UsageError when there are none, and says what there is."""
    from dockerlab.reach import matrix
    from dockerlab.reach.overrides import override

    rows, notes = override(matrix(world), lab.expect)
    for note in notes:
        o.say(note)
    chosen = [
        (cell, expected)
        for cell, expected in rows
        if source in (None, cell.source) and to in (None, cell.to, cell.target) and probe in (None, cell.probe)
    ]
    if not chosen:
        froms = ", ".join(dict.fromkeys(cell.source for cell, _ in rows))
        tos = ", ".join(dict.fromkeys(cell.to for cell, _ in rows))
        probes = ", ".join(dict.fromkeys(cell.probe for cell, _ in rows))
        raise UsageError(f"no such cell. FROM is one of {froms}; TO one of {tos}; --probe one of {probes}")
    return chosen


def lint(lab: o.LabArgument, settings: o.SetOption = None) -> None:
    """Point out what works in a definition but misleads; exit code 1 when there is something."""
    warnings = o.read_lab(lab, settings)[1]
    o.write("".join(f"{warning}\n" for warning in warnings), None)
    o.say(f"{len(warnings)} warnings" if warnings else "nothing misleading found")
    if warnings:
        raise typer.Exit(1)
