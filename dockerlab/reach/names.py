"""Names: what the resolver of a container knows, and what it says of a name that it does not know."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from dockerlab.reach.fate import TOLD_NO_ROUTE, Arrival, Fate, Loss, unseen
from dockerlab.reach.walk import exchange
from dockerlab.reach.world import Sandbox, World

NO_SUCH_NAME = "no such name"


class Known(NamedTuple):
    """What a sandbox's Docker DNS knows of a name that a container may have.

    `own` are the addresses of all who have the name where that container has it too, `others` those where it has not.
    `shares` tells whether they are on one network at all, where its name may be another one.
    """

    own: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    shares: bool = False

    @property
    def kind(self) -> tuple[bool, bool, bool]:
        """Return what two have in common whose names are looked up alike."""
        return (bool(self.own), bool(self.others), self.shares)


def known(world: World, asking: Sandbox, asked: Sandbox, name: str) -> Known:
    """Return what Docker's DNS, asked by one sandbox, knows of a name that another may have."""
    there = world.known_on.get(asked.name, ())
    own: dict[str, None] = {}
    others: dict[str, None] = {}
    shares = False
    for place in world.known_on.get(asking.name, ()):
        found, both = world.named.get((place, name), ()), place in there
        shares = shares or both
        if found:
            theirs = both and any(asked.holds(ip_address(address)) for address in found)
            (own if theirs else others).update(dict.fromkeys(found))
    return Known(tuple(own), tuple(others), shares)


def look_up(world: World, asking: Sandbox, asked: Sandbox, found: Known, *, named: bool = True) -> Fate:
    """Return what becomes of a question for a container's name, or one of its aliases, of which `found` is known.

    `named` is False for a container that joined another's sandbox: only the owner's names are known.
    """
    if found.own and found.others:
        what = "others have the name {address} on another network of {source}, and which is asked first is not known"
        return unseen("dns-shared-network", what)
    if found.own:
        because = "Docker's DNS at 127.0.0.11 knows the names on the networks of {source}, and {to} is on one of them"
        return Arrival(asked.name, asked, "dns-shared-network", because)
    if found.others:
        because = "on the networks of {source}, {address} is the name of others, not of {to}"
        return Loss("dns-no-shared-network", because, "wrong answerer")
    if not asking.interfaces:
        return Loss("none", "{source} has no interface but loopback: no resolver can be asked", "no route")
    rule, because = _unknown(asking, shares=found.shares, named=named)
    return Loss(rule, because, _said_of_an_unknown_name(world, asking))


def _unknown(asking: Sandbox, *, shares: bool, named: bool) -> tuple[str, str]:
    """Return the rule by which a name is not known to a sandbox, and why."""
    if asking.is_host:
        because = f"{{source}} uses the resolver of the host {asking.name}, which knows no container names"
        return "dns-host-mode", because
    if not asking.resolves:
        because = "{source} is on docker0 alone, where Docker's DNS is off: names need a user-defined network"
        return "dns-default-bridge", because
    if not named:
        because = "{to} joined another container's network namespace: Docker's DNS knows its owner's name alone"
        return "dns-joined", because
    if shares:
        because = "{to} has the name {address} on another network: a name is known on its own network alone"
        return "dns-no-shared-network", because
    return "dns-no-shared-network", "{source} and {to} share no network within reach of one Docker DNS server"


def _said_of_an_unknown_name(world: World, box: Sandbox) -> str | None:
    """Return the symptom of a name that is passed on to the servers beyond: an answer, or silence."""
    if not box.asks:
        return None
    asker = world.sandboxes[box.host] if box.resolves and box.asks_through_host else box
    fate = exchange(world, asker, box.asks[0])
    if isinstance(fate, Arrival):
        return NO_SUCH_NAME
    if not fate.certain:
        return None
    # Docker's DNS answers for servers that it does not reach; without it, the question itself goes nowhere.
    return "no route" if not box.resolves and fate.symptom in ("no route", TOLD_NO_ROUTE) else "timeout"
