"""A program on a channel of a connection that breaks while it is used."""

from __future__ import annotations

import paramiko
import pytest

from dockerlab.errors import TransportError
from dockerlab.hosts.channel import ChannelProcess


class Buffer:
    """A stream's buffer, which nobody rings."""

    def set_event(self, event):
        pass


class Broken:
    """A channel that has something to read, and of which every use meets a connection that is gone."""

    in_buffer = in_stderr_buffer = Buffer()
    eof_received = closed = False

    def __init__(self, error):
        self.error = error

    def settimeout(self, seconds):
        pass

    def recv_ready(self):
        return True

    def recv(self, size):  # noqa: ARG002
        raise self.error

    send = recv

    def shutdown_write(self):
        raise self.error

    close = shutdown_write


@pytest.fixture(params=[EOFError(), OSError("Socket is closed"), paramiko.SSHException("Key-exchange timed out")])
def program(request):
    """Give a program on a channel of which every use raises what paramiko raises."""
    return ChannelProcess("h1", ["true"], Broken(request.param), lambda: None)


def test_a_connection_that_breaks_while_it_is_read(program):
    """What takes what came has to tell the server so: where that is gone, it is that host's failure."""
    with pytest.raises(
        TransportError, match="h1: `true`: the connection was lost; whether it took effect is not known"
    ):
        program.receive(0.1)


def test_a_connection_that_breaks_while_it_is_written(program):
    """A write is told that nobody reads any more; ending the input and the program says nothing."""
    with pytest.raises(BrokenPipeError):
        program.write(b"x", 0.1)
    program.close_input()
    program.close()
