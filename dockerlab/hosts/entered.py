"""A host on which a stranger is root: what reads and probes runs from outside of it, what changes it goes by SSH.

Whoever is root on a host can have another program in the place of its shell, its python3, its docker command, and its
SSH server. None of them takes part in what is read here: the programs are the machine's own, and see of the host its
processes, its network, and the files that tell of its settings. What changes the host runs on it, as anywhere: what
came of that is read, in turn, from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dockerlab.command import Result
from dockerlab.errors import ConnectError, SandboxError
from dockerlab.hosts.base import DEFAULT_TIMEOUT, ENGINE, Conversation, Host, Input
from dockerlab.hosts.dialogue import Dialogue
from dockerlab.hosts.kept import Kept
from dockerlab.hosts.local import start
from dockerlab.hosts.process import Process, brief, check, collect, stream
from dockerlab.hosts.program import PYTHON, Program

Enter = Callable[[Sequence[str]], list[str]]
"""Returns the argument list that runs a command from outside of a host; raises SandboxError where there is none."""

DOOR = Program("dockerlab.hosts", ("genuine", "door"))
"""The way to the engine, if it is the one that was there."""

ALWAYS = frozenset({"cat", "readlink", "stat", "tar", "ss", "uname", "iptables-save"})
"""Programs that dockerlab calls to read and for nothing else."""

WITH = {"ip": ("show", "get", "list"), "iptables": ("-S",), "sysctl": ("-n",)}
"""Those that read where one of these words is among the arguments."""

SCRIPT = ("sh", "-s")
"""A shell that is sent a script and nothing else: those only read, and what they tell is judged by."""

DOCKER = ("ps", "images", "info", "version", "inspect", "logs", "exec", "save")
"""Of the engine's commands, those that read; behind `image` and `network`, too."""


def reads(argv: Sequence[str]) -> bool:
    """Tell whether a command of dockerlab's own only reads or probes."""
    program, *words = _inside(argv)
    if program == "docker":
        of = words[1:] if words[:1] in (["image"], ["network"]) else words
        return tuple(argv) == ENGINE or bool(of and of[0] in DOCKER)
    sent = tuple(argv) == SCRIPT or tuple(argv[: len(PYTHON)]) == PYTHON
    return sent or program in ALWAYS or not set(WITH.get(program, ())).isdisjoint(words)


def _inside(argv: Sequence[str]) -> Sequence[str]:
    """Return a command without what leads it into the network of a container."""
    leads = len(argv) > 4 and argv[0] == "nsenter" and argv[1].startswith("--target=")
    return argv[4:] if leads and tuple(argv[2:4]) == ("--net", "--") else argv


class EnteredHost:
    """A `Host` of a sandbox with a name: `way` is the same host by SSH, `enter` runs a program from outside of it."""

    def __init__(self, way: Host, enter: Enter) -> None:
        self.name = way.name
        self._way, self._enter = way, enter
        self._kept = Kept()
        self.door = DOOR.whole("door")

    @property
    def address(self) -> str | None:
        """Return the address under which the host is reached."""
        return self._way.address

    @property
    def channels(self) -> int:
        """Return how many commands may run at once."""
        return self._way.channels

    def begin(self) -> None:
        """Join the engine, in a thread; why that fails is told to whoever uses it next."""
        self._kept.start(ENGINE, lambda: self._start(ENGINE))

    def run(self, argv: Sequence[str], *, input: Input | None = None, timeout: float = DEFAULT_TIMEOUT) -> Result:  # noqa: A002 - the contract's word, as in subprocess
        """Run a program: from outside where it reads, else by SSH."""
        argv = check(argv)
        if not reads(argv):
            return self._way.run(argv, input=input, timeout=timeout)
        return collect(self._start(argv), self.name, argv, input, timeout)

    def converse(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Conversation:
        """Start a program, from outside where it reads, and return the dialogue with it."""
        argv = check(argv)
        if not reads(argv):
            return self._way.converse(argv, timeout=timeout)
        return Dialogue(self._start(argv), self.name, argv, timeout)

    def stream(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[bytes]:
        """Yield standard output in chunks; the program starts with the first of them."""
        argv = check(argv)
        if not reads(argv):
            yield from self._way.stream(argv, timeout=timeout)
            return
        yield from stream(self._start(argv), self.name, argv, timeout)

    def attach(self, argv: Sequence[str], *, terminal: bool) -> int:
        """Run a program with our own standard streams, by SSH: nothing of the machine's is at hand in a terminal."""
        return self._way.attach(argv, terminal=terminal)

    def resume(self, argv: tuple[str, ...], timeout: float) -> Process:  # noqa: ARG002 - no channel is waited for
        """Return a program that was kept and still runs, or start one."""
        return self._kept.take(argv) or self._start(argv)

    def keep(self, argv: tuple[str, ...], program: Process) -> None:
        """Keep a program for its next use."""
        self._kept.put(argv, program)

    def close(self) -> None:
        """End what was kept, and the connection."""
        self._kept.drop()
        self._way.close()

    def _start(self, argv: Sequence[str]) -> Process:
        """Start a program from outside; the engine is asked only where it is the one that was there."""
        words = tuple(argv)
        if words[0] == "docker":
            words = (*self.door, self.name, *(() if words == ENGINE else words))
        try:
            return start(self._enter(words))
        except SandboxError as error:
            raise ConnectError(self.name, f"{brief(argv)} was not started: {error}") from error
