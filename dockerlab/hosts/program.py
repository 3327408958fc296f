"""A Python program sent to a host: its modules go in on standard input, so that nothing is written there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

from dockerlab.command import Result
from dockerlab.errors import HostError
from dockerlab.hosts.base import Conversation, Host

PYTHON = ("python3", "-I", "-S", "-c")
"""The host's Python, whatever its environment variables and its users' packages say."""

MAKING = """
for name, source in sources:
    module = sys.modules[name] = type(sys)(name)
    module.__path__ = []
    exec(compile(source, name, "exec"), module.__dict__)
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
sys.modules[sys.argv[1]].main()
"""
"""Makes modules, and calls the `main` of the one that its argument names."""

BOOTSTRAP = f"""
import json, sys
sources = json.loads(sys.stdin.buffer.readline().decode())
{MAKING.strip()}
"""
"""The same with the modules of the one line that it reads."""


@dataclass(frozen=True)
class Program:
    """Modules of a package, in the order of their imports, that need the standard library of Python 3.6 alone.

    A module of a package in there has its name with a dot.
    """

    package: str
    modules: tuple[str, ...]

    def argv(self, main: str, *arguments: str) -> list[str]:
        """Return the command that reads the program, and then calls the `main` of one of its modules."""
        return [*PYTHON, BOOTSTRAP, f"{self.package}.{main}", *arguments]

    def source(self) -> bytes:
        """Return the program as the one line that the bootstrap reads; packages are empty there."""
        return json.dumps(self._sources()).encode() + b"\n"

    def whole(self, main: str) -> list[str]:
        """Return a command that has the program in itself, for one whose standard input is its caller's.

        Its arguments come behind. It needs no more of the standard library than the program does.
        """
        return [*PYTHON, f"import sys\nsources = {self._sources()!r}{MAKING}", f"{self.package}.{main}"]

    def _sources(self) -> list[list[str]]:
        """Return names and texts of the modules, and of the packages that these are in."""
        folder, names = files(self.package), [f"{self.package}.{name}" for name in self.modules]
        parents = (
            ".".join(parts[:end]) for parts in (name.split(".") for name in names) for end in range(1, len(parts))
        )
        sources = [[parent, ""] for parent in dict.fromkeys(parents)]
        for name, module in zip(names, self.modules, strict=True):
            sources.append([name, folder.joinpath(f"{module.replace('.', '/')}.py").read_text("utf-8")])
        return sources

    def run(self, host: Host, main: str, timeout: float, *arguments: str) -> Result:
        """Return what the program gave in one round trip; raises HostError where the host cannot be asked."""
        return host.run(self.argv(main, *arguments), input=self.source(), timeout=timeout)

    def converse(self, host: Host, main: str, timeout: float) -> Conversation:
        """Start a program whose lines are a dialogue; raises HostError where the host cannot be asked."""
        talk = host.converse(self.argv(main), timeout=timeout)
        try:
            talk.send(self.source())
        except HostError:
            talk.abort()
            raise
        return talk
