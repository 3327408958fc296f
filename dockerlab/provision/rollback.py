"""After a failed `up`: what this run has made, by what the hosts show and not by what we believe, and its removal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial

from dockerlab import plan
from dockerlab.daemon.state import header
from dockerlab.errors import DockerlabError
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity
from dockerlab.plan import Key, Plan
from dockerlab.plan.daemons import put_back
from dockerlab.plan.ownership import belongs
from dockerlab.provision import beneath, stale
from dockerlab.provision.execute import Execution, execute
from dockerlab.provision.reporting import Reporter
from dockerlab.snapshot import LABEL_OWNER, LABEL_RUN, Snapshot
from dockerlab.survey import Answers, settings, survey

Look = Callable[[Mapping[str, Host]], Answers[Snapshot]]

ROUNDS = 3
"""How often the hosts are looked at: what was asked of an engine before a loss may come into being after it."""


def roll_back(
    done: Execution, identity: Identity, hosts: Mapping[str, Host], reporter: Reporter, look: Look = survey
) -> list[str]:
    """Remove all that carries this run's label from the hosts that answer; return what is left, a line each.

    What was there before, what somebody else has made under one of our names, and what was only kept have other labels
    and stay. Ctrl-C ends it at once.
    """

    def see(host: Host, _names: Collection[str]) -> Snapshot:
        found = look({host.name: host})
        if host.name in found.failures:
            raise found.failures[host.name]
        return found.answers[host.name]

    failures: dict[Key, DockerlabError] = {}
    cure = partial(stale.cures, look=see)
    for _ in range(ROUNDS):
        seen = look(_touched(done, hosts))
        removal = _removal(seen.answers, identity, hosts)
        if not removal.steps:
            break
        failures = execute(removal, hosts, reporter, keep_going=True, stoppable=False, cure=cure).failures
    return [
        *_silent(seen, done),
        *removal.notes,
        *(f"{step.key}: {failures[step.key]}" if step.key in failures else f"{step.key}" for step in removal.changes),
        *_settings_back(done, identity, hosts, reporter),
    ]


def _settings_back(done: Execution, identity: Identity, hosts: Mapping[str, Host], reporter: Reporter) -> list[str]:
    """Put back the settings of the engines that a run has begun to change; return what is left of that, a line each."""
    begun = {step.key.host: hosts[step.key.host] for step in done.begun if step.key.kind == "daemon" and step.commands}
    if not begun:
        return []
    found, seen = settings(begun), survey(begun)
    steps, notes = put_back(found.answers, seen.answers, lambda labels: _whose(labels, identity), frozenset())
    failures = execute(Plan(tuple(steps)), hosts, reporter, keep_going=True, stoppable=False).failures
    silent = [f"the settings of the engine, perhaps: {error}" for error in found.failures.values()]
    return [*silent, *notes, *(f"{key}: {failure}" for key, failure in failures.items())]


def _whose(labels: Mapping[str, str], identity: Identity) -> bool:
    """Tell whether a change of settings is this lab's, whichever run of it has made it."""
    return belongs(labels, replace(identity, owner=header(identity)[LABEL_OWNER]))


def made(
    done: Execution, identity: Identity, hosts: Mapping[str, Host], _reporter: Reporter, look: Look = survey
) -> list[str]:
    """Return what a run has made and is there now, a line each; nothing is changed."""
    seen = look(_touched(done, hosts))
    removal = _removal(seen.answers, identity, hosts)
    return [*_silent(seen, done), *removal.notes, *(str(step.key) for step in removal.changes)]


def _touched(done: Execution, hosts: Mapping[str, Host]) -> dict[str, Host]:
    """Return the hosts on which something was begun."""
    return {host: hosts[host] for host in hosts if any(step.key.host == host for step in _begun(done))}


def _begun(done: Execution) -> list[plan.Step]:
    return [s for s in done.begun if s.action in ("create", "recreate") and s.key.kind != "image"]


def _removal(snapshots: Mapping[str, Snapshot], identity: Identity, hosts: Mapping[str, Host]) -> Plan:
    """Return the plan that removes what this run has made."""

    def ours(labels: Mapping[str, str]) -> bool:
        return belongs(labels, identity) and labels.get(LABEL_RUN) == identity.run

    def before(labels: Mapping[str, str]) -> bool:
        return belongs(labels, identity) and labels.get(LABEL_RUN) != identity.run

    return plan.remove(snapshots, ours, beneath=beneath.for_down(hosts, snapshots, ours), lasting=before)


def _silent(seen: Answers[Snapshot], done: Execution) -> list[str]:
    """Return what may be on hosts that do not answer."""
    return [
        f"{step.key}, perhaps: {seen.failures[step.key.host]}"
        for step in _begun(done)
        if step.key.host in seen.failures
    ]
