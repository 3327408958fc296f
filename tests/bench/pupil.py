"""A student of a class as a browser plays one: the page, its events, its orders, and a terminal that is typed in."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import websockets

PROMPT = re.compile(r"root@\w+:~# $")
ESCAPES = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
"""What a terminal shows for no one to read: titles, colours, modes."""

WAITS = 60.0
"""Seconds in which a key's echo, or a prompt, has to come; else it is lost."""

PATIENCE = 600.0
"""Seconds in which an order has to be done."""

COLUMNS = 220
"""As wide as the longest command, so that no line is shown in two."""


@dataclass
class Times:
    """What was measured, in seconds; `lost` are keys and prompts that never came."""

    echo: list[float] = field(default_factory=list)
    check: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    look: list[float] = field(default_factory=list)
    reset: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class Page:
    """Somebody's page, opened by the link, with what its events have told last."""

    def __init__(self, link: str) -> None:
        self.client = httpx2.AsyncClient(follow_redirects=True, timeout=PATIENCE)
        self.link, self.base, self.origin = link, "", ""
        self.state: dict = {}
        self._told = asyncio.Condition()

    async def open(self) -> float:
        """Load the page with all its files, and listen; return after how many seconds it shows something."""
        began = time.monotonic()
        answer = await self.client.get(self.link)
        answer.raise_for_status()
        self.base = str(answer.url)
        self.origin = self.base.partition("://")[0] + "://" + answer.url.netloc.decode()
        files = re.findall(r'(?:src|href)="(\.\.[^"]+)"', answer.text)
        for each in await asyncio.gather(*(self.client.get(str(answer.url.join(file))) for file in files)):
            each.raise_for_status()
        self.listening = asyncio.create_task(self._listen())
        await self.until(bool)
        return time.monotonic() - began

    async def _listen(self) -> None:
        async with self.client.stream("GET", f"{self.base}events") as events:
            async for line in events.aiter_lines():
                if line.startswith("data: {"):
                    async with self._told:
                        self.state = json.loads(line.removeprefix("data: ")) or self.state
                        self._told.notify_all()

    async def until(self, holds, patience: float | None = WAITS) -> dict:
        """Wait until the page's state is so; raises TimeoutError after `patience` seconds."""
        async with self._told:
            await asyncio.wait_for(self._told.wait_for(lambda: holds(self.state)), patience)
        return self.state

    async def order(self, path: str, **data) -> tuple[str, float]:
        """Ask for something; return why it was not done, empty where it was, and how many seconds that took."""
        began = time.monotonic()
        answer = await self.client.post(f"{self.base}{path}", json=data, headers={"Origin": self.origin})
        return answer.json()["error"], time.monotonic() - began

    async def get(self, path: str) -> bytes:
        """Return what is at a path below the page's own."""
        return (await self.client.get(f"{self.base}{path}")).content

    @asynccontextmanager
    async def terminal(self, target: str, times: Times):
        """Give a terminal of this page that is at its prompt."""
        cookie = "; ".join(f"{key}={value}" for key, value in self.client.cookies.items())
        address = f"{self.base.replace('http', 'ws', 1)}terminal/{target}"
        async with websockets.connect(address, origin=self.origin, additional_headers={"Cookie": cookie}) as socket:
            screen = Screen(socket, times)
            try:
                await socket.send(json.dumps({"columns": COLUMNS, "rows": 50}))
                await screen.prompt()
                yield screen
            finally:
                screen.reading.cancel()

    async def close(self) -> None:
        """Leave the page."""
        self.listening.cancel()
        await self.client.aclose()


class Screen:
    """A terminal: what it has shown, and a keyboard."""

    def __init__(self, socket, times: Times) -> None:
        self._socket, self._times = socket, times
        self.shown = ""
        self._more = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for piece in self._socket:
            if isinstance(piece, bytes):
                self.shown += piece.decode(errors="replace")
                self._more.set()

    async def _until(self, what: str, holds) -> None:
        deadline = time.monotonic() + WAITS
        while not holds():
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), deadline - time.monotonic())
            except asyncio.TimeoutError:
                self._times.lost.append(f"{what}: {self.shown[-80:]!r}")
                return

    async def prompt(self) -> None:
        """Wait for the prompt."""
        await self._until("prompt", lambda: PROMPT.search(ESCAPES.sub("", self.shown[-1000:])))

    async def key(self, key: str) -> None:
        """Press a key, and note when it is shown."""
        before, began = len(self.shown), time.monotonic()
        await self._socket.send(json.dumps({"type": key}))
        await self._until(f"key {key}", lambda: key in ESCAPES.sub("", self.shown[before:]))
        self._times.echo.append(time.monotonic() - began)

    async def line(self, text: str, pause) -> str:
        """Type a command with a pause after each key, and return what it has said; `pause` gives seconds."""
        for key in text:
            await self.key(key)
            await asyncio.sleep(pause())
        before = len(self.shown)
        await self._socket.send(json.dumps({"type": "\r"}))
        await self._until("end of a line", lambda: "\n" in self.shown[before:])
        await self.prompt()
        return ESCAPES.sub("", self.shown[before:])
