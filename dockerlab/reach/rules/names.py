"""Rules of names: what Docker's DNS knows, and who asks it."""

from __future__ import annotations

from dockerlab.reach.rules.page import Page, Sight

RULES = (
    Page(
        "dns-shared-network",
        "A name on a network that both are on",
        "A container's name, alias, hostname or short ID gives its address on the network that both are on.",
        "On user-defined networks /etc/resolv.conf says 127.0.0.11. In the container's own namespace, chain "
        "DOCKER_OUTPUT of table nat turns port 53 there to a socket that dockerd opened in it; dockerd answers "
        "from what it knows of the container's networks. On an overlay network that includes the other hosts. An alias "
        "is known on its own network alone; of a name that several have there, it gives all addresses. Of several "
        "networks that know a name the first answers: a Swarm's, then by `gw_priority` (from 28.0 on), not internal, "
        "by gateways, by the network's name.",
        "every engine",
        (
            Sight("docker exec NAME cat /etc/resolv.conf", "`nameserver 127.0.0.11`"),
            Sight("nsenter --net --target PID iptables -t nat -S", "DOCKER_OUTPUT with DNAT to 127.0.0.11"),
        ),
        "Names cannot be switched off: part the containers by networks.",
    ),
    Page(
        "dns-default-bridge",
        "No names on docker0",
        "On the default bridge, containers do not know each other by name.",
        "Docker's DNS serves user-defined networks. On docker0 alone /etc/resolv.conf is a copy of the host's, "
        "and its servers are asked directly: they do not know the name, or are not reached.",
        "every engine",
        (Sight("docker exec NAME cat /etc/resolv.conf", "the host's servers, not 127.0.0.11"),),
        "Use a user-defined network. `docker network connect` is enough: it also turns Docker's DNS on.",
    ),
    Page(
        "dns-host-mode",
        "No container names in host mode",
        "A container in host mode does not know other containers by name.",
        "It is in the host's own namespace, with the host's resolver. No network of Docker's is behind it, so "
        "that Docker's DNS has nothing to answer from.",
        "every engine",
        (Sight("docker exec NAME cat /etc/resolv.conf", "the host's servers"),),
        "Go by addresses or by published ports on localhost, or leave host mode.",
    ),
    Page(
        "dns-joined",
        "The name of a container that joined another",
        "The name of a container in container mode is not known; its owner's is.",
        "It has no endpoint of its own on any network, and names belong to endpoints.",
        "every engine",
        (Sight("docker inspect NAME", "`NetworkMode` is `container:…`, and `Networks` is empty"),),
        "Ask for the owner's name, or give the owner an alias: `aliases: [NAME]`.",
    ),
    Page(
        "dns-no-shared-network",
        "A name on networks that the asker is not on",
        "A container on user-defined networks does not know the name of one with which it shares none.",
        "Docker's DNS answers for the networks of the asker alone, and on bridges, macvlan and ipvlan for containers "
        "of the same engine alone. It passes other questions on to the servers beyond: up to 27 from the container's "
        "namespace, from 28.0 on from the host's, where these servers are the host's own. Where another container has "
        "the name on a network of the asker, as an alias, that one's address comes.",
        "every engine",
        (Sight("docker inspect NAME", "`Networks` of both: none in common"),),
        "Attach one of them to a network of the other; across hosts, use an overlay network.",
    ),
    Page(
        "hosts-file",
        "A name in the hosts file",
        "What a container's hosts file says of a name is what the name gives it: a line that it was given "
        "(`extra_hosts`), and its own hostname.",
        "A program asks its C library, which reads /etc/hosts before it asks a name server, on whichever network the "
        "container is. `host-gateway` stands for docker0's address, or for what `host-gateway-ips` says. The engine "
        "adds the container's own address on each of its networks, under its `hostname`, with `domainname` behind it, "
        "and under what stands there before the first dot: whoever else has that name is not found by it. Who joins "
        "another container's network has that one's file; in host mode it is the host's, or `extra_hosts` alone.",
        "every engine",
        (Sight("docker exec NAME cat /etc/hosts", "a line with the name"),),
        "Leave the line out of `extra_hosts`, or write the right address; give the container a `hostname` that nobody "
        "else is called by.",
    ),
)
