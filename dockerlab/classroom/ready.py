"""Programs of dockerlab begun in places at once: from copies of a process that has imported them (`copies`)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dockerlab.classroom.running import MOST, SHOWN, Said
from dockerlab.sandbox import place
from dockerlab.sandbox.place import Way


class Ready:
    """Begins programs; the process that has imported them is begun when it is first wanted, and again if it is gone.

    `of` is the exercise, or the lab, that the class has; `way` leads into the place of a name. Lives in one event loop.
    """

    def __init__(self, of: Path, way: Callable[[str], Way] = place.way) -> None:
        self._of, self._way = of, way
        self._process: asyncio.subprocess.Process | None = None
        self._channel: socket.socket | None = None
        self._beginning = asyncio.Lock()

    async def run(self, name: str, words: Sequence[str], patience: float, nice: int = 0) -> Said:
        """Run a module with its arguments in a place, without input; it is ended where it takes longer than `patience`.

        The larger `nice` (to 19), the less it has of the processor while others want it.
        Raises SandboxError where there is no such place, OSError where nothing can be begun.
        """
        way = self._way(name)
        order = {
            "words": list(words),
            "nice": nice,
            "namespaces": dict(way.namespaces),
            "environment": dict(way.environment),
            "directory": str(Path.cwd()),
        }
        (output, theirs), (told, tells) = socket.socketpair(), socket.socketpair()
        with output, told:
            for each in (output, told):
                each.setblocking(False)
            with theirs, tells:
                await self._order(json.dumps(order).encode(), [theirs.fileno(), tells.fileno()])
            return await _said(output, told, patience)

    async def _order(self, order: bytes, files: list[int]) -> None:
        channel = await self.begin()
        try:
            socket.send_fds(channel, [order], files)
        except ConnectionError:  # it was ended by somebody else, which is not known yet
            self._close()
            socket.send_fds(await self.begin(), [order], files)

    async def begin(self) -> socket.socket:
        """Begin the process of which copies are made, unless it is there; return the socket for its orders."""
        async with self._beginning:
            if self._process is None or self._channel is None or self._process.returncode is not None:
                self._close()
                self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    self._process = await asyncio.create_subprocess_exec(
                        sys.executable, "-m", f"{__package__}.copies", str(theirs.fileno()), str(self._of),
                        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                        start_new_session=True, env={**os.environ, **SHOWN, "PYDANTIC_DISABLE_PLUGINS": "1"},
                    )  # fmt: skip
            return self._channel

    async def end(self) -> None:
        """End that process; what it has begun goes on to its end."""
        self._close()
        if self._process is not None:
            await self._process.wait()

    def _close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None


async def _said(output: socket.socket, told: socket.socket, patience: float) -> Said:
    """Return what a program says and how it ends, which is told behind its number; it and what it started are ended."""
    loop = asyncio.get_running_loop()
    said = bytearray()
    code: int | None = None
    pid = 0

    async def read() -> None:
        nonlocal code, pid
        numbers = bytearray()
        while b"\n" not in numbers and (piece := await loop.sock_recv(told, 100)):
            numbers += piece
        pid = int(numbers.split()[0]) if numbers else 0
        while piece := await loop.sock_recv(output, 1 << 16):
            said.extend(piece[: MOST - len(said)])
        while piece := await loop.sock_recv(told, 100):
            numbers += piece
        _, ended = [*map(int, numbers.split()), -1, -1][:2]
        code = ended

    try:
        await asyncio.wait_for(read(), patience)
    except asyncio.TimeoutError:
        return Said(None, said.decode(errors="replace"))
    finally:
        if code is None and pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
    return Said(code, said.decode(errors="replace"))
