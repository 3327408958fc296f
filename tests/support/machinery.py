"""Looks at real hosts, recorded on two engines: a lab of every mode, then a network, a container, and it removed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockerlab.machinery.model import Machine
from dockerlab.machinery.parse import machine

RECORDED = Path(__file__).parents[1] / "machinery"
ENGINES = ("20.10", "28.5")


def raw(engine: str, name: str = "mixed") -> Any:
    """Return what the program printed."""
    return json.loads(gzip.decompress((RECORDED / engine / f"{name}.json.gz").read_bytes()))


def seen(engine: str, name: str = "mixed", /, **other: Any) -> Machine:
    """Return what was seen, or what would have been if the program had printed something else under these keys."""
    return machine("vm0", {**raw(engine, name), **other})


def failed(argv: list[str], reason: str, rc: int = 1) -> Mapping[str, Any]:
    """Return what the program says of a command that failed."""
    return {"argv": argv, "rc": rc, "out": "", "err": reason}
