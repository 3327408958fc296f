"""What leads a container's questions for names to the engine's own server, which listens in the same namespace.

Source: moby, daemon/libnetwork/resolver_unix.go (`setupIPTable`, before 29; `setupIPTables` and `setupNftables`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from dockerlab.imagined.spaces import NOTHING
from dockerlab.kernel import iptables
from dockerlab.kernel.rules import Chain, Rule, Ruleset

PORT = 1024
"""Where the server listens instead of port 53: the kernel chooses, and nobody compares it."""

SAVED = f"""\
*nat
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER_OUTPUT - [0:0]
:DOCKER_POSTROUTING - [0:0]
-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
-A POSTROUTING -d 127.0.0.11/32 -j DOCKER_POSTROUTING
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 127.0.0.11:{PORT}
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:{PORT}
-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p tcp -m tcp --sport {PORT} -j SNAT --to-source :53
-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p udp -m udp --sport {PORT} -j SNAT --to-source :53
COMMIT
"""
TABLE = "docker-dns"
BASES = (
    Chain("ip", TABLE, "dns-dnat", "nft", "output", -100, "ACCEPT", "nat"),
    Chain("ip", TABLE, "dns-snat", "nft", "postrouting", 100, "ACCEPT", "nat"),
)


@lru_cache(maxsize=2)
def ruleset(backend: str) -> Ruleset:
    """Return the rules in the namespace of a container with a server of its own, by what an engine writes rules with.

    They are the same objects for all containers.
    """
    saved = iptables.read(SAVED, "ip").chains
    if backend == "iptables":
        return replace(NOTHING, chains=saved)
    turned = [rule for chain in saved for rule in chain.rules if rule.actions[0].target in ("DNAT", "SNAT")]
    return replace(NOTHING, chains=tuple(_chain(base, turned) for base in BASES))


def _chain(base: Chain, turned: list[Rule]) -> Chain:
    """Return a chain of nftables with the rules that translate what it is named for."""
    own = [rule for rule in turned if rule.actions[0].target.lower() == base.name.removeprefix("dns-")]
    return replace(
        base,
        rules=tuple(
            replace(rule, table=TABLE, chain=base.name, number=number) for number, rule in enumerate(reversed(own), 1)
        ),
    )
