"""Directories taken away with all that is in them, while the last of their users may still be ending."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
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
