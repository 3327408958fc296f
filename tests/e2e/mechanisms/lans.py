"""What decides on the hosts' LANs."""

from __future__ import annotations

from support.mechanisms import Case

CHILD_OF_THE_HOST = """
ip link add link eth0 name hostside type macvlan mode bridge
ip addr add 192.168.22.250/32 dev hostside
ip link set hostside up
ip route add 192.168.22.200/32 dev hostside
"""

ROUTER_ON_IT = """
for name in all eth0; do echo 0 > /proc/sys/net/ipv4/conf/$name/send_redirects; done
ip addr add 10.9.2.1/24 dev eth0
"""
"""Without redirects, which would show the senders a way that outlives the router's part in it."""

ROUTER_OFF_IT = """
ip addr del 10.9.2.1/24 dev eth0
for name in all eth0; do echo 1 > /proc/sys/net/ipv4/conf/$name/send_redirects; done
"""

CASES = (
    Case(
        "same-lan", "vm1", "child", now="timeout",
        gone={"vm0": "inside child ip link set eth0 arp off", "vm1": "forget"},
        back={"vm0": "inside child ip link set eth0 arp on"},
        also=("child",),
        cause=("vm0", "link", "eth0"),
    ),
    Case(
        "macvlan-own-host", "child", "vm0",
        gone={"vm0": CHILD_OF_THE_HOST},
        back={"vm0": "ip link del hostside"},
        also=("child",),
        cause=("vm0", "link|address|route", ".*"),
    ),
    Case(
        "macvlan-private", "shy1", "shy2",
        gone={"vm0": "for name in shy1 shy2; do inside $name ip link set eth0 type macvlan mode bridge; done"},
        back={"vm0": "for name in shy1 shy2; do inside $name ip link set eth0 type macvlan mode private; done"},
        cause=("vm0", "link|network", ".*"),
    ),
    Case(
        "macvlan-vepa", "turned1", "turned2",
        gone={"switch": "ip link set vm1 type bridge_slave hairpin on"},
        back={"switch": "ip link set vm1 type bridge_slave hairpin off"},
    ),
    Case(
        "other-segment", "tagged", "gateway:lan50", needs="switch vm1.50",
        # The failed neighbour entry of the first look would answer without a new ARP request.
        gone={"switch": "ip link set vm1.50 master lan", "vm1": "forget tagged"},
        back={"switch": "ip link set vm1.50 master vlan50", "vm1": "forget tagged", "vm0": "forget"},
        also=("tagged",),
    ),
    Case(
        "reply-lost", "tagged", "vm0",
        gone={"vm0": "ip route add 192.168.22.210/32 dev eth0.50"},
        back={"vm0": "ip route del 192.168.22.210/32 dev eth0.50"},
        also=("tagged",),
        cause=("vm0", "route", ".*"),
    ),
    Case(
        "reply-lost", "tagged", "vm0", now="timeout",
        # vm0 forgets too: what it still knows of the container it would confirm by a request, which tells its own MAC.
        gone={"vm0": "sysctl -qw net.ipv4.conf.eth0/50.arp_ignore=1; forget", "vm1": "forget tagged"},
        back={"vm0": "sysctl -qw net.ipv4.conf.eth0/50.arp_ignore=0"},
    ),
    Case(
        "reply-lost", "tagged", "vm0", now="timeout", then="other-segment",
        # Who would not believe the sender's address does not answer its ARP request either.
        gone={"vm0": "sysctl -qw net.ipv4.conf.eth0/50.rp_filter=1"},
        back={"vm0": "sysctl -qw net.ipv4.conf.eth0/50.rp_filter=0"},
    ),
    Case(
        "no-default-route", "shy1", "vm1", now="timeout",
        gone={"vm0": "inside shy1 ip route add default via 10.9.1.1"},
        back={"vm0": "inside shy1 ip route del default"},
        also=("shy1",),
    ),
    Case(
        "unseen-lan", "turned1", "gateway:turned",
        gone={"router": ROUTER_ON_IT},
        back={"router": ROUTER_OFF_IT},
        also=("unseen-router",),
    ),
    Case(
        "unseen-router", "vm0", "turned1",
        gone={"router": ROUTER_ON_IT},
        back={"router": ROUTER_OFF_IT},
        also=("unseen-lan",),
    ),
    Case(
        "host-to-bridge", "vm1", "gone", now="timeout", then="nobody-there",
        gone={"vm1": "docker stop -t 0 gone"},
        back={"vm1": "docker start gone"},
        also=("gone",),
        cause=("vm1", "container", "container gone"),
    ),
)  # fmt: skip
