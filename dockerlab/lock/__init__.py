"""One change of a lab at a time: a lock on every host, kept by the kernel, without a server.

A small shell program on the host holds the lock with flock(2), for as long as somebody at the other end of the host's
own connection wants it. When that end closes or dies the program ends, and when the program ends the kernel lets go:
nothing has to be cleaned up after a crash, and no file that stays behind keeps anybody out.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from urllib.parse import quote

from dockerlab.errors import ConflictError, HostError, LockLost
from dockerlab.hosts.base import Conversation, Host
from dockerlab.hosts.together import begun, nearly_all
from dockerlab.lock.program import HOLD
from dockerlab.plain import one_line

BEAT = 15.0
"""Seconds between two signs of life."""

SILENCE = 45.0
"""Seconds without one after which a host may soon let go of the lock."""

LIMIT = 60.0
"""Seconds without one after which a host lets go of it; the program above knows them too."""

GRACE = 10
"""Tenths of a second for which a lock is asked again: its holder may just be ending."""

TURN = 100
"""The same on all hosts but the first: who has lost the first one lets go of the others in this time."""


RETURN = 200
"""The same for a host that we have lost: it may still hold the lock for a connection of ours that is dead."""

ANSWER = 60.0
"""Seconds in which a host has to answer, whatever it is busy with."""

LATE = 20.0
"""Seconds for which a host is waited for after the most have answered, at the least: longer than one that has to wait
for its turn, and says that it does."""

END = 10.0
"""Seconds in which all hosts have to let go; who does not then does when its connection ends."""


def lock_name(lab: str, instance: str | None = None) -> str:
    """Return the name of a lab's lock: one for the lab itself, one for each of its instances."""
    return quote(lab if instance is None else f"{lab}.{instance}", safe="")[:180]


class Locks:
    """The locks of some labs on some hosts: asked for at once, had when `wait` returns, let go of by `release`."""

    def __init__(
        self,
        hosts: Mapping[str, Host],
        names: Collection[str],
        holder: str,
        clock: Callable[[], float],
        silent: float = LATE,
    ) -> None:
        """Ask for them; a host that says nothing is waited for `silent` seconds after the most, at the least."""
        self._clock, self._silent = clock, silent
        self._in_turn: set[str] = set()
        self._hosts, self._names, self._holder = hosts, sorted(names), holder
        self._talks: dict[str, Conversation] = {}
        self._heard: dict[str, float] = {}
        self._renewing = threading.Lock()
        self._ended = threading.Event()
        self._settling = threading.Lock()
        self._late: dict[str, HostError] | None = None
        self._beats: dict[str, Future[None]] = {}
        patience = {name: GRACE if number == 0 else TURN for number, name in enumerate(sorted(hosts))}
        self._asked = {n: begun(partial(self._ask, hosts[n], p), f"lock {n}") for n, p in patience.items()}
        begun(self._live, "locks")

    def wait(self, host: str) -> None:
        """Return when the locks are had on every host that answers.

        Raises ConflictError, with the holder, when one is held by somebody else, and the HostError of this host.

        All hosts are asked at the same time. Who does not get the first one gives up, so that of several who want the
        same locks exactly one gets them all. A host that does not answer long after the most have is not waited for.
        """
        late = self._settled()
        answers = {name: late.get(name) or asked.result() for name, asked in self._asked.items()}
        for answer in answers.values():
            if isinstance(answer, str):
                raise ConflictError(f"nothing was changed, {answer}")
        failure = answers[host]
        if isinstance(failure, HostError):
            raise failure

    def _settled(self) -> Mapping[str, HostError]:
        """Wait until the hosts have answered, and return why those are given up that have not in time."""
        with self._settling:
            if self._late is None:
                late, again = nearly_all(self._asked.values(), lambda took: max(self._silent, took))
                if any(asked in late for name, asked in self._asked.items() if name in self._in_turn):
                    _, late = wait(late, timeout=max(0.0, LATE - again))
                    again = max(again, LATE)
                why = f"it did not answer for {again:.0f} s who has its locks, and the others long have"
                self._late = {name: HostError(name, why) for name, asked in self._asked.items() if asked in late}
                for name in self._late:
                    self._let_go(name)
            return self._late

    def _let_go(self, host: str) -> None:
        """End what holds, or waits for, the locks on a host."""
        talk = self._talks.pop(host, None)
        if talk is not None:
            talk.abort()

    def confirm(self, host: str, silence: float = SILENCE) -> None:
        """Return when the locks have been had on a host all the time; after some silence they are taken again first.

        There is silence after a lost connection, or when this process was suspended. Raises LockLost where it was so
        long that somebody else may have had the locks, and the HostError of a host that does not answer.
        """
        with self._renewing:
            silent = self._clock() - self._heard.get(host, 0.0)
            if silent < silence:
                return
            if silent > LIMIT:
                raise LockLost(
                    f"{host}: dockerlab was suspended or cut off for longer than a minute, and somebody else may have "
                    "changed the lab since: nothing more was done; run 'dockerlab up' or 'down' again"
                )
            # Under another word than before: what the host still holds for us is about to go.
            self._holder += ", and again"
            answer = self._ask(self._hosts[host], RETURN)
        if isinstance(answer, HostError):
            raise answer
        if isinstance(answer, str):
            raise LockLost(f"this run stops, {answer}")

    def release(self) -> None:
        """Let go of the locks; they are free on every host that still answers when this returns."""
        self._ended.set()
        for name, asked in self._asked.items():
            if not asked.done():
                self._let_go(name)  # it waits for its turn, which is no longer wanted
        wait(self._asked.values(), timeout=END)
        endings = {name: begun(partial(_end, talk), f"unlock {name}") for name, talk in list(self._talks.items())}
        _, late = wait(endings.values(), timeout=END)
        for name, ending in endings.items():
            if ending in late:
                self._let_go(name)

    def _ask(self, host: Host, patience: int) -> HostError | str | None:
        """Return None when the locks are had on a host, else because of what they are not, or why it cannot tell."""
        before = self._talks.pop(host.name, None)
        if before is not None:
            before.abort()
        try:
            talk = host.converse(
                ["sh", "-c", HOLD, "dockerlab-lock", str(patience), self._holder, *self._names], timeout=ANSWER
            )
            self._talks[host.name] = talk
            if self._ended.is_set() or host.name in (self._late or ()):
                self._let_go(host.name)  # nobody waits for it any more
            while (line := talk.receive_line()) == b"waits\n":
                self._in_turn.add(host.name)
            word, _, rest = line.decode(errors="replace").strip().partition(" ")
        except HostError as error:
            return error
        if word == "missing":
            return HostError(
                host.name, f"{rest} is not installed, which holds a lab's lock: apt-get install util-linux"
            )
        if word == "cannot":
            return HostError(host.name, f"no lock can be made in {one_line(rest)}: it is full, or cannot be written")
        if word == "strange":
            return _strange(host.name, one_line(rest))
        if word != "granted":
            return self._refusal(host.name, rest)
        self._heard[host.name] = self._clock()
        return None

    def _refusal(self, host: str, held: str) -> str:
        name, _, holder = held.partition(" ")
        holder = one_line(holder) or "somebody who could not say who"
        return f"because lab {name} is being changed on {host} by {holder}\n" + _advice(holder)

    def _live(self) -> None:
        """Give the hosts a sign of life from time to time."""
        while not self._ended.wait(BEAT):
            for host in list(self._heard):
                if host not in self._beats or self._beats[host].done():
                    self._beats[host] = begun(partial(self._beat, host), f"beat {host}")

    def _beat(self, host: str) -> None:
        """Give one host a sign of life, unless it is too late; nobody else's waits for it."""
        talk = self._talks.get(host)
        if talk is not None and self._clock() - self._heard.get(host, 0.0) < LIMIT and _beat(talk):
            self._heard[host] = self._clock()


