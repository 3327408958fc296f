"""Names for a definition: what Docker allows and a definition does not, and what several hosts have by one name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from hashlib import sha256

Key = tuple[str, str]
"""A host and the ID of an object there."""

LONGEST = 63
ILLEGAL = re.compile(r"[^a-zA-Z0-9_.-]+")
RESERVED = {"bridge", "host", "none", "default"}
"""What `network_mode` takes for something else than a network."""


def legal(name: str) -> str:
    """Return the name that a definition can have for another one, which is the same where that is possible."""
    text = ILLEGAL.sub("-", name).strip("-") or "unnamed"
    text = text if text[0].isalnum() else f"x{text}"
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 7].rstrip('-.')}-{sha256(name.encode(errors='replace')).hexdigest()[:6]}"
    return text


def names_for(entries: Iterable[tuple[Key, str]], taken: Collection[str] = ()) -> dict[Key, str]:
    """Return a name of its own for each object of the hosts.

    What several have by one name bears its host's name behind it, and so does what is `taken` for something else; where
    that is not enough, a number.
    """
    told = list(entries)
    number = Counter(legal(name) for _, name in told)
    used = set(taken)
    found: dict[Key, str] = {}
    plain = [(key, name) for key, name in told if number[legal(name)] == 1 and legal(name) not in used]
    for key, name in plain:
        found[key] = legal(name)
        used.add(legal(name))
    for key, name in told:
        if key not in found:
            found[key] = _free(legal(f"{legal(name)}-{key[0]}"), used)
            used.add(found[key])
    return found


def _free(name: str, used: Collection[str]) -> str:
    candidate, number = name, 2
    while candidate in used:
        candidate = legal(f"{name[: LONGEST - 5]}-{number}")
        number += 1
    return candidate


def lab_name(text: str) -> str:
    """Return the name of a lab for a text: small letters, digits, `-` and `_`, at most 40."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:40].rstrip("-_") or "discovered"
