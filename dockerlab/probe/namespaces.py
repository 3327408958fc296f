"""Enter network namespaces, and open what the agent speaks and listens with there.

Part of the agent's program: standard library only, and Python 3.6 must run it.
"""

import errno
import os
import socket
import struct

from dockerlab.probe import wire
from dockerlab.probe.neighbours import Netlink, removable

RECEIVE_BUFFER = 4 << 20
SO_RCVBUFFORCE = 33
CLONE_NEWNET = 0x40000000
SO_MEMINFO, SK_MEMINFO_DROPS = 55, 8
ICMP_FILTER = {4: (255, 1), 6: (socket.IPPROTO_ICMPV6, 1)}
WHOLE = {4: (socket.IPPROTO_IP, 10, 3), 6: (socket.IPPROTO_IPV6, 23, 3)}
"""Never cut a packet (DF), whatever the kernel remembers of the path: IP_MTU_DISCOVER, IP_PMTUDISC_PROBE."""
KNOWN_MTU = {4: (socket.IPPROTO_IP, 14), 6: (socket.IPPROTO_IPV6, 24)}
ADDRESS_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
ICMP_PROTOCOL = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}


class Namespace:
    """One network namespace: its identity, its raw ICMP sockets by IP version, and its netlink socket.

    Opening one leaves the calling thread in it. Raises OSError where that is not possible.
    """

    def __init__(self, handle: "int") -> None:
        self.id = os.fstat(handle).st_ino
        self.used = False
        self._handle = handle
        self.enter()
        self._netlink = Netlink()
        self._known = {(entry.link, entry.address) for entry in self._netlink.neighbours()}
        self.tables = self._netlink.tables
        self.raw = {4: raw_socket(4)}
        try:
            self.raw[6] = raw_socket(6)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:  # a kernel without IPv6 is no failure
                raise

    def enter(self) -> "None":
        """Move this thread into the namespace; raises OSError."""
        setns = getattr(os, "setns", setns_by_libc)  # os.setns is there since Python 3.12
        setns(self._handle, CLONE_NEWNET)

    def send_echo(self, packet: "bytes", address: "str") -> "None":
        """Send an ICMP packet from here; raises OSError with what the kernel says."""
        self.used = True
        version = wire.version_of(address)
        if version not in self.raw:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        self.raw[version].sendto(packet, (address, 0))

    def missed(self) -> "int":
        """Return how many packets the kernel could not give to the raw sockets, for want of room."""
        return sum(missed_by(raw) for raw in self.raw.values())

    def connected(self, kind: "int", address: "str", port: "int") -> "tuple[socket.socket, int]":
        """Return a non-blocking socket of this namespace, and the error number that its connect began with."""
        self.used = True
        self.enter()
        made = socket.socket(ADDRESS_FAMILY[wire.version_of(address)], kind)
        made.setblocking(False)
        return made, made.connect_ex((address, port))

    def mtu(self, address: "str") -> "int":
        """Return how large a packet from here to an address may be, as far as this kernel knows; raises OSError."""
        made, number = self.connected(socket.SOCK_DGRAM, address, 9)
        try:
            if number:
                raise OSError(number, os.strerror(number))
            return made.getsockopt(*KNOWN_MTU[wire.version_of(address)])
        finally:
            made.close()

    def ask_again(self, addresses: "set[bytes]") -> "None":
        """Remove what the kernel learned by itself of these addresses, so that it asks who has them now.

        A container that was made anew has another MAC address, and its old one may be remembered for a minute.
        """
        found = (entry for entry in self._netlink.neighbours() if entry.address in addresses)
        entries = [entry for entry in found if removable(entry, with_incomplete=True)]
        self._netlink.forget(entries)
        self._known -= {(entry.link, entry.address) for entry in entries}

    def forget_neighbours(self, with_incomplete: "bool") -> "None":
        """Remove the neighbour entries that came since this was opened, so that the tables take new ones."""
        new = (entry for entry in self._netlink.neighbours() if (entry.link, entry.address) not in self._known)
        self._netlink.forget([entry for entry in new if removable(entry, with_incomplete)])
        self.used = False


def missed_by(made: "socket.socket") -> "int":
    """Return how many packets the kernel could not give to a socket, for want of room."""
    info = made.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * (SK_MEMINFO_DROPS + 1))
    number: int = struct.unpack("=%dI" % (len(info) // 4), info)[-1]  # noqa: UP031 - Python 3.6
    return number


def setns_by_libc(handle: "int", kind: "int") -> "None":
    """Do what os.setns does, for an older Python; raises OSError."""
    import ctypes  # noqa: PLC0415 - a minimal Python has none, and a new one does not need it

    if ctypes.CDLL(None, use_errno=True).setns(handle, kind) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def open_namespace(pid: "int") -> "int":
    """Return a handle on the network namespace of a process, or this program's own for 0; raises OSError."""
    return os.open(f"/proc/{pid or 'self'}/ns/net", os.O_RDONLY)


def widen(made: "socket.socket") -> "None":
    """Give a socket room for what comes all at once; what has no room is counted (`missed_by`).

    Root of a user namespace, as on a host behind a boundary, has to do with what net.core.rmem_max leaves to everybody
    (net/core/sock.c: SO_RCVBUFFORCE asks for a right over the machine).
    """
    try:
        made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def raw_socket(version: "int") -> "socket.socket":
    """Return a raw ICMP socket of the current namespace that hears only what `wire` understands."""
    made = socket.socket(ADDRESS_FAMILY[version], socket.SOCK_RAW, ICMP_PROTOCOL[version])
    made.setblocking(False)
    widen(made)
    made.setsockopt(*WHOLE[version])
    # The kernel's filters name what is blocked, one bit for each type.
    blocked = [0xFFFFFFFF] * (1 if version == 4 else 8)
    for kind in (wire.ECHO_REQUEST[version], wire.ECHO_REPLY[version], *wire.ERRORS[version]):
        blocked[kind // 32] &= ~(1 << kind % 32)
    made.setsockopt(*ICMP_FILTER[version], struct.pack(f"={len(blocked)}I", *blocked))
    return made


def read_text(path: "str") -> "str":
    """Return the beginning of a text file; in a container it may be anything, so neither wait for it nor read on."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(handle, 1 << 16).decode("utf-8", "replace")
    finally:
        os.close(handle)


def read_as(pid: "int", path: "str") -> "str":
    """Return a file as the process `pid` sees it (0: as this program does); raises OSError.

    The way through /proc/PID/root alone would follow an absolute symbolic link out of the container.
    """
    if pid == 0:
        return read_text(path)
    back = os.open("/", os.O_RDONLY)
    try:
        os.chroot(f"/proc/{pid}/root")
        os.chdir("/")
        return read_text(path)
    finally:
        os.fchdir(back)
        os.chroot(".")
        os.close(back)
