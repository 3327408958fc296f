"""Run commands and read files on this host, and keep why something could not be read.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import os
import subprocess
import threading
from typing import Any, Callable, Dict

Json = Dict[str, Any]  # noqa: UP006 - Python 3.6
PATIENCE = 20
AT_ONCE = 4
LONGEST = 5 << 20
"""What a program prints beyond this many bytes is not sent: nobody waits for 20,000 rules."""


def run(argv: "list[str]", handle: "int" = -1, text: "bytes" = b"") -> "Json":
    """Return what a program gave, in the network namespace of a handle if there is one."""
    entering = [] if handle < 0 else ["nsenter", f"--net=/proc/self/fd/{handle}"]
    try:
        done = subprocess.run(
            [*entering, *argv],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            pass_fds=() if handle < 0 else (handle,),
            check=False,
        )
    except OSError as error:
        return {"argv": argv, "rc": 127, "out": "", "err": str(error)}
    except subprocess.TimeoutExpired:
        return {"argv": argv, "rc": 124, "out": "", "err": f"it did not end within {PATIENCE} s"}
    if len(done.stdout) > LONGEST:
        return {"argv": argv, "rc": 75, "out": "", "err": f"it printed more than {LONGEST >> 20} MB"}
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace").strip()
    return {"argv": argv, "rc": done.returncode, "out": out, "err": err}


def together(tasks: "list[Callable[[], Any]]") -> "list[Any]":
    """Return what each function gives, in their order; a few run at the same time."""
    results = [None] * len(tasks)
    waiting = list(enumerate(tasks))[::-1]

    def work() -> "None":
        while True:
            try:
                number, task = waiting.pop()
            except IndexError:
                return
            results[number] = task()

    threads = [threading.Thread(target=work) for _ in range(min(AT_ONCE, len(tasks)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def text_of(path: "str") -> "Json":
    """Return the beginning of a file of this host, or why it cannot be read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8", errors="replace") as opened:
            return {"text": opened.read(1 << 14)}
    except OSError as error:
        return {"error": str(error)}
