"""Ways into a host of the sandbox."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dockerlab.errors import SandboxError, UsageError
from dockerlab.sandbox.layout import SandboxState, inode, namespace_of
from dockerlab.sandbox.processes import first_process, scan


def ssh_argv(state: SandboxState, host: str, command: Sequence[str] = (), *, terminal: bool = False) -> list[str]:
    """Return the argument list of the system's `ssh` for a command on a host, or for a shell without one.

    Its exit code is the command's, or 255 when there was no connection. It uses the sandbox's key and host keys,
    and nothing of the user's configuration. The command's words arrive as they are. `terminal` asks for one.
    Raises UsageError for a host that is not there.
    """
    try:
        target = state.host(host)
    except KeyError:
        names = ", ".join(found.name for found in state.hosts)
        raise UsageError(f"the sandbox has no host {host}; it has {names}") from None
    options = {
        "IdentityFile": str(state.identity_file),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "UserKnownHostsFile": str(state.known_hosts),
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "LogLevel": "ERROR",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    line = [shlex.join(command)] if command else []
    return ["ssh", "-F", "none", *flags, *(["-t"] if terminal else []), "-p", str(target.port), "--",
            f"{target.user}@{target.address}", *line]  # fmt: skip


def inside_argv(host: str, command: Sequence[str]) -> list[str]:
    """Return the argument list that runs a command inside a host without SSH, as its own root; for when sshd is down.

    Raises SandboxError when the host is not running.
    """
    pid = first_process(scan(), inode(namespace_of(host)))
    if pid is None:
        raise SandboxError(f"{host} is not running: `dockerlab sandbox up` starts it")
    return [
        "nsenter",
        f"--target={pid}",
        "--mount",
        "--uts",
        "--ipc",
        "--net",
        "--pid",
        "--root",
        "--wd",
        "--",
        *command,
    ]
