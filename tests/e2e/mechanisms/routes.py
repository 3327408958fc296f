"""Routes of another machine to the containers' own addresses: who is let in."""

from __future__ import annotations

from contextlib import contextmanager

from support.mechanisms import Case

ROUTES = "for n in 1 2 3; do ip route {} 172.28.$n.0/24 via 192.168.22.61; done"
UNREADABLE = "$(readlink -f $(command -v iptables))"

CASES = (
    Case(
        "forward-policy", "vm1", "web", engines=(0, 27), then="routed",
        gone={"vm0": "iptables -P FORWARD ACCEPT"},
        also=("vm1",),
        cause=("vm1", "route", ".*"),
    ),
    Case(
        "forward-policy", "vm1", "web", engines=(0, 27), then="routed",
        gone={"vm0": f"iptables -P FORWARD ACCEPT; mount --bind /bin/false {UNREADABLE}"},
        back={"vm0": f"umount {UNREADABLE}"},
        also=("vm1",),
    ),
    Case(
        "routed", "vm1", "web", "tcp/80", now="timeout", engines=(0, 27),
        gone={"vm0": 'rewrite "/DOCKER -d 172.28.1.10.32 .*--dport 80 -j ACCEPT/d"'},
        also=("published",),
    ),
    Case(
        "direct-routing", "vm1", "web", engines=(28, 28),
        besides={"vm0": "iptables -I DOCKER-USER -i eth0 -d 172.28.1.10 -j ACCEPT"},
        gone={"vm0": 'rewrite "/PREROUTING -d 172.28.1.10.32 .*-j DROP/d"'},
        cause=("vm0|vm1", "rule|route", ".*"),
    ),
    Case(
        "direct-routing", "vm1", "gated", "tcp/81", engines=(28, 99),
        gone={"vm0": "iptables -I DOCKER-USER -i eth0 -d 172.28.2.10 -p tcp --dport 81 -j ACCEPT"},
        cause=("vm0|vm1", "rule|route", ".*"),
    ),
    Case(
        "publish-routed", "vm1", "vm0", "tcp/8082", engines=(28, 99),
        gone={"vm0": "iptables -t nat -A DOCKER -p tcp --dport 8082 -j DNAT --to-destination 172.28.2.10:80"},
        cause=("vm0", "rule", r"nat DOCKER \d+"),
    ),
    Case(
        "routed", "vm1", "free", now="timeout", engines=(28, 99), then="unrouted",
        gone={"vm1": "ip route del 172.28.3.0/24"},
        back={"vm1": "ip route add 172.28.3.0/24 via 192.168.22.61"},
        also=("vm1",),
    ),
)  # fmt: skip


@contextmanager
def prepared(machines):
    """Give vm1 routes to vm0's bridges."""
    machines.sh("vm1", ROUTES.format("add"))
    try:
        yield
    finally:
        machines.sh("vm1", ROUTES.format("del"))
