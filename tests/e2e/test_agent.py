"""The probers on real network namespaces: this machine's kernel is the engine."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dockerlab.hosts.local import LocalHost
from dockerlab.hosts.program import BOOTSTRAP
from dockerlab.probe.agent_session import AGENT, AgentUnavailable
from dockerlab.probe.agents import AgentProber
from dockerlab.probe.base import Cell, Place
from dockerlab.probe.dialogue import SIGN
from dockerlab.probe.portable import PortableProber

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="makes network namespaces: needs iproute2"),
]


class Net:
    """Namespaces that live as long as their sleeping processes, and bridges between them in one of their own."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.pids: dict[str, int] = {}
        self._links = 0
        self.switch = self.namespace("switch")

    def namespace(self, name: str) -> int:
        """Return the pid of a process in a new network and mount namespace."""
        process = subprocess.Popen(["unshare", "--net", "--mount", "sleep", "600"])
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        own = Path("/proc/self/ns/net").readlink()
        deadline = time.monotonic() + 30
        while Path(f"/proc/{process.pid}/ns/net").readlink() == own:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        while "sleep" not in Path(f"/proc/{process.pid}/comm").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        self.pids[name] = process.pid
        self.enter(process.pid, "ip", "link", "set", "lo", "up")
        return process.pid

    def enter(self, pid: int, *argv: str) -> None:
        """Run a program in a namespace."""
        subprocess.run(["nsenter", "-t", str(pid), "-n", "-m", *argv], check=True, capture_output=True)

    def bridge(self, name: str) -> None:
        """Make a bridge."""
        self.enter(self.switch, "ip", "link", "add", name, "type", "bridge")
        self.enter(self.switch, "ip", "link", "set", name, "up")

    def plug(self, pid: int, bridge: str, *addresses: str) -> None:
        """Join a namespace to a bridge with addresses."""
        self._links += 1
        here, there = f"v{self._links}", f"eth{self._links}"
        self.enter(self.switch, "ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", str(pid))
        self.enter(self.switch, "ip", "link", "set", here, "master", bridge, "up")
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []
            self.enter(pid, "ip", "address", "add", address, "dev", there, *nodad)
        self.enter(pid, "ip", "link", "set", there, "up")

    def place(self, name: str, host: str = "h") -> Place:
        """Return the place of a namespace."""
        return Place(host, name, self.pids[name], name)


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with ExitStack() as stack:
        net = Net(stack)
        net.bridge("left")
        net.bridge("right")
        for name, bridge, address in (
            ("a", "left", "10.1.0.1/24"),
            ("b", "left", "10.1.0.2/24"),
            ("other", "right", "10.1.0.2/24"),
            ("deaf", "left", "10.1.0.4/24"),
            ("walled", "left", "10.1.0.5/24"),
        ):
            net.plug(net.namespace(name), bridge, address, address.replace("10.1.0.", "fd00::").replace("/24", "/64"))
        net.namespace("alone")
        net.enter(net.pids["deaf"], "iptables", "-A", "INPUT", "-p", "icmp", "--icmp-type", "echo-reply", "-j", "DROP")
        net.enter(net.pids["walled"], "iptables", "-A", "OUTPUT", "-d", "10.1.0.1", "-j", "DROP")
        net.enter(net.pids["walled"], "iptables", "-A", "INPUT", "-s", "10.1.0.2", "-j", "REJECT")
        yield net


class Engineless(LocalHost):
    """A host whose `docker exec` is an nsenter with busybox's programs, and which cannot start a helper."""

    def __init__(self, net: Net, path: Path) -> None:
        super().__init__("h")
        self.net, self.path = net, path
        for tool in ("sh", "ping", "nc", "nslookup", "cat"):
            (path / tool).symlink_to(shutil.which("busybox"))

    def converse(self, argv, **options):
        if argv[:3] == ("docker", "exec", "-i"):
            inside = ["nsenter", "-t", str(self.net.pids[argv[3]]), "-n", "-m", "env", f"PATH={self.path}", *argv[4:]]
            return super().converse(inside, **options)
        return super().converse(["/absent"], **options)


