"""What changed on hosts, as text for people and as lines of JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dockerlab.folding import fold
from dockerlab.machinery.episodes import Episode
from dockerlab.machinery.reasons import Told
from dockerlab.plain import printable

SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def text(episode: Episode, width: int = 100) -> str:
    """Return an episode as lines: what was done, then each change with its reason beneath it."""
    lines = [*_head(episode, width)]
    if episode.failure:
        lines += _folded(f"what changed cannot be told: {episode.failure}", "    ", width)
    elif not episode.changes:
        lines.append("    nothing of the host's networks changed")
    for told in episode.changes:
        if not told.minor:
            lines += _change(told, width)
    minor = sum(told.minor for told in episode.changes)
    if minor:
        lines.append(f"  and {minor} of the kernel's own: loopback, link-local addresses, a carrier on a cable")
    return printable("\n".join(lines)) + "\n"


def json_line(episode: Episode) -> str:
    """Return an episode as one line of JSON with its newline."""
    changes = [
        {
            "verb": told.change.verb,
            "kind": told.change.kind,
            "where": told.change.where,
            "what": told.change.what,
            "why": told.why,
            "minor": told.minor,
        }
        for told in episode.changes
    ]
    fields = {
        "time": episode.when.isoformat(timespec="milliseconds"),
        "host": episode.host,
        "command": episode.command or None,
        "cause": episode.cause,
        "seconds": round(episode.seconds, 3) if episode.command else None,
        "changes": changes,
        "failure": episode.failure or None,
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _head(episode: Episode, width: int) -> Iterator[str]:
    yield ""
    if episode.command:
        yield from _folded(f"{episode.host} # {episode.command}", "", width, "    ")
        yield from _folded(episode.cause, "  ", width)
    else:
        yield from _folded(f"{episode.host} {episode.when:%H:%M:%S} {episode.cause}", "", width, "  ")


def _change(told: Told, width: int) -> Iterator[str]:
    change = told.change
    where = "" if change.where == "engine" else f" [{change.where}]"
    yield from _folded(f"{SIGNS[change.verb]} {change.kind}{where} {change.what}", "  ", width, "      ")
    if told.why:
        yield from _folded(told.why, "      ", width)


def _folded(line: str, indent: str, width: int, further: str | None = None) -> list[str]:
    return fold(f"{indent}{' '.join(line.split())}", width, hang=indent if further is None else further)
