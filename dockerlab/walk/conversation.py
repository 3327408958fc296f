"""A request and the answer to it: a ping and its reply, the three packets of a new connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dockerlab.walk.beyond import outside, unrouted
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.fate import BLOCKED, ERRNO, MTU, REFUSED, REPLY_LOST, TIMEOUT, Fate, Landed, Left, Lost, shown
from dockerlab.walk.net import Net
from dockerlab.walk.outcome import Element, Outcome, SpaceId, Step
from dockerlab.walk.packet import EPHEMERAL, Flow, Packet
from dockerlab.walk.replies import answer, complaint, echo, heard, send_answer
from dockerlab.walk.sockets import listener_for
from dockerlab.walk.tracking import PING
from dockerlab.walk.travel import send, send_unbound
from dockerlab.walk.way import TooManyForksError, Way
from dockerlab.words import Symptom

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Socket, Space

MOST_RUNS = 24
"""How many combinations of guesses are tried before nothing is claimed."""
BEHIND_PROXY: Symptom = "refused behind docker-proxy"


def exchange(net: Net | Fabric, source: SpaceId, flow: Flow, *, detail: bool = False) -> Outcome:
    """Return what becomes of a flow that a namespace begins, and of the answer to it.

    Whoever asks more than once gives a `Fabric`, which remembers. With `detail` every rule that is met is a step. Where
    something cannot be known, all possible ways are tried, and what they do not agree on is not claimed. Raises
    KeyError for a namespace that is not in the net.
    """
    fabric = net if isinstance(net, Fabric) else Fabric(net)
    space = fabric.spaces[source]
    first: Outcome | None = None
    waiting: list[tuple[tuple[bool, ...], str]] = [((), "")]
    topics: dict[str, str] = {}
    for _ in range(MOST_RUNS):
        guesses, doubt = waiting.pop()
        way = Way(fabric, send_unbound, guesses, detail)
        try:
            found = _converse(way, space, flow)
        except TooManyForksError as error:
            lost = first or Outcome(None, "dropped", source, steps=tuple(way.steps))
            return _unclaimed(lost, error.why, way.topics)
        topics |= way.topics
        for number in range(len(guesses), len(way.asked)):
            taken = (*(answer for _, answer in way.asked[:number]), not way.asked[number][1])
            waiting.append((taken, way.asked[number][0]))
        if first is None:
            first = found
        elif found.reachable is not first.reachable or (found.reachable and found.arrived != first.arrived):
            return _unclaimed(first, doubt, topics)
        elif (found.symptom, found.arrived) != (first.symptom, first.arrived):
            first = replace(first, symptom=None, doubt=doubt)
        if not waiting or first.reachable is None:
            return first
    return _unclaimed(first or Outcome(None, "dropped", source), waiting[-1][1], topics)


def _unclaimed(outcome: Outcome, doubt: str, topics: Mapping[str, str]) -> Outcome:
    return replace(outcome, reachable=None, symptom=None, doubt=doubt, topic=topics.get(doubt, ""))


def _converse(way: Way, space: Space, flow: Flow) -> Outcome:
    """Return how one run through the net ends."""
    request = _request(flow)
    request.owned = True
    fate = send(way, space, request, bound=flow.source is not None)
    steps = tuple(way.steps)
    way.steps = []
    if isinstance(fate, Lost):
        return _not_delivered(way, space, flow, fate, steps)
    if isinstance(fate, Left):
        return outside(way, space, flow, fate, steps)
    if flow.protocol == "icmp":
        return _pinged(way, space, flow, fate, steps)
    if flow.protocol == "tcp":
        return _connected(way, space, fate, steps)
    return _told(way, fate, steps)


def _request(flow: Flow) -> Packet:
    version = flow.destination.version
    source = flow.source or flow.destination  # written over where the kernel chooses
    if flow.protocol == "icmp":
        kind = (8, 0) if version == 4 else (128, 0)
        return Packet(version, "icmp", source, flow.destination, PING, PING, kind, size=flow.size)
    sport, dport = flow.source_port or EPHEMERAL, flow.port or 0
    if flow.protocol == "udp":
        return Packet(version, "udp", source, flow.destination, sport, dport, size=flow.size)
    size = 60 if version == 4 else 80
    return Packet(version, "tcp", source, flow.destination, sport, dport, flags=frozenset({"SYN"}), size=size)


def _not_delivered(way: Way, space: Space, flow: Flow, lost: Lost, steps: tuple[Step, ...]) -> Outcome:
    """Return the outcome of a request that came to nobody, with what its sender notices of it."""
    outcome = Outcome(False, lost.end, lost.space.id, lost.by, steps, seen_from=lost.packet.source)
    if lost.doubt:
        return replace(outcome, reachable=None, doubt=lost.doubt)
    if lost.twisted:
        return outcome
    return replace(outcome, symptom=_symptom(way, space, flow, lost))


def _symptom(way: Way, space: Space, flow: Flow, lost: Lost) -> Symptom | None:
    if lost.end == "too big":
        return MTU
    at_once, here = flow.protocol != "tcp", lost.space is space
    if here and lost.errno and (at_once or (lost.end in ("no route", "martian") and not lost.late)):
        return ERRNO.get(lost.errno, BLOCKED)
    if lost.told and complaint(way, space, lost):
        return shown(flow.protocol, flow.destination.version, lost.told)
    return TIMEOUT


def _astray(
    way: Way, fate: Fate, landed: Landed, steps: tuple[Step, ...], back: tuple[Step, ...], symptom: Symptom
) -> Outcome:
    """Return the outcome of a request that was delivered and whose answer came to nobody who waits for it."""
    seen, at = landed.packet.source, landed.space.id
    if isinstance(fate, Lost):
        outcome = Outcome(False, fate.end, fate.space.id, fate.by, steps, back, False, at, seen, symptom)
        return replace(outcome, reachable=None, symptom=None, doubt=fate.doubt) if fate.doubt else outcome
    if isinstance(fate, Left):
        if unrouted(way, fate):
            lost = Outcome(False, "left", fate.space.id, None, steps, back, False, at, seen, symptom)
            return replace(lost, router=fate.router, lan=fate.lan)
        outcome = Outcome(None, "left", fate.space.id, None, steps, back, False, at, seen, None, fate.router, fate.lan)
        return replace(outcome, doubt=fate.why or "whether somebody beyond hands the answer on cannot be seen")
    return Outcome(False, "delivered", fate.space.id, None, steps, back, False, at, seen, symptom)


def _pinged(way: Way, space: Space, flow: Flow, landed: Landed, steps: tuple[Step, ...]) -> Outcome:
    """Return the outcome of an echo request that was delivered."""
    silent = echo(landed)
    if silent is not None:
        outcome = Outcome(False, "dropped", landed.space.id, silent, steps, (), False, landed.space.id)
        return replace(outcome, seen_from=landed.packet.source, symptom=REPLY_LOST)
    fate = send_answer(way, landed, answer(landed.packet, size=flow.size))
    back = tuple(way.steps)
    if heard(fate, space, ping=True):
        return _fine(landed, steps, back)
    return _astray(way, fate, landed, steps, back, _again(way, space, flow))


def _again(way: Way, space: Space, flow: Flow) -> Symptom:
    """Return what a ping notices whose reply is lost; its next request is not the first, and may fare otherwise."""
    way.steps = []
    request = _request(flow)
    request.owned = True
    fate = send(way, space, request, bound=flow.source is not None)
    told = _symptom(way, space, flow, fate) if isinstance(fate, Lost) and not (fate.doubt or fate.twisted) else None
    return REPLY_LOST if told in (None, TIMEOUT) else told


def _fine(landed: Landed, steps: tuple[Step, ...], back: tuple[Step, ...]) -> Outcome:
    return Outcome(True, "delivered", landed.space.id, None, steps, back, True, landed.space.id, landed.packet.source)


def _connected(way: Way, space: Space, landed: Landed, steps: tuple[Step, ...]) -> Outcome:
    """Return the outcome of a SYN that was delivered: SYN/ACK and ACK have to pass too."""
    socket = listener_for(way.fabric, landed)
    if socket is None and landed.space.namespace.deaf:
        doubt = f"who listens in {landed.space.name} is not known: {landed.space.namespace.deaf}"
        outcome = Outcome(None, "refused", landed.space.id, None, steps, (), False, landed.space.id)
        return replace(outcome, seen_from=landed.packet.source, doubt=doubt)
    seen = (landed.packet.source, landed.packet.destination, landed.packet.sport, landed.packet.dport)
    first = answer(landed.packet, flags=frozenset({"SYN", "ACK"} if socket is not None else {"RST", "ACK"}))
    first.owned = None if socket is not None else False
    fate = send_answer(way, landed, first)
    back = tuple(way.steps)
    if not heard(fate, space, ping=False):
        return _astray(way, fate, landed, steps, back, TIMEOUT)
    if socket is None:
        outcome = Outcome(False, "refused", landed.space.id, None, steps, back, True, landed.space.id)
        return replace(outcome, seen_from=seen[0], symptom=REFUSED)
    last = _last(way, space, fate, landed, steps, back)
    return _behind(way, landed, socket, _fine(landed, steps, back)) if last is None else last


def _last(
    way: Way, space: Space, fate: Fate, landed: Landed, steps: tuple[Step, ...], back: tuple[Step, ...]
) -> Outcome | None:
    """Return how the ACK that completes a connection is lost, None where it arrives."""
    way.steps = []
    closing = answer(fate.packet, flags=frozenset({"ACK"}))
    closing.owned = True
    third = send(way, space, closing)
    if isinstance(third, Landed) and third.space is landed.space:
        return None
    if isinstance(third, Lost):
        outcome = Outcome(
            False, third.end, third.space.id, third.by, (*steps, *way.steps), back, False, landed.space.id
        )
        # An error about it comes to a connection that is made: it shows to whoever asks for errors soon (SO_ERROR).
        symptom = None if third.told and third.space is not space else TIMEOUT
        outcome = replace(outcome, seen_from=landed.packet.source, symptom=symptom)
        return replace(outcome, reachable=None, symptom=None, doubt=third.doubt) if third.doubt else outcome
    return _astray(way, third, landed, steps, back, TIMEOUT)


def _behind(way: Way, landed: Landed, socket: Socket, outcome: Outcome) -> Outcome:
    """Return the outcome of a connection that a docker-proxy took: it makes another one to who is behind it."""
    proxy = socket.proxy
    if proxy is None:
        return outcome
    way.steps = []
    fresh = Way(way.fabric, way.travel, detail=way.detail)
    fresh.share(way)
    inner = _converse(fresh, landed.space, Flow(ip_address(proxy.to), "tcp", proxy.to_port))
    text = f"docker-proxy of port {proxy.port} hands on to {proxy.to} port {proxy.to_port}"
    element = Element("proxy", "docker-proxy", text, proxy)
    step = Step(landed.space.id, "proxied", text, element)
    steps = (*outcome.steps, step, *inner.steps)
    if inner.reachable:
        return replace(outcome, steps=steps, arrived=inner.arrived)
    if inner.reachable is None:
        return replace(outcome, reachable=None, steps=steps, doubt=inner.doubt)
    by = inner.by or element
    return replace(outcome, reachable=False, end="refused", at=inner.at, by=by, steps=steps, symptom=BEHIND_PROXY)


def _told(way: Way, landed: Landed, steps: tuple[Step, ...]) -> Outcome:
    """Return the outcome of a datagram that was delivered; nobody knows whether a program would answer."""
    if listener_for(way.fabric, landed) is not None:
        return _fine(landed, steps, ())
    outcome = Outcome(False, "refused", landed.space.id, None, steps, (), False, landed.space.id, landed.packet.source)
    return replace(outcome, symptom=REFUSED)
