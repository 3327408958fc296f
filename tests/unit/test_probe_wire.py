"""What the agent sends, and what it makes of what it hears."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerlab.probe import neighbours, wire

NONCE = bytes(range(16))


def ip(payload: bytes, options: int = 0) -> bytes:
    return bytes([0x40 | (5 + options)]) + bytes(19 + options * 4) + payload


def test_the_checksum_is_that_of_rfc_1071():
    """The RFC's own example, and the property that a packet with its checksum sums up to zero."""
    assert wire.checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF
    assert wire.checksum(wire.echo_request(4, NONCE, wire.Stamp(7, 1))) == 0


@given(st.binary(max_size=64))
def test_a_checksum_makes_any_message_sum_up_to_zero(data):
    """Odd lengths are padded at the end, so the sum is appended to even ones only."""
    data += b"\0" * (len(data) % 2)
    assert wire.checksum(data + struct.pack("!H", wire.checksum(data))) == 0


@pytest.mark.parametrize("version", [4, 6])
def test_a_request_and_its_reply_carry_the_cell(version):
    """A packet is recognised by its payload, so translation of its identifier does not matter."""
    request = wire.echo_request(version, NONCE, wire.Stamp(70000, 2))
    assert wire.read_icmp(request, version, NONCE) == ("request", 0, wire.Stamp(70000, 2))
    reply = bytes([wire.ECHO_REPLY[version]]) + request[1:4] + b"\xff\xff" + request[6:]
    assert wire.read_icmp(reply, version, NONCE) == ("reply", 0, wire.Stamp(70000, 2))


@pytest.mark.parametrize(("version", "kind"), [(4, 3), (6, 1)])
def test_an_error_is_about_the_packet_that_it_quotes(version, kind):
    """An ICMP error is matched by the quoted payload, behind an IP header of any length."""
    request = wire.echo_request(version, NONCE, wire.Stamp(5, 0))
    for quoted in [ip(request), ip(request, options=2)] if version == 4 else [bytes(40) + request]:
        message = bytes([kind, 1]) + bytes(6) + quoted
        assert wire.read_icmp(message, version, NONCE) == ("unreachable", 1, wire.Stamp(5, 0))


@pytest.mark.parametrize(("version", "kind"), [(4, 3), (6, 1)])
def test_an_error_about_a_reply_is_for_whoever_replied(version, kind):
    """What is said of somebody's reply, also of one's own, does not tell that a request came nowhere."""
    request = wire.echo_request(version, NONCE, wire.Stamp(5, 0))
    reply = bytes([wire.ECHO_REPLY[version]]) + request[1:]
    message = bytes([kind, 1]) + bytes(6) + (ip(reply) if version == 4 else bytes(40) + reply)
    assert wire.read_icmp(message, version, NONCE) is None


@pytest.mark.parametrize("version", [4, 6])
def test_a_request_of_full_size_fills_the_packet(version):
    """With its IP header it has the size that was asked for, and is recognised as any other."""
    request = wire.echo_request(version, NONCE, wire.Stamp(7, 8), size=1450)
    assert len(request) + wire.IP_HEADER[version] == 1450
    assert wire.read_icmp(request, version, NONCE) == ("request", 0, wire.Stamp(7, 8))


def test_another_run_is_not_ours():
    """Packets of another run of the same lab are left alone."""
    assert wire.read_icmp(wire.echo_request(4, bytes(16), wire.Stamp(1, 0)), 4, NONCE) is None


@given(st.binary(max_size=80), st.sampled_from([4, 6]))
def test_any_packet_can_be_heard(data, version):
    """Whatever arrives, nothing is raised, and nothing is taken for ours."""
    assert wire.read_icmp(data, version, NONCE) is None
    assert wire.read_icmp(wire.strip_ip_header(data, version), version, NONCE) is None


def test_resolver_and_hosts_files_are_read_as_libc_does():
    """Comments and other keywords are skipped; names are found in any column and any case."""
    assert wire.read_resolv_conf(
        "# nameserver 1.1.1.1\nsearch a b\nnameserver 127.0.0.11\nnameserver ::1\nnameserver\n"
    ) == [
        "127.0.0.11",
        "::1",
    ]
    text = "127.0.0.1 localhost\n10.0.0.2 c1 Web # web2\n# 10.0.0.3 web\n"
    assert wire.read_hosts(text, "web") == ["10.0.0.2"]
    assert wire.read_hosts(text, "web2") == []


def answer(ident: int, rcode: int, *records: bytes) -> bytes:
    question = wire.dns_query(ident, "web", wire.TYPE_A)[12:]
    return struct.pack("!HHHHHH", ident, 0x8180 | rcode, 1, len(records), 0, 0) + question + b"".join(records)


def record(kind: int, data: bytes) -> bytes:
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def test_a_dns_answer_gives_its_addresses():
    """Aliases are passed over; only records of the asked type count."""
    message = answer(9, 0, record(5, b"\x03abc\0"), record(1, bytes([10, 0, 0, 2])), record(28, bytes(16)))
    assert wire.read_dns(message, 9, wire.TYPE_A) == (0, ["10.0.0.2"])
    assert wire.read_dns(message, 9, wire.TYPE_AAAA) == (0, ["::"])
    assert wire.read_dns(answer(9, 3), 9, wire.TYPE_A) == (3, [])


def test_a_dns_message_that_is_not_the_answer_is_none():
    """Another query's answer, a query, and a cut message are no answer."""
    whole = answer(9, 0, record(1, bytes([10, 0, 0, 2])))
    assert wire.read_dns(whole, 8, wire.TYPE_A) is None
    assert wire.read_dns(wire.dns_query(9, "web", 1), 9, wire.TYPE_A) is None
    assert all(wire.read_dns(whole[:end], 9, wire.TYPE_A) is None for end in range(len(whole)))


@given(st.binary(max_size=120))
def test_any_dns_message_can_be_heard(data):
    """Whatever a name server sends, it is an answer or None, and reading it ends."""
    found = wire.read_dns(b"\0\x09\x81\x80" + data, 9, wire.TYPE_A)
    assert found is None or found.rcode == 0


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64])
def test_a_name_that_dns_cannot_hold_is_refused(name):
    """The cell becomes unknown and not a malformed packet."""
    with pytest.raises(ValueError, match="not a DNS name"):
        wire.dns_query(1, name, wire.TYPE_A)


@pytest.mark.parametrize(
    ("state", "flags", "plain", "all_"),
    [
        (0x02, 0, True, True),
        (0x04, 0, True, True),
        (0x20, 0, True, True),
        (0x01, 0, False, True),
        (0x80, 0, False, False),
        (0x40, 0, False, False),
        (0x04, 0x10, False, False),
    ],
)
def test_only_what_the_kernel_learned_is_forgotten(state, flags, plain, all_):
    """Permanent and externally learned entries, as an overlay's, are never removed."""
    entry = neighbours.Neighbour(2, 1, b"\x0a\0\0\1", state, flags)
    assert neighbours.removable(entry, with_incomplete=False) is plain
    assert neighbours.removable(entry, with_incomplete=True) is all_


def test_netlink_attributes_are_found_by_type():
    """Attributes are padded to four bytes, and a broken one ends the list."""
    data = struct.pack("=HH1s3x", 5, 1, b"a") + struct.pack("=HH4s", 8, 2, b"abcd")
    assert neighbours.attributes(data) == {1: b"a", 2: b"abcd"}
    assert neighbours.attributes(b"\0\0\0\0") == {}
