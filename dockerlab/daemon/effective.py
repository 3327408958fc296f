"""What an engine runs with, by its file and the flags on its command line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dockerlab.daemon.settings import read
from dockerlab.daemon.state import PATH, DaemonFile
from dockerlab.snapshot import LABEL_LAB

TRUE, FALSE = ("", "1", "t", "true"), ("0", "f", "false")
"""How a flag's value says yes and no (Go's strconv.ParseBool, and a flag without a value)."""


@dataclass(frozen=True)
class Effective:
    """The settings that decide who reaches whom; what is not set has the engine's default.

    `known` is false where the `file` cannot be read: then they are those of the command line, and default ones.
    `ip6tables` is None where the engine's version decides, `backend` empty where it is the default one; `changed_by` is
    the lab that has changed the file, or empty.
    """

    userland_proxy: bool = True
    iptables: bool = True
    ip6tables: bool | None = None
    direct_routing: bool = False
    live_restore: bool = False
    dns: tuple[str, ...] = ()
    backend: str = ""
    known: bool = True
    file: str = PATH
    changed_by: str = ""


def effective(file: DaemonFile) -> Effective:
    """Return what an engine with this file and these flags runs with."""
    found = settings(file)

    def says(key: str, *, default: bool) -> bool:
        value = _truth(found.get(key))
        return default if value is None else value

    return Effective(
        userland_proxy=says("userland-proxy", default=True),
        iptables=says("iptables", default=True),
        ip6tables=_truth(found.get("ip6tables")),
        direct_routing=says("allow-direct-routing", default=False),
        live_restore=says("live-restore", default=False),
        dns=_texts(found.get("dns")),
        backend=str(found.get("firewall-backend") or ""),
        known=not file.hidden,
        file=file.path,
        changed_by=file.kept.labels[LABEL_LAB] if file.kept is not None else "",
    )


def settings(file: DaemonFile) -> dict[str, Any]:
    """Return the settings by their names in the file; those of the command line are among them, as texts."""
    try:
        found = read(file.text)
    except ValueError:
        found = {}  # the engine would not start with such a file: it runs with other settings
    for name, value in flags(file.flags):
        found[name] = [*_texts(found.get(name)), value] if name == "dns" else value
    return found


def flags(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the long flags on an engine's command line, each with its value, empty for none.

    The engine takes no word but its flags', so that one without a hyphen is the value of the flag before it.
    """
    name, value = "", ""
    for word in [*words, "--"]:
        if word and not word.startswith("-"):
            value = value or word
            continue
        if name:
            yield name, value
        name, _, value = word.removeprefix("--").partition("=") if word.startswith("--") else ("", "", "")


def _truth(value: Any) -> bool | None:
    """Return what a setting says, None where it is not there or says neither."""
    if isinstance(value, bool):
        return value
    text = value.lower() if isinstance(value, str) else None
    return True if text in TRUE else False if text in FALSE else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()
