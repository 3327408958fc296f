"""Where a password may come from: the environment, the keyring, or the person at the terminal. Nowhere else.

Never from the command line, which every user of the machine can read, and never from a file of a lab.
"""

from __future__ import annotations

import getpass
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, MutableMapping

VARIABLE = "DOCKERLAB_SSH_PASSWORD"
"""The environment variable with the password for all hosts of a lab."""

SERVICE = "dockerlab"
"""Under this name `keyring set dockerlab USER@HOST` keeps a host's password."""

Ask = Callable[[str], str | None]
"""Gives the password for a `user@host`, or None."""


def from_environment(environment: MutableMapping[str, str]) -> str | None:
    """Return the password in the environment and take it out, so that no program started from here inherits it."""
    return environment.pop(VARIABLE, None) or None


def from_keyring(who: str) -> str | None:
    """Return the password that the keyring has for a `user@host`; None too where the package is not installed.

    Raises OSError with the keyring's own reason if it cannot be read.
    """
    if importlib.util.find_spec("keyring") is None:
        return None
    keyring = importlib.import_module("keyring")
    try:
        found: str | None = keyring.get_password(SERVICE, who)
    except Exception as error:  # its back ends raise what they like
        raise OSError(f"the keyring cannot be read: {type(error).__name__}") from error
    return found


class Prompt:
    """Asks the person at the terminal, one question at a time and each one only once in a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, str] = {}

    def __call__(self, who: str) -> str | None:
        """Return the password for a `user@host`; None without a terminal, so that nothing ever waits unseen."""
        with self._lock:
            if who not in self._answers and sys.stdin is not None and sys.stdin.isatty():
                self._answers[who] = getpass.getpass(f"{who}'s password: ")
            return self._answers.get(who)
