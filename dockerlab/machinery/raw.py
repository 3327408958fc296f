"""The commands by which one looks at all this by hand, and what they print."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dockerlab import daemon
from dockerlab.command import Result
from dockerlab.hosts.base import Host
from dockerlab.machinery.view import Container, View
from dockerlab.plain import printable

PATH = 'PATH="$PATH:/usr/sbin:/sbin"; exec "$@"'
"""A shell that finds administrators' programs, and then is the command; a constant."""


@dataclass(frozen=True)
class Look:
    """A command, and the one that is run instead where it is not installed."""

    argv: tuple[str, ...]
    instead: tuple[str, ...] = ()


def looks(view: View) -> Iterator[Look]:
    """Yield what a person would run on a host to see what concerns a lab there; all of it only reads."""
    yield Look(("docker", "ps", "--all"))
    yield Look(("docker", "network", "ls"))
    on = {strand.network for c in view.containers for strand in c.strands if c.shares != "host"}
    networks = [n.name for n in view.machine.networks if n.name in on | {b.network.name for b in view.bridges}]
    for network in networks:
        yield Look(("docker", "network", "inspect", network))
    yield Look(("ifconfig",), ("ip", "address", "show"))
    yield Look(("ip", "route", "show"))
    yield Look(("brctl", "show"), ("bridge", "link", "show"))
    if not view.machine.backend.startswith("iptables"):
        yield Look(("nft", "list", "ruleset"))
    yield Look(("iptables", "-t", "nat", "-nL", "--line-numbers"))
    yield Look(("iptables", "-nL", "--line-numbers"))
    for path in _hidden(view):
        yield Look(("nsenter", f"--net={path}", "ip", "-details", "address", "show"))
        yield Look(("nsenter", f"--net={path}", "bridge", "fdb", "show"))
    for container in view.containers:
        yield from _inside(container)


def settings(host: Host) -> Iterator[Look]:
    """Yield how to see the engine's settings where a lab has changed them; elsewhere they are nobody's business.

    Raises HostError.
    """
    file = daemon.look(host)
    if file.kept is not None:
        yield Look(("cat", file.path))


def _inside(container: Container) -> Iterator[Look]:
    state = container.state
    if not state.running or not state.pid:
        return
    # Not every image has `ip`; the host has, and can use it in the container's network namespace.
    entering = ("nsenter", f"--net=/proc/{state.pid}/ns/net")
    yield Look((*entering, "ip", "address", "show"))
    yield Look((*entering, "ip", "route", "show"))
    yield Look(("docker", "exec", state.name, "cat", "/etc/resolv.conf"))


def _hidden(view: View) -> list[str]:
    """Return the paths of the hidden namespaces that an interface of the lab leads through."""
    own = [strand for container in view.containers if container.shares != "host" for strand in container.strands]
    names = {hop.where for strand in own for hop in strand.hops} - {"host", ""}
    paths = (path for space in view.machine.kernel.namespaces for path in space.paths if not space.host)
    return [path for path in paths if path.rpartition("/")[2] in names]


def told(hosts: Mapping[str, Host], commands: Mapping[str, Iterable[Look]], *, as_json: bool) -> str:
    """Return what the commands of each host print, as a terminal shows them or as JSON; raises HostError."""
    results = {name: [run(hosts[name], each) for each in commands[name]] for name in commands}
    if not as_json:
        return "\n".join(printed(name, result) for name, those in results.items() for result in those)
    rows = {
        name: [
            {"command": list(r.argv), "exit_code": r.rc, "stdout": r.text, "stderr": r.stderr.decode(errors="replace")}
            for r in those
        ]
        for name, those in results.items()
    }
    return json.dumps({"schema": 1, "hosts": rows}, indent=2, ensure_ascii=False) + "\n"


def run(host: Host, look: Look) -> Result:
    """Run one of them, or what is run instead where it is missing; raises HostError for a lost connection."""
    result = _run(host, look.argv)
    return _run(host, look.instead) if result.rc in (126, 127) and look.instead else result


def _run(host: Host, argv: Sequence[str]) -> Result:
    result = host.run(["sh", "-c", PATH, "sh", *argv], timeout=60)
    return Result(tuple(argv), result.rc, result.stdout, result.stderr, result.seconds)


def printed(host: str, result: Result) -> str:
    """Return a command and its output as a terminal shows them, with the exit code if it is not 0."""
    output = printable((result.stdout + result.stderr).decode(errors="replace"))
    if output and not output.endswith("\n"):
        output += "\n"
    code = "" if result.ok else f"(exit code {result.rc})\n"
    return f"[root@{host} ~]# {shlex.join(result.argv)}\n{output}{code}"
