"""What a rule of nftables does, in the words of iptables' targets; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockerlab.kernel.iptables import UNKNOWN
from dockerlab.kernel.nft_terms import UnknownTermError, mark, text_of, unknown
from dockerlab.kernel.rules import Action, Match

Json = Mapping[str, Any]

FULL = 0xFFFFFFFF
"""A mask of all bits of a mark."""
REASONS = {
    "icmp": {
        "net-unreachable": "icmp-net-unreachable",
        "host-unreachable": "icmp-host-unreachable",
        "prot-unreachable": "icmp-proto-unreachable",
        "port-unreachable": "icmp-port-unreachable",
        "net-prohibited": "icmp-net-prohibited",
        "host-prohibited": "icmp-host-prohibited",
        "admin-prohibited": "icmp-admin-prohibited",
    },
    "icmpv6": {
        "no-route": "icmp6-no-route",
        "admin-prohibited": "icmp6-adm-prohibited",
        "addr-unreachable": "icmp6-addr-unreachable",
        "port-unreachable": "icmp6-port-unreachable",
        "policy-fail": "icmp6-policy-fail",
        "reject-route": "icmp6-reject-route",
    },
}
"""nft's reasons of a refusal in iptables' words; `icmpx`, which has one for each version, has none there."""
UNASKED = {"ip": "icmp-port-unreachable", "ip6": "icmp6-port-unreachable"}
CHANGES = {
    ("meta", "nftrace"): "TRACE",
    ("meta", "priority"): "CLASSIFY",
    ("tcp option", "maxseg"): "TCPMSS",
    ("ct", "helper"): "CT",
    ("ct", "event"): "CT",
    ("ct", "label"): "CONNMARK",
}
"""What a rule may set besides marks, and the target of iptables that sets it."""
HARMLESS = {"flow": "FLOW", "dup": "TEE", "set": "SET", "map": "SET", "ct helper": "CT", "ct timeout": "CT",
            "ct expectation": "CT", "secmark": "SECMARK", "synproxy": "SYNPROXY"}  # fmt: skip


def action(name: str, said: Any, family: str) -> Action:
    """Return what a statement does; one that is not understood has the target `unknown`, and never raises."""
    try:
        found = _known(name, said, family)
    except (AttributeError, LookupError, TypeError, ValueError):
        found = None
    return found or Action(UNKNOWN, (unknown({name: said}),))


def _known(name: str, said: Any, family: str) -> Action | None:
    if name in ("dnat", "snat", "masquerade", "redirect", "tproxy"):
        return _translation(name, said or {})
    if name == "reject":
        return _refusal(said or {}, family)
    if name == "mangle":
        return _change(said["key"], said["value"])
    if name == "notrack":
        return Action("NOTRACK")
    if name == "log":
        prefix = (said or {}).get("prefix")
        target = "NFLOG" if "group" in (said or {}) else "LOG"
        return Action(target, (Match(f"--{'nf' * (target == 'NFLOG')}log-prefix", (prefix,)),) if prefix else ())
    return Action(HARMLESS[name]) if name in HARMLESS else None


def _translation(name: str, said: Json) -> Action:
    """Return a translation of addresses; an address that comes from a map is not understood."""
    address, port = said.get("addr"), said.get("port")
    options = tuple(Match(f"--{flag}") for flag in _words(said.get("flags", ())) if flag in ("random", "persistent"))
    options += tuple(Match("--random-fully") for flag in _words(said.get("flags", ())) if flag == "fully-random")
    ports = "" if port is None else text_of(port)
    if name == "tproxy":
        ends = [Match("--on-port", (ports,))] if ports else []
        ends += [Match("--on-ip", (text_of(address),))] if address is not None else []
        return Action("TPROXY", (*ends, *options))
    if name in ("masquerade", "redirect"):
        return Action(name.upper(), (*((Match("--to-ports", (ports,)),) if ports else ()), *options))
    whole = "" if address is None else text_of(address)
    if ports:
        whole = f"{f'[{whole}]' if ':' in whole else whole}:{ports}"
    option = "--to-destination" if name == "dnat" else "--to-source"
    return Action(name.upper(), (Match(option, (whole,)), *options))


def _words(said: object) -> list[str]:
    return [said] if isinstance(said, str) else [str(each) for each in said] if isinstance(said, list) else []


def _refusal(said: Json, family: str) -> Action:
    kind, reason = said.get("type"), said.get("expr", "port-unreachable")
    if kind == "tcp reset":
        text = "tcp-reset"
    elif kind is None:
        text = UNASKED.get(family, "icmpx-port-unreachable")
    else:
        text = REASONS.get(kind, {}).get(reason, f"{kind}-{reason}")
    return Action("REJECT", (Match("--reject-with", (text,)),))


def _change(key: Json, value: Any) -> Action | None:
    """Return what sets something of a packet or its connection."""
    (kind, what), *_ = key.items()
    about = what.get("key") or what.get("name")
    if (kind, about) in CHANGES:
        return Action(CHANGES[kind, about])
    if kind == "payload" and what.get("field") in ("dscp", "ecn"):
        return Action("DSCP")
    if about != "mark" or kind not in ("meta", "ct"):
        return None
    target = "MARK" if kind == "meta" else "CONNMARK"
    if value == {"ct" if kind == "meta" else "meta": {"key": "mark"}}:
        word = "--restore-mark" if kind == "meta" else "--save-mark"
        masks = (Match("--nfmask", (hex(FULL),)), Match("--ctmask", (hex(FULL),)))
        return Action("CONNMARK", (Match(word), *masks))
    setting, mask = _xmark(key, value)
    return Action(target, (Match("--set-xmark", (f"{hex(setting)}/{hex(mask)}",)),))


def _xmark(key: Json, value: Any) -> tuple[int, int]:
    """Return what becomes of a mark as `--set-xmark` has it: the bits of the mask go, and those of the value turn."""
    keep, turned = FULL, 0
    for operator, number in _steps(key, value):
        if operator == "=":
            keep, turned = 0, number
        elif operator == "&":
            keep, turned = keep & number, turned & number
        elif operator == "|":
            keep, turned = keep & ~number & FULL, (turned & ~number) | number
        else:
            turned ^= number
    return turned, ~keep & FULL


def _steps(key: Json, value: Any) -> Iterator[tuple[str, int]]:
    """Yield the operations that a mark goes through, the first one first."""
    if value == key:
        return
    if isinstance(value, Mapping):
        (operator, (left, right)), *_ = value.items()
        if operator not in ("&", "|", "^"):
            raise UnknownTermError(operator)
        yield from _steps(key, left)
        mark(right)
        yield operator, right
    else:
        mark(value)
        yield "=", value
