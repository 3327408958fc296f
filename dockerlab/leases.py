"""How long a lab is wanted: `--ttl 4h`, the label that says so, and the words for a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Literal

from dockerlab.errors import UsageError
from dockerlab.snapshot import LABEL_EXPIRES, LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, Snapshot

Until = datetime | Literal["never"] | None
"""The end of a lease; `never` ends the lease itself, None leaves it as it is."""

Whose = tuple[str | None, str | None, str | None]
"""A lab's name, its instance and its owner."""

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
FORM = "%Y-%m-%dT%H:%M:%SZ"
LONGEST = timedelta(days=3660)
SOON = timedelta(minutes=15)
"""What ends within this time is about to expire."""


def read_ttl(text: str | None, now: datetime) -> Until:
    """Return when a lease that is given now as `90m`, `4h`, `1d12h` or `never` ends; raises UsageError."""
    if text is None or text == "never":
        return None if text is None else "never"
    if not re.fullmatch(r"([0-9]{1,9}[smhd])+", text):
        raise UsageError(f"--ttl {text}: write a time such as 90m, 4h or 2d, or 'never'")
    span = timedelta()
    for number, unit in re.findall(r"([0-9]+)([smhd])", text):
        span += timedelta(**{UNITS[unit]: int(number)})
    if not timedelta() < span <= LONGEST:
        raise UsageError(f"--ttl {text}: more than nothing and at most ten years")
    return now + span


def written(until: datetime) -> str:
    """Return a moment as the label has it: in UTC, to the second."""
    return until.astimezone(timezone.utc).strftime(FORM)


def expiry(labels: Mapping[str, str]) -> datetime | None:
    """Return the end that a lease's labels give, None without one or with one that is no time."""
    try:
        return datetime.strptime(labels.get(LABEL_EXPIRES, ""), FORM).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def whose(labels: Mapping[str, str]) -> Whose:
    """Return which lab an object is of."""
    return labels.get(LABEL_LAB), labels.get(LABEL_INSTANCE), labels.get(LABEL_OWNER)


def ends(snapshots: Iterable[Snapshot]) -> dict[Whose, datetime]:
    """Return when each leased lab expires; where hosts disagree, as after a crash, the latest counts."""
    found: dict[Whose, datetime] = {}
    for snapshot in snapshots:
        for volume in snapshot.volumes:
            until = expiry(volume.labels)
            if until is not None:
                found[whose(volume.labels)] = max(until, found.get(whose(volume.labels), until))
    return found


def told(until: datetime, now: datetime) -> str:
    """Return `expires in 3 h 50 min` or `expired 5 min ago`."""
    left = until - now
    return f"expires in {_span(left)}" if left > timedelta() else f"expired {_span(-left)} ago"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{int(span.total_seconds())} s"
