"""What a macvlan child in mode passthru takes from its host: without the child, the host is a neighbour as any."""

from __future__ import annotations

from contextlib import contextmanager

from support.mechanisms import Case

WITHOUT = {
    "gone": {"vm0": "docker stop -t 0 taker; forget", "vm1": "forget tagged"},
    # By the request of its neighbour the host learns whom it cannot ask itself: that shows in how its own packets fail.
    "back": {
        "vm0": "docker start taker; forget",
        "vm1": "forget tagged; inside tagged ping -qc 1 -W 1 10.9.5.61 || true",
    },
    "also": ("taker",),
    "cause": ("vm0", "container", "container taker"),
}

CASES = (
    Case("macvlan-passthru", "tagged", "vm0", target="10.9.5.61", then="same-lan", **WITHOUT),
    Case("macvlan-passthru", "vm0", "tagged", then="same-lan", **WITHOUT),
)


@contextmanager
def prepared(machines):
    """Give vm0 an address on the parent."""
    machines.sh("vm0", "ip addr add 10.9.5.61/24 dev eth0.50")
    try:
        yield
    finally:
        machines.sh("vm0", "ip addr del 10.9.5.61/24 dev eth0.50")
