"""Make one verified, authenticated SSH connection, through jump hosts where there are any."""

from __future__ import annotations

import errno
import logging
import random
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import paramiko

from dockerlab.errors import ConnectError
from dockerlab.hosts.hostkeys import known_keys, preferred, verify
from dockerlab.hosts.sshauth import authenticate
from dockerlab.hosts.sshconfig import Hop

ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0
"""Seconds; doubled after each attempt and spread at random, so that clients that were dropped together part."""

TRYING = 45.0
"""Seconds after which no other attempt begins: a server may also let time pass before it drops one."""

KEEPALIVE = 5
"""Seconds of silence after which something is sent, so that a dead connection is noticed."""

DEAD_AFTER = 20
"""Seconds without an acknowledgement after which the kernel gives a connection up; shorter gaps go unnoticed."""

BEGINNING = 256
"""Bytes of a stream's beginning that are remembered."""

Socket = socket.socket | paramiko.Channel | paramiko.ProxyCommand

# What paramiko logs, the exceptions say too; without a handler Python would print it.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class _Dropped(Exception):
    """The server closed the connection without a banner, as with MaxStartups; `said` is what it gave instead."""

    def __init__(self, said: bytes) -> None:
        self.said = said
        super().__init__(said)


class Recorder:
    """A byte stream that remembers how it began: a server may say why it turns us away, and paramiko would not tell."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.began = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def recv(self, size: int) -> bytes:
        """Receive some bytes."""
        data: bytes = self._stream.recv(size)
        self.began += data[: max(0, BEGINNING - len(self.began))]
        return data


class ProxyCommand(paramiko.ProxyCommand):
    """A program whose streams lead to the server; closing it leaves neither the program nor its pipes behind."""

    def close(self) -> None:
        """Stop the program and wait for its end; safe to call twice."""
        self.process.terminate()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@dataclass(frozen=True)
class Connection:
    """The transports to a host, the host's own last; each runs through the one before it."""

    transports: tuple[paramiko.Transport, ...]

    @property
    def transport(self) -> paramiko.Transport:
        """Return the transport to the host itself."""
        return self.transports[-1]

    @property
    def alive(self) -> bool:
        """Tell whether the connection is not known to be lost."""
        return all(transport.is_active() for transport in self.transports)

    def close(self) -> None:
        """End every transport, the host's own first."""
        for transport in reversed(self.transports):
            transport.close()


def open_connection(host: str, hops: Sequence[Hop]) -> Connection:
    """Connect to the last hop through the others; every hop's key is checked.

    Raises ConnectError that names the phase, or HostKeyError.
    """
    transports: list[paramiko.Transport] = []
    try:
        for hop in hops:
            transports.append(_log_in(host, hop, transports[-1] if transports else None))
    except BaseException:
        for transport in reversed(transports):
            transport.close()
        raise
    return Connection(tuple(transports))


def _log_in(host: str, hop: Hop, via: paramiko.Transport | None) -> paramiko.Transport:
    """Return an authenticated transport to one hop."""
    known = known_keys(hop)
    pause, began = FIRST_PAUSE, time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        stream = Recorder(_socket(host, hop, via))
        transport = paramiko.Transport(cast("socket.socket", stream))
        try:
            options = transport.get_security_options()
            options.key_types = preferred(tuple(options.key_types), known)
            _negotiate(host, hop, transport, stream)
            verify(host, hop, transport.get_remote_server_key(), known)
            authenticate(host, hop, transport)
            transport.set_keepalive(KEEPALIVE)
        except _Dropped as drop:
            transport.close()
            said = drop.said.decode(errors="replace").strip()
            if time.monotonic() - began > TRYING:
                break
            if attempt < ATTEMPTS:
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
                pause = min(2 * pause, LONGEST_PAUSE)
            continue
        except BaseException:
            transport.close()
            raise
        return transport
    raise ConnectError(host, _turned_away(hop, said, attempt))


