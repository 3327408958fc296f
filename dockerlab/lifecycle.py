"""A lab's life: brought up, verified, looked at, taken down. Here the pure parts and the hosts meet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from dockerlab import engine, facts, images, plan, preflight
from dockerlab.errors import HostError
from dockerlab.evidence import around
from dockerlab.execute import Execution, Reporter, execute, raise_for, roll_back
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity, current
from dockerlab.images import Pull
from dockerlab.lab.model import Lab
from dockerlab.modes.overlay import GATEWAY_BRIDGE
from dockerlab.plan import Plan
from dockerlab.plan.bringing_up import Situation
from dockerlab.probe.agents import AgentProber, AgentUnavailable
from dockerlab.probe.base import Observation
from dockerlab.probe.portable import PortableProber
from dockerlab.reach import Cell, World, build_world, matrix
from dockerlab.reach.overrides import override
from dockerlab.snapshot import Snapshot
from dockerlab.topology import HostFacts
from dockerlab.verify import Report, held, judge_all, observe

T = TypeVar("T")

Choice = Literal["auto", "agent", "portable"]
"""Which prober asks; `auto` is the agent where every host can run it."""

SETTLING = 20.0
"""Seconds in which a lab that was just made may still come to what it is, such as the names of an overlay network."""


@dataclass(frozen=True)
class Seen:
    """What was found on the hosts: the engine's objects and the machine's facts, per host."""

    snapshots: Mapping[str, Snapshot]
    facts: Mapping[str, HostFacts]


@dataclass
class Survey:
    """Asks every host once, all at the same time; hosts that do not answer are in `failures`."""

    answers: dict[str, Snapshot] = field(default_factory=dict)
    failures: dict[str, HostError] = field(default_factory=dict)


def look(hosts: Mapping[str, Host], names: Iterable[str] = ()) -> Seen:
    """Return what is on the hosts; raises the first host's HostError if one cannot be asked."""
    wanted = frozenset(names) | {GATEWAY_BRIDGE}
    seen = on_each(hosts, lambda host: (engine.snapshot(host, wanted), facts.gather(host)))
    return Seen({name: a for name, (a, _) in seen.items()}, {name: b for name, (_, b) in seen.items()})


def look_for_removal(hosts: Mapping[str, Host]) -> Survey:
    """Return what is on those hosts that answer, and why the others do not."""
    survey = Survey()

    def ask(host: Host) -> Snapshot | HostError:
        try:
            return engine.snapshot(host)
        except HostError as error:
            return error

    for name, answer in on_each(hosts, ask).items():
        if isinstance(answer, HostError):
            survey.failures[name] = answer
        else:
            survey.answers[name] = answer
    return survey


def on_each(hosts: Mapping[str, Host], action: Callable[[Host], T]) -> dict[str, T]:
    """Return what an action gives on each host, all hosts at once; raises what the first failing one raised."""
    with ThreadPoolExecutor(max(1, len(hosts)), thread_name_prefix="host") as pool:
        futures = {name: pool.submit(action, host) for name, host in hosts.items()}
        return {name: future.result() for name, future in futures.items()}


def addresses(lab: Lab, hosts: Mapping[str, Host], seen: Mapping[str, HostFacts]) -> dict[str, str | None]:
    """Return where the hosts reach each other: the address of the default route, else the one that we reach."""
    found: dict[str, str | None] = {}
    for host in lab.hosts:
        primary = seen[host].primary_address() if host in seen else None
        found[host] = str(primary) if primary is not None else hosts[host].address
    return found


def plan_up(lab: Lab, who: Identity, hosts: Mapping[str, Host], controller: Host, pull: Pull) -> tuple[Plan, Seen]:
    """Return the plan that makes the hosts agree with the definition, and what was found there.

    Raises ConflictError: for names that are taken first, as somebody else's lab of the same name has our subnets too.
    """
    seen = look(hosts, lab.containers)
    bring = images.bring(lab, hosts, seen.snapshots, controller, pull)
    wanted = plan.up(lab, who, Situation(seen.snapshots, addresses(lab, hosts, seen.facts)), bring)
    preflight.check(lab, who, seen.facts, seen.snapshots)
    return wanted, seen


def carry_out(wanted: Plan, hosts: Mapping[str, Host], reporter: Reporter, *, keep_failed: bool = False) -> Execution:
    """Run a plan of `up`; on failure roll back what this run created, and raise with what is left."""
    done = execute(wanted, hosts, reporter)
    if not done.complete:
        raise_for(done, None if keep_failed else roll_back(done, hosts, reporter))
    return done


@dataclass(frozen=True)
class Removal:
    """What `down` will do; `failures` are the hosts that did not answer, `foreign` says what is somebody else's."""

    plan: Plan
    failures: Mapping[str, HostError]
    foreign: tuple[str, ...] = ()


