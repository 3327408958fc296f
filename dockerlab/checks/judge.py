"""From checks and what the hosts show to outcomes: pass, fail or unknown, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property

from dockerlab import drift
from dockerlab.checks.looks import Unseen, read, stands
from dockerlab.checks.model import Ask, Cells, Check, Look, Source
from dockerlab.drift import Difference, inside, kernel
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.reach import worlds
from dockerlab.snapshot import Snapshot
from dockerlab.survey import Seen
from dockerlab.survey.inside import Inside, look_inside
from dockerlab.verify import Judged, Report, Verdict, judge
from dockerlab.verify.causes import side_of


@dataclass(frozen=True)
class Outcome:
    """What came of one check: `about` says what was checked, `because` why it is so; `more` are further lines.

    `beside` is what else is known of the hosts and may be the reason of several checks.
    """

    about: str
    verdict: Verdict
    because: str
    more: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass
class Scene:
    """What checks are judged by: the lab, its hosts as they were just looked at, and, once wanted, its whole matrix."""

    lab: Lab
    hosts: Mapping[str, Host]
    seen: Seen
    verify: Callable[[], Report]
    answers: Mapping[str, str] = field(default_factory=dict)
    """What the student answered, by question."""
    spares: bool = False
    """Whether what a host is at fault for is not charged: nobody has broken it on purpose."""

    @property
    def snapshots(self) -> Mapping[str, Snapshot]:
        """Return the engines' objects."""
        return self.seen.snapshots

    @cached_property
    def insides(self) -> tuple[Mapping[str, Inside], Mapping[str, str]]:
        """Return what is in the containers' namespaces, and why it is not known of some; looked at when needed."""
        return look_inside(self.lab, self.snapshots, self.hosts)

    @cached_property
    def beneath(self) -> tuple[Difference, ...]:
        """Return where parents and namespaces are not as the engines' word has them."""
        made, there = side_of(worlds.booked(self.lab, self.seen)), side_of(worlds.surveyed(self.lab, self.seen))
        found = inside.beneath(self.lab, self.snapshots, there.machines, kernel.differences(made, there))
        asked = {name: each.nameservers for name, each in self.insides[0].items()}
        return (*found, *inside.resolvers(self.lab, self.snapshots, asked))

    @cached_property
    def report(self) -> Report:
        """Return the lab's matrix; it is asked when the first check needs it."""
        return self.verify()


def judge_checks(checks: Sequence[Check], scene: Scene) -> list[Outcome]:
    """Return the outcome of each check, in order."""
    return [_judge(check, scene) for check in checks]


def overall(outcomes: Sequence[Outcome]) -> Verdict:
    """Return fail where a check fails, else unknown where one could not be told; without checks nothing is proven."""
    verdicts = {outcome.verdict for outcome in outcomes}
    return "fail" if "fail" in verdicts else "unknown" if "unknown" in verdicts or not verdicts else "pass"


def _judge(check: Check, scene: Scene) -> Outcome:
    if check.cells is not None:
        return _cells(check.cells, check.because, scene)
    if check.look is not None:
        return _look(check.look, check.because, scene)
    if check.ask is not None:
        return _ask(check.ask, check.because, scene)
    if check.inside:
        return _inside(check.inside, check.because, scene)
    return _lab(check.lab, check.because, scene)


def _cells(wanted: Cells, because: str, scene: Scene) -> Outcome:
    about = f"{wanted.source} -> {wanted.to}, {wanted.probe}: {wanted.expected}"
    chosen = [judged for judged in scene.report.cells if _meant(judged, wanted)]
    if not chosen:
        return Outcome(about, "unknown", "the lab has no such cell in its matrix")
    verdicts = [_verdict(judged, wanted, scene) for judged in chosen]
    if all(verdict == "pass" for verdict in verdicts):
        return Outcome(about, "pass", because or _as_it_is(chosen[0]))
    amiss = [(judged, verdict) for judged, verdict in zip(chosen, verdicts, strict=True) if verdict != "pass"]
    first, _ = next(((j, v) for j, v in amiss if v == "fail"), amiss[0])
    verdict: Verdict = "fail" if any(v == "fail" for _, v in amiss) else "unknown"
    others = len(amiss) - 1
    more = (f"so are {others} other cells" if others > 1 else "so is one other cell",) if others else ()
    told = [*_causes((judged for judged, _ in amiss), scene), *map(str, scene.beneath)]
    why = _absent(first, scene) or _why(first)
    return Outcome(about, verdict, why, more, tuple(dict.fromkeys((*told, *scene.report.notes))))


def _causes(cells: Iterable[Judged], scene: Scene) -> Iterator[str]:
    """Yield the causes of cells, each with what puts it right; those of the hosts are no fault of the student."""
    for cause in dict.fromkeys(judged.cause for judged in cells if judged.cause is not None):
        spared = "; not charged to you" if scene.spares and cause.side == "host" else ""
        yield f"{cause}{spared}" + (f"; right would be: {cause.undo}" if cause.undo else "")


def _absent(judged: Judged, scene: Scene) -> str:
    """Return that an end of a cell does not run, so that the cell proves nothing; empty where all do."""
    for end in (judged.cell.source, judged.cell.to, judged.cell.holder):
        if end is not None and end in scene.lab.containers:
            host = scene.lab.host_of(end)
            state = scene.snapshots[host].container(end)
            if state is None or not state.running:
                what = "does not exist" if state is None else "does not run"
                return f"{judged.cell.source} -> {judged.cell.to} {judged.cell.probe}: {end} {what} on {host}"
    return ""


