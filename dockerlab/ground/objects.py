"""What a definition says of a host, as its kernel has it once it is there: links, routes, selectors, rules. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from dockerlab.ground import firewall
from dockerlab.kernel import iptables
from dockerlab.kernel.addresses import IpAddress, IpNetwork
from dockerlab.kernel.model import Link
from dockerlab.kernel.routes import MAIN, Hop, Route, Selector
from dockerlab.kernel.rules import Chain, Rule, Ruleset
from dockerlab.lab.filter_lines import TABLES, FilterLine

if TYPE_CHECKING:
    from dockerlab.lab.ground import Firewall, Ground, GroundRoute, GroundRule, HostInterface, NftChain

EVERYWHERE: dict[int, IpNetwork] = {4: IPv4Network("0.0.0.0/0"), 6: IPv6Network("::/0")}
METRIC6 = 1024
"""What the kernel gives a route of IPv6 that names no metric (include/uapi/linux/ipv6_route.h, IP6_RT_PRIO_USER)."""
ALL_BITS = 0xFFFFFFFF


def link(name: str, spec: HostInterface, parent: Link | None) -> Link:
    """Return an interface that a lab makes, with a MAC address as the kernel may draw one; it has no number yet."""
    mac = parent.mac if parent is not None and spec.kind in ("ipvlan", "vlan") else _mac(name)
    mtu = spec.mtu or (parent.mtu if parent is not None else 1500)
    info = {"parent": spec.parent} if spec.parent is not None else {}
    if spec.kind in ("macvlan", "ipvlan"):
        info["mode"] = spec.mode or {"macvlan": "bridge", "ipvlan": "l2"}[spec.kind]
    if spec.kind == "vlan":
        info |= {"id": str(spec.id), "protocol": "802.1Q"}
    return Link(0, name, spec.kind or "", mac, mtu, addresses=tuple(spec.addresses), info=info)


def _mac(name: str) -> str:
    return f"02:{sha256(name.encode()).digest()[:5].hex(':')}"


def destination(spec: GroundRoute) -> IpNetwork:
    """Return where a route leads."""
    return EVERYWHERE[spec.version] if spec.to == "default" else spec.to


def route(spec: GroundRoute, links: Iterable[Link]) -> Route:
    """Return a route as the kernel has it; a router is on the link that has an address of its subnet."""
    device = spec.dev or (_towards(spec.via, links) if spec.via is not None else "")
    hops = (Hop(device, spec.via),) if spec.kind == "unicast" else (Hop("lo"),) if spec.version == 6 else ()
    scope = "link" if spec.kind == "unicast" and spec.via is None and spec.version == 4 else ""
    metric = spec.metric if spec.metric is not None else METRIC6 if spec.version == 6 else 0
    to = destination(spec)
    shown = "default" if not to.prefixlen else str(to.network_address) if to.prefixlen == to.max_prefixlen else str(to)
    words = [
        *([spec.kind] if spec.kind != "unicast" else []),
        *(shown, *(["via", str(spec.via)] if spec.via else []), *(["dev", device] if device else [])),
        *(["table", spec.table] if spec.table != MAIN else []),
        *(["scope", scope] if scope else []),
        *(["src", str(spec.source)] if spec.source else []),
        *(["metric", str(metric)] if metric else []),
    ]
    return Route(to, spec.kind, spec.table, hops, spec.source, metric, scope, "", " ".join(words))


def _towards(router: IpAddress, links: Iterable[Link]) -> str:
    on = [
        (held.network.prefixlen, each.name)
        for each in links
        if each.up
        for held in each.addresses
        if router in held.network and held.version == router.version
    ]
    return max(on, default=(0, ""))[1]


def selector(spec: GroundRule) -> Selector:
    """Return a rule of `ip rule`."""
    words = [f"{spec.priority}:", "from", "all" if spec.source is None else _shown(spec.source)]
    words += ["to", _shown(spec.to)] if spec.to is not None else []
    words += ["fwmark", hex(spec.fwmark)] if spec.fwmark is not None else []
    words += [word for key, name in (("iif", spec.iif), ("oif", spec.oif)) if name for word in (key, name)]
    words += [spec.kind] if spec.kind is not None else ["lookup", spec.table or MAIN]
    return Selector(
        spec.version,
        spec.priority,
        action=spec.kind or "table",
        table="" if spec.kind is not None else spec.table or MAIN,
        source=spec.source,
        destination=spec.to,
        incoming=spec.iif or "",
        outgoing=spec.oif or "",
        mark=None if spec.fwmark is None else (spec.fwmark, ALL_BITS),
        text=" ".join(words),
    )


def _shown(subnet: IpNetwork) -> str:
    return str(subnet.network_address) if subnet.prefixlen == subnet.max_prefixlen else str(subnet)


def path_of(setting: str) -> str:
    """Return a setting's path below /proc/sys: in dots, a name in it has none."""
    return setting if "/" in setting else setting.replace(".", "/")


