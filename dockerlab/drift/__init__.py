"""Where what is on the hosts differs from the definition, and the command that would be right. Pure."""

from dockerlab.drift.objects import Difference, differences

__all__ = ["Difference", "differences"]
