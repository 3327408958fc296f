"""Container mode: the container joins the network namespace of another one."""

from __future__ import annotations

from collections.abc import Iterable

from dockerlab.lab.model import Container, Lab
from dockerlab.lab.problem import Problem
from dockerlab.modes.base import Mode

REFUSED = ("ports", "expose", "dns", "extra_hosts", "hostname")
"""What the engine refuses beside `--network container:…`: it belongs to the owner of the namespace."""


class ContainerMode(Mode):
    """The owner's namespace: the same interfaces, addresses and ports."""

    name = "container"
    run = """\
  --network {{ mode }}  # that container's network namespace: same interfaces, addresses and ports
"""

    def serves(self, network_mode: str) -> bool:
        """Tell whether the value is `container:NAME`."""
        return network_mode.startswith("container:")

    def namespace(self, host: str, container: str, spec: Container) -> str:
        """Return the namespace of the owner."""
        _ = host
        return spec.owner or container

    def check(self, lab: Lab) -> Iterable[Problem]:
        """Refuse what the engine refuses for a container that joins another's namespace."""
        for name, spec in lab.containers.items():
            if spec.owner is None:
                continue
            for key in REFUSED:
                if getattr(spec, key):
                    yield Problem(
                        ("containers", name, key),
                        f"a container in mode {spec.mode} has no network of its own: write `{key}` at {spec.owner}",
                    )


MODE = ContainerMode()
