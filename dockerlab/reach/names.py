"""Names: what the resolver of a container knows, and what it says of a name that it does not know."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import Literal, NamedTuple

from dockerlab.reach.expectation import Expectation
from dockerlab.reach.world import World
from dockerlab.walk.conversation import exchange
from dockerlab.walk.fate import BLOCKED
from dockerlab.walk.outcome import Outcome
from dockerlab.walk.packet import Flow
from dockerlab.words import RuleId, Symptom

NO_SUCH_NAME: Symptom = "no such name"
DNS = 53
OWN_SERVER = ip_address("127.0.0.11")
"""Where the engine answers in the namespace of a container that is on a network with names (moby, libnetwork)."""


class Known(NamedTuple):
    """What a namespace's Docker DNS knows of a name that a container may have.

    Of the networks on which one is, the first that has the name answers: `own` are the addresses of all who have it
    there where that container has it too, `others` those where it has not; one of the two is empty. `shares` tells
    whether they are on one network at all, where its name may be another one.
    """

    own: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    shares: bool = False

    @property
    def kind(self) -> tuple[bool, bool, bool]:
        """Return what two have in common whose names are looked up alike."""
        return (bool(self.own), bool(self.others), self.shares)


def known(world: World, asking: str, asked: str, name: str, *, within: bool = True) -> Known:
    """Return what Docker's DNS, asked in one's namespace, knows of a name that another's may have.

    Of one's own name one's hosts file knows the addresses on all networks. Not `within`, others ask as one would.
    """
    there = world.people.known_on.get(asked, ())
    held = world.people.texts.get(asked, frozenset())
    places = world.people.known_on.get(asking, ())
    shares = not set(places).isdisjoint(there)
    if within and asking == asked:
        own = [each for place in places for each in world.people.named.get((place, name), ())]
        return Known(own=tuple(dict.fromkeys(own)), shares=shares)
    for place in places:
        found = tuple(dict.fromkeys(world.people.named.get((place, name), ())))
        if found:
            theirs = place in there and not held.isdisjoint(found)
            return Known(found, (), shares) if theirs else Known((), found, shares)
    return Known(shares=shares)


def stray(found: Known, answers: Collection[str]) -> Literal["", "another", "others as well"]:
    """Tell whose addresses a name gives beside those that it has to give, of the IP version that is asked for.

    It is another address that comes in the place of the right ones, or others come as well; else nothing is told.
    """
    version = 4 if any(":" not in answer for answer in answers) else 6
    given = {address for address in found.own if (":" in address) == (version == 6)}
    right = {address for address in answers if (":" in address) == (version == 6)}
    if not right or given <= right:
        return ""
    return "others as well" if right <= given else "another"


def cut_off(world: World, asking: str) -> Expectation | None:
    """Return what becomes of all questions for names where none gets to the engine's server, else None."""
    lost = own_server(world, asking)
    if lost is None or lost.reachable is not False:
        return None
    # Where its server listens instead of port 53 an engine knows; only that it is led there can be told.
    if lost.end == "refused" and (_unheard(world, lost) or any(step.what == "translated" for step in lost.steps)):
        return None
    because = "no question of {source} gets to Docker's DNS at 127.0.0.11 in its own namespace"
    symptom: Symptom | None = "refused" if lost.end == "refused" else _said_of_nobody(lost)
    return Expectation(False, "dns-shared-network", because, symptom)


