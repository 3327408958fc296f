"""Rules by which the model makes no claim: what it would have to see."""

from __future__ import annotations

from dockerlab.reach.rules.page import Page, Sight

RULES = (
    Page(
        "no-address",
        "No address is known",
        "The container has no address, so that there is nothing to ask for.",
        "The engine gives out addresses when a container starts and takes them back when it stops. The "
        "definition fixes none.",
        "every engine",
        (Sight("docker ps --all --filter name=NAME", "whether it runs, and why it ended"),),
        "Start it, or fix its address: `networks: {NETWORK: {ip: …}}`.",
    ),
    Page(
        "unseen-lan",
        "What else stands on the LAN",
        "Nobody of the lab holds the address, but a machine on that LAN may.",
        "A LAN is open: there may be routers, printers and people's machines that no host of the lab can list.",
        "every engine",
        (Sight("arping -I PARENT ADDRESS", "whether anybody answers"),),
        "Say what is known to be so: `expect:` in the definition.",
    ),
    Page(
        "unseen-router",
        "What a router does",
        "The packet goes to a router, and whether it leads on to the address cannot be seen.",
        "Routers outside the lab, and machines that would have to route, have tables that no host of the lab "
        "can read; so with ipvlan in mode l3, where the way back needs a route on other machines.",
        "every engine",
        (Sight("traceroute ADDRESS", "where it ends"),),
        "List the target under `outside:`, or say what is known to be so: `expect:` in the definition.",
    ),
    Page(
        "unseen-forwarding",
        "How a host forwards",
        "A host would have to forward the packet, and it is not known whether it does.",
        "`ip_forward`, or the policy of chain FORWARD where no rule of Docker's accepts the packet, could not be read: "
        "it takes root. Or the engine is 27 and the network in gateway mode routed, of which it was not observed what "
        "it lets in.",
        "every engine",
        (
            Sight("sysctl net.ipv4.ip_forward", "1, or why it cannot be read"),
            Sight("iptables -S FORWARD", "the policy, in the first line"),
        ),
        "Run as root on the host, or say what is known to be so: `expect:` in the definition.",
    ),
)
