"""Sandboxes with a name, as somebody has one who is root on vm0."""

from __future__ import annotations

import subprocess
import sys

from dockerlab import sandbox
from dockerlab.sandbox import layout, place


def call(argv: list[str], text: str | bytes = b"", seconds: float = 180) -> subprocess.CompletedProcess[str]:
    data = text.encode() if isinstance(text, str) else text
    found = subprocess.run(argv, input=data, capture_output=True, check=False, timeout=seconds)
    return subprocess.CompletedProcess(
        argv, found.returncode, found.stdout.decode(errors="replace"), found.stderr.decode(errors="replace")
    )


def on(name: str, *command: str, text: str | bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a command as a student would: as root of vm0, over SSH."""
    host = sandbox.SandboxHost("vm0", layout.host_address("vm0"))
    state = sandbox.SandboxState(layout.DIRECTORY, (host,), layout.IDENTITY, layout.KNOWN_HOSTS, "", "", None)
    return call(place.argv(name, sandbox.ssh_argv(state, "vm0", command)), text)


def sh(name: str, script: str) -> subprocess.CompletedProcess[str]:
    return on(name, "sh", "-c", script)


ENTER = """
import os, sys
from dockerlab.sandbox import layout, processes
pid = processes.first_process(processes.scan(), layout.inode("dockerlab-vm0"))
kinds = ("--user", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "--setuid=0", "--setgid=0")
os.execvp("nsenter", ["nsenter", f"--target={pid}", *kinds, "--", "sh", "-c", sys.argv[1]])
"""


def inside(name: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as root of vm0, with nothing of what answers there: neither its SSH server nor its login shell."""
    return call(place.argv(name, [sys.executable, "-c", ENTER, script]))