def observe(*cells: Cell, patience: float = 2.0):
    hosts = {name: LocalHost(name) for cell in cells for name in {cell.source.host, (cell.target or cell.source).host}}
    return AgentProber(hosts, patience).observe(cells)


def test_ping_tells_each_symptom_from_the_others(net):
    """Every way in which an echo request can end is told apart, over IPv4 and IPv6, in one run."""
    a, b, other, deaf, alone, walled = (net.place(name) for name in ("a", "b", "other", "deaf", "alone", "walled"))
    asked = {
        "reached": (a, b, "10.1.0.2"),
        "itself": (a, a, "10.1.0.1"),
        "reached over IPv6": (a, b, "fd00::2"),
        "nobody": (a, None, "10.1.0.99"),
        "no route": (alone, a, "10.1.0.1"),
        "no route over IPv6": (alone, a, "fd00::1"),
        "wrong answerer": (a, other, "10.1.0.2"),
        "reply lost": (deaf, b, "10.1.0.2"),
        "blocked": (walled, a, "10.1.0.1"),
        "rejected": (b, walled, "10.1.0.5"),
        "answered, target not looked at": (a, None, "10.1.0.2"),
    }
    cells = [Cell(n, source, target, address, "ping") for n, (source, target, address) in enumerate(asked.values())]
    asked["answered in an outside target's place"] = asked["answered, target not looked at"]
    cells.append(replace(cells[-1], number=len(cells), bearers=()))
    seen = dict(zip(asked, observe(*cells).values(), strict=True))
    assert {name: (one.state, one.symptom) for name, one in seen.items()} == {
        "reached": ("reachable", None),
        "itself": ("reachable", None),
        "reached over IPv6": ("reachable", None),
        "nobody": ("unreachable", "timeout"),
        "no route": ("unreachable", "no route"),
        "no route over IPv6": ("unreachable", "no route"),
        "wrong answerer": ("unreachable", "wrong answerer"),
        "reply lost": ("unreachable", "reply lost"),
        "blocked": ("unreachable", "blocked"),
        "rejected": ("unreachable", "host unreachable"),
        "answered, target not looked at": ("reachable", None),
        "answered in an outside target's place": ("unreachable", "wrong answerer"),
    }
    assert "b on h" in seen["wrong answerer"].detail
    assert 0 < seen["reached"].rtt_ms < 1000


def test_identity_is_seen_across_hosts(net):
    """The request is recognised in the namespace of another host, whose agent listens at the same time."""
    cells = [
        Cell(0, net.place("a", "vm0"), net.place("b", "vm1"), "10.1.0.2", "ping"),
        Cell(1, net.place("a", "vm0"), net.place("other", "vm1"), "10.1.0.2", "ping"),
        Cell(2, net.place("b", "vm1"), net.place("a", "vm0"), "10.1.0.1", "ping"),
    ]
    seen = observe(*cells)
    assert [seen[n].symptom for n in range(3)] == [None, "wrong answerer", None]
    assert "b on vm1" in seen[1].detail


@pytest.mark.parametrize(("kind", "state"), [("reachable", "reachable"), ("permanent", "unreachable")])
def test_a_neighbour_that_the_kernel_remembers_is_asked_for_anew(net, kind, state):
    """What a machine remembers of a container that was made anew is no verdict; what somebody fixed there is."""
    inside = ["nsenter", "-t", str(net.pids["a"]), "-n"]
    route = subprocess.run(
        [*inside, "ip", "route", "get", "10.1.0.2"], check=True, capture_output=True, text=True
    ).stdout
    device = route.split()[route.split().index("dev") + 1]
    entry = ["10.1.0.2", "lladdr", "02:00:00:00:00:99", "dev", device, "nud", kind]
    subprocess.run([*inside, "ip", "neigh", "replace", *entry], check=True)
    assert observe(Cell(0, net.place("a"), net.place("b"), "10.1.0.2", "ping"))[0].state == state
    subprocess.run([*inside, "ip", "neigh", "flush", "nud", "all"], check=True)


SERVE_TCP = """
import socket
s = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
print(flush=True)
s.accept()
input()
"""


