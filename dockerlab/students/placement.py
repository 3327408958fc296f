"""Which instance is on which of the given hosts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dockerlab.errors import UsageError


def groups(wanted: Sequence[str], given: Sequence[str]) -> list[dict[str, str]]:
    """Return the ways in which a lab's hosts can be had side by side among those given: by its name, the real host.

    The first way goes by names where they are the same. Raises UsageError when there are too few hosts.
    """
    if len(given) < len(wanted):
        raise UsageError(f"the lab wants {len(wanted)} hosts, and there are {', '.join(given) or 'none'}")
    free = [host for host in given if host not in wanted]
    first = {host: host if host in given else free.pop(0) for host in wanted}
    rest = [host for host in given if host not in first.values()]
    size = len(wanted)
    further = [rest[at : at + size] for at in range(0, len(rest) - size + 1, size)]
    return [first, *(dict(zip(wanted, each, strict=True)) for each in further)]


def deal(number: int, among: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return the hosts of the instance of that number: one after the other, from the first group on."""
    return among[(number - 1) % len(among)]
