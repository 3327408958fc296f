"""Real Docker hosts vm0, vm1, … on this one Linux machine, for labs that need more hosts than there are.

Each has a Docker engine and an SSH server of its own, in namespaces of its own; a switch joins them, and behind a
router there is an outside. `layout` draws it.
"""

from dockerlab.sandbox.access import inside_argv, ssh_argv
from dockerlab.sandbox.layout import SandboxHost, SandboxState, hosts_there
from dockerlab.sandbox.lifecycle import down, root_in_use, status, up
from dockerlab.sandbox.outside import ways
from dockerlab.sandbox.record import identities

__all__ = [
    "SandboxHost",
    "SandboxState",
    "down",
    "hosts_there",
    "identities",
    "inside_argv",
    "root_in_use",
    "ssh_argv",
    "status",
    "up",
    "ways",
]
