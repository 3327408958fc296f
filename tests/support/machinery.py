"""Looks at real hosts, recorded on two engines: a lab of every mode, then a network, a container, and it removed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockerlab.kernel.model import Namespace
from dockerlab.machinery.model import Machinery
from dockerlab.machinery.parse import machinery

RECORDED = Path(__file__).parents[1] / "machinery"
ENGINES = ("20.10", "28.5")


def raw(engine: str, name: str = "mixed") -> Any:
    """Return what the program printed."""
    return json.loads(gzip.decompress((RECORDED / engine / f"{name}.json.gz").read_bytes()))


def seen(engine: str, name: str = "mixed", /, **other: Any) -> Machinery:
    """Return what was seen, or what would have been if the program had printed something else under these keys."""
    return machinery("vm0", {**raw(engine, name), **other})


def with_rules(engine: str, **answers: Mapping[str, Any]) -> list[Any]:
    """Return what the program said of namespaces, with other answers about the host's rules (`ip`, `ip6`)."""
    spaces: list[Any] = raw(engine)["namespaces"]
    for space in spaces:
        if space["host"]:
            space["rules"] |= answers
    return spaces


def with_ground(machine: Machinery, **other: Any) -> Machinery:
    """Return what was seen, with something else in the host's own namespace."""
    spaces = tuple(replace(s, **other) if s.host else s for s in machine.kernel.namespaces)
    return with_spaces(machine, *spaces)


def with_spaces(machine: Machinery, *spaces: Namespace) -> Machinery:
    """Return what was seen, with other namespaces."""
    return replace(machine, kernel=replace(machine.kernel, namespaces=spaces))


def failed(argv: list[str], reason: str, rc: int = 1) -> Mapping[str, Any]:
    """Return what the program says of a command that failed."""
    return {"argv": argv, "rc": rc, "out": "", "err": reason}


def answered(out: str = "") -> Mapping[str, Any]:
    """Return what the program says of a command that printed that."""
    return {"argv": [], "rc": 0, "out": out, "err": ""}


def program_said(
    spaces: Mapping[int, Mapping[str, Any]],
    ground: Mapping[str, Any] | None = None,
    rules: Mapping[str, Any] | None = None,
    **other: Any,
) -> dict[str, Any]:
    """Return what the program prints of a host: by process what `ip` says there, and what it says of the host.

    `rules` are the answers about the host's rules, `resolver` what each process has in its resolv.conf.
    """

    def namespace(number: int, pids: list[int], said: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        told = {what: answered(json.dumps(entries)) for what, entries in said.items()}
        names = {"id": number, "host": not pids, "paths": [], "pids": pids}
        return names | {"said": told, "sockets": [], "deaf": ""} | more

    empty = {"known": True, "old": [], "ip": answered(), "ip6": answered()}
    own = namespace(1, [], ground or {}, rules=rules or empty)
    others = [namespace(pid + 1, [pid], said) for pid, said in spaces.items()]
    return {
        "uid": 0,
        "kernel": "6.18",
        "namespaces": [own, *others],
        "unread": {},
        "proxies": [],
        "owners": [],
        "unseen": 0,
        "resolvers": {str(pid): {"text": other.get("resolver", "")} for pid in spaces},
    }
