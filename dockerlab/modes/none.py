"""Mode none: a network namespace of its own with nothing in it but the loopback interface."""

from __future__ import annotations

from dockerlab.modes.base import Mode


class NoNetwork(Mode):
    """A namespace without any interface; whoever wants one builds it by hand."""

    name = "none"
    run = """\
  --network none  # a network namespace of its own, with the loopback interface alone
"""


MODE = NoNetwork()
