"""A terminal's program: what it hears, and that it does not outlive who has begun it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

SERVER = """
import asyncio, signal, sys
from dockerlab.classroom.terminal import Terminal

async def begin():
    terminal = Terminal()
    await terminal.start(["sh", "-c", "echo $$; exec sleep 60"])
    while b"\\n" not in terminal.shown:
        await asyncio.sleep(0.01)
    print(terminal.shown.decode().strip(), flush=True)

signal.signal(signal.SIGHUP, signal.SIG_IGN)
asyncio.run(begin())
"""

INTERRUPTED = """
import asyncio, signal
from dockerlab.classroom.terminal import Terminal

async def begin():
    terminal = Terminal()
    await terminal.start(["sh", "-c", "echo ready; exec sleep 60"])
    while b"ready" not in terminal.shown:
        await asyncio.sleep(0.01)
    terminal.type(b"\\x03")
    for _ in range(500):
        await asyncio.sleep(0.02)
        if terminal.ended:
            break
    print("ended" if terminal.ended else "goes on", flush=True)
    await terminal.end()

for number in (signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
asyncio.run(begin())
"""


def test_ends_with_who_began_it():
    """The program of a terminal ends with the server, also with one that was begun under `nohup`."""
    done = subprocess.run([sys.executable, "-c", SERVER], capture_output=True, text=True, check=True, timeout=60)
    program, deadline = Path(f"/proc/{int(done.stdout)}"), time.monotonic() + 10
    while program.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not program.exists()


def test_ctrl_c_where_the_server_was_begun_in_the_background():
    """A shell's script has what it begins with `&` ignore Ctrl-C; a student's program is interrupted all the same."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "ended\n"
