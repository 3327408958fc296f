"""Which interfaces and which places a rule names; pure."""

from __future__ import annotations

import re

from dockerlab.kernel.iptables import place
from dockerlab.kernel.rules import Rule

INTERFACES = ("-i", "-o")
PLACES = ("-s", "-d")
NOWHERE = frozenset({"0.0.0.0/0", "127.0.0.0/8", "::1/128"})
"""Everywhere and the host's own loopback are no particular place."""


def interfaces(rule: Rule) -> set[str]:
    """Return the interfaces that a rule names, whether it wants or excludes them."""
    return {value for match in rule.matches if match.option in INTERFACES for value in match.values}


def places(rule: Rule) -> set[str]:
    """Return the addresses and subnets that a rule names, each with its prefix, also where it translates to."""
    found = {value for match in rule.matches if match.option in PLACES for value in match.values}
    found |= {_host(value) for match in rule.options if match.option == "--to-destination" for value in match.values}
    return {place(each) for each in found} - NOWHERE


def _host(target: str) -> str:
    """Return the address of `172.17.0.2:80` or `[fd00::2]:80`."""
    inside = re.match(r"\[(.+)\]", target)
    return inside[1] if inside else target.partition(":")[0] if target.count(":") == 1 else target
