"""The words in which it is told how a cell fails, the same for what is expected and for what is observed."""

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
