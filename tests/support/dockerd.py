"""A Docker engine in namespaces of its own, without a network to anywhere."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

NEEDED = ("dockerd", "containerd", "unshare", "ip", "busybox")

INIT = """
mount --make-rprivate /
ip link set lo up
mount -t tmpfs tmpfs /run
set -- --host "unix://$0/docker.sock" --log-level error "$@"
exec dockerd --data-root "$0/data" --exec-root /run/docker --pidfile /run/docker.pid "$@"
"""


def missing():
    """Return why no engine can be started here, or None."""
    if os.geteuid() != 0:
        return "an engine needs root"
    absent = [program for program in NEEDED if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


class Dockerd:
    """An engine whose data lie in a folder, which must not be on overlayfs, with more flags; a context manager."""

    def __init__(self, folder, *flags):
        self.folder, self.flags = Path(folder), flags
        self.socket = self.folder / "docker.sock"

    def __enter__(self):
        namespaces = ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen([*namespaces, "sh", "-ec", INIT, str(self.folder), *self.flags], stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            if self.socket.exists() and self.docker("version").returncode == 0:
                return self
            time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"dockerd did not start: {(self.folder / 'log').read_text()}")

    def __exit__(self, *_):
        # Its one child is the first process of the namespace: with it everything in there ends.
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def inside(self, argv, given=None):
        """Run a command where the engine runs: with its processes, its files and its network."""
        parent = self.process.pid
        engine = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0]
        entering = ["nsenter", f"--target={engine}", "--mount", "--pid", "--net", "--"]
        return subprocess.run([*entering, *argv], check=False, capture_output=True, input=given)

    def docker(self, *arguments, given=None):
        """Run a docker command on the engine."""
        command = ["docker", "-H", f"unix://{self.socket}", *arguments]
        return subprocess.run(command, check=False, capture_output=True, input=given)
