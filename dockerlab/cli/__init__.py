"""The command line: parse, call, print, exit code. A command imports what it needs, so that the others start fast."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and end the process with the exit code that the design of the commands gives."""
    from dockerlab.cli.app import app
    from dockerlab.errors import DockerlabError

    try:
        app()
    except DockerlabError as error:
        sys.stderr.write(f"dockerlab: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("dockerlab: stopped at once; 'dockerlab status' shows what is there, 'down' removes it\n")
        sys.stderr.flush()
        # A thread may still wait for a host: an orderly exit would wait for it too.
        os._exit(130)
