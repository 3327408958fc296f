"""A terminal: a program on a PTY, what it has shown lately, and who looks at it. Lives in the server's one thread."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

KEPT = 64 << 10
"""Bytes of what was shown last, which whoever comes (again) is shown first."""

AHEAD = 1 << 18
"""Bytes that wait for the slowest viewer before the program has to wait."""

STALLED = 10.0
"""Seconds after which a viewer who takes nothing is left behind."""

TYPED = 64 << 10
"""Bytes typed that the program has not read; more is dropped."""

LARGEST = (500, 200)
"""Columns and rows."""


CONTROLLED = ("env", "--default-signal", "setsid", "--ctty", "--wait")
"""The PTY controls the program's session: Ctrl-C and a change of size reach it, and it ends when this process does. It
would ignore both where this process was begun by somebody who does: by `nohup`, or in a script's background.
"""


@dataclass(frozen=True)
class Size:
    """How large a terminal is: the smallest of the `windows` in which it is looked at, each way."""

    columns: int
    rows: int
    windows: int = 0


class Viewer:
    """Somebody who looks at a terminal: what is to be sent to them, in order; None is the end.

    `window` is how many columns and rows they have room for; None: they have not said.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytes | Size | None] = deque()
        self._some = asyncio.Event()
        self.waiting = 0
        self.window: tuple[int, int] | None = None

    def put(self, piece: bytes | Size | None) -> None:
        """Add what is to be sent."""
        self._pieces.append(piece)
        self.waiting += len(piece) if isinstance(piece, bytes) else 0
        self._some.set()

    async def get(self) -> bytes | Size | None:
        """Return all that is to be sent now, or a size, or None at the end."""
        while not self._pieces:
            self._some.clear()
            await self._some.wait()
        if not isinstance(self._pieces[0], bytes):
            return self._pieces.popleft()
        joined = bytearray()
        while self._pieces and isinstance(piece := self._pieces[0], bytes):
            joined += piece
            self._pieces.popleft()
        self.waiting = 0
        return bytes(joined)


class Terminal:
    """A program on a PTY; `ended` once the program has."""

    def __init__(self) -> None:
        self.size = Size(80, 24)
        self.ended = False
        self.shown = bytearray()
        self._viewers: set[Viewer] = set()
        self._master = -1
        self._typed = bytearray()
        self._process: asyncio.subprocess.Process | None = None
        self._paused = False

    async def start(self, argv: Sequence[str]) -> None:
        """Start the program, with the PTY as the terminal that controls it; raises OSError."""
        self._master, slave = os.openpty()
        try:
            os.set_blocking(self._master, False)
            self._resized()
            self._process = await asyncio.create_subprocess_exec(
                *CONTROLLED, *argv, stdin=slave, stdout=slave, stderr=slave,
                env={**os.environ, "TERM": "xterm-256color"},
            )  # fmt: skip
        except OSError:
            os.close(self._master)
            self.ended = True
            raise
        finally:
            os.close(slave)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def attach(self) -> Viewer:
        """Return a new viewer, who is shown first what was on the screen."""
        viewer = Viewer()
        viewer.put(self.size)
        viewer.put(bytes(self.shown) or b"\r")
        if self.ended:
            viewer.put(None)
        self._viewers.add(viewer)
        return viewer

    def detach(self, viewer: Viewer) -> None:
        """Take a viewer away."""
        self._viewers.discard(viewer)
        self._fit()
        self.resume()

    def type(self, text: bytes) -> None:
        """Give the program what somebody has typed."""
        if self.ended or len(self._typed) + len(text) > TYPED:
            return
        self._typed += text
        self._write()

    def resize(self, viewer: Viewer, columns: int, rows: int) -> None:
        """Note how large somebody's window is; the terminal is as large as the smallest one, and all are told."""
        viewer.window = (max(2, min(columns, LARGEST[0])), max(2, min(rows, LARGEST[1])))
        self._fit()

    def _fit(self) -> None:
        windows = [viewer.window for viewer in self._viewers if viewer.window is not None]
        if not windows:
            return  # the last one has gone: who comes next finds it as it was
        size = Size(min(columns for columns, _ in windows), min(rows for _, rows in windows), len(windows))
        if size == self.size:
            return
        self.size = size
        for viewer in self._viewers:
            viewer.put(size)
        if not self.ended:
            self._resized()

    def resume(self) -> None:
        """Read on, if nobody is too far behind; whoever sends calls it after each piece."""
        if self._paused and not self.ended and all(viewer.waiting < AHEAD for viewer in self._viewers):
            self._paused = False
            asyncio.get_running_loop().add_reader(self._master, self._read)

    async def end(self) -> None:
        """End the program, and all that is in its session."""
        process = self._process
        if process is not None and process.returncode is None:
            for number in (signal.SIGHUP, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(process.wait(), 2)
                    break
        self._over()

    def _resized(self) -> None:
        packed = struct.pack("HHHH", self.size.rows, self.size.columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, packed)

    def _read(self) -> None:
        try:
            piece = os.read(self._master, 1 << 14)
        except BlockingIOError:
            return
        except OSError:  # EIO: the last one who had the other end has closed it
            piece = b""
        if not piece:
            self._over()
            return
        self.shown += piece
        if len(self.shown) > KEPT:
            # From the beginning of a line on: a sequence that was cut in two would be shown as letters.
            cut = self.shown.find(b"\n", len(self.shown) - KEPT)
            del self.shown[: cut + 1 if cut >= 0 else len(self.shown) - KEPT]
        for viewer in self._viewers:
            viewer.put(piece)
        slow = [viewer for viewer in self._viewers if viewer.waiting >= AHEAD]
        if slow:
            self._paused = True
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.call_later(STALLED, self._leave_behind, slow)

    def _leave_behind(self, slow: Sequence[Viewer]) -> None:
        for viewer in slow:
            if viewer in self._viewers and viewer.waiting >= AHEAD:
                self._viewers.discard(viewer)
                viewer.put(None)
        self.resume()

    def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            del self._typed[: os.write(self._master, self._typed)]
        except BlockingIOError:
            pass
        except OSError:
            self._typed.clear()
        if self._typed:
            loop.add_writer(self._master, self._write)
        else:
            loop.remove_writer(self._master)

    def _over(self) -> None:
        if self.ended:
            return
        self.ended = True
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        os.close(self._master)
        for viewer in self._viewers:
            viewer.put(None)
        self.reaping = loop.create_task(self._reap())

    async def _reap(self) -> None:
        if self._process is not None:
            await self._process.wait()
