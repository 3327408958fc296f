"""One `up` or `down` at a time, on the whole machine."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dockerlab.errors import SandboxError
from dockerlab.sandbox.layout import LOCK

Report = Callable[[str], None]


@contextmanager
def locked(report: Report, path: Path = LOCK, seconds: float = 120.0) -> Iterator[None]:
    """Hold the sandbox's lock; it ends with the process, however that ends, and its file is removed with it.

    Raises SandboxError when another process holds it for longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    told = False
    while (handle := _take(path)) is None:
        if not told:
            report("waiting for another dockerlab that builds or removes the sandbox")
            told = True
        if time.monotonic() > deadline:
            raise SandboxError(
                f"another process has held {path} for {seconds:.0f} s (`fuser {path}` names it): "
                "let it finish or end it, then try again"
            )
        time.sleep(0.1)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)
        with suppress(OSError):  # somebody else's files are in it
            path.parent.rmdir()


def _take(path: Path) -> int | None:
    """Return the locked file, or None while somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None  # the one before us has just removed the directory
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it before has removed the file: a lock on a file without a name keeps nobody out.
        if path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None
