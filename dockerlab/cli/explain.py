"""`dockerlab explain` and `dockerlab lint`: the model's word on a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dockerlab.cli import against as sides
from dockerlab.cli import completion, loading
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.definitions import Given
from dockerlab.cli.output import say, tell, width, write
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.cli.unnamed import NOTHING, Unnamed, unnamed
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockerlab.hosts.base import Host
    from dockerlab.lab.model import Lab
    from dockerlab.reach.asked import Expected
    from dockerlab.verify.explaining import Live

NEEDS_LAB = (
    "name a LAB before FROM and TO for --offline, --trace, --student and --set; without one, what runs on the hosts is "
    "explained, and nothing there is changed, as --trace would for a moment"
)


@placed
@unnamed
def explain(
    lab: o.LabOrHosts = None,
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
    engine: Annotated[
        str | None,
        typer.Option("--engine", help="With --offline or --against: a version, such as 28.5 or 29.8-nftables."),
    ] = None,
    against: sides.AgainstOption = None,
    there: sides.SetAgainstOption = None,
    live: Annotated[bool, typer.Option("--live", help="Probe once, and show what both ends say.")] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Also follow one packet by the kernels' own tracing; implies --live.")
    ] = False,
    student: o.StudentOption = None,
    students: o.AmongOption = None,
    subnets: o.SubnetsOption = None,
    settings: o.SetOption = None,
    what: Unnamed = NOTHING,
    where: Places = HERE,
    form: o.WordsOption = o.WordsFormat.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Explain why FROM reaches TO or not, hop by hop; without them, the whole matrix, rule by rule.

    With --against, what differs between two engines, two definitions or a definition and its hosts; exit code 1 then.
    Without LAB it is about what runs on the hosts that are named, as they are.
    """
    if to is None and (source is not None or lab is None):  # of two words, the first is FROM
        class_meant = student is not None or students is not None
        if offline or trace or class_meant or settings or against is not None or there or engine is not None:
            raise UsageError(NEEDS_LAB)
        _on_the_spot(what, where, (lab, source, probe), live=live, output=output)
        return
    what.refuse_with(lab)
    if lab is None or (source is None) != (to is None):
        raise UsageError("name both ends, FROM and TO, or neither of them")
    whose = of_class.among(student, students)
    if against is not None or there:
        if live or trace or student is not None:
            raise UsageError("--against compares what is expected: leave out --live, --trace and --student")
        call = sides.Call(lab, settings or Given(), against, there or [], engine, offline)
        _differing(call, (source, to, probe), where, form, output)
    if form is not o.WordsFormat.TABLE:
        raise UsageError(f"--format {form.value} is of what differs: add --against")
    _check_together(offline=offline, live=live, trace=trace, student=student is not None, pair=source is not None)
    imagined = o.checked_engine(engine or o.ENGINE)
    if offline:
        from dockerlab.reach import asked, worlds
        from dockerlab.reach.asked import Ends

        definition = loading.load_lab(lab, settings, where)
        _tell(asked.asked(worlds.offline(definition, imagined), Ends(source, to, probe)), [], output)
    elif whose is not None:
        known = students is not None
        with of_class.instance_of(lab, settings, whose, where, subnets, known=known) as (instance, session):
            ends = (instance.named(source), instance.named(to), probe)
            _on_hosts(instance.lab, session.hosts, ends, live=live, trace=trace, output=output)
    else:
        definition = loading.load_lab(lab, settings, where)
        with where.open(definition.addresses) as session:
            _on_hosts(definition, session.hosts, (source, to, probe), live=live, trace=trace, output=output)


def _check_together(*, offline: bool, live: bool, trace: bool, student: bool, pair: bool) -> None:
    """Raise UsageError for options that do not go together."""
    if offline and student:
        raise UsageError("--offline needs no student's instance: leave out --student, or --offline")
    if (live or trace) and (offline or not pair):
        asks = "--trace" if trace else "--live"
        raise UsageError(f"{asks} asks the real hosts about one pair: leave out --offline, and name FROM and TO")


def _differing(
    call: sides.Call,
    ends: tuple[str | None, str | None, str | None],
    where: Places,
    form: o.WordsFormat,
    output: Path | None,
) -> NoReturn:
    """Print what differs between two sides, and end with 1 where something does."""
    from dockerlab.reach.asked import Ends
    from dockerlab.report import as_comparison

    found = sides.differences(call, Ends(*ends), where)
    if form is o.WordsFormat.TABLE:
        write(as_comparison.table(found, width()), output)
    else:
        write((as_comparison.as_json if form is o.WordsFormat.JSON else as_comparison.as_markdown)(found), output)
    raise typer.Exit(0 if found.same else 1)


def _on_the_spot(
    what: Unnamed, where: Places, ends: tuple[str | None, str | None, str | None], *, live: bool, output: Path | None
) -> None:
    """Explain what runs on hosts; a container that is asked for by its name may have ended."""
    if ends[0] is not None and not (what.host or where.named):
        raise UsageError(
            "name both ends, FROM and TO, or neither of them; without a LAB before them, say on which hosts to look: "
            "--host ADDRESS, --sandbox or --inventory FILE"
        )
    if live and ends[0] is None:
        raise UsageError("--live asks the real hosts about one pair: name FROM and TO")
    with what.found(where, stopped=ends[0] is not None) as (spot, session):
        from dockerlab.reach.asked import Ends
        from dockerlab.verify import on_the_spot

        _tell(*on_the_spot.explain(spot, session.hosts, Ends(*ends), live=live), output)


def _on_hosts(
    lab: Lab,
    hosts: Mapping[str, Host],
    ends: tuple[str | None, str | None, str | None],
    *,
    live: bool,
    trace: bool,
    output: Path | None,
) -> None:
    """Explain a lab as it is on real hosts."""
    from dockerlab.reach.asked import Ends
    from dockerlab.verify.explaining import explain

    _tell(*explain(lab, hosts, Ends(*ends), live=live, trace=trace), output)


def _tell(found: Expected, live: list[Live], output: Path | None) -> None:
    """Print the rows that were asked for."""
    from dockerlab.report import as_words

    for note in found.notes:
        say(note)
    tell(as_words.explained(found, live), output)


def lint(lab: o.LabArgument, settings: o.SetOption = None) -> None:
    """Point out what works in a definition but misleads; exit code 1 when there is something."""
    warnings = loading.read_lab(lab, settings)[1]
    tell("".join(f"{warning}\n" for warning in warnings))
    say(f"{len(warnings)} warnings" if warnings else "nothing misleading found")
    if warnings:
        raise typer.Exit(1)
