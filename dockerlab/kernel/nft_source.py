"""From a rule of nftables as a person writes it to the form of libnftables-json(5), as far as that is understood; pure.

It is not all of nft's language: what is not understood becomes a condition that nobody knows, so that no claim is made
of what meets the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Json = Mapping[str, Any]

_WORD = re.compile(r'"[^"]*"|[{},]|!=|==|<=|>=|[<>]|&|[^\s{},"]+')
META = frozenset({"iif", "oif", "iifname", "oifname", "mark", "l4proto", "nfproto", "pkttype", "length", "skuid"})
BARE = frozenset({"iif", "oif", "iifname", "oifname", "mark"})
"""Keys of `meta` that may stand without it."""
FIELDS: Mapping[str, frozenset[str]] = {
    "ip": frozenset({"saddr", "daddr", "protocol", "ttl", "dscp", "length"}),
    "ip6": frozenset({"saddr", "daddr", "nexthdr", "hoplimit"}),
    "tcp": frozenset({"sport", "dport", "flags"}),
    "udp": frozenset({"sport", "dport"}),
    "th": frozenset({"sport", "dport"}),
    "icmp": frozenset({"type", "code"}),
    "icmpv6": frozenset({"type", "code"}),
    "ether": frozenset({"saddr", "daddr"}),
}
CT = frozenset({"state", "status", "direction", "mark"})
OPERATORS = frozenset({"==", "!=", "<", ">", "<=", ">="})
VERDICTS = frozenset({"accept", "drop", "return", "continue", "notrack"})
LISTS = frozenset({"state", "status"})


class _NotUnderstoodError(Exception):
    """A word that is not of what is understood."""


def terms(text: str) -> list[Json]:
    """Return the statements of a rule; what cannot be understood is one statement that nobody knows, all of it."""
    words = _WORD.findall(text)
    found: list[Json] = []
    try:
        while words:
            found.append(_term(words))
    except (_NotUnderstoodError, IndexError, ValueError):
        return [{"match": {"op": "==", "left": {"unknown": text}, "right": text}}, *_verdict(text)]
    return found


def _verdict(text: str) -> list[Json]:
    """Return the verdict at the end of a rule whose conditions are not understood."""
    last = text.rsplit(maxsplit=1)[-1]
    return [{last: None}] if last in VERDICTS else [{"drop": None}] if "reject" in text.split() else []


def _term(words: list[str]) -> Json:
    word = words[0]
    if word in VERDICTS:
        words.pop(0)
        return {word: None}
    if word in ("jump", "goto"):
        words.pop(0)
        return {word: {"target": words.pop(0)}}
    statement = _STATEMENTS.get(word)
    if statement is not None:
        words.pop(0)
        return statement(words)
    left = _left(words)
    if words[:1] == ["set"] and next(iter(left)) in ("meta", "ct"):
        words.pop(0)
        return {"mangle": {"key": left, "value": _value(words, left)}}
    operator = words.pop(0) if words[0] in OPERATORS else "=="
    return {"match": {"op": "in" if operator == "==" and _is_list(left) else operator, "left": left,
                      "right": _right(words, left)}}  # fmt: skip


def _is_list(left: Json) -> bool:
    return left.get("ct", {}).get("key") in LISTS


def _left(words: list[str]) -> Json:
    word = words.pop(0)
    if word in BARE:
        return {"meta": {"key": word}}
    if word == "meta" and words[0] in META:
        return {"meta": {"key": words.pop(0)}}
    if word == "ct" and words[0] in CT:
        return {"ct": {"key": words.pop(0)}}
    if word == "fib" and words[0] in ("daddr", "saddr") and words[1] == "type":
        flag = words.pop(0)
        words.pop(0)
        return {"fib": {"result": "type", "flags": [flag]}}
    if word in FIELDS and words[0] in FIELDS[word]:
        return {"payload": {"protocol": word, "field": words.pop(0)}}
    raise _NotUnderstoodError(word)


def _right(words: list[str], left: Json) -> Any:
    if words[0] == "{":
        words.pop(0)
        found = []
        while words[0] != "}":
            found.append(_value(words, left))
            if words[0] == ",":
                words.pop(0)
        words.pop(0)
        return found if _is_list(left) else {"set": found}
    first = _value(words, left)
    found = [first]
    while words[:1] == [","]:
        words.pop(0)
        found.append(_value(words, left))
    return found if len(found) > 1 or _is_list(left) else first


def _value(words: list[str], left: Json) -> Any:
    word = words.pop(0)
    if word.startswith('"'):
        return word.strip('"')
    if word in (*OPERATORS, "{", "}", ",", "&") or word.startswith(("@", "$")):
        raise _NotUnderstoodError(word)
    if word.isdecimal() or re.fullmatch(r"0x[0-9a-fA-F]+", word):
        return int(word, 0)
    if re.fullmatch(r"\d+-\d+", word):
        return {"range": [int(part) for part in word.split("-")]}
    address, slash, length = word.partition("/")
    if slash and length.isdecimal():
        return {"prefix": {"addr": address, "len": int(length)}}
    if left.get("payload", {}).get("field") in ("dport", "sport"):
        raise _NotUnderstoodError(word)  # the name of a service: which port that is, the host says
    return word


def _counter(words: list[str]) -> Json:
    if words[:1] in (["packets"], ["name"]):
        raise _NotUnderstoodError(words[0])
    return {"counter": {"packets": 0, "bytes": 0}}


def _comment(words: list[str]) -> Json:
    words.pop(0)
    return {"counter": {"packets": 0, "bytes": 0}}


def _log(words: list[str]) -> Json:
    if words[:1] == ["prefix"]:
        words.pop(0)
        return {"log": {"prefix": words.pop(0).strip('"')}}
    return {"log": None}


def _reject(words: list[str]) -> Json:
    if words[:1] != ["with"]:
        return {"reject": None}
    words.pop(0)
    kind = words.pop(0)
    if kind == "tcp" and words[0] == "reset":
        words.pop(0)
        return {"reject": {"type": "tcp reset"}}
    if words[:1] == ["type"]:
        words.pop(0)
    return {"reject": {"type": kind, "expr": words.pop(0)}}


def _limit(words: list[str]) -> Json:
    if words[0] != "rate" or "/" not in words[1]:
        raise _NotUnderstoodError(words[0])
    rate, per = words[1].split("/", 1)
    del words[:2]
    return {"limit": {"rate": int(rate), "per": per}}


def _translation(word: str) -> Callable[[list[str]], Json]:
    def read(words: list[str]) -> Json:
        said: dict[str, Any] = {}
        if words[:1] in (["ip"], ["ip6"]):
            said["family"] = words.pop(0)
        if words[:1] == ["to"]:
            words.pop(0)
            address, colon, port = words.pop(0).rpartition(":")
            if not colon:
                said["addr"] = port
            elif address.count(":") and not address.startswith("["):
                said["addr"] = f"{address}:{port}"
            else:
                said |= {"addr": address.strip("[]")} if address else {}
                said["port"] = int(port)
        return {word: said or None}

    return read


_STATEMENTS: Mapping[str, Callable[[list[str]], Json]] = {
    "counter": _counter,
    "comment": _comment,
    "log": _log,
    "reject": _reject,
    "limit": _limit,
    **{word: _translation(word) for word in ("dnat", "snat", "masquerade", "redirect")},
}
