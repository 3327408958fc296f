"""What came of a check, in the order in which it helps: what is wrong, where to look, what puts it right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockerlab.verify import Verdict


@dataclass(frozen=True)
class Outcome:
    """What came of one check: `about` says what was checked, `because` what is wrong, or why it matters where it holds.

    `more` are further lines of that. `where` says where to look, or why it is so by the model; `beside` is what else is
    known of the hosts and may be the reason of several checks. `how` are the commands that put it right, each with its
    host in front.
    """

    about: str
    verdict: Verdict
    because: str = ""
    more: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    how: tuple[str, ...] = ()


def overall(outcomes: Sequence[Outcome]) -> Verdict:
    """Return fail where a check fails, else unknown where one could not be told; without checks nothing is proven."""
    verdicts = {outcome.verdict for outcome in outcomes}
    return "fail" if "fail" in verdicts else "unknown" if "unknown" in verdicts or not verdicts else "pass"
