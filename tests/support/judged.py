"""Labs judged on pretended engines: what is observed is what the model says of the objects as they really are."""

import shlex

from dockerlab.probe import base as probe
from dockerlab.reach.cells import published
from dockerlab.reach.matrix import tell
from dockerlab.survey import Seen
from dockerlab.verify import Report, judge_all
from dockerlab.verify.asking import all_at_once
from dockerlab.verify.attribution import attributed
from dockerlab.verify.of_lab import lab_suspects
from dockerlab.verify.trial import trial
from support.worlds import pretended


class Kernel:
    """A prober that observes of each cell what becomes of its packet between the objects that there are."""

    name = "made up"

    def __init__(self, cells, world, snapshots):
        self.cells, self.world, self.snapshots = cells, world, snapshots
        self.asked = []

    def observe(self, questions):
        self.asked += questions
        return {question.number: self._seen(self.cells[question.number]) for question in questions}

    def _dead(self, cell):
        """Tell whether a cell asks for a port of a host that leads to nobody who runs."""
        behind = [name for port, name in published(self.world, cell.to) if port.published == cell.port]
        states = (self.snapshots[self.world.lab.host_of(name)].container(name) for name in behind)
        return bool(behind) and not any(state is not None and state.running for state in states)

    def _seen(self, cell):
        if cell.to in self.world.lab.hosts and cell.port is not None and self._dead(cell):
            return probe.unreachable("refused", "nothing listens on the port")
        told = tell(self.world, cell)
        if told.reachable:
            return probe.reachable(1.0)
        return probe.unknown(told.text) if told.reachable is None else probe.unreachable(told.symptom or "timeout")


def judged(definition, engines, **more):
    """Return the report of a lab on engines as they are."""
    there = pretended(definition, engines)
    seen = Seen(engines.snapshots(), engines.facts(), there.fabric.net.machines)
    own = trial(definition, seen)
    all_at_once([own], Kernel(own.cells, there, seen.snapshots))
    suspects = lab_suspects(own.world, seen.snapshots)
    cells = attributed(judge_all(own.rows, own.observed), suspects)
    engines_of = {host: snapshot.engine_version for host, snapshot in seen.snapshots.items()}
    causes = tuple(suspect.cause for suspect in suspects)
    return Report(definition.name, "", cells, engines_of, dict.fromkeys(engines_of, "made up"), 0.0, causes=causes,
                  world=own.world, notes=tuple(own.wanted.notes), **more)  # fmt: skip


def put_right(report, engines):
    """Run the printed commands of every cause, in the order in which they are printed."""
    for cause, _ in report.told_causes:
        for command in cause.undo.split("; "):
            engines[cause.host].run(tuple(shlex.split(command)))
