"""What decides on overlay networks."""

from __future__ import annotations

from support.mechanisms import Case

CASES = (
    Case(
        "same-overlay", "left", "right", now="timeout",
        gone={"vm1": "iptables -I INPUT -p udp --dport 4789 -j DROP"},
        cause=("vm1", "rule", "filter INPUT 1"),
    ),
    Case(
        "masquerade", "left", "internet", now="timeout",
        gone={"vm0": 'rewrite "/POSTROUTING .* -o docker_gwbridge -j MASQUERADE/d"'},
        cause=("vm0", "rule", "nat POSTROUTING.*"),
    ),
    Case(
        "no-default-route", "under", "internet", now="timeout",
        gone={"vm0": "inside under ip route add default via 10.61.0.1"},
        back={"vm0": "inside under ip route del default"},
        also=("under",),
        cause=("vm0", "route", ".*"),
    ),
)  # fmt: skip
