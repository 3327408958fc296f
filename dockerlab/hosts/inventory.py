"""Where the hosts of a lab are, and how a host is made from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dockerlab.hosts.address import LOCAL, SshOptions, parse_address
from dockerlab.hosts.base import Host
from dockerlab.hosts.local import LocalHost


@dataclass(frozen=True)
class Inventory:
    """Where hosts are: `addresses` as a definition would give them, and the files to log in with.

    `folder` is where the file is that says so: within it alone are new host keys recorded, where `known_hosts` is set.
    """

    addresses: Mapping[str, str]
    identity_file: str | None = None
    known_hosts: str | None = None
    folder: str | None = None

    def options(self, options: SshOptions) -> SshOptions:
        """Return the options with this inventory's key and host keys, where it has them."""
        return replace(
            options,
            identity_file=self.identity_file or options.identity_file,
            known_hosts=self.known_hosts or options.known_hosts,
            record_within=self.folder if self.known_hosts else options.record_within,
        )


def connect(name: str, where: str | None, options: SshOptions) -> Host:
    """Return the host at an address, not yet connected; None means the local machine.

    Raises UsageError for an address that is none.
    """
    if where is None or where == LOCAL:
        return LocalHost(name)
    from dockerlab.hosts.ssh import SshHost  # noqa: PLC0415 - paramiko takes longer to import than a local run needs

    return SshHost(name, parse_address(where), options)
