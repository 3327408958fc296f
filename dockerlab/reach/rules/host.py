"""Rules of the host as a router: its own addresses, its routes and its NAT."""

from __future__ import annotations

from dockerlab.reach.rules.page import Page, Sight

RULES = (
    Page(
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
    Page(
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
    Page(
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
    Page(
        "routed",
        "Through the host, with one's own address",
        "The host passes a packet on that bears its sender's own address, and the answer finds the way back.",
        "The host forwards and does not masquerade. From a container to the outside that is so where "
        "`enable_ip_masquerade` is false, in gateway mode routed, or for IPv6 on an engine before 27, which keeps no "
        "IPv6 rules unless told to; the target needs a route to the subnet by way of the host. The reply passes "
        "FORWARD as ESTABLISHED; from 28.2 on, for a bridge in gateway mode nat, raw PREROUTING drops it first, for it "
        "comes for the container's address by another interface than the bridge. From another machine to a container "
        "that is so where the machine has a route and the host lets it in (see [direct-routing](direct-routing.md) and "
        "[forward-policy](forward-policy.md)).",
        "every engine; from 28.2 on not from a bridge in gateway mode nat",
        (
            Sight("iptables -t nat -S POSTROUTING", "no MASQUERADE for the subnet"),
            Sight("ip route get CONTAINER", "on the other machine: `via` the container's host"),
        ),
        "Remove that route on the other machine (see [no-masquerade](no-masquerade.md) and "
        "[reply-lost](reply-lost.md)).",
    ),
    Page(
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
    Page(
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
    Page(
        "outside",
        "The outside, by the host's router",
        "A host reaches what the definition lists under `outside`.",
        "The host's default route leads to a router of its LAN, and the definition says that there is such a "
        "target beyond. Docker has no part in it.",
        "every engine",
        (Sight("ip route get ADDRESS", "`via` the router"),),
        "Correct the host's default route, or the definition's `outside`.",
    ),
    Page(
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
        "Publish a port, or use an overlay network. A static route by way of the container's host is not always "
        "enough: see [forward-policy](forward-policy.md) up to 27 and [direct-routing](direct-routing.md) from 28 on.",
    ),
    Page(
        "no-default-route",
        "No route at all",
        '"Network is unreachable", at once: nothing is sent.',
        "The namespace has routes to its own subnets alone. macvlan, ipvlan and overlay networks with "
        "`internal: true` give no default route, nor does a macvlan network without a parent.",
        "every engine",
        (Sight("docker exec NAME ip route", "no line that begins with `default`"),),
        "Leave `internal` out, or attach a second network that gives a default route.",
    ),
    Page(
        "none",
        "Mode none",
        "The container reaches nobody and is reached by nobody.",
        "Its network namespace has `lo` and nothing else: no interface, no route, no resolver to ask.",
        "every engine",
        (Sight("docker exec NAME ip addr", "`lo` alone"),),
        "Give it a network, which takes a new container; or build an interface by hand, as a veth into its namespace.",
    ),
)
