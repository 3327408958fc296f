"""One lab on real engines: a packet of each cell followed by the kernels, its rules held against the walk's."""

from __future__ import annotations

from dataclasses import dataclass, field

from e2e.differential.compare import tried

from dockerlab import survey
from dockerlab.reach.asked import expected
from dockerlab.reach.worlds import defined, surveyed
from dockerlab.verify import on_hosts
from dockerlab.verify.tracing import against, follow


@dataclass
class Traced:
    """What came of one lab."""

    packets: int = 0
    rules: int = 0
    """How many rules the kernels told of."""
    no_claim: list = field(default_factory=list)
    differing: list = field(default_factory=list)
    """A line for each packet that met other rules than the walk."""
    blind: set = field(default_factory=set)
    """What the kernels said that they do not tell of: a rule there that a walk meets makes the two differ."""
    refused: str = ""
    seconds: float = 0.0

    @property
    def clean(self):
        return not (self.differing or self.refused)

    def told(self):
        """Return what is not as it should be, a line each."""
        return "\n       ".join(filter(None, (self.refused, *sorted(self.blind), *self.differing)))


def compare(lab, opened):
    """Return what came of the traces of a lab's packets, all of them, on the hosts of a session."""

    def look(definition):
        on_hosts.verify_new(definition, opened.hosts)
        trace(definition, opened.hosts, result)

    result = Traced()
    return tried(lab, opened, result, look)


def trace(definition, hosts, result):
    """Follow a packet of each cell of a lab that is up."""
    seen = survey.look(hosts, definition.containers, kernels="all")
    now = surveyed(definition, seen)
    rows = expected(defined(definition, seen), now).rows
    for cell in (cell for cell, _ in rows if cell.probe != "dns" and cell.target):
        told = follow(cell, now, seen, hosts)
        found = against(cell, now, told)
        result.packets += 1
        result.rules += sum(hop.kind == "rule" for hop in told.hops)
        result.blind.update(told.blind)
        if found is None:
            result.no_claim.append(str(cell))
        elif found:
            result.differing.append(f"{cell}: {told.outcome}: {'; '.join(map(str, found))}")
