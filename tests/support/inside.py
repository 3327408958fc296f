"""A sandbox's host as the program sees one, entered by its namespaces: whatever its firewall says, it is reached."""

from __future__ import annotations

from contextlib import contextmanager

from dockerlab import sandbox
from dockerlab.hosts.kept import Kept
from dockerlab.hosts.local import LocalHost, start
from dockerlab.session import Session


class InsideHost(LocalHost):
    """A host whose commands are started in its namespaces and on its files."""

    def __init__(self, name):
        super().__init__(name)
        self.address = sandbox.status().host(name).address
        self._kept = Kept()
        # The environment is the machine's own, and the host's programs are where a login would find them.
        self._enter = sandbox.inside_argv(name, ["env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"])

    def run(self, argv, **options):
        return super().run([*self._enter, *argv], **options)

    def converse(self, argv, **options):
        return super().converse([*self._enter, *argv], **options)

    def resume(self, argv, timeout):  # noqa: ARG002 - a program on this machine is started at once
        return self._kept.take(argv) or start([*self._enter, *argv])

    def keep(self, argv, program):
        self._kept.put(argv, program)

    def close(self):
        self._kept.drop()

    def stream(self, argv, **options):
        return super().stream([*self._enter, *argv], **options)


@contextmanager
def entered(names=("vm0", "vm1")):
    """Yield the running sandbox's hosts and the controller; no change of a host cuts the way to it."""
    hosts = {name: InsideHost(name) for name in names}
    try:
        yield Session(hosts, LocalHost("this machine"))
    finally:
        for host in hosts.values():
            host.close()
