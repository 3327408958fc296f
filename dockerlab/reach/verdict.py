"""From the outcome of a walk to what is said of a cell: by which rule it is as it is, and why, in the lab's words."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.reach.cells import Target, published
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.losses import loss, unsure
from dockerlab.reach.segments import Segment
from dockerlab.reach.story import Story
from dockerlab.reach.world import World
from dockerlab.walk.fate import REPLY_LOST, TIMEOUT
from dockerlab.walk.outcome import Outcome, SpaceId
from dockerlab.words import RuleId

NEIGHBOURS: Mapping[str, RuleId] = {
    "bridge": "same-bridge",
    "overlay": "same-overlay",
    "dummy": "same-dummy",
    "ipvlan": "same-ipvlan",
}
"""By which rule neighbours reach each other on a segment of each kind."""


def verdict(world: World, source: str, target: Target, port: int | None, outcome: Outcome) -> Expectation:
    """Return what an outcome says of a cell: `source` is whose namespace asks, `port` None for a ping."""
    story = Story(world, source, outcome)
    wrong = _wrong_answerer(story, target, port)
    if wrong is not None:
        return wrong
    if outcome.reachable is None:
        return unsure(story, target, port)
    if not outcome.reachable:
        return loss(story, target, port)
    behind = _published(story, target, port)
    if behind is not None and story.served_by is not None and _unsettled(story):
        what = f"whether {target.to} runs docker-proxy: its daemon.json could not be read"
        return Expectation(None, "publish-no-proxy", f"no claim: {what}")
    if behind is not None:
        return Expectation(True, "published", behind)
    if target.published and port is not None and _kept(story, target, port):
        # dockerd listens there and accepts nobody: the kernel greets as many as its backlog holds.
        what = f"with neither iptables rules nor docker-proxy, dockerd of {target.to} only keeps the port from others"
        return Expectation(None, "publish-no-proxy", f"no claim: {what}")
    rule, because = _way(story, target)
    return Expectation(True, rule, because)


def _wrong_answerer(story: Story, target: Target, port: int | None) -> Expectation | None:
    """Return the loss of a request that somebody else than is meant takes, or None."""
    world, outcome = story.world, story.outcome
    if outcome.arrived is None or outcome.arrived in _meant(world, target, port):
        return None
    if outcome.reachable is False and outcome.end == "refused" and port is None:
        return None
    at = story.called(outcome.arrived)
    reply = "" if outcome.answered else ", whose reply goes astray"
    led = any(story.translations("DNAT", "REDIRECT"))
    because = (
        f"from {{source}}, {{address}} is led to {at}, and not to {{to}}{reply}: {taken_by(story)}"
        if led
        else f"from {{source}}, {{address}} is {at}, not {{to}}{reply}: {_way(story, target)[1]}"
    )
    if outcome.reachable is None:
        return Expectation(None, "same-address", f"no claim: {because}, and {outcome.doubt}")
    symptom = "wrong answerer" if outcome.reachable else outcome.symptom
    if symptom == REPLY_LOST:
        symptom = TIMEOUT  # the one who is meant has lost no reply
    return Expectation(False, "same-address", because, symptom)


def _meant(world: World, target: Target, port: int | None) -> set[SpaceId]:
    """Return the namespaces that may take a request: that of the target's holder, or behind a published port.

    An address of nobody in the lab is meant for whoever holds it all the same: somebody may have been given it by hand.
    """
    if target.holder is None and target.to not in world.homes:
        return {home for home in world.homes.values() if target.address in world.fabric.spaces[home].own}
    names = {target.holder or target.to}
    if target.published and port is not None:
        names |= {world.people.of[name] for bound, name in published(world, target.to) if bound.published == port}
    return {world.homes[name] for name in names if name in world.homes}


def _published(story: Story, target: Target, port: int | None) -> str | None:
    """Return how a published port leads to its container, or None for what the host itself takes."""
    world, outcome = story.world, story.outcome
    if not target.published or port is None or outcome.arrived in (None, world.homes.get(target.to)):
        return None
    container = story.called(outcome.arrived)
    inside = next((bound.target for bound, name in published(world, target.to)
                   if bound.published == port and world.people.of[name] == container), port)  # fmt: skip
    return f"{target.to} publishes port {port}: {taken_by(story)} leads to port {inside} of {container}"


def _unsettled(story: Story) -> bool:
    """Tell whether docker-proxy decides and it is not known whether there is any: it comes from another network."""
    people, at = story.world.people, story.called(story.outcome.arrived)
    own = {network for network, _ in people.addresses.get(story.source, ())}
    theirs = {network for network, _ in people.addresses.get(at, ())}
    return story.host in story.world.unsettled and not story.from_host and own.isdisjoint(theirs)


def _kept(story: Story, target: Target, port: int) -> bool:
    """Tell whether it is the engine itself that listens on a published port, and nobody of the lab."""
    lab, people = story.world.lab, story.world.people
    inside = (spec for name, spec in lab.containers.items() if people.of[name] == target.to)
    return bool(published(story.world, target.to)) and not any(port in spec.listens for spec in inside)


def taken_by(story: Story) -> str:
    """Return what takes a connection from a host's published port to the container, in words."""
    if story.served_by is not None:
        return "docker-proxy on the host"
    step = next(iter(story.translations("DNAT", "REDIRECT")), None)
    if step is None:
        return "the host"
    where = step.element.where if step.element is not None else "a rule"
    masked = ", and MASQUERADE on the way out" if story.masqueraded_by else ""
    return f"DNAT in {where}{masked}"