def test_tcp_tells_open_from_refused_and_from_the_wrong_answerer(net):
    """A connection counts only where the ping to the same address was answered by the right namespace."""
    argv = ["nsenter", "-t", str(net.pids["b"]), "-n", sys.executable, "-c", SERVE_TCP]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        server.stdout.readline()
        a, b, other, alone = (net.place(name) for name in ("a", "b", "other", "alone"))
        seen = observe(
            Cell(0, a, b, "10.1.0.2", "tcp", 80),
            Cell(1, a, b, "10.1.0.2", "tcp", 81),
            Cell(2, alone, b, "10.1.0.2", "tcp", 80),
            Cell(3, a, None, "10.1.0.98", "tcp", 80),
        )
        pinged = Cell(0, a, other, "10.1.0.2", "ping"), Cell(1, a, other, "10.1.0.2", "tcp", 80)
        heard = observe(*pinged, Cell(2, b, a, "10.1.0.1", "ping"))
        not_heard = observe(*pinged)
        server.kill()
    assert [seen[n].symptom for n in range(4)] == [None, "refused", "no route", "timeout"]
    assert seen[0].state == "reachable"
    assert heard[1].symptom == "wrong answerer"
    # Nobody listens where it went, but the one that is meant listens, and nothing comes.
    assert not_heard[1].symptom == "wrong answerer"


@pytest.mark.parametrize("version", [4, 6])
def test_a_connection_that_is_led_to_another_one_is_told(net, version):
    """The ping goes where it should, and rules lead TCP alone to somebody else, who accepts it."""
    tables, meant, taker = {
        4: ("iptables", "10.1.0.4", "10.1.0.2:80"),
        6: ("ip6tables", "fd00::4", "[fd00::2]:80"),
    }[version]
    rule = ["OUTPUT", "-p", "tcp", "-d", meant, "--dport", "80", "-j", "DNAT", "--to-destination", taker]
    a, b, deaf = (net.place(name) for name in ("a", "b", "deaf"))
    argv = ["nsenter", "-t", str(net.pids["b"]), "-n", sys.executable, "-c", SERVE_TCP]
    net.enter(net.pids["a"], tables, "-t", "nat", "-A", *rule)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        server.stdout.readline()
        seen = observe(
            Cell(0, a, deaf, meant, "ping"),
            Cell(1, a, deaf, meant, "tcp", 80),
            Cell(2, b, deaf, meant, "ping"),
            Cell(3, a, b, taker.rpartition(":")[0].strip("[]"), "tcp", 80),
        )
        server.kill()
    net.enter(net.pids["a"], tables, "-t", "nat", "-D", *rule)
    assert seen[0].state == "reachable"
    assert (seen[1].symptom, seen[1].detail) == ("wrong answerer", "connected, but b on h took the connection")
    assert seen[3].state == "reachable"


SERVE_DNS = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.1.0.2", 53))
print(flush=True)
while True:
    query, sender = s.recvfrom(512)
    time.sleep(float(sys.argv[1]))
    print(sender[1], flush=True)
    known = query[12:].startswith(b"\\x03web")
    answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x05\\0\\4\\x0a\\1\\0\\2" if known else b""
    head = query[:2] + (b"\\x81\\x80" if known else b"\\x81\\x83") + b"\\0\\1\\0" + bytes([known]) + b"\\0\\0\\0\\0"
    s.sendto(head + query[12:] + answer, sender)
