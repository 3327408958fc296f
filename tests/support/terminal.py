"""A real terminal of some width, and what somebody sees on it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

ORDERS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")
"""What moves a cursor or colours a letter."""


def at_terminal(argv, width, environment, typed=""):
    """Return what a program shows on a terminal of that width until it ends; a text is typed to it at once."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    child = subprocess.Popen(argv, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True)
    os.close(its)
    os.write(mine, typed.encode())
    shown = b""
    while True:
        try:
            part = os.read(mine, 1 << 16)
        except OSError:  # Linux's word for the end of a terminal
            break
        if not part:
            break
        shown += part
    os.close(mine)
    child.wait(timeout=60)
    return ORDERS.sub("", shown.decode("utf-8", "replace"))
