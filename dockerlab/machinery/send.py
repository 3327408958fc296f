"""Send the program that looks, and give what it saw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

from dockerlab.errors import HostError
from dockerlab.hosts.base import Conversation, Host
from dockerlab.machinery.model import Machine
from dockerlab.machinery.parse import machine

MODULES = ("asking", "processes", "spaces", "look", "listen")
"""The program, in the order of its imports."""

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


def look(host: Host) -> Machine:
    """Return what is on a host now, in one round trip; raises HostError where it cannot be looked at at all."""
    argv = [*PYTHON, BOOTSTRAP, "dockerlab.machinery.look"]
    result = host.run(argv, input=program(), timeout=PATIENCE)
    if not result.ok:
        reason = (result.error.splitlines() or ["it said nothing"])[-1]
        raise HostError(host.name, f"it cannot be looked at, which needs python3 (3.6 or later) there: {reason}")
    return read(host.name, result.stdout)


def listen(host: Host) -> Conversation:
    """Start the program that looks whenever something changed; each of its lines is for `read`, or blank."""
    talk = host.converse([*PYTHON, BOOTSTRAP, "dockerlab.machinery.listen"], timeout=SILENCE)
    talk.send(program())
    return talk


def program() -> bytes:
    """Return the modules as the one line that the bootstrap reads."""
    package = files("dockerlab.machinery")
    sources = [["dockerlab", ""], ["dockerlab.machinery", ""]]
    sources += [[f"dockerlab.machinery.{name}", package.joinpath(f"{name}.py").read_text("utf-8")] for name in MODULES]
    return json.dumps(sources).encode() + b"\n"


def read(host: str, line: bytes) -> Machine:
    """Return what a line of the program says; raises HostError for what is not its own."""
    try:
        return machine(host, json.loads(line))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        message = f"what it says of itself cannot be understood ({type(error).__name__}: {error})"
        raise HostError(host, message) from error


def look_at_all(hosts: Mapping[str, Host]) -> tuple[dict[str, Machine], dict[str, HostError]]:
    """Return what is on each host, all looked at at once, and why the others could not be looked at."""

    def ask(host: Host) -> Machine | HostError:
        try:
            return look(host)
        except HostError as error:
            return error

    with ThreadPoolExecutor(max(1, len(hosts)), thread_name_prefix="look") as pool:
        answers = dict(zip(hosts, pool.map(ask, hosts.values()), strict=True))
    machines = {name: answer for name, answer in answers.items() if isinstance(answer, Machine)}
    return machines, {name: answer for name, answer in answers.items() if isinstance(answer, HostError)}
