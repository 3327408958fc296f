"""The packet filter's part of a host's section: presets written out as lines, and how a lab's own rules are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from dockerlab.lab.filter_lines import FilterLine, filter_line

if TYPE_CHECKING:
    from dockerlab.lab.ground import Firewall, Ground, NftChain

SSH = 22
FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
MARK = "dockerlab"
"""How the comment of a rule begins that is a lab's."""
OWN = "-A INPUT -i lo -j ACCEPT"
ANSWERS = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
PING = {
    "iptables": "-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT",
    "ip6tables": "-A INPUT -p ipv6-icmp -j ACCEPT",
}
REASONS = {
    OWN: "what the host says to itself",
    ANSWERS: "answers to what the host has asked for, and connections that are open",
    f"-A INPUT -p tcp --dport {SSH} -j ACCEPT": "ssh: or nobody could come and undo this",
    PING["iptables"]: "ping",
    PING["ip6tables"]: "ping, and how neighbours find each other",
}


def written_out(ground: Ground, ssh: Iterable[int | None] = ()) -> Ground:
    """Return a section whose firewall has no preset but the lines that it stands for, before all others.

    What comes first are answers and ssh (also on the ports `ssh`): a host that nobody reaches, nobody can undo.
    """
    firewall = ground.firewall
    if firewall is None or firewall.preset is None:
        return ground
    ports = tuple(dict.fromkeys((f"{SSH}/tcp", *(f"{port}/tcp" for port in ssh if port), *firewall.allow)))
    plain = firewall.model_copy(update={"preset": None, "allow": ()})
    if firewall.preset == "firewalld":
        chains = {"deny": _rejecting(ports), **plain.nft}
        return ground.model_copy(update={"firewall": plain.model_copy(update={"nft": chains})})
    lines = {program: (*_denying(ports, program), *getattr(plain, program), "-P INPUT DROP") for program in FAMILIES}
    return ground.model_copy(update={"firewall": plain.model_copy(update=lines)})


def _denying(ports: tuple[str, ...], program: str) -> Iterator[str]:
    """Yield what ufw lets in of INPUT (its before.rules and before6.rules), and the ports."""
    yield OWN
    yield ANSWERS
    yield from (_opened(port) for port in ports)
    yield PING[program]


def _opened(port: str) -> str:
    number, _, protocol = port.partition("/")
    return f"-A INPUT -p {protocol} --dport {number} -j ACCEPT"


def _rejecting(ports: tuple[str, ...]) -> NftChain:
    """Return what firewalld has in its chain filter_INPUT, behind whose zone it rejects."""
    opened = (f"{protocol} dport {number} accept" for number, _, protocol in (port.partition("/") for port in ports))
    rules = (
        "ct state established,related accept",
        'iifname "lo" accept',
        *opened,
        "meta l4proto { icmp, ipv6-icmp } accept",
        "reject with icmpx type admin-prohibited",
    )
    from dockerlab.lab.ground import NftChain  # noqa: PLC0415 - what takes a lab away knows no models

    return NftChain(type="filter", hook="input", priority=10, policy="accept", rules=rules)


def lines_of(firewall: Firewall) -> Iterator[tuple[str, str, FilterLine]]:
    """Yield the lines of a firewall without preset: program, text, and what it says; policies come after all rules."""
    for program in FAMILIES:
        read = [(text, filter_line(text)) for text in getattr(firewall, program)]
        yield from ((program, text, line) for text, line in read if line.verb != "-P")
    for program in FAMILIES:
        read = [(text, filter_line(text)) for text in getattr(firewall, program)]
        policies = {(line.table, line.chain): (text, line) for text, line in read if line.verb == "-P"}
        yield from ((program, *policy) for policy in policies.values())


def comment(lab: str, program: str, text: str) -> str:
    """Return the comment by which a rule is known: whose it is, and which line."""
    return f"{MARK}:{lab}:{sha256(f'{program} {text}'.encode()).hexdigest()[:8]}"


def table(lab: str) -> str:
    """Return the name of a lab's own table of nftables, in which there is no hyphen."""
    return f"{MARK}.{lab.replace('-', '.')}"


def ruleset(firewall: Firewall, lab: str) -> str:
    """Return the commands of nft, in one transaction, that make the lab's table what it is to be."""
    name = table(lab)
    chains = " ".join(f"chain {chain} {{ {_chain(spec)} }};" for chain, spec in firewall.nft.items())
    return f"add table inet {name}; delete table inet {name}; table inet {name} {{ {chains} }}"


def _chain(spec: NftChain) -> str:
    head = []
    if spec.hook is not None:
        head = [f"type {spec.type} hook {spec.hook} priority {spec.priority};", f"policy {spec.policy};"]
    return " ".join([*head, *(f"{rule};" for rule in spec.rules)])
