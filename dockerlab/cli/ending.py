"""How a call ends: with an exit code that says what happened, and never with a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import typer

from dockerlab import __version__
from dockerlab.cli import streams
from dockerlab.cli.output import say
from dockerlab.errors import DockerlabError, Interrupted, OutputError, ReaderGone
from dockerlab.plain import for_terminal

INTERNAL = 70
"""The exit code of a fault of dockerlab's own: EX_SOFTWARE of sysexits.h."""

WHOLE = "DOCKERLAB_TRACEBACK"
"""The variable of the environment with which an internal error is shown whole, with what may be secret in it."""

FRAMES = 20
"""So many of the innermost calls are told; a recursion has thousands that are alike."""


def run(app: Callable[[], object], commands: Collection[str] = ()) -> None:
    """Call the application and end the process: SystemExit with its code, or with that of what stopped it.

    `commands` are the names of commands: the one that was called is told of an internal error, and no other word.
    """
    try:
        code = _called(app, commands)
        sys.stdout.flush()  # what was printed before something failed is printed all the same
    except ReaderGone as error:
        streams.discard()
        code = error.exit_code
    except OutputError as error:
        streams.discard()
        code = _told(error)
    sys.exit(code)


def _called(app: Callable[[], object], commands: Collection[str]) -> int:
    """Call the application and return its exit code; raises what has to do with the output, and Interrupted."""
    try:
        app()
    except SystemExit as end:
        if not isinstance(end.__context__, typer.Abort):
            return end.code if isinstance(end.code, int) else 0 if end.code is None else INTERNAL
        # The parser makes an answer of 1 of an end of input where none was looked for.
        return _internal(end.__context__.__cause__ or end.__context__, commands)
    except (OutputError, ReaderGone, Interrupted):
        raise
    except DockerlabError as error:
        return _told(error)
    except Exception as error:  # noqa: BLE001 - whatever it is: exit code 1 is an answer, and a traceback is none
        return _internal(error, commands)
    return 0


def _told(error: DockerlabError) -> int:
    say(f"dockerlab: {error}")
    return error.exit_code


def _internal(error: BaseException, commands: Collection[str]) -> int:
    called = next((word for word in sys.argv[1:2] if word in commands), "")
    told = internal(error, called, os.environ)
    if os.environ.get(WHOLE):  # lines of programs stay as they are
        sys.stderr.write(for_terminal(told))
    else:
        say(told.rstrip("\n"))
    return INTERNAL


def internal(error: BaseException, called: str, environment: Mapping[str, str]) -> str:
    """Return what is said of an internal error: what a report of it needs, and no value that was at hand.

    The message of an exception may be a password, and so may an argument of the call: neither is told.
    """
    import platform
    import traceback

    if environment.get(WHOLE):
        told = "".join(traceback.format_exception(error))
        return f"{told}dockerlab: an internal error, shown whole: read it before you pass it on\n"
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    calls = "\n".join(f"    {_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames)
    return (
        f"dockerlab: an internal error: the fault is dockerlab's, and not yours. Nothing is known of what it was at; "
        f"'dockerlab status' shows what is there.\nPlease report it, with these lines; no value of yours is in them:\n"
        f"    dockerlab {__version__} {called}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()}\n"
        f"    {type(error).__module__}.{type(error).__qualname__}\n{calls}\n"
        f"{WHOLE}=1 before the same command shows all of it, for your own eyes: secrets may be in it.\n"
    )


def _short(file: str) -> str:
    """Return a file's name from its package on: where that is installed is nobody's business."""
    parts = Path(file).parts
    known = [n for n, part in enumerate(parts) if part in ("dockerlab", "site-packages")]
    return "/".join(parts[known[-1] :] if known else parts[-1:])
