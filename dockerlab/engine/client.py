"""How a host's engine is reached and asked, and what its failures mean."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast
from urllib.parse import quote, urlencode

from dockerlab.engine.dial import Answer, Line, TooLate, Unanswered
from dockerlab.errors import EngineError, HostError
from dockerlab.gate import LONGEST, NONSENSE, nonsense, parsed
from dockerlab.gate.text import MOST, values_in
from dockerlab.hosts.base import ENGINE, Host
from dockerlab.hosts.process import Process

CHANNEL_WAIT = 120
"""Seconds that may pass until a channel of a busy connection is free."""

TELLS_MAC = (1, 51)
"""The last version of the API in which a container's `Config` tells which MAC address somebody asked for; from 1.52 on
only the one in use is told, and engines from 28 on draw that (moby/moby#48808)."""


class Keeper(Protocol):
    """A host that can hand out a program with its streams open, and keep it between two uses."""

    def resume(self, argv: tuple[str, ...], timeout: float) -> Process:
        """Return a program that was kept, or start one."""
        ...

    def keep(self, argv: tuple[str, ...], program: Process) -> None:
        """Keep a program for its next use."""
        ...


class Refused(Exception):
    """The engine refused a request, in these words."""


class Missing(Refused):
    """There is nothing of that name."""


class Client:
    """Reads from an engine in one version of its API. Raises Refused and Missing; nothing here changes anything.

    All answers together may have as many values as the gate lets one text have.
    """

    def __init__(self, line: Line, version: str = "") -> None:
        self._line = line
        self._root = f"/v{version}" if version else ""
        self._values = 0

    def get(self, *path: str, **query: object) -> Any:
        """Return the JSON that is at a path; raises ValueError for what the gate does not let in."""
        said = self.content(*path, **query)
        self._values += values_in(said)
        if self._values > MOST:
            raise ValueError(f"its answers have more than {MOST} values")
        return parsed(said)

    def content(self, *path: str, **query: object) -> bytes:
        """Return what is at a path, as it is."""
        return self._ask("GET", path, query).content

    def head(self, *path: str, **query: object) -> dict[str, str]:
        """Return the fields of the head of what is at a path, by their names in small letters."""
        return self._ask("HEAD", path, query).head

    def _ask(self, method: str, path: tuple[str, ...], query: dict[str, object]) -> Answer:
        """Ask for a path of these parts, each quoted: some are strangers' words. Names of images have a `/`."""
        target = self._root + "".join(f"/{quote(part, safe=':/')}" for part in path)
        answer = self._line.ask(method, f"{target}?{urlencode(query)}" if query else target)
        if answer.status >= 400:
            raise (Missing if answer.status == 404 else Refused)(_explanation(answer))
        return answer


def _explanation(answer: Answer) -> str:
    """Return why the engine refused, in its own words where it has some."""
    try:
        words = parsed(answer.content)["message"]
    except (LookupError, TypeError, ValueError):
        words = answer.content.decode(errors="replace").strip() or f"status {answer.status}"
    return str(words)[:LONGEST]


@contextmanager
def connected(host: Host, highest: tuple[int, int] | None = None) -> Iterator[tuple[Client, dict[str, Any]]]:
    """Give a client of the host's engine, and what the engine says of its version.

    It is the engine that the host's docker command would use: that command joins us to it. It is spoken to in its own
    version of the API, or the `highest` that is given where the engine's is above that. What goes wrong inside is
    raised as EngineError with its remedy, or as the HostError of a lost connection: also what is made there of answers
    that are not of the form of an engine's.
    """
    try:
        with _joined(host, highest) as found:
            yield found
    except NONSENSE as error:
        raise nonsense(host.name, "its engine", error, EngineError) from error


@contextmanager
def _joined(host: Host, highest: tuple[int, int] | None) -> Iterator[tuple[Client, dict[str, Any]]]:
    if host.address is None and os.environ.get("DOCKER_HOST", "").startswith("ssh://"):
        message = "DOCKER_HOST leads to another machine by ssh: give that address to the host instead"
        raise EngineError(host.name, message)
    keeper = cast(Keeper, host)
    program = keeper.resume(ENGINE, CHANNEL_WAIT)
    line, kept = Line(program), False
    try:
        version = Client(line).get("version")
        yield Client(line, spoken(version, highest)), version
        if line.idle:
            keeper.keep(ENGINE, program)
            kept = True
    except Refused as error:
        raise EngineError(host.name, f"the Docker engine refused: {error}") from error
    except Unanswered as error:
        raise _explained(host, line, error) from error
    finally:
        if not kept:
            line.close()


def spoken(version: dict[str, Any], highest: tuple[int, int] | None) -> str:
    """Return the version of the API to be spoken with an engine; raises ValueError for what is no version."""
    own = version["ApiVersion"]
    numbers = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,3})", own)
    if numbers is None:
        raise ValueError(f"{own!r} is no version of the API")
    return str(own) if highest is None or (int(numbers[1]), int(numbers[2])) <= highest else "{}.{}".format(*highest)


def _explained(host: Host, line: Line, error: Unanswered) -> HostError:
    """Return the error with its remedy, from what the docker command said."""
    try:
        rc, said = line.diagnose()
    except HostError as lost:
        return lost
    if isinstance(error, TooLate):
        return EngineError(host.name, str(error))
    who = "this user" if host.address is None else "the ssh user"
    other = f"cannot talk to the Docker engine: {error} ({said[:LONGEST] or 'the docker command gave no reason'})"
    return EngineError(host.name, _remedy(rc, said, who) or other)


def _remedy(rc: int | None, said: str, who: str) -> str | None:
    """Return what to do about the way in which the docker command ended, or None where it is not known."""
    words = said.lower()
    if rc in {126, 127}:
        return (
            f"the docker command was not found there ({said}): install Docker (apt-get install docker.io), "
            "or put it on the PATH of commands that ssh runs"
        )
    if "permission denied" in words:
        return _no_permission(who)
    if "daemon running" in words or "connect" in words:
        return f"{_not_running()} ({said})"
    if "not a docker command" in words or "unknown command" in words:
        return f"the docker command there is too old, 18.09 is needed ({said})"
    return None


def _no_permission(who: str) -> str:
    return (
        f"{who} may not use the Docker engine: sudo usermod -aG docker USER and log in anew, "
        "or connect as root (membership of the group docker is as good as root)"
    )


def _not_running() -> str:
    return "the Docker engine is not running: sudo systemctl start docker, and see journalctl -u docker if it stops"
