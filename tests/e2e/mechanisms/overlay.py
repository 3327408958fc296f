"""What decides on overlay networks."""

from __future__ import annotations

from support.mechanisms import Case

FORGET = """
for space in /var/run/docker/netns/1-*; do
  within="nsenter --net=$space"
  $within ip neigh show nud permanent | while read -r address _ device _ mac _; do
    to=$($within bridge fdb show dev "$device" | sed -n "s/^$mac .*dst \\([^ ]*\\).*/\\1/p" | head -n 1)
    echo "$within ip neigh replace $address lladdr $mac nud permanent dev $device"
    echo "$within bridge fdb replace $mac dev $device dst $to self permanent"
    $within ip neigh del "$address" dev "$device"
    $within bridge fdb del "$mac" dev "$device"
  done
done > /run/sight
"""
"""Take out what an overlay knows of the other host, as its engine does that no longer hears of it."""

CASES = (
    Case(
        "same-overlay", "left", "right", now="timeout",
        gone={"vm1": "iptables -I INPUT -p udp --dport 4789 -j DROP"},
        cause=("vm1", "rule", "filter INPUT 1"),
    ),
    Case(
        "same-overlay", "left", "right", now="reply lost", gone={"vm1": FORGET}, back={"vm1": "sh /run/sight"},
        cause=("vm1", "neighbour", "vxlan0"),
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
