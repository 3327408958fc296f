"""What the host's firewall, routes and proxies decide."""

from __future__ import annotations

from support.mechanisms import Case

WIRE = """
ip link add wire type veth peer name eth0 netns $(pid_of alone)
ip link set wire master $(bridge_of front) up
inside alone ip addr add 172.28.1.99/24 dev eth0
inside alone ip link set eth0 up
"""

ADDRESS_AGAIN = """
inside remote ip addr add 172.17.0.2/16 dev eth0
inside remote ip route add default via 172.17.0.1
"""

FORWARDS = "/proc/sys/net/ipv4/ip_forward"
ECHO = "-p icmp --icmp-type echo-request"

NAMES = (
    "dns-shared-network", "dns-no-shared-network", "dns-joined", "dns-default-bridge", "dns-host-mode",
)  # fmt: skip

CASES = (
    Case(
        "own-address", "joined", "peer", now="timeout",
        gone={"vm0": "inside peer ip link set lo down"},
        back={"vm0": "inside peer ip link set lo up"},
        also=("peer", "joined"),
        cause=("vm0", "link|address|route", ".*"),
    ),
    Case(
        "same-bridge", "web", "peer", now="timeout",
        gone={"vm0": "for name in web peer; do ip link set $(port_of $name) type bridge_slave isolated on; done"},
        back={"vm0": "for name in web peer; do ip link set $(port_of $name) type bridge_slave isolated off; done"},
        cause=("vm0", "link", ".*"),
    ),
    Case(
        "host-local", "web", "vm0", now="timeout",
        gone={"vm0": f"iptables -I INPUT -i $(bridge_of front) {ECHO} -j DROP"},
        cause=("vm0", "rule", "filter INPUT 1"),
    ),
    Case(
        "host-to-bridge", "vm0", "web", now="blocked",
        gone={"vm0": f"iptables -I OUTPUT -o $(bridge_of front) {ECHO} -j DROP"},
        cause=("vm0", "rule", "filter OUTPUT 1"),
    ),
    Case(
        "masquerade", "web", "internet", now="timeout",
        gone={"vm0": 'rewrite "/POSTROUTING -s 172.28.1.0.24 .* MASQUERADE/d"'},
        cause=("vm0", "rule", "nat POSTROUTING.*"),
    ),
    Case(
        "masquerade", "web", "internet", now="timeout", then="ip-forward-off",
        gone={"vm0": "sysctl -qw net.ipv4.ip_forward=0"},
        back={"vm0": "sysctl -qw net.ipv4.ip_forward=1"},
        also=("published", "reply-lost", *NAMES),
        cause=("vm0", "sysctl", r"net\.ipv4\.ip_forward"),
    ),
    Case(
        "masquerade", "web", "internet", now="timeout", then="ip-forward-off",
        gone={"vm0": f"sysctl -qw net.ipv4.ip_forward=0; mount --bind /dev/null {FORWARDS}"},
        back={"vm0": f"umount {FORWARDS}; sysctl -qw net.ipv4.ip_forward=1"},
        also=("published", "reply-lost", *NAMES),
    ),
    Case(
        "outside", "vm0", "internet", now="timeout",
        gone={"router": "echo 0 > /proc/sys/net/ipv4/ip_forward"},
        back={"router": "echo 1 > /proc/sys/net/ipv4/ip_forward"},
        also=("masquerade", *NAMES),
    ),
    Case(
        "no-masquerade", "open", "internet",
        gone={"vm0": "iptables -t nat -A POSTROUTING -s 172.28.5.0/24 -o eth0 -j MASQUERADE"},
        also=("reply-lost", *NAMES),
        cause=("vm0", "rule", r"nat POSTROUTING \d+"),
    ),
    Case(
        "reply-lost", "open", "vm1", then="routed", engines=(0, 27),
        gone={"vm1": "ip route add 172.28.5.0/24 via 192.168.22.61"},
        back={"vm1": "ip route del 172.28.5.0/24"},
        also=("unrouted",),
        cause=("vm1", "route", ".*"),
    ),
    Case(
        "reply-lost", "open", "vm1", engines=(28, 99),
        besides={"vm1": "ip route add 172.28.5.0/24 via 192.168.22.61"},
        gone={"vm0": 'rewrite "/PREROUTING -d 172.28.5.10.32 .*-j DROP/d"'},
        back={"vm1": "ip route del 172.28.5.0/24"},
        also=("unrouted",),
        cause=("vm0|vm1", "rule|route", ".*"),
    ),
    Case(
        "bridge-icc", "one", "two",
        gone={"vm0": 'quiet=$(bridge_of quiet); rewrite "s/(-i $quiet -o $quiet -j) DROP/\\1 ACCEPT/"'},
        cause=("vm0", "rule", "filter .*"),
    ),
    Case(
        "bridge-icc", "two", "one",
        gone={"vm0": "sysctl -qw net.bridge.bridge-nf-call-iptables=0"},
        back={"vm0": "sysctl -qw net.bridge.bridge-nf-call-iptables=1"},
        then="same-bridge",
        cause=("vm0", "sysctl", r"net\.bridge\.bridge-nf-call-iptables"),
    ),
    Case(
        "bridge-isolation", "web", "db", engines=(0, 27),
        # There, the chains come before the rule that accepts replies: they stop both directions.
        gone={"vm0": 'rewrite "/STAGE-2 -o ($(bridge_of back)|$(bridge_of front)) -j DROP/d"'},
        cause=("vm0", "rule", "filter DOCKER-ISOLATION.*"),
    ),
    Case(
        "bridge-isolation", "web", "db", engines=(28, 28),
        gone={"vm0": 'back=$(bridge_of back); rewrite "/-i $back .*-j DROP|STAGE-2 -o $back -j DROP/d"'},
        cause=("vm0", "rule", "(filter DOCKER|raw PREROUTING).*"),
    ),
    Case(
        "bridge-internal", "safe", "vm1", engines=(0, 26),
        besides={"vm0": "iptables -P FORWARD ACCEPT", "vm1": "ip route add 172.28.3.0/24 via 192.168.22.61"},
        gone={"vm0": 'rewrite "/STAGE-1 .*172.28.3.0.24 .* -j DROP/d"'},
        back={"vm1": "ip route del 172.28.3.0/24"},
        also=("unrouted",),
        cause=("vm0|vm1", "rule|route", ".*"),
    ),
    Case(
        "bridge-internal", "safe", "vm0", target="192.168.22.61", engines=(28, 99),
        gone={"vm0": "inside safe ip route add default via 172.28.3.1"},
        back={"vm0": "inside safe ip route del default"},
        also=("safe",),
        cause=("vm0", "route", ".*"),
    ),
    Case(
        "none", "alone", "web",
        gone={"vm0": WIRE},
        back={"vm0": "ip link del wire"},
        cause=("vm0", "link|address|route", ".*"),
    ),
    Case(
        "unrouted", "web", "faraway", then="masquerade",
        besides={"vm1": "iptables -P FORWARD ACCEPT"},
        gone={"vm0": "ip route add 172.28.6.0/24 via 192.168.22.62"},
        back={"vm0": "ip route del 172.28.6.0/24"},
        cause=("vm0", "route", ".*"),
    ),
    Case(
        "same-address", "vm1", "plain", now="timeout",
        gone={"vm1": "inside remote ip addr del 172.17.0.2/16 dev eth0; forget"},
        back={"vm1": ADDRESS_AGAIN},
        also=("remote",),
        cause=("vm1", "address|route", ".*"),
    ),
    Case(
        "nobody-there", "web", "ghost", target="172.28.1.77",
        gone={"vm0": "inside peer ip addr add 172.28.1.77/24 dev eth0"},
        back={"vm0": "inside peer ip addr del 172.28.1.77/24 dev eth0"},
    ),
    Case(
        "published", "vm1", "vm0", "tcp/8080", now="refused",
        besides={"vm0": 'rewrite "/--dport 8080 -j DNAT/d"'},
        gone={"vm0": "kill $(pgrep -f 'docker-proxy .*-host-port 8080')"},
        back={"vm0": "docker restart -t 0 web"},
        cause=("vm0", "rule|proxy", ".*"),
    ),
    Case(
        "published", "db", "vm0", "tcp/8080", now="refused",
        gone={"vm0": "kill $(pgrep -f 'docker-proxy .*-host-port 8080')"},
        back={"vm0": "docker restart -t 0 web"},
        cause=("vm0", "proxy", ".*"),
    ),
    Case(
        "publish-loopback", "vm1", "vm0", "tcp/8081",
        gone={"vm0": 'rewrite "/DNAT/s/-d 127.0.0.1.32 //"'},
        cause=("vm0", "rule", "nat DOCKER.*"),
    ),
    Case(
        "publish-address", "vm1", "vm0", "tcp/8082",
        gone={"vm0": 'rewrite "/DNAT/s/-d 172.17.0.1.32 //"'},
        cause=("vm0", "rule", "nat DOCKER.*"),
    ),
    Case(
        "publish-no-proxy", "open", "vm0", "tcp/8080", engines=(0, 28),
        gone={"vm0": "iptables -t nat -I DOCKER -i $(bridge_of bare) -j RETURN"},
        cause=("vm0", "rule", "nat DOCKER 1"),
    ),
    Case(
        "publish-needs-bridge", "vm1", "vm0", "tcp/8083",
        gone={"vm0": "docker network connect front safe"},
        # 20.10 then maps the port to the internal network's address, which it does not when the container starts.
        back={"vm0": "docker network disconnect front safe; docker restart -t 0 safe"},
        also=("safe",),
        cause=("vm0", "container|place|network", ".*"),
    ),
    Case(
        "nothing-published", "vm1", "vm0", "tcp/9999", target="192.168.22.61",
        gone={"vm0": "docker exec -d direct httpd -f -p 9999 -h /www; sleep 0.3"},
        back={"vm0": "docker exec direct killall httpd"},
    ),
    Case(
        "nothing-listens", "web", "peer", "tcp/80", target="172.28.1.11",
        gone={"vm0": "docker exec -d peer httpd -f -p 80 -h /www; sleep 0.3"},
        back={"vm0": "docker exec peer killall httpd"},
    ),
    Case(
        "dns-shared-network", "web", "peer", "dns", now="refused",
        gone={"vm0": "inside web iptables-save > /run/web.rules; inside web iptables -t nat -F DOCKER_OUTPUT"},
        back={"vm0": "inside web iptables-restore < /run/web.rules; rm /run/web.rules"},
        also=NAMES,
        cause=("vm0", "rule", "nat DOCKER_OUTPUT"),
    ),
    Case(
        "dns-shared-network", "web", "peer", "dns", target="mate", now="no such name",
        gone={"vm0": "docker network disconnect front peer; docker network connect --ip 172.28.1.11 front peer"},
        back={"vm0": "docker network disconnect front peer; "
                     "docker network connect --ip 172.28.1.11 --alias mate front peer"},
        also=("peer", "joined"),
        cause=("vm0", "alias|place", ".*"),
    ),
    Case(
        "dns-default-bridge", "plain", "web", "dns",
        gone={"vm0": "docker network connect front plain"},
        back={"vm0": "docker network disconnect front plain"},
        also=("plain",),
        cause=("vm0", "container|place|network", ".*"),
    ),
    Case(
        "dns-no-shared-network", "web", "db", "dns",
        gone={"vm0": "docker network connect back web"},
        back={"vm0": "docker network disconnect back web"},
        also=("web",),
        cause=("vm0", "container|place|network", ".*"),
    ),
    Case(
        "dns-joined", "db", "joined", "dns",
        gone={"vm0": "docker network connect --alias joined back peer"},
        back={"vm0": "docker network disconnect back peer"},
        also=("peer", "joined"),
        cause=("vm0", "container|place|network", ".*"),
    ),
    Case(
        "dns-host-mode", "direct", "web", "dns", now="blocked",
        gone={"vm0": "iptables -I OUTPUT -d 203.0.113.10 -p udp --dport 53 -j DROP"},
        also=NAMES,
        cause=("vm0", "rule", "filter OUTPUT 1"),
    ),
)  # fmt: skip
