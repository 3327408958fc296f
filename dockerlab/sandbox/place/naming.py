"""What places are called, and where what there is of one lies."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path

from dockerlab.errors import UsageError
from dockerlab.sandbox.cgroups import CGROUPS
from dockerlab.sandbox.lock import locked

DIRECTORY = Path("/run/dockerlab/places")
"""For each place, which process holds it, its limits, and what its start said. Mode 0700."""

STORAGE = Path("/var/lib/dockerlab/places")
"""For each place its own /var/lib/dockerlab, or the file that holds it."""

CGROUP = "dockerlab-places"
"""The control group, in each hierarchy, below which each place has one."""

_LOCK = "place-"

_FORM = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_WORDS = frozenset({"0", "1", "yes", "no", "true", "false", "on", "off"})
"""What DOCKERLAB_SANDBOX takes for yes and no: as a name, nobody could ask for it."""


def together() -> AbstractContextManager[None]:
    """Hold what all places have in common, for a moment: the directories and groups that theirs are in."""
    return locked(lambda _: None, _common())


def _common() -> Path:
    return DIRECTORY.parent / "places.lock"


def forget_killed() -> None:
    """Remove the lock's file where whoever was killed with it in hand has left it."""
    if _common().exists():
        with together():
            pass


def lock_of(name: str) -> Path:
    """Return the file by whose lock one at a time makes or removes that place."""
    return DIRECTORY.parent / f"{_LOCK}{name}.lock"


def checked(name: str) -> str:
    """Return a name that may be a place's; raises UsageError for any other.

    It becomes part of paths and of commands: it holds nothing that either could take for more.
    """
    if not _FORM.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a sandbox's name: small letters, digits and '-' within, at most 31, as in s01"
        )
    if name in _WORDS:
        raise UsageError(f"{name!r} cannot be a sandbox's name: for DOCKERLAB_SANDBOX it is yes or no")
    return name


def names() -> list[str]:
    """Return the names of all places of which there is anything, also after a start that was cut off; sorted."""
    found: set[str] = set()
    for directory in (DIRECTORY, STORAGE, *(CGROUPS / CGROUP, *CGROUPS.glob(f"*/{CGROUP}"))):
        if directory.is_dir():
            found |= {entry.name for entry in directory.iterdir() if entry.is_dir()}
    # Who was killed with the lock in hand has left its file, though nothing else may have been made yet.
    found |= {path.stem.removeprefix(_LOCK) for path in DIRECTORY.parent.glob(f"{_LOCK}*.lock")}
    return sorted(name for name in found if _FORM.fullmatch(name))
