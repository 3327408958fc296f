"""Lines of a packet filter in a definition: strangers' text, read as words, none of it code or an option too many.

A line of iptables is what one types behind `iptables`: `[-t TABLE] -A|-I CHAIN … -j TARGET`, `-P CHAIN ACCEPT|DROP`,
`-N CHAIN`. A rule of nft is what stands between the braces of its chain.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dockerlab.lab.problem import meant, shown

TABLES: Mapping[str, tuple[str, ...]] = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
"""The tables of iptables, and the chains that the kernel gives each of them."""

WRITE = "write it as in -A INPUT -p tcp --dport 9000 -j DROP"
LONGEST = 400
CHAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,27}")
SHORT = frozenset({"-p", "-s", "-d", "-i", "-o", "-j", "-g", "-m", "-f", "-4", "-6"})
NAMING = ("-m", "--match", "-j", "--jump", "-g", "--goto", "-p", "--protocol", "--proto")
"""Options whose value is a name; iptables looks for a file of that name."""
NAME = re.compile(r"[A-Za-z0-9_.+-]+")
OF_THE_PROGRAM = (
    *("append", "delete", "insert", "replace", "check", "list", "list-rules", "flush", "zero", "new-chain"),
    *("delete-chain", "policy", "rename-chain", "table", "modprobe", "set-counters", "wait", "wait-interval"),
    *("verbose", "line-numbers", "exact", "numeric", "help", "version"),
)
"""Long options that are for the program and not for the rule; `--modprobe` is a command that would be run as root."""
OF_MATCHES = frozenset({"--set"})
"""Options of extensions that are the beginning of one of these: what is written out in full is taken for itself."""

Verb = Literal["-A", "-I", "-P", "-N"]
VERBS: Mapping[str, Verb] = {
    "-A": "-A", "-I": "-I", "-P": "-P", "-N": "-N",
    "--append": "-A", "--insert": "-I", "--policy": "-P", "--new-chain": "-N",
}  # fmt: skip


@dataclass(frozen=True)
class FilterLine:
    """A line of iptables, read: `words` are the conditions and the target, or the policy of `-P`."""

    table: str
    verb: Verb
    chain: str
    place: int = 0
    words: tuple[str, ...] = ()

    @property
    def base(self) -> bool:
        """Tell whether the chain is one of the kernel's own."""
        return self.chain in TABLES[self.table]


def filter_line(text: str) -> FilterLine:
    """Return what a line of iptables says; raises ValueError, with what would be right, for what is none."""
    words = _split(text)
    table = "filter"
    if words[:1] in (["-t"], ["--table"]):
        table, words = (words[1] if len(words) > 1 else ""), words[2:]
    if table not in TABLES:
        raise ValueError(f"{shown(table)} is no table: {meant(table, TABLES)}")
    first = words[0] if words else ""
    verb = VERBS.get(first)
    if verb is None:
        raise ValueError(f"a line begins with -A, -I, -P or -N (after -t TABLE), and not with {shown(first)}: {WRITE}")
    chain = words[1] if len(words) > 1 else ""
    if not CHAIN.fullmatch(chain):
        raise ValueError(f"{shown(chain)} is no name of a chain: {WRITE}")
    rest = words[2:]
    place = 0
    if verb == "-I":
        place = 1
        if rest and rest[0].isdecimal():
            place, rest = int(rest[0]), rest[1:]
    line = FilterLine(table, verb, chain, place, tuple(rest))
    _whole(line)
    return line


def _split(text: str) -> list[str]:
    if not text.isprintable() or len(text) > LONGEST:
        raise ValueError(f"a line has no more than {LONGEST} characters, all of them printable: {shown(text)}")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{error} in {shown(text)}: close the quote") from None
    if words[:1] in (["iptables"], ["ip6tables"], ["nft"]):
        raise ValueError(f"leave {words[0]} out: a line is what is typed behind it")
    return words


def _whole(line: FilterLine) -> None:
    """Raise ValueError for what is no line of its kind."""
    if line.verb == "-P" and not line.base:
        raise ValueError(f"{line.chain} of {line.table} has no policy: one of {', '.join(TABLES[line.table])} has")
    if line.verb == "-P" and line.words not in (("ACCEPT",), ("DROP",)):
        raise ValueError(f"a policy is ACCEPT or DROP: write -P {line.chain} DROP")
    if line.verb == "-N" and (line.words or line.base):
        raise ValueError(f"-N makes a chain of a name of its own, and takes nothing else: {shown(line.chain)}")
    if line.verb in ("-A", "-I"):
        _rule(line)


def _rule(line: FilterLine) -> None:
    """Raise ValueError for what is no rule."""
    if not 0 <= line.place <= 10_000:
        raise ValueError(f"{line.place} is no place in a chain: count from 1")
    for option, value in _options(line.words):
        if option in NAMING and not NAME.fullmatch(value):
            raise ValueError(f"{shown(value)} is no name behind {option}")
        if option in ("-m", "--match") and value == "comment":
            raise ValueError("leave the comment out: by its own one the rule is known as the lab's")
    if not any(word in ("-j", "--jump", "-g", "--goto") for word in line.words):
        raise ValueError(f"the target is missing, such as -j DROP: {WRITE}")


def _options(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the options of a rule with the word behind each; raises ValueError for one that is the program's."""
    for number, word in enumerate(words):
        if not word.startswith("-") or word == "-":
            continue
        if not word.startswith("--"):
            if word not in SHORT:
                raise ValueError(f"{shown(word)} is no option of a rule: write each by itself, as in -p tcp -j DROP")
        elif word not in OF_MATCHES:
            own = word[2:].partition("=")[0]
            meaning = next((each for each in OF_THE_PROGRAM if each.startswith(own)), None)
            if meaning is not None:
                raise ValueError(f"{shown(word)} is for the program (--{meaning}) and not for a rule: leave it out")
        yield word, next(iter(words[number + 1 : number + 2]), "")


FORBIDDEN = re.compile(r"[;#$\\`\n\r\t]")
"""What would end a rule of nft, begin a comment, or name a variable of a file that is read."""

OF_CHAINS = frozenset({"include", "define", "redefine", "undefine", "type", "policy", "flags", "device", "devices"})
"""What may stand in a chain and is no rule: what reads another file, and what a chain says of itself (nft(8))."""


def nft_rule(text: str) -> str:
    """Return a rule of nft with single blanks; raises ValueError for what is not one rule alone."""
    if not text.isprintable() or len(text) > LONGEST:
        raise ValueError(f"a rule has no more than {LONGEST} characters, all of them printable: {shown(text)}")
    if found := FORBIDDEN.search(text):
        raise ValueError(f"{found[0]!r} has no place in a rule: write one rule, as in tcp dport 9000 drop")
    _closed(text)
    first = next(iter(text.split()), "")
    if first in OF_CHAINS:
        raise ValueError(f"{first} begins no rule: write one, as in tcp dport 9000 drop")
    if not text.strip():
        raise ValueError("a rule is missing: write one as in tcp dport 9000 drop")
    return " ".join(text.split())


def _closed(text: str) -> None:
    """Raise ValueError for a rule with a quote or a brace that is open, or one too many: it would end its chain."""
    depth = 0
    for part in re.split(r'("[^"]*")', text):
        if part.startswith('"') and part.endswith('"') and len(part) > 1:
            continue
        if '"' in part:
            raise ValueError(f"close the quote in {shown(text)}")
        for character in part:
            depth += (character == "{") - (character == "}")
            if depth < 0:
                raise ValueError(f"a brace too many in {shown(text)}")
    if depth:
        raise ValueError(f"close the brace in {shown(text)}")
