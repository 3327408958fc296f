"""One suite for every host that really runs programs: subclass it and give a `host` fixture."""

import sys
import threading
import time

import pytest

from dockerlab.errors import DeadlineExceeded, HostError, TransportError, UsageError

NASTY = [
    "two words",
    "",
    "'single' \"double\" `back`",
    "line one\nline two\n",
    "$(touch canary) ${HOME} $x",
    "a;b&c|d>e<f",
    "--privileged",
    "*?[a-z]{1,2}~!#",
    "\\n\\\\",
    "ünïcödé 網路 🦆",
    "\ttab\rreturn\x1b[0m",
]

ECHO = "import sys; [sys.stdout.buffer.write(a.encode('utf-8', 'surrogateescape') + b'\\0') for a in sys.argv[1:]]"


def python(code, *arguments):
    """Return the command that runs code in an interpreter of its own."""
    return [sys.executable, "-c", code, *arguments]


class HostContract:
    """What holds for every host."""

    def test_success(self, host):
        """A program's output and exit code 0 come back, with its duration."""
        result = host.run(["echo", "hello"])
        assert (result.rc, result.stdout, result.stderr) == (0, b"hello\n", b"")
        assert result.argv == ("echo", "hello")
        assert 0 < result.seconds < 10

    def test_exit_code(self, host):
        """A non-zero exit code is a result."""
        result = host.run(python("import sys; sys.stderr.write('no'); sys.exit(42)"))
        assert (result.rc, result.error) == (42, "no")

    def test_exit_code_255(self, host):
        """Exit code 255, which ssh itself uses for a lost connection, is a result too."""
        assert host.run(python("import sys; sys.exit(255)")).rc == 255

    def test_missing_program(self, host):
        """A program that does not exist is a result with exit code 127 and a reason."""
        result = host.run(["no-such-program-anywhere", "x"])
        assert result.rc == 127
        assert "not found" in result.error

    def test_program_that_may_not_run(self, host, tmp_path):
        """A file that is not executable is a result with exit code 126."""
        (tmp_path / "plain").write_text("echo hello")
        assert host.run([str(tmp_path / "plain")]).rc == 126

    @pytest.mark.parametrize("argument", NASTY)
    def test_quoting(self, host, argument):
        """Whatever an argument contains, the program receives exactly that."""
        assert host.run(python(ECHO, argument, "end")).stdout == argument.encode() + b"\0end\0"

    def test_all_nasty_at_once(self, host):
        """Many nasty arguments keep their number and order."""
        assert host.run(python(ECHO, *NASTY)).stdout.split(b"\0")[:-1] == [a.encode() for a in NASTY]

    @pytest.mark.parametrize("argv", [[], ["echo", "a\0b"]])
    def test_impossible_arguments(self, host, argv):
        """An empty command and a NUL byte are refused before anything runs."""
        with pytest.raises(UsageError):
            host.run(argv)

    def test_input_bytes(self, host):
        """Input that is larger than every pipe arrives whole."""
        data = bytes(range(256)) * 20000
        assert host.run(["cat"], input=data).stdout == data

    def test_input_iterator(self, host):
        """Input may come in pieces."""
        assert host.run(["cat"], input=(b"%d\n" % n for n in range(1000))).stdout.count(b"\n") == 1000

    def test_no_input(self, host):
        """Without input, a program reads the end at once."""
        assert host.run(["cat"]).stdout == b""

    def test_input_nobody_reads(self, host):
        """A program that does not read its input is no error."""
        assert host.run(["true"], input=b"x" * 10**7).rc == 0

    def test_input_that_fails(self, host):
        """An error of the caller's iterator comes to the caller, and the program does not stay."""

        def pieces():
            yield b"x"
            raise LookupError("the source broke")

        with pytest.raises(LookupError, match="the source broke"):
            host.run(["cat"], input=pieces(), timeout=10)

    def test_much_output(self, host):
        """50 MB on both streams at once arrive without a deadlock."""
        code = """if True:
            import os
            for _ in range(800):
                os.write(1, b"o" * 65536) ; os.write(2, b"e" * 65536)"""
        result = host.run(python(code), timeout=100)
        assert (result.rc, len(result.stdout), len(result.stderr)) == (0, 800 * 65536, 800 * 65536)

    def test_too_much_output(self, host):
        """A program that never stops writing is stopped with an error, in bounded memory."""
        with pytest.raises(HostError, match="wrote more than 64 MiB to its standard output"):
            host.run(["yes"], timeout=100)

    def test_deadline(self, host):
        """A program that does not end in time is an error that names it."""
        start = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"`sleep 60` did not end within 0\.5 s"):
            host.run(["sleep", "60"], timeout=0.5)
        assert time.monotonic() - start < 10

    def test_deadline_while_writing(self, host):
        """The deadline holds too for a program that writes all the time and for input that nobody reads."""
        with pytest.raises(DeadlineExceeded):
            host.run(python("import time\nwhile True: print('x', flush=True); time.sleep(.01)"), timeout=0.5)
        with pytest.raises(DeadlineExceeded):
            host.run(["sleep", "60"], input=b"x" * 10**7, timeout=0.5)

    def test_usable_after_a_deadline(self, host):
        """A missed deadline leaves the host usable."""
        with pytest.raises(DeadlineExceeded):
            host.run(["sleep", "60"], timeout=0.2)
        assert host.run(["echo", "again"]).stdout == b"again\n"

    def test_many_at_once(self, host):
        """More commands at once than there are channels all succeed."""
        results = {}
        threads = [
            threading.Thread(target=lambda n=n: results.update({n: host.run(["echo", str(n)]).text})) for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {n: f"{n}\n" for n in range(20)}

    def test_converse(self, host):
        """A dialogue goes line by line, and its rest comes with the exit code."""
        code = """if True:
            import sys
            for line in sys.stdin:
                print(line.strip().upper(), flush=True)
            print("bye"); sys.stderr.write("done"); sys.exit(3)"""
        talk = host.converse(python(code))
        for word in (b"one", b"two"):
            talk.send(word + b"\n")
            assert talk.receive_line() == word.upper() + b"\n"
        result = talk.finish()
        assert (result.rc, result.stdout, result.stderr) == (3, b"bye\n", b"done")

    def test_converse_with_the_dead(self, host):
        """Reading from a program that has ended raises with its standard error."""
        talk = host.converse(python("import sys; print('first'); sys.exit('out of order')"))
        assert talk.receive_line() == b"first\n"
        with pytest.raises(TransportError, match=r"ended with exit code 1 .*: out of order"):
            talk.receive_line()

    def test_converse_missing_program(self, host):
        """A dialogue with a program that does not exist says so."""
        talk = host.converse(["no-such-program-anywhere"])
        with pytest.raises(TransportError, match=r"127.*not found"):
            talk.receive_line()

    def test_converse_deadline(self, host):
        """A program that does not answer in time ends the dialogue."""
        talk = host.converse(["sleep", "60"], timeout=0.3)
        with pytest.raises(DeadlineExceeded):
            talk.receive_line()

    def test_converse_both_full(self, host):
        """Sending much to a program that writes much before it reads does not deadlock."""
        code = "import sys; sys.stdout.write('x' * 4000000 + '\\n'); sys.stdout.flush(); print(len(sys.stdin.read()))"
        talk = host.converse(python(code), timeout=30)
        talk.send(b"y" * 4000000)
        assert len(talk.receive_line()) == 4000001
        assert talk.finish().stdout == b"4000000\n"

    def test_converse_abort(self, host):
        """A dialogue can be dropped at any time, twice too, and leaves its channel free."""
        for _ in range(12):
            talk = host.converse(["cat"])
            talk.send(b"x\n")
            assert talk.receive_line() == b"x\n"
            talk.abort()
            talk.abort()

    def test_stream(self, host):
        """Standard output can be had in chunks while standard error does not disturb."""
        code = "import os\nfor _ in range(100): os.write(1, b'o' * 65536); os.write(2, b'e' * 6553)"
        assert sum(map(len, host.stream(python(code)))) == 100 * 65536

    def test_stream_failure(self, host):
        """A stream whose program fails raises its standard error."""
        with pytest.raises(HostError, match="failed with exit code 7: disk full"):
            list(host.stream(python("import sys; print('x'); sys.stderr.write('disk full'); sys.exit(7)")))

    def test_stream_abandoned(self, host):
        """A stream may be left half read, and the host stays usable."""
        for _ in range(10):
            chunks = host.stream(["yes"])
            assert next(chunks).startswith(b"y\n")
            chunks.close()
        assert host.run(["true"]).ok

    def test_from_host_to_host(self, host):
        """One host's stream can be another's input."""
        assert (
            host.run(["wc", "-c"], input=host.stream(["head", "-c", "3000000", "/dev/zero"])).text.strip() == "3000000"
        )

    def test_close_twice(self, host):
        """Closing is safe to repeat."""
        host.run(["true"])
        host.close()
        host.close()
