"""Judgements on what becomes of containers' packets on a machine as it is: its firewall, routes and settings."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from dockerlab import modes
from dockerlab.doctor.advice import as_root, restart_engine
from dockerlab.doctor.case import ELSEWHERE, Case
from dockerlab.doctor.condition import Condition
from dockerlab.doctor.look import Patient
from dockerlab.drift.undo import RESTART
from dockerlab.facts import Facts
from dockerlab.finding import Finding, Remedy
from dockerlab.lab.loader import loads
from dockerlab.modes.bridge import DEFAULT
from dockerlab.survey import Seen
from dockerlab.verify.beforehand import Foreseen, foresee
from dockerlab.verify.cause import Cause, how_many

SUBJECTS = {"rule": "firewall", "policy": "firewall", "route": "route", "ip-rule": "route", "link": "interface"}

PROBE = """
name: probe
hosts: {{{host}: null}}
outside: {{internet: 203.0.113.10}}
networks: {{probe: {{}}}}
containers:
  one: {{host: {host}, networks: [probe], ports: ["{port}:80"]}}
  other: {{host: {host}, networks: [probe]}}
"""
"""What containers mostly are: two on a bridge of their own, of which one is published. It is never made."""
ON_DOCKER0 = """
  plain: {{host: {host}}}
  mate: {{host: {host}}}
"""
"""Two more on docker0, whose rules are not written again with every network that is made."""
PORT = 47080


def findings(patient: Patient, case: Case | None) -> Iterator[Finding]:
    """Yield what keeps the packets of a lab, or of containers as they mostly are, from faring as they should.

    The policy DROP of FORWARD is no fault by itself: the engine sets it, and lets its own networks through by rules.
    """
    facts, condition = patient.facts, patient.condition
    if facts is None or condition is None or patient.snapshot is None:
        return
    unseen = _unseen(patient)
    if not facts.settings.iptables and facts.ground.forward_policy is not None:
        yield _without_rules(facts)
        return
    if unseen:
        words = "" if facts.root else "look again as root"
        yield Finding(facts.host, "firewall", "unknown", unseen, Remedy(words=words))
        return
    told = dict(_told(patient, case))
    for cause, hurt in told.items():
        subject = SUBJECTS.get(cause.kind, cause.where)
        said = f"{cause.text}, by which {hurt}"
        yield Finding(facts.host, subject, "problem", said, remedy(cause, facts, condition))
    if not any(SUBJECTS.get(cause.kind) == "firewall" for cause in told):
        policy = facts.ground.forward_policy
        said = f"it lets through what Docker means to be let through; the policy of FORWARD is {policy}"
        yield Finding(facts.host, "firewall", "ok", said)


def _told(patient: Patient, case: Case | None) -> Iterator[tuple[Cause, str]]:
    """Yield the causes on a host, and whom they hurt: cells of the lab, or whatever containers there are on a bridge.

    A lab that has bridges there may be as it should where containers are not: it need not ask who is outside.
    """
    foreseen = case.foreseen if case is not None else None
    own = foreseen.causes if foreseen is not None else {}
    for cause, cells in own.items():
        if cause.host == patient.host:
            yield cause, f"{how_many(cells)} of the lab would not be as they should"
    if foreseen is None or (case is not None and case.wants(patient.host).forwarding):
        for cause in foresee_probe(patient).causes:
            if cause not in own:
                yield cause, "containers on a bridge would not reach others, or be reached, as they should"


def _unseen(patient: Patient) -> str:
    """Return why nothing can be said of a machine's firewall, or nothing."""
    if patient.kernel is None:
        return f"its kernel could not be looked at: {str(patient.blind).removeprefix(f'{patient.host}: ')}"
    ground = patient.kernel.ground
    if "rules" in ground.unread:
        return f"the rules could not be read: {ground.unread['rules']}"
    if not ground.ruleset.read:
        return "the rules could not be read: " + ("; ".join(ground.ruleset.unread) or "nobody said why")
    return ""


def _without_rules(facts: Facts) -> Finding:
    """Return what becomes of packets where the engine is told to keep no rules."""
    policy = facts.ground.forward_policy
    told = f"the engine is told to keep no rules (`iptables: false`), and the policy of FORWARD is {policy}"
    if policy == "ACCEPT":
        return Finding(facts.host, "firewall", "ok", told)
    words = "or take `iptables: false` out of daemon.json; this lets through all that the host could forward"
    opened = as_root(facts, "iptables", "-P", "FORWARD", "ACCEPT")
    return Finding(facts.host, "firewall", "problem", f"{told}: nothing is forwarded", Remedy((opened,), words))


def foresee_probe(patient: Patient) -> Foreseen:
    """Return what would become of containers as they mostly are on one host."""
    if patient.snapshot is None or patient.facts is None or patient.kernel is None:
        raise ValueError(f"{patient.host} has not told enough")
    text = PROBE + (ON_DOCKER0 if patient.snapshot.network(DEFAULT) is not None else "")
    text = text.format(host=json.dumps(patient.host), port=PORT)
    lab = loads(text, networks=modes.network_types())
    host = patient.host
    return foresee(lab, Seen({host: patient.snapshot}, {host: patient.facts}, {host: patient.kernel}), ELSEWHERE)


def remedy(cause: Cause, facts: Facts, condition: Condition) -> Remedy:
    """Return what mends a cause: commands that a person has to want, for what a stranger did on a host may be meant."""
    if cause.undo == RESTART:
        words = "which puts them back"
        if facts.ground.forward_policy == "DROP":
            # The tutorials' remedy lets everything through that the host could forward: never done unasked.
            opened = " ".join(as_root(facts, "iptables", "-P", "FORWARD", "ACCEPT"))
            words += f"; '{opened}' alone lets through all that the host could forward, and brings no NAT"
        return Remedy((restart_engine(facts, condition),), words)
    commands: list[list[str]] = [[]]
    for word in shlex.split(cause.undo):
        if word == "&&":
            commands.append([])
        else:
            commands[-1].append(word)
    return Remedy(tuple(as_root(facts, *words) for words in commands if words))
