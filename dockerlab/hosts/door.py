"""The way to the engine of a host on which a stranger is root: it is believed only if it is the one that was there.

Run from outside of the host, before its network and processes, with programs that its root cannot change (`entered`).
Without more arguments, standard streams are joined to the engine's socket, as `docker system dial-stdio` does. A
`docker` command behind the host's name is run with an engine that is asked in the same way.

It is handed to python3 with what it imports: standard library only, and Python 3.6 must run it.
"""

import os
import socket
import subprocess
import sys
import threading

from dockerlab.hosts.genuine import CREDENTIALS, Forged, credentials, examined

ENGINE = "/var/run/docker.sock"
FORGED = 79
"""The exit code where somebody else answers than the engine that the host began with."""
OTHER = "is not the one that the sandbox began with"
PIECE = 1 << 16


def connected(known: "set[object]") -> "tuple[socket.socket, int]":
    """Return a socket to the engine, and the process that it is; raises OSError, and Forged for any other process.

    Each connection's process is examined; the contents of files that are `known` are not compared once more.
    """
    way = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Each piece is told with who wrote it: who listens may have handed its socket on.
    way.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    way.connect(ENGINE)
    return way, examined(way, known)


def pass_on(source: "int", way: "socket.socket") -> "None":
    """Write all that comes from a descriptor to the engine, and then the end."""
    try:
        for piece in iter(lambda: os.read(source, PIECE), b""):
            way.sendall(piece)
        way.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one of the two has gone: who reads notices


def bring(way: "socket.socket", pid: "int", target: "int") -> "None":
    """Write all that the engine says to a descriptor; raises Forged where somebody else says it."""
    while True:
        piece, told_with, _, _ = way.recvmsg(PIECE, socket.CMSG_SPACE(CREDENTIALS.size))
        if not piece:
            return
        if not told_with or credentials(told_with[0][2]) != pid:
            raise Forged("another process answers in its place")
        while piece:
            piece = piece[os.write(target, piece) :]


def join(source: "int", target: "int", known: "set[object]") -> "None":
    """Join two descriptors to the engine until it ends; raises OSError, Forged."""
    way, pid = connected(known)
    threading.Thread(target=pass_on, args=(source, way), daemon=True).start()
    bring(way, pid, target)


class Errand:
    """A `docker` command, whose engine is asked as `join` does it; `failure` is why it was not believed."""

    def __init__(self, host: "str") -> None:
        self.host = host
        self.failure = ""
        self.known: set[object] = set()
        self.inside = f"/tmp/engine.{os.getpid()}"  # noqa: S108 - it is this program's own, as its whole root is

    def run(self, argv: "list[str]") -> "int":
        """Return the exit code of the command."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as waiting:
            waiting.bind(self.inside)
            waiting.listen(16)
            threading.Thread(target=self.serve, args=(waiting,), daemon=True).start()
            done = subprocess.run(argv, env=dict(os.environ, DOCKER_HOST="unix://" + self.inside), check=False)
        if self.failure:
            return failed(self.host, self.failure)
        return done.returncode if done.returncode >= 0 else 128 - done.returncode

    def serve(self, waiting: "socket.socket") -> "None":
        """Join whoever comes to the engine."""
        while True:
            try:
                client = waiting.accept()[0]
            except OSError:
                return  # the command has ended
            threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client: "socket.socket") -> "None":
        """Join one connection of the command to the engine."""
        try:
            join(client.fileno(), client.fileno(), self.known)
            client.shutdown(socket.SHUT_WR)
        except Forged as error:
            self.failure = str(error)
        except OSError:
            pass  # the command says that it cannot connect, or has gone
        client.close()


def failed(host: "str", why: "str") -> "int":
    """Say that the engine is not believed, and return the exit code for that."""
    sys.stderr.write(f"the engine of {host} {OTHER}: {why}\n")
    return FORGED


def asked(host: "str", *argv: "str") -> "int":
    """Return the exit code."""
    if argv:
        return Errand(host).run(list(argv))
    try:
        join(0, 1, set())
    except Forged as error:
        return failed(host, str(error))
    except OSError as error:
        sys.stderr.write(f"Cannot connect to {ENGINE}: {error.strerror or error}. Is the docker daemon running?\n")
        return 1
    return 0


def main() -> "None":
    """Do what the arguments behind this module's name say, and end."""
    code = asked(*sys.argv[2:])
    sys.stderr.flush()
    os._exit(code)  # a thread may still wait for what nobody will send