def filtered(ruleset: Ruleset, said: Firewall, lab: str) -> Ruleset:
    """Return rules with those of a firewall without preset beside them: each where iptables puts it."""
    chains = {(c.family, c.table, c.name): c for c in ruleset.chains if c.backend == "iptables"}
    for program, written, line in firewall.lines_of(said):
        family = firewall.FAMILIES[program]
        for name in TABLES[line.table]:
            chains.setdefault((family, line.table, name), _base(family, line.table, name))
        key = (family, line.table, line.chain)
        chain = chains.get(key) or Chain(
            family, line.table, line.chain, kind="nat" if line.table == "nat" else "filter"
        )
        chains[key] = _taken(chain, program, line, firewall.comment(lab, program, written))
    others = [chain for chain in ruleset.chains if chain.backend != "iptables"]
    own = table(said, lab)
    others = [chain for chain in others if (chain.family, chain.table) != ("inet", firewall.table(lab))]
    return replace(ruleset, chains=(*chains.values(), *others, *own.chains), sets=(*ruleset.sets, *own.sets))


def _base(family: str, table_name: str, name: str) -> Chain:
    listed = iptables.read(f"*{table_name}\n:{name} ACCEPT [0:0]\nCOMMIT\n", family)
    return listed.chains[0]


def rule(program: str, line: FilterLine, comment: str) -> Rule:
    """Return a line of iptables as a rule, with the comment by which it is the lab's before its target."""
    words = [word if word == "!" or word.startswith("-") else iptables.quoted(word) for word in line.words]
    at = next((n for n, word in enumerate(words) if word in ("-j", "--jump", "-g", "--goto")), len(words))
    text = " ".join(["-A", line.chain, *words[:at], "-m comment --comment", f'"{comment}"', *words[at:]])
    return iptables.rule(firewall.FAMILIES[program], line.table, text)


def _taken(chain: Chain, program: str, line: FilterLine, comment: str) -> Chain:
    if line.verb == "-P":
        return replace(chain, policy=line.words[0])
    if line.verb == "-N":
        return chain
    rules = list(chain.rules)
    at = min(line.place - 1, len(rules)) if line.verb == "-I" else len(rules)
    rules.insert(at, rule(program, line, comment))
    return replace(chain, rules=tuple(replace(each, number=n) for n, each in enumerate(rules, 1)))


def table(said: Firewall, lab: str) -> Ruleset:
    """Return the lab's own table of nftables."""
    if not said.nft:
        return Ruleset()
    from dockerlab.kernel import nft, nft_source  # noqa: PLC0415 - a lab without such rules does without it

    name = firewall.table(lab)
    objects: list[dict[str, object]] = [{"table": {"family": "inet", "name": name}}]
    objects += [{"chain": _chain(name, chain, spec)} for chain, spec in said.nft.items()]
    for chain, spec in said.nft.items():
        for text in spec.rules:
            place = {"family": "inet", "table": name, "chain": chain, "handle": 0}
            objects.append({"rule": {**place, "expr": nft_source.terms(text)}})
    read = nft.read({"nftables": objects})
    return replace(read, chains=tuple(_as_written(chain, said.nft[chain.name].rules) for chain in read.chains))


def _chain(name: str, chain: str, spec: NftChain) -> dict[str, object]:
    own: dict[str, object] = {"family": "inet", "table": name, "name": chain, "handle": 0}
    if spec.hook is not None:
        own |= {"type": spec.type, "hook": spec.hook, "prio": spec.priority, "policy": spec.policy}
    return own


def _as_written(chain: Chain, texts: Sequence[str]) -> Chain:
    """Return a chain whose rules are told as the definition has them where they are not understood."""
    pairs = zip(chain.rules, texts, strict=True) if len(chain.rules) == len(texts) else ()
    rules = [replace(each, text=text) if _unknown(each) else each for each, text in pairs]
    return replace(chain, rules=tuple(rules)) if rules else chain


def _unknown(each: Rule) -> bool:
    return any(match.module == iptables.UNKNOWN for match in each.matches)


def routes(ground: Ground, links: Sequence[Link]) -> Iterator[Route]:
    """Yield the routes of a host's section."""
    yield from (route(each, links) for each in ground.routes)
