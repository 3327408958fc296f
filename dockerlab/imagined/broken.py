"""Releases of the engine that are broken by themselves: what does not work there, and from which release on it does.

Each is from moby's own issues; the release that mends it was looked up in moby's history (`git tag --contains`), but
for those of 29.8, which its issues tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dockerlab.versions import Version

Concern = Literal["every", "internal", "swarm", "member", "encrypted", "proxyless overlay", "firewalld"]
"""Whom a fault of a release concerns: every host, or one with internal networks, in a Swarm or about to be in one,
a member of one already, with such an overlay, or beside firewalld."""


@dataclass(frozen=True)
class Fault:
    """What does not work from a release on (`first`), until the first one that `mended` it; both as numbers."""

    first: Version
    mended: Version
    concern: Concern
    told: str
    source: str
    meanwhile: str = ""
    last: str = ""
    """The last release that is known to have it, where it is not known which one has it no more."""

    @property
    def remedy(self) -> str:
        """Return what can be done about it."""
        mended = f"engine {'.'.join(map(str, self.mended))} or a later one"
        newer = f"install {f'an engine later than {self.last}' if self.last else mended}"
        return f"{newer}; until then {self.meanwhile}" if self.meanwhile else newer


FAULTS: tuple[Fault, ...] = (
    Fault(
        (25, 0, 0), (25, 0, 4), "internal",
        "the host has no IPv4 address on internal networks: it does not reach containers there, nor they it",
        "moby #47329",
    ),
    Fault(
        (28, 0, 0), (28, 0, 1), "every",
        "its rules are appended to FORWARD: somebody else's drop there stands before them",
        "moby #49518", "put rules of your own into DOCKER-USER",
    ),
    Fault(
        (28, 2, 0), (28, 3, 0), "swarm",
        "overlay networks lose connections between nodes, and names there are not always found",
        "moby #50129",
    ),
    Fault(
        (28, 2, 0), (28, 3, 3), "firewalld",
        "a reload of firewalld takes away the rules that keep ports published on 127.0.0.1 from others",
        "moby #50506, CVE-2025-54388", "restart the engine after each reload",
    ),
    Fault(
        (29, 0, 0), (29, 0, 1), "swarm",
        "on a node of a Swarm the names of containers are not found", "moby #51515",
    ),
    Fault(
        (29, 0, 0), (29, 2, 1), "encrypted",
        "encrypted overlays carry nothing between this engine and one before 29.0 or from 29.2.1 on",
        "moby #51798, #51951", "leave out `encrypted`",
    ),
    Fault(
        (29, 1, 0), (29, 1, 1), "every",
        "names of the outside are not found on any user-defined bridge", "moby #51615",
        "name the servers for each container (`dns`)",
    ),
    Fault(
        (29, 8, 0), (29, 8, 2), "proxyless overlay",
        "without docker-proxy, containers of an overlay do not reach ports that are published on their host",
        "moby #53713", "leave `userland-proxy` on",
    ),
    Fault(
        (20, 10, 0), (29, 8, 3), "member",
        "each start of a container on an overlay that fails takes one join too many off the network, until its "
        "neighbours there have no carrier while they are told to run",
        "moby #53834", "start the network's other containers on that host again after a start that failed", "29.8.2",
    ),
)  # fmt: skip


def faults(version: Version) -> Iterator[Fault]:
    """Yield the faults that a release of the engine has by itself."""
    yield from (fault for fault in FAULTS if fault.first <= version < fault.mended)
