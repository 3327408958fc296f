"""Real kernels without an engine: network namespaces of this machine, made, read and spoken through.

Nothing of them is named anywhere, and all of it ends with the processes that hold them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import heapq
import json
import os
import selectors
import socket
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from dockerlab.kernel import ipset, iptables, links, nft, tables
from dockerlab.kernel.model import Listener, Namespace
from dockerlab.kernel.rules import Ruleset
from dockerlab.probe import wire
from dockerlab.probe.meanings import ERRNO_SYMPTOMS

MARK = "=-=-="
SAVES = {
    "iptables-save": ("ip", "iptables"),
    "ip6tables-save": ("ip6", "iptables"),
    "iptables-legacy-save": ("ip", "iptables-legacy"),
    "ip6tables-legacy-save": ("ip6", "iptables-legacy"),
}
CONF = ("forwarding", "rp_filter", "arp_ignore", "arp_announce", "arp_filter", "proxy_arp", "route_localnet")
CONF += ("accept_local", "src_valid_mark")
SYSCTLS = "cd /proc/sys; grep -H . net/ipv4/ip_forward net/ipv4/icmp_echo_ignore_all net/bridge/bridge-nf-call-ip* "
SYSCTLS += " ".join(["net/ipv6/conf/all/forwarding", *(f"net/ipv4/conf/*/{name}" for name in CONF)])
ADDRESSES, ROUTES, ROUTES6 = ("ip -j -d addr", "ip -j -4 route show table all", "ip -j -6 route show table all")
RULES, RULES6, NEIGHBOURS, PROXIES = ("ip -j rule", "ip -j -6 rule", "ip -j neigh", "ip -j neigh show proxy")
NFT, IPSET, SOCKETS = "nft -j list ruleset", "ipset save", "ss -Hlntu"
READ = [ADDRESSES, ROUTES, ROUTES6, RULES, RULES6, NEIGHBOURS, PROXIES, *SAVES, NFT, IPSET, SOCKETS, SYSCTLS]
_libc = ctypes.CDLL(None, use_errno=True)


class Netns:
    """A network namespace, held by a process that sleeps."""

    def __init__(self, name: str, host: str, number: int, *, is_host: bool) -> None:
        self.name, self.host, self.number, self.is_host = name, host, number, is_host
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.pid = self.process.pid
        home, here = Path("/proc/self/ns/net"), Path(f"/proc/{self.pid}/ns/net")
        while here.readlink() == home.readlink():
            time.sleep(0.002)
        self.handle = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)

    def sh(self, text: str, *, check: bool = True) -> str:
        """Return what a shell prints here."""
        argv = ["nsenter", f"--net=/proc/{self.pid}/ns/net", "sh", "-c", text]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, (self.name, text, done.stderr)
        return done.stdout

    def enter(self) -> None:
        """Move this thread here."""
        enter(self.handle)

    def close(self) -> None:
        """Let it go."""
        os.close(self.handle)
        self.process.kill()
        self.process.wait()

    def read(self) -> Namespace:
        """Return what the kernel has here, as the survey would see it."""
        out = self.sh("; ".join(f"echo '{MARK}'; {command} 2>/dev/null" for command in READ) + "; true")
        said = defaultdict(str, zip(READ, out.split(f"{MARK}\n")[1:], strict=True))
        neighbours = (*links.neighbours(listed(said[NEIGHBOURS])), *links.neighbours(listed(said[PROXIES])))
        return Namespace(
            self.number,
            self.is_host,
            (f"/{self.name}",),
            links=links.links(listed(said[ADDRESSES])),
            routes=(*tables.routes(listed(said[ROUTES]), 4)[0], *tables.routes(listed(said[ROUTES6]), 6)[0]),
            selectors=(*tables.selectors(listed(said[RULES]), 4), *tables.selectors(listed(said[RULES6]), 6)),
            neighbours=neighbours,
            sysctls=dict(setting(line) for line in said[SYSCTLS].splitlines()),
            ruleset=ruleset(said),
            listeners=tuple(listener(line.split()) for line in said[SOCKETS].splitlines()),
        )


def enter(handle: int) -> None:
    """Move this thread into a namespace."""
    if _libc.setns(handle, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def listed(text: str) -> list:
    return json.loads(text) if text.strip() else []


def setting(line: str) -> tuple[str, str]:
    path, _, value = line.partition(":")
    return path, value.strip()


def ruleset(said) -> Ruleset:
    chains = [c for name, (family, backend) in SAVES.items() for c in iptables.read(said[name], family, backend).chains]
    known = {(c.family, c.table, c.name) for c in chains if c.backend == "iptables"}
    text = said[NFT]
    more = nft.read(json.loads(text) if text.strip() else {"nftables": []}, known)
    return Ruleset((*chains, *more.chains), (*more.sets, *ipset.read(said[IPSET])), frozenset({"ip", "ip6"}))


def listener(words: list[str]) -> Listener:
    address, _, port = words[4].rpartition(":")
    address, _, device = address.partition("%")
    return Listener(words[0], "::" if address == "*" else address.strip("[]"), int(port), (), device)


@dataclass
class Flight:
    """One question, and what is known of its answer; `where` are the namespaces that got it."""

    source: str
    address: str
    port: int | None
    found: tuple[bool, str | None] | None = None
    where: set[str] = field(default_factory=set)
    socket: socket.socket | None = None

    @property
    def seen(self) -> tuple[bool, str | None]:
        """Return what was observed, in the words of a probe."""
        if self.found is not None:
            return self.found
        return (False, "reply lost" if self.port is None and self.where else "timeout")


class Prober:
    """Pings and connections from namespaces, and who hears them."""

    def __init__(self, spaces: list[Netns]) -> None:
        self.spaces = {space.name: space for space in spaces}
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.selector = selectors.DefaultSelector()
        self.raw: dict[tuple[str, int], socket.socket] = {}
        self.served: list[socket.socket] = []
        self.nonce = b""
        self.flights: list[Flight] = []
        for space in spaces:
            for version in (4, 6):
                self._open_raw(space, version)

    def _open_raw(self, space: Netns, version: int) -> None:
        with self.inside(space):
            family, protocol = {4: (socket.AF_INET, 1), 6: (socket.AF_INET6, 58)}[version]
            made = socket.socket(family, socket.SOCK_RAW, protocol)
        made.setblocking(False)
        self.raw[space.name, version] = made
        self.selector.register(made, selectors.EVENT_READ, (self._hear, made, space.name, version))

    @contextlib.contextmanager
    def inside(self, space: Netns):
        """Be in a namespace for a while."""
        space.enter()
        try:
            yield
        finally:
            enter(self.home)

    def serve(self, space: Netns, address: str, port: int) -> None:
        """Listen in a namespace, and tell whoever connects where that is."""
        with self.inside(space):
            made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((address, port))
            made.listen(256)
        made.setblocking(False)
        self.served.append(made)
        self.selector.register(made, selectors.EVENT_READ, (self._accept, made, space.name))

    def ask(self, flights: list[Flight], patience: float) -> None:
        """Send all, a few milliseconds apart, and wait."""
        self.flights, self.nonce = flights, os.urandom(wire.NONCE_SIZE)
        begun = time.monotonic()
        waiting = [(number * 0.004, number, attempt) for number, _ in enumerate(flights) for attempt in (0,)]
        heapq.heapify(waiting)
        until = begun + patience + 0.004 * len(flights)
        while time.monotonic() < until and (waiting or any(flight.found is None for flight in flights)):
            while waiting and waiting[0][0] <= time.monotonic() - begun:
                at, number, attempt = heapq.heappop(waiting)
                if flights[number].found is None:
                    self._send(number, attempt)
                if attempt < 2 and flights[number].port is None:
                    heapq.heappush(waiting, (at + 0.5, number, attempt + 1))
            for key, _ in self.selector.select(0.01):
                work, *arguments = key.data
                work(*arguments)
        for flight in flights:
            self._drop(flight)

    def _send(self, number: int, attempt: int) -> None:
        flight = self.flights[number]
        version = wire.version_of(flight.address)
        try:
            if flight.port is None:
                packet = wire.echo_request(version, self.nonce, wire.Stamp(number, attempt))
                self.raw[flight.source, version].sendto(packet, (flight.address, 0))
                return
            with self.inside(self.spaces[flight.source]):
                made = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6)
                made.setblocking(False)
                code = made.connect_ex((flight.address, flight.port))
            flight.socket = made
            self.selector.register(made, selectors.EVENT_WRITE, (self._connected, flight))
        except OSError as error:
            code = error.errno or 0
        if code not in (0, errno.EINPROGRESS):
            self._failed(flight, code)

    def _failed(self, flight: Flight, code: int) -> None:
        name = errno.errorcode.get(code, str(code))
        flight.found = flight.found or (False, ERRNO_SYMPTOMS.get(name, (name, ""))[0])
        self._drop(flight)

    def _drop(self, flight: Flight) -> None:
        if flight.socket is not None:
            self.selector.unregister(flight.socket)
            flight.socket.close()
            flight.socket = None

    def _hear(self, raw: socket.socket, name: str, version: int) -> None:
        while True:
            try:
                packet, _ = raw.recvfrom(4096)
            except (BlockingIOError, OSError):
                return
            found = wire.read_icmp(wire.strip_ip_header(packet, 4) if version == 4 else packet, version, self.nonce)
            if found is None:
                continue
            flight = self.flights[found.stamp.cell]
            if found.kind == "request":
                flight.where.add(name)
            elif name == flight.source and flight.found is None:
                flight.found = (True, None) if found.kind == "reply" else (False, "host unreachable")

    def _accept(self, listening: socket.socket, name: str) -> None:
        try:
            made, _ = listening.accept()
        except OSError:
            return
        with made, contextlib.suppress(OSError):
            made.send(name.encode())

    def _connected(self, flight: Flight) -> None:
        assert flight.socket is not None
        code = flight.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code or flight.socket.getsockname() == flight.socket.getpeername():
            self._failed(flight, code or errno.ECONNREFUSED)
        else:
            self.selector.modify(flight.socket, selectors.EVENT_READ, (self._told, flight))

    def _told(self, flight: Flight) -> None:
        assert flight.socket is not None
        try:
            said = flight.socket.recv(100)
        except OSError:
            said = b""
        if said:
            flight.found = (True, None)
            flight.where.add(said.decode())
        self._drop(flight)

    def close(self) -> None:
        """Let everything go."""
        for made in (*self.raw.values(), *self.served):
            made.close()
        self.selector.close()
        os.close(self.home)
