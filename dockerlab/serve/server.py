"""The application on a socket, in a thread of its own: Ctrl-C stays with whoever started it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from dockerlab.errors import UsageError
from dockerlab.serve.door import Door, protocol

PATIENCE = 10.0
"""Seconds in which a server has begun, and those in which it has ended."""

AT_ONCE = 16
"""Connections that are taken before the first of them is looked at: each has a descriptor by then."""

QUEUE = 1024
"""Connections that wait in the kernel to be taken."""


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises UsageError where that is not possible."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen on {host} port {port}: {error}; choose others with --listen and --port"
        ) from None


def _told_of_tls(app: ASGIApp) -> ASGIApp:
    """Return an application that learns from a proxy that a browser came by TLS; a lie is about the own cookie only."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        proto = [value for name, value in scope.get("headers", ()) if name == b"x-forwarded-proto"]
        if proto == [b"https"]:
            scope["scheme"] = "https" if scope["type"] == "http" else "wss"
        await app(scope, receive, send)

    return told


@contextmanager
def serving(
    make: Callable[[Callable[[], bool]], ASGIApp], on: socket.socket, door: Door, *, sockets: bool = False
) -> Iterator[None]:
    """Serve an application on a socket for the time of the block; `make` is told how it learns of the end.

    With `sockets`, it takes web sockets too.

    Connections go through the door, which whoever checks tokens tells of those that are right.
    """
    ending = threading.Event()
    config = uvicorn.Config(
        _told_of_tls(make(ending.is_set)),
        # The door knows a connection by its real ends: with those that a proxy tells, it would end one with a token.
        proxy_headers=False,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        http=protocol(door),  # type: ignore[arg-type]  # it is called, and need not be a class
        backlog=AT_ONCE,
        timeout_graceful_shutdown=2,
        ws="wsproto" if sockets else "none",
        ws_max_size=1 << 16,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([on],), name="serve", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        if not server.started:
            raise UsageError("the page's server did not begin")
        on.listen(QUEUE)  # the loop takes so many at once as it says to the kernel, which may let more wait
        yield
    finally:
        ending.set()
        server.should_exit = True
        thread.join(PATIENCE)
        on.close()
