"""The teacher's page as a web application: the page, its data, and an event for each round."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dockerlab.report.as_html import FOLDER as REPORT
from dockerlab.serve import answers
from dockerlab.serve.access import COOKIE, HEADERS, Access
from dockerlab.serve.board import Board
from dockerlab.serve.door import Client

FOLDER = Path(__file__).with_name("page")

PAUSE = 0.25
"""Seconds between two looks at whether there is something new."""

NO_TOKEN = "Open the page with the address that dockerlab has printed: it has a token.\n"  # noqa: S105 - says so

HEARTBEAT = 15.0
"""Seconds after which a line goes out though nothing is new: so both sides notice that the other is gone."""


class Guard:
    """Lets only those requests in that may see the page, and puts the page's headers on every answer."""

    def __init__(self, app: ASGIApp, access: Access, trust: Callable[[Client], None]) -> None:
        self._app = app
        self._access = access
        self._trust = trust

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(key.lower().encode(), value.encode()) for key, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        if scope["type"] != "http":
            return
        request = Request(scope)
        answer: ASGIApp = self._app
        token = request.query_params.get("token")
        may = self._access.allows(request.headers.get("cookie", ""), token)
        if may and request.client is not None:
            self._trust((request.client.host, request.client.port))
        if not may:
            answer = PlainTextResponse(NO_TOKEN, 403)
        elif token is not None:
            answer = RedirectResponse("/", 303)  # the token stays neither in the address nor in the history
            answer.set_cookie(COOKIE, self._access.token, httponly=True, samesite="strict")
        await answer(scope, receive, with_headers)


def application(
    board: Board, access: Access, stopping: Callable[[], bool], trust: Callable[[Client], None] = lambda _: None
) -> Starlette:
    """Return the application; its events end once `stopping` says so. Who has shown the token is told to `trust`."""
    page = _page(board)
    style = "\n".join(path.read_text(encoding="utf-8") for path in (REPORT / "page.css", FOLDER / "page.css"))
    program = (FOLDER / "page.js").read_text(encoding="utf-8")

    async def root(_: Request) -> Response:
        return Response(page, media_type="text/html")

    async def css(_: Request) -> Response:
        return Response(style, media_type="text/css")

    async def script(_: Request) -> Response:
        return Response(program, media_type="text/javascript")

    async def student(request: Request) -> Response:
        found = board.student(request.path_params["identity"])
        if found is None:
            return answers.data({"error": "nothing is known yet"}, 404)
        return answers.data(found)

    async def summary(_: Request) -> Response:
        return answers.data(board.summary())

    async def events(_: Request) -> Response:
        return StreamingResponse(stream(board, stopping), media_type="text/event-stream")

    return Starlette(
        routes=[
            Route("/", root),
            Route("/page.css", css),
            Route("/page.js", script),
            Route("/board", summary),
            Route("/students/{identity}", student),
            Route("/events", events),
        ],
        middleware=[Middleware(Guard, access=access, trust=trust)],
    )


async def stream(board: Board, stopping: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield an event with the whole board at first and after each change, until the page ends."""
    shown, waited = -1, 0.0
    while not stopping():
        summary = board.summary()
        if summary["version"] != shown:
            shown, waited = summary["version"], 0.0
            yield f"event: board\ndata: {answers.text(summary)}\n\n"
        elif waited >= HEARTBEAT:
            waited = 0.0
            yield ":\n\n"
        await asyncio.sleep(PAUSE)
        waited += PAUSE
    yield "event: end\ndata: {}\n\n"


def _page(board: Board) -> str:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html.j2"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text: str = environment.get_template("page.html.j2").render(lab=board.lab, title=board.title)
    return text
