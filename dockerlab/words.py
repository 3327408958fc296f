"""The words in which it is told how a cell fails, and by which rule it is decided: the same in every part."""

from __future__ import annotations

from typing import Literal

Symptom = Literal[
    "timeout",
    "no route",
    "host unreachable",
    "refused",
    "refused behind docker-proxy",
    "no such name",
    "wrong answerer",
    "reply lost",
    "blocked",
    "mtu",
    "flaky",
]
"""How a cell fails, as whoever asks sees it.

`reply lost`: the request arrived, its answer did not come back. `blocked`: the source's own rules or routes forbid it.
`mtu`: small packets pass, large ones do not. `flaky`: some of the packets pass.
"""

RuleId = Literal[
    "own-address",
    "same-lan",
    "same-bridge",
    "same-overlay",
    "same-dummy",
    "same-ipvlan",
    "overlay-encrypted",
    "bridge-icc",
    "bridge-port",
    "macvlan-own-host",
    "ipvlan-own-host",
    "ipvlan-flag",
    "macvlan-private",
    "macvlan-vepa",
    "macvlan-passthru",
    "other-segment",
    "nobody-there",
    "same-address",
    "link-down",
    "mtu",
    "host-local",
    "host-to-bridge",
    "masquerade",
    "routed",
    "no-masquerade",
    "reply-lost",
    "outside",
    "unrouted",
    "no-default-route",
    "policy-route",
    "none",
    "ip-forward-off",
    "rp-filter",
    "kernel-setting",
    "bridge-isolation",
    "bridge-internal",
    "forward-policy",
    "direct-routing",
    "foreign-rule",
    "foreign-policy",
    "published",
    "publish-loopback",
    "publish-address",
    "publish-needs-bridge",
    "publish-routed",
    "publish-no-proxy",
    "proxy-for-nobody",
    "nothing-published",
    "nothing-listens",
    "dns-shared-network",
    "dns-default-bridge",
    "dns-host-mode",
    "dns-joined",
    "dns-no-shared-network",
    "no-address",
    "no-namespace",
    "unseen-lan",
    "unseen-router",
    "unseen-forwarding",
    "unseen-match",
    "expect",
]
"""The rule by which a cell is decided; each has its page in `reach.rules`."""
