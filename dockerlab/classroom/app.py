"""The class as a web application: a page for each student, one for the teacher, and their terminals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dockerlab.classroom import as_html, exports, orders, sockets, views
from dockerlab.classroom.guard import TEACHER, Guard
from dockerlab.classroom.room import Room
from dockerlab.gate import parsed
from dockerlab.graph import svg
from dockerlab.serve import answers
from dockerlab.serve.door import Client

FOLDER = Path(__file__).with_name("page")
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAUSE = 0.25
HEARTBEAT = 15.0
LARGEST = 64 << 10
"""Bytes of what a page may send at once."""

Act = Callable[[Room, Request, dict[str, Any]], Awaitable[str]]
"""Does what a page asks for; returns why it was not done, empty where it was."""

View = Callable[[Room, Request], dict[str, Any]]


def application(
    room: Room, stopping: Callable[[], bool] = lambda: False, trust: Callable[[Client, str], None] = lambda *_: None
) -> Starlette:
    """Return the application; its events end once `stopping` says so.

    On which connection a token was shown, and whose, is told to `trust`.
    """
    files = {path.name: path.read_bytes() for path in FOLDER.rglob("*") if path.suffix in KINDS}
    files["picture.css"] = svg.style().encode()
    own = "/s/{student}"
    return Starlette(
        routes=[
            Route("/static/{name}", partial(_static, files)),
            Route(f"{own}/", partial(_student, room)),
            Route(f"{own}/events", partial(_events, room, _of_student, stopping)),
            _order(f"{own}/check", room, orders.check),
            _order(f"{own}/hint", room, orders.hint),
            _order(f"{own}/look", room, orders.see),
            Route(f"{own}/lab", partial(_lab, room)),
            _order(f"{own}/fault", room, orders.break_own),
            _order(f"{own}/hand-in", room, orders.hand_in),
            Route("/teacher/", _teacher(room)),
            Route("/teacher/events", partial(_events, room, _of_teacher, stopping)),
            _order("/teacher/message", room, orders.message),
            _order("/teacher/rules", room, orders.rules),
            _order("/teacher/fault", room, orders.break_one),
            _order("/teacher/take-out", room, orders.take_out),
            _order("/teacher/reset", room, orders.reset),
            Route("/teacher/class.csv", _download(room, exports.as_csv, "text/csv", "class.csv")),
            Route("/teacher/class.xlsx", _download(room, exports.as_xlsx, XLSX, "class.xlsx")),
            Route("/teacher/class.html", _download(room, exports.as_page, "text/html", "class.html")),
            Route("/teacher/class.xml", _download(room, exports.as_junit, "application/xml", "class.xml")),
            Route("/teacher/hand-ins.zip", _download(room, exports.archive, "application/zip", "hand-ins.zip")),
            *_terminals(room, own),
        ],
        middleware=[Middleware(Guard, tokens=room.enrolled.tokens, trust=trust)],
    )


async def _static(files: Mapping[str, bytes], request: Request) -> Response:
    name = request.path_params["name"]
    if name not in files:
        return PlainTextResponse("there is no such file\n", 404)
    return Response(files[name], media_type=KINDS[Path(name).suffix])


async def _student(room: Room, request: Request) -> Response:
    name = request.path_params["student"]
    if name not in room.progress:
        await room.look(name)
    shown = as_html.student(room.folder, room.standing.pupils[name], request.state.nonce)
    return Response(shown, media_type="text/html")


async def _lab(room: Room, request: Request) -> Response:
    return answers.data(views.of_lab(room, request.path_params["student"]))


def _teacher(room: Room) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        for name, pupil in room.standing.pupils.items():
            if pupil.fault is not None and name not in room.progress:  # what it is stands in his place alone
                room.later(room.look(name))
        return Response(as_html.teacher(room.folder, request.state.nonce), media_type="text/html")

    return page


def _download(room: Room, make: Callable[[Room], bytes], kind: str, name: str) -> Callable[..., Awaitable[Response]]:
    async def download(_: Request) -> Response:
        head = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(make(room), media_type=kind, headers=head)

    return download


def _terminals(room: Room, own: str) -> list[WebSocketRoute]:
    open_now: dict[str, int] = {}

    async def of_student(socket: WebSocket) -> None:
        name = socket.path_params["student"]
        await sockets.serve(socket, room, name, socket.path_params["target"], open_now, name)

    async def of_teacher(socket: WebSocket) -> None:
        name = socket.path_params["student"]
        await sockets.serve(socket, room, name, socket.path_params["target"], open_now, TEACHER)

    return [
        WebSocketRoute(f"{own}/terminal/{{target}}", of_student),
        WebSocketRoute("/teacher/terminal/{student}/{target}", of_teacher),
    ]


def _of_student(room: Room, request: Request) -> dict[str, Any]:
    return views.of_student(room, request.path_params["student"])


def _of_teacher(room: Room, _: Request) -> dict[str, Any]:
    return views.of_teacher(room)


def _order(path: str, room: Room, act: Act) -> Route:
    """Return a route that takes JSON and does something; it answers why it was not done, empty where it was."""

    async def answer(request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST:
                return answers.data({"error": "that is too much at once"}, 413)
        try:
            data = parsed(bytes(body) or b"{}")
            error = await act(room, request, data if isinstance(data, dict) else {})
        except (ValueError, TypeError):
            return answers.data({"error": "this is not understood"}, 400)
        return answers.data({"error": error}, 409 if error else 200)

    return Route(path, answer, methods=["POST"])


async def _events(room: Room, view: View, stopping: Callable[[], bool], request: Request) -> Response:
    async def stream() -> AsyncIterator[str]:
        shown, waited = -1, 0.0
        before: dict[str, Any] = {}
        while not stopping():
            if room.version != shown:
                shown, seen = room.version, view(room, request)
                new = {key: value for key, value in seen.items() if key not in ("version", "now")}
                if new != before:
                    before, waited = new, 0.0
                    yield f"event: state\ndata: {answers.text(seen)}\n\n"
            elif waited >= HEARTBEAT:
                waited = 0.0
                yield ":\n\n"
            await asyncio.sleep(PAUSE)
            waited += PAUSE
        yield "event: end\ndata: {}\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")
