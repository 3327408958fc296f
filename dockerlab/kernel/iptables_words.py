"""Words of one rule as iptables has them: read as conditions and a target, and spelled again; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_network

from dockerlab.kernel.rules import Action, Match, Rule

ALIASES = {
    "--source": "-s",
    "--src": "-s",
    "--destination": "-d",
    "--dst": "-d",
    "--in-interface": "-i",
    "--out-interface": "-o",
    "--protocol": "-p",
    "--proto": "-p",
    "--fragment": "-f",
    "--match": "-m",
    "--jump": "-j",
    "--goto": "-g",
    "--destination-port": "--dport",
    "--source-port": "--sport",
    "--destination-ports": "--dports",
    "--source-ports": "--sports",
    "--ipv4": "-4",
    "--ipv6": "-6",
}
PLAIN = frozenset({"-s", "-d", "-i", "-o", "-p", "-f", "-4", "-6"})
"""What every rule may say, whatever extensions it uses."""
ONE_VALUE = frozenset(
    {"-m", "-j", "-g", "-s", "-d", "-i", "-o", "-p", "--comment", "--log-prefix", "--nflog-prefix", "--name"}
    | {"--string", "--hex-string", "--physdev-in", "--physdev-out", "--path", "--helper", "--timeout", "--label"}
)
"""Options whose next word is their value whatever it looks like: an interface may be called `-x`."""
PROTOCOLS = {"ipv6-icmp": "icmp6", "icmpv6": "icmp6"}
"""The modules of protocols that are called otherwise than the protocol."""
SAYS_NOTHING = frozenset({"tcp", "udp", "icmp", "icmp6", "sctp", "dccp", "udplite", "comment"})
"""Modules that ask for nothing by themselves; any other that stands alone is a condition (`-m socket`)."""
UNKNOWN = "unknown"

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_OPTION = re.compile(r"--?[A-Za-z46]")
_NEEDS_QUOTES = re.compile(r"[\s\"'\\]|^$|^-|^!$")

Word = tuple[str, bool]
"""A word, and whether it stood in quotes."""


def rule(family: str, table: str, line: str, number: int = 1) -> Rule:
    """Return the rule that a line `-A CHAIN …` says; one that is not understood has a condition that nobody knows."""
    words = list(_words(line))
    chain = words[1][0] if len(words) > 1 else ""
    matches, actions = _meaning(words[2:], line)
    return Rule(family, table, chain, number, line, matches, actions)


def spelled(each: Rule) -> str:
    """Return a rule as `iptables-save` would print it, by its conditions and its action."""
    words, module = ["-A", each.chain], ""
    for match in each.matches:
        if match.module not in ("", module) and match.module != UNKNOWN and match.option != "-m":
            words += ["-m", match.module]
        module = match.module or module
        words += _option(match)
    for action in each.actions:
        words += ["-g" if action.goto else "-j", action.target]
        words += [word for option in action.options for word in _option(option)]
    return " ".join(words)


def quoted(word: str) -> str:
    """Return a word in quotes where `iptables-restore` would take it for something else without."""
    return '"' + re.sub(r"([\"'\\])", r"\\\1", word) + '"' if _NEEDS_QUOTES.search(word) else word


def place(value: str) -> str:
    """Return an address or network as `iptables-save` prints it, always with its prefix; other texts as they are."""
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        return value


def _words(line: str) -> Iterator[Word]:
    """Yield the words of a line as `iptables-restore` splits it: only double quotes quote."""
    if '"' not in line:
        yield from ((word, False) for word in line.split())
        return
    for found in _WORD.finditer(line):
        yield (re.sub(r"\\(.)", r"\1", found[1]), True) if found[1] is not None else (found[2], False)


def _meaning(words: Sequence[Word], line: str) -> tuple[tuple[Match, ...], tuple[Action, ...]]:
    """Return a rule's conditions and what it does: what comes after its target are the target's own options."""
    matches, options = list[Match](), list[Match]()
    target, goto, module, modules = "", False, "", list[str]()
    for match in _options(words):
        values = match.values
        if target:
            options.append(match)
        elif not match.option or (match.option in ("-j", "-g", "-m") and len(values) != 1):
            matches.append(Match("", values or (line,), module=UNKNOWN))
        elif match.option in ("-j", "-g"):
            target, goto = values[0], match.option == "-g"
        elif match.option == "-m":
            module = values[0]
            modules.append(module)
        elif match.option in PLAIN:
            matches += _plain(match)
            if match.option == "-p" and not match.negated and values:
                module = PROTOCOLS.get(values[0], values[0])
        elif match.option != "-c":  # counters, as `iptables -S -v` prints them
            matches.append(replace(match, module=module))
    said = {match.module for match in matches} | SAYS_NOTHING
    matches += [Match("-m", (each,), module=each) for each in modules if each not in said]
    return tuple(matches), (Action(target, tuple(options), goto),) if target else ()


def _plain(match: Match) -> Iterable[Match]:
    """Return a condition that every rule may have in the form that `iptables-save` gives it, none where it is idle."""
    if match.option in ("-s", "-d"):
        match = replace(match, values=tuple(place(value) for value in match.values))
        return () if set(match.values) <= {"0.0.0.0/0", "::/0"} and not match.negated and match.values else (match,)
    return (match,)


def _options(words: Sequence[Word]) -> Iterator[Match]:
    """Yield the options of a rule, each with its values: all the words up to the next option.

    Values without an option stand under none.
    """
    option, values, negated, negate_next = "", list[str](), False, False
    for word, in_quotes in words:
        wanted = option in ONE_VALUE and not values
        if word == "!" and not in_quotes:
            negated, negate_next = (True, False) if wanted else (negated, True)
        elif not in_quotes and not wanted and _OPTION.match(word):
            if option or values:
                yield Match(option, tuple(values), negated)
            option, values, negated, negate_next = ALIASES.get(word, word), [], negate_next, False
        else:
            # `--dport ! 80`: as it was written up to iptables 1.4.3
            negated, negate_next = negated or negate_next, False
            values.append(word)
    if option or values:
        yield Match(option, tuple(values), negated)


def _option(match: Match) -> Iterator[str]:
    if match.module == UNKNOWN and not match.option:
        yield from match.values
        return
    if match.negated:
        yield "!"
    yield match.option
    yield from (quoted(value) for value in match.values)
