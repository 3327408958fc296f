"""How many connections the page takes, from whom and for how long, before anybody has shown a token.

Who has shown none has few places and little time, and the oldest of them makes room for whoever comes: so thousands of
connections that say nothing, or only half of something, neither keep the teacher out nor use up the descriptors that
the rounds of verifying need. Of those with a token, whoever has the most makes room. Lives in the server's one thread.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

Client = tuple[str, int]
"""The address and the port at the other end of a connection."""

EACH = 16
"""Connections without a token from one address."""

STRANGERS = 64
"""Connections without a token in all."""

FRIENDS = 128
"""Connections on which a token was shown; one page in a browser holds one for its events, and a few for a moment."""

PATIENCE = 5.0
"""Seconds in which a connection has to have shown a token: its whole first request, and what comes after a refusal."""

SHARE = 4
"""Of all descriptors that this process may have, one in so many is for the page at most."""


@dataclass
class Door:
    """Who is in. `limit` is how many descriptors this process may have, `most` how many with a token there are.

    `each` is how many without one there are from one address, behind which there may be many people.
    """

    limit: int = 1024
    most: int = FRIENDS
    each: int = EACH
    strangers: dict[Client, asyncio.Transport] = field(default_factory=dict)
    friends: dict[Client, asyncio.Transport] = field(default_factory=dict)
    whose: dict[Client, str] = field(default_factory=dict)

    @property
    def places(self) -> tuple[int, int]:
        """Return how many connections without a token there are to be at most, and how many with one."""
        room = self.limit // SHARE
        return max(1, min(max(STRANGERS, self.each), room // 3)), max(1, min(self.most, room - room // 3))

    def enter(self, client: Client, transport: asyncio.Transport) -> None:
        """Let somebody in; the oldest without a token from the same address, or of all, may have to go for that."""
        self.strangers[client] = transport
        alike = [other for other in self.strangers if other[0] == client[0]]
        if len(alike) > min(self.each, self.places[0]):
            self._end(self.strangers, alike[0])
        if len(self.strangers) > self.places[0]:
            self._end(self.strangers, next(iter(self.strangers)))

    def trust(self, client: Client, who: str = "") -> None:
        """Note that somebody's token was shown on a connection: it stays as long as it wants.

        Of too many, the oldest of whoever has the most of them goes: nobody makes another one's go.
        """
        transport = self.strangers.pop(client, None)
        if transport is None:
            return
        self.friends[client], self.whose[client] = transport, who
        if len(self.friends) > self.places[1]:
            ((most, _),) = Counter(self.whose.values()).most_common(1)
            self._end(self.friends, next(each for each in self.friends if self.whose[each] == most))

    def late(self, client: Client, transport: asyncio.Transport) -> None:
        """End a connection that has shown no token in time."""
        if self.strangers.get(client) is transport:
            self._end(self.strangers, client)

    def leave(self, client: Client, transport: asyncio.Transport) -> None:
        """Forget a connection that has ended; its client may be on another one by now."""
        for them in (self.strangers, self.friends):
            if them.get(client) is transport:
                self._gone(them, client)

    def _end(self, them: dict[Client, asyncio.Transport], client: Client) -> None:
        self._gone(them, client).abort()

    def _gone(self, them: dict[Client, asyncio.Transport], client: Client) -> asyncio.Transport:
        if them is self.friends:
            del self.whose[client]
        return them.pop(client)


def protocol(door: Door) -> Callable[..., H11Protocol]:
    """Return the protocol of a server whose connections go through a door."""

    class Guarded(H11Protocol):
        """HTTP/1.1 as uvicorn speaks it."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Take a connection, and end it where no token is shown in time."""
            super().connection_made(transport)
            self._door_client = self.client or ("", 0)
            door.enter(self._door_client, transport)
            self.loop.call_later(PATIENCE, door.late, self._door_client, transport)

        def connection_lost(self, exc: Exception | None) -> None:
            """Forget a connection."""
            door.leave(self._door_client, self.transport)
            super().connection_lost(exc)

        def handle_websocket_upgrade(self, event: h11.Request) -> None:
            """Hand a connection over to the protocol of web sockets, which goes on by itself: it is not ours to end."""
            door.leave(self._door_client, self.transport)
            super().handle_websocket_upgrade(event)

    return Guarded
