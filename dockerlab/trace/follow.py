"""Follow one real packet: a tracer on every host that it may come through, and what they told put in order."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

from dockerlab.errors import HostError
from dockerlab.gate import admitted, parsed
from dockerlab.hosts.base import Conversation, Host
from dockerlab.hosts.program import Program
from dockerlab.probe.base import Place
from dockerlab.probe.records import Entered, Shut, entered
from dockerlab.trace.hops import Heard, Hop, along
from dockerlab.walk.outcome import SpaceId

TRACER = Program(
    "dockerlab",
    (
        "probe.dialogue",
        *(f"probe.{name}" for name in ("wire", "neighbours", "namespaces", "resolver", "flight", "connections")),
        *(f"trace.{name}" for name in ("netfilter", "signs", "tracer")),
    ),
)

PATIENCE = 30.0


class Ready(TypedDict):
    """The kernels mark the packet in these places."""

    places: dict[str, Entered | Shut]


class Sent(TypedDict):
    """What came of the packet."""

    outcome: str


class Report(TypedDict):
    """What was told of it, by namespace."""

    events: list[list[Any]]
    rules: list[list[Any]]
    names: dict[str, dict[str, str]]
    blind: list[list[Any]]


@dataclass(frozen=True)
class Trace:
    """One packet's way as the kernels told it, what came of it, and where they told nothing."""

    hops: tuple[Hop, ...]
    outcome: str
    blind: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """What is sent: a ping of an address, or what begins a connection to a port there.

    `behind` are the containers that a published port leads to, with address and port: a docker-proxy's own connection
    to one of them is followed as well.
    """

    address: str
    port: int | None = None
    behind: tuple[tuple[Place, str, int], ...] = ()


def traced(
    hosts: Mapping[str, Host], source: Place, target: Place | None, probe: Probe, *, owned: bool = True
) -> Trace:
    """Send one packet from a place, to what is known of as the target's, and return its way through the rules.

    `owned` False does without the kernel's own removal of our table, as before Linux 5.12.

    Raises HostError where a host cannot be asked. Needs root and Python 3.6 there, and no other program. Nothing stays
    on the hosts: the marking table is the kernel's to remove when the tracer ends, however it ends.
    """
    places = _places(hosts, source, target, [place for place, _, _ in probe.behind])
    job = {
        "address": probe.address,
        "port": probe.port,
        "nonce": secrets.token_hex(16),
        "began": secrets.randbits(32),
        "behind": [[at, number] for _, at, number in probe.behind],
        "owned": owned,
    }
    sessions = {name: _Session(host, [place for place in places if place.host == name]) for name, host in hosts.items()}
    try:
        for session in sessions.values():
            session.start(job)
        for session in sessions.values():
            session.ready()
        outcome = sessions[source.host].send(source)
        for session in sessions.values():
            session.stop()
        heard, blind = _gathered(places, sessions)
    finally:
        for session in sessions.values():
            session.abort()
    hops = admitted(", ".join(hosts), "its python3", lambda: tuple(along(heard)), tuple[Hop, ...])
    return Trace(hops, outcome, tuple(blind))


def _places(hosts: Mapping[str, Host], source: Place, target: Place | None, behind: Sequence[Place]) -> list[Place]:
    """Return where the packet may come by, from its source to its target: hosts' own namespaces stand between them."""
    between = [source.host, *(name for name in hosts if name != source.host)]
    if target is not None and target.host != source.host:
        between.remove(target.host)
        between.append(target.host)
    ends = [] if target is None else [target]
    known = {place.host: place for place in (*ends, source) if place.container is None}
    return list(dict.fromkeys([source, *(known.get(name, Place(name, None, 1)) for name in between), *ends, *behind]))


def _gathered(places: Sequence[Place], sessions: Mapping[str, _Session]) -> tuple[list[Heard], list[str]]:
    """Return what each namespace's kernel told, once for each, and where one told nothing or not all."""
    heard: dict[SpaceId, Heard] = {}
    blind: list[str] = []
    for place in places:
        session = sessions[place.host]
        identity = session.namespaces[place]
        if isinstance(identity, str):
            blind.append(f"{place}: {identity}")
            continue
        at = SpaceId(place.host, identity)
        if at not in heard:
            heard[at] = admitted(place.host, "its python3", partial(session.heard, at, place), Heard)
            blind += [f"{place}: {why}" for why in session.blind(identity)]
    return list(heard.values()), blind


class _Session:
    """The dialogue with the tracer of one host."""

    def __init__(self, host: Host, places: Sequence[Place]) -> None:
        self._host = host
        self._places = {place: key for key, place in enumerate(places)}
        self._conversation: Conversation | None = None
        self._report: Mapping[str, Any] = {}
        self.namespaces: dict[Place, int | str] = {}

    def start(self, job: Mapping[str, Any]) -> None:
        """Send the program and its job."""
        self._conversation = TRACER.converse(self._host, "trace.tracer", PATIENCE)
        self._say({**job, "places": [{"key": key, "pid": place.pid} for place, key in self._places.items()]})

    def ready(self) -> None:
        """Wait until the host's kernel marks the packet."""
        told = self._hear(Ready)["places"]
        self.namespaces = {place: entered(told.get(str(key))) for place, key in self._places.items()}

    def send(self, place: Place) -> str:
        """Let the packet be sent from a place, and return what came of it."""
        if isinstance(self.namespaces[place], str):
            raise HostError(self._host.name, f"{place}: {self.namespaces[place]}")
        self._say({"event": "send", "place": self._places[place]})
        return str(self._hear(Sent)["outcome"])

    def stop(self) -> None:
        """Take the marks out, and read what was told."""
        self._say({"event": "stop"})
        self._report = self._hear(Report)

    def heard(self, at: SpaceId, place: Place) -> Heard:
        """Return what was told of a namespace."""
        told: dict[int, list[Any]] = dict(self._report["events"])
        handles = {
            (family, table, chain): numbers
            for identity, family, table, chain, numbers in self._report["rules"]
            if identity == at.space
        }
        names = self._report["names"].get(str(at.space), {})
        return Heard(
            at, str(place), told.get(at.space, []), handles, {int(index): name for index, name in names.items()}
        )

    def blind(self, identity: int) -> list[str]:
        """Return why not everything is known of a namespace."""
        return [why for one, why in self._report["blind"] if one == identity]

    def abort(self) -> None:
        """Leave nothing running on the host."""
        if self._conversation is not None:
            self._conversation.abort()

    def _say(self, message: Mapping[str, Any]) -> None:
        if self._conversation is not None:
            self._conversation.send(json.dumps(message).encode() + b"\n")

    def _hear(self, form: object) -> Any:
        if self._conversation is None:
            raise HostError(self._host.name, "no tracer was started")
        line = self._conversation.receive_line()
        return admitted(self._host.name, "its python3", lambda: parsed(line), form)
