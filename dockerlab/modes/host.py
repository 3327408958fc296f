"""Host mode: no network namespace of its own; the container's processes are on the host's network."""

from __future__ import annotations

from collections.abc import Iterable

from dockerlab.lab.model import Container, Lab
from dockerlab.lab.problem import Problem
from dockerlab.modes.base import Mode


class HostMode(Mode):
    """The host's own namespace: its interfaces, addresses, routes and ports."""

    name = "host"
    run = """\
  --network host  # the host's own network namespace: its interfaces, addresses, routes and ports
"""

    def namespace(self, host: str, container: str, spec: Container) -> str:
        """Return the host's namespace."""
        _ = container, spec
        return host

    def lint(self, lab: Lab) -> Iterable[Problem]:
        """Point out `ports`: the engine drops them with a warning."""
        for name, spec in lab.containers.items():
            if spec.network_mode == self.name and spec.ports:
                yield Problem(
                    ("containers", name, "ports"),
                    "published without effect: in host mode the process listens on the host itself; "
                    "say `expose: [PORT]` to have that port probed, and leave `ports` out",
                )


MODE = HostMode()
