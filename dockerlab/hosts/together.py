"""Several things at once, of which nobody waits for one that takes much longer than the most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")


def begun(job: Callable[[], T], name: str = "job") -> Future[T]:
    """Begin with a job in a thread that keeps nobody from ending, and return what will come of it."""
    found: Future[T] = Future()

    def run() -> None:
        try:
            found.set_result(job())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
            found.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return found


def most_of(running: Iterable[Future[T]], waiting: Callable[..., Any] = wait) -> set[Future[T]]:
    """Wait until more than half have ended, of two one of them, and return those that have not.

    `waiting` is Python's `wait`, or another that is like it.
    """
    every = set(running)
    enough = max(1, len(every) // 2 + (len(every) > 2))
    late = every
    while len(every) - len(late) < min(enough, len(every)):
        _, late = waiting(late, return_when=FIRST_COMPLETED)
    return late


def nearly_all(running: Iterable[Future[T]], longer: Callable[[float], float]) -> tuple[set[Future[T]], float]:
    """Wait for all, but not much longer than for the most: how many seconds, `longer` tells by those that these took.

    Returns those that have not ended then, and the seconds for which the last were waited for beyond the most.
    """
    began = monotonic()
    late = most_of(running)
    then = monotonic()
    if late:
        _, late = wait(late, timeout=longer(then - began))
    return late, monotonic() - then
