"""Cells of the matrix, held against what an exercise wants of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from dockerlab.checks.model import Cells
from dockerlab.checks.outcome import Outcome
from dockerlab.checks.scene import Scene
from dockerlab.drift import Difference
from dockerlab.verify import Cause, Judged, Verdict, judge

INTO = re.compile(r"nsenter --net --target (\d+)(?= )")
"""What leads a command into the network namespace of a process."""

Asked = frozenset[tuple[str, str]]
"""What is asked of hosts and not done yet: each host, with the kind of a cause that there may be for it."""


def judge_cells(wanted: Cells, because: str, scene: Scene, asked: Asked = frozenset()) -> Outcome:
    """Return what came of the cells that are meant; one that proves nothing is unknown, whatever was observed.

    `asked` is what is to be done on hosts: where it is not done, that is the student's.
    """
    about = f"{wanted.source} -> {wanted.to}, {wanted.probe}: {wanted.expected}"
    chosen = meant(wanted.source, wanted.to, wanted.probe, scene)
    if not chosen:
        return Outcome(about, "unknown", "the lab has no such cell in its matrix")
    verdicts = [_verdict(judged, wanted, scene, asked) for judged in chosen]
    if all(verdict == "pass" for verdict in verdicts):
        return Outcome(about, "pass", because, where=tuple(_as_they_are(chosen)))
    amiss = [(judged, verdict) for judged, verdict in zip(chosen, verdicts, strict=True) if verdict != "pass"]
    first, _ = next(((j, v) for j, v in amiss if v == "fail"), amiss[0])
    verdict: Verdict = "fail" if any(v == "fail" for _, v in amiss) else "unknown"
    causes = _causes(judged for judged, _ in amiss)
    told = [*(_cause(each, scene, asked) for each in causes), *(each.told for each in scene.beneath)]
    how = [*(line for each in causes for line in _typed(each, scene)), *(h for d in scene.beneath for h in d.typed)]
    more = tuple(_beside(amiss[1:]))
    absent = absence(first, scene)
    return Outcome(
        about,
        verdict,
        absent or _seen(first, scene, verdict, asked),
        more,
        () if absent else (why(first),),
        tuple(dict.fromkeys((*told, *scene.report.notes))),
        tuple(dict.fromkeys(how)),
    )


def _beside(others: Sequence[object]) -> Iterator[str]:
    if others:
        yield "so is one other cell" if len(others) == 1 else f"so are {len(others)} other cells"


def meant(source: str, to: str, probe: str, scene: Scene) -> list[Judged]:
    """Return the cells that three patterns mean."""
    return [
        judged
        for judged in scene.report.cells
        if fnmatchcase(judged.cell.source, source)
        and fnmatchcase(judged.cell.to, to)
        and fnmatchcase(judged.cell.probe, probe)
    ]


def absence(judged: Judged, scene: Scene) -> str:
    """Return that an end of a cell does not run, so that the cell proves nothing; empty where all do."""
    for end in (judged.cell.source, judged.cell.to, judged.cell.holder):
        if end is not None and end in scene.lab.containers:
            host = scene.lab.host_of(end)
            state = scene.snapshots[host].container(end)
            if state is None or not state.running:
                what = "does not exist" if state is None else "does not run"
                return f"{judged.cell.source} -> {judged.cell.to} {judged.cell.probe}: {end} {what} on {host}"
    return ""


def _causes(cells: Iterable[Judged]) -> list[Cause]:
    return list(dict.fromkeys(judged.cause for judged in cells if judged.cause is not None))


def _typed(cause: Cause, scene: Scene) -> tuple[str, ...]:
    """Return what puts a cause right, each command with its host in front: of an object of the lab, its own."""
    own = _difference(cause, scene)
    if own is not None:
        return own.typed
    return (f"{cause.host}: {_found_out(cause, scene)}",) if cause.undo else ()


def _found_out(cause: Cause, scene: Scene) -> str:
    """Return what undoes a cause, as somebody types it who does not know which process a container is."""
    names = {str(each.pid): each.name for each in scene.snapshots[cause.host].containers if each.running}

    def named(found: re.Match[str]) -> str:
        name = names.get(found[1])
        wanted = found[1] if name is None else f"$(docker inspect --format {{{{.State.Pid}}}} {shlex.quote(name)})"
        return f"nsenter --net --target {wanted}"

    line = INTO.sub(named, cause.undo)
    return cause.undo if line == cause.undo else f"sh -c {shlex.quote(line)}"


def _difference(cause: Cause, scene: Scene) -> Difference | None:
    """Return the object of the lab that a cause is; None for one of the hosts'."""
    return next(
        (d for d in scene.differences if (d.host, f"{d.kind} {d.name} {d.what}") == (cause.host, cause.text)), None
    )


