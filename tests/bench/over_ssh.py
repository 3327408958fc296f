"""Many containers over SSH, with the limits that sshd has by default: who comes up, and what sshd makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.common import OURS, Conditions, Done, Failed, Group, Row, timed
from bench.many import compose_call
from bench.stage import Stage, clean, lab

SIZE = 40
LOCKED = 60.0
"""Seconds in which a server lets an address in again that it has locked out."""


@dataclass
class Tally:
    """What came of one contender's rounds."""

    row: Row
    rounds: int = 0
    failures: list[str] = field(default_factory=list)
    locked: list[float] = field(default_factory=list)

    def note(self) -> str:
        """Return how many rounds failed, by what, and for how long the server then let nobody in."""
        if not self.failures:
            return f"{self.rounds} of {self.rounds} came up"
        longest = max(self.locked, default=0.0)
        told = f"failed {len(self.failures)} of {self.rounds}: {self.failures[0]}"
        return f"{told}; then sshd let this address in again after up to {longest:.0f} s" if longest >= 1 else told


def group(stage: Stage, rounds: int, size: int = SIZE) -> Group:
    """Return how often each way brought that many containers up and down, one after the other in each round."""
    file = stage.work / "over-ssh.yaml"
    file.write_text(lab(size))
    ours = [stage.dockerlab("up", str(file), "--no-verify"), stage.dockerlab("down", str(file))]
    call = compose_call(stage, size, f"ssh://root@{stage.state.hosts[0].address}")
    ways: list[tuple[str, Callable[[], Done], Callable[[], Done]]] = [
        (OURS, lambda: timed(ours[0]), lambda: timed(ours[1]))
    ]
    if stage.compose:
        ways.append(("Docker Compose", lambda: call("up", "-d"), lambda: call("down", "-t", "0")))
    tallies = {name: Tally(Row(name)) for name, _, _ in ways}
    for _ in range(rounds):
        for name, up, down in ways:
            _once(stage, tallies[name], up, down)
    for tally in tallies.values():
        tally.row.note = tally.note()
    rows = [tally.row for tally in tallies.values()]
    if not stage.compose:
        rows.append(Row("Docker Compose", note=f"not in {stage.root}: scripts/bench --install"))
    text = (
        f"{size} containers on one network over SSH, with sshd's default limits (MaxStartups, MaxSessions, penalties)."
    )
    return Group(f"{size} containers over SSH", rows, text, conditions=Conditions.now())


def _once(stage: Stage, tally: Tally, up: Callable[[], Done], down: Callable[[], Done]) -> None:
    """Do one round, and wait after a failure until the server takes logins again."""
    tally.rounds += 1
    try:
        for name, step in (("up", up), ("down", down)):
            tally.row.stages.setdefault(name, []).append(step().seconds)
    except Failed as failure:
        tally.failures.append(str(failure))
        clean(stage)
        tally.locked.append(_let_in(stage))


def _let_in(stage: Stage) -> float:
    """Return the seconds until the server lets us in again."""
    began = time.monotonic()
    while time.monotonic() - began < LOCKED:
        try:
            timed([*stage.ssh("-o", "ConnectTimeout=5").split(), stage.state.hosts[0].name, "true"])
        except Failed:  # noqa: PERF203 - not let in yet
            time.sleep(0.5)
        else:
            break
    return time.monotonic() - began
