"""A terminal on a web socket: what the program shows goes out as bytes, what somebody types and the size come in."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from dockerlab.classroom.room import Room
from dockerlab.classroom.terminal import Size, Terminal, Viewer
from dockerlab.errors import DockerlabError
from dockerlab.gate import parsed

EACH = 12
"""Terminals that are open at a time on one person's pages."""

LONGEST = 32 << 10
"""Bytes of one message."""


async def serve(socket: WebSocket, room: Room, student: str, target: str, open_now: dict[str, int], who: str) -> None:
    """Connect a browser with a terminal until either ends; `who` is whose page it is, for how many are open there."""
    if student not in room.standing.pupils or target not in room.targets() or open_now.get(who, 0) >= EACH:
        await socket.close(1008)
        return
    open_now[who] = open_now.get(who, 0) + 1
    try:
        await socket.accept()
        reason = await room.bounded(student)
        if reason is not None:
            await _end(socket, f"no terminal is offered, for nothing keeps it from the teacher's machine: {reason}")
            return
        try:
            terminal = await room.terminal(student, target)
        except (DockerlabError, OSError) as error:
            await _end(socket, str(error))
            return
        await _both(socket, terminal)
    finally:
        open_now[who] -= 1


async def _both(socket: WebSocket, terminal: Terminal) -> None:
    viewer = terminal.attach()
    tasks = [asyncio.ensure_future(each) for each in (_out(socket, terminal, viewer), _in(socket, terminal, viewer))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        terminal.detach(viewer)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _out(socket: WebSocket, terminal: Terminal, viewer: Viewer) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # the browser has gone
        while (piece := await viewer.get()) is not None:
            if isinstance(piece, Size):
                await socket.send_text(json.dumps({"size": [piece.columns, piece.rows], "windows": piece.windows}))
                continue
            await socket.send_bytes(piece)
            terminal.resume()
        await _end(socket, "it has ended" if terminal.ended else "your browser did not keep up")


async def _in(socket: WebSocket, terminal: Terminal, viewer: Viewer) -> None:
    with suppress(WebSocketDisconnect, ValueError, TypeError, KeyError, RuntimeError):  # gone, or nothing of our page's
        while True:
            text = await socket.receive_text()
            if len(text) > LONGEST:
                return
            message = parsed(text)
            if "type" in message:
                terminal.type(str(message["type"]).encode("utf-8", "replace"))
            else:
                terminal.resize(viewer, int(message["columns"]), int(message["rows"]))


async def _end(socket: WebSocket, why: str) -> None:
    await socket.send_text(json.dumps({"end": why}))
    await socket.close()
