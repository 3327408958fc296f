"""How what `docker inspect` prints of a container is read, in the words in which it was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dockerlab.lab.giving_way import line_of

Shown = Mapping[str, Any]
"""What `docker inspect` prints of one container: `Config`, `HostConfig` and `Mounts` count here."""
Read = Callable[[Shown], Iterable[object]]
"""From that to the values of one thing."""


def config(key: str) -> Read:
    """Return how a value of `Config` is read; what is empty is not there."""
    return lambda there: listed(there.get("Config", {}).get(key))


def host(key: str, *but: object) -> Read:
    """Return how a value of `HostConfig` is read; what is empty, or one of `but`, is not there."""
    return lambda there: [each for each in listed(there.get("HostConfig", {}).get(key)) if each not in but]


def listed(value: Any) -> list[object]:
    """Return a value as a list; what is empty is none, and a mapping is its pairs."""
    if isinstance(value, dict):
        return [f"{name}={text}" for name, text in value.items()]
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value] if value else []


def check(key: str) -> Read:
    """Return how one value of the healthcheck is read."""
    return lambda there: listed((there.get("Config", {}).get("Healthcheck") or {}).get(key))


def check_line(there: Shown) -> Iterable[object]:
    """Return the line by which a container is looked after; Compose gives the engine words where a file has them."""
    test = (there.get("Config", {}).get("Healthcheck") or {}).get("Test") or []
    if test[:1] == ["CMD"]:
        return (line_of(test[1:]),)
    return test[1:] if test[:1] == ["CMD-SHELL"] else ()


def check_off(there: Shown) -> Iterable[object]:
    """Tell, once or not at all, that the image's healthcheck is taken away."""
    test = (there.get("Config", {}).get("Healthcheck") or {}).get("Test") or []
    return (True,) if test == ["NONE"] else ()


def restart(there: Shown) -> Iterable[object]:
    """Return the restart policy as it was given."""
    policy = there.get("HostConfig", {}).get("RestartPolicy") or {}
    name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return () if name == "no" else (f"{name}:{most}" if most else name,)


def devices(there: Shown) -> Iterable[object]:
    """Return the devices, each with all three parts."""
    found = there.get("HostConfig", {}).get("Devices") or ()
    return [":".join((d["PathOnHost"], d["PathInContainer"], d["CgroupPermissions"])) for d in found]


def ulimits(there: Shown) -> Iterable[object]:
    """Return the limits of the processes."""
    found = there.get("HostConfig", {}).get("Ulimits") or ()
    return [f"{each['Name']}={each['Soft']}:{each['Hard']}" for each in found]


def mounted(there: Shown) -> Iterable[object]:
    """Return the mounts with a source, and those in memory: kind, target, source, and whether it can be written to.

    A volume without a name of its own has one of 64 digits: it is not told from one that the image has asked for.
    """
    found = []
    for each in there.get("Mounts") or ():
        source = each.get("Source") if each["Type"] == "bind" else each.get("Name") or ""
        if each["Type"] != "volume" or not re.fullmatch("[0-9a-f]{64}", source):
            found.append(f"{each['Type']} {each['Destination']} {source} {each['RW']}")
    return found
