"""What nftables compares, in the words of iptables: the left side of a condition; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dockerlab.kernel.iptables import place
from dockerlab.kernel.nft_terms import Key, UnknownTermError, compact, mark, text_of
from dockerlab.kernel.rules import Match

Json = Mapping[str, Any]

ICMP = {
    "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
    "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16,
    "address-mask-request": 17, "address-mask-reply": 18,
}  # fmt: skip
ICMPV6 = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4,
    "echo-request": 128, "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131,
    "mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134,
    "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
    "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143,
}  # fmt: skip
"""nft's names of messages (`nft describe icmp type`); iptables-save prints numbers."""
PORT_PROTOCOLS = ("tcp", "udp", "sctp", "dccp", "udplite")


def key_of(left: Json) -> Key:
    """Return what the left side of a comparison is; raises UnknownTermError where iptables has no word for it."""
    for name, read in _READERS.items():
        if name in left:
            key = read(left[name])
            if key is not None:
                return key
    raise UnknownTermError(compact(left))


def kind_of(left: Json) -> str:
    """Return the type of a set whose members are given as an expression (`typeof ip saddr`)."""
    try:
        return key_of(left).kind or compact(left)
    except UnknownTermError:
        return compact(left)


def _address(value: object) -> str:
    return place(text_of(value))


def interface(value: object) -> str:
    """Return an interface's name as iptables has it, where `+` stands for whatever follows."""
    text = text_of(value)
    return f"{text[:-1]}+" if text.endswith("*") else text


def _port(value: object) -> str:
    return text_of(value, ":")


def protocol(value: object) -> str:
    """Return a protocol's name as `iptables-save` prints it."""
    return {"icmpv6": "ipv6-icmp", "58": "ipv6-icmp", "6": "tcp", "17": "udp", "1": "icmp"}.get(
        text := text_of(value), text
    )


def _upper(value: object) -> str:
    return text_of(value).upper().replace("-", "_")


def _number(names: Mapping[str, int]) -> Callable[[object], str]:
    return lambda value: str(names.get(text := text_of(value), text))


def _meta(said: Json) -> Key | None:
    return _META.get(said.get("key", ""))


_META = {
    "iifname": Key("-i", spell=interface, kind="iface"),
    "oifname": Key("-o", spell=interface, kind="iface", side="dst"),
    "iif": Key("-i", spell=interface, kind="iface"),
    "oif": Key("-o", spell=interface, kind="iface", side="dst"),
    "l4proto": Key("-p", spell=protocol, kind="proto"),
    "mark": Key("--mark", "mark", mark, "mark"),
    "skuid": Key("--uid-owner", "owner", text_of),
    "skgid": Key("--gid-owner", "owner", text_of),
    "pkttype": Key("--pkt-type", "pkttype", text_of),
    "length": Key("--length", "length", _port),
}


def _payload(said: Json) -> Key | None:
    name, field = said.get("protocol", ""), said.get("field", "")
    if field in ("sport", "dport") and name in (*PORT_PROTOCOLS, "th"):
        side = "src" if field == "sport" else "dst"
        if name == "th":  # whichever protocol: a rule says that beside it
            return Key(f"--{field}s", "multiport", _port, "port", side)
        return Key(f"--{field}", name, _port, "port", side, also=(Match("-p", (name,)),))
    return _PAYLOAD.get((name, field))


V4, V6 = Match("-4"), Match("-6")

_PAYLOAD = {
    ("ip", "saddr"): Key("-s", spell=_address, kind="ip", also=(V4,)),
    ("ip", "daddr"): Key("-d", spell=_address, kind="ip", side="dst", also=(V4,)),
    ("ip", "protocol"): Key("-p", spell=protocol, kind="proto", also=(V4,)),
    ("ip", "ttl"): Key("--ttl-eq", "ttl", text_of, also=(V4,)),
    ("ip6", "saddr"): Key("-s", spell=_address, kind="ip", also=(V6,)),
    ("ip6", "daddr"): Key("-d", spell=_address, kind="ip", side="dst", also=(V6,)),
    ("ip6", "nexthdr"): Key("-p", spell=protocol, kind="proto", also=(V6,)),
    ("ether", "saddr"): Key("--mac-source", "mac", lambda value: text_of(value).upper(), "mac"),
    ("icmp", "type"): Key("--icmp-type", "icmp", _number(ICMP), also=(V4, Match("-p", ("icmp",)))),
    ("icmpv6", "type"): Key("--icmpv6-type", "icmp6", _number(ICMPV6), also=(V6, Match("-p", ("ipv6-icmp",)))),
}


def _ct(said: Json) -> Key | None:
    words = str(said.get("key", "")).split()
    about, direction = words[-1] if words else "", said.get("dir", "")
    if not direction:
        return _CT.get(about)
    when = {"original": "orig", "reply": "repl"}.get(direction, "")
    also = {"ip": (V4,), "ip6": (V6,)}.get(words[0] if len(words) > 1 else said.get("family", ""), ())
    ends = {"saddr": "src", "daddr": "dst", "proto-src": "srcport", "proto-dst": "dstport"}
    if not when or about not in ends:
        return None
    return Key(f"--ct{when}{ends[about]}", "conntrack", _address if "addr" in about else _port, also=also)


_CT = {
    "state": Key("--ctstate", "conntrack", _upper, joined=True),
    "status": Key("--ctstatus", "conntrack", _upper, joined=True),
    "direction": Key("--ctdir", "conntrack", _upper),
    "mark": Key("--mark", "connmark", mark, "mark"),
}


def _fib(said: Json) -> Key | None:
    flags = said.get("flags", ())
    flags = [flags] if isinstance(flags, str) else list(flags)
    ends = [flag for flag in flags if flag in ("saddr", "daddr")]
    limits = {"iif": "--limit-iface-in", "oif": "--limit-iface-out"}
    ways = [Match(limits[flag], module="addrtype") for flag in flags if flag in limits]
    if said.get("result") != "type" or len(ends) != 1 or len(ends) + len(ways) != len(flags):
        return None
    option = "--dst-type" if ends == ["daddr"] else "--src-type"
    return Key(option, "addrtype", _upper, joined=True, also=tuple(ways))


_READERS: dict[str, Callable[[Any], Key | None]] = {"meta": _meta, "payload": _payload, "ct": _ct, "fib": _fib}
