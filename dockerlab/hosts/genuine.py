"""Whether what is at a socket is the engine that a host began with: by the kernel's word, and by its program's code.

Sent with the way to the engine (`door`): standard library only, and Python 3.6 must run it.
"""

import os
import re
import socket
import struct
import time

CREDENTIALS = struct.Struct("3i")
AREA = re.compile(r"(?P<area>[0-9a-f]+-[0-9a-f]+) ..(?P<runs>[x-]). \S+ \S+ \S+ *(?P<path>.*)")
PATIENCE = 5
ANSWER = 1 << 16
SOCK_DIAG, BY_FAMILY, SHOW_PEER = 4, 20, 4
"""NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY and UDIAG_SHOW_PEER of <linux/unix_diag.h>."""
OF_THE_KERNEL = ("[vdso]", "[vsyscall]")


class Forged(Exception):
    """What answers is not the engine; the text says by what that is known."""


def credentials(data: "bytes") -> "int":
    """Return which process is at a socket, by the kernel's word and as numbered in the host; 0 outside of it."""
    return int(CREDENTIALS.unpack(data)[0])


def examined(way: "socket.socket", known: "set[object]") -> "int":
    """Return which process is at the other end of a connection to the engine; raises OSError, Forged for any other.

    `known` are the pairs of files, each by its mark, that hold the same: they are compared once.
    """
    pid = credentials(way.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    examine(pid, known)
    if holders(other_end(way)) - {pid}:
        raise Forged("another process holds its connection")
    return pid


def other_end(way: "socket.socket") -> "int":
    """Return the number of the socket at the other end, once somebody has taken the connection; 0 where nobody tells.

    A kernel without the diagnosis of such sockets (CONFIG_UNIX_DIAG) does not.
    """
    own = os.fstat(way.fileno()).st_ino
    wanted = struct.pack("=BBHIIIii", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, own, SHOW_PEER, -1, -1)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
        kernel.settimeout(PATIENCE)
        for _ in range(100):
            kernel.send(struct.pack("=IHHII", 16 + len(wanted), BY_FAMILY, 1, 1, 0) + wanted)
            said = kernel.recv(ANSWER)
            if struct.unpack_from("=IH", said)[1] != BY_FAMILY:
                return 0
            # Behind two headers of 16 bytes there is one attribute, of 4 bytes behind 4.
            number = int(struct.unpack_from("=I", said, 36)[0]) if len(said) >= 40 else 0
            if number:
                return number
            time.sleep(0.02)
    raise TimeoutError("the engine does not take the connection")


def holders(number: "int") -> "set[int]":
    """Return the processes of the host that have a socket open; none for 0."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()] if number else []
    return {pid for pid in pids if holds(f"/proc/{pid}/fd", f"socket:[{number}]")}


def holds(folder: "str", what: "str") -> "bool":
    """Tell whether one of a process's open files is that; it may end, and close them, at any time."""
    try:
        return any(leads(f"{folder}/{name}") == what for name in os.listdir(folder))
    except OSError:
        return False


def leads(path: "str") -> "str":
    """Return what a link leads to, nothing where it has gone."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def along(name: "str") -> "str":
    """Return where a program is along the PATH, nothing where it is not: a minimal Python has no shutil."""
    paths = [os.path.join(folder, name) for folder in os.environ.get("PATH", "").split(":")]
    return next((path for path in paths if os.access(path, os.X_OK)), "")


def examine(pid: "int", known: "set[object]") -> "None":
    """Hold a process against the engine's program; raises Forged where it is another, or is not left to itself."""
    dockerd = along("dockerd")
    try:
        if pid <= 0 or not dockerd or not same(f"/proc/{pid}/exe", dockerd, known):
            raise Forged("another program answers")
        for thread in os.listdir(f"/proc/{pid}/task"):
            status = told(f"/proc/{pid}/task/{thread}/status")
            if status["TracerPid"] != "0":
                raise Forged("somebody holds it by ptrace")
            if status.get("Seccomp_filters") != told("/proc/self/status").get("Seccomp_filters"):
                raise Forged("its system calls are filtered")
        code(pid, known)
    except OSError as error:
        raise Forged(f"the process that answers cannot be examined: {error}") from error


def code(pid: "int", known: "set[object]") -> "None":
    """Raise Forged where a process runs code that is in none of the programs and libraries that the host began with."""
    area, path = "", ""
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            begins = AREA.match(line)
            if begins is not None:
                area, path = begins["area"], begins["path"].strip() if begins["runs"] == "x" else OF_THE_KERNEL[0]
                if path in OF_THE_KERNEL:
                    continue
                if not path.startswith("/usr/") or not same(f"/proc/{pid}/map_files/{area}", path, known):
                    raise Forged(f"it runs code from elsewhere ({path or 'memory'})")
            elif line.startswith("Anonymous:") and path not in OF_THE_KERNEL and line.split()[1] != "0":
                raise Forged(f"the code of {path} was changed while it ran")


def told(path: "str") -> "dict[str, str]":
    """Return the fields of a status file."""
    with open(path, encoding="utf-8", errors="replace") as lines:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def same(one: "str", other: "str", known: "set[object]") -> "bool":
    """Tell whether two files hold the same, which is `known` of those that were compared and not touched since.

    Raises OSError.
    """
    with open(one, "rb", 0) as left, open(other, "rb", 0) as right:
        pair = (mark(left.fileno()), mark(right.fileno()))
        if pair in known:
            return True
        if os.fstat(left.fileno()).st_size != os.fstat(right.fileno()).st_size:
            return False
        while True:
            piece = left.read(1 << 20)
            if piece != right.read(1 << 20):
                return False
            if not piece:
                known.add(pair)
                return True


def mark(file: "int") -> "tuple[int, ...]":
    """Return what is another one once a file is another, or was written to: nobody can set when it was changed last."""
    found = os.fstat(file)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
