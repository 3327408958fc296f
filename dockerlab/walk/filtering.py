"""A packet at the hooks of netfilter: chain after chain by priority, until one of them has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dockerlab.kernel.rules import Action, Chain
from dockerlab.walk.conditions import holds
from dockerlab.walk.firewall import Compiled, policy_of
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.targets import EFFECTS, FINAL, Verdict, translate
from dockerlab.walk.tracking import aim, mask

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way

DEEPEST = 64
"""How deep jumps may go: more than any kernel lets them."""


def pass_hook(way: Way, space: Space, packet: Packet, hook: str) -> Verdict | None:
    """Lead a packet through a hook; return what stopped it, or None where it goes on."""
    firewall = space.firewall
    if not firewall.read[packet.version]:
        doubt = f"the firewall's rules of {space.name} for IPv{packet.version} could not be read"
        if way.ask(("unread", space.id, packet.version), doubt):
            return Verdict("DROP", Element("none", "unread rules", doubt))
    for kind, chains in firewall.stages(hook, packet.version):
        if kind == "track":
            way.tracker(space).look(packet)
            continue
        stopped = (_filter if kind == "chain" else _translate)(way, space, packet, hook, chains)
        if stopped is not None:
            return stopped
    if hook in ("input", "postrouting"):
        way.tracker(space).confirm(packet)
    return None


def _filter(way: Way, space: Space, packet: Packet, hook: str, chains: Sequence[Chain]) -> Verdict | None:
    """Lead a packet through a base chain; return its verdict where that stops it."""
    (chain,) = chains
    before = (packet.mark, packet.dscp)
    verdict = _pass_chain(way, space, packet, chain)
    if verdict.target != "ACCEPT":
        return verdict
    if verdict.element.kind == "rule":
        way.note(space, "rule", f"accepted by {verdict.element.where}", verdict.element)
    elif hook == "forward":
        way.note(space, "policy", f"accepted by {verdict.element.where}", verdict.element)
    if chain.kind == "route" and (packet.mark, packet.dscp) != before:
        packet.turned = True
    return None


def _translate(way: Way, space: Space, packet: Packet, hook: str, chains: Sequence[Chain]) -> Verdict | None:
    """Ask the chains of nat about the first packet of a connection, and translate every packet of it."""
    connection = packet.connection
    if connection is None:
        return None
    aiming = hook in ("prerouting", "output")
    asked = connection.aimed_once if aiming else connection.masked_once
    if packet.state == "NEW" and not asked:
        stopped = _ask(way, space, packet, hook, chains)
        if stopped is not None:
            return stopped
        connection.aimed_once, connection.masked_once = (
            connection.aimed_once or aiming,
            connection.masked_once or not aiming,
        )
    before = packet.destination
    (aim if aiming else mask)(packet)
    if hook == "output" and packet.destination != before:
        packet.turned = True
    return None


def _ask(way: Way, space: Space, packet: Packet, hook: str, chains: Sequence[Chain]) -> Verdict | None:
    """Ask the chains of nat what a connection is to be translated to; return what stops it, or None."""
    for chain in chains:
        verdict = _pass_chain(way, space, packet, chain)
        translates = verdict.target not in ("ACCEPT", "DROP", "REJECT")
        if translates:
            verdict = translate(way, space, packet, hook, verdict)
        if verdict.target in ("DROP", "REJECT"):
            return verdict
        if translates:
            return None  # the chains that come later are not asked, whatever the first one said
    return None


def _pass_chain(way: Way, space: Space, packet: Packet, chain: Chain) -> Verdict:
    """Lead a packet through a base chain; return its verdict, with the jumps to it noted."""
    verdict = _walk(way, space, packet, chain, 0)
    if verdict is None:
        return Verdict("ACCEPT" if chain.policy != "DROP" else "DROP", policy_of(chain))
    for element in reversed(verdict.path):
        way.note(space, "jump", f"led on by {element.where}", element)
    return verdict


def _walk(way: Way, space: Space, packet: Packet, chain: Chain, depth: int) -> Verdict | None:
    """Lead a packet through a chain; return a verdict, or None where it comes back to whoever led it there."""
    for each in space.firewall.rules_of(chain).candidates(packet):
        met = holds(each.tests, packet)
        if met is None:
            met = way.ask(("rule", space.id, each.rule, packet.reply, packet.kind, packet.flags), each.doubt)
        if not met:
            continue
        if way.detail:
            way.note(space, "met", f"meets {each.element.where}", each.element)
        verdict, over = _obeyed(way, space, packet, each, depth)
        if over:
            return verdict
    return None


def _obeyed(way: Way, space: Space, packet: Packet, each: Compiled, depth: int) -> tuple[Verdict | None, bool]:
    """Do what a rule says; return its verdict, and whether the chain is over with it."""
    for action in each.rule.actions:
        target, goto = _target(way, space, packet, each, action)
        if target == "RETURN":
            return None, True
        if target in FINAL:
            return Verdict(target, each.element, action), True
        if target in EFFECTS:
            _affect(way, space, packet, action, each)
        elif target:
            verdict = _led(way, space, packet, each, target, depth)
            if verdict is not None or goto:
                return verdict, True
    return None, False


def _affect(way: Way, space: Space, packet: Packet, action: Action, each: Compiled) -> None:
    """Do what a target does to a packet that goes on; note it where it changes something."""
    before = (packet.mark, packet.state, packet.ttl, packet.dscp, packet.connection and packet.connection.mark)
    EFFECTS[action.target](way, space, packet, action, each)
    if before != (packet.mark, packet.state, packet.ttl, packet.dscp, packet.connection and packet.connection.mark):
        way.note(space, "changed", f"changed by {each.element.where}", each.element)


def _led(way: Way, space: Space, packet: Packet, each: Compiled, target: str, depth: int) -> Verdict | None:
    """Lead a packet through the chain that a rule leads to; return a verdict, or None where it comes back."""
    chain = space.firewall.named(each.chain, target)
    if chain is not None and depth < DEEPEST:
        verdict = _walk(way, space, packet, chain, depth + 1)
        return None if verdict is None else replace(verdict, path=(*verdict.path, each.element))
    doubt = f"what target {target} of {each.element.where} on {space.name} does"
    return Verdict("DROP", each.element) if way.ask(("target", space.id, each.rule), doubt) else None


def _target(way: Way, space: Space, packet: Packet, each: Compiled, action: Action) -> tuple[str, bool]:
    """Return what a rule leads to; of a verdict map, what the first line says that is met."""
    if not action.branches:
        return action.target, action.goto
    for branch, tests in each.branches(action, packet):
        met = holds(tests, packet)
        if met is None:
            met = way.ask(("branch", space.id, each.rule, branch), f"which verdict `{each.rule.text}` leads to")
        if met:
            return branch.target, branch.goto
    return "", False
