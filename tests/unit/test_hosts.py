"""The local host and the fake one."""

import threading
import time

import pytest
from support.host_contract import HostContract, python

from dockerlab.command import Result
from dockerlab.errors import ConnectError, DeadlineExceeded, HostError, TransportError
from dockerlab.hosts import slots as slots_module
from dockerlab.hosts.base import Host
from dockerlab.hosts.fake import FakeHost
from dockerlab.hosts.kept import Kept
from dockerlab.hosts.local import LocalHost, LocalProcess
from dockerlab.hosts.slots import Slots


class TestLocalHost(HostContract):
    """The local machine keeps the contract."""

    @pytest.fixture
    def host(self):
        host = LocalHost("local")
        yield host
        host.close()

    def test_address(self, host):
        """The local machine has no address."""
        assert (host.name, host.address, host.channels) == ("local", None, 8)

    def test_deadline_ends_the_whole_group(self, host, tmp_path):
        """A deadline ends the program's children too."""
        mark = tmp_path / "mark"
        code = "import subprocess, sys; subprocess.run(['sh', '-c', 'sleep 1; touch \"$0\"', sys.argv[1]])"
        with pytest.raises(DeadlineExceeded):
            host.run(python(code, str(mark)), timeout=0.3)
        time.sleep(1.3)
        assert not mark.exists()

    def test_signal(self, host):
        """A program that a signal ends has the exit code that a shell gives it."""
        assert host.run(python("import os; os.kill(os.getpid(), 9)")).rc == 137


class TestFakeHost:
    """A function as a host."""

    @pytest.mark.parametrize(
        ("answer", "rc", "stdout", "stderr"),
        [
            ("text", 0, b"text", b""),
            (b"bytes", 0, b"bytes", b""),
            ((42, "out"), 42, b"out", b""),
            ((127, "", "sh: not found"), 127, b"", b"sh: not found"),
            (Result(("x",), 1, b"o", b"e", 0.5), 1, b"o", b"e"),
        ],
    )
    def test_answers(self, answer, rc, stdout, stderr):
        """Every short form of an answer becomes a result."""
        result = FakeHost("vm0", lambda _argv, _given: answer).run(["x"])
        assert (result.rc, result.stdout, result.stderr) == (rc, stdout, stderr)

    def test_is_a_host(self):
        """The fake can stand wherever a host can."""
        host: Host = FakeHost("vm0", lambda *_: "")
        assert (host.name, host.address, host.channels) == ("vm0", None, 8)

    def test_records(self):
        """What was run is recorded with its input."""
        host = FakeHost("vm0", lambda argv, given: b" ".join((argv[0].encode(), given)))
        assert host.run(["cat", "-"], input=iter([b"a", b"b"])).stdout == b"cat ab"
        assert (host.calls, host.inputs) == ([("cat", "-")], [b"ab"])

    def test_failure(self):
        """A transport failure is what the function raises."""

        def respond(_argv, _given):
            raise ConnectError("vm0", "no route")

        with pytest.raises(ConnectError, match="vm0: no route"):
            FakeHost("vm0", respond).run(["x"])

    def test_stream(self):
        """A stream gives the output, and an error after it where the exit code is not 0."""
        assert list(FakeHost("vm0", lambda *_: "abc").stream(["x"])) == [b"abc"]
        with pytest.raises(HostError, match="exit code 3: bad"):
            list(FakeHost("vm0", lambda *_: (3, "", "bad")).stream(["x"]))

    def test_converse(self):
        """In a dialogue the function sees all that was sent, and its new lines are handed out one by one."""
        talk = FakeHost("vm0", lambda _argv, given: given.upper()).converse(["agent"])
        talk.send(b"one\n")
        assert talk.receive_line() == b"ONE\n"
        talk.send(b"two\nthree\n")
        assert talk.receive_line() == b"TWO\n"
        assert talk.finish().stdout == b"THREE\n"

    def test_converse_ended(self):
        """A dialogue without a further line has ended."""
        talk = FakeHost("vm0", lambda *_: (1, "", "no python")).converse(["agent"])
        with pytest.raises(TransportError, match="no python"):
            talk.receive_line()


