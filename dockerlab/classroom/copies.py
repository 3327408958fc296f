"""`python -m dockerlab.classroom.copies FD PATH`: has imported what checks need, and begins each from a copy.

Imports, and the models of definitions, are most of what a check costs: PATH is the exercise or the lab that the class
has, which is loaded for their sake. For each order on its socket (a line of JSON, with the files that take
the output and the exit code) this process makes a copy, which goes into the student's place and is the program there.
It never reads what one of them says, and ends when its socket does.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

MODULES = (
    "dockerlab.cli.app",
    "dockerlab.cli.elsewhere",
    "dockerlab.cli.ending",
    "dockerlab.cli.streams",
    "dockerlab.cli.exercise.breaking",
    "dockerlab.cli.exercise.checking",
    "dockerlab.cli.exercise.helping",
    "dockerlab.cli.exercise.starting",
    "dockerlab.classroom.looking",
    "dockerlab.classroom.plain",
    "dockerlab.exercise.ending",
    "dockerlab.exercise.lost",
    "dockerlab.hosts.ssh",
    "dockerlab.jinja",
    "dockerlab.provision.down",
    "dockerlab.provision.proof",
    "dockerlab.report.readable",
    "dockerlab.survey.program",
)
"""What a copy has from its beginning."""

LONGEST = 1 << 17
"""Bytes of one order."""


def serve(channel: socket.socket) -> None:
    """Begin what is ordered, until nobody is there who orders."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a copy: it says itself how its program has ended
    while True:
        text, files, _, _ = socket.recv_fds(channel, LONGEST, 2)
        if not text:
            return
        if os.fork() == 0:
            channel.close()
            _begin(json.loads(text), *files)
        for file in files:
            os.close(file)


def _begin(order: Mapping[str, Any], output: int, told: int) -> NoReturn:
    """Go into the place, run the program in a child, for this process itself stays outside of its process namespace."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.write(told, f"{os.getpid()}\n".encode())
        os.nice(order["nice"])
        _enter(order["namespaces"])
        child = os.fork()
        if child == 0:
            os.close(told)
            _become(order, output)
        os.close(output)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(told, f"{code}\n".encode())
    except OSError:
        os.write(output, traceback.format_exc().encode())
    finally:
        os._exit(0)  # a copy must never go on as what it was copied from


def _enter(namespaces: Mapping[str, str]) -> None:
    """Enter namespaces, that of mounts as the last one, behind which the files of the others are not to be found."""
    libc = ctypes.CDLL(None, use_errno=True)
    for _, path in sorted(namespaces.items(), key=lambda item: item[0] == "mount"):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if libc.setns(file, 0) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {path}")
        os.close(file)


def _become(order: Mapping[str, Any], output: int) -> NoReturn:
    """Be the program: `python -m MODULE ARGUMENT …` with this output, and with no input."""
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, file in enumerate((nothing, output, output)):
            os.dup2(file, number)
        os.closerange(3, max(nothing, output) + 1)
        os.environ.update(order["environment"])
        os.chdir(order["directory"])
        sys.argv = list(order["words"])
        code = _ended(order["words"][0])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _ended(module: str) -> int:
    """Run a module as the program, and return its exit code, as Python itself would end with."""
    try:
        sys.modules.pop(module, None)  # it is run as `__main__`, from its file
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - as above
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    for each in MODULES:
        import_module(each)
    from dockerlab.classroom.plain import folder_of
    from dockerlab.exercise import loader

    of = Path(sys.argv[2])
    loader.load(of) if of.is_dir() else folder_of(of)
    gc.collect()
    gc.freeze()  # what is here stays, and no copy writes in it
    serve(socket.socket(fileno=int(sys.argv[1])))
