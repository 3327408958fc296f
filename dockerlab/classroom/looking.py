"""`python -m dockerlab.classroom.looking EXERCISE`, run in a place: the lab as it is there, in a line of JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

from dockerlab.checks.looks import Unseen
from dockerlab.checks.model import Ask, Way
from dockerlab.checks.questions import answer
from dockerlab.checks.scene import Scene
from dockerlab.classroom.shown import shown
from dockerlab.errors import DockerlabError
from dockerlab.exercise import loader, progress
from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress
from dockerlab.exercise.scope import so_far
from dockerlab.hosts.base import Host
from dockerlab.session import Whereabouts, open_session
from dockerlab.survey import look
from dockerlab.verify import Judged, on_hosts

ADDRESS = re.compile(r"[0-9a-f.:]{7,}")
"""What an answer looks like that stands in a picture of its own; a number would be masked everywhere."""


def of_exercise(folder: Folder, here: Progress, hosts: Mapping[str, Host]) -> dict[str, Any]:
    """Return what the page shows of an exercise's lab, as far as its student has come."""
    seen = look(hosts, (*folder.lab.containers, *folder.lab.networks), kernels="all")
    if here.trial is not None:
        return shown(on_hosts.verify(folder.lab, hosts, seen=seen), broken=folder.lab)
    lab, asks = so_far(folder.exercise, folder.lab, here.step, seen.snapshots), open_asks(folder, here)
    report = on_hosts.verify(lab, hosts, seen=seen)
    ways = [ask.reaches for ask in asks if ask.reaches is not None]
    found = shown(report, lambda judged: any(_asks(way, judged) for way in ways))
    return masked(found, _answers(asks, Scene(lab, hosts, seen, lambda: report)))


def open_asks(folder: Folder, here: Progress) -> list[Ask]:
    """Return the questions of the current step that have not been answered rightly yet."""
    steps = folder.exercise.steps
    asks = [check.ask for check in steps[here.step].checks if check.ask is not None] if here.step < len(steps) else []
    return [ask for ask in asks if ask.question not in here.answers]


def masked(found: dict[str, Any], answers: Iterable[str]) -> dict[str, Any]:
    """Return what a page shows without the addresses that are asked for: a picture would say them in passing."""
    text = json.dumps(found, ensure_ascii=False)
    for address in filter(ADDRESS.fullmatch, answers):
        text = re.sub(rf"(?<![0-9a-f.:]){re.escape(address)}(?![0-9a-f.:])", "…", text)
    shown_of: dict[str, Any] = json.loads(text)
    return shown_of


def _answers(asks: Iterable[Ask], scene: Scene) -> Iterator[str]:
    for ask in asks:
        with suppress(Unseen):  # sealed, or nowhere to be seen: then this does not show it either
            yield answer(ask, scene)


def _asks(way: Way, judged: Judged) -> bool:
    cell = judged.cell
    pairs = ((cell.source, way.source), (cell.to, way.to), (cell.probe, way.probe))
    return all(fnmatchcase(name, pattern) for name, pattern in pairs)


def main(exercise: str) -> str:
    """Return what the page shows of an exercise that is on in this place, as JSON; raises DockerlabError."""
    here = progress.current(exercise, progress.directory())
    folder = loader.load(here.folder)
    with open_session(folder.lab.addresses, Whereabouts(sandbox=True), lambda _: None) as session:
        return json.dumps(of_exercise(folder, here, session.hosts), ensure_ascii=False)


if __name__ == "__main__":
    try:
        sys.stdout.write(main(sys.argv[1]) + "\n")
    except DockerlabError as error:
        sys.exit(f"dockerlab: {error}")
