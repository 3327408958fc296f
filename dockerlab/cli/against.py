"""`dockerlab explain LAB --against …`: what differs between two engines, two definitions, or a definition and hosts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli.definitions import Given
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.cli.places import Places
    from dockerlab.lab.model import Lab
    from dockerlab.reach.against import Comparison
    from dockerlab.reach.asked import Ends
    from dockerlab.survey import Seen

HOSTS = "hosts"
"""The word that stands for the lab's hosts as they are."""

AgainstOption = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="WHAT",
        help="Show what differs: an engine's version, a definition, or `hosts` as they are.",
    ),
]
SetAgainstOption = Annotated[
    list[str] | None,
    typer.Option("--set-against", metavar="NAME=VALUE", help="Override a var on the side of --against alone."),
]


class Call(NamedTuple):
    """What a call says: the lab and its vars, the other side and its vars, the engine, and whether to ask no host."""

    lab: str
    given: Given
    against: str | None
    there: list[str]
    engine: str | None
    offline: bool


def differences(call: Call, ends: Ends, where: Places) -> Comparison:
    """Return what differs between a lab and the other side that a call names.

    The lab is imagined without hosts where an engine is named or `--offline` is said, else on its hosts as they are
    seen. Two definitions are held against each other without hosts unless the call says where these are.

    Raises UsageError for a call that makes no sense, DefinitionError, and HostError where hosts are asked.
    """
    from dockerlab.reach import sides

    definition = loading.load_lab(call.lab, call.given, where)
    engine = o.checked_engine(call.engine or o.ENGINE)
    alone = call.offline or call.engine is not None
    if call.against == HOSTS:
        if call.there or call.offline:
            raise UsageError("--against hosts: leave out --set-against and --offline, for hosts are as they are")
        return sides.hosts(definition, _seen(definition, where), engine if call.engine else None, ends)
    if call.against is not None and re.match(r"\d+\.\d", call.against):
        newer = o.checked_engine(call.against, "--against")
        if call.there:
            return sides.definitions(definition, _same(call, where), engine, newer, ends)
        if alone:
            return sides.engines(definition, engine, newer, ends)
        return sides.upgrade(definition, _seen(definition, where), newer, ends)
    other = _same(call, where) if call.against is None else _other(call, call.against, where)
    if where.said and not alone:
        return sides.definitions_on_hosts(definition, other, _seen(definition, where), ends)
    return sides.definitions(definition, other, engine, engine, ends)


def _same(call: Call, where: Places) -> Lab:
    """Return the same definition with what the other side has besides."""
    return loading.load_lab(call.lab, replace(call.given, set_=(*call.given.set_, *call.there)), where)


def _other(call: Call, against: str, where: Places) -> Lab:
    """Return the definition that the other side is."""
    return loading.load_lab(against, Given(set_=tuple(call.there)), where)


def _seen(definition: Lab, where: Places) -> Seen:
    with where.open(definition.addresses) as session:
        from dockerlab.survey import look  # while the hosts are connected to

        return look(session.hosts, definition.containers, kernels="all")
