"""Why a request is lost, or why nobody can tell: by which rule, in the lab's words."""

from __future__ import annotations

import re
from dataclasses import replace

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link
from dockerlab.reach.cells import Target
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.refusals import refused
from dockerlab.reach.segments import Segment, places
from dockerlab.reach.stopped import by_element, decided, wire
from dockerlab.reach.story import Story
from dockerlab.words import RuleId

SILENCED = ("net.ipv4.icmp_echo_ignore_all", "net.ipv6.icmp.echo_ignore_all")
"""The settings by which a kernel takes pings and does not answer them."""
MATCHED = ("rule", "target", "branch", "zone", "range", "port")
"""What is doubtful of a rule of a firewall: whether it is met, what its target does, and what it puts in."""


def loss(story: Story, target: Target, port: int | None) -> Expectation:
    """Return what is said of a request that is lost, or whose answer is."""
    outcome = story.outcome
    swallowed = _swallowed(story, target)
    if swallowed:
        return Expectation(False, "macvlan-passthru", swallowed, outcome.symptom)
    rule, because = _lost(story, target, port) if outcome.answered else _reply(story)
    engine = story.world.engines.get(story.host)
    if rule == "bridge-icc" and target.published and engine is not None and engine.peers_untold:
        what = "lets containers with icc off in at ports that their neighbours publish: moby #53723 changes it, and"
        return Expectation(None, rule, f"no claim: whether engine {engine} {what} with which release is not known")
    return Expectation(False, rule, because, outcome.symptom)


def _swallowed(story: Story, target: Target) -> str:
    """Return how a child in mode passthru got what was meant for somebody else, or an empty text."""
    leg = story.legs[-1] if story.legs else None
    if leg is None or leg.to != story.outcome.at or story.end in (target.holder, story.source):
        return ""
    link = story.world.fabric.spaces[leg.to].links.get(leg.came_by)
    if link is None or link.info.get("mode") != "passthru":
        return ""
    return f"{story.end}, a child in mode passthru, gets all that comes to its parent on {leg.segment}"


def unsure(story: Story, target: Target, port: int | None) -> Expectation:
    """Return what is said where it depends on something that nobody can see; what the lab itself tells, counts."""
    outcome = story.outcome
    meant = target.address if outcome.answered else outcome.seen_from
    hop = outcome.router if outcome.router is not None else meant
    known = outcome.router is not None and outcome.router in story.world.fabric.routers.get(outcome.lan, ())
    elsewhere = [place for place in places(story.world, hop) if (place.kind, place.name) != ("lan", outcome.lan)]
    if outcome.end in ("left", "no neighbour") and outcome.lan and elsewhere and not known and not outcome.topic:
        because = _elsewhere(Segment("lan", "", outcome.lan), elsewhere, outcome.router)
        if not outcome.answered:
            astray = because.replace("{address}", "{source}'s address")
            because = f"the request arrives at {{to}}, but its reply goes astray: {astray}"
            return Expectation(False, "reply-lost", because, "reply lost" if port is None else "timeout")
        return Expectation(False, "other-segment", _by_way_of(story, because), "host unreachable")
    return Expectation(None, _unseen(story), f"no claim: {_of_any(outcome.doubt, target.address)}")


def _of_any(text: str, address: IpAddress | None) -> str:
    """Return a text with a place for the address that is asked for: all who fare alike are told by one text."""
    return (
        text if address is None else re.sub(rf"(?<![\w.:]){re.escape(str(address))}(?![\w:]|\.\d)", "{address}", text)
    )


def _elsewhere(here: Segment, elsewhere: list[Segment], router: IpAddress | None) -> str:
    """Return in words that an address is asked for on one layer 2 and is on another one."""
    asked = "{address}" if router is None else str(router)
    because = (
        f"{asked} counts as a neighbour on {here}, by its subnet, but it is on "
        f"{' and '.join(sorted(map(str, elsewhere)))}: another layer 2, where the ARP request does not come"
    )
    return because if router is None else f"the default route leads to {router}; {because}"


def _unrouted(story: Story, target: Target) -> tuple[RuleId, str]:
    """Return why a router of a LAN has no way to an address."""
    elsewhere = [place for place in places(story.world, target.address) if place.closed]
    here = elsewhere[0] if elsewhere else "a network"
    router = f"router {story.outcome.router}"
    because = f"{{address}} is on {here}, of which no router outside knows: {router} has no route to it"
    return "unrouted", _by_way_of(story, because)


