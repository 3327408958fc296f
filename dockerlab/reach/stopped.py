"""By which object of a kernel a request was stopped, in the lab's words: a rule, a policy, a setting, a wire."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.imagined.origin import origin
from dockerlab.kernel.model import CHILDREN, Link
from dockerlab.kernel.rules import Chain, Rule
from dockerlab.reach.cells import Target
from dockerlab.reach.segments import Segment, bridge, routed
from dockerlab.reach.story import Story
from dockerlab.walk.outcome import Element
from dockerlab.words import RuleId

APART: Mapping[str, RuleId] = {
    "private": "macvlan-private",
    "vepa": "macvlan-vepa",
    "passthru": "macvlan-passthru",
}
"""The modes of macvlan in which children do not simply meet, each with its rule."""


def by_element(story: Story, target: Target, by: Element) -> tuple[RuleId, str]:
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
        return "policy-route", f"{at} has no way for it: {decided(story, by)}"
    if story.outcome.end == "too big":
        return "mtu", f"it does not fit: {by.text or by.where} on {at}"
    return wire(story, by)


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
    if routed(world, host, inside.name):
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


def wire(story: Story, by: Element | None) -> tuple[RuleId, str]:
    """Return why a wire does not carry a request."""
    subject = by.subject if by is not None else None
    text = by.text if by is not None else f"it is lost at {story.end}"
    if not isinstance(subject, Link):
        return "policy-route" if by is not None and by.kind == "none" else "link-down", text
    here = story.world.fabric.spaces[story.outcome.at].links.get(subject.name)
    where = story.end if here is subject else f"host {story.outcome.at.host}"
    if text.startswith("the MTU of "):
        return "mtu", f"it does not fit: {text}, at {where}"
    if not subject.up or not subject.carrier:
        return "link-down", f"{text}, at {where}"
    if subject.kind in CHILDREN:
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
    return "bridge-port", f"{text}, at {where}"


def decided(story: Story, by: Element | None) -> str:
    """Return what decided in words: where it is, and its text."""
    if by is None:
        return ""
    text = f": {by.text}" if by.text and by.text != by.where else ""
    return f"{by.where} on {story.end}{text}"
