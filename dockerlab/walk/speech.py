"""What one namespace's rules, routes and sets say of single addresses, ports, MACs, interfaces, and of networks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from dockerlab.kernel.rules import Chain, Match, Rule
from dockerlab.walk import words

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Fabric, Space

Token = tuple[str, str]
"""Something that may be spoken of alone: `ip`, `mac`, `port` (its host's name before it) or `tcp`, and its text."""
Said = Hashable
PLACEHOLDER = "@"
ADDRESSED = frozenset({"-s", "-d", "--src-range", "--dst-range"})
AIMS = frozenset({"--to-destination", "--to-source", "--to"})
PORTS = frozenset({"--dport", "--sport", "--dports", "--sports", "--ports", "--ctorigdstport", "--to-ports"})


class Tokens:
    """What may be spoken of alone in a net, and the addresses of hosts among that."""

    def __init__(self, fabric: Fabric) -> None:
        self.all = frozenset(_tokens(fabric))
        holders = fabric.holders.items()
        self.hosts = frozenset(("ip", str(a)) for a, held in holders if any(s.namespace.host for s in held))


class Speech:
    """What one namespace says: of single things, and where the networks and ranges begin and end that it speaks of."""

    def __init__(self, space: Space, tokens: Tokens) -> None:
        self.said: dict[Token, list[Said]] = {}
        self.bounds: dict[int, set[int]] = {4: set(), 6: set()}
        self.port_bounds: set[int] = set()
        self._tokens, self._hosts = tokens.all, tokens.hosts
        self._links(space)
        self._routes(space)
        self._sets(space)
        for chain in space.namespace.ruleset.chains:
            self._chain(space, chain)

    def _span(self, version: int, low: int, high: int) -> None:
        self.bounds[version] |= {low, high + 1}

    def _links(self, space: Space) -> None:
        for link in space.namespace.links:
            for address in link.addresses:
                network = address.network
                self._span(address.version, int(network.network_address), int(network.broadcast_address))
        for neighbour in space.namespace.neighbours:
            fixed = (space.id, "neighbour", neighbour.device, neighbour.proxy)
            self._note(("ip", str(neighbour.address)), (*fixed, neighbour.mac))
            self._note(("mac", neighbour.mac.lower()), (*fixed, str(neighbour.address)))

    def _routes(self, space: Space) -> None:
        for route in space.namespace.routes:
            if route.table == "local":
                continue
            network = route.destination
            ends = {hop.via for hop in route.hops if hop.via is not None}
            if network.prefixlen == network.max_prefixlen:
                ends.add(network.network_address)
            else:
                self._span(network.version, int(network.network_address), int(network.broadcast_address))
            if space.namespace.host:
                for address in ends:
                    self._note(("ip", str(address)), (space.id, "route", _without(route.text, str(address))))
        for selector in space.namespace.selectors:
            for end in (selector.source, selector.destination):
                if end is not None:
                    self._span(end.version, int(end.network_address), int(end.broadcast_address))

    def _sets(self, space: Space) -> None:
        for named in space.namespace.ruleset.sets:
            for member in named.members:
                for number, part in enumerate(member):
                    if named.types[number : number + 1] == ("ip",):
                        rest = (*member[:number], PLACEHOLDER, *member[number + 1 :])
                        self._place(part, (space.id, "set", named.family, named.table, named.name, rest))

    def _chain(self, space: Space, chain: Chain) -> None:
        """Take in a chain's rules, each with its place among those that a packet may meet beside it.

        Of the rules that each want another destination a packet meets one at most: they have no order among themselves.
        So have those that want another source, and those that want another port.
        """
        passed = Counter[str]()
        for number, rule in enumerate(chain.rules):
            ends = {option: self._exact(rule, option) for option in ("-s", "-d", "--dport")}
            inner = ends["-d"] is not None and ends["-d"] not in self._hosts
            for token in self._about(space, rule):
                kind = next((option for option, end in ends.items() if end == token), "")
                place = number - passed[kind] if kind else number
                where = (space.id, chain.backend, chain.family, chain.table, chain.name, kind, place)
                self._note(token, (*where, tuple(self._spelled(rule, token))))
            passed.update(option for option in ("-s", "-d") if ends[option] is not None)
            passed["--dport"] += ends["--dport"] is not None or inner

    def _exact(self, rule: Rule, option: str) -> Token | None:
        """Return the one thing that a rule wants at a place, None where it wants none or may be met by others."""
        for match in rule.matches:
            if match.option == option and not match.negated and len(match.values) == 1:
                host, _, length = match.value.partition("/")
                token = ("tcp" if option == "--dport" else "ip", host)
                whole = length in ("", "32", "128") and (option != "--dport" or host.isdecimal())
                return token if whole and (token in self._tokens or token[0] == "tcp") else None
        return None

    def _about(self, space: Space, rule: Rule) -> list[Token]:
        """Return the single things that a rule speaks of; note the networks and ranges in it."""
        found = dict[Token, None]()
        for match in _all_matches(rule):
            for value in match.values:
                for token in self._in_value(space, match, value):
                    found[token] = None
        return list(found)

    def _in_value(self, space: Space, match: Match, value: str) -> Iterator[Token]:
        option = match.option
        tracked = option.startswith(("--ctorig", "--ctrepl")) and not option.endswith("port")
        if option in ADDRESSED or tracked:
            token = self._place(value, None)
            if token is not None:
                yield token
        elif option in PORTS or option.endswith("port"):
            yield from self._ports(value)
        elif option == "--mac-source":
            yield ("mac", value.lower())
        elif option in ("-i", "-o", "--physdev-in", "--physdev-out"):
            token = ("port", f"{space.id.host}/{value}")
            if token in self._tokens:
                yield token

    def _ports(self, value: str) -> Iterator[Token]:
        try:
            spans = words.spans([value])
        except ValueError:
            return
        for low, high in spans:
            if low == high:
                yield ("tcp", str(low))
            else:
                self.port_bounds |= {low, high + 1}

    def _place(self, value: str, said: Said | None) -> Token | None:
        """Note an address as a single thing, and a network as one; return the token of the first."""
        try:
            version, low, high = words.span_of(value)
        except ValueError:
            return None
        token = ("ip", value.partition("/")[0])
        if low == high and token in self._tokens:
            if said is not None:
                self._note(token, said)
            return token
        self._span(version, low, high)
        return None

    def _spelled(self, rule: Rule, token: Token) -> Iterator[Said]:
        """Yield a rule's words, with a placeholder for what it is said of."""
        for match in _all_matches(rule):
            values = tuple(_replaced(value, match.option, token) for value in match.values)
            yield (match.option, match.negated, match.module, values)
        for action in rule.actions:
            yield (action.target, action.goto)

    def _note(self, token: Token, said: Said) -> None:
        if token in self._tokens or token[0] == "tcp":
            self.said.setdefault(token, []).append(said)


def _tokens(fabric: Fabric) -> Iterator[Token]:
    """Yield everything of a net that rules may speak of alone."""
    for address in fabric.holders:
        yield ("ip", str(address))
    for space in fabric.spaces.values():
        for link in space.namespace.links:
            yield ("mac", link.mac.lower())
            if link.kind == "veth" and space.namespace.host:
                yield ("port", f"{space.id.host}/{link.name}")


def _all_matches(rule: Rule) -> Iterator[Match]:
    yield from rule.matches
    for action in rule.actions:
        yield from action.options
        for branch in action.branches:
            yield from branch.matches
            yield Match("branch", (branch.target,))


def _replaced(value: str, option: str, token: Token) -> str:
    kind, text = token
    if kind == "ip" and value.partition("/")[0] == text:
        return PLACEHOLDER
    if kind == "tcp" and option in PORTS and value == text:
        return PLACEHOLDER
    if kind == "mac" and value.lower() == text:
        return PLACEHOLDER
    if kind == "port" and text.endswith(f"/{value}"):
        return PLACEHOLDER
    if option in AIMS:
        return "elsewhere"  # who is behind a translation is said where that is asked for
    return value


def _without(text: str, word: str) -> tuple[str, ...]:
    return tuple(PLACEHOLDER if each == word else each for each in text.split())
