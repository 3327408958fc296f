"""The engines' own settings in a plan: changed before anything is made on a host, put back after everything is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dockerlab.daemon import Change, DaemonFile, change, commands, running
from dockerlab.identity import Identity
from dockerlab.plan.ownership import belongs
from dockerlab.plan.steps import Action, Key, Ours, Step
from dockerlab.snapshot import LABEL_FINGERPRINT, Snapshot

if TYPE_CHECKING:
    from dockerlab.lab.model import Lab

NAME = "settings"
IMAGES = ("image", "built image")


def changes(lab: Lab, identity: Identity, files: Mapping[str, DaemonFile]) -> dict[str, Change]:
    """Return what becomes of each engine's settings that were looked at and are not as the definition says.

    Where the definition no longer says anything of an engine that this lab has changed, its own settings come back.
    What another lab has changed stays: `refusals` lets pass only what is as this lab wants it already.
    """
    found = {}
    for host, file in files.items():
        daemon, free = lab.daemons.get(host), file.kept is None
        if _ours(file, identity) or (daemon is not None and free):
            found[host] = change(file, daemon)
    return {host: wanted for host, wanted in found.items() if wanted.needed or host not in lab.daemons}


def daemon_steps(lab: Lab, identity: Identity, files: Mapping[str, DaemonFile]) -> list[Step]:
    """Return one step for each engine that was looked at and of which the lab says anything, or no longer does."""
    wanted = changes(lab, identity, files)
    steps = []
    for host, file in files.items():
        if host not in wanted:
            steps += [Step(Key(host, "daemon", NAME), "keep")] if host in lab.daemons else []
        elif host in lab.daemons:
            made, diff = commands.apply(wanted[host], file, identity), "\n".join(wanted[host].diff())
            action: Action = "recreate" if _ours(file, identity) else "create"
            undo = commands.undo(wanted[host], file, identity)
            steps.append(Step(Key(host, "daemon", NAME), action, made, undo, why=diff))
        else:
            steps.append(restoring(file, ()))
    return steps


def restoring(file: DaemonFile, after: Iterable[Key]) -> Step:
    """Return the step that makes an engine's settings what they were before the lab."""
    return Step(Key(file.host, "daemon", NAME, "unmake"), "remove", commands.restore(file), after=frozenset(after))


def foreseen(snapshot: Snapshot, wanted: Change, identity: Identity) -> Snapshot:
    """Return an engine as it is for the plan once it is restarted: nothing of the lab runs on.

    Where the pools change, the lab's networks whose subnets come from there are others as well.
    """
    containers = [
        replace(c, running=False, status="exited") if belongs(c.labels, identity) else c for c in snapshot.containers
    ]
    pooled = "default-address-pools" in wanted.keys
    networks = [
        replace(n, labels={**n.labels, LABEL_FINGERPRINT: "-"}) if pooled and belongs(n.labels, identity) else n
        for n in snapshot.networks
    ]
    return replace(snapshot, containers=tuple(containers), networks=tuple(networks))


def with_daemons(steps: list[Step], daemons: list[Step]) -> list[Step]:
    """Return the steps of `up` in their turn: what goes, then the engines' restarts, then what is made.

    An image that cannot be had must not cost anything: images come first of all.
    """
    if not daemons:
        return steps
    own = {step.key.host: step.key for step in daemons}
    everywhere = frozenset(own.values())
    ordered = []
    for step in steps:
        made = step.key.half == "make" and step.key.kind not in IMAGES
        wide = step.key.kind in ("swarm", "receipt")
        before = everywhere if wide else frozenset(key for host, key in own.items() if host == step.key.host)
        ordered.append(replace(step, after=step.after | before) if made else step)
    first: dict[str, set[Key]] = {}
    for step in steps:
        if step.key.half == "unmake" or step.key.kind in IMAGES:
            first.setdefault(step.key.host, set()).add(step.key)
    return [*(replace(s, after=s.after | first.get(s.key.host, set())) for s in daemons), *ordered]


def put_back(
    files: Mapping[str, DaemonFile], snapshots: Mapping[str, Snapshot], ours: Ours, after: frozenset[Key]
) -> tuple[list[Step], list[str]]:
    """Return the steps that undo what labs that are `ours` changed of engines, and notes on what has to stay."""
    steps, notes = [], []
    for host, file in files.items():
        if file.kept is None or not ours(file.kept.labels):
            continue
        names = running(snapshots[host], ours) if host in snapshots else ""
        if not file.root:
            notes.append(f"{host}: {file.path} is kept: it is root's, and the login is not: run down again as root")
        elif file.edited:
            notes.append(
                f"{host}: {file.path} is kept, because somebody else has changed it since: what it was before the lab "
                f"stands in {file.path}.dockerlab; remove that file when you have taken from it what you want"
            )
        elif names and not snapshots[host].live_restore:
            notes.append(
                f"{host}: {file.path} is kept, because a restart of the engine would stop {names}; stop them and then "
                "run down again"
            )
        else:
            steps.append(restoring(file, after))
    return steps, notes


def _ours(file: DaemonFile, identity: Identity) -> bool:
    return file.kept is not None and file.kept.belongs(identity)
