"""What the agent notes of the packets that open and end a connection."""

from __future__ import annotations

import pytest
from support.packets import filtered
from support.packets import tcp_packet as packet

from dockerlab.probe.knocks import (
    ACK,
    ANSWERED,
    ASKED,
    FIN,
    REFUSED,
    RST,
    SYN,
    USED,
    Watch,
    openings,
    read_tcp,
)

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"


def comes(flags, sequence=0, acknowledged=0, client=CLIENT, server=SERVER):
    return packet(client, server, (4000, 80), flags, sequence, acknowledged)


def leaves(flags, sequence=0, acknowledged=0, client=CLIENT, server=SERVER):
    return packet(server, client, (80, 4000), flags, sequence, acknowledged)


def noted(*packets):
    watch = Watch(None, {80})
    for one in packets:
        watch.note(one)
    return watch.knocks


@pytest.mark.parametrize(("client", "server"), [(CLIENT, SERVER), ("fd00::1", "fd00::2")])
def test_a_connection_is_known_by_the_number_that_it_began_with(client, server):
    """Asked for, answered and ended, by IPv4 and IPv6; a repeated packet is the same connection."""
    ends = {"client": client, "server": server}
    opened = [comes(SYN, 500, **ends), comes(SYN, 500, **ends), leaves(SYN | ACK, 9, 501, **ends)]
    assert noted(*opened) == {(80, 500): ASKED | ANSWERED}
    assert noted(*opened, comes(FIN | ACK, 501, 10, **ends)) == {(80, 500): ASKED | ANSWERED | USED}
    assert noted(*opened, leaves(FIN | ACK, 10, 501, **ends)) == {(80, 500): ASKED | ANSWERED | USED}


def test_a_refused_connection_is_not_an_answered_one():
    """The kernel's RST names the number that it refuses."""
    assert noted(comes(SYN, 500), leaves(RST | ACK, 0, 501)) == {(80, 500): ASKED | REFUSED}


def test_numbers_go_round():
    """The largest number is followed by 0."""
    assert noted(comes(SYN, 0xFFFFFFFF), leaves(SYN | ACK, 9, 0)) == {(80, 0xFFFFFFFF): ASKED | ANSWERED}


def test_what_is_about_no_connection_that_came_is_left_out():
    """An answer to another number, the end of what began before, a connection that goes out, a packet cut short."""
    assert noted(comes(SYN, 500), leaves(SYN | ACK, 9, 777)) == {(80, 500): ASKED}
    assert noted(comes(FIN | ACK, 500, 1), leaves(SYN | ACK, 1, 2)) == {}
    assert noted(packet(SERVER, "10.0.0.3", (80, 443), SYN, 5), b"", comes(SYN, 5)[:30]) == {}


def passes(data: bytes, *, kind: int, direction: int, ports: list[int]) -> bool:
    """Run the filter on a packet that passes an interface."""
    return filtered(openings(ports), data, {0xFFFFF000 + 28: kind, 0xFFFFF000 + 4: direction})


ETHERNET, LOOPBACK, COMES, LEAVES = 1, 772, 0, 4


@pytest.mark.parametrize(("client", "server"), [(CLIENT, SERVER), ("fd00::1", "fd00::2")])
@pytest.mark.parametrize("ports", [[80], [22, 80, 443], list(range(1, 300))])
def test_the_filter_passes_what_opens_and_ends_connections(client, server, ports):
    """SYN, FIN and RST to a watched port and from it, on no loopback; nothing that only carries data."""
    ends = {"client": client, "server": server}
    for flags in (SYN, SYN | ACK, FIN | ACK, RST):
        assert passes(comes(flags, **ends), kind=ETHERNET, direction=COMES, ports=ports)
        assert passes(leaves(flags, **ends), kind=ETHERNET, direction=LEAVES, ports=ports)
        assert not passes(comes(flags, **ends), kind=LOOPBACK, direction=COMES, ports=ports)
    assert not passes(comes(ACK, **ends), kind=ETHERNET, direction=COMES, ports=ports)
    assert not passes(bytes([0x45] + [0] * 8 + [17] + [0] * 30), kind=ETHERNET, direction=COMES, ports=ports)
    assert not passes(bytes([0x60] + [0] * 5 + [17] + [0] * 50), kind=ETHERNET, direction=COMES, ports=ports)


def test_the_filter_looks_at_the_port_of_this_end():
    """A connection of the container's own to another's port 80 is not one to its port 80."""
    assert not passes(comes(SYN), kind=ETHERNET, direction=LEAVES, ports=[80])
    assert not passes(leaves(SYN | ACK), kind=ETHERNET, direction=COMES, ports=[80])
    assert not passes(comes(SYN), kind=ETHERNET, direction=COMES, ports=[443])


def test_a_later_fragment_is_no_tcp_packet():
    """Its bytes stand where another packet has its ports and flags."""
    whole = comes(SYN)
    assert not passes(whole[:6] + b"\x00\x10" + whole[8:], kind=ETHERNET, direction=COMES, ports=[80])
    assert read_tcp(whole)[2:4] == (4000, 80)
