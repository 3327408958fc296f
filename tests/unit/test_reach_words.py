"""A packet's steps in words: whatever the kernel calls a namespace by, a person knows it by its container or host."""

from types import SimpleNamespace

from dockerlab.reach.story import in_words
from dockerlab.walk.outcome import SpaceId, Step

HOST, CLIENT, STRANGER = SpaceId("vm0", 1), SpaceId("vm0", 2), SpaceId("vm0", 3)
WORLD = SimpleNamespace(
    names={HOST: "vm0", CLIENT: "client"},
    fabric=SimpleNamespace(
        spaces={HOST: SimpleNamespace(name="vm0"), CLIENT: SimpleNamespace(name="0550032e28cb on vm0"),
                STRANGER: SimpleNamespace(name="cni-7 on vm0")}
    ),
)  # fmt: skip


def test_who_is_next():
    """Who takes a packet is named as the lab names them; of a namespace that is nobody's there is the kernel's word."""
    steps = [
        Step(HOST, "neighbour", "172.18.0.3 is 0550032e28cb on vm0 on br-1", link="br-1", to=CLIENT, came_by="eth0"),
        Step(CLIENT, "neighbour", "172.18.0.1 is vm0 on eth0", link="eth0", to=HOST, came_by="br-1"),
        Step(HOST, "neighbour", "172.18.0.9 is cni-7 on vm0 on br-1", link="br-1", to=STRANGER, came_by="eth0"),
    ]
    assert list(in_words(WORLD, steps)) == [
        "vm0: 172.18.0.3 is client on br-1",
        "client: 172.18.0.1 is vm0 on eth0",
        "vm0: 172.18.0.9 is cni-7 on vm0 on br-1",
    ]


def test_where_nobody_answers():
    """Who asks is named as the lab names them, also where the step leads to nobody."""
    steps = [
        Step(CLIENT, "neighbour", "nobody on eth0 of 0550032e28cb on vm0 answers for 172.18.0.9", link="eth0"),
        Step(STRANGER, "neighbour", "nobody on eth0 of cni-7 on vm0 answers for 172.18.0.9", link="eth0"),
    ]
    assert list(in_words(WORLD, steps)) == [
        "client: nobody on eth0 of client answers for 172.18.0.9",
        "vm0, a namespace of its own: nobody on eth0 of cni-7 on vm0 answers for 172.18.0.9",
    ]
