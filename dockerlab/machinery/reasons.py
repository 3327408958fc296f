"""Why Docker, or the kernel for it, changed something: a sentence for each change; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dockerlab.kernel.model import Forward, Link
from dockerlab.kernel.rules import Chain, Rule
from dockerlab.machinery import sentences
from dockerlab.machinery.diff import Change
from dockerlab.machinery.model import Machinery
from dockerlab.machinery.names import Names, names_of

LINKS = {
    "veth": "a cable: two interfaces, and what goes in at one comes out at the other",
    "bridge": "a switch inside the kernel: what is plugged in can talk to each other, and its address is the way out",
    "macvlan": "a child of the parent interface, with a MAC address of its own on the parent's LAN; no bridge, no NAT",
    "ipvlan": "a child of the parent interface, which shares the parent's MAC address; no bridge, no NAT",
    "vxlan": "the tunnel of an overlay network: it wraps frames into UDP for the other hosts",
    "dummy": "a parent interface that leads nowhere: the network names none",
    "vlan": "the parent interface did not exist: Docker made it, for that VLAN",
}
SIMPLE = {
    ("added", "container"): "the engine's own books",
    ("removed", "container"): "the engine's own books",
    ("changed", "container"): "the engine's own books",
    ("added", "network"): "the engine's own books: what is beneath it follows",
    ("removed", "network"): "the engine's own books",
    (
        "added",
        "namespace",
    ): "interfaces, routes, rules and ports of one's own: that is a network namespace",
    ("removed", "namespace"): "nobody is in it any more, so all that was in it has gone with it",
    ("removed", "link"): "a cable goes with either of its ends; other links when Docker removes their network",
    ("added", "ip-rule"): "it chooses a table of routes for some packets; Docker has none of the kind",
    ("removed", "ip-rule"): "no packets are chosen for that table any more",
    ("added", "port"): "plugged into the bridge: it can talk to whatever else is plugged in",
    ("removed", "port"): "unplugged from the bridge",
    ("removed", "address"): "it went with its interface, or Docker took it back",
    ("removed", "route"): "it went with its interface or address",
    ("removed", "rule"): "what it was for has gone",
    ("removed", "chain"): "its rules have gone",
    ("added", "proxy"): "takes what no rule translates, such as connections to the host's loopback address",
    ("removed", "proxy"): "the port is no longer published",
    ("removed", "forward"): "the container on the other host has gone",
}
SETTINGS = {
    "net/ipv4/ip_forward": "the host has to route between its bridges and the outside",
    "net/ipv6/conf/all/forwarding": "the host has to route between its bridges and the outside",
    "net/bridge/bridge-nf-call-iptables": "what is bridged has to pass the rules of iptables, too",
}
CHANGED = {
    "name": "an interface is moved into its namespace first, and named there",
    "state": "it was switched on or off, or what it is plugged into was",
    "mtu": "no packet may be larger from now on",
    "mac": "each endpoint is given a MAC address of its own",
}
KERNELS_OWN = "the kernel does this by itself"


@dataclass(frozen=True)
class Told:
    """A change with its reason; a `minor` one is the kernel's own doing, wherever an interface comes up."""

    change: Change
    why: str
    minor: bool = False


def tell(changes: Sequence[Change], before: Machinery, after: Machinery) -> list[Told]:
    """Return the changes between two looks, each with why it came about."""
    names = {"added": names_of(after), "changed": names_of(after), "removed": names_of(before)}
    machines = {"added": after, "changed": after, "removed": before}
    told = []
    for change in changes:
        minor = _minor(change)
        why = KERNELS_OWN if minor else _why(change, names[change.verb], machines[change.verb])
        told.append(Told(change, why, minor))
    return told


def _minor(change: Change) -> bool:
    """Tell whether a change is the kernel's own: loopback, link-local addresses and routes, a carrier on a cable."""
    words = change.what.split()
    if change.kind in ("link", "address") and "lo" in words:
        return True
    if change.kind == "address":
        return words[0].startswith(("fe80:", "127.", "::1/"))
    if change.kind == "route":
        return words[0].startswith("fe80:") or words[0] == "multicast"
    return change.kind == "link" and change.verb == "changed" and _passing(change)


def _passing(change: Change) -> bool:
    return isinstance(change.subject, Link) and change.subject.kind == "veth" and " state " in change.what


def _why(change: Change, names: Names, machine: Machinery) -> str:
    subject: Any = change.subject
    why = ""
    if isinstance(subject, Chain):
        why = _chain(change, subject)
    elif change.kind == "setting":
        why = SETTINGS.get(subject, "")
    elif change.verb != "removed":
        why = _there(change, names, machine)
    return why or SIMPLE.get((change.verb, change.kind), "")


def _there(change: Change, names: Names, machine: Machinery) -> str:
    """Return why something is there now, where that depends on what it is."""
    subject = change.subject
    if isinstance(subject, Rule):
        reason = sentences.why(subject)
        return sentences.does(subject, names) + (f" Because: {reason}." if reason else " It is not a rule of Docker's.")
    if isinstance(subject, Forward):
        return f"a container on {subject.to} has this MAC address: frames for it are wrapped and sent there"
    if isinstance(subject, Link):
        return _link(change, subject, names, machine)
    return _route(change) if change.kind == "route" else ""


def _link(change: Change, link: Link, names: Names, machine: Machinery) -> str:
    """Return why an interface, its port or its address is there."""
    meaning = names.interfaces.get(link.name, "") if change.where == "host" else ""
    if change.kind == "port":
        return f"{SIMPLE['added', 'port']} ({names.interface(link.master)})"
    if change.kind == "address":
        if link.kind == "bridge":
            return f"the gateway of the containers of {meaning or 'its network'}: their default route leads here"
        return "from the network's subnet: the engine keeps the books, so that none is given twice"
    if change.verb == "changed":
        return _changed(change, link, machine)
    said = LINKS.get(link.kind, "a new interface")
    return f"{said} ({meaning})" if meaning else said


def _changed(change: Change, link: Link, machine: Machinery) -> str:
    if link.kind == "bridge" and " state " in change.what:
        ports = machine.ground.ports(link.name) if change.where == "host" else ()
        return "a bridge is up while something is plugged in" + ("" if ports else ", and now nothing is")
    if link.kind == "bridge" and " mac " in change.what:
        return "a bridge without an address of its own takes the lowest of its ports'"
    return next((why for key, why in CHANGED.items() if f" {key} " in change.what), "")


def _chain(change: Change, policy: Chain) -> str:
    if change.kind == "policy":
        why = " Docker does so when it turns on forwarding itself: nothing else is to be forwarded"
        docker = (policy.name, policy.policy) == ("FORWARD", "DROP")
        return sentences.policy(policy) + (f" Because:{why}." if docker else "")
    if policy.policy:
        return "the table came into use"
    if change.verb == "removed":
        return SIMPLE["removed", "chain"]
    return "a chain of Docker's own: its rules are kept apart from yours"


def _route(change: Change) -> str:
    words = change.what.split()
    if words[0] == "default":
        return (
            "what is for elsewhere goes to this address, and from there on" if "via" in words else "all goes out here"
        )
    return "comes with the address: its subnet is right there" if "kernel" in words else "a way to somewhere else"
