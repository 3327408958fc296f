"""The facts that can be looked at: each is one command that only reads, and gives lines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dockerlab.daemon.state import PATH
from dockerlab.errors import HostError
from dockerlab.gate import parsed
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import meant, shown
from dockerlab.snapshot import Snapshot

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]*")
"""What may follow the name of a fact: never something that a program could take for a flag."""

TABLES = ("filter", "nat", "mangle", "raw")


@dataclass(frozen=True)
class Reader:
    """How a fact is read: the command, in which `{0}`, `{1}` are the words behind the fact's name.

    `words` is how many there may be; `inside` tells where it is read for a container: in its network namespace, by
    `docker exec`, or (empty) on its host.
    """

    argv: tuple[str, ...]
    words: tuple[int, int]
    inside: str
    shows: str
    absent: tuple[str, str] = ("", "")
    """What the command says where the thing is not there, and what is then said of the host or container."""


INTERFACE = ("does not exist", "has no interface {0}")

READERS: Mapping[str, Reader] = {
    "sysctl": Reader(("sysctl", "-n", "{0}"), (1, 1), "net", "a kernel setting, such as net.ipv4.ip_forward"),
    "rules": Reader(
        ("iptables", "-w", "-t", "{0}", "-S", "{1}"), (2, 2), "net", "a chain's policy and rules: TABLE CHAIN"
    ),
    "links": Reader(("ip", "-o", "-d", "link", "show", "{0}"), (0, 1), "net", "network interfaces, or one", INTERFACE),
    "addresses": Reader(
        ("ip", "-o", "address", "show", "{0}"), (0, 1), "net", "addresses, or one interface's", INTERFACE
    ),
    "routes": Reader(("ip", "-o", "route", "show"), (0, 0), "net", "routes"),
    "neighbours": Reader(("ip", "neighbour", "show"), (0, 0), "net", "what ARP knows"),
    "ports": Reader(
        ("ip", "-o", "link", "show", "master", "{0}"), (1, 1), "net", "the ports of a bridge", INTERFACE
    ),
    "listeners": Reader(("ss", "-H", "-l", "-t", "-n"), (0, 0), "net", "TCP ports on which something listens"),
    "resolver": Reader(("cat", "/etc/resolv.conf"), (0, 0), "exec", "the name servers that are asked"),
    "layers": Reader(
        ("docker", "image", "inspect", "--format", "{{{{range .RootFS.Layers}}}}{{{{println .}}}}{{{{end}}}}", "{0}"),
        (1, 1), "", "the layers of an image, the lowest first", ("No such image", "has no image {0}"),
    ),
    "images": Reader(("docker", "images", "--format", "{{{{.Repository}}}}:{{{{.Tag}}}}"), (0, 0), "", "images"),
    "containers": Reader(
        ("docker", "ps", "--format", "{{{{.Names}}}}"), (0, 0), "", "the names of containers that run"
    ),
    "swarm": Reader(
        (
            "docker", "info", "--format",
            "{{{{.Swarm.LocalNodeState}}}} manager {{{{.Swarm.ControlAvailable}}}} nodes {{{{.Swarm.Nodes}}}}",
        ),
        (0, 0), "", "the host's part in a Swarm",
    ),
    "namespace": Reader(("readlink", "/proc/{pid}/ns/net"), (0, 0), "", "a container's network namespace"),
    "namespaces": Reader(("ip", "netns", "list"), (0, 0), "", "the host's network namespaces that have a name"),
    "daemon": Reader(("cat", PATH), (0, 0), "", "the engine's settings", ("No such file", f"has no {PATH}")),
}  # fmt: skip
"""By the first word of a look's `at`."""


class Unseen(Exception):
    """A fact that could not be read; the text says why."""


class Absent(Unseen):
    """A fact of what is not there at all: nothing stands in it, and that is certain."""


