"""What can be broken on purpose: each fault with how it is put in, how it is taken out, and what shows its cause.

fault     what a fault is: a few commands on a host or in a container's namespace, or a changed definition
machine   the faults of the first kind, a table
altered   those of the second
target    the values that the templates of a fault are filled in with: bridges, addresses, process IDs
injury    one fault at one place: the commands that run now, and those that undo them
"""

from dockerlab.faults.altered import ALTERED
from dockerlab.faults.fault import Fault
from dockerlab.faults.machine import MACHINE

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*MACHINE, *ALTERED)}
"""Every fault, by name."""

__all__ = ["FAULTS", "Fault"]
