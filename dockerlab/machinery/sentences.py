"""What a rule of the firewall does, in a plain sentence, and why Docker has it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dockerlab.imagined.origin import origin
from dockerlab.kernel.rules import Chain, Match, Rule
from dockerlab.machinery.names import Names

CHAINS = {
    ("raw", "PREROUTING"): "Arriving packets",
    ("nat", "PREROUTING"): "Arriving connections",
    ("nat", "OUTPUT"): "Connections of the host itself",
    ("nat", "POSTROUTING"): "Leaving connections",
    ("nat", "DOCKER"): "Connections",
    ("filter", "INPUT"): "Packets to the host itself",
    ("filter", "OUTPUT"): "Packets of the host itself",
    ("filter", "FORWARD"): "Forwarded packets",
}
VERDICTS = {
    "ACCEPT": "pass",
    "DROP": "are dropped without a word",
    "REJECT": "are refused, and the sender is told",
    "RETURN": "go back to the chain that they came from",
    "MASQUERADE": "get the host's own address as their source",
    "LOG": "are written to the log",
    "": "are counted, and no more",
}
STATES = {
    "RELATED,ESTABLISHED": "belong to a connection that is already open",
    "ESTABLISHED,RELATED": "belong to a connection that is already open",
    "DNAT": "had their destination rewritten",
}
PLAIN = {"-i", "-o", "-p", "-s", "-d", "--dport", "--sport", "--dports", "--dst-type", "--ctstate", "--comment"}
"""The conditions that have words of their own; others are quoted."""


def does(rule: Rule, names: Names) -> str:
    """Return what a rule does, as a sentence; a condition that we do not know is quoted."""
    subject = CHAINS.get((rule.table, rule.chain), "Packets")
    by_option = {match.option: match for match in rule.matches}
    clauses = [*_interfaces(by_option.get("-i"), by_option.get("-o"), names), *_clauses(rule.matches)]
    those = f"that {' and '.join(clauses)}" if clauses else ""
    words = [subject, *_ends(by_option, names), those, _verdict(rule, names)]
    return " ".join(word for word in words if word) + "."


def policy(found: Chain) -> str:
    """Return what the policy of a chain of the kernel's own means."""
    subject = CHAINS.get((found.table, found.name), "Packets")
    return f"{subject} that no rule decides about {VERDICTS.get(found.policy, found.policy)}."


def _ends(by_option: Mapping[str, Match], names: Names) -> Iterator[str]:
    """Yield from where to where: ports and addresses."""
    told = [*_ports(by_option, by_option.get("-p"))]
    ends = [(word, by_option[option]) for option, word in (("-s", "from"), ("-d", "to")) if option in by_option]
    told += [f"{word} {names.place(match.value)}" for word, match in ends if not match.negated]
    if "LOCAL" in by_option.get("--dst-type", Match("")).values:
        told.append("to an address of the host's own")
    yield from told
    for word, match in ends:
        if match.negated:
            yield f"{'but not' if told else 'not'} {word} {names.place(match.value)}"


def _clauses(matches: Sequence[Match]) -> Iterator[str]:
    """Yield the conditions that are neither an end nor an interface."""
    for match in matches:
        if match.option == "--ctstate":
            yield STATES.get(match.value, f"belong to a connection in state {match.value}")
        elif match.option not in PLAIN:
            yield f"{'do not fit' if match.negated else 'fit'} `{' '.join((match.option, *match.values))}`"


def _ports(by_option: Mapping[str, Match], protocol: Match | None) -> Iterator[str]:
    name = protocol.value.upper() if protocol is not None else ""
    ports = [
        f"{word} {name} port {by_option[option].value}"
        for option, word in (("--sport", "from"), ("--dport", "to"), ("--dports", "to"))
        if option in by_option
    ]
    if ports:
        yield " ".join(ports)
    elif name:
        yield f"of {name}"


def _interfaces(came: Match | None, leaves: Match | None, names: Names) -> Iterator[str]:
    """Yield by which interfaces packets come and go."""
    if came is not None and leaves is not None and came.values == leaves.values:
        bridge = names.interface(came.value)
        if came.negated:
            yield f"go to {bridge} from another interface"
        else:
            yield f"came by {bridge} and {'leave by another interface' if leaves.negated else 'stay on it'}"
        return
    for match, word in ((came, "came by"), (leaves, "leave by")):
        if match is not None:
            other = "another interface than " if match.negated else ""
            yield f"{word} {other}{names.interface(match.value)}"


def _verdict(rule: Rule, names: Names) -> str:
    told = {match.option: " ".join(match.values) for match in rule.options}
    if rule.target == "DNAT":
        to = told.get("--to-destination", "?")
        address, colon, port = to.rpartition(":")
        if not colon or ("]" not in address and ":" in address):
            return f"are sent on to {names.place(_place(to))}"
        return f"are sent on to {names.place(_place(address))}, port {port}"
    if rule.target == "SNAT":
        return f"get {told.get('--to-source', '?')} as their source"
    return VERDICTS.get(rule.target, f"are handed to chain {rule.target}")


def _place(address: str) -> str:
    bare = address.strip("[]")
    return f"{bare}/128" if ":" in bare else f"{bare}/32"


def why(rule: Rule) -> str:
    """Return why Docker has a rule, or an empty text for one that is not as Docker writes it."""
    line = origin(rule)
    return "" if line is None else line.why
