"""A place made: its directories, its control groups, and the process that holds its namespaces."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from dockerlab.errors import SandboxError
from dockerlab.sandbox import boundary, preflight
from dockerlab.sandbox.cgroups import entering
from dockerlab.sandbox.commands import held, run
from dockerlab.sandbox.layout import NETNS
from dockerlab.sandbox.lock import locked
from dockerlab.sandbox.place import limits as limiting
from dockerlab.sandbox.place.entering import HOLDER, VARIABLE, holder, started
from dockerlab.sandbox.place.limits import Limits
from dockerlab.sandbox.place.naming import DIRECTORY, STORAGE, checked, lock_of, together
from dockerlab.sandbox.place.removing import clear

Report = Callable[[str], None]

READY_SECONDS = 60.0
_UNSHARED = ("--net", "--mount", "--propagation", "private", "--pid", "--ipc", "--uts", "--cgroup")


@dataclass(frozen=True)
class Place:
    """A place that is there: its name and limits, which of them this machine cannot hold, and whether it is new."""

    name: str
    limits: Limits
    unlimited: tuple[str, ...] = ()
    new: bool = False


def make(name: str, limits: Limits | None = None, report: Report = lambda _: None) -> Place:
    """Make the place of that name, or find it there, and return it; the sandbox in it is another matter.

    Without `limits`, a place that is there keeps its own, and a new one has the usual. Those of a place that is there
    are changed, all but its disk. What an interrupted start has left is removed first. Raises UsageError for a name
    that cannot be one, and SandboxError, after cleaning up, when the place cannot be made.
    """
    preflight.require_linux_and_root()
    with locked(report, lock_of(checked(name))):
        own = DIRECTORY / name
        there = limiting.read(own / "limits.json") if holder(name) else None
        wanted = limits or there or Limits()
        if there is None:
            clear(name)
            return _new(name, wanted)
        if wanted.disk != there.disk:
            raise SandboxError(
                f"the disk of the sandbox {name} cannot be changed while it is there: "
                f"take it down first with 'dockerlab sandbox down --name {name}'"
            )
        unlimited = limiting.confine(name, wanted)
        limiting.write(wanted, own / "limits.json")
        return Place(name, wanted, tuple(unlimited))


def _new(name: str, limits: Limits) -> Place:
    own, storage = DIRECTORY / name, STORAGE / name
    try:
        with together():
            for directory in (own, storage):
                directory.mkdir(parents=True, mode=0o700)
            unlimited = limiting.confine(name, limits)
            index = _number(own)
        NETNS.mkdir(parents=True, exist_ok=True)
        image = _image(storage, limits.disk) if limits.disk else None
        _hold(name, index, storage, image)
        limiting.write(limits, own / "limits.json")
    except BaseException:
        clear(name)
        raise
    return Place(name, limits, tuple(unlimited), new=True)


def _number(own: Path) -> int:
    """Give the place the least number that no other has, and return it: its hosts' users are nobody else's."""
    taken = {int(file.read_text()) for file in DIRECTORY.glob("*/number")}
    index = next(each for each in range(len(taken) + 1) if each not in taken)
    (own / "number").write_text(str(index))
    return index


def _image(storage: Path, size: int) -> Path:
    """Make the file that holds the place's storage as a file system; it takes what is written, not its size."""
    if shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists():
        raise SandboxError(
            "a disk of a size needs mkfs.ext4 (package e2fsprogs) and loop devices (/dev/loop-control): "
            "leave its size out, or make them available"
        )
    image = storage / "disk"
    with image.open("wb") as file:
        file.truncate(size)
    image.chmod(0o600)
    run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1", str(image)])
    (storage / "mounted").mkdir()
    return image


def _hold(name: str, index: int, storage: Path, image: Path | None) -> None:
    """Start the process that holds the place and wait for its mounts; raises SandboxError with what it said."""
    own = DIRECTORY / name
    ready, log = own / "ready", own / "log"
    for package, file in ((__package__, "hold.sh"), ("dockerlab.sandbox", "cgroups.sh")):
        with as_file(files(package).joinpath(file)) as script:
            # The copy stays readable for the new process, whatever becomes of the package's own file.
            shutil.copy(script, own / file)
    mounted = storage / "mounted" if image else storage
    unshare = ["unshare", *_UNSHARED, "--fork", "--kill-child", "--mount-proc"]
    users = str(boundary.first_id(index))
    hold = [*unshare, "/bin/sh", str(own / "hold.sh"), name, users, str(mounted), str(image or ""), str(ready)]
    # The groups are entered before the namespace of control groups is made, whose root they become.
    enter = entering(limiting.groups(name), hold)
    process = held(enter, log, {VARIABLE: name})
    deadline = time.monotonic() + READY_SECONDS
    while not (ready.exists() and ready.read_text()):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            said = log.read_text(errors="replace").strip() or "it said nothing"
            raise SandboxError(f"the place of the sandbox {name} could not be made: {said}")
        time.sleep(0.01)
    first = child(process.pid, deadline)
    for group in limiting.holding(name):
        for pid in (process.pid, first, child(first, deadline)):
            (group / "cgroup.procs").write_text(str(pid))
    draft = own / f"{HOLDER}.new"
    draft.write_text(f"{first} {started(first)}\n")
    draft.replace(own / HOLDER)
    # It outlives us: it is the machine's first process that is to wait for it.
    process.returncode = 0


def child(pid: int, deadline: float) -> int:
    """Return the first child of a process, which may have said that it is ready before it has one.

    Raises SandboxError where it has none when the deadline has passed (`time.monotonic`).
    """
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while not (found := children.read_text().split()):
        if time.monotonic() > deadline:
            raise SandboxError(f"process {pid}, which is to hold the place, has begun no other in time")
        time.sleep(0.01)
    return int(found[0])
