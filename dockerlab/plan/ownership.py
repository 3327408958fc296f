"""Whose an object is, by its labels alone."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.identity import Identity
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER


def belongs(labels: Mapping[str, str], identity: Identity) -> bool:
    """Tell whether an object is this lab's, this instance's and this owner's."""
    return (
        labels.get(LABEL_LAB) == identity.lab
        and labels.get(LABEL_INSTANCE) == identity.instance
        and labels.get(LABEL_OWNER) == identity.owner
    )


def describe(labels: Mapping[str, str]) -> str:
    """Return who made an object, for a message."""
    if LABEL_LAB not in labels:
        return "was not made by dockerlab"
    return f"is of lab {labels[LABEL_LAB]}, made by {labels.get(LABEL_OWNER, 'somebody unknown')}"
