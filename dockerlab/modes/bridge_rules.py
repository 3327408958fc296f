"""The rules that an engine writes for a bridge, as `iptables-save` prints them, in the order in which it writes them.

Source: moby, libnetwork/drivers/bridge/setup_ip_tables_linux.go and port_mapping_linux.go up to 28.1, then
internal/iptabler/{network,endpoint,port}.go beside them.
"""

from __future__ import annotations

from dockerlab.modes.made import At, Line


def routed(at: At) -> bool:
    """Tell whether the host routes for the network: an internal one it does not."""
    return not at.internal


def one_accept(at: At) -> bool:
    """Tell whether one rule accepts all that came by the bridge."""
    return routed(at) and at.icc and at.engine.accepts_outgoing


def one_way(at: At) -> bool:
    """Tell whether a rule accepts what came by the bridge and leaves by another interface."""
    return routed(at) and not one_accept(at)


def stays(at: At) -> bool:
    """Tell whether a rule accepts what stays on the bridge."""
    return at.icc and (at.internal or not at.engine.accepts_outgoing)


def by_bridge(at: At) -> bool:
    """Tell whether FORWARD asks for each bridge by name what leaves by it, not for all of them in one set."""
    return routed(at) and not at.engine.bridge_sets


def skips(at: At) -> bool:
    """Tell whether connections from the bridge are kept from DNAT, so that docker-proxy serves them."""
    if at.internal or not at.engine.returns:
        return False
    if at.gate == "routed" and at.engine.returns_routed_always:
        return True
    return at.masquerade and at.engine.proxy and (at.gate != "routed" or at.engine.returns_routed)


def apart(at: At) -> bool:
    """Tell whether containers on the bridge are kept from each other."""
    return not at.icc


def staged(at: At) -> bool:
    """Tell whether the ISOLATION chains keep other bridges apart from this one."""
    return routed(at) and at.engine.stages


def open_gate(at: At) -> bool:
    """Tell whether other bridges may come in all the same, as far as ports are open."""
    return staged(at) and at.gate == "routed" and at.engine.routes_between


def closed(at: At) -> bool:
    """Tell whether what is not published is dropped."""
    return routed(at) and at.engine.closes_ports and at.gate != "nat-unprotected"


def unprotected(at: At) -> bool:
    """Tell whether everything is let in."""
    return routed(at) and at.engine.closes_ports and at.gate == "nat-unprotected"


def narrow(at: At) -> bool:
    """Tell whether an internal network's rules leave alone what stays on the bridge."""
    return at.internal and at.version == 6 and at.engine.narrow_internal


def wide(at: At) -> bool:
    """Tell whether they ask for addresses alone."""
    return at.internal and not narrow(at)


def past_bridge(at: At) -> bool:
    """Tell whether what comes for a container past its bridge is dropped early."""
    return at.guarded and at.engine.drops_past_bridge and not at.engine.direct


def trusted(at: At) -> bool:
    """Tell whether there is an interface of the host from where it is not."""
    return past_bridge(at) and bool(at.trust)


def untrusted(at: At) -> bool:
    """Tell whether the rule is the one about all other interfaces."""
    return past_bridge(at) and not at.trust


def mapped(at: At) -> bool:
    """Tell whether a port of the host leads to the container by DNAT."""
    return not at.internal and at.published > 0 and at.gate != "routed"


def hairpin(at: At) -> bool:
    """Tell whether a container that calls its own port by the host comes by that rule."""
    return mapped(at) and (at.engine.always_hairpins or not at.engine.proxy)


def let_in(at: At) -> bool:
    """Tell whether a published port has a rule of its own to come in by."""
    return not at.internal and at.gate != "nat-unprotected"


def loopback(at: At) -> bool:
    """Tell whether the port is published on a loopback address that others can send to."""
    return mapped(at) and at.version == 4 and at.engine.guards_loopback and at.on is not None and at.on.is_loopback


PASSES_OWN = "containers of one network may talk to each other, also routed"
SHUT_IN = "an internal network: nothing goes out of its subnet"
SHUT_OUT = "an internal network: nothing comes in from outside its subnet"
HIDES = "nobody outside knows the containers' addresses; answers to the host's come back, and it hands them on"
FROM_HOST = "what the host sends to a published port comes from an address that the container can answer"

