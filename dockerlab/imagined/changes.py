"""What changed between engines, for people: what an engine does otherwise, and what can be done about it.

The names are those of `versions.CHANGES`, which also say in which release each was made, and where that is known from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

BACKEND = "backend"
"""The name by which two engines differ that write their rules with different programs."""


class Told(NamedTuple):
    """What an engine does since a change, and what is done where that opens (`shut`) or closes (`open`) something.

    Both are empty where there is nothing to do but what the page of the rule says.
    """

    what: str
    shut: str = ""
    open: str = ""


GATEWAY = "com.docker.network.bridge.gateway_mode_ipv4"
DIRECT = (
    "publish the port, and ask for it at the host's address; or name the interface in the network's "
    "com.docker.network.bridge.trusted_host_interfaces, or say `allow-direct-routing` in daemon.json"
)

TOLD: Mapping[str, Told] = {
    BACKEND: Told("the engine writes its rules for nftables itself, not with iptables"),
    "filters_ipv6": Told(
        "the engine keeps rules for IPv6 by itself",
        open="publish the port, or say `ip6tables: false` in daemon.json, which opens everything by IPv6",
    ),
    "own_chain": Told("Docker's rules stand in the chain DOCKER-FORWARD, not straight in FORWARD"),
    "bridge_sets": Told("FORWARD asks one set for the subnets of all bridges"),
    "closes_ports": Told(
        "a bridge in gateway mode nat is closed to everything that was not published",
        open=f"publish the port, or say `nat-unprotected` for the network's {GATEWAY}",
    ),
    "accepts_outgoing": Told("one rule accepts everything that comes from a bridge, wherever it goes"),
    "drops_past_bridge": Told(
        "what comes for a container's address past its bridge is dropped in raw PREROUTING", open=DIRECT
    ),
    "drops_direct_ports": Told(
        "what comes for a published port at the container's own address is dropped in raw PREROUTING", open=DIRECT
    ),
    "guards_loopback": Told(
        "a port published on a loopback address is closed to other machines",
        open="publish it on the address by which the others reach the host",
    ),
    "stages": Told(
        "the ISOLATION chains keep all bridges apart, whatever a network's gateway mode is",
        shut=f"say `nat` for the network's {GATEWAY}: `nat-unprotected` is open to other bridges without these chains",
        open=f"publish the port, or say `nat-unprotected` for the network's {GATEWAY}",
    ),
    "stages_end": Told("the ISOLATION chains end with RETURN"),
    "stages_without_subnet": Told("the ISOLATION chains have rules for IPv6 also where a network has none"),
    "routes_between": Told(
        "other bridges may come into a network in gateway mode routed, as far as ports are published",
        shut="leave out the published port",
    ),
    "pings_routed": Told(
        "a network in gateway mode routed lets pings in",
        shut=f"say `nat` for the network's {GATEWAY}, or drop them in DOCKER-USER",
    ),
    "returns": Told("what comes from a bridge is kept from DNAT, so that docker-proxy serves it"),
    "returns_routed": Told("that is so in gateway mode routed too"),
    "returns_routed_always": Told("that is so there without docker-proxy as well"),
    "always_hairpins": Told("who calls its own published port is masqueraded beside docker-proxy too"),
    "spares_link_local": Told("what comes from a link-local address is left to docker-proxy"),
    "narrow_internal": Told("an internal bridge lets IPv6 of any address pass from port to port"),
    "jumps_at_start": Told("nat has its jumps before there is any network of that IP version"),
    "user_chain_ends": Told("DOCKER-USER ends with RETURN"),
    "user_chain_ipv6": Told("DOCKER-USER is there for IPv6 as well"),
    "knows_nftables": Told("the engine knows `firewall-backend: nftables`"),
    "swarm_feature": Told("the feature `swarm-nftables` lets an engine with nftables into a Swarm"),
    "sums_sctp": Told("the checksums of SCTP are filled in"),
    "bpf": Told("an overlay's packets are found by BPF, not by u32"),
    "accepts_encrypted": Told("a rule lets an overlay's encrypted packets in"),
    "peers_untold": Told(
        "it is not known whether a neighbour's published port is open with icc off and no docker-proxy"
    ),
    "gateway_modes": Told(
        "the gateway modes `nat` and `routed` are known; before, they are ignored",
        shut=f"leave out the network's {GATEWAY}",
        open=f"leave out the network's {GATEWAY}, or publish the port",
    ),
    "unprotected": Told(
        "gateway mode `nat-unprotected` is known", shut=f"say `nat` for the network's {GATEWAY}, or leave it out"
    ),
    "isolated": Told(
        "gateway mode `isolated` is known: the host has no address on the bridge",
        open=f"leave out the network's {GATEWAY}",
    ),
    "trusts_interfaces": Told("`trusted_host_interfaces` and `allow-direct-routing` are known"),
    "source_option": Told("`com.docker.network.host_ipv6` is known"),
    "ipvlan_flags": Told("`ipvlan_flag` and mode l3s are known; before, they are ignored"),
    "internal_route": Told(
        "an internal bridge gives a default route",
        open="give the container a network that is not internal: no route leads out of it any more",
    ),
    "internal_address": Told(
        "the host has an address on an internal bridge",
        shut="there is no way to take it off again; `isolated` does so from 28.0 on",
        open="take another release of the engine: 25.0.4 gives the bridge its address back",
    ),
    "parentless_route": Told("macvlan and ipvlan without a parent give a default route"),
    "guesses_gateway": Told(
        "macvlan and ipvlan give a default route to the first address of the subnet where no gateway is named",
        shut="leave out the network's `gateway`",
        open="name the router: `gateway: ADDRESS` for the network",
    ),
    "gateway_priorities": Told(
        "an endpoint's priority as a gateway decides before all else",
        shut="leave out `gw_priority`",
        open="give another network the higher `gw_priority`",
    ),
    "routes_by_version": Told(
        "IPv4 and IPv6 may have their default route by different networks, and mode l3 of ipvlan competes for it",
        open="give the network that is to be the way out the higher `gw_priority`, or make the other one internal",
    ),
    "dual_stack_first": Told(
        "a network that gives the default routes of both IP versions comes before one that gives a single one",
        open="give the network that is to be the way out the higher `gw_priority`",
    ),
    "routed_always_open": Told(
        "a published port is open on a routed network also where another network gives the default route",
        shut="leave out the published port, or take the container off the routed network",
    ),
    "ipv6_on_lo": Told("a container has ::1 without any IPv6 network"),
    "link_local_gateway": Told("a bridge with IPv6 has the address fe80::1 too"),
    "asks_through_host": Told(
        "name servers of the host are asked from the host's namespace, not from the container's",
        open="name a server that the container itself reaches: `dns:` of the container, or of the daemon",
    ),
    "ipv6_by_itself": Told("docker0's IPv6 needs no `fixed-cidr-v6`"),
    "range_is_subnet": Told("`fixed-cidr` alone is docker0's subnet"),
}
"""What each change says of the engines that have it; of the others it says that they do not."""
