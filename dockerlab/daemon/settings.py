"""From the file that a host has and a definition's section to the file that is wanted. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any

from dockerlab.daemon.state import DaemonFile
from dockerlab.gate import parsed

if TYPE_CHECKING:
    from dockerlab.lab.daemon import Daemon

BRIDGE = frozenset(
    {"bip", "bip6", "ip", "fixed-cidr", "ipv6", "fixed-cidr-v6", "mtu", "default-gateway", "default-gateway-v6", "icc"}
)
"""The keys that make docker0 what it is; the engine gives them no effect while it finds containers that run."""


@dataclass(frozen=True)
class Change:
    """What a host's file is to become: its whole content, and the keys that are not as the definition wants them.

    `before` and `after` are these keys' values, where there are any.
    """

    host: str
    path: str
    text: bytes
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    due: bool = False

    @property
    def needed(self) -> bool:
        """Tell whether the file has to be written, or the engine to be restarted with what is there."""
        return self.before != self.after or self.due

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys whose values change."""
        return frozenset(self.before) | frozenset(self.after)

    def diff(self) -> list[str]:
        """Return the change as lines of a unified diff of these keys alone: the others are nobody's business."""
        old, new = (write(part).decode().splitlines() if part else [] for part in (self.before, self.after))
        name = f"{self.host}:{self.path}"
        shown = unified_diff(old, new, name, f"{name} (wanted)", lineterm="", n=99)
        return [line for line in shown if not line.startswith("@@")]


def read(text: bytes | None) -> dict[str, Any]:
    """Return the settings in a file's content, none for no file or a blank one; raises ValueError for what is none."""
    found = parsed(text) if text is not None and text.strip() else {}
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - one kind of error for every file that is none
    return found


def write(settings: Mapping[str, Any]) -> bytes:
    """Return settings as the content of a file."""
    return (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode()


def original(file: DaemonFile) -> bytes | None:
    """Return the content that the file had before any lab changed it."""
    return file.text if file.kept is None else file.kept.original


def change(file: DaemonFile, daemon: Daemon | None) -> Change:
    """Return what the file is to become by a definition's section: the host's own settings, and these over them.

    Raises ValueError where the file is not JSON.
    """
    before, wanted = read(file.text), read(original(file))
    wanted |= daemon.settings() if daemon is not None else {}
    changed = [key for key in {**before, **wanted} if before.get(key, ...) != wanted.get(key, ...)]
    text = write(wanted) if daemon is not None else original(file) or write(wanted)
    return Change(
        file.host,
        file.path,
        text,
        {key: before[key] for key in changed if key in before},
        {key: wanted[key] for key in changed if key in wanted},
        file.due,
    )


def leaving(file: DaemonFile) -> bytes:
    """Return the content to start the engine with once, when the original is to be put back.

    docker0 keeps its address over a restart that names none: the engine has it in its own store. So the address that
    it had before is named once, where the original names none.
    """
    kept, text = file.kept, original(file)
    try:
        settings = read(text)
    except ValueError:
        return text or b""  # nobody's business here: it goes back as it was
    former = next((a for a in kept.bridge if ip_interface(a).version == 4), None) if kept is not None else None
    if former is None or former in file.bridge or "bip" in settings or "bridge" in settings:
        return text or write(settings)
    return write({**settings, "bip": former})
