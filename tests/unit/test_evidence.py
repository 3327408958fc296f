"""Evidence from both ends: read from the hosts' own commands."""

from dockerlab.hosts.fake import FakeHost
from dockerlab.reach import Cell
from dockerlab.snapshot import ContainerState, Snapshot
from dockerlab.verify.evidence import around

SNAPSHOT = {"vm0": Snapshot("vm0", containers=(ContainerState("1", "a", "x", running=True, pid=7),))}
CELL = Cell("a", "vm0", "192.168.22.61", "ping", "vm0")
INSIDE = "1: lo: <LOOPBACK,UP> mtu 65536\n2: eth0@if9: <UP> mtu 1500 qdisc noqueue state UP\n"
OUTSIDE = "1: lo: <LOOPBACK,UP>\n9: veth0a@if2: <UP> mtu 1500 qdisc noqueue master docker0 state UP\n"


def host(rules):
    """Return a host whose firewall counts one packet more each time that it is asked."""
    asked = iter(rules)

    def respond(argv, _input):
        words = list(argv)
        if words == ["iptables-save", "-c"]:
            return next(asked)
        if "link" in words:
            return 0, INSIDE if "nsenter" in words else OUTSIDE, ""
        return 0, " ".join(words[words.index("ip") :]) + "\n", ""

    return FakeHost("vm0", respond)


def test_the_rules_that_counted_are_told():
    """A rule whose counter grew while the cell was probed is shown with its table; one that did not is not."""
    before = "*nat\n[1:84] -A DOCKER -i docker0 -j RETURN\n[5:9] -A POSTROUTING -j MASQUERADE\n"
    after = before.replace("[1:84]", "[3:200]")
    lines = around(CELL, {"vm0": host([(0, before, ""), (0, after, "")])}, SNAPSHOT, "a", lambda: "reachable")
    assert "    nat     +2   -A DOCKER -i docker0 -j RETURN" in lines
    assert not any("MASQUERADE" in line for line in lines)
    assert "observed: reachable" in lines
    assert "eth0 of a leads to veth0a on vm0, a port of docker0" in lines


def test_rules_that_cannot_be_read_are_not_called_silent():
    """Where the firewall cannot be read, that is said, and not that no rule counted."""
    lines = around(CELL, {"vm0": host([(4, "", "Permission denied")] * 2)}, SNAPSHOT, "a", lambda: "reachable")
    assert "on vm0: its firewall rules cannot be read: Permission denied" in lines
    assert not any("(none)" in line for line in lines)
