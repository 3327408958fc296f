"""Be in another network namespace for a while, with the thread that asks: what is read then is that namespace's.

Part of the program that looks: standard library only, and Python 3.6 must run it. Python has a function for it since
3.12, and before that ctypes, which a minimal Python may lack.
"""

import contextlib
import os
from typing import Any

NETWORK = 0x40000000
"""CLONE_NEWNET of <linux/sched.h>."""


def entrance() -> "Any":
    """Return the function that moves a thread into a namespace, or None where this Python has none."""
    if hasattr(os, "setns"):
        return os.setns
    try:
        import ctypes  # noqa: PLC0415 - a minimal Python lacks it

        call = ctypes.CDLL(None, use_errno=True).setns
    except (ImportError, OSError, AttributeError):
        return None

    def setns(handle: "int", kind: "int") -> "None":
        if call(handle, kind):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return setns


SETNS = entrance()


@contextlib.contextmanager
def inside(handle: "int") -> "Any":
    """Be in the namespace of a handle with this thread, and come back; raises OSError where one may not.

    Programs that are started meanwhile are there, too.
    """
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        SETNS(handle, NETWORK)
        try:
            yield
        finally:
            SETNS(own, NETWORK)
    finally:
        os.close(own)
