"""How a host's engine is reached, and what its failures mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol, cast

from dockerlab.engine.asking import Client, Line, Refused
from dockerlab.engine.bounded import LARGEST, TIMEOUT, TooLate, Unanswered
from dockerlab.engine.dial import Budget, DialledLine, ProcessSocket
from dockerlab.errors import EngineError, HostError
from dockerlab.gate import LONGEST, NONSENSE, nonsense
from dockerlab.hosts.base import ENGINE, Host
from dockerlab.hosts.door import FORGED
from dockerlab.hosts.process import Process

WHOLE = 120.0
"""Seconds in which all questions of one use of the engine have to be answered; a thousand containers take twenty."""

MOST = 2 * LARGEST
"""Bytes that all its answers may have, with what HTTP puts around them."""

CHANNEL_WAIT = 120
"""Seconds that may pass until a channel of a busy connection is free."""


class Keeper(Protocol):
    """A host elsewhere: it can hand out a program with its streams open, and keep it between two uses."""

    def resume(self, argv: tuple[str, ...], timeout: float) -> Process:
        """Return a program that was kept, or start one."""
        ...

    def keep(self, argv: tuple[str, ...], program: Process) -> None:
        """Keep a program for its next use."""
        ...


TELLS_MAC = (1, 51)
"""The last version of the API in which a container's `Config` tells which MAC address somebody asked for; from 1.52 on
only the one in use is told, and engines from 28 on draw that (moby/moby#48808)."""


@contextmanager
def connected(host: Host, highest: tuple[int, int] | None = None) -> Iterator[tuple[Client, dict[str, Any]]]:
    """Give a client of the host's engine, and what the engine says of its version.

    It speaks the engine's own version of the API, or the `highest` that is given where the engine's is above that. What
    goes wrong inside is raised as EngineError with its remedy, or as the HostError of a lost connection: also what is
    made there of answers that are not of the form of an engine's.
    """
    opened = _here(host.name) if host.address is None else _dialled(host.name, cast(Keeper, host))
    try:
        with opened as line:
            version = Client(line).get("version")
            if len(version.get("Version", "")) > LONGEST:
                raise ValueError("its version is longer than any")
            yield Client(line, spoken(version, highest)), version
    except Refused as error:
        raise EngineError(host.name, f"the Docker engine refused: {error}") from error
    except NONSENSE as error:
        raise nonsense(host.name, "its engine", error, EngineError) from error


@contextmanager
def _here(name: str) -> Iterator[Line]:
    """Give a line to this machine's engine."""
    from dockerlab.engine.here import LocalLine  # noqa: PLC0415 - the SDK, which no other engine needs

    try:
        with closing(LocalLine(name)) as line:
            yield line
    except Unanswered as error:
        raise _explain_local(name, error) from error


@contextmanager
def _dialled(name: str, host: Keeper) -> Iterator[Line]:
    """Give a line over a channel of the host's connection."""
    sockets: list[ProcessSocket] = []
    budget = Budget(WHOLE, MOST)

    def dial() -> ProcessSocket:
        sockets.append(ProcessSocket(host.resume(ENGINE, CHANNEL_WAIT), TIMEOUT, budget))
        return sockets[-1]

    line = DialledLine(dial)
    try:
        yield line
        if line.idle:
            host.keep(ENGINE, sockets.pop().detach())
    except Unanswered as error:
        raise _explain_dialled(name, sockets, error) from error
    finally:
        line.close()
        for socket in sockets:
            socket.close()


def spoken(version: dict[str, Any], highest: tuple[int, int] | None) -> str:
    """Return the version of the API to be spoken with an engine; raises ValueError for what is no version."""
    own = version["ApiVersion"]
    numbers = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,3})", own)
    if numbers is None:
        raise ValueError(f"{own!r} is no version of the API")
    return str(own) if highest is None or (int(numbers[1]), int(numbers[2])) <= highest else "{}.{}".format(*highest)


def _explain_local(host: str, error: Unanswered) -> EngineError:
    """Return the error with its remedy, from what the operating system said of the socket."""
    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return EngineError(host, _no_permission("this user"))
    if any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes):
        return EngineError(host, _not_running())
    return EngineError(host, _other(error))


def _explain_dialled(host: str, sockets: list[ProcessSocket], error: Unanswered) -> HostError:
    """Return the error with its remedy, from what the docker command said at the other end."""
    try:
        rc, said = sockets[-1].diagnose()
    except HostError as lost:
        return lost
    return EngineError(host, _remedy(rc, said) or f"{_other(error)} ({said or 'the docker command gave no reason'})")


def _remedy(rc: int | None, said: str) -> str | None:
    """Return what to do about the way in which the docker command ended, or None where it is not known."""
    words = said.lower()
    if rc == FORGED:
        return said
    if rc in {126, 127}:
        return (
            f"the docker command was not found there ({said}): install Docker (apt-get install docker.io), "
            "or put it on the PATH of commands that ssh runs"
        )
    if "permission denied" in words:
        return _no_permission("the ssh user")
    if "daemon running" in words or "connect" in words:
        return f"{_not_running()} ({said})"
    if "not a docker command" in words or "unknown command" in words:
        return f"the docker command there is too old, 18.09 is needed ({said})"
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it: requests keeps the cause as an argument, others chain it."""
    yield error
    for argument in error.args:
        if isinstance(argument, BaseException):
            yield from _causes(argument)
    before = error.__cause__ or error.__context__
    if before is not None:
        yield from _causes(before)


def _no_permission(who: str) -> str:
    return (
        f"{who} may not use the Docker engine: sudo usermod -aG docker USER and log in anew, "
        "or connect as root (membership of the group docker is as good as root)"
    )


def _not_running() -> str:
    return "the Docker engine is not running: sudo systemctl start docker, and see journalctl -u docker if it stops"


def _other(error: Unanswered) -> str:
    """Return what happened where nothing more is known of it."""
    return str(error) if isinstance(error, TooLate) else f"cannot talk to the Docker engine: {str(error)[:LONGEST]}"
