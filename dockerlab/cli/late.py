"""Modules that are loaded when something in them is used: imports are most of what a short call waits for."""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def load_late(name: str, *functions: str) -> None:
    """Let whoever imports a module from now on get one that is loaded when something in it is used (PEP 562).

    Of `functions` not even an import loads it, but the first call does.
    """
    if name in sys.modules:
        return
    stand_in = ModuleType(name)

    def load(attribute: str) -> Any:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    def call(function: str, *given: Any, **named: Any) -> Any:
        return load(function)(*given, **named)

    vars(stand_in).update({function: partial(call, function) for function in functions}, __getattr__=load)
    if functions:
        # An import of one of them asks for this, too.
        found = find_spec(name)
        stand_in.__path__ = list((found and found.submodule_search_locations) or ())
    sys.modules[name] = stand_in
    package, _, own = name.rpartition(".")
    if package:
        setattr(import_module(package), own, stand_in)