NETWORK = (
    Line("shut", "! -d {subnet} -i {bridge} -j DROP", SHUT_IN, wide, "bridge-internal"),
    Line("shut", "! -s {subnet} -o {bridge} -j DROP", SHUT_OUT, wide, "bridge-internal"),
    Line("shut", "! -d {subnet} -i {bridge} ! -o {bridge} -j DROP", SHUT_IN, narrow, "bridge-internal"),
    Line("shut", "! -s {subnet} ! -i {bridge} -o {bridge} -j DROP", SHUT_OUT, narrow, "bridge-internal"),
    Line(
        "source", "-s {subnet} ! -o {bridge} -j MASQUERADE", HIDES,
        lambda at: at.translated and not at.source, "masquerade",
    ),
    Line(
        "source", "-s {subnet} ! -o {bridge} -j SNAT --to-source {source}", HIDES,
        lambda at: at.translated and bool(at.source), "masquerade",
    ),
    Line(
        "skipped", "-i {bridge} -j RETURN", "from inside that network, docker-proxy serves published ports instead",
        skips,
    ),
    Line(
        "source", "-o {bridge} -m addrtype --src-type LOCAL -j MASQUERADE", FROM_HOST,
        lambda at: routed(at) and not at.engine.proxy and not at.source,
    ),
    Line(
        "source", "-o {bridge} -m addrtype --src-type LOCAL -j SNAT --to-source {source}", FROM_HOST,
        lambda at: routed(at) and not at.engine.proxy and bool(at.source),
    ),
    Line("inside", "-i {bridge} -o {bridge} -j ACCEPT", PASSES_OWN, stays),
    Line(
        "apart", "-i {bridge} -o {bridge} -j DROP", "containers of this network may not talk to each other (icc off)",
        apart, "bridge-icc",
    ),
    Line(
        "pings", "-o {bridge} -p {ping} -j ACCEPT", "the network is routed: whoever knows the way may ping",
        lambda at: routed(at) and at.gate == "routed" and at.engine.pings_routed, "routed",
    ),
    Line("outward", "-i {bridge} ! -o {bridge} -j ACCEPT", "containers may go out", one_way, "routed"),
    Line("outward", "-i {bridge} -j ACCEPT", "containers may go out, and to each other", one_accept, "routed"),
    Line("rest", "! -i {bridge} -o {bridge} -j DROP", "what was not published stays out", closed, "direct-routing"),
    Line("rest", "! -i {bridge} -o {bridge} -j ACCEPT", "the network is unprotected: whoever knows the way comes in",
        unprotected, "routed",
    ),
    Line("inward", "-o {bridge} -j DOCKER", "what goes to containers has to be published", by_bridge),
    Line(
        "answers", "-o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "answers to what the containers asked for come in", by_bridge,
    ),
    Line("spared", "-o {bridge} -j RETURN", "the network is routed: others may come in by ports that are open",
        open_gate, "routed",
    ),
    Line(
        "spared", "-i {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "the network is routed: it may answer whoever came in", open_gate,
    ),
    Line(
        "between", "-i {bridge} ! -o {bridge} -j DOCKER-ISOLATION-STAGE-2",
        "isolation, first half: it leaves a Docker network; the second half asks where to", staged,
    ),
    Line(
        "arriving", "-o {bridge} -j DROP", "isolation, second half: it came from another Docker network", staged,
        "bridge-isolation",
    ),
)  # fmt: skip
"""What is written once for a network, in each IP version that it has."""

PARTED = tuple(line for line in NETWORK if line.place in ("between", "arriving"))
"""What engines up to 28.0.0 write for IPv6 also where the network has none."""

ENDPOINT = (
    Line(
        "marked", "-d {address} -i {trust} -j ACCEPT",
        "the network trusts this interface: from there containers are reached directly", trusted,
    ),
    Line(
        "marked", "-d {address} ! -i {bridge} -j DROP",
        "a container's own address is not for other machines: they have to use what is published", untrusted,
        "bridge-isolation",
    ),
)  # fmt: skip
"""What is written for each address of a container, the first line once for each interface that is trusted."""

PORT = (
    Line(
        "marked", "-d {on_place} ! -i lo -p {protocol} -m {protocol} --dport {published} -j DROP",
        "a port that is published on the loopback address is not for other machines", loopback, "publish-loopback",
    ),
    Line(
        "marked", "-d {address} ! -i {bridge} -p {protocol} -m {protocol} --dport {target} -j DROP",
        "a published port is reached by the host's address alone",
        lambda at: at.guarded and at.engine.drops_direct_ports, "direct-routing",
    ),
    Line(
        "published",
        "{far} {on} {elsewhere} -p {protocol} -m {protocol} --dport {published} -j DNAT --to-destination {end}",
        "this is the published port", mapped, "published",
    ),
    Line(
        "own source", "-s {address} -d {address} -p {protocol} -m {protocol} --dport {target} -j MASQUERADE",
        "a container that calls its own published port would else get a packet that seems to come from itself",
        hairpin,
    ),
    Line(
        "opened", "-d {address} ! -i {bridge} -o {bridge} -p {protocol} -m {protocol} --dport {target} -j ACCEPT",
        "the published port is let in", let_in,
    ),
    Line(
        "sums", "-p sctp -m sctp --sport {target} -j CHECKSUM --checksum-fill",
        "old kernels leave the checksum of SCTP to a card that cannot fill it in",
        lambda at: at.protocol == "sctp" and at.engine.sums_sctp,
    ),
)  # fmt: skip
"""What is written for each published port, in the IP version of the container's address."""
