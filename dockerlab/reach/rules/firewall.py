"""Rules of the host's forwarding and firewall: what does not pass, and why."""

from __future__ import annotations

from dockerlab.reach.rules.page import Page, Sight

RULES = (
    Page(
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
    Page(
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
    Page(
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
    Page(
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
    Page(
        "forward-policy",
        "The policy of chain FORWARD",
        "A machine that has a route to a container by way of its host is not let in, except to published ports.",
        "What no rule accepts ends at the policy of chain FORWARD. dockerd sets it to DROP when it itself turns "
        "`ip_forward` from 0 to 1; on a machine that forwards already the policy stays ACCEPT, and then every port of "
        "every container is open to whoever has a route. For a published port, chain DOCKER has `-d CONTAINER ! -i "
        "BRIDGE -o BRIDGE -p tcp --dport PORT -j ACCEPT`. The same policy decides of what goes from one LAN of a host "
        "to another, on every engine.",
        "20.10 to 27 for containers; from 28.0 on [direct-routing](direct-routing.md) comes first",
        (
            Sight("iptables -S FORWARD", "`-P FORWARD DROP` in the first line"),
            Sight("iptables -vnL FORWARD", "the packets in `policy DROP … packets` grow"),
        ),
        "`iptables -P FORWARD ACCEPT` lets everything in; `iptables -I DOCKER-USER -i NIC -d CONTAINER -j ACCEPT` lets "
        "in one container's traffic, and a published port is the way that needs no route.",
    ),
    Page(
        "direct-routing",
        "By a route to the container's own address",
        "A machine that has a route to a container by way of its host is not let in.",
        "On a bridge in gateway mode nat (the default) nobody comes to a container's own address from elsewhere, "
        "whatever FORWARD's policy: chain DOCKER ends with `! -i BRIDGE -o BRIDGE -j DROP`, and from 28.2 on raw "
        "PREROUTING has `-d CONTAINER ! -i BRIDGE -j DROP`, for pings and published ports too. From interfaces that "
        "`com.docker.network.bridge.trusted_host_interfaces` names, or with the engine's setting "
        "`allow-direct-routing`, there is no raw rule, and published ports are let in. In gateway mode routed, pings "
        "and published ports are let in, also from the host's other bridges, and other ports are not. In gateway mode "
        "nat-unprotected everything is let in but what comes from the host's other bridges.",
        "28.0; the drop in raw PREROUTING from 28.2 on; before, [forward-policy](forward-policy.md) decides",
        (
            Sight("iptables -t raw -vnL PREROUTING", "the counter of the container's address grows (from 28.2)"),
            Sight("iptables -vnL DOCKER", "the counter of `DROP` into the bridge grows (mode routed)"),
        ),
        "Give the network `com.docker.network.bridge.gateway_mode_ipv4: routed` (published ports) or `nat-unprotected` "
        "(every port), or publish a port and use the host's address.",
    ),
)