def _as_it_is(judged: Judged) -> str:
    """Return why a cell is as it was seen; where the model says otherwise, its reason would be one for the opposite."""
    if judged.verdict == "pass":
        return judged.because
    symptom = f" ({judged.observed.symptom})" if judged.observed.symptom else ""
    return f"{judged.cell.source} -> {judged.cell.to} {judged.cell.probe} is {judged.observed.state}{symptom}"


def _meant(judged: Judged, wanted: Cells) -> bool:
    cell = judged.cell
    pairs = ((cell.source, wanted.source), (cell.to, wanted.to), (cell.probe, wanted.probe))
    return all(fnmatchcase(name, pattern) for name, pattern in pairs)


def _verdict(judged: Judged, wanted: Cells, scene: Scene) -> Verdict:
    if judged.observed.state == "unknown" or _absent(judged, scene):
        return "unknown"
    verdict: Verdict = judged.verdict
    if wanted.expected == "predicted":
        verdict = "unknown" if judged.predicted is None else judge(judged.predicted, judged.observed)
    elif wanted.expected != "expected":
        verdict = "pass" if judged.observed.state == wanted.expected else "fail"
    return "unknown" if verdict == "fail" and scene.spares and not judged.charged else verdict


def _why(judged: Judged) -> str:
    """Return why a cell is as it is, in terms of the model: its prediction for the hosts as they are now."""
    cell, seen = judged.cell, judged.observed
    target = "" if cell.target == cell.to else f" ({cell.target or 'no address'})"
    symptom = f" ({seen.symptom})" if seen.symptom else ""
    head = f"{cell.source} -> {cell.to}{target} {cell.probe} is {seen.state}{symptom}"
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


def _look(wanted: Look, because: str, scene: Scene) -> Outcome:
    words = wanted.has or wanted.lacks
    about = f"{wanted.on}, {wanted.at}: {'has' if wanted.has else 'lacks'} {' '.join(words)}"
    try:
        lines = read(wanted.at, wanted.on, scene.lab, scene.snapshots, scene.hosts)
    except Unseen as reason:
        return Outcome(about, "unknown", str(reason))
    line = stands(words, lines)
    told = f"; {because}" if because else ""
    if wanted.has:
        if line is not None:
            return Outcome(about, "pass", f"{wanted.on} says: {line}{told}")
        return Outcome(about, "fail", f"no line of it has {' and '.join(words)}{told}", tuple(_shown(lines)))
    if line is not None:
        return Outcome(about, "fail", f"{wanted.on} says: {line}{told}")
    return Outcome(about, "pass", f"no line of it has {' and '.join(words)}{told}")


def _shown(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"it says: {line}" for line in lines[:8])
    if not lines:
        yield "it says nothing"
    elif len(lines) > 8:
        yield f"and {len(lines) - 8} more lines"


def _lab(names: Sequence[str], because: str, scene: Scene) -> Outcome:
    wanted = None if "all" in names else frozenset(names)
    about = "the lab is as defined" if wanted is None else f"as the lab defines it: {', '.join(names)}"
    found = drift.differences(scene.lab, scene.snapshots, wanted)
    if not found:
        what = "every network and container" if wanted is None else "each of them"
        return Outcome(about, "pass", because or f"{what} is there, runs, and is as the definition says")
    return Outcome(about, "fail", str(found[0]), tuple(str(each) for each in found[1:]))


def _inside(names: Sequence[str], because: str, scene: Scene) -> Outcome:
    about = f"as the engine made it, inside: {', '.join(names)}"
    wanted = scene.lab.containers if "all" in names else names
    seen, unseen = scene.insides
    found = [str(each) for each in scene.beneath if each.name in wanted]
    if found:
        return Outcome(about, "fail", found[0], tuple(found[1:]))
    missing = [unseen.get(name, f"{name} does not run") for name in wanted if name not in seen]
    if missing:
        return Outcome(about, "unknown", missing[0], tuple(missing[1:]))
    return Outcome(about, "pass", because or "its interfaces, addresses, gateway and neighbours are what it was given")


def _ask(wanted: Ask, because: str, scene: Scene) -> Outcome:
    given = scene.answers.get(wanted.question)
    if given is None:
        return Outcome(wanted.question, "fail", "not answered yet: dockerlab exercise check --answer TEXT")
    try:
        right = wanted.answer or (found(wanted.found, scene),) if wanted.found else wanted.answer
    except Unseen as reason:
        return Outcome(wanted.question, "unknown", f"the right answer could not be looked up: {reason}")
    if _plain(given) in {_plain(answer) for answer in right}:
        return Outcome(wanted.question, "pass", f"{given} is right{f': {because}' if because else ''}")
    return Outcome(wanted.question, "fail", f"{given!r} is not right{f': {wanted.wrong}' if wanted.wrong else ''}")


def found(source: Source, scene: Scene) -> str:
    """Return the right answer to a question, as the hosts show it now; raises Unseen where they do not."""
    lines = read(source.at, source.on, scene.lab, scene.snapshots, scene.hosts)
    if not lines:
        raise Unseen(f"{source.on}: {source.at} says nothing")
    if not source.after:
        return lines[0]
    words = lines[0].split()
    if source.after not in words[:-1]:
        raise Unseen(f"{source.on}: {source.at} has no {source.after}: {lines[0]}")
    return words[words.index(source.after) + 1]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
