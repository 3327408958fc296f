"""Rules of the host as a router: its routes, its forwarding, its firewall and its NAT."""

from __future__ import annotations

from dockerlab.reach.rules.rule import Rule, Sight

RULES = (
    Rule(
        "host-local",
        "The host's own addresses",
        "A container reaches every address of its own host: the gateway of its network, those of other "
        "networks, and that of the LAN.",
        "A packet for an address that the host has is delivered to the host: it passes chain INPUT and not "
        "FORWARD, and all of Docker's rules against crossing from bridge to bridge stand in FORWARD.",
        "every engine",
        (
            Sight("ip route get ADDRESS from CONTAINER iif BRIDGE", "`local ADDRESS`"),
            Sight("iptables -S INPUT", "no rule of Docker's"),
        ),
        "Filter in INPUT: `iptables -I INPUT -i BRIDGE -j DROP`. Docker leaves that chain alone.",
    ),
    Rule(
        "host-to-bridge",
        "The host to a container on its own bridge",
        "A host, and a container in host mode, reaches each container on its bridges, on every port, published or not.",
        "The host has an address on the bridge and an on-link route to the subnet. What it sends itself passes "
        "OUTPUT, never FORWARD: neither `enable_icc=false` nor `internal` nor the isolation of bridges concerns"
        " it.",
        "every engine",
        (
            Sight("ip route get ADDRESS", "`dev BRIDGE` without `via`"),
            Sight("iptables -S OUTPUT", "no rule of Docker's"),
        ),
        "Filter in OUTPUT: `iptables -I OUTPUT -o BRIDGE -j DROP`.",
    ),
    Rule(
        "masquerade",
        "Out through the host, with the host's address",
        "A container reaches machines beyond its host, which see the host's address in place of the container's.",
        "The default route leads to the bridge's address on the host, FORWARD accepts `-i BRIDGE ! -o BRIDGE` "
        "(28: chain DOCKER-FORWARD), and `-s SUBNET ! -o BRIDGE -j MASQUERADE` in nat POSTROUTING puts the "
        "address of the outgoing interface in. The reply comes to the host, and conntrack turns it back. On an "
        "overlay network the same happens on docker_gwbridge, to which the container has a second interface.",
        "every engine",
        (
            Sight("iptables -t nat -S POSTROUTING", "`-s SUBNET ! -o BRIDGE -j MASQUERADE`"),
            Sight("tcpdump -ni NIC host ADDRESS", "the host's address as the source"),
        ),
        "`internal: true` keeps a network's containers inside; `com.docker.network.bridge.enable_ip_masquerade:"
        ' "false"` lets them out with their own address.',
    ),
    Rule(
        "routed",
        "Out through the host, with one's own address",
        "A container reaches a machine that sees the container's own address, and that knows the way back.",
        "The host forwards and does not masquerade: `enable_ip_masquerade` is false, or it is IPv6 on an engine"
        " before 27, which keeps no IPv6 rules unless told to. The target has a route to the subnet by way of "
        "the host. The reply passes FORWARD as ESTABLISHED. From 28.2 on this does not work any more for IPv4 "
        "on a bridge in gateway mode nat: raw PREROUTING, which comes before conntrack, drops the reply, for it"
        " comes for the container's address by another interface than the bridge.",
        "20.10 to 28.1; later for IPv6 without rules and with gateway mode routed alone",
        (
            Sight("iptables -t nat -S POSTROUTING", "no MASQUERADE for the subnet"),
            Sight("ip route get CONTAINER", "on the target: `via` the container's host"),
        ),
        "Remove that route on the target (see [no-masquerade](no-masquerade.md) and [reply-lost](reply-lost.md)).",
    ),
    Rule(
        "no-masquerade",
        "Out with an address that means nothing there",
        "The packet leaves the host, and no answer comes back.",
        "Without MASQUERADE the packet bears the container's private address. No router out there has a route "
        "to it, so that the answer is lost.",
        "every engine",
        (
            Sight("iptables -t nat -S POSTROUTING", "no MASQUERADE for the subnet"),
            Sight("tcpdump -ni NIC host ADDRESS", "requests from the container's address, no replies"),
        ),
        "Leave `com.docker.network.bridge.enable_ip_masquerade` out. A route to the subnet on the router is "
        "enough up to 28.1 (see [reply-lost](reply-lost.md) for later ones).",
    ),
    Rule(
        "reply-lost",
        "The request arrives, its reply does not",
        "The target gets the packet and answers, and its answer goes somewhere else.",
        "A reply is routed by the target's own table, whatever way the request came. Three usual causes: a "
        "request that was not masqueraded, whose source the target has no route to; a reply to a container's "
        "own address, which an engine from 28.2 on drops in raw PREROUTING; and a host that answers ARP on one "
        "interface for an address that it has on another (`arp_ignore` is 0), and sends the reply by the "
        "interface of its route.",
        "every engine: the kernel decides; for a container's own address also Docker, from 28.2 on",
        (
            Sight("tcpdump -eni any host SOURCE", "on the target: the request by one interface, the reply by another"),
            Sight("ip route get SOURCE", "on the target: where its replies go"),
        ),
        "Give the target a route to the source by the interface on which it hears it; from 28.2 on, a container"
        " that is not masqueraded also needs `com.docker.network.bridge.gateway_mode_ipv4: routed` (or "
        "`nat-unprotected`) on its network.",
    ),
    Rule(
        "rp-filter",
        "Strict reverse path filter",
        "A host drops the packet, because it would answer by another interface than the one on which it came.",
        "With `rp_filter` 1 the kernel looks the source up in the host's own routes. If that leads to another "
        "interface, the packet is dropped before any firewall rule sees it. The larger of `all` and the "
        "interface's own value counts.",
        "every engine: the kernel decides, not Docker",
        (
            Sight("sysctl net.ipv4.conf.all.rp_filter net.ipv4.conf.NIC.rp_filter", "1 in one of them"),
            Sight("nstat -az TcpExtIPReversePathFilter", "the counter grows"),
        ),
        "Set both to 0 or 2 (loose). The packet then arrives, and its reply may still go astray.",
    ),
    Rule(
        "ip-forward-off",
        "The host does not forward",
        "Containers reach their host and each other on one bridge, and nothing beyond the host.",
        "`net.ipv4.ip_forward` (for IPv6 `net.ipv6.conf.all.forwarding`) is 0: the kernel delivers and sends, "
        "but does not pass on from interface to interface. dockerd turns it on when it starts, unless told "
        "`--ip-forward=false`; something turned it off later.",
        "every engine",
        (Sight("sysctl net.ipv4.ip_forward", "0"),),
        "`sysctl -w net.ipv4.ip_forward=1`, and find out what sets it to 0.",
    ),
    Rule(
        "bridge-isolation",
        "From one bridge to another of the same host",
        "Containers on two bridges of one host do not reach each other by their addresses.",
        "20.10 to 28: DOCKER-ISOLATION-STAGE-1 (leaves a bridge: `-i A ! -o A`) jumps to STAGE-2 (enters "
        "another: `-o B -j DROP`). Up to 27 these come before the rule that accepts replies, so that STAGE-2 "
        "stops both directions; on 28.5 DOCKER-CT, which accepts them, comes first. From 28.0 on chain DOCKER "
        "also has `! -i B -o B -j DROP` for each bridge, and from 28.2 on raw PREROUTING has `-d CONTAINER ! -i"
        " B -j DROP` for each container: on 28.5 all three have to go before a packet passes. 29 has no "
        "isolation chains any more, and the other two do the work.",
        "every engine; the chains differ",
        (
            Sight("iptables -vnL DOCKER-ISOLATION-STAGE-2", "the counter of `-o B` grows (20.10 to 28.1)"),
            Sight("iptables -t raw -vnL PREROUTING", "the counter of the container's address grows (from 28.2)"),
        ),
        "Attach one container to both networks; that is what Docker means for it. Or go by a published port.",
    ),
    Rule(
        "bridge-internal",
        "An internal network",
        "Containers reach each other and the gateway of an internal network, and nothing beyond the host; from "
        "the host's other bridges nobody reaches them.",
        "Chain DOCKER-ISOLATION-STAGE-1 (29: DOCKER-INTERNAL) drops what enters the bridge from elsewhere (`! "
        "-s SUBNET -o BRIDGE`) and what leaves it (`! -d SUBNET -i BRIDGE`); there is no MASQUERADE for it. "
        "20.10 still gives the containers a default route, so that they also reach the host's other addresses "
        '(INPUT, not FORWARD), and everything else ends in silence. 28.5 gives none: "Network is unreachable" '
        "at once, also for those.",
        "every engine; without a default route on 28.5, with one on 20.10",
        (
            Sight("docker exec NAME ip route", "no `default` (28.5)"),
            Sight("iptables -S DOCKER-ISOLATION-STAGE-1", "the two DROP rules with the subnet"),
        ),
        "Leave `internal` out, or attach the container to a second network that is not internal.",
    ),
    Rule(
        "outside",
        "The outside, by the host's router",
        "A host reaches what the definition lists under `outside`.",
        "The host's default route leads to a router of its LAN, and the definition says that there is such a "
        "target beyond. Docker has no part in it.",
        "every engine",
        (Sight("ip route get ADDRESS", "`via` the router"),),
        "Correct the host's default route, or the definition's `outside`.",
    ),
    Rule(
        "unrouted",
        "A network that only its own host knows",
        "From another machine, a container's address on a bridge is not reached.",
        "Bridges are known to their own host alone. Any other sender's route is its default route, and the "
        'router there has none to that subnet: it answers "Destination Host/Net Unreachable", passes it on to '
        "nowhere, or keeps silent.",
        "every engine",
        (
            Sight("ip route get ADDRESS", "at the sender: `via` its default router"),
            Sight("traceroute ADDRESS", "ends at that router"),
        ),
        "Publish a port, or use an overlay network. A static route by way of the container's host is not "
        "enough: 20.10 drops at FORWARD's policy what is not published, and 28 in raw PREROUTING.",
    ),
    Rule(
        "no-default-route",
        "No route at all",
        '"Network is unreachable", at once: nothing is sent.',
        "The namespace has routes to its own subnets alone. macvlan, ipvlan and overlay networks with "
        "`internal: true` give no default route, nor does a macvlan network without a parent.",
        "every engine",
        (Sight("docker exec NAME ip route", "no line that begins with `default`"),),
        "Leave `internal` out, or attach a second network that gives a default route.",
    ),
    Rule(
        "none",
        "Mode none",
        "The container reaches nobody and is reached by nobody.",
        "Its network namespace has `lo` and nothing else: no interface, no route, no resolver to ask.",
        "every engine",
        (Sight("docker exec NAME ip addr", "`lo` alone"),),
        "Give it a network, which takes a new container; or build an interface by hand, as a veth into its namespace.",
    ),
)
