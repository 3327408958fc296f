"""Hosts behind SSH, on throw-away servers of this machine."""

import contextlib
import getpass
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.host_contract import HostContract, python
from support.sshd import SSHD, Sshd, agent, free_port, keygen

from dockerlab.errors import ConnectError, DeadlineExceeded, HostKeyError, TransportError
from dockerlab.hosts import ssh
from dockerlab.hosts.address import SshOptions, parse_address
from dockerlab.hosts.ssh import SshHost

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path(SSHD).exists(), reason="no sshd is installed (openssh-server)"),
]


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """The key that every server here lets in."""
    return keygen(tmp_path_factory.mktemp("key") / "id")


@pytest.fixture(scope="module")
def server(tmp_path_factory, key):
    with Sshd(tmp_path_factory.mktemp("sshd"), authorized=key) as server:
        yield server


@pytest.fixture
def known(tmp_path, server):
    """A known_hosts file that has the server."""
    file = tmp_path / "known_hosts"
    file.write_text(server.known_line())
    return file


@pytest.fixture
def make(key, known):
    """Make hosts and close them afterwards."""
    hosts = []

    def make_host(where, **options):
        given = {"identity_file": str(key), "known_hosts": str(known), **options}
        channels = given.pop("channels", 8)
        host = SshHost("vm0", parse_address(getattr(where, "url", where)), SshOptions(**given), channels=channels)
        hosts.append(host)
        return host

    yield make_host
    for host in hosts:
        host.close()


def at_once(host, count, argv=("echo", "x")):
    """Run a command several times at once and return the results or errors."""
    outcomes = []

    def run():
        try:
            outcomes.append(host.run(argv))
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


class TestSshHost(HostContract):
    """A host behind SSH keeps the contract."""

    @pytest.fixture
    def host(self, make, server):
        return make(server)

    def test_address(self, host):
        """The host's address is the one it is reached under."""
        assert (host.name, host.address, host.channels) == ("vm0", "127.0.0.1", 8)

    def test_one_connection(self, make, tmp_path, key, known):
        """Many commands share one connection."""
        with Sshd(tmp_path / "sshd", authorized=key) as server:
            known.write_text(server.known_line())
            host = make(server)
            for _ in range(2):
                assert [outcome.rc for outcome in at_once(host, 10)] == [0] * 10
                assert len(server.children()) == 1


