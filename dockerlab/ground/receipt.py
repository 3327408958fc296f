"""What is noted on a host before anything of it is changed: the definition's section, and what was there before.

It stands in the labels of an empty volume, so that `down` needs no definition; what it says is read as strictly as one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockerlab import render
from dockerlab.command import Command
from dockerlab.gate import parsed
from dockerlab.ground.deeds import Deed, deeds
from dockerlab.identity import Identity
from dockerlab.modes.base import LABELS
from dockerlab.snapshot import LABEL_LAB, LABEL_RECEIPT, Snapshot

if TYPE_CHECKING:
    from dockerlab.lab.ground import Ground

LABEL = "dockerlab.ground"
WHAT = "ground"
LARGEST = 100_000
"""Bytes of a receipt: an argument of a command has some more (MAX_ARG_STRLEN of the kernel)."""

NOTE = (
    """
# Note on the host what this lab changes of it, and what was there before: `down` puts it back
docker volume create
"""
    + LABELS
    + """\
  {{ name }}
"""
)


@dataclass(frozen=True)
class Receipt:
    """One receipt: what a lab has changed, or was about to change, by the names of its things (`before`).

    The value of one that is put back is what it was, None where that is not known; of all others it is empty.
    """

    volume: str
    labels: Mapping[str, str]
    ground: Ground
    before: Mapping[str, str | None]

    @property
    def deeds(self) -> list[Deed]:
        """Return the things that were changed, in the order in which they were made."""
        return [deed for deed in deeds(self.ground, self.labels[LABEL_LAB]) if deed.key in self.before]


def name_of(identity: Identity) -> str:
    """Return the name of a run's receipt: that of a new run is there before the old one goes."""
    instance = "" if identity.instance is None else f".{identity.instance}"
    return f"dockerlab-{WHAT}-{identity.lab}{instance}-{identity.run}"


def note(host: str, identity: Identity, ground: Ground, before: Mapping[str, str | None]) -> Command:
    """Return the command that notes what is changed of a host; raises ValueError where that is too much to be noted."""
    said = ground.model_dump_json(exclude_defaults=True, by_alias=True)
    content = json.dumps({"ground": json.loads(said), "before": dict(before)}, separators=(",", ":"))
    if len(content.encode()) > LARGEST:
        raise ValueError(f"{host}: what is to become of the host is more than can be noted there: leave some of it out")
    labels = identity.labels("-") | {LABEL_RECEIPT: WHAT, LABEL: content}
    return render.command(NOTE, host, name=name_of(identity), labels=labels, own_labels={})


def receipts(snapshot: Snapshot, ours: Callable[[Mapping[str, str]], bool]) -> Iterator[Receipt | str]:
    """Yield the receipts of labs that are `ours`; a text is the name of a volume whose content is none."""
    for volume in snapshot.volumes:
        if volume.labels.get(LABEL_RECEIPT) != WHAT or not ours(volume.labels):
            continue
        try:
            said = parsed(volume.labels[LABEL])
            before = {str(key): None if value is None else str(value) for key, value in said["before"].items()}
            yield Receipt(volume.name, volume.labels, _section(said["ground"]), before)
        except (AttributeError, LookupError, TypeError, ValueError):
            yield volume.name


def _section(said: object) -> Ground:
    """Return what a receipt says of a host; raises ValueError for what no definition may say."""
    from dockerlab.lab.ground import Ground  # noqa: PLC0415 - most labs change nothing of their hosts

    return Ground.model_validate(said)


def readable(found: Iterable[Receipt | str]) -> list[Receipt]:
    """Return those receipts that can be understood."""
    return [each for each in found if isinstance(each, Receipt)]