def _turned_away(hop: Hop, said: str, attempts: int) -> str:
    """Return the message for a server that dropped every attempt, by what it said.

    sshd says nothing before 9.8; then "Exceeded MaxStartups", or "Not allowed at this time" to an address that it has
    locked out; 10 says the latter for both reasons.
    """
    began = f"banner: {hop} turned us away {attempts} times"
    if "MaxStartups" in said:
        return (
            f"{began} ({said}): too many others are logging in there; repeat in a moment, or raise MaxStartups in its "
            "sshd_config"
        )
    return (
        f"{began} ({said or 'without a word'}): it has locked this machine's address out for a while, as sshd does "
        "after logins that failed or were broken off (PerSourcePenalties), or too many others are logging in there "
        "(MaxStartups): wait half a minute, then repeat"
    )


def _socket(host: str, hop: Hop, via: paramiko.Transport | None) -> Socket:
    """Return a byte stream to one hop."""
    if via is not None:
        return _forwarded(host, hop, via)
    if hop.proxy_command is not None:
        return _proxied(host, hop, hop.proxy_command)
    try:
        stream = socket.create_connection((hop.hostname, hop.port), timeout=hop.timeout)
    except socket.gaierror as error:
        raise ConnectError(
            host, f"name: cannot resolve {hop.hostname}: {error.strerror}; is it spelled right?"
        ) from error
    except TimeoutError as error:
        raise ConnectError(
            host, f"TCP: no answer from {hop.hostname} port {hop.port} within {hop.timeout:g} s; is it up and routed?"
        ) from error
    except OSError as error:
        hint = "is sshd running there, on that port?" if error.errno == errno.ECONNREFUSED else "check the network"
        raise ConnectError(
            host, f"TCP: cannot connect to {hop.hostname} port {hop.port}: {error.strerror or error}; {hint}"
        ) from error
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER * 1000)
    return stream


def _forwarded(host: str, hop: Hop, via: paramiko.Transport) -> paramiko.Channel:
    """Return a byte stream to one hop that the hop before it makes."""
    try:
        return via.open_channel("direct-tcpip", (hop.hostname, hop.port), ("127.0.0.1", 0), timeout=hop.timeout)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise ConnectError(
            host, f"jump: the jump host cannot reach {hop.hostname} port {hop.port}, or forbids it: {error}"
        ) from error


def _proxied(host: str, hop: Hop, command: str) -> paramiko.ProxyCommand:
    """Return a byte stream to one hop that a ProxyCommand makes."""
    try:
        return ProxyCommand(command)
    except (OSError, ValueError) as error:
        raise ConnectError(host, f"ProxyCommand: cannot start {command.split()[:1]} for {hop}: {error}") from error


def _negotiate(host: str, hop: Hop, transport: paramiko.Transport, stream: Recorder) -> None:
    """Exchange banners and keys within the hop's time."""
    transport.banner_timeout = hop.timeout
    transport.handshake_timeout = hop.timeout
    transport.auth_timeout = hop.timeout
    done = threading.Event()
    start = time.monotonic()
    transport.start_client(event=done)
    # Two phases, each with its own deadline; paramiko's own come a little earlier.
    done.wait(2 * hop.timeout + 1)
    if done.is_set() and transport.is_active():
        return
    error = transport.get_exception()
    late = time.monotonic() - start >= hop.timeout
    # paramiko learns the server's version with its banner.
    if transport.remote_version:
        why = f"no answer within {hop.timeout:g} s" if late or error is None else str(error) or type(error).__name__
        raise ConnectError(host, f"key exchange: with {hop}: {why}") from error
    if late:
        raise ConnectError(
            host,
            f"banner: {hop.hostname} port {hop.port} accepts connections but sent no SSH banner "
            f"within {hop.timeout:g} s; is that an SSH server, and is it overloaded?",
        ) from error
    if error is None or _is_drop(error):
        raise _Dropped(stream.began) from error
    raise ConnectError(host, f"banner: {hop.hostname} port {hop.port} is no SSH server: {error}") from error


def _is_drop(error: BaseException) -> bool:
    """Tell whether the stream ended or was reset; paramiko keeps the cause only as the context of its own error."""
    return isinstance(error, (EOFError, ConnectionError)) or (
        error.__context__ is not None and _is_drop(error.__context__)
    )
