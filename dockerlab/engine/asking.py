"""Questions to an engine in the words of its API; all of them only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from dockerlab.engine.bounded import Answer
from dockerlab.gate import LONGEST, parsed
from dockerlab.gate.text import MOST, values_in

NOTHING = 404
"""The status of what is not there."""


class Line(Protocol):
    """What leads to an engine, however that is reached: one question after the other."""

    def ask(self, method: str, target: str) -> Answer:
        """Return the whole answer to a request without a body; raises Unanswered where there is none."""
        ...

    def ask_each(self, targets: Sequence[str]) -> Iterator[Answer]:
        """Yield the whole answer to each of several requests to read, in their order; raises Unanswered."""
        ...


class Refused(Exception):
    """The engine refused a request, in these words."""


class Missing(Refused):
    """There is nothing of that name."""


class Client:
    """Asks an engine in one version of its API, or for what has none; raises Refused, Missing, Unanswered.

    All answers together may have as many values as the gate lets one text have.
    """

    def __init__(self, line: Line, version: str | None = None) -> None:
        self._line = line
        self._root = "" if version is None else f"/v{version}"
        self._values = 0

    def get(self, *path: str, **query: object) -> Any:
        """Return the JSON at a path, given by its parts; raises ValueError for what the gate does not let in."""
        return self._parsed(self.content(*path, **query))

    def each(self, paths: Sequence[tuple[str, ...]]) -> Iterator[Any]:
        """Yield the JSON at each of several paths, asked without a wait in between; None where there is nothing."""
        for answer in self._line.ask_each([self._target(path) for path in paths]):
            yield None if answer.status == NOTHING else self._parsed(_told(answer).content)

    def content(self, *path: str, **query: object) -> bytes:
        """Return what is at a path, as it is."""
        return self._ask("GET", path, query).content

    def fields(self, *path: str, **query: object) -> Mapping[str, str]:
        """Return the fields of the head of what is at a path, by their names in small letters."""
        return self._ask("HEAD", path, query).fields

    def _ask(self, method: str, path: tuple[str, ...], query: dict[str, object]) -> Answer:
        target = self._target(path)
        return _told(self._line.ask(method, f"{target}?{urlencode(query)}" if query else target))

    def _target(self, path: tuple[str, ...]) -> str:
        """Return a path, each part quoted: some are strangers' words. Names of images have a `/`."""
        return self._root + "".join(f"/{quote(part, safe=':/')}" for part in path)

    def _parsed(self, content: bytes) -> Any:
        self._values += values_in(content)
        if self._values > MOST:
            raise ValueError(f"its answers have more than {MOST} values")
        return parsed(content)


def _told(answer: Answer) -> Answer:
    """Return an answer that is no refusal; raises Refused, Missing."""
    if answer.status >= 400:
        raise (Missing if answer.status == NOTHING else Refused)(_reason(answer))
    return answer


def _reason(answer: Answer) -> str:
    """Return why the engine refused, in its own words where it has some."""
    try:
        words = parsed(answer.content)["message"]
    except (LookupError, TypeError, ValueError):
        words = answer.content.decode(errors="replace").strip() or f"status {answer.status}"
    return str(words)[:LONGEST]
