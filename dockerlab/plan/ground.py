"""The hosts themselves in a plan of `up`: noted before anything is done, and made around the lab's objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dockerlab import render
from dockerlab.command import Command
from dockerlab.ground import firewall, present, receipt
from dockerlab.ground.deeds import Deed, deeds
from dockerlab.ground.present import DOWN, Beneath
from dockerlab.ground.receipt import Receipt, receipts
from dockerlab.hosts.address import LOCAL, parse_address
from dockerlab.identity import Identity
from dockerlab.lab.ground import Ground
from dockerlab.lab.model import Lab
from dockerlab.plan.ground_undone import forgetting, in_turn, undone
from dockerlab.plan.ownership import belongs
from dockerlab.plan.receipts import REMOVE_RECEIPT
from dockerlab.plan.steps import Action, Key, Step
from dockerlab.snapshot import Snapshot

IMAGES = ("image", "built image")


@dataclass(frozen=True)
class Change:
    """What becomes of one host: what is undone, what is made, and what was there before of all that is the lab's."""

    host: str
    ground: Ground
    make: tuple[tuple[Deed, str | None], ...] = ()
    """Each thing to be made, with what is there of it now."""
    undo: tuple[tuple[Deed, str], ...] = ()
    before: Mapping[str, str | None] = field(default_factory=dict)
    old: tuple[Receipt, ...] = ()

    @property
    def needed(self) -> bool:
        """Tell whether anything is done."""
        return bool(self.make or self.undo)

    def lines(self) -> list[str]:
        """Return what is done as one types it."""
        undone = [f"{self.host}: {each.shell()}" for deed, was in self.undo for each in deed.undo(self.host, was)]
        return [
            *undone,
            *(f"{self.host}: {each.shell()}" for deed, now in self.make for each in _making(deed, now, self.host)),
        ]


def written(lab: Lab, host: str, beneath: Beneath | None = None) -> Ground:
    """Return a host's section without preset: ssh stays open on the port by which the host is reached.

    Behind an address that leads elsewhere, that is the port at which we came in.
    """
    ground = lab.grounds.get(host, Ground())
    where = lab.addresses[host]
    port = parse_address(where).port if where not in (None, LOCAL) and where is not None else None
    return firewall.written_out(ground, (port, beneath.ssh if beneath is not None else None))


def late_routes(lab: Lab, host: str, ground: Ground) -> frozenset[int]:
    """Return the numbers of the routes whose router is on a bridge of the lab's own."""
    here = [spec for name, spec in lab.networks.items() if spec.driver == "bridge" and host in lab.hosts_of(name)]
    subnets = [pool.subnet for spec in here for pool in spec.pools]
    return frozenset(
        number
        for number, route in enumerate(ground.routes)
        if route.via is not None and any(route.via in subnet for subnet in subnets)
    )


def changes(
    lab: Lab, identity: Identity, snapshots: Mapping[str, Snapshot], beneath: Mapping[str, Beneath]
) -> dict[str, Change]:
    """Return what becomes of each host of which the lab says something, or has changed something."""
    found = {}
    for host in lab.hosts:
        snapshot = snapshots.get(host, Snapshot(host))
        old = receipt.readable(receipts(snapshot, lambda labels: belongs(labels, identity)))
        if host in lab.grounds or old:
            found[host] = _change(lab, host, old, beneath.get(host))
    return found


def _change(lab: Lab, host: str, old: Sequence[Receipt], beneath: Beneath | None) -> Change:
    ground = written(lab, host, beneath)
    wanted = deeds(ground, lab.name, late_routes(lab, host, ground))
    noted = {deed.key: (deed, each.before[deed.key]) for each in reversed(old) for deed in each.deeds}
    renewed = {
        deed.name
        for deed in wanted
        if deed.kind == "interface" and deed.key in noted and noted[deed.key][0].about != deed.about
    }
    make, before = [], dict[str, str | None]()
    for deed in wanted:
        now = present.now(deed, beneath) if beneath is not None else None
        if beneath is not None and renewed and _is_on(deed, renewed):
            now = None
        right = now in (present.THERE, deed.value) and not (
            deed.kind == "table" and not _is_whole(deed, noted, beneath)
        )
        if deed.key in noted:
            before[deed.key] = noted[deed.key][1]
        elif not right:
            before[deed.key] = now if present.is_value(deed) else ""
        if not right:
            make.append((deed, now))
    keys = {deed.key for deed in wanted}
    gone = [
        each
        for key, each in noted.items()
        if key not in keys or (each[0].kind, each[0].name) in {("interface", name) for name in renewed}
    ]
    undo = list(undone(gone, beneath, lab.name)) if beneath is not None else []
    return Change(host, ground, tuple(make), tuple(undo), before, tuple(old))


