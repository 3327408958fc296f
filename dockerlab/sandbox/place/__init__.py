"""Places: sandboxes beside each other on one machine, each with the layout of the only one.

A place is a set of namespaces that one process holds: network, mounts, processes, IPC, host name, control groups.
In it the sandbox is built as on a machine of its own: the same names, addresses and directories, and no way from one
to another.
"""

from dockerlab.sandbox.place.entering import Way, argv, exists, inside, unconfined, way
from dockerlab.sandbox.place.limits import Limits
from dockerlab.sandbox.place.making import Place, make
from dockerlab.sandbox.place.many import Outcome, start, take_down
from dockerlab.sandbox.place.naming import checked, names
from dockerlab.sandbox.place.removing import remove
from dockerlab.sandbox.place.using import Usage, usage

__all__ = [
    "Limits",
    "Outcome",
    "Place",
    "Usage",
    "Way",
    "argv",
    "checked",
    "exists",
    "inside",
    "make",
    "names",
    "remove",
    "start",
    "take_down",
    "unconfined",
    "usage",
    "way",
]
