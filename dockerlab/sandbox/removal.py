"""Taking the sandbox away, whole or in pieces: from what is there, not from what was meant to be there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dockerlab.errors import SandboxError
from dockerlab.sandbox import network, processes
from dockerlab.sandbox.cgroups import CGROUPS
from dockerlab.sandbox.commands import run
from dockerlab.sandbox.layout import CGROUP, DIRECTORY, LINK, RECORD, STORAGE, inode, namespaces
from dockerlab.sandbox.trees import remove_what_goes


def remains() -> list[str]:
    """Return what there is of a sandbox, one phrase each."""
    running = len(processes.ours(processes.belongs(_inodes())))
    groups = len(list(_cgroups()))
    found = [f"{running} process{'es' if running > 1 else ''}"] if running else []
    found += [f"namespace {name}" for name in namespaces()]
    found += [f"link {LINK}"] if _link_exists() else []
    found += [f"routing rule for {LINK}"] * network.rules()
    found += [f"mount {path}" for path in _mounts()]
    found += [f"{groups} control group{'s' if groups > 1 else ''}"] if groups else []
    found += [f"directory {path}" for path in (DIRECTORY, STORAGE) if path.exists()]
    return found


def remove_all() -> list[str]:
    """Remove everything and return what was removed, one phrase each; raises SandboxError for what stays.

    It may be interrupted anywhere: the next call takes what is left.
    """
    found = remains()
    # Without its record, what is left is nobody's sandbox any more.
    RECORD.unlink(missing_ok=True)
    processes.kill(processes.belongs(_inodes()))
    if _link_exists():
        run(["ip", "link", "delete", LINK])
    for _ in range(network.rules()):
        run(["ip", "rule", "delete", "iif", LINK])
    for name in namespaces():
        run(["ip", "netns", "delete", name])
    for path in _mounts():
        run(["umount", "--lazy", path])
    remove_what_goes(_cgroups(), (DIRECTORY, STORAGE))
    with suppress(OSError):  # somebody else's files are in it, or it was never there
        STORAGE.parent.rmdir()
    if left := remains():
        raise SandboxError(f"this of the sandbox could not be removed: {', '.join(left)}; run the command again")
    return found


def _inodes() -> set[int]:
    return {found for name in namespaces() if (found := inode(name)) is not None}


def _link_exists() -> bool:
    return Path("/sys/class/net", LINK).exists()


def _mounts() -> list[str]:
    """Return the mount points below the sandbox's directories, the innermost first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    ours = (f"{DIRECTORY}/", f"{STORAGE}/")
    return sorted((point for point in points if point.startswith(ours)), key=len, reverse=True)


def _cgroups() -> Iterator[Path]:
    """Yield the sandbox's group in every hierarchy: one with version 2, one a controller with version 1."""
    for group in (CGROUPS / CGROUP, *CGROUPS.glob(f"*/{CGROUP}")):
        if group.is_dir() and not group.parent.is_symlink():
            yield group