"""


def test_dns_asks_the_resolver_of_the_source(net, tmp_path):
    """A name is looked up with the source's own files, and the addresses are compared with the expected ones."""
    for name, text in (("a", "nameserver 10.1.0.2\n"), ("b", "search x\n"), ("alone", "nameserver 10.1.0.2\n")):
        (tmp_path / name).write_text(text)
        net.enter(net.pids[name], "mount", "--bind", str(tmp_path / name), "/etc/resolv.conf")
    (tmp_path / "hosts").write_text("10.1.0.7 linked # by --link\n")
    net.enter(net.pids["a"], "mount", "--bind", str(tmp_path / "hosts"), "/etc/hosts")
    argv = ["nsenter", "-t", str(net.pids["b"]), "-n", sys.executable, "-c", SERVE_DNS, "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
        server.stdout.readline()
        a, b, alone = (net.place(name) for name in ("a", "b", "alone"))
        cells = [
            Cell(0, a, b, "", "dns", name="web", expected=("10.1.0.2", "10.9.9.9")),
            Cell(1, a, b, "", "dns", name="web", expected=("10.1.0.3",)),
            Cell(2, a, b, "", "dns", name="absent", expected=("10.1.0.3",)),
            Cell(3, b, b, "", "dns", name="web", expected=("10.1.0.2",)),
            Cell(4, alone, b, "", "dns", name="web", expected=("10.1.0.2",)),
            Cell(5, a, b, "", "dns", name="linked", expected=("10.1.0.7",)),
        ]
        seen = observe(*cells)
        by_programs = PortableProber({"h": Engineless(net, tmp_path)}, "lab").observe(
            [cells[n] for n in (0, 1, 2, 4, 5)]
        )
        server.kill()
    assert {n: one.symptom for n, one in by_programs.items()} == {n: seen[n].symptom for n in (0, 1, 2, 4, 5)}
    assert [seen[n].symptom for n in range(6)] == [
        None,
        "wrong answerer",
        "no such name",
        "no such name",
        "no route",
        None,
    ]
    assert "names no server" in seen[3].detail
    assert "/etc/hosts" in seen[5].detail


def test_a_busy_name_server_is_waited_for(net, tmp_path):
    """Where haste gives up a silent ping, a name server that works through many questions is asked in one go."""
    (tmp_path / "resolv.conf").write_text("nameserver 10.1.0.2\n")
    net.enter(net.pids["other"], "mount", "--bind", str(tmp_path / "resolv.conf"), "/etc/resolv.conf")
    argv = ["nsenter", "-t", str(net.pids["other"]), "-n", sys.executable, "-c", SERVE_DNS, "0.06"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
        server.stdout.readline()
        other = net.place("other")
        lookups = [Cell(n, other, other, "", "dns", name="web", expected=("10.1.0.2",)) for n in range(1, 9)]
        seen = observe(Cell(0, other, net.place("a"), "10.1.0.77", "ping", silent=True), *lookups)
        server.kill()
        asked = server.stdout.read().split()
    assert seen[0].state == "unreachable"
    assert [seen[number].state for number in range(1, 9)] == ["reachable"] * 8
    assert len(set(asked)) == 1, "each run asks from a port of its own"


def test_a_namespace_that_is_gone_is_unknown(net):
    """A source or target whose process has ended cannot be tested; that is never unreachable."""
    gone = Place("h", "gone", 2**22 - 1, "gone")
    seen = observe(
        Cell(0, gone, net.place("a"), "10.1.0.1", "ping"),
        Cell(1, net.place("a"), gone, "10.1.0.2", "ping"),
    )
    assert [seen[0].state, seen[1].state] == ["unknown", "unknown"]
    assert "gone" in seen[0].detail


def test_places_in_one_namespace_are_one(net):
    """A container that borrows its network from another one answers for both."""
    joined = Place("h", "joined", net.pids["b"], "joined")
    seen = observe(Cell(0, net.place("a"), joined, "10.1.0.2", "ping"))
    assert seen[0].state == "reachable"


@pytest.mark.parametrize("host", ["nobody", "pythonless"])
def test_a_host_without_root_or_python_is_refused(net, host):
    """The caller learns that the agent cannot run there, and why, so that it can take another prober."""

    class Poor(LocalHost):
        def poor(self, argv):
            return ["setpriv", "--reuid=65534", "--clear-groups", *argv] if host == "nobody" else ["/absent", *argv[1:]]

        def run(self, argv, **options):
            return super().run(self.poor(argv), **options)

        def converse(self, argv, **options):
            return super().converse(self.poor(argv), **options)

    cell = Cell(0, net.place("a"), None, "10.1.0.2", "ping")
    prober = AgentProber({"h": Poor("h")})
    assert prober.observe([cell])[0].state == "unknown"
    assert isinstance(prober.unable["h"], AgentUnavailable)
    assert ("root" if host == "nobody" else "python3") in str(prober.unable["h"])


def test_the_program_runs_on_the_oldest_python(net):
    """Python 3.6 runs the very program that is sent; skipped where there is none."""
    found = sorted(Path.home().glob(".pyenv/versions/3.6.*/bin/python"))
    python = str(found[0]) if found else shutil.which("python3.6")
    if python is None:
        pytest.skip("no python3.6 on this machine")

    class Old(LocalHost):
        def converse(self, argv, **options):
            return super().converse([python, *argv[1:]], **options)

    cells = [
        Cell(0, net.place("a"), net.place("b"), "10.1.0.2", "ping"),
        Cell(1, net.place("a"), net.place("a"), "::1", "ping"),
    ]
    seen = AgentProber({"h": Old("h")}).observe(cells)
    assert [seen[0].state, seen[1].state] == ["reachable", "reachable"], seen


@contextmanager
def agent_of(net, cells):
    """Give an agent that was told to go, and that is asked from `a`; it is killed where it stays too long."""
    with subprocess.Popen(
        [sys.executable, "-c", BOOTSTRAP, "dockerlab.probe.agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as agent:
        places = [{"key": 0, "pid": net.pids["a"], "ports": [], "taker": False}]
        job = {"nonce": "00" * 16, "patience": 2.0, "haste": False, "hold": 0.5, "last": True}
        job |= {"places": places, "cells": cells}
        agent.stdin.write(AGENT.source() + json.dumps(job).encode() + b"\n")
        agent.stdin.flush()
        assert json.loads(agent.stdout.readline())["event"] == "ready"
        agent.stdin.write(b'{"event": "go", "share": 1}\n')
        agent.stdin.flush()
        timer = threading.Timer(10, agent.kill)
        timer.start()
        yield agent
        timer.cancel()


def test_the_agent_ends_with_its_controller(net):
    """An agent whose standard input ends leaves, whatever it was doing."""
    with agent_of(net, []) as agent:
        agent.stdin.close()
        assert agent.wait() == 1


def test_the_agent_says_that_it_is_at_work(net):
    """While a cell is under way it says so each half second, and no more once all are settled."""
    with agent_of(net, [[0, 0, "ping", "10.1.0.99", None, None, 1, False, False]]) as agent:
        began, said = time.monotonic(), []
        while not said or said[-1] != "done":
            said.append(json.loads(agent.stdout.readline())["event"])
        most = (time.monotonic() - began) / SIGN
        assert set(said[:-1]) == {"working"}
        assert most - 2 <= len(said) - 1 <= most + 1
        assert not select.select([agent.stdout], [], [], 3 * SIGN)[0]
        agent.stdin.close()
        assert agent.wait() == 1


@pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox's ping and nc")
def test_the_portable_prober_agrees_with_the_agent(net, tmp_path):
    """Whatever both can tell, they tell alike; what only identity tells, the portable prober leaves unknown."""
    a, b, other, alone = (net.place(name) for name in ("a", "b", "other", "alone"))
    cells = [
        Cell(0, a, b, "10.1.0.2", "ping"),
        Cell(1, a, other, "10.1.0.2", "ping"),
        Cell(2, a, None, "10.1.0.99", "ping"),
        Cell(3, alone, a, "10.1.0.1", "ping"),
        Cell(4, b, a, "10.1.0.1", "tcp", 81),
        Cell(5, b, a, "fd00::1", "ping"),
    ]
    by_agent = observe(*cells)
    by_programs = PortableProber({"h": Engineless(net, tmp_path)}, "lab").observe(cells)
    assert [by_programs[n].state for n in (0, 1)] == ["unknown", "unknown"]
    assert [by_agent[n].symptom for n in (0, 1)] == [None, "wrong answerer"]
    same = [(by_programs[n].state, by_programs[n].symptom) for n in range(2, 6)]
    assert same == [(by_agent[n].state, by_agent[n].symptom) for n in range(2, 6)]
    assert [symptom for _, symptom in same] == ["timeout", "no route", "refused", None]
