"""From the output of `ipset save` to named sets; pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockerlab.kernel.rules import NamedSet

TYPES = {"ip": "ip", "net": "ip", "port": "port", "iface": "iface", "mac": "mac", "mark": "mark", "set": "set"}
"""What ipset calls the parts of a member, in the words of `NamedSet`; `set` is a member of `list:set`."""


@dataclass
class _Set:
    types: tuple[str, ...]
    family: str
    whole: bool
    members: set[tuple[str, ...]] = field(default_factory=set)


def read(text: str) -> tuple[NamedSet, ...]:
    """Return the sets that `ipset save` printed; the text of a port is `tcp:80`, or `80` where the set has no protocol.

    A set with `timeout`, or with members that are exceptions (`nomatch`), is not whole: who is in it cannot be told
    from its members alone. Raises ValueError for what is no such output.
    """
    sets: dict[str, _Set] = {}
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "create" and len(words) > 2:
            sets[words[1]] = _created(words)
        elif words[0] == "add" and len(words) > 2 and words[1] in sets:
            _add(sets[words[1]], words[2], words[3:])
        elif words[0] == "add":
            continue  # a set that came between
        else:
            raise ValueError(f"no output of ipset save: {line[:200]}")
    return tuple(
        NamedSet(made.family, "", name, made.types, frozenset(made.members), made.whole) for name, made in sets.items()
    )


def _created(words: list[str]) -> _Set:
    kinds = words[2].partition(":")[2].split(",")
    options = words[3:]
    family = "inet6" if "inet6" in options else "inet"
    known = all(kind in TYPES for kind in kinds) and "timeout" not in options
    types = tuple(TYPES.get(kind, kind) for kind in kinds)
    return _Set(types, {"inet": "ip", "inet6": "ip6"}[family], known)


def _add(made: _Set, member: str, options: list[str]) -> None:
    parts = tuple(part.removeprefix("physdev:") for part in member.split(","))
    said = options[: options.index("comment")] if "comment" in options else options
    if len(parts) != len(made.types) or "nomatch" in said or "physdev:" in member:
        made.whole = False
    made.members.add(parts)
