"""Who may open what: a student's token his own page alone, the teacher's the teacher's."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dockerlab.serve.access import HEADERS
from dockerlab.serve.door import Client

NO_TOKEN = "Open this page with the link that you were given: it holds a token.\n"  # noqa: S105 - says so
COOKIE = "dockerlab-class-"
TEACHER = "teacher"


def owner(path: str) -> str | None:
    """Return whose path it is: a student's ID, empty for the teacher's, None for one that is nobody's."""
    first, _, rest = path.lstrip("/").partition("/")
    if first == TEACHER:
        return ""
    return rest.partition("/")[0] or None if first == "s" else None


def allowed(tokens: Mapping[str, str], who: str, shown: str | None) -> bool:
    """Tell whether what a request shows is the token of that student, or of the teacher."""
    wanted = tokens.get(who)
    return wanted is not None and shown is not None and secrets.compare_digest(shown.encode(), wanted.encode())


def same_origin(headers: Mapping[str, str]) -> bool:
    """Tell whether a request comes from a page of ours: its Origin has to be the host that it was sent to."""
    origin = headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def headers(nonce: str) -> dict[str, str]:
    """Return the headers of every answer: as on the page of `serve`, and an icon that is empty.

    The terminal makes its style sheets as it runs. They bear this answer's nonce, so that nobody else's are taken.
    """
    policy = HEADERS["Content-Security-Policy"].replace(
        "style-src 'self'", f"img-src data:; style-src 'self' 'nonce-{nonce}'"
    )
    return {**HEADERS, "Content-Security-Policy": policy}


class Guard:
    """Lets only those in who show the token of the path's owner, and puts the page's headers on every answer."""

    def __init__(self, app: ASGIApp, tokens: Mapping[str, str], trust: Callable[[Client, str], None]) -> None:
        self._app = app
        self._tokens = tokens
        self._trust = trust

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one web socket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(12)
        scope.setdefault("state", {})["nonce"] = nonce

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(key.lower().encode(), value.encode()) for key, value in headers(nonce).items()]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        await self._answer(scope)(scope, receive, with_headers)

    def _answer(self, scope: Scope) -> ASGIApp:
        request = HTTPConnection(scope)
        who = owner(scope["path"])
        if who is None:  # the pages' own files, which tell nothing of anybody
            cookies = request.cookies
            shown = (
                name for name in self._tokens if allowed(self._tokens, name, cookies.get(COOKIE + (name or TEACHER)))
            )
            if (somebody := next(shown, None)) is not None:
                self._known(request, somebody)
            return self._app
        changes = scope["type"] == "websocket" or scope["method"] != "GET"
        token = request.query_params.get("token") if not changes else None
        name = COOKIE + (who or TEACHER)
        if not allowed(self._tokens, who, token if token is not None else request.cookies.get(name)):
            return _refused(scope, NO_TOKEN)
        if changes and not same_origin(Headers(scope=scope)):
            return _refused(scope, "This did not come from the class's own page.\n")
        self._known(request, who)
        if token is None:
            return self._app
        # The token stays neither in the address nor in the history; relative, for a proxy may have put a path ahead.
        answer = RedirectResponse("./", 303)
        answer.set_cookie(name, token, httponly=True, samesite="strict", secure=scope["scheme"] == "https")
        return answer

    def _known(self, request: HTTPConnection, who: str) -> None:
        """Tell that somebody's token was shown, so that the connection stays."""
        if request.client is not None:
            self._trust((request.client.host, request.client.port), who)


def _refused(scope: Scope, why: str) -> ASGIApp:
    if scope["type"] == "http":
        return PlainTextResponse(why, 403)

    async def close(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": 1008})

    return close