class TestHostKeys:
    """Who the server is."""

    def test_unknown(self, make, server, known):
        """An unknown key is refused with its fingerprint, the ways to accept it, and nothing run or recorded."""
        known.write_text("")
        shown = subprocess.run(
            ["ssh-keygen", "-lf", f"{server.host_key}.pub"], check=True, capture_output=True, text=True
        ).stdout.split()[1]
        with pytest.raises(HostKeyError) as error:
            make(server).run(["true"])
        message = str(error.value)
        assert shown.startswith("SHA256:")
        assert f"ssh-ed25519 {shown}" in message
        assert f"ssh-keyscan -t ed25519 -p {server.port} 127.0.0.1 >> {known}" in message
        assert "--accept-new-host-keys" in message
        assert known.read_text() == ""

    def test_keyscan_line_works(self, make, server, known):
        """The command that the message gives makes the host known."""
        scan = ["ssh-keyscan", "-t", "ed25519", "-p", str(server.port), "127.0.0.1"]
        known.write_text(subprocess.run(scan, check=True, capture_output=True, text=True).stdout)
        assert make(server).run(["true"]).ok

    def test_accept_new(self, make, server, known):
        """On demand a new key is recorded on a line of its own, and is then known."""
        known.write_text("# no newline at the end")
        assert make(server, accept_new_host_keys=True).run(["true"]).ok
        assert known.read_text() == f"# no newline at the end\n{server.known_line()}"
        assert make(server).run(["true"]).ok

    @pytest.mark.parametrize("accept", [False, True])
    def test_changed(self, make, server, known, tmp_path, accept):
        """A changed key is a hard failure that names the line, also where new keys are accepted."""
        other = keygen(tmp_path / "other")
        blob = Path(f"{other}.pub").read_text().split()[1]
        known.write_text(f"# first line\n[127.0.0.1]:{server.port} ssh-ed25519 {blob}\n")
        with pytest.raises(HostKeyError, match="HAS CHANGED") as error:
            make(server, accept_new_host_keys=accept).run(["true"])
        assert f"{known}:2" in str(error.value)
        assert f"ssh-keygen -f {known} -R '[127.0.0.1]:{server.port}'" in str(error.value)
        assert "attack" not in str(error.value)

    def test_changed_then_removed(self, make, server, known, tmp_path):
        """The command that the message gives takes the old key out."""
        blob = Path(f"{keygen(tmp_path / 'other')}.pub").read_text().split()[1]
        known.write_text(f"[127.0.0.1]:{server.port} ssh-ed25519 {blob}\n")
        forget = ["ssh-keygen", "-f", str(known), "-R", f"[127.0.0.1]:{server.port}"]
        subprocess.run(forget, check=True, capture_output=True)
        assert make(server, accept_new_host_keys=True).run(["true"]).ok

    @pytest.mark.parametrize("accept", [False, True])
    def test_other_type(self, make, server, known, tmp_path, accept):
        """Where only a key of another type is known, the message says so and nothing of an attack."""
        blob = Path(f"{keygen(tmp_path / 'rsa', 'rsa')}.pub").read_text().split()[1]
        known.write_text(f"[127.0.0.1]:{server.port} ssh-rsa {blob}\n")
        with pytest.raises(HostKeyError, match="key type mismatch") as error:
            make(server, accept_new_host_keys=accept).run(["true"])
        assert "ssh-rsa" in str(error.value)
        assert "CHANGED" not in str(error.value)

    @pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
    def test_known_type_is_negotiated(self, make, key, known, tmp_path, kind):
        """A server with several keys is asked for the type that is known."""
        second = keygen(tmp_path / "second", kind)
        extra = {"HostKey ": second}
        with Sshd(tmp_path / "sshd", authorized=key, **extra) as server:
            words = Path(f"{second}.pub").read_text().split()[:2]
            known.write_text(f"[127.0.0.1]:{server.port} {' '.join(words)}\n")
            assert make(server).run(["true"]).ok

    def test_revoked(self, make, server, known):
        """A revoked key is refused although another line has it."""
        known.write_text(server.known_line() + "@revoked " + server.known_line("*"))
        with pytest.raises(HostKeyError, match="revoked"):
            make(server).run(["true"])

    def test_hashed(self, make, server, known):
        """A hashed known_hosts file is understood."""
        subprocess.run(["ssh-keygen", "-H", "-f", str(known)], check=True, capture_output=True)
        assert "127.0.0.1" not in known.read_text()
        assert make(server).run(["true"]).ok


