"""Why a request is lost, or why nobody can tell: by which rule, in the lab's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

from dockerlab.imagined.origin import origin
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link
from dockerlab.kernel.rules import Chain, Rule
from dockerlab.reach.cells import Target, published
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.segments import Segment, bridge, places
from dockerlab.reach.story import Story
from dockerlab.reach.world import World
from dockerlab.snapshot import GATEWAY_MODE, GATEWAY_MODE_6
from dockerlab.walk.conversation import BEHIND_PROXY
from dockerlab.walk.outcome import Element
from dockerlab.walk.targets import split
from dockerlab.words import RuleId

APART: Mapping[str, RuleId] = {
    "private": "macvlan-private",
    "vepa": "macvlan-vepa",
    "passthru": "macvlan-passthru",
}
"""The modes of macvlan in which children do not simply meet, each with its rule."""
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
        return _by_element(story, target, by)
    if outcome.end == "no route":
        return _no_route(story)
    if outcome.end == "refused":
        return _refused(story, target, port)
    if outcome.end == "left":
        return _unrouted(story, target)
    if outcome.end == "no neighbour":
        return _nobody(story, target)
    return _wire(story, by)


def _decided(story: Story, by: Element | None) -> str:
    """Return what decided in words: where it is, and its text."""
    if by is None:
        return ""
    text = f": {by.text}" if by.text and by.text != by.where else ""
    return f"{by.where} on {story.end}{text}"


def _by_element(story: Story, target: Target, by: Element) -> tuple[RuleId, str]:
    """Return the rule by which an object of a kernel stopped a request."""
    at, subject = story.end, by.subject
    if by.kind == "policy" and isinstance(subject, Chain):
        if (subject.table, subject.name) == ("filter", "FORWARD") and subject.backend != "nft":
            return "forward-policy", f"no rule of {at} accepts it, and the policy of chain FORWARD is DROP"
        return (
            "foreign-policy",
            f"no rule of {at} accepts it, and the policy of {by.where.removesuffix(' policy')} is DROP",
        )
    if by.kind == "rule" and isinstance(subject, Rule):
        return _by_rule(story, target, by, subject)
    if by.kind == "sysctl":
        if by.where.endswith((".ip_forward", ".forwarding")):
            return "ip-forward-off", f"{at} does not forward: {by.where} is 0"
        if by.where.endswith(".rp_filter"):
            return "rp-filter", f"{at} drops it: rp_filter ({by.text}), and its own route to the sender is another one"
        if by.where.endswith(".accept_local"):
            because = f"it comes to {at} from {at}'s own address, by its source: the kernel drops such a martian"
            return "same-address", because
        return "kernel-setting", f"{at} drops it: {by.text or by.where}"
    if by.kind in ("route", "ip-rule"):
        return "policy-route", f"{at} has no way for it: {_decided(story, by)}"
    if story.outcome.end == "too big":
        return "mtu", f"it does not fit: {by.text or by.where} on {at}"
    _ = target
    return _wire(story, by)


def _by_rule(story: Story, target: Target, by: Element, rule: Rule) -> tuple[RuleId, str]:
    """Return which of Docker's rules stopped a request, by its page; a rule of somebody else's is foreign."""
    at, world = story.end, story.world
    line = origin(rule)
    if line is None or not line.page:
        return "foreign-rule", f"{by.where} on {at} {_verb(rule)} it: {by.text}"
    host = story.outcome.at.host
    name = next(
        (m.value for option in ("-o", "-i") for m in rule.matches if m.option == option and m.value != "lo"), ""
    )
    inside = bridge(world, host, name or rule.chain.partition("__")[2])
    program = "iptables" if rule.text.startswith("-A ") else "nftables"
    came = _came_from(story)
    if target.published and line.page in ("bridge-isolation", "bridge-icc") and any(story.translations("DNAT")):
        because = f"{by.where} on {at} drops it: DNAT leads the connection from bridge to bridge, and {line.why}"
        return "publish-no-proxy" if line.page == "bridge-isolation" else "bridge-icc", because
    if line.page == "bridge-icc":
        because = f"inter-container communication is off on {inside.name}: {program} drops what goes from port to port"
        return "bridge-icc", because
    if line.page == "overlay-encrypted":
        return "overlay-encrypted", f"{by.where} on {at} drops it: {line.why}"
    if line.page == "bridge-internal":
        return "bridge-internal", f"{inside} is internal: {program} drops what enters or leaves it"
    if line.page == "publish-loopback":
        return "publish-loopback", f"its port is bound to a loopback address: only {at} itself can connect to that"
    if _routed(world, host, inside.name):
        because = f"{inside} is in gateway mode routed, and lets in pings and published ports alone"
        return "direct-routing", because
    if came is not None and came.kind == "bridge":
        return (
            "bridge-isolation",
            f"{inside} is another bridge of {at}: {program} drops what goes from bridge to bridge",
        )
    where = came if came is not None else "elsewhere"
    because = f"{at} keeps what comes from {where} out of {inside}: nobody reaches its containers directly"
    return "direct-routing", because


def _verb(rule: Rule) -> str:
    return "refuses" if rule.target == "REJECT" else "drops"


def _came_from(story: Story) -> Segment | None:
    """Return the segment on which a request came to where it ended."""
    return next((leg.segment for leg in reversed(story.legs) if leg.to == story.outcome.at), None)


def _no_route(story: Story) -> tuple[RuleId, str]:
    """Return why there is no way on."""
    outcome, world = story.outcome, story.world
    if outcome.by is not None and outcome.by.kind in ("route", "ip-rule"):
        return "policy-route", f"{story.end} has no way for it: {_decided(story, outcome.by)}"
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


def _port_there(story: Story, port: int | None) -> int | None:
    """Return the port to which a connection has come, behind what has translated its destination."""
    for step in story.translations("DNAT"):
        rule = step.element.subject if step.element is not None else None
        options = rule.options if isinstance(rule, Rule) else ()
        aims = [each.value for each in options if each.option == "--to-destination"]
        port = next((int(ports) for _, _, ports in map(split, aims) if ports.isdecimal()), port)
    return port


def _refused(story: Story, target: Target, port: int | None) -> tuple[RuleId, str]:
    """Return why nobody takes a connection."""
    outcome, world = story.outcome, story.world
    if outcome.symptom == BEHIND_PROXY:
        because = (
            f"docker-proxy of {target.to} takes the connection, and nobody answers it: {_decided(story, outcome.by)}"
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


def _gate(story: Story, container: str) -> str:
    """Return the network in gateway mode routed that a container is on, or an empty text."""
    host = story.world.lab.host_of(container)
    places = (network for network, _ in story.world.people.addresses[container])
    return next((str(Segment("bridge", host, name)) for name in places if _routed(story.world, host, name)), "")


def _routed(world: World, host: str, network: str) -> bool:
    """Tell whether a network is in gateway mode routed, for one of the IP versions."""
    state = world.books[host].network(network)
    return state is not None and "routed" in (state.options.get(GATEWAY_MODE), state.options.get(GATEWAY_MODE_6))


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


def _wire(story: Story, by: Element | None) -> tuple[RuleId, str]:
    """Return why a wire does not carry a request."""
    subject = by.subject if by is not None else None
    text = by.text if by is not None else f"it is lost at {story.end}"
    if not isinstance(subject, Link):
        return "policy-route" if by is not None and by.kind == "none" else "link-down", text
    if subject.kind in ("macvlan", "macvtap", "ipvlan", "ipvtap"):
        family = "macvlan" if subject.kind.startswith("macv") else "ipvlan"
        mode = subject.info.get("mode", "")
        if family == "macvlan" and mode in APART:
            return APART[mode], text
        if family == "ipvlan" and subject.info.get("flags", "") in ("private", "vepa"):
            return "ipvlan-flag", text
        because = (
            f"a child of {by.where if by is not None else 'a parent'} and its own host never meet: the frame leaves "
            "through the parent, and the kernel does not hand it back to the host"
        )
        return "macvlan-own-host" if family == "macvlan" else "ipvlan-own-host", because
    here = story.world.fabric.spaces[story.outcome.at].links.get(subject.name)
    where = story.end if here is subject else f"host {story.outcome.at.host}"
    if text.startswith("the MTU of "):
        return "mtu", f"it does not fit: {text}, at {where}"
    if not subject.up or not subject.carrier:
        return "link-down", f"{text}, at {where}"
    return "bridge-port", f"{text}, at {where}"
