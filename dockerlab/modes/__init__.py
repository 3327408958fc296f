"""The network modes, one file each. Every module here that has a `MODE` is one; adding a mode is adding a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from dockerlab.compose.options import Options, files_in
from dockerlab.errors import UsageError
from dockerlab.modes.base import Mode

if TYPE_CHECKING:
    from dockerlab.lab.loader import Definition
    from dockerlab.lab.model import Container, Lab, Network
    from dockerlab.lab.problem import Problem


@cache
def all_modes() -> tuple[Mode, ...]:
    """Return every mode, by name."""
    modules = (import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__))
    modes: list[Mode] = [module.MODE for module in modules if hasattr(module, "MODE")]
    return tuple(sorted(modes, key=lambda mode: mode.name))


def network_types() -> dict[str, type[Network]]:
    """Return what a definition's `driver:` may be, with the model of such a network."""
    return {mode.name: mode.network_type for mode in all_modes() if mode.network_type is not None}


def for_driver(driver: str) -> Mode:
    """Return the mode of a network's driver; raises UsageError for one that no mode serves."""
    found = next((mode for mode in all_modes() if mode.name == driver and mode.network_type is not None), None)
    if found is None:
        raise UsageError(f"no mode serves the driver {driver!r}; known: {', '.join(network_types())}")
    return found


def for_container(lab: Lab, spec: Container) -> Mode:
    """Return the mode that gives a container its namespace: its `network_mode`, or its first network's driver."""
    if spec.network_mode is None and spec.networks:
        return for_driver(lab.networks[spec.mode].driver)
    found = next((mode for mode in all_modes() if mode.serves(spec.mode)), None)
    if found is None:
        raise UsageError(f"no mode serves network_mode {spec.mode!r}")
    return found


def lint(lab: Lab) -> Iterable[Problem]:
    """Yield what works in a definition but misleads, by what is particular to each mode."""
    for mode in all_modes():
        yield from mode.lint(lab)


def check(lab: Lab) -> Iterable[Problem]:
    """Yield what is wrong in a definition by the rules of the modes."""
    for mode in all_modes():
        yield from mode.check(lab)


def definition(path: Path, overrides: Mapping[str, str] | None = None, options: Options | None = None) -> Definition:
    """Return the definition in a file or directory, checked by the rules of every mode.

    It is one of ours, of which `overrides` are values for its `vars`, or a Compose file, which `options` tell how to
    read. Raises DefinitionError with every mistake and its place, UsageError where the file cannot be read.
    """
    # What takes a lab away wants to know no more of the modes than what they label.
    from dockerlab.compose.recognised import is_compose  # noqa: PLC0415
    from dockerlab.lab.loader import read  # noqa: PLC0415
    from dockerlab.lab.texts import text_of  # noqa: PLC0415

    options = options if options is not None else Options()
    paths = files_in(path, options) if path.is_dir() else [path]
    if not paths:
        raise UsageError(f"{path}: a directory with neither a lab.yaml nor a Compose file in it")
    text, name = text_of(paths[0]), str(paths[0])
    if not is_compose(text, name):
        if options.asked:
            raise UsageError(
                f"{name}: {options.asked} is for Compose files, and this is a definition of dockerlab's own"
            )
        return read(text, name, networks=network_types(), checks=[check], overrides=overrides or {})
    if overrides:
        raise UsageError(f"{name}: --set is for a definition's `vars`; a Compose file's variables are set by export")
    from dockerlab.compose.load import load  # noqa: PLC0415 - a definition of our own does without all of it

    return load(paths, options, networks=network_types(), checks=[check])
