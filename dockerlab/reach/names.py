"""Names: what the resolver of a container knows, and what it says of a name that it does not know."""

from __future__ import annotations

from dockerlab.reach.walk import TOLD_NO_ROUTE, Arrival, Fate, Loss, exchange
from dockerlab.reach.world import Sandbox, World

NO_SUCH_NAME = "no such name"


def look_up(world: World, asking: Sandbox, asked: Sandbox, answers: tuple[str, ...], *, named: bool = True) -> Fate:
    """Return what becomes of a question for a container's name; `answers` are its addresses on shared networks.

    `named` is False for a container that joined another's sandbox: only the owner's name is known.
    """
    if answers:
        because = "Docker's DNS at 127.0.0.11 knows the names on the networks of {source}, and {to} is on one of them"
        return Arrival(asked.name, asked, "dns-shared-network", because)
    if asking.is_host:
        because = f"{{source}} uses the resolver of the host {asking.name}, which knows no container names"
        return Loss("dns-host-mode", because, _said_of_an_unknown_name(world, asking))
    if not asking.interfaces:
        return Loss("none", "{source} has no interface but loopback: no resolver can be asked", "no route")
    if not asking.resolves:
        because = "{source} is on docker0 alone, where Docker's DNS is off: names need a user-defined network"
        return Loss("dns-default-bridge", because, _said_of_an_unknown_name(world, asking))
    if not named:
        because = "{to} joined another container's network namespace: Docker's DNS knows its owner's name alone"
        return Loss("dns-joined", because, _said_of_an_unknown_name(world, asking))
    because = "{source} and {to} share no network within reach of one Docker DNS server"
    return Loss("dns-no-shared-network", because, _said_of_an_unknown_name(world, asking))


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
