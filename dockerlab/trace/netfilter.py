"""Messages of nf_tables over netlink: a table that marks packets for tracing, what is told of them, rules in order.

The numbers are those of linux/netfilter/nf_tables.h. Part of the program that traces on a host: standard library only,
and Python 3.6 must run it.
"""

import socket
import struct
from typing import Any, NamedTuple

from dockerlab.probe.neighbours import ATTRIBUTE, HEADER, attributes

NETLINK_NETFILTER = 12
TRACES = 9
"""The multicast group NFNLGRP_NFTRACE."""
REQUEST, ACKNOWLEDGE, DUMP, CREATE = 1, 4, 0x300, 0x400
ERROR, DONE, BATCH_BEGIN, BATCH_END = 2, 3, 0x10, 0x11
SUBSYSTEM = 10
NEW_TABLE, GET_TABLE, DELETE_TABLE, NEW_CHAIN, NEW_RULE, GET_RULE, TRACE = (
    SUBSYSTEM << 8 | number for number in (0, 1, 2, 3, 6, 7, 17)
)
OWNED = 2
"""A table of this flag is gone when the socket that made it is, whatever ended its program (since Linux 5.12)."""
INET, ANY = 1, 0
FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
HOOKS = {"prerouting": 0, "output": 3}
FIRST = -350
"""Before raw (-300) and conntrack (-200), after fragments are put together (-400)."""

TCP, ICMP, ICMPV6 = 6, 1, 58
L4PROTO, NFTRACE = 16, 12
TRANSPORT, NETWORK = 2, 1
REGISTER = 1
KINDS = {1: "policy", 2: "return", 3: "rule"}
VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue", 4: "repeat", -1: "continue", -2: "break", -5: "return"}
JUMP, GOTO = -3, -4


class Sign(NamedTuple):
    """What a packet is known by: bytes, perhaps masked, at an offset of its IP header or of what follows that."""

    base: "int"
    offset: "int"
    data: "bytes"
    mask: "bytes" = b""


class Event(NamedTuple):
    """One thing that the kernel tells of a traced packet; `handle` is 0 where no rule did it."""

    packet: "int"
    family: "str"
    table: "str"
    chain: "str"
    kind: "str"
    handle: "int"
    verdict: "str"
    incoming: "int"
    outgoing: "int"
    addresses: "list[str]"


def attribute(kind: "int", data: "bytes", nested: "bool" = False) -> "bytes":
    """Return a netlink attribute, filled up to four bytes."""
    head = ATTRIBUTE.pack(ATTRIBUTE.size + len(data), kind | (0x8000 if nested else 0))
    return head + data + b"\0" * (-len(data) % 4)


def text(kind: "int", value: "str") -> "bytes":
    """Return an attribute with a text."""
    return attribute(kind, value.encode() + b"\0")


def number(kind: "int", value: "int") -> "bytes":
    """Return an attribute with a number of 32 bits."""
    return attribute(kind, struct.pack("!i", value))


def message(kind: "int", flags: "int", sequence: "int", family: "int", body: "bytes" = b"") -> "bytes":
    """Return one message; those that begin and end a batch name the subsystem."""
    resource = SUBSYSTEM if kind in (BATCH_BEGIN, BATCH_END) else 0
    body = struct.pack("!BBH", family, 0, resource) + body
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body


def batch(messages: "list[tuple[int, int, bytes]]", family: "int" = INET) -> "bytes":
    """Return messages (kind, flags, body) that take effect together or not at all; each is acknowledged."""
    made = [message(BATCH_BEGIN, REQUEST, 0, ANY)]
    for index, (kind, flags, body) in enumerate(messages, 1):
        made.append(message(kind, REQUEST | ACKNOWLEDGE | flags, index, family, body))
    made.append(message(BATCH_END, REQUEST, len(messages) + 1, ANY))
    return b"".join(made)


def marking(table: "str", signs: "list[tuple[str, list[Sign]]]", owned: "bool") -> "bytes":
    """Return the batch that makes our table: for each way of a packet a chain at each hook where one comes in.

    A chain is called WAY-HOOK, and marks what bears all of that way's signs.
    """
    made = [(NEW_TABLE, CREATE, text(1, table) + number(2, OWNED if owned else 0))]
    for order, (way, some) in enumerate(signs):
        for hook, place in HOOKS.items():
            where = attribute(4, number(1, place) + number(2, FIRST + order), nested=True)
            chain = way + "-" + hook
            made.append((NEW_CHAIN, CREATE, text(1, table) + text(3, chain) + where + text(7, "filter")))
            steps = b"".join(step for sign in some for step in _compared(sign)) + _marked()
            made.append((NEW_RULE, CREATE | 0x800, text(1, table) + text(2, chain) + attribute(4, steps, nested=True)))
    return batch(made)


