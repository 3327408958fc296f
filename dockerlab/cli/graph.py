"""`dockerlab graph`: the lab as a picture, from its definition; with the matrix over it if that is wanted."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli.output import say, write
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.cli.unnamed import NOTHING, Unnamed, unnamed
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from dockerlab.graph.model import Picture
    from dockerlab.graph.verdicts import Strand
    from dockerlab.lab.model import Lab
    from dockerlab.verify import Report
    from dockerlab.versions import Engine


class GraphFormat(str, Enum):
    """How a picture is written."""

    SVG = "svg"
    MERMAID = "mermaid"
    DOT = "dot"


@placed
@unnamed
def graph(
    lab: o.LabOrHosts = None,
    form: Annotated[GraphFormat, typer.Option("--format", help="How the picture is written.")] = GraphFormat.SVG,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Lay the verdicts over it: the lab is verified, as by 'verify'.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="With --matrix: lay the expectations over it; no host is touched.")
    ] = False,
    engine: Annotated[str, typer.Option("--engine", help="The engine's version where no host is touched.")] = o.ENGINE,
    settings: o.SetOption = None,
    what: Unnamed = NOTHING,
    where: Places = HERE,
    prober: o.ProberOption = o.ProberChoice.AUTO,
    helper: o.HelperOption = False,
    output: o.OutputOption = None,
) -> None:
    """Draw the lab: hosts, networks, containers, addresses, ports, and how each is plugged in.

    Without LAB it is what runs on the hosts that are named.
    """
    what.refuse_with(lab)
    if lab is None:
        if offline or settings:
            raise UsageError("--offline and --set go with a LAB: name it")
        _found(form, what, where, prober if matrix else None, output, helper=helper)
        return
    if offline and not matrix:
        raise UsageError("without --matrix the picture is made from the definition alone: leave --offline out")
    if where.said and (offline or not matrix):
        raise UsageError("the picture asks hosts only for --matrix without --offline: leave out where they are")
    definition = loading.load_lab(lab, settings, where)
    if not matrix or offline:
        picture, strands = _imagined(definition, o.checked_engine(engine), matrix=matrix)
        write(_drawn(form, picture, strands), output)
        return
    from dockerlab.verify import on_hosts

    with where.open(definition.addresses) as session:
        report = on_hosts.verify(definition, session.hosts, prober.value)
    _finish(form, report, output)


def _found(
    form: GraphFormat,
    what: Unnamed,
    where: Places,
    prober: o.ProberChoice | None,
    output: Path | None,
    *,
    helper: bool,
) -> None:
    """Draw what runs on hosts, with its verdicts where a prober is named."""
    from dockerlab.graph.describe import describe
    from dockerlab.verify import on_the_spot

    with what.found(where) as (spot, session):
        if prober is None:
            write(_drawn(form, describe(on_the_spot.world(spot), imagined=False), []), output)
            return
        report = on_the_spot.verify(spot, session.hosts, prober.value, helper=helper)
    _finish(form, report, output)


def _finish(form: GraphFormat, report: Report, output: Path | None) -> None:
    """Draw what was observed, and end with the report's exit code."""
    from dockerlab.report.matrices import total

    write(_drawn(form, *_seen(report)), output)
    for paragraph in (*report.ended, *map(str, report.silent.values())):
        say(paragraph)
    say(total(report))
    raise typer.Exit(report.exit_code)


def _imagined(lab: Lab, engine: Engine, *, matrix: bool) -> tuple[Picture, list[Strand]]:
    """Return the picture of a definition, and what the model predicts."""
    from dockerlab.graph.describe import describe
    from dockerlab.graph.verdicts import Asked, strands
    from dockerlab.reach import asked, worlds

    world = worlds.offline(lab, engine)
    picture = describe(world, imagined=True)
    if not matrix:
        return picture, []
    found = asked.expected(world)
    for note in found.notes:
        say(note)
    return picture, strands(picture, [Asked(cell, expected.reachable) for cell, expected in found.rows])


def _seen(report: Report) -> tuple[Picture, list[Strand]]:
    """Return the picture of what is on the hosts, and what was observed there."""
    from dockerlab.graph.describe import describe
    from dockerlab.graph.verdicts import strands
    from dockerlab.report.strands import asked

    if report.world is None:
        raise UsageError("this report does not tell what it was made from")
    picture = describe(report.world, imagined=False)
    return picture, strands(picture, asked(report.cells))


def _drawn(form: GraphFormat, picture: Picture, strands: list[Strand]) -> str:
    from dockerlab.graph import dot, mermaid, svg

    draw = {GraphFormat.SVG: svg.render, GraphFormat.MERMAID: mermaid.render, GraphFormat.DOT: dot.render}
    return draw[form](picture, strands)
