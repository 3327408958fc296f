"""A ruleset's tables of nft as `nft -f` takes them; pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.kernel.rules import Branch, Chain, NamedSet, Rule, Ruleset

TYPES = {"port": "inet_service", "proto": "inet_proto", "iface": "ifname", "mac": "ether_addr", "mark": "mark"}


def written(ruleset: Ruleset) -> str:
    """Return the tables of nft in a ruleset as `nft -f` takes them."""
    tables: dict[tuple[str, str], list[str]] = {}
    for each in ruleset.sets:
        if each.table and not each.name.startswith("__set"):
            tables.setdefault((each.family, each.table), []).extend(_set(each))
    for chain in ruleset.chains:
        if chain.backend == "nft":
            tables.setdefault((chain.family, chain.table), []).extend(_chain(chain))
    return "".join(
        f"table {family} {name} {{\n{''.join(f'{chr(9)}{line}{chr(10)}' for line in lines)}}}\n"
        for (family, name), lines in tables.items()
    )


def _set(each: NamedSet) -> Iterator[str]:
    version = "ipv6_addr" if any(":" in part for member in each.members for part in member) else "ipv4_addr"
    yield f"set {each.name} {{"
    yield f"\ttype {' . '.join(version if kind == 'ip' else TYPES.get(kind, kind) for kind in each.types)}"
    members = sorted(" . ".join(member) for member in each.members)
    if any("/" in member or "-" in member for member in members):
        yield "\tflags interval"
    if members:
        yield f"\telements = {{ {', '.join(members)} }}"
    yield "}"


def _chain(chain: Chain) -> Iterator[str]:
    yield f"chain {chain.name} {{"
    if chain.hook:
        device = f' device "{chain.device}"' if chain.device else ""
        place = f"type {chain.kind} hook {chain.hook}{device} priority {chain.priority}"
        yield f"\t{place}; policy {chain.policy.lower()};"
    yield from (f"\t{_loadable(each)}" for each in chain.rules)
    yield "}"


def _loadable(each: Rule) -> str:
    """Return a rule whose verdict maps are written out: their names stand for nothing in what is written."""
    head, word, tail = each.text.partition(" vmap @")
    branches = next((action.branches for action in each.actions if action.branches), ())
    if not word or not branches:
        return each.text
    lines = ", ".join(f"{_said(branch)} : {_verdict(branch)}" for branch in branches)
    return " ".join([f"{head} vmap {{ {lines} }}", *tail.split(" ")[1:]])


def _said(branch: Branch) -> str:
    parts = [
        f'"{each.value.removesuffix("+") + "*" * each.value.endswith("+")}"'
        if each.option in ("-i", "-o")
        else each.value.lower()
        for each in branch.matches
        if each.option not in ("-4", "-6") and (each.option != "-p" or len(branch.matches) == 1)
    ]
    return " . ".join(parts) or "*"


def _verdict(branch: Branch) -> str:
    verdicts = {"ACCEPT": "accept", "DROP": "drop", "RETURN": "return", "": "continue", "NFQUEUE": "queue"}
    if branch.target in verdicts:
        return verdicts[branch.target]
    return f"{'goto' if branch.goto else 'jump'} {branch.target}"
