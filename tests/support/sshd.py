"""A throw-away sshd on the loopback interface."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

SSHD = "/usr/sbin/sshd"


def keygen(path, kind="ed25519", passphrase=""):
    """Make a key pair and return the private key's path."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return Path(path)


def free_port():
    """Return a TCP port of the loopback interface that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Sshd:
    """An SSH server with one host key that lets one key in; a context manager."""

    def __init__(self, folder, *, authorized, key="ed25519", port=None, **options):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.port = port or free_port()
        self.host_key = self.folder / f"host_{key}"
        if not self.host_key.exists():
            keygen(self.host_key, key)
        authorized_keys = self.folder / "authorized_keys"
        authorized_keys.write_text(Path(f"{authorized}.pub").read_text())
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self.host_key,
            "AuthorizedKeysFile": authorized_keys,
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "yes",
            "LogLevel": "ERROR",
            **options,
        }
        self.config = self.folder / "sshd_config"
        self.config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))

    def __enter__(self):
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where an sshd that runs as root separates its privileges
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.config)], stdin=subprocess.DEVNULL, stderr=log, start_new_session=True
            )
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        self.__exit__()
        raise RuntimeError(f"sshd did not start: {(self.folder / 'log').read_text()}")

    def __exit__(self, *_):
        self.kill_children()
        self.process.kill()
        self.process.wait()
        self.kill_children()

    @property
    def url(self):
        """Return the server's address as a definition would give it."""
        return f"ssh://127.0.0.1:{self.port}"

    def known_line(self, name=None):
        """Return the server's line in a known_hosts file."""
        kind, blob = Path(f"{self.host_key}.pub").read_text().split()[:2]
        return f"{name or f'[127.0.0.1]:{self.port}'} {kind} {blob}\n"

    def children(self):
        """Return the process ids of the server's connections."""
        return children(self.process.pid)

    def kill_children(self):
        """Kill every connection, as a crash would."""
        for child in self.children():
            for pid in (*children(child), child):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def children(pid):
    """Return the process ids of a process's children."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], check=False, capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


class agent:  # noqa: N801 - reads as a function in a with statement
    """An ssh agent with the given keys; gives its socket's path."""

    def __init__(self, folder, keys):
        self.sock = str(folder / "agent.sock")
        self.keys = keys

    def __enter__(self):
        self.process = subprocess.Popen(["ssh-agent", "-D", "-a", self.sock], stdout=subprocess.DEVNULL)
        while not Path(self.sock).exists():
            time.sleep(0.02)
        environment = {**os.environ, "SSH_AUTH_SOCK": self.sock}
        subprocess.run(
            ["ssh-add", "-q", *map(str, self.keys)], check=True, env=environment, capture_output=True, timeout=20
        )
        return self.sock

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
