"""Values of a call that need no check: text, what was not given, and defaults.

typer has a validator for each option and argument, built by pydantic when the command is called, whether anything was
given or not. Building them takes a fifth of a short call.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

BUILT = "_runtime_param"
"""Where typer keeps the validator that it has built; versions that have no such place are left alone."""


class AsGiven:
    """In the place of a validator: lets through what is right as it stands, and has typer build one for all else."""

    def __init__(self, parameter: Any) -> None:
        self._parameter = parameter

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value as the command takes it; raises what typer's own validator does."""
        wanted = self._parameter.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if wanted is str or (isinstance(wanted, type) and issubclass(wanted, Enum)):
            if isinstance(value, wanted):
                return value
        elif wanted == list[str] and isinstance(value, tuple | list) and all(isinstance(each, str) for each in value):
            return list(value)
        setattr(self._parameter, BUILT, None)
        return self._parameter.get_runtime_param().coerce(value, param=param, ctx=ctx)


def without_checks(parameters: list[Any]) -> list[Any]:
    """Return options and arguments that are checked only where there is something to be checked.

    One with a parser of its own is left as it is.
    """
    for each in parameters:
        if getattr(each, BUILT, ...) is None and each.type_descriptor.parameter_info.parser is None:
            setattr(each, BUILT, AsGiven(each))
    return parameters
