"""Directories taken away with all that is in them, and files of a host opened whatever links its root has made."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ATTEMPTS = 20

MOST_LINKS = 40
"""So many the kernel follows as well (path_resolution(7))."""


def remove_tree(directory: Path) -> None:
    """Remove a directory with all that is in it, though the last of its users may still be ending."""
    _insist(shutil.rmtree, directory, 0.1)


def remove_cgroup(group: Path) -> None:
    """Remove a control group and those in it. Only their directories can be removed, and not while one is in use."""
    children = [path for path in group.rglob("*") if path.is_dir()]
    for child in sorted(children, key=lambda path: len(path.parts), reverse=True):
        _insist(Path.rmdir, child, 0.05)
    _insist(Path.rmdir, group, 0.05)


def remove_what_goes(groups: Iterable[Path], directories: Iterable[Path]) -> None:
    """Remove control groups and directories; what is in use stays, and the others go all the same.

    Nothing is raised: whoever calls looks at what is left, and tells it by its name.
    """
    for group in groups:
        with suppress(OSError):
            remove_cgroup(group)
    for directory in directories:
        with suppress(OSError):
            remove_tree(directory)


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


@contextmanager
def followed(pid: int, *names: str) -> Iterator[int]:
    """Give the same of a file to which links may lead; raises OSError.

    Each link is followed here, from the process's root on, and not by the kernel: it never leads out of that root.
    """
    way, left, links = [os.open(f"/proc/{pid}/root", os.O_PATH)], list(names), 0
    try:
        while left:
            name = left.pop(0)
            if name == "..":
                if len(way) > 1:
                    os.close(way.pop())
                continue
            found = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=way[-1])
            if not stat.S_ISLNK(os.fstat(found).st_mode):
                way.append(found)
                continue
            target = os.readlink("", dir_fd=found)
            os.close(found)
            links += 1
            if links > MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            if target.startswith("/"):
                while len(way) > 1:
                    os.close(way.pop())
            left = [part for part in target.split("/") if part not in ("", ".")] + left
        yield way[-1]
    finally:
        for each in way:
            os.close(each)


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
