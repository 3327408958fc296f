"""What `up` takes from the environment of its caller: named, and asked for where the definition may be a stranger's.

A definition may come from anybody, and a variable of it without a value, or `${NAME}` in a Compose file, takes what the
caller has under that name, a password as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dockerlab.cli.output import say
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.lab.model import Lab

OPTION = "--allow-environment"

Handed = Mapping[str, tuple[str, ...]]
"""The names of variables, and the hosts that each goes to."""


def handed(lab: Lab, environment: Mapping[str, str]) -> Handed:
    """Return what a lab takes from an environment, and to which hosts, in the definition's order."""
    found: dict[str, dict[str, None]] = {}
    for name, spec in lab.containers.items():
        for key in spec.handed_over:
            if key in environment and key not in lab.given.get(name, {}):
                found.setdefault(key, {})[lab.host_of(name)] = None
    for key in sorted(lab.taken):
        found.setdefault(key, dict.fromkeys(lab.hosts))
    return {key: tuple(hosts) for key, hosts in found.items()}


def agree(
    wanted: Handed, files: Sequence[Path], where: str, agreed: Path, read: Callable[[], str] | None, *, allowed: bool
) -> None:
    """Name what is taken, and return when it may be; raises UsageError where it may not.

    It may where it is `allowed`, and where the definition's files are those that the caller keeps in the folder of the
    call, or come along with dockerlab. For others `read` gives the answer of a person, None without one; a yes is
    remembered in a folder for these files, variables and hosts. `where` says where hosts of these names are.
    """
    for name, hosts in wanted.items():
        say(f"note: {name} of your environment goes to {', '.join(hosts)}{where}")
    strange = [file for file in files if not _is_own(file)]
    known = agreed / _digest(wanted, strange, where)
    if allowed or not wanted or not strange or known.exists():
        return
    names, taken = ", ".join(map(str, strange)), ", ".join(wanted)
    told = f"{names}: not in the folder of this call, and takes {taken} from your environment"
    if read is None:
        raise UsageError(
            f"{told}; nothing was touched. Where that is right, call it with {OPTION}; else unset what it "
            "should not get"
        )
    say(f"{told}. Give it? [y/n]")
    if read().strip().lower() not in ("y", "yes"):
        raise UsageError(f"not given, and nothing was touched; unset what it should not get, or answer y ({OPTION})")
    try:
        agreed.mkdir(mode=0o700, parents=True, exist_ok=True)
        known.touch(mode=0o600)
    except OSError as error:
        say(f"this answer cannot be remembered in {agreed}: {error.strerror}")


def reader() -> Callable[[], str] | None:
    """Return what reads a person's answer, None where nobody is there to give one."""
    return sys.stdin.readline if sys.stdin is not None and sys.stdin.isatty() else None


def _is_own(file: Path) -> bool:
    """Tell whether a definition is the caller's own: below the folder of the call, and nobody else can write there."""
    from dockerlab.lab.catalog import data_directory

    whole = file.resolve()
    if any(whole.is_relative_to(data_directory(kind).resolve()) for kind in ("examples", "labs")):
        return True
    folder = whole if whole.is_dir() else whole.parent
    return folder.is_relative_to(Path.cwd()) and all(_is_mine(each.stat()) for each in (whole, folder))


def _is_mine(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_IWOTH


def _digest(wanted: Handed, files: Sequence[Path], where: str) -> str:
    return hashlib.sha256(json.dumps([[str(file.resolve()) for file in files], where, wanted]).encode()).hexdigest()
