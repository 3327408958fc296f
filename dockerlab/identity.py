"""Whose lab it is: what the labels on every object of a lab say."""

from __future__ import annotations

import getpass
import os
import secrets
from dataclasses import dataclass

from dockerlab.snapshot import LABEL_FINGERPRINT, LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, LABEL_RUN

CLASS = "class"
"""The instance of what all students of a class share; its lock is that of all its instances."""


@dataclass(frozen=True)
class Identity:
    """Whose lab it is: what the labels of every object say."""

    lab: str
    owner: str
    run: str
    instance: str | None = None

    def labels(self, fingerprint: str) -> dict[str, str]:
        """Return the labels of an object; its fingerprint tells the next `up` whether it has changed."""
        labels = {
            LABEL_LAB: self.lab,
            LABEL_OWNER: self.owner,
            LABEL_RUN: self.run,
            LABEL_FINGERPRINT: fingerprint,
        }
        return labels if self.instance is None else labels | {LABEL_INSTANCE: self.instance}


def current(lab: str, instance: str | None = None) -> Identity:
    """Return who acts now: this user on this machine, in a run of its own."""
    return Identity(lab, f"{getpass.getuser()}@{os.uname().nodename}", secrets.token_hex(4), instance)