class TestSlots:
    """The bound of a connection's channels."""

    def test_bound(self):
        """No more slots are given than the bound allows, and a released one is given again."""
        slots = Slots(2)
        assert slots.take(0)
        slots.opened()
        assert slots.take(0)
        assert not slots.take(0.01)
        slots.release()
        assert slots.take(0)

    def test_refusals_lower_the_bound(self):
        """Of eight that ask at once, a server that grants two leaves a bound of two."""
        slots = Slots(8)
        for _ in range(8):
            assert slots.take(0)
        for _ in range(2):
            slots.opened()
        assert [slots.refused() for _ in range(6)] == [False] * 6
        assert slots.limit == 2
        assert not slots.take(0)

    def test_refused_alone(self):
        """A refusal while nothing is open is reported as such, and one may still be asked for."""
        slots = Slots(8)
        assert slots.take(0)
        assert slots.refused()
        assert slots.limit == 1
        assert slots.take(0)

    def test_a_refusal_is_no_last_word(self, monkeypatch):
        """While the only channel is held on and on, one more is tried; a server that refuses it again is believed."""
        monkeypatch.setattr(slots_module, "AGAIN", 0.01)
        slots = Slots(8)
        assert slots.take(0)
        slots.opened()  # as the lock, which is held for the whole run
        assert slots.take(0)
        assert not slots.refused()  # the server still counted the channel before
        assert slots.limit == 1
        assert slots.take(5)
        assert not slots.refused()
        assert slots.limit == 1
        assert slots.take(5)
        slots.opened()
        assert slots.limit == 2
        slots.release()
        assert slots.take(0)

    def test_the_bound_stays(self, monkeypatch):
        """However long one waits, no more is tried than was allowed in the first place."""
        monkeypatch.setattr(slots_module, "AGAIN", 0.01)
        slots = Slots(1)
        assert slots.take(0)
        slots.opened()
        assert not slots.take(0.1)
        assert slots.limit == 1

    def test_waiting(self):
        """Who waits is woken by a release."""
        slots = Slots(1)
        slots.take(0)
        slots.opened()
        threading.Timer(0.05, slots.release).start()
        assert slots.take(5)

    def test_room_is_made(self):
        """Who finds no slot has room made, and until there is one it can be seen that one is wanted."""
        seen = []

        def make_room():
            seen.append(slots.wanted)
            slots.release()

        slots = Slots(1, make_room)
        assert slots.take(0)
        slots.opened()
        assert (seen, slots.wanted) == ([], False)
        assert slots.take(0)
        assert (seen, slots.wanted) == ([True], False)


CAT = ("cat",)


@pytest.fixture
def cat():
    """A program that waits for its input, and is closed in the end."""
    program = LocalProcess(CAT)
    yield program
    program.close()


class TestKept:
    """Programs that wait for their next use."""

    def test_used_again(self, cat):
        """A program that runs is handed out once."""
        kept = Kept()
        assert kept.take(CAT) is None
        kept.put(CAT, cat)
        assert kept.take(("dog",)) is None
        assert kept.take(CAT) is cat
        assert kept.take(CAT) is None
        assert cat.wait(0) is None

    def test_ended(self, cat):
        """A program that has ended since is no use, and neither is one that has said something."""
        kept = Kept()
        kept.put(CAT, cat)
        cat.close_input()
        assert cat.wait(5) == 0
        assert kept.take(CAT) is None
        talking = LocalProcess(["sh", "-c", "echo x; exec cat"])
        assert talking.receive(5) == (b"x\n", b"")
        talking.write(b"y\n", 5)
        time.sleep(0.2)
        kept.put(CAT, talking)
        assert kept.take(CAT) is None
        assert talking.wait(5) == 137

    def test_dropped(self, cat):
        """What is dropped ends."""
        kept = Kept()
        kept.put(CAT, cat)
        kept.drop()
        assert cat.wait(5) == 137
        assert kept.take(CAT) is None

    def test_only_one(self, cat):
        """A second program of the same arguments takes the place of the first, which ends."""
        kept, other = Kept(), LocalProcess(CAT)
        kept.put(CAT, cat)
        kept.put(CAT, other)
        assert cat.wait(5) == 137
        assert kept.take(CAT) is other
        other.close()

    def test_started_ahead(self, cat):
        """Who wants a program that is just being started waits for it."""
        kept, go = Kept(), threading.Event()
        kept.start(CAT, lambda: cat if go.wait(5) else None)
        threading.Timer(0.1, go.set).start()
        assert kept.take(CAT) is cat

    def test_dropped_before_it_started(self, cat):
        """What is dropped while it is being started ends as soon as it has started, and nobody waits for that."""
        kept, go = Kept(), threading.Event()
        kept.start(CAT, lambda: cat if go.wait(5) else None)
        kept.drop()
        assert kept.take(CAT) is None
        assert cat.wait(0) is None
        go.set()
        assert cat.wait(5) == 137

    def test_not_started(self):
        """A program that could not be started is none; dropping it is no error."""

        def start():
            raise ConnectError("vm0", "no route")

        kept = Kept()
        kept.start(CAT, start)
        assert kept.take(CAT) is None
        kept.start(CAT, start)
        kept.drop()
