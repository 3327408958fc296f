"""Rules of nftables as `nft list ruleset` prints them, from their JSON; pure.

What is not known to be printed otherwise is its JSON: a person can still find it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dockerlab.kernel.nft_terms import compact, plain

Json = Mapping[str, Any]

BARE = frozenset(
    {"iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup", "iiftype", "oiftype", "iifkind", "oifkind"}
)
"""What nft prints without the word `meta`."""
NAMES = frozenset({"iif", "oif", "iifname", "oifname", "ibrname", "obrname", "iifkind", "oifkind"})
"""What is compared with texts in quotes."""
USUAL_BURST = 5


def rule(terms: list[Json], comment: object = None) -> str:
    """Return a rule as a line, without its counters' numbers."""
    words = [_term(term) for term in terms]
    if comment:
        words.append(f'comment "{comment}"')
    return " ".join(words)


def _term(term: Json) -> str:
    try:
        ((name, said), *_) = term.items()
        return _TERMS[name](said) if name in _TERMS else compact(term)
    except (AttributeError, LookupError, TypeError, ValueError):
        return compact(term)


def _match(said: Json) -> str:
    left, right, operator = said["left"], said["right"], said["op"]
    if "&" in left and isinstance(left["&"][1], list):  # flags
        what, mask = left["&"]
        unequal = "!= " if operator == "!=" else ""
        return f"{value(what)} {unequal}{_listed(right)} / {_listed(mask)}"
    if right == 0 and "payload" in left and left["payload"].get("field") == "flags":
        return f"{value(left)} {operator} 0x0"
    sign = "" if operator in ("==", "in") and "&" not in left else f"{operator} "
    if isinstance(right, bool):
        return f"{value(left)} {sign}{'exists' if right else 'missing'}"
    if isinstance(right, list):
        return f"{value(left)} {sign}{_listed(right)}"
    return f"{value(left)} {sign}{operand(left, right)}"


def _listed(said: Any) -> str:
    return ",".join(value(each) for each in said) if isinstance(said, list) else value(said)


def operand(left: Json, right: object) -> str:
    """Return the right side of a comparison: names of interfaces stand in quotes, and marks have eight digits."""
    if isinstance(right, Mapping) and "set" in right:
        return f"{{ {', '.join(operand(left, each) for each in right['set'])} }}"
    right = plain(right)
    if isinstance(right, Mapping) and "concat" in right and "concat" in left:
        pairs = zip(left["concat"], right["concat"], strict=False)
        return " . ".join(operand(*pair) for pair in pairs)
    inner = left["&"][0] if "&" in left else left
    key = (inner.get("meta") or inner.get("ct") or {}).get("key")
    if key == "mark" and not isinstance(right, str):
        return _bits(right)
    quoted = (
        isinstance(right, str) and not right.startswith("@") and (key in NAMES or ("meta" in left and " " in right))
    )
    return f'"{right}"' if quoted and right != "*" else value(right)


def value(said: Any) -> str:
    """Return an expression as nft writes it."""
    said = plain(said)
    if not isinstance(said, Mapping):
        return str(said)
    ((name, inner), *_) = said.items()
    return _VALUES[name](inner) if name in _VALUES else compact(said)


def _range(said: Any) -> str:
    return f"{value(said[0])}-{value(said[1])}"


def _payload(said: Any) -> str:
    if "protocol" in said:
        return f"{said['protocol']} {said['field']}"
    return f"@{said['base']},{said['offset']},{said['len']}"


def _meta(said: Any) -> str:
    return str(said["key"]) if said["key"] in BARE else f"meta {said['key']}"


def _ct(said: Any) -> str:
    words = ["ct", said.get("dir", ""), "" if " " in said["key"] else said.get("family", ""), said["key"]]
    return " ".join(word for word in words if word)


def _fib(said: Any) -> str:
    flags = said.get("flags", [])
    return f"fib {' . '.join([flags] if isinstance(flags, str) else flags)} {said['result']}"


def _bits(said: Any) -> str:
    """Return a mark, and whatever it is counted together from: numbers have eight digits."""
    if isinstance(said, int):
        return f"0x{said:08x}"
    ((name, inner), *_) = said.items() if isinstance(said, Mapping) else (("", said),)
    return f" {name} ".join(map(_bits, inner)) if name in ("&", "|", "^") else value(said)


