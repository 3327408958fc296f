"""Running the system's programs: argument lists, a clean environment, an error that says what failed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dockerlab.errors import SandboxError
from dockerlab.sandbox.layout import NETNS, PATH, mark


def environment() -> dict[str, str]:
    """Return all that a program of the sandbox inherits: nothing of the caller's, and the mark."""
    return {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **dict([mark()])}


def attempt(argv: Sequence[str], text: str = "", timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    """Run a program, give it `text` on standard input, and return its exit code and output, whatever they are.

    Raises SandboxError when it is missing or does not end within `timeout` seconds.
    """
    try:
        return subprocess.run(  # noqa: S603  (argument lists of our own)
            argv, input=text, capture_output=True, text=True, errors="replace", check=False, timeout=timeout,
            env=environment(),
        )  # fmt: skip
    except FileNotFoundError as error:
        raise SandboxError(f"{argv[0]}: no such program in {PATH}") from error
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"`{' '.join(argv)}` did not end within {timeout:.0f} s") from error


def run(argv: Sequence[str], text: str = "") -> str:
    """Run a program and return its standard output; raises SandboxError with its message when it fails."""
    result = attempt(argv, text)
    if result.returncode:
        detail = (result.stderr.strip() or result.stdout.strip()) or "it said nothing"
        raise SandboxError(f"`{' '.join(argv)}` failed (exit code {result.returncode}): {detail}")
    return result.stdout


def ip(lines: Iterable[str], namespace: str | None = None) -> None:
    """Run many `ip` commands in one process, in a named network namespace or in the machine's own."""
    where = ("-n", namespace) if namespace else ()
    run(["ip", *where, "-batch", "-"], "\n".join(lines) + "\n")


def start(argv: Sequence[str], log: Path) -> None:
    """Start a program that outlives this one, its output appended to `log`.

    It becomes a child of the machine's first process, so there is nothing for us to wait for.
    """
    with log.open("ab") as output:
        subprocess.run(  # noqa: S603  (argument lists of our own)
            ["setsid", "--fork", *argv],  # noqa: S607  (found along our PATH)
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True, env=environment(), cwd="/",
        )  # fmt: skip


@contextmanager
def waiting(words: list[str]) -> Iterator[int]:
    """Give the process that runs in new namespaces, by the words ahead of its command, until it is let go."""
    command = [*words, "sh", "-c", "echo; read -r _"]
    with subprocess.Popen(  # noqa: S603  (argument lists of our own)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd="/"
    ) as process:
        if process.stdout is None or process.stderr is None or not process.stdout.readline():
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise SandboxError(f"`{' '.join(words)}` failed: {said or 'it said nothing'}")
        yield process.pid


def held(argv: Sequence[str], log: Path, beside: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with its output in `log` and more in its environment, and return it.

    Who lets it outlive this one sets its `returncode`, so that nobody waits for it.
    """
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  (argument lists of our own)
            ["setsid", *argv],  # noqa: S607  (found along our PATH)
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", env={**environment(), **beside},
        )  # fmt: skip


def followed(argv: Sequence[str], report: Callable[[str], None]) -> tuple[int, str, list[str]]:
    """Run a program with the caller's environment; return its exit code, its output, and the lines that `report` got.

    These are what it says on standard error, each as it comes. Its output has to be short.
    """
    told: list[str] = []
    with subprocess.Popen(  # noqa: S603  (argument lists of our own)
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        for line in process.stderr or ():
            told.append(line.rstrip("\n"))
            report(told[-1])
        said = process.stdout.read() if process.stdout else ""
    return process.returncode, said, told


def enter(namespace: str, argv: Sequence[str]) -> list[str]:
    """Return the argument list that runs a program in a named network namespace, and changes nothing else for it.

    `ip netns exec` would mount a new /sys as well and hide the control groups that an engine needs.
    """
    return ["nsenter", f"--net={NETNS / namespace}", *argv]
