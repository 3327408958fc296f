"""From the output of `iptables-save` to rules and policies; pure."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from dockerlab.machinery.model import Firewall, Match, Policy, Rule

INTERFACES = ("-i", "-o")
PLACES = ("-s", "-d")


def read(text: str, family: int) -> Firewall:
    """Return what `iptables-save` (family 4) or `ip6tables-save` (6) printed; raises ValueError for what is no rule."""
    table, rules, policies = "", list[Rule](), list[Policy]()
    count: Counter[tuple[str, str]] = Counter()
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            chain, verdict, *_ = [*line[1:].split(), "", ""]
            policies.append(Policy(family, table, chain, verdict))
        elif line.startswith("-A "):
            words = shlex.split(line)
            if len(words) < 2:
                raise ValueError(f"a rule of no chain: {line}")
            chain = words[1]
            count[table, chain] += 1
            rules.append(_rule(family, table, count[table, chain], line, words))
    return Firewall(tuple(rules), tuple(policies), (family,))


def together(parts: Sequence[Firewall]) -> Firewall:
    """Return the rules of several families as one."""
    return Firewall(
        tuple(rule for part in parts for rule in part.rules),
        tuple(policy for part in parts for policy in part.policies),
        tuple(family for part in parts for family in part.families),
    )


def _rule(family: int, table: str, number: int, line: str, words: Sequence[str]) -> Rule:
    """Return a rule: what comes after its target are the target's own options."""
    matches, target, options = list[Match](), "", list[Match]()
    for match in _options(words[2:]):
        if match.option in ("-j", "-g") and not target:
            target = match.value
        elif target:
            options.append(match)
        elif match.option != "-m":  # it only says whose options follow
            matches.append(match)
    return Rule(family, table, words[1], number, line, tuple(matches), target, tuple(options))


def _options(words: Sequence[str]) -> Iterator[Match]:
    """Yield the options of a rule, each with its values: all the words up to the next option."""
    option, values, negated, negate_next = "", list[str](), False, False
    for word in words:
        if word == "!":
            negate_next = True
        elif re.match(r"--?[A-Za-z]", word):
            if option:
                yield Match(option, tuple(values), negated)
            option, values, negated, negate_next = word, [], negate_next, False
        else:
            values.append(word)
    if option:
        yield Match(option, tuple(values), negated)


def interfaces(rule: Rule) -> set[str]:
    """Return the interfaces that a rule names, whether it wants or excludes them."""
    return {value for match in rule.matches if match.option in INTERFACES for value in match.values}


def places(rule: Rule) -> set[str]:
    """Return the addresses and subnets that a rule names, each with its prefix, also where it translates to."""
    found = {value for match in rule.matches if match.option in PLACES for value in match.values}
    found |= {_host(value) for match in rule.options if match.option == "--to-destination" for value in match.values}
    # Everywhere and the host's own loopback are no particular place.
    return {place for place in (_whole(each) for each in found) if place not in ("0.0.0.0/0", "127.0.0.0/8", "::1/128")}


def _host(target: str) -> str:
    """Return the address of `172.17.0.2:80` or `[fd00::2]:80`."""
    inside = re.match(r"\[(.+)\]", target)
    return inside[1] if inside else target.partition(":")[0] if target.count(":") == 1 else target


def _whole(place: str) -> str:
    try:
        return str(ip_network(place, strict=False))
    except ValueError:
        return place  # a range, or something that we do not know
