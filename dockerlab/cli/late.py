"""Modules that are loaded when something in them is used: imports are most of what a short call waits for."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


def load_late(name: str) -> None:
    """Let whoever imports a module from now on get one that is loaded when something in it is used (PEP 562)."""
    if name in sys.modules:
        return
    stand_in = ModuleType(name)

    def load(attribute: str) -> Any:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    vars(stand_in)["__getattr__"] = load
    sys.modules[name] = stand_in