def _bits_of(sign: str) -> Callable[[Any], str]:
    return lambda said: _bits({sign: said})


def _between(sign: str) -> Callable[[Any], str]:
    return lambda said: f" {sign} ".join(value(each) for each in said)


_VALUES: dict[str, Callable[[Any], str]] = {
    "prefix": lambda said: f"{value(said['addr'])}/{said['len']}",
    "range": _range,
    "set": lambda said: f"{{ {', '.join(value(each) for each in said)} }}",
    "concat": _between("."),
    "payload": _payload,
    "meta": _meta,
    "ct": _ct,
    "fib": _fib,
    "&": _bits_of("&"),
    "|": _bits_of("|"),
    "^": _bits_of("^"),
    "tcp option": lambda said: f"tcp option {said['name']} {said.get('field', '')}".strip(),
    "rt": lambda said: f"rt {said['key']}",
    "socket": lambda said: f"socket {said['key']}",
    "map": lambda said: f"{value(said['key'])} map {_lines(said['key'], said['data'])}",
}


def _lines(key: Json, data: Any) -> str:
    if isinstance(data, str):
        return data
    pairs = (f"{operand(key, left)} : {_outcome(right)}" for left, right in data["set"])
    return f"{{ {', '.join(pairs)} }}"


def _outcome(said: Any) -> str:
    if isinstance(said, Mapping) and next(iter(said), "") in ("accept", "drop", "return", "continue", "jump", "goto"):
        return _term(said)
    return value(said)


def _translation(word: str) -> Callable[[Any], str]:
    def spell(said: Any) -> str:
        said = said or {}
        address = said.get("addr")
        port = said.get("port")
        text = "" if address is None else value(address)
        if port is not None:
            text = f"{f'[{text}]' if ':' in text and isinstance(address, str) else text}:{value(port)}"
        family = f" {said['family']}" if "family" in said and text else ""
        flags = said.get("flags", [])
        ending = ",".join([flags] if isinstance(flags, str) else flags)
        return " ".join(part for part in (f"{word}{family}", f"to {text}" if text else "", ending) if part)

    return spell


def _reject(said: Any) -> str:
    said = said or {}
    if said.get("type") == "tcp reset":
        return "reject with tcp reset"
    usual = said.get("expr", "port-unreachable") == "port-unreachable" and said.get("type", "icmpx") == "icmpx"
    return "reject" if usual else f"reject with {said['type']} {said['expr']}"


def _log(said: Any) -> str:
    parts = (f'{key} "{text}"' if key == "prefix" else f"{key} {text}" for key, text in (said or {}).items())
    return " ".join(["log", *parts])


def _limit(said: Any) -> str:
    unit = f" {said['rate_unit']}" if said.get("rate_unit", "packets") != "packets" else ""
    unusual = said.get("burst", USUAL_BURST) != USUAL_BURST
    burst = f" burst {said['burst']} {said.get('burst_unit', 'packets')}" if unusual else ""
    return f"limit rate {'over ' if said.get('inv') else ''}{said['rate']}{unit}/{said['per']}{burst}"


def _counted(said: Any) -> str:
    return f"ct count {'over ' if said.get('inv') else ''}{said['val']}"


def _set_statement(said: Any) -> str:
    return f"{said['op']} {said['set']} {{ {value(said['elem'])} }}"


_TERMS: dict[str, Callable[[Any], str]] = {
    "match": _match,
    "counter": lambda said: f'counter name "{said}"' if isinstance(said, str) else "counter",
    "accept": lambda _: "accept",
    "drop": lambda _: "drop",
    "return": lambda _: "return",
    "continue": lambda _: "continue",
    "notrack": lambda _: "notrack",
    "jump": lambda said: f"jump {said['target']}",
    "goto": lambda said: f"goto {said['target']}",
    "reject": _reject,
    "log": _log,
    "limit": _limit,
    "masquerade": _translation("masquerade"),
    "redirect": _translation("redirect"),
    "dnat": _translation("dnat"),
    "snat": _translation("snat"),
    "vmap": lambda said: f"{value(said['key'])} vmap {_lines(said['key'], said['data'])}",
    "mangle": lambda said: f"{value(said['key'])} set {operand(said['key'], said['value'])}",
    "ct count": _counted,
    "set": _set_statement,
    "xt": lambda said: f'xt {said["type"]} "{said["name"]}"',
}