def plan_down(lab: str | None, hosts: Mapping[str, Host], *, everyone: bool = False) -> Removal:
    """Return the plan that removes a lab, or every lab, of this user or of everyone, from the hosts that answer."""
    survey = look_for_removal(hosts)
    owner = current("").owner
    mine = plan.down(survey.answers, lab, None if everyone else owner)
    all_of_it = plan.down(survey.answers, lab, None)
    others = len(all_of_it.steps) - len(mine.steps)
    foreign = (f"{others} objects belong to somebody else and stay; --everyone removes them too",) if others else ()
    return Removal(mine, survey.failures, foreign)


def take_down(removal: Plan, hosts: Mapping[str, Host], reporter: Reporter) -> int:
    """Remove what a plan of `down` names, as much of it as can be; return how many objects went.

    Raises ExecutionError with all that could not be removed.
    """
    done = execute(removal, hosts, reporter, keep_going=True)
    if not done.complete:
        raise_for(done, None)
    return len(removal.changes)


def verify(lab: Lab, hosts: Mapping[str, Host], prober: Choice = "auto", instance: str | None = None) -> Report:
    """Return the whole matrix of a lab as it is now: predicted, observed, judged."""
    world, seen = understand(lab, hosts)
    cells, notes = override(matrix(world), lab.expect)
    started = time.monotonic()
    spoke, observed = _probe([cell for cell, _ in cells], world, seen, hosts, prober)
    return Report(
        lab=lab.name,
        title=lab.title,
        cells=judge_all(cells, observed),
        engines={name: snapshot.engine_version for name, snapshot in seen.snapshots.items()},
        probers=dict.fromkeys(hosts, spoke),
        seconds=time.monotonic() - started,
        instance=instance,
        ended=last_words(lab, hosts, seen.snapshots),
        notes=tuple(notes),
    )


def last_words(lab: Lab, hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot]) -> tuple[str, ...]:
    """Return a paragraph for each container of the lab that has ended: how, what it said last, and what to look at."""
    told = []
    for name in lab.containers:
        host = lab.host_of(name)
        state = snapshots[host].container(name)
        if state is None or state.status != "exited":
            continue
        lines = engine.logs(hosts[host], state.id, 5).splitlines() or ["(nothing)"]
        told.append(
            f"{host}: container {name} has ended (exit code {state.exit_code}); check its `command`. It said last:\n"
            + "\n".join("  " + "".join(c if c.isprintable() else "?" for c in line) for line in lines)
        )
    return tuple(told)


def verify_new(
    lab: Lab, hosts: Mapping[str, Host], prober: Choice = "auto", say: Callable[[str], None] = lambda _: None
) -> Report:
    """Return the matrix of a lab that was just made: asked again for a while where something is not reachable yet.

    `say` is told so once, for that can take a while.

    What is reported is one whole matrix, the last one. A cell that is reachable against the prediction, or that could
    not be told, is no reason to ask again: waiting does not mend it.
    """
    deadline = time.monotonic() + SETTLING
    report, told = verify(lab, hosts, prober), False
    while time.monotonic() < deadline:
        late = sum(judged.verdict == "fail" and judged.expected.reachable is True for judged in report.cells)
        if not late:
            break
        if not told:
            say(f"{late} cells are not reachable yet; asking again for up to {SETTLING:.0f} s")
            told = True
        time.sleep(0.5)
        report = verify(lab, hosts, prober)
    return report


def _probe(
    cells: Sequence[Cell], world: World, seen: Seen, hosts: Mapping[str, Host], choice: Choice
) -> tuple[str, list[Observation]]:
    """Return the name of the prober that spoke, and its observations in the order of the cells."""
    if choice != "portable":
        agent = AgentProber(hosts)
        try:
            return agent.name, observe(cells, world, seen.snapshots, agent)
        except AgentUnavailable:
            if choice == "agent":
                raise
    portable = PortableProber(hosts, world.lab.name, held=held(world, seen.snapshots))
    return portable.name, observe(cells, world, seen.snapshots, portable)


def understand(lab: Lab, hosts: Mapping[str, Host]) -> tuple[World, Seen]:
    """Return the lab's world as it is now on the hosts, and what it was made from."""
    seen = look(hosts, lab.containers)
    return build_world(lab, seen.facts, seen.snapshots), seen


def evidence(cell: Cell, world: World, seen: Seen, hosts: Mapping[str, Host]) -> list[str]:
    """Return what both ends show while one cell is probed once, a line each."""

    def ask() -> str:
        _, (seen_now,) = _probe([cell], world, seen, hosts, "auto")
        return " ".join(filter(None, (seen_now.state, seen_now.symptom and f"({seen_now.symptom})", seen_now.detail)))

    return around(cell, hosts, seen.snapshots, world.of[cell.source], ask)