def removing(table: "str") -> "bytes":
    """Return the batch that removes a table of ours."""
    return batch([(DELETE_TABLE, 0, text(1, table))])


def _expression(name: "str", data: "bytes") -> "bytes":
    return attribute(1, text(1, name) + attribute(2, data, nested=True), nested=True)


def _value(kind: "int", data: "bytes") -> "bytes":
    return attribute(kind, attribute(1, data), nested=True)


def _compared(sign: "Sign") -> "list[bytes]":
    """Return the expressions that go on only where a packet bears a sign; base 0 stands for its protocol."""
    if sign.base:
        where = number(1, REGISTER) + number(2, sign.base) + number(3, sign.offset) + number(4, len(sign.data))
        steps = [_expression("payload", where)]
    else:
        steps = [_expression("meta", number(1, REGISTER) + number(2, L4PROTO))]
    if sign.mask:
        zero = b"\0" * len(sign.mask)
        masked = number(1, REGISTER) + number(2, REGISTER) + number(3, len(sign.mask))
        steps.append(_expression("bitwise", masked + _value(4, sign.mask) + _value(5, zero)))
    return [*steps, _expression("cmp", number(1, REGISTER) + number(2, 0) + _value(3, sign.data))]


def _marked() -> "bytes":
    one = _expression("immediate", number(1, REGISTER) + _value(2, b"\1"))
    return one + _expression("meta", number(2, NFTRACE) + number(3, REGISTER))


def messages_in(data: "bytes") -> "list[tuple[int, int, bytes]]":
    """Return the messages of a datagram: kind, sequence number, and what follows the header."""
    found, place = [], 0
    while place + HEADER.size <= len(data):
        size, kind, _, sequence, _ = HEADER.unpack_from(data, place)
        if size < HEADER.size:
            break
        found.append((kind, sequence, data[place + HEADER.size : place + size]))
        place += (size + 3) & ~3
    return found


def event(body: "bytes") -> "Event":
    """Return what a message of the kernel's tells of a traced packet."""
    fields = attributes(body[4:])

    def whole(kind: "int") -> "int":
        return int.from_bytes(fields.get(kind, b""), "big")

    verdict = ""
    if 5 in fields:
        said = attributes(fields[5])
        code = struct.unpack("!i", said[1])[0] if 1 in said else 0
        verdict = VERDICTS.get(code if code < 0 else code & 0xFF, str(code))
        if code in (JUMP, GOTO):
            verdict = ("jump " if code == JUMP else "goto ") + word(said.get(2, b""))
    elif 16 in fields:
        verdict = VERDICTS.get(whole(16) & 0xFF, str(whole(16)))
    return Event(
        whole(6),
        FAMILIES.get(body[0], str(body[0])),
        word(fields.get(1, b"")),
        word(fields.get(2, b"")),
        KINDS.get(whole(4), str(whole(4))),
        whole(3),
        verdict,
        whole(10),
        whole(12),
        addresses_of(fields.get(8, b"")),
    )


def addresses_of(header: "bytes") -> "list[str]":
    """Return the source and destination of an IP header, or nothing where there is none."""
    if len(header) >= 20 and header[0] >> 4 == 4:
        return [socket.inet_ntop(socket.AF_INET, header[place : place + 4]) for place in (12, 16)]
    if len(header) >= 40 and header[0] >> 4 == 6:
        return [socket.inet_ntop(socket.AF_INET6, header[place : place + 16]) for place in (8, 24)]
    return []


def word(data: "bytes") -> "str":
    """Return the text of an attribute."""
    return data.rstrip(b"\0").decode("utf-8", "replace")


def rule_dump(family: "str", table: "str", chain: "str") -> "bytes":
    """Return the message that asks for the rules of a chain, in their order."""
    numbers = {name: value for value, name in FAMILIES.items()}
    return message(GET_RULE, REQUEST | DUMP, 1, numbers.get(family, ANY), text(1, table) + text(2, chain))


def rule_of(body: "bytes") -> "tuple[str, str, int]":
    """Return the table, the chain and the handle of a rule."""
    fields = attributes(body[4:])
    return word(fields.get(1, b"")), word(fields.get(2, b"")), int.from_bytes(fields.get(3, b""), "big")


def table_of(body: "bytes") -> "tuple[str, int]":
    """Return the name and the flags of a table."""
    fields: dict[int, Any] = attributes(body[4:])
    return word(fields.get(1, b"")), int.from_bytes(fields.get(2, b""), "big")
