"""Where the hosts of a lab are, and how a host is made from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dockerlab.hosts.address import LOCAL, SshOptions, parse_address
from dockerlab.hosts.base import Host
from dockerlab.hosts.entered import Enter, EnteredHost
from dockerlab.hosts.local import LocalHost


@dataclass(frozen=True)
class Inventory:
    """Where hosts are: `addresses` as a definition would give them, and the files to log in with.

    `folder` is where the file is that says so: within it alone are new host keys recorded, where `known_hosts` is set.
    `enter` runs programs from outside of hosts on which a stranger is root, by the hosts' addresses.
    """

    addresses: Mapping[str, str]
    identity_file: str | None = None
    known_hosts: str | None = None
    folder: str | None = None
    enter: Mapping[str, Enter] = field(default_factory=dict)

    def options(self, options: SshOptions) -> SshOptions:
        """Return the options with this inventory's key and host keys, where it has them."""
        return replace(
            options,
            identity_file=self.identity_file or options.identity_file,
            known_hosts=self.known_hosts or options.known_hosts,
            record_within=self.folder if self.known_hosts else options.record_within,
        )

    def host(self, name: str, options: SshOptions) -> Host:
        """Return the host of that name, not yet connected; raises what `connect` raises, and KeyError."""
        where = self.addresses[name]
        host = connect(name, where, options)
        return EnteredHost(host, self.enter[where]) if where in self.enter else host


def connect(name: str, where: str | None, options: SshOptions) -> Host:
    """Return the host at an address, not yet connected; None means the local machine.

    Raises UsageError for an address that is none.
    """
    if where is None or where == LOCAL:
        return LocalHost(name)
    from dockerlab.hosts.ssh import SshHost  # noqa: PLC0415 - paramiko takes longer to import than a local run needs

    return SshHost(name, parse_address(where), options)
