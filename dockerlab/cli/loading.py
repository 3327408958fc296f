"""From the words of a call to a definition, or to a lab's name and its hosts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dockerlab.cli.output import say
from dockerlab.cli.places import HERE, Places
from dockerlab.errors import DefinitionError, Located, UsageError

if TYPE_CHECKING:
    from dockerlab.cli.definitions import Given
    from dockerlab.lab.heading import Heading
    from dockerlab.lab.loader import Definition
    from dockerlab.lab.model import Lab


def load_lab(lab: str, settings: Given | None, where: Places = HERE, *, warn: bool = False) -> Lab:
    """Return the checked definition that a path or a packaged name means; raises DefinitionError or UsageError.

    Its hosts are called as they are `where` the call says.

    With `warn`, what works but misleads is said.
    """
    definition, warnings = read_lab(lab, settings, where, os.environ if warn else None)
    for warning in warnings if warn else ():
        say(f"warning: {warning}")
    return definition


def read_lab(
    lab: str, settings: Given | None, where: Places = HERE, environment: Mapping[str, str] | None = None
) -> tuple[Lab, list[Located]]:
    """Return a checked definition and what in it works but misleads, with its place.

    With an `environment`, that it lacks what containers are to get from it misleads as well.
    """
    found = definition_of(lab, settings, where)
    from dockerlab import modes
    from dockerlab.lab.check import absent, warnings
    from dockerlab.lab.lint import LINTS

    for note in found.notes:
        say(f"note: {note}")
    problems = [*warnings(found.lab), *(p for each in (*LINTS, modes.lint) for p in each(found.lab))]
    problems += absent(found.lab, environment) if environment is not None else ()
    return found.lab, found.locate(problems)


def definition_of(lab: str, settings: Given | None, where: Places = HERE) -> Definition:
    """Return a checked definition that knows the place of everything in it; raises DefinitionError or UsageError."""
    from dockerlab.lab.catalog import find

    path, overrides = find(lab), {}
    for setting in settings.set_ if settings is not None else ():
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {setting}: write it as NAME=VALUE")
        overrides[name] = value
    from dockerlab import modes

    found = modes.definition(path, overrides, settings.options() if settings is not None else None)
    from dockerlab.lab.naming import with_local_called

    return replace(found, lab=with_local_called(found.lab, where.local(found.lab.hosts)))


def name_and_hosts(
    lab: str | None, addresses: list[str] | None, where: Places
) -> tuple[str | None, dict[str, str | None]]:
    """Return a lab's name and its hosts, from its definition if there is one; else the hosts that the call names.

    What is wrong elsewhere in the definition is not looked for: what was made can be found and removed without it.

    Without a definition and without hosts it is this machine, unless the call says `where` they are.
    """
    given: dict[str, str | None] = {_short(address): address for address in addresses or ()}
    here: dict[str, str | None] = {"local": "local"}
    fallback = given if given or where.named else here
    if lab is None:
        return None, fallback
    try:
        found = _heading(lab)
    except UsageError:
        if not _is_name(lab):
            raise
        return lab, fallback
    return found.name, given or _called(found.addresses, where)


def _called(addresses: Mapping[str, str | None], where: Places) -> dict[str, str | None]:
    """Return hosts by the names that they have where the call says that they are."""
    name = where.local(addresses)
    if addresses.get("local") != "local" or name == "local":
        return dict(addresses)
    return {(name if host == "local" else host): None if host == "local" else a for host, a in addresses.items()}


def _heading(lab: str) -> Heading:
    """Return the name and the hosts of the definition that a word names, with no more of it read than they take.

    Raises UsageError where there is no definition, or none of which they can be told.
    """
    from dockerlab.lab.catalog import find

    path = find(lab)
    if path.is_file():
        from dockerlab.compose.recognised import is_compose
        from dockerlab.lab.heading import heading
        from dockerlab.lab.texts import text_of

        text, file = text_of(path), str(path)
        found = None if is_compose(text, file) else heading(text, file)
        if found is not None:
            return found
    from dockerlab.lab.heading import Heading

    definition = load_lab(lab, None)
    return Heading(definition.name, definition.addresses)


def named(lab: str, where: Places) -> Lab | None:
    """Return the definition that a word names; None where it may be just a lab's name, which needs none.

    That is also so where a definition of that name is wrong: what was made can be found and removed without it.
    """
    try:
        return load_lab(lab, None, where)
    except UsageError:
        if not _is_name(lab):
            raise
        return None


def defined(lab: str, settings: Given | None, where: Places) -> Lab | None:
    """Return the definition that a word names; None where it is just the name of a running lab."""
    try:
        return load_lab(lab, settings, where)
    except DefinitionError:
        raise
    except UsageError:
        if settings or not _is_name(lab):
            raise
        return None


def _is_name(lab: str) -> bool:
    """Tell whether a word may be the name of a lab, and not only that of a file."""
    return re.fullmatch(r"[a-z0-9][a-z0-9_-]*", lab) is not None


def _short(address: str) -> str:
    """Return a name for a host that the call gives by its address alone."""
    return address.partition("://")[2] or address
