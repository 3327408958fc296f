"""`dockerlab explain` and `dockerlab lint`: the model's word on a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dockerlab.cli import completion
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockerlab.hosts.base import Host
    from dockerlab.lab.model import Lab
    from dockerlab.reach import Cell, Expectation, World
    from dockerlab.survey import Seen


def explain(
    lab: o.LabArgument,
    source: Annotated[
        str | None, typer.Argument(metavar="FROM", help="A container or host.", autocompletion=completion.ends)
    ] = None,
    to: Annotated[
        str | None,
        typer.Argument(
            metavar="TO", help="A container, host, gateway, outside target.", autocompletion=completion.ends
        ),
    ] = None,
    probe: Annotated[str | None, typer.Option("--probe", help="ping, tcp/PORT or dns; else all of them.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="From the definition alone: no host is touched.")] = False,
    engine: Annotated[str, typer.Option("--engine", help="With --offline: the engine's version.")] = "28.5",
    live: Annotated[bool, typer.Option("--live", help="Probe once, and show what both ends say.")] = False,
    student: o.StudentOption = None,
    subnets: o.SubnetsOption = None,
    settings: o.SetOption = None,
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
    output: o.OutputOption = None,
) -> None:
    """Explain why FROM reaches TO or not, hop by hop; without them, the whole matrix, rule by rule."""
    if (source is None) != (to is None):
        raise UsageError("name both ends, FROM and TO, or neither of them")
    if offline and student is not None:
        raise UsageError("--offline needs no student's instance: leave out --student, or --offline")
    if live and (offline or source is None):
        raise UsageError("--live asks the real hosts about one pair: leave out --offline, and name FROM and TO")
    o.checked_engine(engine)
    if offline:
        from dockerlab.reach import build_world
        from dockerlab.reach.offline import imagine

        definition = o.load_lab(lab, settings)
        o.write(_told(definition, build_world(definition, *imagine(definition, engine)), source, to, probe), output)
        return
    where = o.whereabouts(sandbox, inventory, accept_new_host_keys)
    if student is not None:
        with of_class.instance_of(lab, settings, student, where, subnets) as (instance, session):
            ends = Ends(instance.named(source), instance.named(to), probe)
            _explain_on(instance.lab, session.hosts, ends, live=live, output=output)
        return
    from dockerlab.session import open_session

    definition = o.load_lab(lab, settings)
    with open_session(definition.addresses, where, o.say) as session:
        _explain_on(definition, session.hosts, Ends(source, to, probe), live=live, output=output)


class Ends(NamedTuple):
    """Which cells are asked for; None means all."""

    source: str | None
    to: str | None
    probe: str | None


def _explain_on(lab: Lab, hosts: Mapping[str, Host], ends: Ends, *, live: bool, output: Path | None) -> None:
    """Explain a lab as it is on real hosts."""
    from dockerlab.verify import on_hosts

    world, seen = on_hosts.understand(lab, hosts)
    text = _told(lab, world, *ends)
    if live:
        text += _shown(world, seen, hosts, _chosen(lab, world, *ends))
    o.write(text, output)


def _shown(world: World, seen: Seen, hosts: Mapping[str, Host], rows: list[tuple[Cell, Expectation]]) -> str:
    from dockerlab.verify import on_hosts

    lines: list[str] = []
    for cell, _ in rows:
        if cell.probe == "dns" or not cell.target:
            continue
        lines += [f"{cell.source} -> {cell.to} {cell.target} {cell.probe}, live"]
        lines += [f"  {line}" for line in on_hosts.evidence(cell, world, seen, hosts)]
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
        raise UsageError(_no_such_cell(rows, Ends(source, to, probe)))
    return chosen


def _no_such_cell(rows: list[tuple[Cell, Expectation]], asked: Ends) -> str:
    """Return what is wrong with the ends that name no cell, and what fits the rest of them."""
    cells = [cell for cell, _ in rows]
    told = []
    for what, wanted, names in (
        ("FROM", asked.source, lambda cell: (cell.source,)),
        ("TO", asked.to, lambda cell: (cell.to, cell.target)),
        ("--probe", asked.probe, lambda cell: (cell.probe,)),
    ):
        left = [cell for cell in cells if wanted in (None, *names(cell))]
        if not left:
            known = ", ".join(dict.fromkeys(names(cell)[0] for cell in cells))
            told.append(f"{what} {wanted} is none of {known}")
            break
        cells = left
    elsewhere = dict.fromkeys(cell.to for cell, _ in rows if cell.probe == asked.probe and cell.source == asked.source)
    if told and told[0].startswith("--probe") and elsewhere:
        told.append(f"{asked.probe} is asked of {', '.join(elsewhere)}")
    return "no such cell: " + "; ".join(told)


def lint(lab: o.LabArgument, settings: o.SetOption = None) -> None:
    """Point out what works in a definition but misleads; exit code 1 when there is something."""
    warnings = o.read_lab(lab, settings)[1]
    o.write("".join(f"{warning}\n" for warning in warnings), None)
    o.say(f"{len(warnings)} warnings" if warnings else "nothing misleading found")
    if warnings:
        raise typer.Exit(1)
