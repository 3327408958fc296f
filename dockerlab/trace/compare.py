"""Hold the rules that a walk says a packet meets against those that the kernels told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from dockerlab.kernel.rules import Rule
from dockerlab.trace.hops import Hop, Way
from dockerlab.walk.outcome import Outcome, SpaceId, Step

Met = tuple[str, str, str, int]
"""A rule that was met: family, table, chain and number."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A rule on which a walk and the kernel do not agree: `walked` and not told of, or `told` of and not walked."""

    at: SpaceId
    what: Literal["walked", "told"]
    where: str
    text: str

    def __str__(self) -> str:
        if self.what == "walked":
            return f"{self.at.host}: the model meets {self.where}, the kernel did not: {self.text}"
        return f"{self.at.host}: the kernel met {self.where}, the model does not: {self.text}"


def compare(steps: Sequence[Step], hops: Sequence[Hop]) -> list[Difference]:
    """Return where the rules that one packet meets differ, namespace by namespace and in their order.

    `steps` are the walk's, with every rule that is met; `hops` those of the same packet. Rules are compared by family,
    table, chain and number.
    """
    walked: dict[SpaceId, list[tuple[Met, str]]] = {}
    for step in steps:
        rule = step.element.subject if step.element is not None else None
        if isinstance(rule, Rule):
            met = ((rule.family, rule.table, rule.chain, rule.number), rule.text)
            some = walked.setdefault(step.at, [])
            if not some or some[-1] != met:  # the rule that decides is told of twice: that it is met, and what it does
                some.append(met)
    told: dict[SpaceId, list[tuple[Met, str]]] = {}
    for hop in hops:
        if hop.kind == "rule":
            told.setdefault(hop.at, []).append((hop.rule, hop.text))
    return [
        difference
        for at in dict.fromkeys([*walked, *told])
        for difference in _differences(at, walked.get(at, []), told.get(at, []))
    ]


def differences(outcome: Outcome, hops: Sequence[Hop]) -> list[Difference]:
    """Return where a walk's outcome and a trace do not agree, on the request, its answer and what a proxy sent on.

    The outcome is one with every rule that is met; what a docker-proxy sends on follows the step `proxied`.
    """
    cut = next((at for at, step in enumerate(outcome.steps) if step.what == "proxied"), len(outcome.steps))
    parts: dict[Way, Sequence[Step]] = {
        "request": outcome.steps[:cut],
        "proxied": outcome.steps[cut:],
        "answer": outcome.back,
    }
    return [found for way, steps in parts.items() for found in compare(steps, [hop for hop in hops if hop.way == way])]


def _differences(at: SpaceId, walked: list[tuple[Met, str]], told: list[tuple[Met, str]]) -> list[Difference]:
    matcher = SequenceMatcher(None, [met for met, _ in walked], [met for met, _ in told], autojunk=False)
    found: list[Difference] = []
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind != "equal":
            found += [Difference(at, "walked", _where(met), text) for met, text in walked[first:last]]
            found += [Difference(at, "told", _where(met), text) for met, text in told[begin:end]]
    return found


def _where(met: Met) -> str:
    family, table, chain, number = met
    return f"{table} {chain} {number}" if family == "ip" else f"{family} {table} {chain} {number}"
