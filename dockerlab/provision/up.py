"""A lab made: `up`, where the pure parts and the hosts meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dockerlab.errors import LockLost
from dockerlab.facts import Facts
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity, current
from dockerlab.lab.model import Lab
from dockerlab.leases import Until
from dockerlab.lock import Locks, lock_name, locked
from dockerlab.plan import Key, Plan, Step
from dockerlab.plan.bringing_up import Situation, up
from dockerlab.plan.images import building
from dockerlab.provision import grounds, images, preflight
from dockerlab.provision.execute import Execution, execute, raise_for
from dockerlab.provision.images import Pull
from dockerlab.provision.reporting import Reporter, Reporting, reported, silently
from dockerlab.provision.restarts import allowed, restarted, settings_for
from dockerlab.provision.rollback import made, roll_back
from dockerlab.survey import Seen, look

ROUNDS = 3
"""How often `up` looks again after an engine was restarted under it."""


def addresses(lab: Lab, hosts: Mapping[str, Host], seen: Mapping[str, Facts]) -> dict[str, str | None]:
    """Return where the hosts reach each other: the address of the default route, else the one that we reach."""
    found: dict[str, str | None] = {}
    for host in lab.hosts:
        primary = seen[host].ground.primary_address if host in seen else None
        found[host] = str(primary) if primary is not None else hosts[host].address
    return found


@dataclass(frozen=True)
class Wish:
    """What a call of `up` says beside the definition: when images are brought, how long the lab is wanted."""

    pull: Pull = "missing"
    until: Until = None
    daemons: bool = False
    """Whether the engines' own settings may be changed, and the engines restarted."""
    keep_failed: bool = False
    """Whether what was made before a failure stays."""
    undo: str = ""
    """The command that removes what is left of a failure; without it, that is `down` with the lab's name."""
    part: Callable[[Step], bool] = lambda _: True
    """Which steps of the plan are done."""
    ground: bool = False
    """Whether the hosts themselves may be changed."""


def bring_up(
    lab: Lab,
    hosts: Mapping[str, Host],
    controller: Host,
    wish: Wish,
    reporting: Reporting = silently,
    say: Callable[[str], None] = lambda _: None,
) -> Plan:
    """Make the hosts agree with a definition, under the lab's lock, and return the plan that was carried out.

    `reporting` tells of each step, `say` of what takes longer. Raises ConflictError where somebody else has the lock,
    or where it would not work; ExecutionError after a failure, when what this run had made is removed again, unless it
    is wished otherwise.
    """
    who = current(lab.name)

    def planned(wish: Wish, locks: Locks | None = None) -> Plan:
        wanted, _ = plan_up(lab, who, hosts, controller, wish, locks)
        return replace(wanted, steps=tuple(step for step in wanted.steps if wish.part(step)))

    with locked(hosts, [lock_name(who.lab, who.instance)]) as locks:
        wanted = planned(wish, locks)
        with reported(wanted, reporting, locks) as reporter:
            done = carry_out(wanted, hosts, reporter, keep_failed=wish.keep_failed, undo=wish.undo)
            again = replace(wish, pull="missing", until=None)
            make_again(done, lambda: planned(again), hosts, reporter, say, wish.undo)
    return wanted


def bring_images(
    lab: Lab, hosts: Mapping[str, Host], controller: Host, reporting: Reporting = silently, undo: str = ""
) -> list[str]:
    """Bring the images of a lab, and build its own, where they are not there; return each with its host.

    Nothing else is looked at or made, whoever has made it. Raises what `bring_up` raises.
    """
    who = current(lab.name)
    with locked(hosts, [lock_name(who.lab, who.instance)]) as locks:
        seen = look(hosts, (), locks, detail="needed").snapshots
        brought = [
            Step(Key(host, "image", image), "create", (command,))
            for (host, image), command in images.bring(lab, hosts, seen, controller, "missing").items()
        ]
        built = building(lab, who, seen, (step.key for step in brought))
        absent = (step for step in built if step.action == "create")
        wanted = Plan((*brought, *absent), identity=who)
        if wanted.steps:
            with reported(wanted, reporting, locks) as reporter:
                carry_out(wanted, hosts, reporter, undo=undo)
    return [f"{step.key.name} on {step.key.host}" for step in wanted.steps]


def plan_up(
    lab: Lab, who: Identity, hosts: Mapping[str, Host], controller: Host, wish: Wish, locks: Locks | None = None
) -> tuple[Plan, Seen]:
    """Return the plan that makes the hosts agree with the definition, and what was found there.

    Raises ConflictError: where somebody else has the locks; for names that are taken before all else, as somebody
    else's lab of the same name has our subnets too.
    """
    seen = look(hosts, lab.containers, locks, detail="needed")
    bring = images.bring(lab, hosts, seen.snapshots, controller, wish.pull)
    files = settings_for(lab, hosts, seen)
    allowed(lab, who, seen, files, wish)
    beneath = grounds.for_up(lab, who, hosts, seen.snapshots)
    grounds.allowed(lab, who, seen.snapshots, beneath, wish)
    situation = Situation(seen.snapshots, addresses(lab, hosts, seen.facts), files, beneath)
    wanted = up(lab, who, situation, bring, wish.until)
    foreseen = restarted(lab, seen, files)
    preflight.check(lab, who, foreseen.facts, foreseen.snapshots)
    return wanted, seen


def carry_out(
    wanted: Plan, hosts: Mapping[str, Host], reporter: Reporter, *, keep_failed: bool = False, undo: str = ""
) -> Execution:
    """Run a plan of `up`; on failure roll back what this run created, and raise with what is left.

    `undo` is the command that removes what is left; without it, that is `down` with the lab's name. Nothing is rolled
    back where the lock was lost: what this run has made may be part of what somebody else has brought up since.
    """
    done = execute(wanted, hosts, reporter)
    if not done.complete and wanted.identity is not None:
        keep_failed |= any(isinstance(failure, LockLost) for failure in done.failures.values())
        left = (made if keep_failed else roll_back)(done, wanted.identity, hosts, reporter)
        told = f"left is what follows; '{undo or f'dockerlab down {wanted.identity.lab}'}' removes it:"
        nothing = "nothing was made" if keep_failed else "everything that this run had created was removed again"
        raise_for(done, *([told, *(f"  {line}" for line in left)] if left else [nothing]))
    return done


def make_again(
    done: Execution,
    replan: Callable[[], Plan],
    hosts: Mapping[str, Host],
    reporter: Reporter,
    say: Callable[[str], None],
    undo: str = "",
) -> None:
    """Make what an engine no longer runs that was restarted during a run of `up`; `say` is told so."""
    for _ in range(ROUNDS):
        if not done.restarted:
            return
        say(f"the engine of {', '.join(sorted(done.restarted))} was restarted meanwhile: looking at the lab again")
        done = carry_out(replan(), hosts, reporter, undo=undo)
