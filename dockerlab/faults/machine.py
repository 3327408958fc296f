"""The faults that are a few commands on a host, or in a container's network namespace."""

from __future__ import annotations

from dockerlab.faults.fault import Fault, Sign

MACHINE = (
    Fault(
        "ip-forward-off",
        "the host did not forward",
        "Nothing leaves the host's bridges any more, and nobody beyond it is reached from them: the kernel drops what "
        "is not for itself. What stays on one bridge, and what the host itself sends, goes on as before.",
        "host",
        ("sysctl -w net.ipv4.ip_forward=0  # a machine that is no router",),
        ("sysctl -w net.ipv4.ip_forward=1  # forward again",),
        signs=(Sign("sysctl net.ipv4.ip_forward", has=("1",)),),
        wide=True,
    ),
    Fault(
        "forward-drop",
        "a rule at the head of chain FORWARD dropped everything",
        "Nothing that the host forwards gets through, for the rule comes before all of Docker's; with br_netfilter "
        "that is so between two ports of one bridge as well.",
        "host",
        ("iptables -w -I FORWARD -j DROP  # ahead of Docker's own rules",),
        ("iptables -w -D FORWARD -j DROP  # away with it",),
        signs=(Sign("rules filter FORWARD", lacks=("-A FORWARD -j DROP",)),),
        wide=True,
    ),
    Fault(
        "docker-user-drop",
        "a rule in chain DOCKER-USER dropped what came from the network",
        "What the containers of the network send beyond their bridge is dropped in the chain that Docker leaves to the "
        "administrator.",
        "network",
        ("iptables -w -I DOCKER-USER -i {{ bridge }} ! -o {{ bridge }} -j DROP  # ahead of Docker's rules",),
        ("iptables -w -D DOCKER-USER -i {{ bridge }} ! -o {{ bridge }} -j DROP  # away with it",),
        signs=(Sign("rules filter DOCKER-USER", lacks=("-i {bridge} ! -o {bridge} -j DROP",)),),
    ),
    Fault(
        "missing-masquerade",
        "the rule was gone that gives packets the host's address",
        "What the network's containers send beyond their host leaves with an address that nobody there has a route to: "
        "no answer comes back. On the host all is as before.",
        "network",
        ("iptables -w -t nat -D POSTROUTING -s {{ subnet }} ! -o {{ bridge }} -j MASQUERADE  # no NAT any more",),
        ("iptables -w -t nat -A POSTROUTING -s {{ subnet }} ! -o {{ bridge }} -j MASQUERADE  # NAT again",),
        signs=(Sign("rules nat POSTROUTING", has=("-s {subnet}", "MASQUERADE")),),
    ),
    Fault(
        "parent-down",
        "the parent interface was down",
        "No frame leaves or enters the host by that interface: its children reach nobody beyond the host.",
        "network",
        ("ip link set {{ parent }} down  # no frame in or out",),
        ("ip link set {{ parent }} up",),
        signs=(Sign("links {parent}", has=("state UP",)),),
        wide=True,
    ),
    Fault(
        "wrong-gateway",
        "the container's default route led to an address that nobody has",
        "The container reaches its neighbours, and nobody beyond its subnet.",
        "container",
        ("ip route replace default via {{ unused }}  # nobody answers there",),
        ("ip route replace default via {{ gateway }}  # the network's gateway",),
        inside=True,
    ),
    Fault(
        "wrong-mask",
        "the container's address had a wrong subnet mask",
        "The container takes nobody for a neighbour any more, its gateway neither: what it sends finds no route.",
        "container",
        (
            "ip address add {{ address }}/32 dev {{ device }}  # a subnet of one",
            "ip address delete {{ address }}/{{ prefix }} dev {{ device }}  # and with it the route to the neighbours",
            "ip route delete default via {{ gateway }}  # whose gateway is no neighbour any more",
        ),
        (
            "ip address replace {{ address }}/{{ prefix }} broadcast {{ broadcast }} dev {{ device }}  # as it was",
            "ip address delete {{ address }}/32 dev {{ device }}",
            "ip route replace default via {{ gateway }}  # it went with the route to the subnet",
        ),
        inside=True,
    ),
    Fault(
        "duplicate-address",
        "two containers had the same address",
        "Whoever asks for the address is answered by one or the other; the two never reach each other by it, for each "
        "takes it for its own.",
        "container",
        ("ip address add {{ other }}/{{ prefix }} dev {{ device }}  # it is somebody else's already",),
        ("ip address delete {{ other }}/{{ prefix }} dev {{ device }}",),
        inside=True,
        needs="the container whose address it takes",
    ),
    Fault(
        "arp-poison",
        "a neighbour entry that never expires gave a wrong MAC address",
        "The container sends what is for that neighbour to a MAC address that nobody has. All else is as before.",
        "container",
        ("ip neighbour replace {{ other }} lladdr 02:00:de:ad:be:ef dev {{ device }} nud permanent  # nobody's",),
        ("ip neighbour delete {{ other }} dev {{ device }}  # ask again",),
        inside=True,
        needs="the container whose address it gets wrong",
    ),
    Fault(
        "link-down",
        "the container's interface was down",
        "The container is there and runs, and reaches nobody: its end of the cable is off.",
        "container",
        ("ip link set {{ device }} down  # as if the cable was pulled",),
        ("ip link set {{ device }} up", "ip route replace default via {{ gateway }}  # it went with the link"),
        inside=True,
    ),
    Fault(
        "container-stopped",
        "a container had been stopped",
        "Nobody answers at its address, and its published ports lead nowhere.",
        "container",
        ("docker stop --time 1 {{ container }}  # it has ended, and is still there",),
        ("docker start {{ container }}",),
        signs=(Sign("containers", has=("{container}",)),),
    ),
    Fault(
        "joined-orphaned",
        "a container was left in a network namespace that its owner no longer has",
        "The owner has started anew, with a new namespace; who had joined the old one keeps that, with lo and nothing "
        "else.",
        "container",
        ("docker restart --time 1 {{ owner }}  # a new namespace, which nobody has joined",),
        ("docker restart --time 1 {{ container }}  # joins again",),
        signs=(Sign("addresses", has=("{owner_address}",)),),
    ),
    Fault(
        "wrong-resolver",
        "the container asked a name server that does not exist",
        "The container finds no name any more; whoever has the address is reached as before.",
        "container",
        ("docker exec {{ container }} sh -c {{ write }} sh {{ 'nameserver 192.0.2.53\\n' }}  # nobody is there",),
        ("docker exec {{ container }} sh -c {{ write }} sh {{ resolver }}  # as it was",),
        signs=(Sign("resolver", lacks=("192.0.2.53",)),),
    ),
    Fault(
        "port-taken",
        "another program held the published port",
        "The port of the host is answered by somebody else, and the container cannot start while that is so.",
        "container",
        (
            "docker stop --time 1 {{ container }}",
            (
                "docker run --detach --name {{ container }}-squatter --network host"
                "{% for key, value in labels.items() %} --label {{ key }}={{ value }}{% endfor %} dockerlab/node "
                "httpd -f -p {{ published }} -h /tmp  # takes the port while it is free"
            ),
        ),
        ("docker rm --force {{ container }}-squatter  # the port is free", "docker start {{ container }}"),
        signs=(Sign("containers", has=("{container}",)), Sign("containers", lacks=("{container}-squatter",))),
    ),
    Fault(
        "mtu-mismatch",
        "one interface of the overlay sent packets larger than the tunnel takes",
        "Small packets pass, full-size ones do not: a ping answers, and a transfer hangs.",
        "container",
        ("ip link set {{ device }} mtu 9000  # more than the tunnel takes",),
        ("ip link set {{ device }} mtu {{ mtu }}",),
        inside=True,
        signs=(Sign("links {device}", has=("mtu {mtu}",)),),
    ),
    Fault(
        "vxlan-blocked",
        "a firewall dropped what overlay networks travel in",
        "The Swarm sees all its nodes, and no packet of an overlay network reaches this one.",
        "host",
        ("iptables -w -I INPUT -p udp --dport 4789 -j DROP  # VXLAN",),
        ("iptables -w -D INPUT -p udp --dport 4789 -j DROP",),
        signs=(Sign("rules filter INPUT", lacks=("--dport 4789 -j DROP",)),),
        wide=True,
    ),
)
