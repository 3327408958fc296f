"""The group that all commands are in."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class Group(TyperGroup):
    """A group whose flags all have a default.

    Where one has none, as typer's own, typer builds a validator only to see that no value was given. The import of
    what it takes for that is half of the time of a command's `--help`, and of a completion.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options of the group itself."""
        found = super().get_params(ctx)
        for option in found:
            if getattr(option, "is_flag", False) and option.default is None:
                option.default = False
        return found
