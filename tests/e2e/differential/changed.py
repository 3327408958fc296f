"""One lab on changed hosts: each change alone and all of them together, each prediction held against what is seen.

A change alone must be what the report names as the cause, where it shows at all; a change that no cell shows is named
nowhere.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

from e2e.differential import changes
from e2e.differential.compare import as_mapping, key_of_cell, shown, tried, word
from support.predicted import causes

from dockerlab.errors import DockerlabError
from dockerlab.verify import judge, on_hosts, same_symptom

BY_ICMP = ("foreign-rule", "policy-route")
"""By which rules a packet is refused with an error of ICMP, if at all."""


@dataclass
class Round:
    """What came of one look at a lab, with some changes in place."""

    changes: list
    cells: int = 0
    seen: dict = field(default_factory=dict)
    """What was observed in each cell."""
    shown: list = field(default_factory=list)
    """Cells that were seen otherwise on the untouched hosts."""
    unpredicted: int = 0
    """Cells of which nothing at all was predicted, for want of a walk."""
    no_claim: list = field(default_factory=list)
    mismatches: list = field(default_factory=list)
    """Cells that were seen otherwise than predicted."""
    unknown: list = field(default_factory=list)
    miscaused: list = field(default_factory=list)
    """Causes that are not among the changes, and cells without a cause."""
    causes: list = field(default_factory=list)
    refused: str = ""
    seconds: float = 0.0

    @property
    def clean(self):
        return not (self.mismatches or self.unknown or self.miscaused or self.refused)

    def compare(self, untouched):
        """Note which cells were seen otherwise in a look at untouched hosts."""
        both = self.seen.keys() & untouched.seen.keys()
        self.shown = sorted(key for key in both if plainly(self.seen[key]) != plainly(untouched.seen[key]))

    def told(self):
        """Return what is not as it should be, a line each."""
        cells = [f"{shown(cell)} | predicted {cell['predicted']}" for cell in (*self.mismatches, *self.unknown)]
        return "\n       ".join(filter(None, (self.refused, *self.miscaused, *cells)))


@dataclass
class Changed:
    """What came of one lab."""

    rounds: list = field(default_factory=list)
    refused: str = ""
    seconds: float = 0.0
    engines: dict = field(default_factory=dict)

    @property
    def clean(self):
        return not self.refused and all(one.clean for one in self.rounds)

    def plain(self):
        """Return the outcome as plain data, with the cells that matter."""
        rounds = [{name: value for name, value in asdict(one).items() if name != "seen"} for one in self.rounds]
        return {**asdict(self), "clean": self.clean, "rounds": rounds}


def plainly(seen):
    """Return what was observed without how it failed, for errors are sent at a limited rate."""
    return seen.partition(" ")[0]


def summary(rounds):
    """Return in a line what came of many looks."""
    cells = sum(one.cells for one in rounds)
    counts = {name: sum(len(getattr(one, name)) for one in rounds)
              for name in ("shown", "mismatches", "unknown", "no_claim", "miscaused")}  # fmt: skip
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    share = 100 * counts["no_claim"] / max(1, cells)
    effective = sum(bool(one.shown) for one in rounds if len(one.changes) == 1)
    single = sum(len(one.changes) == 1 for one in rounds)
    return f"{cells} cells: {told} ({share:.2f} % no claim); {effective} of {single} changes showed in a cell"


def compare(lab, opened, picked):
    """Return what came of a lab on the hosts of a session: untouched, with each change alone, and with all of them."""

    def look(definition):
        settled = on_hosts.verify_new(definition, opened.hosts)
        outcome.engines = dict(settled.engines)
        together = [each for each in picked if each.exact]
        for active in ([], *([each] for each in picked), *([together] if len(together) > 1 else [])):
            outcome.rounds.append(one_round(definition, opened.hosts, active))
            outcome.rounds[-1].compare(outcome.rounds[0])
            if not all(each.exact for each in active):
                on_hosts.verify_new(definition, opened.hosts)

    outcome = Changed()
    return tried(lab, opened, outcome, look)


def one_round(definition, hosts, active):
    """Return what came of a lab that is up, with these changes in place meanwhile."""
    result, started = Round([each.name for each in active]), time.monotonic()
    try:
        with ExitStack() as stack:
            for change in active:
                stack.enter_context(changes.applied(change, hosts))
            report = on_hosts.verify(definition, hosts)
            examine(report, active, result)
            if result.mismatches or result.unknown:
                again(definition, hosts, active, result)
    except (changes.Refused, DockerlabError) as error:
        result.refused = str(error)
    result.seconds = time.monotonic() - started
    return result


def examine(report, active, result):
    """Sort every cell of a report into a round, and hold its causes against the changes."""
    for judged in report.cells:
        result.cells += 1
        put(judged, result)
    for cause in causes(report):
        told = {name: getattr(cause, name) for name in ("host", "side", "kind", "where", "text", "undo")}
        result.causes.append(told)
        if not any(change.names(cause) for change in active):
            result.miscaused.append(f"named: {told}")
    differing = [judged for judged in report.cells if differs(judged)]
    if differing and not result.causes:
        result.miscaused.append(f"no cause for {len(differing)} cells, such as {differing[0].cell}")


def put(judged, result):
    """Put a cell where it belongs in a round."""
    predicted, seen = judged.predicted, as_mapping(judged)
    result.seen[key_of_cell(seen)] = seen["observed"]
    if predicted is None:
        result.unpredicted += 1
        result.no_claim.append(seen)
        return
    seen |= {"predicted": word(predicted.reachable, predicted.symptom)}
    if predicted.rule == "no-namespace":  # nobody is there to ask: that is known, and no want of a claim
        if judged.observed.state != "unknown":
            result.mismatches.append(seen)
    elif predicted.reachable is None:
        result.no_claim.append(seen)
    elif judged.observed.state == "unknown":
        result.unknown.append(seen)
    elif judge(predicted, judged.observed) == "fail" or not fails_alike(predicted, judged.observed):
        result.mismatches.append(seen)


def fails_alike(predicted, observed):
    """Tell whether a cell fails as predicted; an error may be held back, for ICMP's are sent at a limited rate."""
    by_icmp = predicted.rule in BY_ICMP and predicted.symptom in ("refused", "host unreachable", "no route")
    held_back = by_icmp and observed.symptom == "timeout"
    return held_back or same_symptom(predicted, observed)


def differs(judged):
    """Tell whether the kernels are predicted to do otherwise than the definition says."""
    predicted, expected = judged.predicted, judged.expected
    claimed = predicted is not None and predicted.reachable is not None and expected.reachable is not None
    return claimed and predicted.reachable != expected.reachable


def again(definition, hosts, active, result):
    """Look a second time: what was seen otherwise than predicted only once was no fault of the prediction."""
    second = Round([])
    examine(on_hosts.verify(definition, hosts), active, second)
    for name in ("mismatches", "unknown"):
        lasting = {key_of_cell(cell) for cell in getattr(second, name)}
        setattr(result, name, [cell for cell in getattr(result, name) if key_of_cell(cell) in lasting])
