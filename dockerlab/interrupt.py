"""Ctrl-C as a wish that is looked at where it suits, and not as an exception anywhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets; the second one does what it did before, as does any one afterwards.

    Only the main thread gets signals: in another one the event is never set. Neither is it where Ctrl-C is ignored, as
    for a job in the background.
    """
    asked = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield asked
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        asked.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