def _way(story: Story, target: Target) -> tuple[RuleId, str]:
    """Return the rule by which a request came to its end, and why."""
    if story.outcome.end == "left":
        return _beyond(story, target)
    if not story.legs:
        because = "{address} is an address of the network namespace that {source} is in: the packet never leaves it"
        return "own-address", because
    if story.masqueraded_by:
        return _masqueraded(story)
    if story.through:
        because = f"{story.through[-1]} passes it on with its sender's own address, and the reply finds the way back"
        return "routed", because
    return _direct(story, target)


def _direct(story: Story, target: Target) -> tuple[RuleId, str]:
    """Return the rule by which one reaches a neighbour, who may be a host with more addresses than the one there."""
    segment, end = story.legs[-1].segment, story.called(story.legs[-1].to)
    at_host = end in story.world.lab.hosts
    if at_host and not _is_there(story, target):
        return "host-local", f"{{address}} is an address of {end} itself: the packet is delivered there, not forwarded"
    if not segment.closed:
        return "same-lan", f"both are on {segment}: plain ARP from neighbour to neighbour, no NAT, no rule of Docker's"
    if story.from_host:
        because = f"the host {story.source} is itself on {segment}, and nothing filters what it sends there"
        return "host-to-bridge", because
    if at_host:
        return "host-local", f"{{address}} is the host's own address on {segment}"
    return NEIGHBOURS[segment.kind], f"both are on {segment}: one layer 2, nothing in between"


def _is_there(story: Story, target: Target) -> bool:
    """Tell whether the address is one of the interface at which the request came in."""
    leg = story.legs[-1]
    space = story.world.fabric.spaces[leg.to]
    came = next((link for link in space.links.values() if link.name == leg.came_by), None)
    return came is not None and any(address.ip == target.address for address in came.addresses)


def _masqueraded(story: Story) -> tuple[RuleId, str]:
    host = story.masqueraded_by
    because = f"it goes out through {host}, which puts its own address in place of {{source}}'s (MASQUERADE)"
    return "masquerade", because


def _beyond(story: Story, target: Target) -> tuple[RuleId, str]:
    """Return the rule by which a request leaves the lab, by a router of a LAN."""
    if story.masqueraded_by:
        return _masqueraded(story)
    if story.through:
        because = f"{story.through[-1]} passes it on with its sender's own address, and the reply finds the way back"
        return "routed", because
    if story.outcome.router is None:
        lan = Segment("lan", "", story.outcome.lan)
        return "same-lan", f"both are on {lan}: plain ARP from neighbour to neighbour, no NAT, no rule of Docker's"
    return "outside", f"router {story.outcome.router} leads to the outside, where the definition puts {target.to}"