class TestConnecting:
    """What can go wrong before anything runs."""

    def test_refused(self, make):
        """A closed port is named."""
        with pytest.raises(ConnectError, match=r"vm0: TCP: cannot connect to 127.0.0.1 port \d+: Connection refused"):
            make(f"ssh://127.0.0.1:{free_port()}").run(["true"])

    def test_no_name(self, make):
        """A name that does not resolve is named."""
        with pytest.raises(ConnectError, match=r"name: cannot resolve nowhere\.invalid"):
            make("ssh://nowhere.invalid").run(["true"])

    def test_no_banner(self, make):
        """A server that accepts and stays silent fails in time, by the phase's name."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            start = time.monotonic()
            host = make(f"ssh://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=1)
            with pytest.raises(ConnectError, match=r"banner: .* sent no SSH banner within 1 s"):
                host.run(["true"])
            assert time.monotonic() - start < 10

    def test_waiting_share_the_failure(self, make):
        """Several commands that wait for one connection fail together, not one deadline after the other."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            start = time.monotonic()
            host = make(f"ssh://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=1)
            assert all(isinstance(outcome, ConnectError) for outcome in at_once(host, 8))
            assert time.monotonic() - start < 7

    def test_no_ssh(self, make):
        """A server that speaks something else is recognised at once."""
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve():
                stream, _ = listener.accept()
                with stream:
                    stream.sendall(b"HTTP/1.1 400 Bad Request\r\n" * 200)
                    stream.recv(100)

            thread = threading.Thread(target=serve)
            thread.start()
            with pytest.raises(ConnectError, match=r"banner: .* is no SSH server"):
                make(f"ssh://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=3).run(["true"])
            thread.join()

    def test_silent_after_banner(self, make):
        """A server that stops after its banner is told apart by the phase's name."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            taken = []

            def serve():
                stream, _ = listener.accept()
                stream.sendall(b"SSH-2.0-Silent\r\n")
                taken.append(stream)

            thread = threading.Thread(target=serve)
            thread.start()
            host = make(f"ssh://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=1)
            with pytest.raises(ConnectError, match=r"key exchange: .* no answer within 1 s"):
                host.run(["true"])
            thread.join()
            taken[0].close()

    def test_wrong_key(self, make, server, tmp_path):
        """A key that the server does not know is one line, with what was tried and what to do."""
        wrong = keygen(tmp_path / "wrong")
        with pytest.raises(ConnectError, match="authentication failed") as error:
            make(server, identity_file=str(wrong)).run(["true"])
        assert str(wrong) in str(error.value)
        assert "ssh-copy-id" in str(error.value)
        assert "\n" not in str(error.value)

    def test_locked_key(self, make, server, tmp_path):
        """A key with a passphrase is named as locked."""
        locked = keygen(tmp_path / "locked", passphrase="not this one")
        with pytest.raises(ConnectError, match=r"locked by a passphrase.*ssh-add") as error:
            make(server, identity_file=str(locked)).run(["true"])
        assert "not this one" not in str(error.value)

    def test_missing_key(self, make, server, tmp_path):
        """A key file that does not exist is named."""
        with pytest.raises(ConnectError, match=r"absent \(no such file\)"):
            make(server, identity_file=str(tmp_path / "absent")).run(["true"])

    def test_wrong_password(self, make, tmp_path, key, known):
        """A wrong password is one line of cause without the password."""
        with Sshd(tmp_path / "sshd", authorized=key, PasswordAuthentication="yes") as server:
            known.write_text(server.known_line())
            wrong = keygen(tmp_path / "wrong")
            host = make(server, identity_file=str(wrong), password="s3cret-guess")
            with pytest.raises(ConnectError, match="password") as error:
                host.run(["true"])
        assert "s3cret" not in str(error.value) + repr(host.__dict__)

    def test_many_agent_keys(self, make, server, tmp_path, key, monkeypatch):
        """Too many agent keys for the server's patience are named as the cause, and IdentityFile is the way out."""
        config = tmp_path / "config"
        config.write_text("")
        with agent(tmp_path, [keygen(tmp_path / f"key{n}") for n in range(8)]) as sock:
            monkeypatch.setenv("SSH_AUTH_SOCK", sock)
            options = {"identity_file": None, "config_file": str(config)}
            with pytest.raises(ConnectError, match=r"closed the connection after \d attempts.*IdentitiesOnly") as error:
                make(server, **options).run(["true"])
            assert "\n" not in str(error.value)
            config.write_text(f"Host *\n IdentityFile {key}\n IdentitiesOnly yes\n")
            assert make(server, **options).run(["true"]).ok

    def test_agent(self, make, server, tmp_path, key, monkeypatch):
        """A key in the agent is enough; the one that the configuration names is tried before all others."""
        config = tmp_path / "config"
        (tmp_path / "id.pub").write_text(Path(f"{key}.pub").read_text())
        config.write_text(f"Host *\n IdentityFile {tmp_path / 'id'}\n")
        with agent(tmp_path, [*(keygen(tmp_path / f"key{n}") for n in range(8)), key]) as sock:
            monkeypatch.setenv("SSH_AUTH_SOCK", sock)
            assert make(server, identity_file=None, config_file=str(config)).run(["true"]).ok

    def test_explicit_identity_is_the_only_one(self, make, server, tmp_path, key, monkeypatch):
        """With an explicit key the agent does not interfere, neither by many keys nor by the right one."""
        wrong = keygen(tmp_path / "wrong")
        with agent(tmp_path, [*(keygen(tmp_path / f"key{n}") for n in range(8)), key]) as sock:
            monkeypatch.setenv("SSH_AUTH_SOCK", sock)
            assert make(server).run(["true"]).ok
            with pytest.raises(ConnectError, match="authentication failed"):
                make(server, identity_file=str(wrong)).run(["true"])

    def test_max_startups(self, make, tmp_path, key, known):
        """Several connections at once to a server that admits one at a time all succeed."""
        with Sshd(tmp_path / "sshd", authorized=key, MaxStartups="1") as server:
            known.write_text(server.known_line())
            hosts = [make(server) for _ in range(6)]
            outcomes = []
            threads = [threading.Thread(target=lambda h=h: outcomes.append(h.run(["true"]).rc)) for h in hosts]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert outcomes == [0] * 6

    def test_always_dropped(self, make):
        """A server that drops every connection before its banner fails with the probable causes."""
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve():
                with contextlib.suppress(OSError):
                    while True:
                        listener.accept()[0].close()

            threading.Thread(target=serve, daemon=True).start()
            with pytest.raises(ConnectError, match=r"banner: .*without a word.*PerSourcePenalties.*MaxStartups"):
                make(f"ssh://127.0.0.1:{listener.getsockname()[1]}").run(["true"])
            listener.shutdown(socket.SHUT_RDWR)

    @pytest.mark.parametrize(("said", "message"), [
        (b"Exceeded MaxStartups\r\n", r"turned us away 8 times \(Exceeded MaxStartups\): too many others"),
        (b"Not allowed at this time\r\n", r"8 times \(Not allowed at this time\): .*PerSourcePenalties.*MaxStartups"),
    ])  # fmt: skip
    def test_dropped_with_a_word(self, make, said, message):
        """A server that says why it drops a connection is quoted, with what that can mean."""
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve():
                with contextlib.suppress(OSError):
                    while True:
                        stream = listener.accept()[0]
                        stream.recv(100)  # what is not read would make the end a reset, and the word be lost
                        stream.sendall(said)
                        stream.close()

            threading.Thread(target=serve, daemon=True).start()
            with pytest.raises(ConnectError, match=message):
                make(f"ssh://127.0.0.1:{listener.getsockname()[1]}").run(["true"])
            listener.shutdown(socket.SHUT_RDWR)

    def test_password(self, make, tmp_path, key, known):
        """A person is asked once a run, only where a password would be taken, and not where there is nobody to ask."""
        asked = []
        with Sshd(tmp_path / "sshd", authorized=key, PasswordAuthentication="yes") as server:
            known.write_text(server.known_line())
            wrong = keygen(tmp_path / "wrong")
            host = make(server, identity_file=str(wrong), ask=lambda who: asked.append(who) or "s3cret-guess")
            with pytest.raises(ConnectError, match=r"none of these: key .*/wrong; password\.") as error:
                host.run(["true"])
        assert asked == [f"{getpass.getuser()}@127.0.0.1:{server.port}"]
        assert "s3cret" not in str(error.value)

    def test_no_question_in_vain(self, make, tmp_path, server):
        """Where the server takes no passwords nobody is asked for one."""
        asked = []
        with pytest.raises(ConnectError, match="authentication failed"):
            make(server, identity_file=str(keygen(tmp_path / "wrong")), ask=asked.append).run(["true"])
        assert asked == []


class TestChannels:
    """Fewer channels, same result."""

    def test_max_sessions(self, make, tmp_path, key, known):
        """A server with two sessions runs twelve commands at once, two by two."""
        with Sshd(tmp_path / "sshd", authorized=key, MaxSessions="2") as server:
            known.write_text(server.known_line())
            host = make(server)
            outcomes = at_once(host, 12, python("import time; time.sleep(.2)"))
            assert [getattr(o, "rc", o) for o in outcomes] == [0] * 12
            assert 1 <= host.channels <= 2

    def test_one_after_the_other(self, make, tmp_path, key, known):
        """A server with one session takes one command after the other, however quickly they come."""
        with Sshd(tmp_path / "sshd", authorized=key, MaxSessions="1") as server:
            known.write_text(server.known_line())
            host = make(server)
            assert [host.run(["true"]).rc for _ in range(30)] == [0] * 30

    def test_the_only_one_is_held(self, make, tmp_path, key, known, monkeypatch):
        """Where a server grants one session, and that is held, as by a lock, it is said soon, with what to do."""
        monkeypatch.setattr(ssh, "HELD", 1.0)
        with Sshd(tmp_path / "sshd", authorized=key, MaxSessions="1") as server:
            known.write_text(server.known_line())
            host = make(server)
            held = host.converse(["cat"])
            with pytest.raises(ConnectError, match=r"was not started: the only channel .* MaxSessions"):
                host.run(["true"], timeout=60)
            held.send(b"x\n")
            assert held.receive_line() == b"x\n"
            held.abort()
            assert host.run(["true"]).ok

    def test_no_sessions(self, make, tmp_path, key, known):
        """A server that opens no session is an error, not a wait."""
        with Sshd(tmp_path / "sshd", authorized=key, MaxSessions="0") as server:
            known.write_text(server.known_line())
            with pytest.raises(ConnectError, match="opens no session"):
                make(server).run(["true"], timeout=20)


class TestKept:
    """A program that waits for its next use on a channel of its own."""

    CAT = ("cat",)

    def test_used_again(self, make, server):
        """What was started ahead is handed out, and again when it is given back; what has ended is started anew."""
        host = make(server)
        first = host.resume(self.CAT, 5)
        host.keep(self.CAT, first)
        assert host.resume(self.CAT, 5) is first
        first.write(b"x", 5)
        assert first.receive(5) == (b"x", b"")
        host.keep(self.CAT, first)
        first.close_input()
        assert first.wait(5) == 0
        second = host.resume(self.CAT, 5)
        assert second is not first
        second.write(b"y", 5)
        assert second.receive(5) == (b"y", b"")
        second.close()

    @pytest.mark.parametrize("sessions", ["1", "10"])
    def test_makes_room(self, make, tmp_path, key, known, sessions):
        """It gives its channel to whoever finds no other, whether the server says so or the host's own bound."""
        with Sshd(tmp_path / "sshd", authorized=key, MaxSessions=sessions) as server:
            known.write_text(server.known_line())
            host = make(server, channels=8 if sessions == "1" else 1)
            program = host.resume(self.CAT, 5)
            host.keep(self.CAT, program)
            assert host.run(["echo", "x"], timeout=10).stdout == b"x\n"
            assert host.resume(self.CAT, 5) is not program

    def test_not_kept_when_wanted(self, make, server):
        """It is not kept while somebody already waits for its channel."""
        host = make(server, channels=1)
        program = host.resume(self.CAT, 5)
        outcomes = []
        waiting = threading.Thread(target=lambda: outcomes.append(host.run(["echo", "x"], timeout=10)))
        waiting.start()
        time.sleep(0.3)
        host.keep(self.CAT, program)
        waiting.join(5)
        assert [outcome.stdout for outcome in outcomes] == [b"x\n"]

    def test_lost(self, make, tmp_path, key, known):
        """After the connection was lost, another is started on a new one."""
        with Sshd(tmp_path / "sshd", authorized=key) as server:
            known.write_text(server.known_line())
            host = make(server)
            program = host.resume(self.CAT, 5)
            host.keep(self.CAT, program)
            server.kill_children()
            assert host.run(["true"]).ok
            assert host.resume(self.CAT, 5) is not program

    def test_closed(self, make, server):
        """A host that is closed while it begins connects no more."""
        host = make(server)
        host.begin()
        host.close()
        with pytest.raises(ConnectError, match="was closed"):
            host.run(["true"])


class TestLosing:
    """A connection that breaks."""

    def test_dropped_during_a_command(self, make, tmp_path, key, known):
        """A connection that is lost during a command is a TransportError, and the next command connects anew."""
        with Sshd(tmp_path / "sshd", authorized=key) as server:
            known.write_text(server.known_line())
            host = make(server)
            host.run(["true"])
            threading.Timer(0.5, server.kill_children).start()
            with pytest.raises(TransportError, match=r"`sleep 30`: .*whether it took effect is not known"):
                host.run(["sleep", "30"])
            assert host.run(["echo", "again"]).stdout == b"again\n"

    def test_dropped_between_commands(self, make, tmp_path, key, known):
        """A connection that was lost while nothing ran is made anew without a word."""
        with Sshd(tmp_path / "sshd", authorized=key) as server:
            known.write_text(server.known_line())
            host = make(server)
            for _ in range(3):
                assert host.run(["true"]).ok
                server.kill_children()

    def test_server_gone(self, make, tmp_path, key, known):
        """A server that does not come back is a ConnectError: nothing was run."""
        with Sshd(tmp_path / "sshd", authorized=key) as server:
            known.write_text(server.known_line())
            host = make(server)
            host.run(["true"])
        with pytest.raises(ConnectError):
            host.run(["true"])

    def test_dropped_during_a_dialogue(self, make, tmp_path, key, known):
        """A dialogue whose connection is lost ends with a TransportError."""
        with Sshd(tmp_path / "sshd", authorized=key) as server:
            known.write_text(server.known_line())
            talk = make(server).converse(["cat"])
            talk.send(b"x\n")
            assert talk.receive_line() == b"x\n"
            server.kill_children()
            with pytest.raises(TransportError):
                talk.receive_line()

    def test_stopped_server(self, make, tmp_path, key, known):
        """A server that freezes during a command costs the command's deadline, not more."""
        with Sshd(tmp_path / "sshd", authorized=key) as server:
            known.write_text(server.known_line())
            host = make(server)
            host.run(["true"])
            children = server.children()
            try:
                threading.Timer(0.3, lambda: [os.kill(child, 19) for child in children]).start()
                start = time.monotonic()
                with pytest.raises(DeadlineExceeded):
                    host.run(["sleep", "30"], timeout=1.5)
                assert time.monotonic() - start < 7
            finally:
                for child in children:
                    os.kill(child, 18)

    def test_slow_to_open(self, make, tmp_path, key, known, monkeypatch):
        """A server that is too slow to open a channel gets another connection, and what runs on the first one stays."""
        monkeypatch.setattr("dockerlab.hosts.ssh.OPEN_TIMEOUT", 1.0)
        with Sshd(tmp_path / "sshd", authorized=key) as server:
            known.write_text(server.known_line())
            host = make(server)
            talk = host.converse(["cat"])
            talk.send(b"x\n")
            assert talk.receive_line() == b"x\n"
            children = server.children()
            try:
                for child in children:
                    os.kill(child, 19)
                assert host.run(["echo", "other"]).stdout == b"other\n"
            finally:
                for child in children:
                    os.kill(child, 18)
            talk.send(b"y\n")
            assert talk.receive_line() == b"y\n"
            talk.abort()


class TestJump:
    """Through other servers."""

    @pytest.fixture
    def jump(self, tmp_path, key):
        with Sshd(tmp_path / "jump", authorized=key) as jump:
            yield jump

    @pytest.fixture
    def lab(self, make, tmp_path, key, known):
        """Make the host `lab` of a configuration, with the servers that are known."""

        def make_lab(text, *servers):
            known.write_text("".join(server.known_line() for server in servers))
            common = f"Host *\n  IdentityFile {key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n"
            (tmp_path / "config").write_text(text + common)
            return make("lab", config_file=str(tmp_path / "config"), identity_file=None, known_hosts=None)

        return make_lab

    def test_jump(self, lab, server, jump):
        """ProxyJump by an alias leads through another server."""
        text = (
            f"Host bastion\n  HostName 127.0.0.1\n  Port {jump.port}\n"
            f"Host lab\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyJump bastion\n"
        )
        host = lab(text, server, jump)
        assert host.run(["echo", "through"]).stdout == b"through\n"
        assert len(jump.children()) == 1
        host.close()

    def test_chain(self, lab, server, jump, tmp_path, key):
        """ProxyJump may name several servers, which are passed in order."""
        with Sshd(tmp_path / "second", authorized=key) as second:
            text = (
                f"Host lab\n  HostName 127.0.0.1\n  Port {server.port}\n"
                f"  ProxyJump 127.0.0.1:{jump.port},{getpass.getuser()}@127.0.0.1:{second.port}\n"
            )
            host = lab(text, server, jump, second)
            assert at_once(host, 5)[0].stdout == b"x\n"
            assert (len(jump.children()), len(second.children())) == (1, 1)
            host.close()

    @pytest.mark.parametrize("missing", ["jump", "target"])
    def test_keys_at_every_hop(self, lab, server, jump, missing):
        """An unknown key is refused at the jump host as well as behind it."""
        text = f"Host lab\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyJump 127.0.0.1:{jump.port}\n"
        unknown, known = (jump, server) if missing == "jump" else (server, jump)
        with pytest.raises(HostKeyError, match=rf"127\.0\.0\.1:{unknown.port} is not known"):
            lab(text, known).run(["true"])

    def test_target_closed(self, lab, jump):
        """A jump host that cannot reach the host says so."""
        text = f"Host lab\n  HostName 127.0.0.1\n  Port {free_port()}\n  ProxyJump 127.0.0.1:{jump.port}\n"
        with pytest.raises(ConnectError, match=r"jump: the jump host cannot reach 127\.0\.0\.1"):
            lab(text, jump).run(["true"])

    def test_proxy_command(self, lab, server, tmp_path):
        """ProxyCommand gives the stream."""
        script = tmp_path / "relay.py"
        script.write_text(RELAY)
        command = f"exec {sys.executable} {script} %h %p"
        host = lab(f"Host lab\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyCommand {command}\n", server)
        assert host.run(["echo", "through"]).stdout == b"through\n"
        host.close()

    def test_proxy_command_missing(self, lab, server):
        """A ProxyCommand that cannot be started is named."""
        with pytest.raises(ConnectError, match=r"ProxyCommand: cannot start .*no-such-relay"):
            lab("Host lab\n  ProxyCommand no-such-relay %h\n", server).run(["true"])


RELAY = """
import os, socket, sys, threading
stream = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536):
        stream.sendall(data)
threading.Thread(target=up, daemon=True).start()
while data := stream.recv(65536):
    os.write(1, data)
"""