def _is_on(deed: Deed, links: set[str]) -> bool:
    spec = deed.about.get("spec")
    return deed.about.get("name") in links or getattr(spec, "dev", None) in links


def _is_whole(deed: Deed, noted: Mapping[str, tuple[Deed, str | None]], beneath: Beneath | None) -> bool:
    """Tell whether the lab's table of nftables is as it was made, and as it is to be."""
    if beneath is None or deed.key not in noted or noted[deed.key][0].about != deed.about:
        return False
    rules = sum(len(chain.rules) for chain in beneath.space.ruleset.chains if chain.table == deed.name)
    return bool(rules == deed.about["rules"])


def _making(deed: Deed, now: str | None, host: str) -> tuple[Command, ...]:
    commands = deed.commands(host)
    return commands[1:] if now == DOWN else commands


def ground_steps(
    lab: Lab, identity: Identity, snapshots: Mapping[str, Snapshot], beneath: Mapping[str, Beneath]
) -> tuple[list[Step], list[Step]]:
    """Return the steps before the lab's objects are made, and those after, in their order on each host."""
    early: list[Step] = []
    late: list[Step] = []
    for host, change in changes(lab, identity, snapshots, beneath).items():
        if not change.needed:
            early += [Step(Key(host, "receipt", receipt.WHAT), "keep")] if change.old else []
            continue
        chain = [_noting(host, identity, change)]
        chain += [
            Step(Key(host, "host", deed.key, "unmake"), "remove", deed.undo(host, was)) for deed, was in change.undo
        ]
        chain += [_making_step(host, deed, now, change) for deed, now in change.make if not deed.late]
        after = [_making_step(host, deed, now, change) for deed, now in change.make if deed.late and deed.make]
        after += [forgetting(host, each.volume) for each in change.old]
        early += in_turn(chain)
        late += in_turn(after)
    return early, late


def _noting(host: str, identity: Identity, change: Change) -> Step:
    name = receipt.name_of(identity)
    undo = (render.command(REMOVE_RECEIPT, host, name=name),)
    note = receipt.note(host, identity, change.ground, change.before)
    action: Action = "recreate" if change.old else "create"
    return Step(Key(host, "receipt", receipt.WHAT), action, (note,), undo, why="\n".join(change.lines()))


def _making_step(host: str, deed: Deed, now: str | None, change: Change) -> Step:
    was = change.before.get(deed.key) or ""
    undo = deed.undo(host, was) if not present.is_value(deed) or was else ()
    return Step(Key(host, "host", deed.key), "create", _making(deed, now, host), undo)


def with_ground(steps: list[Step], early: list[Step], late: list[Step]) -> list[Step]:
    """Return the steps of `up` with those of the hosts themselves in their turn.

    What the lab's objects stand on comes before them and after the engine's restart, the packet filter after them: so
    each line stands where a person puts it who finds the lab running.
    """
    if not early and not late:
        return steps
    last = {step.key.host: step.key for step in early}
    ahead: dict[str, set[Key]] = {}
    made: dict[str, set[Key]] = {}
    for step in steps:
        if step.key.kind in (*IMAGES, "daemon") or step.key.half == "unmake":
            ahead.setdefault(step.key.host, set()).add(step.key)
        if step.key.half == "make":
            made.setdefault(step.key.host, set()).add(step.key)
    first = {host: next(s.key for s in early if s.key.host == host) for host in last}
    begun = [
        replace(s, after=s.after | ahead.get(s.key.host, set())) if s.key == first[s.key.host] else s for s in early
    ]
    kept = [
        replace(s, after=s.after | {last[s.key.host]})
        if s.key.host in last and s.key.half == "make" and s.key.kind not in (*IMAGES, "daemon")
        else s
        for s in steps
    ]
    behind = {
        host: made.get(host, set()) | ({last[host]} if host in last else set()) for host in {s.key.host for s in late}
    }
    heads = {host: next(s.key for s in late if s.key.host == host) for host in behind}
    ended = [replace(s, after=s.after | behind[s.key.host]) if s.key == heads[s.key.host] else s for s in late]
    return [*begun, *kept, *ended]
