"""Whose containers a restart of an engine would stop. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockerlab.snapshot import LABEL_LAB, ContainerState, Snapshot


def running(snapshot: Snapshot, ours: Callable[[Mapping[str, str]], bool]) -> str:
    """Return the names of the containers that run on an engine and are not `ours` by their labels, with whose lab's."""
    return ", ".join(_in_words(c) for c in snapshot.containers if c.running and not ours(c.labels))


def _in_words(container: ContainerState) -> str:
    lab = container.labels.get(LABEL_LAB)
    return f"container {container.name}" + (f" of lab {lab}" if lab is not None else "")
