"""Why nobody takes a connection, in the lab's words."""

from __future__ import annotations

from ipaddress import ip_address

from dockerlab.kernel.rules import Rule
from dockerlab.reach.cells import Target, published
from dockerlab.reach.segments import Segment, routed
from dockerlab.reach.stopped import decided
from dockerlab.reach.story import Story
from dockerlab.walk.conversation import BEHIND_PROXY
from dockerlab.walk.targets import split
from dockerlab.words import RuleId


def refused(story: Story, target: Target, port: int | None) -> tuple[RuleId, str]:
    """Return why nobody takes a connection."""
    outcome, world = story.outcome, story.world
    if outcome.symptom == BEHIND_PROXY:
        because = (
            f"docker-proxy of {target.to} takes the connection, and nobody answers it: {decided(story, outcome.by)}"
        )
        return "proxy-for-nobody", because
    if not target.published or outcome.at != world.homes.get(target.to):
        arrives = _port_there(story, port)
        return "nothing-listens", f"the connection arrives at {story.end}, where nothing listens on port {arrives}"
    bound = [(each, name) for each, name in published(world, target.to) if each.published == port]
    if not bound:
        return "nothing-published", f"nothing on {target.to} publishes port {port}"
    each, name = bound[0]
    if each.host_ip is not None and each.host_ip.is_loopback:
        return (
            "publish-loopback",
            f"port {port} is bound to {each.host_ip}: only {target.to} itself can connect to that",
        )
    if each.host_ip is not None and not each.host_ip.is_unspecified and each.host_ip != target.address:
        return "publish-address", f"port {port} is bound to {each.host_ip}, not to {{address}}"
    state = world.books[target.to].container(name)
    if state is not None and not state.running:
        return "nothing-published", f"{name}, which publishes port {port}, does not run"
    if state is not None and state.asked is not None and not any(p.host_port == port for p in state.asked):
        return "nothing-published", f"{name} was made without publishing port {port}"
    held = next((p.host_ip for p in state.published if p.host_port == port), "") if state is not None else ""
    if held and not ip_address(held).is_unspecified:
        loopback = ip_address(held).is_loopback
        rule: RuleId = "publish-loopback" if loopback else "publish-address"
        only = f": only {target.to} itself can connect to that" if loopback else ", not to {address}"
        return rule, f"port {port} is bound to {held}{only}"
    routed = _gate(story, name)
    if routed:
        return (
            "publish-routed",
            f"{routed} is in gateway mode routed: port {port} is opened at {name}, not at {target.to}",
        )
    because = f"{name} publishes port {port} without effect: it has no way out through a bridge"
    return "publish-needs-bridge", because


def _port_there(story: Story, port: int | None) -> int | None:
    """Return the port to which a connection has come, behind what has translated its destination."""
    for step in story.translations("DNAT"):
        rule = step.element.subject if step.element is not None else None
        options = rule.options if isinstance(rule, Rule) else ()
        aims = [each.value for each in options if each.option == "--to-destination"]
        port = next((int(ports) for _, _, ports in map(split, aims) if ports.isdecimal()), port)
    return port


def _gate(story: Story, container: str) -> str:
    """Return the network in gateway mode routed that a container is on, or an empty text."""
    host = story.world.lab.host_of(container)
    places = (network for network, _ in story.world.people.addresses[container])
    return next((str(Segment("bridge", host, name)) for name in places if routed(story.world, host, name)), "")
