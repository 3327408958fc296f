"""A container's place on a network, in the words of `docker run` and of `docker network connect`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dockerlab.lab.container import Attachment
from dockerlab.lab.mounts import csv_line

IFNAME = "com.docker.network.endpoint.ifname"
"""The option of a place by which its interface gets its name (moby, daemon/libnetwork/netlabel/labels.go)."""
ENDPOINT_SYSCTLS = "com.docker.network.endpoint.sysctls"


@dataclass(frozen=True)
class PlaceWord:
    """One thing that can be said of a place.

    `run` is its flag for the first network, empty where only the long form `--network name=…` can say it. `field` is
    its name there, and `connect` its flag of `docker network connect`, empty where that has none.
    """

    key: str
    run: str
    connect: str
    field: str
    why: str
    given: Callable[[Attachment], Iterable[object]]
    since: str = ""


def _one(key: str) -> Callable[[Attachment], Iterable[object]]:
    return lambda place: [] if getattr(place, key) is None else [getattr(place, key)]


FIXED = "fixed, so that the definition can speak of it"
PLACE_WORDS: tuple[PlaceWord, ...] = (
    PlaceWord("ip", "--ip", "--ip", "ip", FIXED, _one("ip")),
    PlaceWord("ip6", "--ip6", "--ip6", "ip6", FIXED, _one("ip6")),
    PlaceWord(
        "aliases", "--network-alias", "--alias", "alias", "one more name on this network", lambda place: place.aliases
    ),
    PlaceWord(
        "link_local_ips", "--link-local-ip", "--link-local-ip", "link-local-ip", "one more address, on the link alone",
        lambda place: place.link_local_ips,
    ),
    PlaceWord("mac_address", "--mac-address", "", "mac-address", "its MAC address there", _one("mac_address")),
    PlaceWord(
        "gw_priority", "", "--gw-priority", "gw-priority", "the network with the largest gives the default route",
        _one("gw_priority"), "gw_priority",
    ),
    PlaceWord(
        "interface_name", "", "--driver-opt", "driver-opt", "what its interface is called",
        lambda place: [] if place.interface_name is None else [f"{IFNAME}={place.interface_name}"], "interface_name",
    ),
    PlaceWord(
        "driver_opts", "", "--driver-opt", "driver-opt", "an option of the driver for this place",
        lambda place: [f"{name}={value}" for name, value in place.driver_opts.items()],
    ),
)  # fmt: skip


def on_run(network: str, place: Attachment) -> str:
    """Return the value of `--network` for a container's first network; what has a flag of its own is not in it."""
    fields = [f"{word.field}={value}" for word in PLACE_WORDS if not word.run for value in word.given(place)]
    return csv_line([f"name={network}", *fields]) if fields else network


def at_once(network: str, place: Attachment) -> str:
    """Return the value of `--network` for a further network, with all that is said of the place."""
    return csv_line([f"name={network}", *(f"{w.field}={v}" for w in PLACE_WORDS for v in w.given(place))])


def flags(place: Attachment, command: str) -> Iterator[tuple[str, object, str]]:
    """Yield flag, value and reason of what is said of a place by flags of their own; `command` is run or connect.

    The MAC address of `docker run` is the container's own word.
    """
    for word in PLACE_WORDS:
        flag = word.run if command == "run" else word.connect
        if flag and (command, word.key) != ("run", "mac_address"):
            yield from ((flag, value, word.why) for value in word.given(place))
