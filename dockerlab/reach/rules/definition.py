"""The one rule that is no mechanism: what the definition says of a cell."""

from __future__ import annotations

from dockerlab.reach.rules.page import Page, Sight

RULES = (
    Page(
        "expect",
        "The definition says so",
        "An exception in the definition decides what is expected, and not the model.",
        "`expect:` in a definition names cells by source, target and probe, and says whether they are reachable. It "
        "is for what an author knows and no host shows, such as a switch or a filter on the LAN. The last entry that "
        "fits a cell counts, and what the model says stands beside it in the reason. An entry that is about no cell, "
        "or that says what the model says anyway, is pointed out.",
        "every engine: dockerlab's own",
        (Sight("dockerlab explain LAB FROM TO", "`the definition says so`, and what the model says"),),
        "Take the entry out of `expect:`.",
    ),
)
