"""From what the programs on a host print of its rules to one ruleset, and what of it could not be read; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerlab.gate import parsed
from dockerlab.kernel import iptables
from dockerlab.kernel.rules import Backend, Chain, NamedSet, Ruleset

Json = Mapping[str, Any]

PROGRAMS = {"ip": "iptables-save", "ip6": "ip6tables-save"}
FAMILIES = {"ip": {"ip"}, "ip6": {"ip6"}, "arp": set[str]()}
"""Which packets a table of nft may concern; the others concern those of both versions of IP."""
FAILED: Json = {"rc": 1}
BOTH = frozenset({"ip", "ip6"})


def ok(said: Json) -> bool:
    """Tell whether a command did what it was asked."""
    return bool(said["rc"] == 0)


LEGACY_TOO = "tables-legacy tables present"
"""What iptables over nftables notes where the kernel has tables of the other one, be they empty."""


def reason(said: Json) -> str:
    """Return why a command failed, in one line."""
    words = " ".join((said["err"] or said["out"]).split()) or "it gave no reason"
    return f"`{' '.join(said['argv'][:3])}` failed (exit code {said['rc']}): {words[:300]}"


def ruleset(said: Json) -> Ruleset:
    """Return the rules of a namespace; a family of which a part could not be read is not among those that were.

    Raises AttributeError, LookupError or TypeError for what is none of the program's own.
    """
    reading = _Reading()
    for what, answer in said.items():
        if what not in ("known", "old", "sets") and not what.startswith("nft"):
            family = what.rpartition(" ")[2]
            reading.iptables(family, _without_note(answer, family, said), unless=_told_by_nft(what, said))
    for what, answer in said.items():
        if what.startswith("nft"):
            reading.nft(what.removeprefix("nft").strip(), answer)
    if "sets" in said:
        reading.ipset(said["sets"])
    return Ruleset(
        tuple(reading.chains), tuple(reading.sets), BOTH - reading.blind, tuple(dict.fromkeys(reading.unread))
    )


def _without_note(answer: Json, family: str, said: Json) -> Json:
    """Return what a program printed without its note that there are legacy tables, where these were read as well."""
    if not ok(said.get(f"legacy {family}", FAILED)):
        return answer
    lines = (line for line in answer["err"].splitlines() if LEGACY_TOO not in line)
    return {**answer, "err": "\n".join(lines)}


def _told_by_nft(what: str, said: Json) -> bool:
    """Tell whether iptables of a family may fail: nft shows its tables, and legacy ones were read if there are any."""
    old = what in said.get("old", ())
    return bool(said.get("known")) and what in PROGRAMS and (not old or ok(said.get(f"legacy {what}", FAILED)))


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        self.chains: list[Chain] = []
        self.sets: list[NamedSet] = []
        self.blind: set[str] = set()
        self.unread: list[str] = []

    def iptables(self, family: str, answer: Json, *, unless: bool) -> None:
        """Take in what iptables-save printed for a family."""
        name = PROGRAMS[family]
        if not ok(answer):
            # Where the kernel has no tables of it, a host without iptables misses nothing.
            if not (unless and answer["rc"] == 127):
                self.unread.append(f"the firewall's rules ({name}): {reason(answer)}")
            if not unless:
                self.blind.add(family)
            return
        if answer["err"]:
            self.unread.append(f"some of the firewall's rules: {' '.join(answer['err'].split())}")
        try:
            found = iptables.read(answer["out"], family, _backend(answer["out"]))
        except ValueError as error:
            self.blind.add(family)
            self.unread.append(f"the firewall's rules ({name}): {error}")
            return
        self.chains += found.chains
        self.unread += [each for each in found.unread if "only nft" not in each]

    def nft(self, table: str, answer: Json) -> None:
        """Take in what nft printed of a table, or of all of them where no table is named."""
        from dockerlab.kernel import nft  # noqa: PLC0415 - a host without such rules does without it

        own = [(each.family, each.table, each.name) for each in self.chains if each.backend != "iptables-legacy"]
        try:
            found = nft.read(parsed(_printed(answer)), own)
        except ValueError as error:
            if answer["rc"] == 127 and not table and self.blind >= BOTH:
                return  # nobody may read rules there, and that has been said
            self.blind |= FAMILIES.get(table.partition(" ")[0], BOTH)
            self.unread.append(f"the firewall's rules (nft{f', table {table}' if table else ''}): {error}")
            return
        self.chains += found.chains
        self.sets += found.sets
        self.unread += found.unread

    def ipset(self, answer: Json) -> None:
        """Take in what ipset printed."""
        from dockerlab.kernel import ipset  # noqa: PLC0415 - as above

        try:
            self.sets += ipset.read(_printed(answer))
        except ValueError as error:
            self.unread.append(f"the sets that rules name: {error}")


def _printed(answer: Json) -> str:
    """Return what a command printed; raises ValueError where it failed."""
    if not ok(answer):
        raise ValueError(reason(answer))
    return str(answer["out"])


def _backend(text: str) -> Backend:
    """Return which iptables printed that; old ones do not say so, for there was no other."""
    head = text[: text.find("\n*")] if "\n*" in text else ""
    return "iptables" if "(nf_tables)" in head or "Generated by" not in head else "iptables-legacy"