def parse(at: str) -> tuple[Reader, tuple[str, ...]]:
    """Return how a fact is read and the words behind its name; raises ValueError for what is no fact."""
    name, *words = at.split() or [""]
    reader = READERS.get(name)
    if reader is None:
        raise ValueError(f"{shown(name)} is nothing to look at: {meant(name, READERS)}")
    least, most = reader.words
    if not least <= len(words) <= most:
        wanted = f"{least}" if least == most else f"{least} or {most}"
        raise ValueError(f"{shown(at)}: behind `{name}` belong {wanted} words ({reader.shows})")
    wrong = next((word for word in words if not WORD.fullmatch(word)), None)
    if wrong is not None:
        raise ValueError(f"{shown(wrong)} has no place behind `{name}`: use letters, digits and _ . : / @ -")
    if name == "rules" and words[0] not in TABLES:
        raise ValueError(f"{shown(words[0])} is no table of the firewall: {meant(words[0], TABLES)}")
    return reader, tuple(words)


def read(at: str, on: str, lab: Lab, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]) -> list[str]:
    """Return the lines of a fact, blanks in them made one; raises Unseen when it cannot be read, or HostError."""
    reader, words = parse(at)
    name = on if on in lab.hosts else lab.host_of(on)
    snapshot, host = snapshots[name], hosts[name]
    words = tuple(_bridge(word, snapshot) for word in words)
    state = snapshot.container(on) if on not in lab.hosts else None
    pid = str(state.pid) if state is not None and state.running else "self"
    argv = [part.format(*words, pid=pid) for part in reader.argv if not ("{0}" in part and not words)]
    if on not in lab.hosts:
        if state is None or not state.running:
            raise Unseen(f"{on} {'does not run' if state is not None else 'does not exist'} on {name}")
        argv = [*_into(reader.inside, state.id, state.pid), *argv]
    try:
        result = host.run(argv, timeout=20)
    except HostError as error:
        raise Unseen(str(error)) from error
    if not result.ok:
        said, what = reader.absent
        if said and said in result.error:
            raise Absent(f"{on} {what.format(*words)}")
        raise Unseen(f"{on}: {at} could not be read: {result.error or f'exit code {result.rc}'}")
    if reader is READERS["daemon"]:
        return [_settings(result.text, on)]
    lines = [" ".join(line.split()) for line in result.text.replace("\\", " ").splitlines() if line.strip()]
    # Of two images of one second, an engine names either first.
    return sorted(lines) if reader is READERS["images"] else lines


def _settings(text: str, on: str) -> str:
    """Return the engine's settings as words in one line, however they are written down."""
    try:
        settings = parsed(text or "{}")
    except ValueError as error:
        raise Absent(f"{PATH} of {on} is no JSON, and no engine starts with it: {error}") from error
    pairs = sorted(settings.items()) if isinstance(settings, dict) else ()
    return " ".join(f"{key} {_value(value)}" for key, value in pairs)


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(_value, value))
    return value if isinstance(value, str) else json.dumps(value)


def _into(inside: str, container: str, pid: int) -> tuple[str, ...]:
    ways = {"net": ("nsenter", f"--target={pid}", "--net", "--"), "exec": ("docker", "exec", container)}
    return ways.get(inside, ())


def _bridge(word: str, snapshot: Snapshot) -> str:
    """Return the interface that is meant by `bridge:NETWORK`; every other word as it is."""
    kind, _, name = word.partition(":")
    if kind != "bridge" or not name:
        return word
    network = snapshot.network(name)
    if network is None:
        raise Unseen(f"there is no network {name} on {snapshot.host}")
    if not network.bridge:
        raise Unseen(f"network {name} has no bridge on {snapshot.host}: its driver is {network.driver}")
    return network.bridge


def stands(words: tuple[str, ...], lines: list[str]) -> str | None:
    """Return the first line in which all words stand, each with blanks around it, or None."""
    return next((line for line in lines if all(_in(word, line) for word in words)), None)


def lacking(words: tuple[str, ...], lines: list[str]) -> tuple[str, ...]:
    """Return the words that stand in no line at all; all of them where each stands somewhere, and never together."""
    return tuple(word for word in words if not any(_in(word, line) for line in lines)) or words


NAME = re.compile(r"\d+: ([^ :@]+)(?:@[^ :]+)?: ")
"""How `ip` begins the line of an interface: its number, its name, and what is at the other end."""


def _in(word: str, line: str) -> bool:
    """Tell whether a word stands in a line; an interface's name does, whatever `ip` writes right behind it."""
    named = NAME.match(line)
    return f" {word} " in f" {line} " or (named is not None and named[1] == word)
