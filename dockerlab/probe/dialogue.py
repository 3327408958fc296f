"""The dialogue of a program that was sent to a host with its controller: one JSON object a line.

It is sent with the program: standard library only, Python 3.6 or later.
"""

import json
import sys
from typing import Any

SIGN = 0.5
"""Seconds after which a program that has nothing else to say says that it is at work: it is no silent one then."""


def say(**message: "object") -> "None":
    """Write one message to the controller."""
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    sys.stdout.buffer.flush()


def hear() -> "dict[str, Any]":
    """Return the controller's next message; ends the program where the controller has gone."""
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(1)
    message: dict[str, Any] = json.loads(line.decode())
    return message
