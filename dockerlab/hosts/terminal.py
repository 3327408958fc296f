"""A program on a host whose streams are this process's own: its terminal, where it has one."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

READ = 1 << 16


def attach(channel: paramiko.Channel, line: bytes, *, terminal: bool) -> int:
    """Run a command line on a new channel, with our standard streams for its own; return its exit code.

    With `terminal` it gets one that follows ours in size, and every key goes to it as it is pressed. The exit code is
    -1 where none came. Raises paramiko's exceptions where it could not be started.
    """
    if terminal:
        channel.get_pty(os.environ.get("TERM", "vt100"), *shutil.get_terminal_size())
    channel.exec_command(line)
    with _raw() if terminal else _as_it_is(), _followed(channel) if terminal else _as_it_is():
        _relay(channel)
    return int(channel.recv_exit_status())


def _relay(channel: paramiko.Channel) -> None:
    """Pass what comes on both sides on to the other one until the program has ended and all of it was passed."""
    source = sys.stdin.fileno()
    watched = [channel.fileno(), source]
    while True:
        ready = select.select(watched, [], [])[0]
        if source in ready:
            data = os.read(source, READ)
            if data:
                channel.sendall(data)
            else:
                watched.remove(source)
                channel.shutdown_write()
        # Asked before the streams are looked at: nothing can come after it.
        ended = channel.eof_received or channel.closed
        out = channel.recv(READ) if channel.recv_ready() else b""
        err = channel.recv_stderr(READ) if channel.recv_stderr_ready() else b""
        for stream, data in ((sys.stdout, out), (sys.stderr, err)):
            stream.buffer.write(data)
            stream.flush()
        if ended and not out and not err:
            return


@contextmanager
def _raw() -> Iterator[None]:
    """Let our terminal pass every key on, also Ctrl-C; it is as before in the end."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextmanager
def _followed(channel: paramiko.Channel) -> Iterator[None]:
    """Let the terminal there follow ours in size."""
    if threading.current_thread() is not threading.main_thread():  # only there a signal can be waited for
        yield
        return
    before = signal.signal(signal.SIGWINCH, lambda *_: channel.resize_pty(*shutil.get_terminal_size()))
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield
