"""What is written of an object, and what is said beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockerlab.lab.problem import KeyPath

Json = Mapping[str, Any]


@dataclass
class Entry:
    """The keys of an object as a definition has them, and the comments above them, by the path of each key."""

    data: dict[str, Any] = field(default_factory=dict)
    notes: dict[KeyPath, list[str]] = field(default_factory=dict)

    def say(self, text: str, *path: str | int) -> None:
        """Put a comment above a key, above the object itself where no key is named; each is said once."""
        told = self.notes.setdefault(path, [])
        if text not in told:
            told.append(text)

    def put(self, key: str, value: Any) -> None:
        """Set a key, unless there is nothing to say with it: nothing at all, or an empty list, mapping or text."""
        if value is not None and value is not False and value not in ((), [], {}, ""):
            self.data[key] = value

    def adopt(self, inner: Entry, *path: str | int) -> None:
        """Take another's comments, each below a path of this one's."""
        for place, texts in inner.notes.items():
            for text in texts:
                self.say(text, *path, *place)
