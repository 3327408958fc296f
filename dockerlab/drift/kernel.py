"""What is beneath the engine's word: hosts' kernels as they are, held against how they were imagined. Pure.

An engine tells what it once made. Whoever changes the rules, routes and links that it stands on does it behind the
engine's back, and only the kernels themselves show it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from dockerlab.drift import links, others, routes, rules, sets, sight
from dockerlab.drift.difference import Difference
from dockerlab.drift.edits import edited
from dockerlab.drift.sides import Pair, Sided, hidden, paired
from dockerlab.kernel.model import Machine

__all__ = ["Difference", "Sided", "differences", "mended"]


def differences(imagined: Sided, surveyed: Sided) -> tuple[Difference, ...]:
    """Return every object of the hosts' kernels that is not as imagined, host by host, namespace by namespace.

    A namespace that is on one side alone is not told of: then a container is missing or does not run, which is for
    `drift.objects` to say.
    """
    pairs = paired(imagined, surveyed)
    grounds = {pair.at.host: pair for pair in pairs if pair.of_host}
    holders = {
        str(address.ip): pair.who
        for pair in pairs
        if not pair.of_host
        for link in pair.wanted.links
        for address in link.addresses
    }
    found: list[Difference] = []
    for pair in pairs:
        host, proxied = pair.at.host, frozenset[Hashable]()
        if pair.of_host:
            told, proxied = others.proxies(pair, imagined.machines[host], surveyed.machines[host], holders)
            found += told
        rooms = [other for other in pairs if other.at.host == host and not other.of_host]
        found += _within(pair, grounds.get(host), rooms, proxied)
    found += [each for pair in hidden(imagined, surveyed) for each in sight.lost(pair)]
    return tuple(found)


def _within(
    pair: Pair, ground: Pair | None, rooms: Sequence[Pair], proxied: frozenset[Hashable]
) -> Iterator[Difference]:
    yield from rules.rules(pair)
    yield from sets.sets(pair)
    yield from others.settings(pair)
    yield from links.links(pair, ground, rooms)
    yield from routes.selectors(pair)
    yield from routes.routes(pair)
    yield from others.neighbours(pair)
    yield from others.sockets(pair, proxied)


def mended(machines: Mapping[str, Machine], found: Iterable[Difference]) -> dict[str, Machine]:
    """Return the surveyed kernels without some of the differences that they have, all undone at once."""
    return edited(machines, (edit for difference in found for edit in difference.edits))
