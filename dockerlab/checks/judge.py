"""From checks and what the hosts show to outcomes: pass, fail or unknown, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerlab.checks.cells import Asked, judge_cells
from dockerlab.checks.looks import Absent, Unseen, lacking, read, stands
from dockerlab.checks.model import Check, Look
from dockerlab.checks.outcome import Outcome
from dockerlab.checks.questions import judge_answer
from dockerlab.checks.scene import Scene
from dockerlab.drift import Difference


def judge_checks(checks: Sequence[Check], scene: Scene) -> list[Outcome]:
    """Return the outcome of each check, in order.

    What a look asks of a host, and what is not done yet by it, is no fault of the host: its cells are charged.
    """
    looked = {n: _look(check.look, check.because, scene) for n, check in enumerate(checks) if check.look is not None}
    asked = frozenset(
        (check.look.on, kind)
        for n, check in enumerate(checks)
        if check.look is not None and looked[n].verdict == "fail"
        for kind in KINDS.get(check.look.at.partition(" ")[0], ())
    )
    return [looked.get(n) or _judge(check, scene, asked) for n, check in enumerate(checks)]


KINDS = {
    "sysctl": ("sysctl",),
    "rules": ("rule", "policy"),
    "routes": ("route", "ip-rule"),
    "links": ("link",),
    "ports": ("link",),
    "addresses": ("address", "link"),
    "neighbours": ("neighbour",),
}
"""By what is looked at: the kinds of causes that are of it."""


def _judge(check: Check, scene: Scene, asked: Asked) -> Outcome:
    if check.cells is not None:
        return judge_cells(check.cells, check.because, scene, asked)
    if check.ask is not None:
        return judge_answer(check.ask, check.because, scene)
    if check.inside:
        return _inside(check.inside, check.because, scene)
    return _lab(check.lab, check.because, scene)


def _look(wanted: Look, because: str, scene: Scene) -> Outcome:
    words = " and ".join(wanted.has or wanted.lacks)
    about = f"{wanted.on}, {wanted.at}: {'has' if wanted.has else 'lacks'} {words}"
    try:
        lines = read(wanted.at, wanted.on, scene.lab, scene.snapshots, scene.hosts)
    except Absent as reason:
        where = (because,) if because else ()
        return Outcome(about, "fail" if wanted.has else "pass", str(reason), where=where)
    except Unseen as reason:
        return Outcome(about, "unknown", str(reason))
    line = stands(wanted.has or wanted.lacks, lines)
    if wanted.has:
        if line is not None:
            return Outcome(about, "pass", because, where=(f"{wanted.on} says: {_around(wanted.has, line)}",))
        where = (*((because,) if because else ()), *_shown(lines))
        lacks = " and ".join(lacking(wanted.has, lines))
        return Outcome(about, "fail", f"no line of it has {lacks}", where=where)
    if line is not None:
        where = (because,) if because else ()
        return Outcome(about, "fail", f"{wanted.on} says: {_around(wanted.lacks, line)}", where=where)
    return Outcome(about, "pass", because, where=(f"no line of it has {words}",))


WIDEST = 100
"""Characters of a line that is shown; `ip -details` says 400 of an interface."""


def _around(words: Sequence[str], line: str) -> str:
    """Return a line, of a long one only what was looked for."""
    return line if len(line) <= WIDEST else f"… {' … '.join(words)} …"


def _shown(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"it says: {line}" for line in lines[:8])
    if not lines:
        yield "it says nothing"
    elif len(lines) > 8:
        yield f"and {len(lines) - 8} more lines"


def _lab(names: Sequence[str], because: str, scene: Scene) -> Outcome:
    wanted = None if "all" in names else frozenset(names)
    about = "the lab is as defined" if wanted is None else f"as the lab defines it: {', '.join(names)}"
    found = [each for each in scene.differences if wanted is None or each.name in wanted]
    if not found:
        what = "every network and container" if wanted is None else "each of them"
        return Outcome(about, "pass", because, where=(f"{what} is there, runs, and is as the definition says",))
    return of_differences(about, found)


def of_differences(about: str, found: Sequence[Difference]) -> Outcome:
    """Return the failure that objects make which are not as the lab defines them."""
    said = [each.told for each in found]
    where = dict.fromkeys(f"look, on {each.look}" for each in found if each.look)
    how = dict.fromkeys(line for each in found for line in each.typed)
    return Outcome(about, "fail", said[0], tuple(said[1:]), tuple(where), how=tuple(how))


def _inside(names: Sequence[str], because: str, scene: Scene) -> Outcome:
    about = f"as the engine made it, inside: {', '.join(names)}"
    wanted = scene.lab.containers if "all" in names else names
    seen, unseen = scene.insides
    found = [each for each in scene.beneath if each.name in wanted]
    if found:
        return of_differences(about, found)
    missing = [unseen.get(name, f"{name} does not run") for name in wanted if name not in seen]
    if missing:
        return Outcome(about, "unknown", missing[0], tuple(missing[1:]))
    return Outcome(about, "pass", because, where=("its interfaces, addresses and neighbours are what it was given",))
