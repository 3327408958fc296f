"""Short names for nodes: a format's identifiers must not be made of a definition's words."""

from __future__ import annotations


class Names(dict[str, str]):
    """`n0`, `n1`, … by a node's identity, in the order in which they are first asked for."""

    def __missing__(self, key: str) -> str:
        self[key] = f"n{len(self)}"
        return self[key]
