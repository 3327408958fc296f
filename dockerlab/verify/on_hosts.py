"""A lab verified: where the pure parts and the hosts meet; `provision` makes and removes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from dockerlab.hosts.base import Host
from dockerlab.hosts.guests import invited
from dockerlab.lab.model import Lab
from dockerlab.survey import Seen, look_where_told
from dockerlab.verify.asking import Choice
from dockerlab.verify.judging import judged, late
from dockerlab.verify.verdicts import Report

SETTLING = 20.0
"""Seconds in which a lab that was just made may still come to what it is, such as the names of an overlay network."""
KERNELS_SETTLE = 4.0
"""Seconds in which hosts' kernels come to rest, such as an address of IPv6 that nobody else may have."""


def verify(
    lab: Lab,
    hosts: Mapping[str, Host],
    prober: Choice = "auto",
    instance: str | None = None,
    seen: Seen | None = None,
    *,
    as_is: bool = False,
) -> Report:
    """Return the whole matrix of a lab as it is now: predicted, observed, judged; `seen` is a look at it just now.

    With `as_is`, it is judged by what is predicted of the hosts as they are. Cells of a host that does not answer are
    unknown, and the others' are judged all the same. Raises HostError where no host answers.
    """
    hosts = invited(hosts)
    if seen is None:
        told, silent = look_where_told(hosts, lab.containers, kernels="all")
        seen = told.with_silent(silent)
    (report,) = judged([lab], seen, hosts, prober, as_is=as_is)
    return replace(report, instance=instance)


def verify_new(
    lab: Lab, hosts: Mapping[str, Host], prober: Choice = "auto", say: Callable[[str], None] = lambda _: None
) -> Report:
    """Return the matrix of a lab that was just made: asked again for a while where something is not reachable yet.

    `say` is told so once, for that can take a while. What is reported is one whole matrix, the last one.
    """
    started, report, told = time.monotonic(), verify(lab, hosts, prober), False
    while (waited := time.monotonic() - started) < SETTLING:
        unready = late(report) or report.disturbed
        if not unready and not (report.unexplained and waited < KERNELS_SETTLE):
            break
        if unready and not told:
            what = "; ".join(report.disturbed) or f"{late(report)} cells are not reachable yet"
            say(f"{what}; asking again for up to {SETTLING:.0f} s")
            told = True
        time.sleep(0.5)
        report = verify(lab, hosts, prober)
    return report
