"""The kernels' own tracing on real engines: the rules of one packet, and nothing that stays of it."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lab_hosts import wait_for, write

from dockerlab.hosts.local import LocalHost
from dockerlab.probe.base import Place
from dockerlab.trace.follow import TRACER, Probe, traced
from dockerlab.trace.tracer import PREFIX

LAB = """\
name: trail
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks:
  front: {subnet: 172.31.1.0/24, driver_opts: {com.docker.network.bridge.name: front0}}
  back: {subnet: 172.31.2.0/24, driver_opts: {com.docker.network.bridge.name: back0}}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [front], ports: ["8080:80"], command: httpd -f -p 80}
  app: {host: vm0, image: dockerlab/node, networks: [front]}
  db: {host: vm0, image: dockerlab/node, networks: [back]}
"""


def told(lab, path, source, to, probe):
    """Return what `explain --trace` says of a pair: what came of it, and its rules by packet and place."""
    done = lab.call("explain", path, source, to, "--probe", probe, "--trace", "--sandbox")
    assert done.rc == 0, done.stderr
    assert "observed: " in done.stdout, "--trace shows what --live does"
    head, _, text = done.stdout.partition("traced by the kernels, rule by rule: ")
    assert head
    outcome, *lines, held = text.splitlines()
    assert held.strip() == "the model meets the same rules"
    found: dict[str, list[str]] = {}
    at = ""
    for line in lines:
        heading = re.fullmatch(r" {6}(\w+ in .+): (\S*) -> (\S*)", line)
        if heading:
            at = heading[1]
            found.setdefault(at, [])
        else:
            found.setdefault(at, []).append(line.strip())
    return outcome, found


def real(lab, host, table, chain):
    """Return the rules of a chain as iptables-save prints them."""
    text = lab.sh(host, f"iptables-save -t {table}")
    return [line for line in text.splitlines() if line.startswith(f"-A {chain} ")]


def rules(lines):
    """Return what lines say of rules: table, chain, number, verdict and text."""
    found = (re.fullmatch(r"(\w+) (\S+) (\d+): (\w+(?: \S+)?)  (-A .*)", line) for line in lines)
    return [(each[1], each[2], int(each[3]), each[4], each[5]) for each in found if each]


def test_the_rules_of_a_packet(lab, tmp_path):
    """A published port, a bridged packet and one that is dropped: each rule is the one at that place."""
    path = write(tmp_path, LAB)
    lab.up(path)
    before = lab.sh("vm0", "nft --stateless list ruleset")

    outcome, found = told(lab, path, "vm1", "vm0", "tcp/8080")
    assert outcome == "answered"
    assert list(found)[:3] == ["request in host vm1", "request in host vm0", "request in web on vm0"]
    met = rules(found["request in host vm0"])
    (dnat,) = [text for table, chain, _, _, text in met if (table, chain) == ("nat", "DOCKER")]
    assert "--to-destination 172.31.1." in dnat
    verdicts = [verdict for table, _, _, verdict, _ in met if table == "filter"]
    assert verdicts[-1] == "accept"
    for table, chain, number, _, text in met:
        assert real(lab, "vm0", table, chain)[number - 1] == text

    outcome, found = told(lab, path, "app", "web", "ping")
    assert outcome == "answered"
    met = rules(found["request in host vm0"])
    assert (met[-1][0], met[-1][3]) == ("filter", "accept")
    assert "front0 -j ACCEPT" in met[-1][4]
    assert "answer in app on vm0" in found

    outcome, found = told(lab, path, "db", "web", "ping")
    assert outcome == "silent"
    met = rules(found["request in host vm0"])
    assert met[-1][3] == "drop"
    assert real(lab, "vm0", met[-1][0], met[-1][1])[met[-1][2] - 1] == met[-1][4]
    assert not [place for place in found if "web" in place]

    outcome, found = told(lab, path, "db", "vm0", "tcp/8080")
    if "proxied in host vm0" in found:  # up to 28 docker-proxy takes it
        assert "proxied in web on vm0" in found
    else:
        assert any("DNAT" in text for *_, text in rules(found["request in host vm0"]))
    assert lab.sh("vm0", "nft --stateless list ruleset") == before
    lab.down("trail")


class Room:
    """A network namespace with a rule of its own, as long as its process sleeps."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        own = Path("/proc/self/ns/net").readlink()
        wait_for(lambda: Path(f"/proc/{self.process.pid}/ns/net").readlink() != own)
        self.run("ip", "link", "set", "lo", "up")
        self.run("iptables", "-A", "INPUT", "-p", "icmp", "-j", "ACCEPT")

    @property
    def place(self) -> Place:
        return Place("h", None, self.process.pid)

    def run(self, *argv: str) -> str:
        inside = ["nsenter", "--net", "--target", str(self.process.pid), *argv]
        return subprocess.run(inside, check=True, capture_output=True, text=True, timeout=20).stdout

    def ours(self) -> list[str]:
        """Return our tables."""
        return [line for line in self.run("nft", "list", "tables").splitlines() if PREFIX in line]


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.process.kill()
    made.process.wait()


