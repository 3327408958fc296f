"""Rounds of verifying, one after the other with a pause between them: the hosts are never asked twice at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from threading import Event

from dockerlab.errors import DockerlabError, Interrupted
from dockerlab.serve.board import Board
from dockerlab.students.grades import Grade


def rounds(board: Board, verify: Callable[[], list[Grade]], stop: Event, every: float) -> None:
    """Verify and show the grades, again and again, with `every` seconds in between, until `stop`.

    A round that cannot be done is shown as such, and the next one is tried.
    """
    while not stop.is_set():
        began = time.monotonic()
        try:
            grades = verify()
        except Interrupted:
            raise
        except DockerlabError as error:
            board.fail(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round may go well
            board.fail(f"this round could not be done ({type(error).__name__}: {error}); it is tried again")
        else:
            board.publish(grades, datetime.now(timezone.utc), time.monotonic() - began)
        stop.wait(every)
