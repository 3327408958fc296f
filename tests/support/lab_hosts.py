"""The hosts of a running sandbox as tests use them, and what tests ask of a report."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dockerlab import sandbox
from dockerlab.provision.images import NODE, NODE_SCRIPT

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))

STATE = r"""
PATH=/usr/sbin:/usr/bin:/sbin:/bin
docker ps --all --format 'container {{.Names}}'
docker network ls --format 'network {{.Name}}'
docker volume ls --format 'volume {{.Name}}'
docker info --format 'swarm {{.Swarm.LocalNodeState}}'
for link in /sys/class/net/*; do echo "link ${link##*/}"; done
ip -o address show dev docker0 scope global | awk '{print "docker0 " $4}'
ls -d /etc/docker/daemon.json* 2>/dev/null | sed 's/^/file /'
find /tmp /run/lock /run/dockerlab -mindepth 1 -maxdepth 2 ! -name 'containerd.*.stacks.log' | sed 's/^/file /'
"""
"""What a test must leave as it was. An engine that is stopped while it starts leaves what its containerd was at."""

CLEAN = r"""
PATH=/usr/sbin:/usr/bin:/sbin:/bin
docker ps --all --quiet | xargs -r docker rm --force --volumes
docker swarm leave --force
docker network prune --force
docker volume ls --quiet | xargs -r docker volume rm
iptables -D INPUT -p tcp --dport 22 -j REJECT
case $(hostname) in vm[0-9]*) rm -rf /tmp/* ;; esac  # a sandbox host's own; never anybody else's
true
"""

DOCKERS_OWN = {"network docker_gwbridge", "link docker_gwbridge"}
"""The engine makes it with the first Swarm and keeps it for the next one."""


@dataclass(frozen=True)
class Outcome:
    """What a call of `dockerlab` gave."""

    rc: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Return standard output, read as JSON."""
        assert self.stdout, f"no output, exit code {self.rc}: {self.stderr}"
        return json.loads(self.stdout)


@dataclass
class LabHosts:
    """The two hosts of a running sandbox, and ways to call `dockerlab` on them and to look at them."""

    engine: str
    state: sandbox.SandboxState
    home: Path
    names: tuple[str, ...] = ("vm0", "vm1")
    clean: dict[str, set[str]] = field(default_factory=dict)

    def call(self, *words: str | Path, **variables: str) -> Outcome:
        """Run the real command line in a process of its own."""
        done = subprocess.run(
            self.argv(*words), cwd=ROOT, env=self.environment(**variables), capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str | Path, **variables: str) -> subprocess.Popen[str]:
        """Start the command line in a session of its own and return at once."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.argv(*words), cwd=ROOT, env=self.environment(**variables), stdout=pipe, stderr=pipe, text=True,
            start_new_session=True,
        )  # fmt: skip

    def argv(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "dockerlab", *map(str, words)]

    def environment(self, **variables: str) -> dict[str, str]:
        """Return an environment in which nothing of the user's own can be found or changed."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "USER": "teacher", "LC_ALL": "C.UTF-8", **variables}

    def up(self, lab: str | Path, *words: str | Path) -> Any:
        """Bring a lab up, expect every cell to pass, and return the report."""
        outcome = self.call("up", lab, "--sandbox", "--format", "json", *words)
        assert outcome.rc == 0, outcome.stderr + outcome.stdout
        assert {**outcome.json["summary"], "pass": 0} == {"pass": 0, "fail": 0, "unknown": 0, "unexplained": 0}
        return outcome.json

    def down(self, lab: str | Path, *words: str | Path) -> str:
        """Take a lab down, expect success, and return what was said."""
        outcome = self.call("down", lab, "--sandbox", *words)
        assert outcome.rc == 0, outcome.stderr
        return outcome.stderr

    def run(self, host: str, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command inside a host, without SSH, whatever its exit code."""
        argv = sandbox.inside_argv(host, command)
        return subprocess.run(
            argv, input=text, capture_output=True, text=True, check=False, timeout=300,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip

    def sh(self, host: str, script: str) -> str:
        """Run a shell script inside a host and return its standard output; its last command has to succeed."""
        done = self.run(host, "sh", "-s", text=script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def docker(self, host: str, *words: str) -> str:
        """Run a docker command that has to succeed and return its standard output, stripped."""
        done = self.run(host, "docker", *words)
        assert done.returncode == 0, f"docker {shlex.join(words)} on {host}: {done.stderr}"
        return done.stdout.strip()

    def inspect(self, host: str, name: str) -> Any:
        """Return what the engine tells of an object."""
        return json.loads(self.docker(host, "inspect", name))[0]

    def forget_swarms(self) -> None:
        """Remove what engines keep of a Swarm that they have left: a bridge, with its subnet, routes and rules.

        A lab of the next test may get the same subnet on another host. The engine lets go of the bridge a moment after
        the Swarm; where it does not the hosts are made anew.
        """
        forget = "[ ! -e /sys/class/net/docker_gwbridge ] || docker network rm docker_gwbridge"
        deadline = time.monotonic() + 5
        while any(self.run(host, "sh", "-s", text=forget).returncode for host in self.names):
            if time.monotonic() > deadline:
                self.renew()
                warnings.warn("an engine keeps docker_gwbridge: the hosts were made anew", stacklevel=2)
                return
            time.sleep(0.2)

    def skip_without_driver(self, example: str) -> None:
        """Skip the test where the kernel cannot make the links of an example's network."""
        driver = "ipvlan" if example == "ipvlan" else "macvlan" if example in ("macvlan", "mixed") else None
        if driver is not None:
            self.skip_without_link("link", "eth0.50", "type", driver)

    def skip_without_link(self, *words: str) -> None:
        """Skip the test where the kernel cannot make a link that `ip link add NAME` is told of in these words."""
        made = self.run("vm0", "ip", "link", "add", "trial", *words)
        if made.returncode != 0:
            pytest.skip(f"the kernel makes no {words[words.index('type') + 1]} links: {made.stderr.strip()}")
        self.run("vm0", "ip", "link", "delete", "trial")

    def need_node(self, host: str) -> None:
        """Make sure that a host has the node image, as the first `up` gives it."""
        if not self.docker(host, "images", "--quiet", NODE):
            script = sandbox.inside_argv(host, ["sh", "-s"])
            subprocess.run(script, input=NODE_SCRIPT, text=True, check=True, capture_output=True, timeout=60)

    def ids(self) -> dict[str, str]:
        """Return the ID of every container on every host, by host and name."""
        lines = (
            (host, *line.split())
            for host in self.names
            for line in self.docker(host, "ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}").splitlines()
        )
        return {f"{host} {name}": container for host, name, container in lines}

    def found(self, host: str) -> set[str]:
        """Return what is on a host: containers, networks, volumes, links, files, and its part in a Swarm."""
        return set(self.sh(host, STATE).splitlines()) - DOCKERS_OWN

    def left(self) -> list[str]:
        """Return what is on the hosts and was not there when the engine was new; links get a moment to go."""
        deadline = time.monotonic() + 10
        while True:
            left = [f"{h}: {what}" for h in self.names for what in sorted(self.found(h) ^ self.clean[h])]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.2)

    def empty(self) -> None:
        """Remove all containers, networks and volumes: what was typed by hand has no label that `down` goes by."""
        for name in self.names:
            self.sh(name, CLEAN)

    def heal(self) -> None:
        """Make the hosts as empty as new ones, whatever is on them; they are new ones where nothing else helps."""
        ours = ("dockerlab-ground", "docker0", "daemon.json")  # which go with no object of an engine
        changed = any(word in what for what in self.left() for word in ours)
        self.empty()
        if changed or self.left():  # such as a network that its engine does not let go
            self.renew()

    def renew(self) -> None:
        """Make the hosts anew, with engines that have been through nothing."""
        sandbox.down()
        self.state = sandbox.up(len(self.names), self.state.rootfs)

    def renew_deaf(self) -> None:
        """Make the hosts anew where an engine keeps the port of a Swarm's gossip, and warn that it did."""
        deaf = self.deaf()
        if deaf:
            self.renew()
            told = f"the engine keeps the port of a Swarm's gossip on {' and '.join(deaf)}: the hosts were made anew"
            warnings.warn(told, stacklevel=2)

    def deaf(self) -> list[str]:
        """Return the hosts whose engine is in no Swarm any more and keeps the port of one's gossip.

        It happens to an engine of 20.10 whose word that it leaves is not out within a second, once in some 25 times
        ("timeout waiting for leave broadcast"); a later Swarm then has no gossip there, and its overlays pass nothing.
        """
        deadline = time.monotonic() + 3
        while True:
            found = [name for name in self.names if self.run(name, "ss", "-Hltn", "sport = :7946").stdout]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.2)

    def inventory(self, folder: Path, *hosts: str, known_hosts: Path | None = None) -> Path:
        """Write an inventory that leads to hosts of the sandbox by plain SSH."""
        path = folder / "inventory.yaml"
        known = known_hosts or self.state.known_hosts
        lines = [f"  {name}: ssh://root@{self.state.host(name).address}" for name in hosts]
        lines = ["hosts:", *lines, f"identity_file: {self.state.identity_file}", f"known_hosts: {known}"]
        path.write_text("\n".join(lines) + "\n")
        return path


def write(folder: Path, text: str, name: str = "lab.yaml") -> Path:
    """Write a definition and return its path."""
    path = folder / name
    path.write_text(text)
    return path


def cells(report: Any, **wanted: str) -> list[Any]:
    """Return the cells of a report in which these fields have these values; `source` stands for `from`."""
    wanted = {"from" if key == "source" else key: value for key, value in wanted.items()}
    return [cell for cell in report["cells"] if all(cell[key] == value for key, value in wanted.items())]


def reached(report: Any, probe: str) -> dict[str, set[str]]:
    """Return who reached whom by a probe: source to targets.

    Where a target has several addresses, its network's first three bytes follow the name: `both 172.28.1`. A target of
    several names counts by any of them.
    """
    asked = cells(report, probe=probe)
    addresses: dict[str, set[str]] = {}
    for cell in asked:
        addresses.setdefault(cell["to"], set()).add(cell["target"])
    answer: dict[str, set[str]] = {cell["from"]: set() for cell in asked}
    for cell in asked:
        if cell["observed"] == "reachable":
            several = probe != "dns" and len(addresses[cell["to"]]) > 1
            network = " " + cell["target"].rpartition(".")[0] if several else ""
            answer[cell["from"]].add(cell["to"] + network)
    return answer


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until a condition holds; fail after some seconds, of which a busy machine may need many."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.05)
