"""`python -m dockerlab.classroom.entry HOST [COMMAND…]`, run in a place: a terminal on one of its hosts.

By SSH, and not by entering the host's namespaces: so no process with rights on this machine is ever within a student's
reach. The client obeys nothing that is typed: its escape character would let a student have it forward ports and
sockets of this machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from dockerlab import sandbox

SAFE = ("-o", "EscapeChar=none", "-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no")


def argv(found: Sequence[str]) -> list[str]:
    """Return the argument list of a client that does nothing but show the host's terminal."""
    program, *rest = found
    return [program, *SAFE, *rest]


if __name__ == "__main__":
    state = sandbox.status()
    if state is None:
        sys.exit("there is no sandbox in this place: ask your teacher")
    whole = argv(sandbox.ssh_argv(state, sys.argv[1], sys.argv[2:], terminal=True))
    os.execvp(whole[0], whole)  # noqa: S606 - there is no shell, and the words are ours or quoted
