"""The rules of a network namespace: what each program prints that knows a part of them.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

from typing import Any, Callable

from dockerlab.survey.program.asking import Json, text_of

IPTABLES = {"ip": "iptables", "ip6": "ip6tables"}
OURS = ("raw", "mangle", "nat", "filter", "security")
"""The tables that iptables keeps in nftables, in families ip and ip6."""
FOREIGN_CHAINS = "use 'nft' tool"
"""What iptables-save says of a table with more in it than it understands."""


def rules_of(
    run: "Callable[[list[str]], Json]", net: "str", there: "list[tuple[str, str]] | None", *, always: "bool"
) -> "Json":
    """Return what the programs print here, by what they are for: `ip`, `ip6`, `legacy ip`, …, `nft ip filter`, `sets`.

    `known` tells whether the kernel itself has said which tables of nftables there are, and `old` are the families
    that have tables of legacy iptables.
    `run` runs a program here, `net` is the folder of /proc that tells of this namespace, and `there` are its tables of
    nftables, None where the kernel does not say. Only programs are asked
    that have something to tell, as far as the kernel says so; `always` asks iptables all the same.
    """
    said = {"known": there is not None, "old": []}  # type: dict[str, Any]
    foreign = [] if there is None else [each for each in there if each[1] not in OURS or each[0] not in IPTABLES]
    for family, program in IPTABLES.items():
        old = text_of(f"{net}/{family}_tables_names").get("text", "").split()
        said["old"] += [family] if old else []
        new = there is None or any(each[0] == family and each[1] in OURS for each in there)
        if always or new or old:
            said[family] = run([f"{program}-save"])
        if family in said:
            foreign += also(run, family, said, old, there)
    for family, name in dict.fromkeys(foreign):
        said[f"nft {family} {name}"] = run(["nft", "-j", "list", "table", family, name])
    if there is None:
        said["nft"] = run(["nft", "-j", "list", "ruleset"])
    if any("match-set" in each["out"] for each in said.values() if isinstance(each, dict)):
        said["sets"] = run(["ipset", "save"])
    return said


def policies_of(run: "Callable[[list[str]], Json]") -> "Json":
    """Return what iptables-save says of the chains of IPv4, without their rules, of which there may be thousands."""
    said = run(["iptables-save"])
    return dict(said, out="".join(line for line in said["out"].splitlines(True) if not line.startswith("-")))


def also(
    run: "Callable[[list[str]], Json]",
    family: "str",
    said: "dict[str, Any]",
    old: "list[str]",
    there: "list[tuple[str, str]] | None",
) -> "list[tuple[str, str]]":
    """Ask the other iptables of a family where both have rules; return the tables that only nft can read."""
    first = said[family]
    in_nft = [each for each in there or () if each[0] == family and each[1] in OURS]
    is_old = "(nf_tables)" not in first["out"] and bool(first["out"])
    if old and not is_old:
        said[f"legacy {family}"] = run([f"{IPTABLES[family]}-legacy-save"])
    if in_nft and is_old:
        said[f"new {family}"] = first = run([f"{IPTABLES[family]}-nft-save"])
    return in_nft if first["rc"] or FOREIGN_CHAINS in first["out"] else []
