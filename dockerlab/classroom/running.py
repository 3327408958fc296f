"""Programs of this machine, run in a student's place: what they say, how they end, within a time and a size."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Enter = Callable[[str, Sequence[str]], list[str]]
"""Returns the argument list that runs a command in the place of a name."""

Begin = Callable[[str, Sequence[str], float, int], "Awaitable[Said]"]
"""Runs one of dockerlab's modules, with its arguments, in the place of a name, within so many seconds, so nice."""

PATIENCE = 120.0
"""Seconds in which a check has to end."""

SHOWN = {"COLUMNS": "72", "NO_COLOR": "1"}
"""How wide the pages show what a program says, and that it is plain text."""

MOST = 1 << 20
"""Bytes of what a program says that are read."""


@dataclass(frozen=True)
class Said:
    """How a program ended (None: it did not, in time), and what it said on both its outputs together."""

    code: int | None
    text: str


async def run(argv: Sequence[str], patience: float = PATIENCE) -> Said:
    """Run a program without input; it and what it started are ended where it takes longer than `patience`."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, **SHOWN},
    )
    said = bytearray()

    async def read() -> None:
        while process.stdout is not None and (piece := await process.stdout.read(1 << 16)):
            said.extend(piece[: MOST - len(said)])
        await process.wait()

    try:
        await asyncio.wait_for(read(), patience)
    except asyncio.TimeoutError:
        return Said(None, said.decode(errors="replace"))
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return Said(process.returncode, said.decode(errors="replace"))
