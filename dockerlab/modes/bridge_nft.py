"""The rules that engine 29's nftables backend writes for a bridge, as `nft list` prints them, counters left out.

Source: moby, daemon/libnetwork/drivers/bridge/internal/nftabler/{network,endpoint,port}.go. Each bridge has chains of
its own, which verdict maps lead to: what they are called and in which order their rules stand is in
`imagined.chains_nft`.
"""

from __future__ import annotations

from dockerlab.modes.bridge_rules import (
    FROM_HOST,
    HIDES,
    SHUT_IN,
    SHUT_OUT,
    let_in,
    loopback,
    mapped,
    past_bridge,
    routed,
)
from dockerlab.modes.made import At, Line

OPEN = "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"


def passes(at: At) -> bool:
    """Tell whether containers on a bridge that is routed for may talk to each other."""
    return routed(at) and at.icc


def parted(at: At) -> bool:
    """Tell whether they may not."""
    return routed(at) and not at.icc


def plain(at: At) -> bool:
    """Tell whether what leaves gets the address that the kernel chooses."""
    return at.translated and not at.source


def named(at: At) -> bool:
    """Tell whether what leaves gets an address that the network's options name."""
    return at.translated and bool(at.source)


NETWORK = (
    Line("answers", "ct state established,related accept", "answers to what the containers asked for come in",
         means=OPEN),
    Line("inside", "ct state established,related accept", "containers may answer whoever asked them", means=OPEN),
    Line("shut", 'iifname != "{bridge}" drop comment "INTERNAL NETWORK INGRESS"', SHUT_OUT, lambda at: at.internal,
         "bridge-internal", "! -i {bridge} -j DROP"),
    Line("outward", 'oifname != "{bridge}" drop comment "INTERNAL NETWORK EGRESS"', SHUT_IN, lambda at: at.internal,
         "bridge-internal", "! -o {bridge} -j DROP"),
    Line("apart", 'accept comment "ICC"', "containers of one network may talk to each other, also routed",
         lambda at: at.internal and at.icc, means="-j ACCEPT"),
    Line("apart", 'drop comment "ICC"', "containers of this network may not talk to each other (icc off)",
         lambda at: at.internal and not at.icc, "bridge-icc", "-j DROP"),
    Line("apart", 'iifname "{bridge}" accept comment "ICC"',
         "containers of one network may talk to each other, also routed", passes,
         means="-i {bridge} -j ACCEPT"),
    Line("apart", 'iifname "{bridge}" drop comment "ICC"',
         "containers of this network may not talk to each other (icc off)", parted, "bridge-icc",
         "-i {bridge} -j DROP"),
    Line("outward", 'accept comment "OUTGOING"', "containers may go out", routed, "routed",
         "-j ACCEPT"),
    Line("rest", 'accept comment "UNPROTECTED"', "the network is unprotected: whoever knows the way comes in",
         lambda at: routed(at) and at.gate == "nat-unprotected", "routed",
         "-j ACCEPT"),
    Line("rest", 'drop comment "UNPUBLISHED PORT DROP"', "what was not published stays out",
         lambda at: routed(at) and at.gate != "nat-unprotected", "direct-routing",
         "-j DROP"),
    Line("pings", '{is_ping} accept comment "ICMP"', "the network is routed: whoever knows the way may ping",
         lambda at: routed(at) and at.gate == "routed", "routed", "-p {ping} -j ACCEPT"),
    Line("source", 'oifname != "{bridge}" {ip} saddr {subnet} masquerade comment "MASQUERADE"', HIDES, plain,
         "masquerade", "! -o {bridge} -s {subnet} -j MASQUERADE"),
    Line("source", 'oifname != "{bridge}" {ip} saddr {subnet} snat to {source} comment "SNAT"', HIDES, named,
         "masquerade", "! -o {bridge} -s {subnet} -j SNAT --to-source {source}"),
    Line("own source", 'fib saddr type local masquerade comment "MASQUERADE FROM HOST"', FROM_HOST,
         lambda at: routed(at) and not at.engine.proxy and not at.source,
         means="-m addrtype --src-type LOCAL -j MASQUERADE"),
    Line("own source", 'fib saddr type local snat to {source} comment "SNAT FROM HOST"', FROM_HOST,
         lambda at: routed(at) and not at.engine.proxy and bool(at.source),
         means="-m addrtype --src-type LOCAL -j SNAT --to-source {source}"),
)  # fmt: skip

ENDPOINT = (
    Line("marked", '{ip} daddr {bare} iifname != {own_or_trusted} drop comment "DROP DIRECT ACCESS"',
         "a container's own address is not for other machines: they have to use what is published",
         past_bridge, "bridge-isolation",
         "-d {address} {past_trusted} -j DROP"),
)  # fmt: skip

PORT = (
    Line("opened", "{ip} daddr {bare} {protocol} dport {target} accept", "the published port is let in", let_in,
         means="-d {address} -p {protocol} -m {protocol} --dport {target} -j ACCEPT"),
    Line("published", '{but_own} {far_ip} {on_ip} {protocol} dport {published} dnat to {end} comment "DNAT"',
         "this is the published port", mapped, "published",
         "{elsewhere} {far} {on} -p {protocol} -m {protocol} --dport {published} "
         "-j DNAT --to-destination {end}"),
    Line("own source",
         '{ip} saddr {bare} {ip} daddr {bare} {protocol} dport {target} masquerade comment "MASQ TO OWN PORT"',
         "a container that calls its own published port would else get a packet that seems to come from itself",
         lambda at: mapped(at) and not at.engine.proxy,
         means="-s {address} -d {address} -p {protocol} -m {protocol} --dport {target} "
         "-j MASQUERADE"),
    Line("marked",
         'iifname != "lo" ip daddr {on_alone} {protocol} dport {published} drop comment "DROP REMOTE LOOPBACK"',
         "a port that is published on the loopback address is not for other machines", loopback, "publish-loopback",
         "! -i lo {on} -p {protocol} -m {protocol} --dport {published} -j DROP"),
)  # fmt: skip