def _cause(cause: Cause, scene: Scene, asked: Asked) -> str:
    """Return a cause in words; those of the hosts are no fault of the student."""
    return f"{cause}{'; not charged to you' if _spared(cause, scene, asked) else ''}"


def _spared(cause: Cause | None, scene: Scene, asked: Asked) -> bool:
    """Tell whether a cause is a host's, and nothing that the exercise has its person do: no step, and no object."""
    if cause is None or not scene.spares or cause.side != "host" or (cause.host, cause.kind) in asked:
        return False
    return _difference(cause, scene) is None


def _verdict(judged: Judged, wanted: Cells, scene: Scene, asked: Asked) -> Verdict:
    if judged.observed.state == "unknown" or absence(judged, scene):
        return "unknown"
    verdict: Verdict = judged.verdict
    if wanted.expected == "predicted":
        verdict = "unknown" if judged.predicted is None else judge(judged.predicted, judged.observed)
    elif wanted.expected != "expected":
        verdict = "pass" if judged.observed.state == wanted.expected else "fail"
    spared = not judged.charged and _spared(judged.cause, scene, asked)
    return "unknown" if verdict == "fail" and spared else verdict


def _head(judged: Judged) -> str:
    cell, seen = judged.cell, judged.observed
    target = "" if cell.target == cell.to else f" ({cell.target or 'no address'})"
    symptom = f" ({seen.symptom})" if seen.symptom else ""
    return f"{cell.source} -> {cell.to}{target} {cell.probe} is {seen.state}{symptom}"


def _seen(judged: Judged, scene: Scene, verdict: Verdict, asked: Asked) -> str:
    """Return what was seen of a cell; of one that is not charged to the student, whose fault it is."""
    if judged.observed.state == "unknown":
        return f"{_head(judged)}: {judged.observed.detail or 'it could not be told'}"
    spared = verdict == "unknown" and judged.cause is not None
    if spared and judged.cause is not None:
        return f"{_head(judged)}; {_cause(judged.cause, scene, asked)}"
    return _head(judged)


def _as_they_are(chosen: Sequence[Judged]) -> Iterator[str]:
    """Yield why cells are as they were seen, once for each rule; where there are several, of which cell each is."""
    by_rule: dict[str, Judged] = {}
    for judged in chosen:
        by_rule.setdefault(judged.expected.rule, judged)
    for judged in by_rule.values():
        of = f"{judged.cell.source} -> {judged.cell.to}: " if len(by_rule) > 1 else ""
        yield f"{of}{_as_it_is(judged)}"


def _as_it_is(judged: Judged) -> str:
    """Return why a cell is as it was seen; where the model says otherwise, its reason would be one for the opposite.

    Where the definition itself says what is expected, the reason is that of the hosts as they are.
    """
    now = judged.predicted
    if judged.expected.rule == "expect" and now is not None and now.reachable is (judged.observed.state == "reachable"):
        return now.because(judged.cell)
    return judged.because if judged.verdict == "pass" else _head(judged)


def why(judged: Judged) -> str:
    """Return why a cell is as it is, in terms of the model: its prediction for the hosts as they are now."""
    cell, seen = judged.cell, judged.observed
    head = _head(judged)
    detail = f" ({seen.detail})" if seen.detail else ""
    if seen.state == "unknown":
        return f"{head}: {seen.detail or 'it could not be told'}"
    now = judged.predicted
    if now is not None and now.reachable is (seen.state == "reachable"):
        return f"{head}, and by the model it has to be, as the hosts are now: {now.because(cell)} [{now.rule}]"
    if judged.verdict == "pass":
        return f"{head}, and by the model it has to be: {judged.because} [{judged.expected.rule}]"
    if judged.expected.reachable is None:
        return f"{head}{detail}; the model makes no claim: {judged.because} [{judged.expected.rule}]"
    other = "reachable" if judged.expected.reachable else "unreachable"
    return f"{head}{detail}; by the model it should be {other}: {judged.because} [{judged.expected.rule}]"
