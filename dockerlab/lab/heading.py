"""The name and the hosts of a definition, read without the rest: what lists a lab or takes it away needs no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockerlab.errors import UsageError
from dockerlab.hosts.address import LOCAL, parse_address
from dockerlab.lab.document import parse
from dockerlab.lab.values import LAB_NAME, LONGEST_LAB_NAME, LONGEST_NAME, NAME


@dataclass(frozen=True)
class Heading:
    """A lab's name, and where its hosts are by their names; None where the name is the alias."""

    name: str
    addresses: Mapping[str, str | None]


def heading(text: str, file: str) -> Heading | None:
    """Return what stands in a definition in plain words; None where that is worked out, or wrong.

    What is wrong elsewhere in it is not looked for: who wants to know reads all of it. Raises DefinitionError for what
    is no YAML.
    """
    document = parse(text, file)
    name, hosts = document.data.get("name"), document.data.get("hosts")
    if hosts is None:
        hosts = {"local": LOCAL}
    if document.mistakes or not isinstance(name, str) or not isinstance(hosts, dict):
        return None
    addresses = {host: said.get("address") if isinstance(said, dict) else said for host, said in hosts.items()}
    plain = all(_fits(host, NAME, LONGEST_NAME) and _leads(address) for host, address in addresses.items())
    plain = plain and _fits(name, LAB_NAME, LONGEST_LAB_NAME)
    return Heading(name, addresses) if addresses and plain else None


def _fits(name: str, pattern: str, longest: int) -> bool:
    return len(name) <= longest and re.fullmatch(pattern, name) is not None


def _leads(address: Any) -> bool:
    """Tell whether an address is one as it stands."""
    if address is None or address == LOCAL:
        return True
    try:
        return isinstance(address, str) and "{" not in address and parse_address(address) is not None
    except UsageError:
        return False
