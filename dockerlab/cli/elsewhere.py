"""A call that is meant for a sandbox of a name: it runs again, inside that sandbox's place."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from dockerlab.cli.places import NO, VARIABLE, YES

_SAYS_WHERE = ("--inventory", "--host")
_ASKS_NO_HOST = (
    "sandbox",
    "class",
    "render",
    "schema",
    "labs",
    "lint",
    "--help",
    "--version",
    "--install-completion",
    "-h",
)
"""`sandbox` looks for the name itself; the others are the same anywhere."""


def named(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the name of the sandbox that the environment asks for, None where it says yes, no or nothing."""
    value = environment.get(VARIABLE, "").strip()
    # A program of the sandbox has the same variable, as a mark: a path.
    return None if value.lower() in (*YES, *NO) or value.startswith("/") else value


def meant(words: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Return the name of the sandbox in which a call with these words is to run, None where it runs here."""
    own = list(words[: words.index("--")]) if "--" in words else list(words)
    completes = any(name.startswith("_DOCKERLAB_") for name in environment)
    if not own or own[0] in _ASKS_NO_HOST or completes or "--help" in own:
        return None
    return None if any(word.partition("=")[0] in _SAYS_WHERE for word in own) else named(environment)


def moved(app: Callable[[], object]) -> Callable[[], object]:
    """Return an application that runs in the place that its call is meant for, or here where it is meant for none.

    It raises SandboxError where there is no sandbox of that name, and UsageError for what cannot be one.
    """

    def call() -> object:
        name = meant(sys.argv[1:], os.environ)
        if name is not None:
            enter(name, sys.argv[1:])
        return app()

    return call


def enter(name: str, words: Sequence[str]) -> None:
    """Become `dockerlab` with these words, in the place of that name; raises what `argv` raises."""
    from dockerlab.sandbox import place

    argv = place.argv(name, [sys.executable, "-m", "dockerlab", *words])
    os.execvp(argv[0], argv)  # noqa: S606 - there is no shell, and the words are ours or the caller's own