def _strange(host: str, found: str) -> str:
    """Return what is said of a file that stands where a lock has to be."""
    file, _, owner = found.partition(" ")
    return (
        f"because {file} on {host} is not a lock of dockerlab: it was made by {owner or 'somebody unknown'}, who may "
        f"not use the engine there, or is no plain file. Have it removed by {owner or 'its owner'} or root: rm {file}"
    )


def _advice(holder: str) -> str:
    """Return what to do about a lock that somebody holds.

    The lock of a process that is gone is only there because the host has not noticed: its connection was cut.
    """
    found = re.search(r"@(\S+) \(process (\d{1,9})\)", holder)
    if found is not None and found[1] == socket.gethostname() and not _runs(int(found[2])):
        return (
            "That process no longer runs on this machine; its connection was cut, and the host has not noticed yet. "
            f"The lock ends by itself within {LIMIT:.0f} s: run the same command again then."
        )
    return (
        "Wait until that has ended, or end that process; its lock ends with it. Where its connection was cut, the lock "
        f"ends by itself within {LIMIT:.0f} s: run the same command again then."
    )


def _runs(process: int) -> bool:
    """Tell whether a process of this machine runs, whoever's it is."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _beat(talk: Conversation) -> bool:
    """Give a sign of life; tell whether that can have arrived. Where it has not, `confirm` sees to it."""
    try:
        talk.send(b"+\n")
    except HostError:
        return False
    return True


def _end(talk: Conversation) -> None:
    try:
        talk.finish()
    except HostError:
        return  # the connection is lost, and the lock with it


@contextmanager
def locked(
    hosts: Mapping[str, Host],
    names: Collection[str],
    clock: Callable[[], float] = time.monotonic,
    silent: float = LATE,
) -> Iterator[Locks]:
    """Ask for the locks of labs on hosts, and let go of them in the end; `Locks.wait` says whether they were had.

    A host that says nothing is waited for `silent` seconds after the most have answered, at the least.
    """
    now = datetime.now(timezone.utc)
    holder = f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()}) since {now:%Y-%m-%d %H:%M:%S} UTC"
    locks = Locks(hosts, names, holder, clock, silent)
    try:
        yield locks
    finally:
        locks.release()
