"""A host's firewall as `iptables-save` prints it: what of Docker's is gone, and what others drop ahead of that."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dockerlab.snapshot import GATEWAY_MODE, MASQUERADE, ContainerState, NetworkState, Snapshot

AHEAD = ("INPUT", "OUTPUT", "FORWARD", "DOCKER-USER")
"""The chains of table filter in which other people's rules come before Docker's."""
POLICY = re.compile(r"^:(?P<chain>\S+) (?P<policy>\S+) ")


@dataclass(frozen=True)
class _Rules:
    """The rules of `iptables-save`, as `table chain words`."""

    lines: tuple[tuple[str, str], ...]

    def any(self, table: str, *parts: str, without: str = "!!") -> bool:
        """Tell whether a rule of a table has all these parts, each as whole words, and not the one `without`."""
        return any(
            where == table and without not in rule and all(f" {part} " in f" {rule} " for part in parts)
            for where, rule in self.lines
        )


def read_rules(text: str) -> _Rules:
    """Return the rules in the output of `iptables-save`."""
    return _Rules(tuple((table, line) for table, line in _lines(text) if line.startswith("-A ")))


def missing_rules(text: str, snapshot: Snapshot) -> list[str]:
    """Return what an engine should have in the output of `iptables-save` and has not, by table and chain."""
    rules, wanted = read_rules(text), list[tuple[bool, str]]()
    bridges = [n for n in snapshot.networks if n.driver == "bridge" and n.subnets and n.scope == "local"]
    jumps = ("-j DOCKER-FORWARD", "-j DOCKER-ISOLATION-STAGE-1")
    wanted.append(
        (any(rules.any("filter", "-A FORWARD", jump) for jump in jumps), "filter FORWARD: the jump to Docker's chains")
    )
    for network in bridges:
        wanted += _of_network(network, rules)
    for container in snapshot.containers:
        for port in container.published if container.running and _translated(container, snapshot) else ():
            rule = f"--dport {port.host_port}"
            there = rules.any("nat", "-A DOCKER", f"-p {port.protocol}", rule)
            wanted.append((there, f"nat DOCKER: {rule} -j DNAT, the published port of {container.name}"))
    if any(container.running and container.published for container in snapshot.containers):
        wanted.append((rules.any("nat", "-A PREROUTING", "-j DOCKER"), "nat PREROUTING: the jump to DOCKER"))
    return [text for there, text in dict.fromkeys(wanted) if not there]


@dataclass(frozen=True)
class Drop:
    """A rule of table filter that is not Docker's, or a chain's policy, by which packets are dropped or refused."""

    chain: str
    text: str
    number: int = 0
    """Its number in the chain, 0 for the policy."""

    @property
    def where(self) -> str:
        """Return what it is called."""
        return f"filter {self.chain} {self.number or 'policy'}"

    def __str__(self) -> str:
        return f"{self.where} ({self.text})" if self.number else f"{self.where} DROP"

    @property
    def undo(self) -> str:
        """Return the command that takes it out."""
        if not self.number:
            return f"iptables -P {self.chain} ACCEPT"
        return f"iptables {self.text.replace('-A ', '-D ', 1)}"

    @property
    def words(self) -> list[str]:
        """Return the words of the rule."""
        return self.text.split()

    @property
    def tells(self) -> bool:
        """Tell whether the sender is told of it."""
        return "REJECT" in self.words


def drops(text: str) -> list[Drop]:
    """Return what in the output of `iptables-save` drops or refuses packets ahead of Docker's chains.

    Docker's own there are about one bridge alone (`-i BRIDGE -o BRIDGE`, of inter-container communication that is off)
    or about encrypted overlays. The policies are those of INPUT and OUTPUT: that of FORWARD is Docker's to set.
    """
    found, policies, numbers = list[Drop](), list[Drop](), Counter[str]()
    for table, line in _lines(text):
        if table != "filter":
            continue
        policy = POLICY.match(line)
        if policy is not None and policy["chain"] in ("INPUT", "OUTPUT") and policy["policy"] == "DROP":
            policies.append(Drop(policy["chain"], line))
        words = line.split()
        if words[0] != "-A":
            continue
        numbers[words[1]] += 1
        own = "policy" in words or ("-i" in words and words[words.index("-i") + 1 :][:1] == _after(words, "-o"))
        if words[1] in AHEAD and {"DROP", "REJECT"} & set(words) and not own:
            found.append(Drop(words[1], line, numbers[words[1]]))
    return [*found, *policies]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield each line of the output of `iptables-save` with its table."""
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith((":", "-A ")):
            yield table, line


def _after(words: list[str], flag: str) -> list[str]:
    """Return the word behind a flag that is not negated, as a list; an empty one where there is none."""
    if flag not in words or words[words.index(flag) - 1] == "!":
        return []
    return words[words.index(flag) + 1 :][:1]


def _translated(container: ContainerState, snapshot: Snapshot) -> bool:
    """Tell whether a container's published ports are led to it by a rule of NAT, whatever network they come by."""
    networks = (snapshot.network(name) for name in container.endpoints)
    return all(GATEWAY_MODE not in network.options for network in networks if network is not None)


def _masquerades(network: NetworkState) -> bool:
    return network.options.get(MASQUERADE, "true").lower() != "false" and GATEWAY_MODE not in network.options


def _of_network(network: NetworkState, rules: _Rules) -> Iterator[tuple[bool, str]]:
    """Yield for each rule that a bridge needs whether it is there, and what it is called."""
    bridge = network.bridge
    if network.internal:
        yield (
            rules.any("filter", f"! -d {network.subnets[0]}", f"-i {bridge}", "-j DROP"),
            f"filter: what keeps the internal network {network.name} ({bridge}) inside",
        )
        return
    out = rules.any("filter", f"-i {bridge}", "-j ACCEPT", without=f"! -i {bridge}")
    yield out, f"filter: what lets network {network.name} ({bridge}) out"
    yield rules.any("filter", f"-o {bridge}"), f"filter: what lets replies into network {network.name} ({bridge})"
    for subnet in network.subnets:
        if subnet.version == 4 and _masquerades(network):
            rule = f"-s {subnet} ! -o {bridge} -j MASQUERADE"
            yield rules.any("nat", f"-s {subnet}", "-j MASQUERADE"), f"nat POSTROUTING: {rule}"
