"""The command line: parse, call, print, exit code. A command imports what it needs, so that the others start fast."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from types import FrameType


def _placed(app: Callable[[], object]) -> Callable[[], object]:
    """Return the application as it runs where the environment may name another sandbox for it."""
    from dockerlab.cli.elsewhere import moved

    return moved(app)


def main() -> None:
    """Run the command line and end the process with the exit code that the design of the commands gives."""
    # A call lives for seconds, keeps what it reads, and makes few cycles: to look for them takes a tenth of the time of
    # its imports, and of what it reads from a large host. What goes on for longer turns it on (`lasting`).
    gc.disable()
    from dockerlab.cli import streams
    from dockerlab.cli.app import COMMANDS, app
    from dockerlab.cli.ending import run
    from dockerlab.cli.late import load_late
    from dockerlab.cli.output import say
    from dockerlab.errors import Interrupted

    load_late("invoke")  # paramiko imports it, and asyncio and unittest with it, for `Match exec` alone
    load_late("importlib.metadata", "entry_points")  # pydantic imports it, and e-mail with it, to look for plugins
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "1"  # what a definition may say is for nobody else's code to decide
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _stop)
    streams.prepare()
    try:
        run(_placed(app) if os.environ.get("DOCKERLAB_SANDBOX") else app, COMMANDS)
    except Interrupted as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say(f"dockerlab: {error}")
        # A thread may still wait for a host: an orderly exit would wait for it too.
        os._exit(error.exit_code)
    finally:
        gc.freeze()  # the interpreter looks for cycles once more when it ends, and there is nothing to be found


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Raise Interrupted for Ctrl-C: typer would take KeyboardInterrupt for itself, and say nothing."""
    from dockerlab.errors import Interrupted

    raise Interrupted("stopped at once; 'dockerlab status' shows what is there, 'down' removes it")
