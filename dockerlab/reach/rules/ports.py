"""Rules of TCP: who listens, and where published ports lead."""

from __future__ import annotations

from dockerlab.reach.rules.page import Page, Sight

RULES = (
    Page(
        "published",
        "A published port",
        "A connection to the host's port comes to the container's port.",
        "Two mechanisms stand side by side. `-p tcp --dport PORT -j DNAT` in nat DOCKER takes what comes from "
        "other machines (PREROUTING) and from the host itself (OUTPUT). docker-proxy, a process that listens on"
        " the port, takes what DNAT leaves: up to 28, nat DOCKER begins with `-i BRIDGE -j RETURN` for each "
        "masquerading bridge, so that connections from containers come to the proxy. Where the DNAT rule is "
        "missing, the proxy serves other machines as well. Where no proxy runs (`userland-proxy: false`) there is no "
        "RETURN, and DNAT also leads a connection back to the bridge that it came from.",
        "every engine; 29 has no RETURN, so that DNAT and MASQUERADE serve the other bridges",
        (
            Sight("iptables -t nat -vnL DOCKER", "the DNAT rule, and its counter"),
            Sight("nft list table ip docker-bridges", "the same on 29 with nftables: `nat-prerouting-and-output`"),
            Sight("ss -ltnp", "docker-proxy on the port"),
        ),
        "Remove it from `ports`. Both the rule and the proxy have to go: either alone still serves.",
    ),
    Page(
        "publish-loopback",
        "Published on the loopback address alone",
        "Only the host itself, and containers in host mode on it, reach the port.",
        "The DNAT rule and docker-proxy are for 127.0.0.1: nothing listens on the host's other addresses, and a"
        " connection there is refused. From 28 on raw PREROUTING also drops what comes for 127.0.0.1 from "
        "another interface than `lo`; before, a neighbour on the LAN could get in by a route to 127.0.0.1.",
        "every engine; the raw rule from 28.0 on",
        (
            Sight("iptables -t nat -S DOCKER", "`-d 127.0.0.1/32 … -j DNAT`"),
            Sight("ss -ltn", "127.0.0.1:PORT and not 0.0.0.0:PORT"),
        ),
        'Publish without an address, `"PORT:PORT"`, or on the one that others use.',
    ),
    Page(
        "publish-address",
        "Published on another address of the host",
        "A connection to this address of the host is refused, one to the published address is not.",
        "The DNAT rule has `-d ADDRESS`, and docker-proxy listens on that address alone.",
        "every engine",
        (
            Sight("iptables -t nat -S DOCKER", "`-d ADDRESS/32 … -j DNAT`"),
            Sight("ss -ltn", "ADDRESS:PORT"),
        ),
        "Publish without an address, or on this one.",
    ),
    Page(
        "publish-needs-bridge",
        "Published without effect",
        "The definition publishes a port, the engine says nothing against it, and the host refuses the connection.",
        "Only the bridge driver maps ports, on the network that gives the container its default route. A "
        "container in host mode, or on internal, macvlan or ipvlan networks alone, has no such place; `docker port` "
        "stays empty. "
        "(20.10 maps the ports to an internal network's address when the container loses its last other "
        "network, and then docker-proxy serves them.)",
        "every engine",
        (
            Sight("docker port NAME", "nothing"),
            Sight("ss -ltn", "nothing on the port"),
        ),
        "Attach the container to a bridge network that is not internal: its ports are then mapped there at once.",
    ),
    Page(
        "publish-routed",
        "Published in gateway mode routed",
        "The host refuses the connection; the container's port is open at the container's own address.",
        "In gateway mode routed there is no NAT: neither a DNAT rule nor docker-proxy takes what comes for the host's "
        "port. What `ports` does there is to open the container's port in chain DOCKER, for those who have a route to "
        "the container's address. Of a container on a nat and a routed network the port is open on the routed one from "
        "29.0 on; before, only where that one gives the default route.",
        "27.0",
        (
            Sight("iptables -t nat -S DOCKER", "no rule for the port"),
            Sight("iptables -S DOCKER", "`-d CONTAINER/32 … --dport PORT -j ACCEPT`"),
        ),
        "Connect to the container's own address, or leave `com.docker.network.bridge.gateway_mode_ipv4` out.",
    ),
    Page(
        "publish-no-proxy",
        "A published port from another bridge, past docker-proxy",
        "From a container on another bridge of the same host, the connection ends in silence.",
        "Up to 28, nat DOCKER leaves to docker-proxy what comes from a masquerading bridge: `-i BRIDGE -j "
        "RETURN`. Where the host runs no proxy (`userland-proxy: false`) there is no such rule, and for a "
        "bridge with `enable_ip_masquerade` false there is none either: DNAT turns the connection to the "
        "container's address, and DOCKER-ISOLATION-STAGE-2 drops it as any other that goes from bridge to "
        "bridge. By the proxy it would be a connection to the host itself (INPUT). Where the engine's settings could "
        "not be read, it is not known whether a proxy runs; with neither rules nor proxy (`iptables: false` as well) "
        "dockerd only keeps the port from others. Then there is no claim.",
        "20.10 to 28; on 29 it works from a masqueraded bridge, for the target then sees the host's address",
        (
            Sight("cat /etc/docker/daemon.json", '`"userland-proxy": false`'),
            Sight("iptables -t nat -S DOCKER", "no `-i BRIDGE -j RETURN` for the client's bridge"),
            Sight("iptables -vnL DOCKER-ISOLATION-STAGE-2", "the counter of the target's bridge grows"),
        ),
        "Leave `userland-proxy` and `enable_ip_masquerade` at their defaults, or attach the client to the "
        "server's network.",
    ),
    Page(
        "proxy-for-nobody",
        "docker-proxy takes it, and nobody is behind",
        "The host accepts the connection, and then it ends at once or hangs: no container takes it.",
        "docker-proxy accepts before it has asked the container. Where nothing listens there, or its own connection is "
        "dropped on the way, the client still has an open connection to the host: a scan of ports, `nc -z` or a health "
        "check that only connects calls that a success. DNAT has no such half success: there the container's kernel "
        "itself accepts or refuses.",
        "every engine with `userland-proxy` (the default), for what comes to the proxy: see [published](published.md)",
        (
            Sight("ss -ltnp", "docker-proxy on the port"),
            Sight("nsenter --net --target PID ss -ltn", "nothing on the container's port, or on 127.0.0.1 alone"),
            Sight("curl http://HOST:PORT/", "`Connection reset by peer`, or `Empty reply from server`"),
        ),
        "Start the server in the container, and let it listen on 0.0.0.0; or mend what stands between host and "
        "container.",
    ),
    Page(
        "nothing-published",
        "No published port of that number",
        "The host refuses the connection.",
        "The packet is delivered to the host (INPUT); no DNAT rule takes it and no socket listens: the kernel "
        "answers with RST.",
        "every engine",
        (
            Sight("ss -ltn", "nothing on the port"),
            Sight("iptables -t nat -S DOCKER", "no rule for it"),
        ),
        'Publish it: `ports: ["PORT:PORT"]`.',
    ),
    Page(
        "nothing-listens",
        "Nothing listens there",
        "The connection is refused at once: the packet came to the right place.",
        "The target's kernel answers a SYN to a port without a listener with RST. This also tells that the "
        "network is fine.",
        "every engine: the kernel decides, not Docker",
        (Sight("nsenter --net --target PID ss -ltn", "what listens in the container"),),
        "Start the server, and let it listen on 0.0.0.0 and not on 127.0.0.1.",
    ),
)
