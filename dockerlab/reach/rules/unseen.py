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
        "What a host does",
        "A host would have to take the packet or pass it on, and it is not known whether it does.",
        "What decides could not be read: `ip_forward`, the firewall's rules (which takes root), where an interface of "
        "somebody else's leads, such as a tunnel or a bond. The reason says what it is.",
        "every engine",
        (
            Sight("sysctl net.ipv4.ip_forward", "1, or why it cannot be read"),
            Sight("iptables-save", "the rules, or why they cannot be read"),
        ),
        "Run as root on the host, or say what is known to be so: `expect:` in the definition.",
    ),
    Page(
        "unseen-match",
        "What a rule asks for cannot be known",
        "A rule of the firewall decides, and whether it fits this packet depends on what no look at the host shows.",
        "Some conditions are about more than the packet: how many came before (`limit`, `connlimit`, `recent`), the "
        "time of day, chance (`statistic`), what a program in the rule says (`bpf`). Both are possible then, and "
        "where they lead to different ends there is no claim. The reason quotes the rule.",
        "every engine: the kernel decides, not Docker",
        (
            Sight("iptables-save -c", "the rule and its counter, before and after a try"),
            Sight("dockerlab explain LAB FROM TO --trace", "whether this packet met it"),
        ),
        "Put a rule before it that decides, or say what is known to be so: `expect:` in the definition.",
    ),
    Page(
        "no-namespace",
        "Whoever asks is not there",
        "The source does not run, or its network namespace could not be read: nothing can be said of what it sends.",
        "A container's network namespace is made when it starts, and goes when it ends. To read it, and the host's "
        "own, takes root on the host.",
        "every engine",
        (
            Sight("docker ps --all --filter name=NAME", "whether it runs, and why it ended"),
            Sight("docker inspect --format '{{.State.Pid}}' NAME", "0, or the process whose namespace is entered"),
        ),
        "Start the container; be root on the host.",
    ),
)
