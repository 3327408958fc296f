"""What hosts with engines showed that are not at hand: recordings beside the repository, where somebody keeps them."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [parent / "shared" / "recordings" for parent in (ROOT.parent, ROOT.parent.parent)]
ENGINES = ("25.0-iptables", "27.5-iptables", "29.8-iptables", "29.8-nftables")

needed = pytest.mark.skipif(
    not any(folder.is_dir() for folder in FOLDERS),
    reason="no recordings of other engines beside the repository",
)


@cache
def engine(name: str) -> Any:
    """Return everything that was recorded with an engine."""
    found = next(folder for folder in FOLDERS if folder.is_dir())
    with lzma.open(found / f"{name}.json.xz") as file:
        return json.load(file)


def places(name: str) -> Iterator[Mapping[str, Any]]:
    """Yield what each host and each container of each lab said, by the command."""
    for lab in engine(name)["labs"].values():
        yield from (*lab.get("hosts", {}).values(), *lab.get("containers", {}).values())