def trace(room, *, owned):
    return traced({"h": LocalHost("h")}, room.place, room.place, Probe("127.0.0.1"), owned=owned)


def begun(room, *, owned):
    """Return the dialogue with a tracer that has its table in."""
    host = LocalHost("h")
    talk = TRACER.converse(host, "trace.tracer", 20)
    number = secrets.token_hex(16)
    owner = "true" if owned else "false"
    job = (
        f'{{"places": [{{"key": 0, "pid": {room.process.pid}}}], "address": "127.0.0.1", "port": null, '
        f'"nonce": "{number}", "began": 1, "behind": [], "owned": {owner}}}\n'
    )
    talk.send(job.encode())
    assert b"ready" in talk.receive_line()
    (table,) = room.ours()
    return talk, int(table.rpartition("-")[2])


@pytest.mark.parametrize("owned", [True, False])
def test_one_packet_in_one_namespace(room, owned):
    """The rule that it meets is named, whoever has to remove our table; and that is gone."""
    found = trace(room, owned=owned)
    assert found.outcome == "answered"
    assert [hop.rule for hop in found.hops if hop.kind == "rule"] == [("ip", "filter", "INPUT", 1)] * 2
    assert room.ours() == []


def test_a_tracer_that_is_killed_leaves_nothing(room):
    """Whatever ends it, the kernel takes the table away with the socket that owns it."""
    talk, pid = begun(room, owned=True)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: room.ours() == [], 5)
    talk.abort()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_tracer_that_is_ended_takes_its_table_out(room, number):
    """A kernel that knows no owners: the program does it before it goes."""
    talk, pid = begun(room, owned=False)
    os.kill(pid, number)
    wait_for(lambda: room.ours() == [], 5)
    talk.abort()


def test_a_controller_that_is_gone_leaves_nothing(room):
    """Its connection is the tracer's standard input: at its end the table goes, with and without an owner."""
    for owned in (True, False):
        script = (
            "import time, types\nfrom e2e.test_trace import begun, Room\n"
            f"room = Room.__new__(Room)\nroom.process = types.SimpleNamespace(pid={room.process.pid})\n"
            f"kept = begun(room, owned={owned})\nprint('in', flush=True)\ntime.sleep(60)\n"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(("tests", "."))}
        child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment)
        assert child.stdout is not None
        assert child.stdout.readline() == b"in\n"
        assert room.ours()
        child.kill()
        child.wait()
        child.stdout.close()
        wait_for(lambda: room.ours() == [], 5)


def test_what_a_killed_tracer_left_goes_the_next_time(room):
    """Without owners nobody is left to remove it: the next one knows it by its name, and that its program is gone."""
    talk, pid = begun(room, owned=False)
    os.kill(pid, signal.SIGKILL)
    talk.abort()
    time.sleep(0.2)
    assert room.ours()
    assert trace(room, owned=True).outcome == "answered"
    assert room.ours() == []
