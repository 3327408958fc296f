"""Faults for the hosts of a sandbox, each one mended when its block ends."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from dockerlab.sandbox.layout import SWITCH_NS
from support.lab_hosts import LabHosts, wait_for

PORT = 2222
"""Where a second SSH server of a host listens."""

SESSION = r"""
# The SSH session that this runs in: the nearest ancestor that is a server.
session() {
    of=$PPID
    while ! grep -q '^sshd' /proc/$of/comm; do of=$(cut -d' ' -f4 /proc/$of/stat); done
    echo "$of"
}
"""


PYTHON = """#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
if mkdir /run/at.python 2>/dev/null; then
    {script}
fi
exec -a /usr/bin/python3 /run/python.real "$@"
"""


@contextmanager
def docker_replaced(lab: LabHosts, host: str, script: str) -> Iterator[None]:
    """Let a shell script stand for a host's docker command, which is then /run/docker.real.

    The script's function `session` gives the process ID of the SSH session that it runs in.
    """
    fake = f"#!/bin/sh\n{SESSION}{script}\n"
    lab.run(
        host, "sh", "-c", "touch /run/docker.real && cat >/run/docker.fake && chmod 755 /run/docker.fake", text=fake
    )
    lab.sh(host, "at=$(command -v docker) && mount --bind $at /run/docker.real && mount --bind /run/docker.fake $at")
    try:
        yield
    finally:
        lab.sh(
            host,
            "umount --lazy $(command -v docker) /run/docker.real; rm -rf /run/docker.real /run/docker.fake /run/at.*",
        )


@contextmanager
def python_replaced(lab: LabHosts, host: str, script: str) -> Iterator[None]:
    """Let a host run a shell script ahead of the next Python program, which is the agent when it is about to probe."""
    with _python_hidden(lab, host, PYTHON.format(script=script)):
        yield


@contextmanager
def _python_hidden(lab: LabHosts, host: str, program: str) -> Iterator[None]:
    """Let a host have another program in the place of its python3, which is `/run/python.real` meanwhile."""
    lab.run(host, "sh", "-c", "cat >/run/python.fake && chmod 755 /run/python.fake", text=program)
    lab.sh(host, "touch /run/python.real && at=$(readlink -f $(command -v python3)) && "
                 "mount --bind $at /run/python.real && mount --bind /run/python.fake $at")  # fmt: skip
    try:
        yield
    finally:
        lab.sh(
            host, "umount --lazy $(readlink -f $(command -v python3)) /run/python.real; rm -rf /run/python.* /run/at.*"
        )


def reached(lab: LabHosts, host: str, mark: str, seconds: float = 60) -> None:
    """Wait until a script on a host has made the mark /run/at.MARK."""
    wait_for(lambda: lab.run(host, "test", "-e", f"/run/at.{mark}").returncode == 0, seconds)


def link(host: str, state: str) -> None:
    """Set the switch's port of a host up or down: down, its packets vanish, and nobody is told."""
    subprocess.run(["ip", "-n", SWITCH_NS, "link", "set", host, state], check=True)


@contextmanager
def second_sshd(lab: LabHosts, host: str, **settings: str) -> Iterator[str]:
    """Run another SSH server on a host, with settings of its own; gives its address as an inventory has it."""
    lines = [f"{key} {value}" for key, value in settings.items()]  # of each setting, the first one counts
    config = "\n".join([*lines, f"Port {PORT}", "PidFile /run/second.pid", "Include /etc/ssh/sshd_config", ""])
    started = lab.run(host, "sh", "-c", "cat >/run/second && exec /usr/sbin/sshd -f /run/second", text=config)
    assert started.returncode == 0, started.stderr
    try:
        wait_for(lambda: lab.run(host, "test", "-s", "/run/second.pid").returncode == 0)
        yield f"ssh://root@{lab.state.host(host).address}:{PORT}"
    finally:
        lab.sh(host, "kill $(cat /run/second.pid); rm -f /run/second /run/second.pid")


