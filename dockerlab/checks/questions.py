"""Questions to a student: the right answer is read from the hosts as they are, wherever it is a fact of them."""

from __future__ import annotations

from dockerlab.checks.answers import meaning, number, opens, plain
from dockerlab.checks.cells import absence, meant
from dockerlab.checks.looks import Unseen, read, stands
from dockerlab.checks.model import Ask, Source, Way
from dockerlab.checks.outcome import Outcome
from dockerlab.checks.scene import Scene

UNANSWERED = "not answered yet: dockerlab exercise check --answer TEXT"


def judge_answer(wanted: Ask, because: str, scene: Scene) -> Outcome:
    """Return what came of a question; an answer that says neither yes nor no to one of these is not understood."""
    about, given = wanted.question, scene.answers.get(wanted.question)
    if given is None:
        return Outcome(about, "fail", UNANSWERED)
    try:
        right = is_right(given, wanted, scene)
    except Unseen as reason:
        return Outcome(about, "unknown", f"the right answer could not be looked up: {reason}")
    if right:
        return Outcome(about, "pass", f"{given} is right{f': {because}' if because else ''}")
    if right is None:
        return Outcome(about, "fail", f"{given!r} is not understood: answer y or n")
    hint = (wanted.wrong,) if wanted.wrong else ()
    return Outcome(about, "fail", f"{given!r} is not right", where=hint)


def is_right(given: str, wanted: Ask, scene: Scene) -> bool | None:
    """Tell whether an answer is right, None where it is neither yes nor no; raises Unseen where hosts do not tell."""
    if wanted.sealed:
        sealed = opens(wanted.question, given, wanted.sealed)
        return opens(wanted.question, number(given), wanted.sealed) if sealed is False else sealed
    if wanted.reaches is not None:
        means = meaning(given)
        return None if means is None else means is reached(wanted.reaches, scene)
    if wanted.found is not None:
        right, until = plain(found(wanted.found, scene)), plain(wanted.found.until)
        said = number(given) if wanted.found.count else plain(given)
        return right in (said, said.partition(until)[0] if until else said)
    known = {plain(answer) for answer in wanted.answer}
    if known & {"yes", "no"} and known <= {"yes", "no", "y", "n"}:
        means = meaning(given)
        return None if means is None else ("yes" if means else "no") in known
    return plain(given) in known or number(given) in known


def reached(way: Way, scene: Scene) -> bool:
    """Tell whether a cell is reachable now; raises Unseen where that was not to be told."""
    cells = meant(way.source, way.to, way.probe, scene)
    if not cells:
        raise Unseen(f"the lab has no cell {way.source} -> {way.to} {way.probe}")
    for judged in cells:
        lacks = absence(judged, scene)
        if lacks:
            raise Unseen(lacks)
        if judged.observed.state == "unknown":
            raise Unseen(judged.observed.detail or f"{way.source} -> {way.to} {way.probe} could not be told")
    return all(judged.observed.state == "reachable" for judged in cells)


def answer(wanted: Ask, scene: Scene) -> str:
    """Return the right answer as the hosts show it now, or as it is written; raises Unseen where neither has it."""
    if wanted.found is not None:
        return found(wanted.found, scene)
    if wanted.reaches is not None:
        return "yes" if reached(wanted.reaches, scene) else "no"
    if not wanted.answer:
        raise Unseen("the answer is sealed")
    return wanted.answer[0]


def found(source: Source, scene: Scene) -> str:
    """Return what the hosts show of an answer now; raises Unseen where they do not."""
    lines = read(source.at, source.on, scene.lab, scene.snapshots, scene.hosts)
    if source.line:
        lines = [line for line in lines if stands(source.line, [line])]
    if source.count:
        return str(len(lines))
    if not lines:
        what = f"has no line with {' and '.join(source.line)}" if source.line else "says nothing"
        raise Unseen(f"{source.on}: {source.at} {what}")
    line = lines[0]
    if source.after:
        whole = f" {source.after} " in f" {line}"  # `inet` is meant before `inet6` is
        _, there, line = f" {line}".partition(f" {source.after} " if whole else f" {source.after}")
        if not there or not line.strip():
            raise Unseen(f"{source.on}: {source.at} has no {source.after}: {lines[0]}")
        line = line.split()[0]
    return line.partition(source.until)[0] if source.until else line
