"""A directory seen with other owners: an ID-mapped mount, by the kernel's own calls.

`mount` can make one from util-linux 2.39 on, and Debian 12 and Ubuntu 22.04 have an older. The calls have the same
numbers on all processors but Alpha (Linux, include/uapi/asm-generic/unistd.h; mount_setattr(2)).
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from dockerlab.errors import SandboxError

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_OPEN_TREE_CLONE, _MOVE_MOUNT_F_EMPTY_PATH = 1, 4
_READ_ONLY, _NO_DEVICES, _IDMAP = 0x1, 0x4, 0x100000


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("users", ctypes.c_uint64),
    )


def mount(source: Path, target: Path, users: Path) -> None:
    """Mount a directory, without what is mounted in it, read-only and with the owners that a user namespace gives them.

    `users` is the user namespace's file. Raises SandboxError where the kernel or the file system cannot do that.
    """
    try:
        tree = _call(_OPEN_TREE, _AT_FDCWD, os.fsencode(source), _OPEN_TREE_CLONE | os.O_CLOEXEC)
        try:
            namespace = os.open(users, os.O_RDONLY | os.O_CLOEXEC)
            try:
                attributes = _Attributes(_READ_ONLY | _NO_DEVICES | _IDMAP, 0, 0, namespace)
                size = ctypes.c_size_t(ctypes.sizeof(attributes))
                _call(_MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, ctypes.byref(attributes), size)
            finally:
                os.close(namespace)
            _call(_MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(target), _MOVE_MOUNT_F_EMPTY_PATH)
        finally:
            os.close(tree)
    except OSError as error:
        raise SandboxError(
            f"{source} cannot be mounted with other owners ({error.strerror}): that takes Linux 5.19, and a file "
            "system that can do it, as ext4, xfs and btrfs can"
        ) from None


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
