"""The boundary around hosts: a user namespace in which their root is nobody on the machine.

All hosts of a sandbox share it. Everything of a host is the namespace's: its mounts, its network, its processes. So
what root in a host may do, it may do to these alone, and the kernel holds that, as for any container of a user without
rights.
What is around the hosts (switch, router, outside) and what asks and judges them stays the machine's root's.
"""

from __future__ import annotations

import os
from pathlib import Path

from dockerlab.sandbox.commands import attempt, run, waiting
from dockerlab.sandbox.layout import DIRECTORY
from dockerlab.sandbox.trees import remove_tree

USERS = DIRECTORY / "users"
"""The name of the user namespace, as `ip netns` keeps those of networks."""

BELOW = DIRECTORY / "below"
"""The root file system that the hosts read, owned by their root instead of the machine's."""

_TRIAL = """mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir below below/some above work new && mknod above/some c 0 0
mount -t overlay -o lowerdir=below,upperdir=above,workdir=work,userxattr trial new && mkdir new/some
mount -t proc proc new/some"""

COUNT = 65536
"""How many user and group IDs a sandbox has."""

FIRST = 2_000_000_000
"""The first user ID that hosts' users have on the machine; above what login users and containers are given."""


def first_id(index: int) -> int:
    """Return the first user ID of the sandbox with that number, from 0 on."""
    return FIRST + index * COUNT


def build(first: int, below: Path) -> None:
    """Make the user namespace whose root is `first` outside, and the hosts' root file system as it sees it.

    Raises SandboxError where the kernel or the file system cannot do that.
    """
    from dockerlab.sandbox import idmap  # noqa: PLC0415 - it imports ctypes, and few calls make a boundary

    USERS.touch(mode=0o600)
    with waiting(["unshare", "--user"]) as pid:
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{kind}").write_text(f"0 {first} {COUNT}\n")
        run(["mount", "--bind", f"/proc/{pid}/ns/user", str(USERS)])
    BELOW.mkdir()
    idmap.mount(below, BELOW, USERS)
    # Before Linux 6.6, a tmpfs cannot note what an overlay has to.
    run([*entering(), "unshare", "--mount", "--pid", "--fork", "sh", "-euc", _TRIAL])


def dismiss() -> None:
    """Take away what `build` has made, or a part of it."""
    for name in (BELOW, USERS):
        attempt(["umount", "--lazy", str(name)])
    USERS.unlink(missing_ok=True)
    remove_tree(BELOW)


def network_namespace(name: str) -> None:
    """Make a network namespace of that name that belongs to the boundary's root; raises SandboxError."""
    with waiting([*entering(), "unshare", "--net"]) as pid:
        run(["ip", "netns", "attach", name, str(pid)])


def entering() -> list[str]:
    """Return the words ahead of a command by which the boundary's root runs it."""
    return ["nsenter", f"--user={USERS}", "--"]


def give(first: int, *trees: Path) -> None:
    """Give directories, with all that is in them, to the boundary's root."""
    for tree in trees:
        for directory, folders, files in os.walk(tree):
            for entry in (directory, *(os.path.join(directory, each) for each in (*folders, *files))):  # noqa: PTH118
                os.chown(entry, first, first, follow_symlinks=False)


def give_group(first: int, group: Path) -> None:
    """Let the boundary's root make groups below a control group, and move its own processes between them.

    The files by which the group itself is limited stay the machine's (Linux, Documentation/admin-guide/cgroup-v2.rst,
    "Delegation Containment").
    """
    for entry in (".", "cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control"):
        if (group / entry).exists():
            os.chown(group / entry, first, first)