def look_up(
    world: World, asking: str, found: Known, *, named: bool = True, answers: Collection[str] = ()
) -> Expectation:
    """Return what becomes of a question for a container's name, or one of its aliases, of which `found` is known.

    `named` is False for a container that joined another's namespace: only the owner's names are known. `answers` are
    the addresses that the name has to give, none where that is not known.
    """
    wrong = stray(found, answers)
    if wrong:
        where = "Docker's DNS knows {address} where {source} and {to} are both, "
        gives = "but by another address than it should"
        because = where + ("and gives others' addresses beside that of {to}" if wrong == "others as well" else gives)
        return Expectation(False, "dns-shared-network", because, "wrong answerer")
    if found.own:
        because = "Docker's DNS at 127.0.0.11 knows the names on the networks of {source}, and {to} is on one of them"
        return Expectation(True, "dns-shared-network", because)
    if found.others:
        because = "on the networks of {source}, {address} is the name of others, not of {to}"
        return Expectation(False, "dns-no-shared-network", because, "wrong answerer")
    alone = not world.people.addresses.get(asking) and not world.people.resolvers[asking].networks
    if asking not in world.lab.hosts and alone:
        because = "{source} has no interface but loopback: no resolver can be asked"
        return Expectation(False, "none", because, "no route")
    rule, because = _unknown(world, asking, shares=found.shares, named=named)
    return Expectation(False, rule, because, _said_of_an_unknown_name(world, asking))


def _unknown(world: World, asking: str, *, shares: bool, named: bool) -> tuple[RuleId, str]:
    """Return the rule by which a name is not known to a namespace, and why."""
    if asking in world.lab.hosts:
        return "dns-host-mode", f"{{source}} uses the resolver of the host {asking}, which knows no container names"
    if not world.people.resolvers[asking].networks:
        because = "{source} is on docker0 alone, where Docker's DNS is off: names need a user-defined network"
        return "dns-default-bridge", because
    if not named:
        because = "{to} joined another container's network namespace: Docker's DNS knows its owner's name alone"
        return "dns-joined", because
    if shares:
        because = "{to} has the name {address} on another network: a name is known on its own network alone"
        return "dns-no-shared-network", because
    return "dns-no-shared-network", "{source} and {to} share no network within reach of one Docker DNS server"


def _said_of_an_unknown_name(world: World, asking: str) -> Symptom | None:
    """Return the symptom of a name that is passed on to the servers beyond: an answer, or silence."""
    resolver = world.people.resolvers[asking]
    if not resolver.servers:
        return None
    asker = world.lab.host_of(asking) if resolver.networks and resolver.through_host else asking
    outcome = ask_server(world, asker, resolver.servers[0])
    if outcome is None or outcome.reachable is None or (outcome.end == "refused" and _unheard(world, outcome)):
        return None  # of a host's or a container's own it is not looked at whether a name server is there
    if outcome.reachable:
        return NO_SUCH_NAME
    if resolver.networks:  # Docker's DNS answers for servers that it does not reach
        return "timeout"
    if outcome.at != world.homes.get(asker) and outcome.end in ("no route", "rejected"):
        return None  # who is asked for many names does not say each time that there is no way (`icmp_ratelimit`)
    return _said_of_nobody(outcome)


def _said_of_nobody(outcome: Outcome) -> Symptom | None:
    """Return the symptom of a question that gets to no server, or is answered in vain: of that nobody is told."""
    if outcome.symptom == BLOCKED:  # where that is told as well, it shows to what is asked next
        return None if outcome.end == "rejected" else BLOCKED
    told = outcome.end == "refused" or (outcome.answered and outcome.end in ("rejected", "no route"))
    return (outcome.symptom if told else None) or "timeout"


def _unheard(world: World, outcome: Outcome) -> bool:
    """Tell whether it is not known who takes datagrams where a question came to."""
    return not any(each.protocol == "udp" for each in world.fabric.spaces[outcome.at].namespace.listeners)


def own_server(world: World, asking: str, *, detail: bool = False) -> Outcome | None:
    """Return what becomes of a question to the engine's server in one's own namespace, or None where it has none.

    With `detail` every rule that is met is a step.
    """
    home = world.homes.get(asking)
    if home is None or asking in world.lab.hosts or not world.people.resolvers[asking].networks:
        return None
    return exchange(world.fabric, home, Flow(OWN_SERVER, "udp", DNS), detail=detail)


def ask_server(world: World, asker: str, server: object) -> Outcome | None:
    """Return what becomes of a question to a name server, or None where the asker's namespace is not known."""
    home = world.homes.get(asker)
    address = ip_address(str(server))
    return None if home is None else exchange(world.fabric, home, Flow(address, "udp", DNS))
