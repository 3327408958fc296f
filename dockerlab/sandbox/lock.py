"""One `up` or `down` at a time, on the whole machine."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
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
    """Return the locked file, or None while somebody else has it; raises SandboxError for what somebody else made."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_others(path.parent, path.parent.lstat(), stat.S_ISDIR)
        path.parent.chmod(0o700)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(path, flags, 0o600)
    except FileNotFoundError:
        return None  # the one before us has just removed the directory
    except OSError as error:  # a link (ELOOP), a directory, a named pipe that nobody reads
        raise SandboxError(f"{path} is no file of dockerlab ({error.strerror}): remove it") from None
    try:
        _refuse_others(path, os.fstat(handle), stat.S_ISREG)
    except SandboxError:
        os.close(handle)
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it before has removed the file: a lock on a file without a name keeps nobody out.
        if path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


def _refuse_others(path: Path, found: os.stat_result, kind: Callable[[int], bool]) -> None:
    """Raise SandboxError, with the owner's name, for what is not our own, or not of the kind that it has to be."""
    if found.st_uid == os.geteuid() and kind(found.st_mode):
        return
    try:
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        owner = f"user {found.st_uid}"
    raise SandboxError(f"{path} is not dockerlab's: {owner} made it; see what it is, and remove it")
