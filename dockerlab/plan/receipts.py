"""What a lab notes on a host of its changes there that are neither containers nor networks: empty volumes."""

from __future__ import annotations

from dockerlab import render
from dockerlab.identity import Identity
from dockerlab.modes.base import LABELS
from dockerlab.plan.built import Built
from dockerlab.snapshot import LABEL_RECEIPT

RECEIPT = (
    """
# Note on the host that this lab changed its {{ what }}, so that `down` can undo it without any file
docker volume create
"""
    + LABELS
    + """\
  {{ name }}
"""
)

REMOVE_RECEIPT = """
# The note is no longer needed
docker volume rm {{ name }}
"""


def receipt(host: str, what: str, identity: Identity) -> Built:
    """Return the empty volume that notes a change of the host which is neither a container nor a network."""
    name = receipt_name(what)
    labels = identity.labels("-") | {LABEL_RECEIPT: what}
    create = render.command(RECEIPT, host, name=name, what=what, labels=labels, own_labels={})
    return Built((create,), (render.command(REMOVE_RECEIPT, host, name=name),), "-")


def receipt_name(what: str) -> str:
    """Return the name of the receipt for one kind of change; a host has at most one of each."""
    return f"dockerlab-{what}"
