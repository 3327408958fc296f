"""Rules of one layer 2: who is a neighbour there, and which frames the kernel does not hand on."""

from __future__ import annotations

from dockerlab.reach.rules.page import Page, Sight

EVERY = "every engine: the kernel decides, not Docker"

RULES = (
    Page(
        "own-address",
        "An address of one's own",
        "Whoever shares the network namespace that holds the address reaches it.",
        "The kernel's table `local` has the address; the packet goes through `lo` inside the namespace and "
        "never leaves it. Containers that joined one namespace (container mode, or host mode on one host) are "
        "one machine to the network, with one set of ports.",
        EVERY,
        (Sight("docker exec NAME ip route get ADDRESS", "`local ADDRESS dev lo`"),),
        "Give the container a namespace of its own: a network in place of `network_mode: container:…`.",
    ),
    Page(
        "same-lan",
        "Neighbours on a LAN",
        "Two that stand on one LAN reach each other, on one host and across hosts, and see each other's own address.",
        "An ARP request is broadcast on the LAN, the holder answers, and frames go from MAC address to MAC "
        "address. macvlan and ipvlan children and the hosts themselves take part alike. There is no NAT and no "
        "rule of Docker's firewall on the way.",
        EVERY,
        (
            Sight("ip neigh show ADDRESS", "the MAC address of the holder, `REACHABLE`"),
            Sight("tcpdump -eni PARENT arp", "the request and the answer"),
        ),
        "Put one of them on another LAN (another `parent`), or filter on the target itself: Docker does not.",
    ),
    Page(
        "same-bridge",
        "Two ports of one bridge",
        "Containers on one bridge reach each other on every port, published or not.",
        "Each container's veth is a port of the Linux bridge, which switches frames by MAC address. With "
        "br_netfilter (`bridge-nf-call-iptables` 1) the frames also pass FORWARD, where `-i BRIDGE -o BRIDGE -j"
        " ACCEPT` lets them through (28: `-i BRIDGE -j ACCEPT` in DOCKER-FORWARD).",
        "every engine",
        (
            Sight("bridge link show master BRIDGE", "a veth for each container"),
            Sight("bridge fdb show br BRIDGE", "which MAC address is behind which port"),
        ),
        'Put them on two networks, or say `com.docker.network.bridge.enable_icc: "false"` on theirs (see '
        "[bridge-icc](bridge-icc.md)).",
    ),
    Page(
        "same-overlay",
        "Neighbours on an overlay network",
        "Containers on one overlay network reach each other across hosts, as if on one switch.",
        "On each host the overlay is a bridge in a network namespace of its own with a VXLAN interface. Frames "
        "for a container elsewhere travel in UDP datagrams to port 4789 of its host; the Swarm's gossip (7946) "
        "fills in the forwarding and neighbour entries. Nothing is learned by ARP: an address that was added by"
        " hand in a container is not found from another host.",
        "every engine; needs a Swarm, and `--attachable` for plain containers",
        (
            Sight("tcpdump -ni NIC udp port 4789", "the inner packets between the hosts' addresses"),
            Sight("nsenter --net=/run/docker/netns/1-… bridge fdb show dev vxlan0", "the other host as `dst`"),
        ),
        "Open UDP 4789, and TCP and UDP 7946, between the hosts where a firewall drops them; put the containers"
        " on two networks to part them.",
    ),
    Page(
        "same-dummy",
        "Neighbours on a network without a parent",
        "Children of a macvlan or ipvlan network without a parent reach each other and nothing else.",
        "The driver makes a dummy interface `dm-…` (`di-…` for ipvlan) as the parent. The kernel hands frames "
        "from child to child; what leaves through the dummy goes nowhere.",
        "every engine; the kernel needs CONFIG_DUMMY",
        (Sight("ip -d link show type dummy", "the interface that the driver made"),),
        "Say a `parent`: then the network is the LAN of that interface.",
    ),
    Page(
        "same-ipvlan",
        "Children of one ipvlan parent in mode l3",
        "Containers on ipvlan networks of one parent in mode l3 or l3s reach each other, also across subnets.",
        "The children have no neighbours and send no ARP: the kernel's ipvlan driver looks the destination up "
        "among the children of the parent and hands the packet over.",
        "every engine; the kernel needs CONFIG_IPVLAN",
        (Sight("docker exec NAME ip route", "`default dev eth0` without a gateway"),),
        "Use another parent for one of the two.",
    ),
    Page(
        "bridge-icc",
        "Inter-container communication is off",
        "Two containers on one bridge do not reach each other; the host reaches both.",
        "`enable_icc=false` makes Docker add `-i BRIDGE -o BRIDGE -j DROP` to FORWARD (28: DOCKER-FORWARD). "
        "Frames between two ports of one bridge come there only through br_netfilter: with "
        "`net.bridge.bridge-nf-call-iptables` 0 the rule stands and stops nothing. In gateway mode routed pings pass: "
        "chain DOCKER has `-o BRIDGE -p icmp -j ACCEPT`, and comes first.",
        "every engine",
        (
            Sight("iptables -S | grep -- '-i BRIDGE -o BRIDGE'", "`-j DROP`"),
            Sight("sysctl net.bridge.bridge-nf-call-iptables", "1"),
            Sight("iptables -vnL FORWARD", "the counter of that rule grows (28: `DOCKER-FORWARD`)"),
        ),
        "Leave `com.docker.network.bridge.enable_icc` out of the network's `driver_opts` (for docker0: `icc` in"
        " daemon.json).",
    ),
    Page(
        "macvlan-own-host",
        "A macvlan child and its own host",
        "A macvlan child and the host whose interface is its parent never reach each other there.",
        "A child's frame leaves through the parent, towards the wire. The kernel hands frames from child to "
        "child, but the host's own address sits on the parent itself, which is no child: what the driver sends "
        "out is not put into the parent's receive path, and what the host sends out by the parent does not come"
        " to the children.",
        EVERY,
        (
            Sight("ip -d link show type macvlan", "the children, and `mode bridge`"),
            Sight("tcpdump -eni PARENT arp", "the child's request leaves, nobody answers"),
        ),
        "Give the host a child of its own: `ip link add hostside link PARENT type macvlan mode bridge`, an "
        "address, and a route to the container's address by way of it. A host then reaches the container and is"
        " reached by it.",
    ),
    Page(
        "ipvlan-own-host",
        "An ipvlan child and its own host",
        "An ipvlan child and the host whose interface is its parent never reach each other there.",
        "The ipvlan driver hands packets over between children of one parent. The parent's own address belongs "
        "to the host and to no child, so that a packet for it leaves by the wire.",
        EVERY,
        (Sight("ip -d link show type ipvlan", "the children, and their mode"),),
        "Give the host an ipvlan child of its own with a route to the container's address.",
    ),
    Page(
        "ipvlan-flag",
        "ipvlan with a flag",
        "With `ipvlan_flag` private two children of one parent do not reach each other. With vepa that is up to the "
        "switch, and the model makes no claim.",
        "The kernel's ipvlan driver looks the destination up among the children of the parent. With `private` it drops "
        "what is for one of them, and with `vepa` it sends that out by the parent, where most switches do not send it "
        "back by the same port.",
        "engine 23 and later; before, the engine ignores the option, and the children meet",
        (
            Sight("docker exec NAME ip -d link show eth0", "`ipvlan mode l2 private`"),
            Sight("docker exec NAME ip neigh", "`FAILED` or `INCOMPLETE` for the address"),
        ),
        "Leave `ipvlan_flag` out, which is `bridge`.",
    ),
    Page(
        "macvlan-private",
        "macvlan mode private",
        "Two children of one parent do not reach each other, not even by way of the switch.",
        "In mode `private` the kernel's macvlan driver does not hand frames from child to child, and drops a "
        "broadcast that comes in from the wire with the MAC address of another child.",
        EVERY,
        (Sight("docker exec NAME ip -d link show eth0", "`macvlan mode private`"),),
        "Leave `macvlan_mode` out, which is mode `bridge`.",
    ),
    Page(
        "macvlan-vepa",
        "macvlan mode vepa",
        "Whether two children of one parent reach each other is up to the switch: the model makes no claim.",
        "In mode `vepa` the kernel sends each frame out by the parent and leaves it to the switch to send it "
        "back by the port on which it came (hairpin, 802.1Qbg). Most switches never do that.",
        EVERY,
        (
            Sight("docker exec NAME ip -d link show eth0", "`macvlan mode vepa`"),
            Sight("tcpdump -eni PARENT", "the frame leaves; it comes back, or not"),
        ),
        "Turn hairpin (reflective relay) on at the switch's port, or use mode `bridge`.",
    ),
    Page(
        "macvlan-passthru",
        "The host of a macvlan child in mode passthru",
        "A host whose interface has a child in mode `passthru` is reached by nobody through that interface, and "
        "reaches nobody.",
        "In mode `passthru` the parent has one child, with the parent's own MAC address, and the kernel's macvlan "
        "driver hands it every frame for that address. Broadcasts come to both: the host still answers ARP requests, "
        "but what is then sent to it comes to the child, which drops it. What the host itself sends does leave, and "
        "the replies come to the child as well.",
        EVERY,
        (
            Sight("docker exec NAME ip -d link show eth0", "`macvlan mode passthru`"),
            Sight("docker exec NAME tcpdump -ni eth0", "packets for addresses of the host"),
        ),
        "Leave `macvlan_mode` out, or give the child a parent by which the host itself has nothing to say.",
    ),
    Page(
        "other-segment",
        "A neighbour by its address, on another layer 2",
        "The address lies in the sender's subnet, but its holder stands on another LAN or bridge.",
        "By its subnet the address is on-link: the sender does not ask its gateway but broadcasts an ARP "
        "request on its own segment, where the holder does not hear it. After some three seconds the kernel "
        'gives up: "Host is unreachable".',
        EVERY,
        (
            Sight("docker exec NAME ip route get ADDRESS", "`dev eth0` without `via`"),
            Sight("docker exec NAME ip neigh", "`FAILED` or `INCOMPLETE` for the address"),
        ),
        "Give each layer 2 a subnet of its own, or put both on the same `parent`.",
    ),
    Page(
        "nobody-there",
        "Nobody holds the address",
        "The address lies in the subnet of a network that is wholly known, and nobody on it has it.",
        'The ARP request is not answered. After some three seconds the kernel gives up: "Host is unreachable".',
        EVERY,
        (Sight("ip neigh show ADDRESS", "`FAILED` or `INCOMPLETE`"),),
        "Correct the address, or start what should have it.",
    ),
    Page(
        "same-address",
        "Another machine has this address too",
        "The address is answered by somebody else than is meant, or the sender's address is the receiver's own.",
        "Each engine gives out addresses by itself: two hosts' docker0 have the same subnet and the same "
        "gateway, and their first containers the same address. The sender's own routes lead to the one that is "
        "nearer. A packet whose source is the receiver's own address is a martian: the receiver's kernel drops it.",
        "every engine",
        (
            Sight("ip route get ADDRESS", "which interface the sender would use"),
            Sight("docker network inspect bridge", "the same subnet on every host"),
        ),
        "Give each host's networks a subnet of their own (for docker0: `bip` in daemon.json).",
    ),
)
