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
        "kernel-setting",
        "A setting of the kernel",
        "A namespace drops the packet, or does not answer it, by one of its sysctls.",
        "`icmp_echo_ignore_all` 1 leaves pings unanswered, and connections pass. `route_localnet` 0, the default, "
        "makes a martian of what comes by an interface from or for 127.0.0.0/8. The reason names the setting and its "
        "value. Each network namespace has its own settings: a container's are not the host's.",
        "every engine: the kernel decides, not Docker",
        (
            Sight("sysctl NAME", "the value that the reason tells"),
            Sight("nsenter --net --target PID sysctl NAME", "the same in a container's namespace"),
        ),
        "Set it back with `sysctl -w`, and look in /etc/sysctl.d for who sets it.",
    ),
    Page(
        "bridge-isolation",
        "From one bridge to another of the same host",
        "Containers on two bridges of one host do not reach each other by their addresses.",
        "20.10 to 28: DOCKER-ISOLATION-STAGE-1 (leaves a bridge: `-i A ! -o A`) jumps to STAGE-2 (enters "
        "another: `-o B -j DROP`). Up to 27 these come before the rule that accepts replies, so that STAGE-2 "
        "stops both directions; from 28.0.1 on DOCKER-CT, which accepts them, comes first. From 28.0 on chain DOCKER "
        "also has `! -i B -o B -j DROP` for each bridge, and from 28.2 on raw PREROUTING has `-d CONTAINER ! -i"
        " B -j DROP` for each container: on 28.5 all three have to go before a packet passes. 29 has no "
        "isolation chains any more, and the other two do the work; its nftables backend has the same two in table `ip "
        "docker-bridges`, chains `filter-forward-in__B` and `raw-PREROUTING`. A bridge in gateway mode routed lets "
        "others in by its published ports from 28.0 on, one in mode nat-unprotected by all from 29.0 on.",
        "every engine; the chains differ",
        (
            Sight("iptables -vnL DOCKER-ISOLATION-STAGE-2", "the counter of `-o B` grows (20.10 to 28.1)"),
            Sight("iptables -t raw -vnL PREROUTING", "the counter of the container's address grows (from 28.2)"),
            Sight(
                "nft list table ip docker-bridges", "`DROP DIRECT ACCESS`, `UNPUBLISHED PORT DROP` (29 with nftables)"
            ),
        ),
        "Attach one container to both networks; that is what Docker means for it. Or go by a published port.",
    ),
    Page(
        "bridge-internal",
        "An internal network",
        "Containers reach each other and the gateway of an internal network, and nothing beyond the host; from "
        "the host's other bridges nobody reaches them.",
        "Chain DOCKER-ISOLATION-STAGE-1 (29: DOCKER-INTERNAL; with nftables the bridge's own two chains) drops what "
        "enters the bridge from elsewhere (`! -s SUBNET -o BRIDGE`) and what leaves it (`! -d SUBNET -i BRIDGE`); "
        "there is no MASQUERADE for it. Engines up to 24 still give the containers a default route, so that they also "
        "reach the host's other addresses (INPUT, not FORWARD), and everything else ends in silence. From 25.0 on "
        'there is none: "Network is unreachable" at once, also for those. In 25.0.0 to 25.0.3 the bridge has no IPv4 '
        "address either, and host and containers do not meet.",
        "every engine; with a default route up to 24, without one from 25.0 on",
        (
            Sight("docker exec NAME ip route", "no `default` (from 25.0 on)"),
            Sight("iptables -S | grep SUBNET", "the two DROP rules with the subnet"),
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
        "to another, on every engine. Beside engine 29's nftables backend, which never sets it, it still drops what no "
        "rule of iptables accepts. What is expected of a lab goes by the policy that the host has.",
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
        "whatever FORWARD's policy: chain DOCKER ends with `! -i BRIDGE -o BRIDGE -j DROP` (nftables: `UNPUBLISHED "
        "PORT DROP`), 28.0 and 28.1 drop published ports in raw PREROUTING, and from 28.2 on that has `-d CONTAINER ! "
        "-i BRIDGE -j DROP`, for pings and published ports alike. From interfaces that "
        "`com.docker.network.bridge.trusted_host_interfaces` names, or with the engine's setting "
        "`allow-direct-routing` (both from 28.2 on), there is no raw rule, and published ports are let in. In gateway "
        "mode routed, published ports are let in, from 28.0 on also pings, and what comes from the host's other "
        "bridges; other ports are not. In gateway mode nat-unprotected (28.0) everything is let in, up to 28 but for "
        "what comes from the host's other bridges.",
        "28.0; the drop in raw PREROUTING from 28.2 on; before, [forward-policy](forward-policy.md) decides",
        (
            Sight("iptables -t raw -vnL PREROUTING", "the counter of the container's address grows (from 28.2)"),
            Sight("iptables -vnL DOCKER", "the counter of `DROP` into the bridge grows (mode routed)"),
        ),
        "Give the network `com.docker.network.bridge.gateway_mode_ipv4: routed` (published ports) or `nat-unprotected` "
        "(every port), or publish a port and use the host's address.",
    ),
    Page(
        "foreign-rule",
        "A rule that is not Docker's",
        "A rule that somebody else wrote drops or refuses the packet: by iptables, or in a table of nftables of its "
        "own.",
        "A packet meets the rules of every table that hooks in, in the order of their priorities, and a drop in any of "
        "them is final; an accept ends its own table alone. So neither Docker's rules nor those of a firewall on the "
        "host (firewalld, ufw, a VPN) make good what the other one drops. A rule counts as Docker's when it is written "
        "as an engine writes it, wherever it stands. Where the lab as defined would let the packet pass, this rule is "
        "the cell's cause, and `verify` gives the command that takes it out.",
        "every engine: the kernel decides, not Docker",
        (
            Sight("iptables-save -c", "the rule, by the number that the reason names, and its counter"),
            Sight("nft list ruleset", "the tables that are not Docker's"),
        ),
        "Delete the rule, or accept the lab's traffic before it: in chain DOCKER-USER for what is forwarded, which no "
        "engine overwrites.",
    ),
    Page(
        "foreign-policy",
        "The policy of another chain",
        "No rule accepts the packet, and the chain that it ends in drops what is left: INPUT, OUTPUT, or one of a "
        "table of somebody else's.",
        "A base chain's policy decides of what none of its rules decided. Docker sets that of FORWARD alone. With "
        "INPUT at DROP, as firewalls set it, containers no longer reach the host's own addresses, published ports "
        "that docker-proxy serves, or a name server on the host; what is forwarded passes as before. In nftables, a "
        "base chain of any table with hook forward and policy drop stops what Docker's own tables have accepted.",
        "every engine: the kernel decides, not Docker",
        (
            Sight("iptables -S INPUT", "`-P INPUT DROP` in the first line"),
            Sight("nft list ruleset", "`policy drop` in a chain that is not Docker's"),
        ),
        "`iptables -P INPUT ACCEPT`, or a rule that accepts: `iptables -I INPUT -i BRIDGE -j ACCEPT`.",
    ),
)
