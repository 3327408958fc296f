"""Where it all happens: a sandbox with a newer engine, and the ways into it that the contenders take."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.common import Failed, timed
from dockerlab import sandbox
from dockerlab.sandbox import SandboxState

TOP = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("DOCKERLAB_CACHE", "/var/cache/dockerlab"))
OPPONENTS = CACHE / "bench/venv"
LIMITS = Path(os.environ.get("NEIGHBOUR_LIMITS", "/proc/sys/net/ipv4/neigh/default"))
"""In a network namespace the kernel does not show them; a folder that was opened outside of it still does."""

COMPOSE = "usr/libexec/docker/cli-plugins/docker-compose"


@dataclass(frozen=True)
class Stage:
    """The hosts vm0 and vm1 with their engine's root file system, and a folder for what the contenders read."""

    state: SandboxState
    root: Path
    work: Path

    def dockerlab(self, *words: str) -> list[str]:
        """Return a call of dockerlab, as on machines that somebody else has set up: with an inventory."""
        return [self.program("dockerlab"), *words, "--inventory", str(self.work / "inventory.yaml")]

    def program(self, name: str) -> str:
        """Return a program of this project's environment."""
        return str(TOP / ".venv/bin" / name)

    def opponent(self, name: str) -> str:
        """Return a program of the opponents' environment, or an empty text where it is not installed."""
        found = shutil.which(name, path=str(OPPONENTS / "bin")) or shutil.which(name)
        return found or ""

    def inside(self, host: str, *words: str, text: str = "") -> str:
        """Run a command inside a host without SSH and return its output; raises Failed."""
        return timed(sandbox.inside_argv(host, words), text=text).output

    def socket(self, host: str) -> str:
        """Return the address of a host's engine as seen from here, without SSH."""
        target = next(word for word in sandbox.inside_argv(host, []) if word.startswith("--target="))
        return f"unix:///proc/{target.partition('=')[2]}/root/run/docker.sock"

    def ssh(self, *options: str) -> str:
        """Return the beginning of a shell's line that runs a command on a host."""
        return " ".join(["ssh", "-F", str(self.work / "ssh_config"), *options])

    @property
    def compose(self) -> list[str]:
        """Return the call of Docker Compose, which lies in the engine's root file system; empty if it is not there."""
        root = self.root
        if not (root / COMPOSE).exists():
            return []
        libraries = f"{root}/lib/x86_64-linux-gnu:{root}/usr/lib/x86_64-linux-gnu"
        return [f"{root}/lib64/ld-linux-x86-64.so.2", "--library-path", libraries, str(root / COMPOSE)]

    @property
    def path(self) -> str:
        """Return a search path on which `ssh` knows the sandbox's keys."""
        return f"{self.work / 'bin'}:{os.environ['PATH']}"


def prepare(state: SandboxState, root: Path, work: Path) -> Stage:
    """Write what the contenders need to find the hosts, and return the stage."""
    hosts = "".join(f"  {host.name}: ssh://{host.user}@{host.address}:{host.port}\n" for host in state.hosts)
    keys = f"identity_file: {state.identity_file}\nknown_hosts: {state.known_hosts}\n"
    (work / "inventory.yaml").write_text(f"hosts:\n{hosts}{keys}")
    config = [f"Host {host.name}\n  HostName {host.address}\n" for host in state.hosts]
    config += [
        "Host *\n  User root\n  IdentitiesOnly yes\n  BatchMode yes\n  LogLevel ERROR\n",
        f"  IdentityFile {state.identity_file}\n  UserKnownHostsFile {state.known_hosts}\n",
    ]
    (work / "ssh_config").write_text("".join(config))
    wrapper = work / "bin/ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {work / "ssh_config"} "$@"\n')
    wrapper.chmod(0o755)
    return Stage(state, root, work)


@contextmanager
def room_for_neighbours() -> Iterator[str]:
    """Raise the kernel's neighbour limits for what paces nothing, and put them back; gives what there is to say."""
    files = [LIMITS / f"gc_thresh{number}" for number in (3, 2, 1)]
    if not files[0].exists():
        yield "the neighbour limits cannot be raised from this network namespace"
        return
    before = [file.read_text() for file in files]
    try:
        for file in files:
            file.write_text("65536")
        yield "with the kernel's neighbour limits raised"
    finally:
        for file, value in zip(reversed(files), reversed(before), strict=True):
            file.write_text(value)


EMPTY = (
    "docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes; "
    "docker network prune --force; docker volume prune --force"
)


def clean(stage: Stage) -> None:
    """Remove everything from both engines."""
    for host in stage.state.hosts:
        stage.inside(host.name, "sh", "-c", EMPTY)


def lab(containers: int) -> str:
    """Return a definition of one network on vm0 with that many containers."""
    return (
        "name: many\nhosts: {vm0: }\nnetworks: {many: {subnet: 10.99.0.0/22}}\n"
        f"containers:\n  c: {{host: vm0, replicas: {containers}, networks: [many]}}\n"
    )


def require(condition: bool, why: str) -> None:
    """Raise Failed with the reason unless the condition holds."""
    if not condition:
        raise Failed(why)