def _unseen(story: Story) -> RuleId:
    """Return the rule that says what cannot be seen."""
    outcome = story.outcome
    subject = outcome.by.subject if outcome.by is not None else None
    if outcome.topic in MATCHED:
        return "unseen-match"
    if outcome.topic and outcome.topic != "answer":
        return "unseen-forwarding"
    if outcome.lan:
        routers = story.world.fabric.routers.get(outcome.lan, ())
        return "unseen-lan" if outcome.router not in routers or outcome.router is None else "unseen-router"
    if isinstance(subject, Link) and subject.kind in ("macvlan", "macvtap"):
        return "macvlan-passthru" if subject.info.get("mode") == "passthru" else "macvlan-vepa"
    if isinstance(subject, Link) and subject.kind in ("ipvlan", "ipvtap"):
        return "ipvlan-flag" if subject.info.get("flags", "bridge") != "bridge" else "unseen-router"
    return "unseen-forwarding"


def _by_way_of(story: Story, because: str) -> str:
    """Return why, with the host that the request went through first."""
    if story.end == story.source:
        return because
    return f"it goes out through {story.end}, and there: {because.replace('{source}', story.end)}"


def _reply(story: Story) -> tuple[RuleId, str]:
    """Return the rule of a request that arrived and whose answer does not come back."""
    outcome = story.outcome
    if outcome.end == "left" and outcome.arrived is None:
        return "no-masquerade", "it arrives with {source}'s own address, to which no machine out there has a route"
    if outcome.by is not None and outcome.by.where in SILENCED:
        return "kernel-setting", f"the request arrives at {{to}}, which does not answer it: {outcome.by.text}"
    answering = story.called(outcome.arrived) if outcome.arrived is not None else story.end
    back = Story(story.world, answering, replace(outcome, steps=outcome.back, answered=True, reachable=False))
    if outcome.end == "delivered":
        why = f"{{address}} is {back.end} from there"
    else:
        why = _lost(back, Target(story.source, outcome.seen_from, story.source), None)[1]
    turned = "{to}".join(part.replace("{to}", "{source}") for part in why.split("{source}"))
    sender = str(outcome.seen_from) if story.masqueraded_by else "{source}'s address"
    return (
        "reply-lost",
        f"the request arrives at {{to}}, but its reply goes astray: {turned.replace('{address}', sender)}",
    )


def _lost(story: Story, target: Target, port: int | None) -> tuple[RuleId, str]:
    """Return the rule of a request that did not arrive."""
    outcome, by = story.outcome, story.outcome.by
    stopped = outcome.end in ("dropped", "rejected", "martian", "too big")
    if by is not None and (stopped or by.kind in ("rule", "policy")):
        return by_element(story, target, by)
    if outcome.end == "no route":
        return _no_route(story)
    if outcome.end == "refused":
        return refused(story, target, port)
    if outcome.end == "left":
        return _unrouted(story, target)
    if outcome.end == "no neighbour":
        return _nobody(story, target)
    return wire(story, by)


def _no_route(story: Story) -> tuple[RuleId, str]:
    """Return why there is no way on."""
    outcome, world = story.outcome, story.world
    if outcome.by is not None and outcome.by.kind in ("route", "ip-rule"):
        return "policy-route", f"{story.end} has no way for it: {decided(story, outcome.by)}"
    if story.end != story.source:
        return (
            "no-default-route",
            f"it goes out through {story.end}, and there: {story.end} has no route to {{address}}",
        )
    space = world.space(story.source)
    links = [link for link in space.links if link.name != "lo"] if space is not None else []
    if not links:
        return "none", "{source} has no interface but loopback"
    nets = [world.books[story.host].network(n) for n, _ in world.people.addresses.get(story.source, ())]
    shut = next((state for state in nets if state is not None and state.internal and state.driver == "bridge"), None)
    if shut is not None:
        inside = f"{shut.name} is internal: iptables drops what enters or leaves it; later engines give no route"
        return "bridge-internal", inside
    because = "{source} has no route to {address}: no network of its leads there, and it has no default route"
    return "no-default-route", because


def _nobody(story: Story, target: Target) -> tuple[RuleId, str]:
    """Return why nobody answers for an address."""
    here = story.asked_on
    elsewhere = [place for place in places(story.world, story.router or target.address) if place != here]
    if elsewhere and here is not None:
        return "other-segment", _by_way_of(story, _elsewhere(here, elsewhere, story.router))
    asked = "{address}" if story.router is None else str(story.router)
    because = f"nobody on {here or 'the wire'} holds {asked}"
    if story.router is not None:
        because = f"the default route leads to {asked}; {because}"
    return "nobody-there", _by_way_of(story, because)
