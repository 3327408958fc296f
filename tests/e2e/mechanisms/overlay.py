"""What decides on overlay networks."""

from __future__ import annotations

from support.mechanisms import Case

CASES = (
    Case(
        "same-overlay", "left", "right", now="timeout",
        gone={"vm1": "iptables -I INPUT -p udp --dport 4789 -j DROP"},
    ),
    Case(
        "masquerade", "left", "internet", now="timeout",
        gone={"vm0": 'rewrite "/POSTROUTING .* -o docker_gwbridge -j MASQUERADE/d"'},
    ),
    Case(
        "no-default-route", "under", "internet", now="timeout",
        gone={"vm0": "inside under ip route add default via 10.61.0.1"},
        back={"vm0": "inside under ip route del default"},
        also=("under",),
    ),
    Case(
        "nobody-there", "left", "ghost", target="10.60.0.99",
        gone={"vm1": "inside right ip addr add 10.60.0.99/24 dev eth0"},
        back={"vm1": "inside right ip addr del 10.60.0.99/24 dev eth0"},
    ),
)  # fmt: skip