@contextmanager
def sshd_stopped(lab: LabHosts, host: str) -> Iterator[None]:
    """Let a host's SSH server be started again in the end, whatever has stopped it meanwhile."""
    try:
        yield
    finally:
        lab.sh(host, "rm -f /run/dockerlab/sshd.stopped")
        wait_for(lambda: listens(lab.state.host(host).address, 22))


def listens(address: str, port: int) -> bool:
    """Tell whether a TCP port takes a connection."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


@contextmanager
def engine_stopped(lab: LabHosts, host: str) -> Iterator[None]:
    """Keep a host's engine stopped inside the block, and let it come back behind it."""
    lab.sh(host, "touch /run/dockerlab/dockerd.stopped; kill $(cat /run/docker.pid)")
    try:
        yield
    finally:
        lab.sh(host, "rm -f /run/dockerlab/dockerd.stopped")
        wait_for(lambda: lab.run(host, "docker", "version").returncode == 0, 60)


@contextmanager
def stopped(lab: LabHosts, host: str, what: str) -> Iterator[None]:
    """Let a host's engine (`dockerd`) or SSH server (`sshd`) take what it is sent, and do nothing about it."""
    pids = "cat /run/docker.pid" if what == "dockerd" else "pgrep -x sshd"
    lab.sh(host, f"kill -STOP $({pids})")
    try:
        yield
    finally:
        lab.sh(host, f"kill -CONT $({pids})")


FORGER = r"""
import json, os, sys, time

if not any(word.startswith("dockerlab.probe") for word in sys.argv):
    os.execv("/run/python.real", ["/usr/bin/python3", *sys.argv[2:]])
mode, said = sys.argv[1], sys.stdin.buffer

def say(**what):
    print(json.dumps(what), flush=True)

said.readline()
job = json.loads(said.readline())
say(event="ready", kernel="forged", python="3.11.2",
    places={str(each["key"]): {"namespace": 1000 + each["key"]} for each in job["places"]})
said.readline()
if mode == "hangs":
    sys.stdin.buffer.read()
while mode == "works":
    say(event="working")
    time.sleep(0.5)
say(event="done")
said.readline()
cells, arrivals, delivered = [], [], []
for number, place, probe, address, port, name, *more in job["cells"]:
    record = {"number": number, "outcome": "answered", "rtt": 0.1}
    if probe == "dns":
        addresses = [each[3] for each in job["cells"] if each[3]]
        record = {"number": number, "outcome": "answered", "rcode": 0, "addresses": addresses, "server": "127.0.0.11"}
    elif probe == "ping":
        record.update(attempt=0, marks=[[0, "mark"]])
        arrivals += [[number, 0, 1000 + each["key"], "mark"] for each in job["places"]]
    else:
        record.update(began=5000 + number)
        delivered += [[1000 + each["key"], 5000 + number] for each in job["places"]]
    cells.append(record)
if mode == "others":
    cells += [{"number": number, "outcome": "silent", "server": ""} for number in range(200)]
say(event="report", cells=cells, arrivals=arrivals, overflows=5, numbers=[], knocks=[], deaf=[], proxies=[],
    delivered=delivered, unseen=[],
    missed=[[1000 + each["key"], 0] for each in job["places"]])
"""


@contextmanager
def python_forged(lab: LabHosts, host: str, mode: str) -> Iterator[None]:
    """Let a host's python3 lie where it is the agent: that everything answers; in a `mode`, about others' cells too."""
    fake = f'#!/bin/sh\nexec /run/python.real /run/forger.py {mode} "$@"\n'
    lab.run(host, "sh", "-c", "cat >/run/forger.py", text=FORGER)
    with _python_hidden(lab, host, fake):
        try:
            yield
        finally:
            lab.sh(host, "rm -f /run/forger.py")
