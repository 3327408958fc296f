"""An SSH server that says what it is given: bytes instead of its handshake, or anything on a channel after it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass

import paramiko
from paramiko.common import OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_SUCCEEDED

from dockerlab.hosts.address import SshOptions, parse_address
from dockerlab.hosts.ssh import SshHost
from support.sshd import keygen


@dataclass(frozen=True)
class Before:
    """What is said in place of a handshake, and whether the connection stays open behind it."""

    said: tuple[bytes, ...] = ()
    stays: bool = False


@dataclass(frozen=True)
class After:
    """What becomes of a command after the login: whether there is a channel, a start, what is said, and how it ends."""

    opens: bool = True
    starts: bool = True
    out: bytes = b""
    times: int = 1
    err: bytes = b""
    status: int | None = 0
    end: str = "close"


class Commands(paramiko.ServerInterface):
    """Lets everybody in, and treats the next command as its form says."""

    def __init__(self, server):
        self.server = server

    def get_allowed_auths(self, username):  # noqa: ARG002
        return "publickey"

    def check_auth_publickey(self, username, key):  # noqa: ARG002
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):  # noqa: ARG002
        return OPEN_SUCCEEDED if self.server.form.opens else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel, command):  # noqa: ARG002
        form = self.server.form
        threading.Thread(target=self.server.answer, args=(channel, form), daemon=True).start()
        return form.starts


class Server:
    """The server, on a port of the loopback interface; `form` is what the next connection or command meets."""

    def __init__(self, folder):
        self.form = After()
        self.key = paramiko.Ed25519Key(filename=str(keygen(folder / "host")))
        self.identity = keygen(folder / "login")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.known = folder / "known_hosts"
        self.known.write_text(f"[127.0.0.1]:{self.port} ssh-ed25519 {self.key.get_base64()}\n")
        threading.Thread(target=self.serve, daemon=True).start()

    def host(self, name="h1", seconds=0.5):
        """Return the host that is reached there."""
        options = SshOptions(
            identity_file=str(self.identity),
            known_hosts=str(self.known),
            connect_timeout=seconds,
            config_file="/dev/null",
        )
        return SshHost(name, parse_address(f"ssh://root@127.0.0.1:{self.port}"), options)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.meet, args=(connection,), daemon=True).start()

    def meet(self, connection):
        form = self.form
        with suppress(OSError, EOFError, paramiko.SSHException):
            if isinstance(form, After):
                transport = paramiko.Transport(connection)
                transport.add_server_key(self.key)
                transport.start_server(event=threading.Event(), server=Commands(self))
                return
            with connection:
                for each in form.said:
                    connection.sendall(each)
                connection.settimeout(5)
                while form.stays and connection.recv(4096):
                    pass

    @staticmethod
    def answer(channel, form):
        """Say what the form says on a channel, and end it as that says."""
        with suppress(OSError, EOFError, paramiko.SSHException):
            if not form.starts:
                return
            channel.settimeout(1)
            channel.sendall(form.out * form.times)
            channel.sendall_stderr(form.err)
            if form.status is not None:
                channel.send_exit_status(form.status)
            if form.end == "drop":
                channel.get_transport().close()
            elif form.end == "eof":
                channel.shutdown_write()
            elif form.end == "close":
                channel.close()

    def close(self):
        self.listener.close()
