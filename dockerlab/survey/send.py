"""Send the program that looks, and give what it saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any, Literal, TypeVar

from dockerlab.errors import HostError
from dockerlab.hosts.base import Conversation, Host
from dockerlab.kernel.model import Machine
from dockerlab.survey.hosts import answered
from dockerlab.survey.parse import machine

Detail = Literal["all", "host"]
"""How much is looked at: all namespaces, or the host's own alone."""
T = TypeVar("T")

MODULES = ("asking", "entering", "tables", "rules", "sysctls", "processes", "spaces", "engine", "look", "listen")
"""The program, in the order of its imports."""
PACKAGES = ("dockerlab", "dockerlab.survey", "dockerlab.survey.program")

PYTHON = ("python3", "-I", "-S", "-c")
"""The host's Python, whatever its environment variables and its users' packages say."""

BOOTSTRAP = """
import json, sys, types
for name, source in json.loads(sys.stdin.buffer.readline().decode()):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = []
    exec(compile(source, name, "exec"), module.__dict__)
sys.modules[sys.argv[1]].main()
"""
"""The whole program comes on standard input, so that nothing is written on the host."""

PATIENCE = 60.0
"""Seconds in which a look has to end."""

SILENCE = 60.0
"""Seconds for which who listens may say nothing: it gives a sign of life more often."""


def kernels(
    hosts: Mapping[str, Host], pids: Mapping[str, Iterable[int]], detail: Detail = "all"
) -> tuple[dict[str, Machine], dict[str, HostError]]:
    """Return the state of each host's kernel, all looked at at once, and why the others could not be looked at.

    `pids` are processes by host whose network namespaces are looked into, such as those of containers.
    """

    def ask(host: Host) -> Machine:
        return look(host, pids.get(host.name, ()), detail)

    return answered(hosts, None, ask)


def look(host: Host, pids: Iterable[int], detail: Detail = "all") -> Machine:
    """Return what is on a host now, in one round trip; raises HostError where it cannot be looked at at all."""
    return read(host.name, sent(host, pids, detail), machine)


def sent(host: Host, pids: Iterable[int] | None, detail: Detail = "all") -> bytes:
    """Return what the program prints on a host; raises HostError where it cannot run there.

    Without `pids` the engine's command is asked for its containers and networks, and what it says is printed, too.
    """
    wanted = json.dumps({"pids": None if pids is None else sorted(pids), "detail": detail})
    argv = [*PYTHON, BOOTSTRAP, "dockerlab.survey.program.look", wanted]
    result = host.run(argv, input=program(), timeout=PATIENCE)
    if not result.ok:
        reason = (result.error.splitlines() or ["it said nothing"])[-1]
        raise HostError(host.name, f"it cannot be looked at, which needs python3 (3.6 or later) there: {reason}")
    return result.stdout


def listen(host: Host) -> Conversation:
    """Start the program that looks whenever something changed; each of its lines is for `read`, or blank."""
    talk = host.converse([*PYTHON, BOOTSTRAP, "dockerlab.survey.program.listen"], timeout=SILENCE)
    talk.send(program())
    return talk


def program() -> bytes:
    """Return the modules as the one line that the bootstrap reads."""
    package = files("dockerlab.survey.program")
    sources = [[name, ""] for name in PACKAGES]
    sources += [[f"{PACKAGES[-1]}.{name}", package.joinpath(f"{name}.py").read_text("utf-8")] for name in MODULES]
    return json.dumps(sources).encode() + b"\n"


def read(host: str, line: bytes, understand: Callable[[str, Any], T]) -> T:
    """Return what a line of the program says; raises HostError for what is not its own."""
    try:
        return understand(host, json.loads(line))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        message = f"what it says of itself cannot be understood ({type(error).__name__}: {error})"
        raise HostError(host, message) from error
