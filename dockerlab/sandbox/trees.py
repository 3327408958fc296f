"""Directories taken away with all that is in them, and files of a host opened whatever links its root has made."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ATTEMPTS = 20


def remove_tree(directory: Path) -> None:
    """Remove a directory with all that is in it, though the last of its users may still be ending."""
    _insist(shutil.rmtree, directory, 0.1)


def remove_cgroup(group: Path) -> None:
    """Remove a control group and those in it. Only their directories can be removed, and not while one is in use."""
    children = [path for path in group.rglob("*") if path.is_dir()]
    for child in sorted(children, key=lambda path: len(path.parts), reverse=True):
        _insist(Path.rmdir, child, 0.05)
    _insist(Path.rmdir, group, 0.05)


@contextmanager
def opened(pid: int, *names: str) -> Iterator[int]:
    """Give a descriptor (O_PATH) of a file as a process sees it, by the names from its root on; raises OSError.

    No link is followed: its target would be looked for among our own files, and not in the process's.
    """
    held = os.open(f"/proc/{pid}/root", os.O_PATH)
    try:
        for name in names:
            found = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=held)
            os.close(held)
            held = found
        yield held
    finally:
        os.close(held)


def _insist(remove: Callable[[Path], object], path: Path, pause: float) -> None:
    """Remove what is there, again after each pause (seconds) while it cannot be; raises OSError after the last one."""
    for remaining in reversed(range(ATTEMPTS)):
        try:
            remove(path)
        except FileNotFoundError:  # also what is in it may have gone meanwhile
            if not path.exists():
                return
        except OSError:
            if not remaining:
                raise
        else:
            return
        time.sleep(pause)
