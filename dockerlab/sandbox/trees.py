"""Directories taken away with all that is in them, while the last of their users may still be ending."""

from __future__ import annotations

import shutil
import time
from pathlib import Path


def remove_tree(directory: Path, attempts: int = 20) -> None:
    """Remove a directory with all that is in it, though the last of its users may still be ending."""
    for remaining in reversed(range(attempts)):
        try:
            shutil.rmtree(directory)
        except FileNotFoundError:
            if not directory.exists():
                return
        except OSError:
            if not remaining:
                raise
        else:
            return
        time.sleep(0.1)


def remove_cgroup(group: Path) -> None:
    """Remove a control group and those in it. Only their directories can be removed, and not while one is in use."""
    children = [path for path in group.rglob("*") if path.is_dir()]
    for child in sorted(children, key=lambda path: len(path.parts), reverse=True):
        _rmdir(child)
    _rmdir(group)


def _rmdir(group: Path, attempts: int = 20) -> None:
    for remaining in reversed(range(attempts)):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if not remaining:
                raise
        else:
            return
        time.sleep(0.05)
