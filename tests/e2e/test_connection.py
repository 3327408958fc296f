"""Labs behind SSH connections that do not come about, are cut off, or are lost in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.faults import PORT, docker_replaced, link, listens, reached, second_sshd, sshd_stopped
from support.lab_hosts import ROOT, wait_for, write
from support.sshd import agent, keygen

HOSTS = "hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}\n"
LAB = f"""\
name: wire
{HOSTS}networks: {{net: {{subnet: 172.31.1.0/24}}, far: {{subnet: 172.31.2.0/24}}}}
containers:
  near1: {{host: vm0, image: dockerlab/node, networks: [net]}}
  near2: {{host: vm0, image: dockerlab/node, networks: [net]}}
  far1: {{host: vm1, image: dockerlab/node, networks: [far]}}
"""
PASSWORD = "correct-horse-battery"


@pytest.fixture
def path(tmp_path):
    return write(tmp_path, LAB)


@pytest.fixture
def where(lab, tmp_path):
    """Write an inventory of vm0 and a vm1 at another address, with other host keys, or with no key to log in."""

    def make(vm1=None, *, known=None, key=True):
        vm0, far = (f"ssh://root@{lab.state.host(name).address}" for name in lab.names)
        lines = [f"hosts: {{vm0: {vm0}, vm1: {vm1 or far}}}"]
        lines += [f"identity_file: {lab.state.identity_file if key is True else key}"] if key else []
        recorded = tmp_path / "known_hosts"
        own = lab.state.known_hosts.read_text()
        recorded.write_text((own if known is None else known) + own.replace("192.168.22.62", f"[192.168.22.62]:{PORT}"))
        lines.append(f"known_hosts: {recorded}")
        return write(tmp_path, "\n".join(lines) + "\n", "inventory.yaml")

    return make


def vm0_line(lab):
    return "".join(line for line in lab.state.known_hosts.read_text().splitlines(keepends=True) if ".61 " in line)


def up(lab, path, *words, **variables):
    return lab.call("up", path, "--no-verify", *words, **variables)


def made_once(lab, host, name):
    """Tell that there is exactly one container of a name, and that it runs."""
    listed = lab.docker(host, "ps", "--all", "--format", "{{.Names}} {{.State}}").splitlines()
    assert [line for line in listed if line.split()[0] == name] == [f"{name} running"]


def test_unknown_host_key(lab, path, where):
    """An unknown key on one host: refused with its fingerprint and the fix, nothing made anywhere; the fix works."""
    inventory = where(known=vm0_line(lab))
    outcome = up(lab, path, "--inventory", inventory)
    fix = f"ssh-keyscan -t ed25519 192.168.22.62 >> {path.parent}/known_hosts"
    assert outcome.rc == 4
    assert "vm1: the host key of root@192.168.22.62 is not known: ssh-ed25519 SHA256:" in outcome.stderr
    assert fix in outcome.stderr
    assert lab.left() == []
    subprocess.run(["sh", "-c", fix], check=True, capture_output=True)
    assert up(lab, path, "--inventory", inventory, "--dry-run").rc == 0


@pytest.mark.parametrize(("kind", "message"), [("ed25519", "HAS CHANGED"), ("rsa", "key type mismatch")])
def test_another_host_key(lab, path, where, tmp_path, kind, message):
    """A changed key, or one of another type than the recorded one, is a failure that says which, also on accept-new."""
    blob = Path(f"{keygen(tmp_path / 'other', kind)}.pub").read_text().split()[:2]
    inventory = where(known=f"{vm0_line(lab)}192.168.22.62 {' '.join(blob)}\n")
    outcome = up(lab, path, "--inventory", inventory, "--accept-new-host-keys")
    assert outcome.rc == 4
    assert f"vm1: the host key of root@192.168.22.62 {message}" in outcome.stderr or f"vm1: {message}" in outcome.stderr
    assert "attack" not in outcome.stderr
    assert lab.left() == []


def lenient(lab, **settings):
    """Return settings with which failed logins are not held against us by servers that do so."""
    knows = lab.run("vm1", "/usr/sbin/sshd", "-t", "-o", "PerSourcePenalties=no").returncode == 0
    return settings | ({"PerSourcePenalties": "no"} if knows else {})


def test_logins_that_fail(lab, path, where, tmp_path):
    """A locked key, too many agent keys, a wrong password: a line of cause for the host, and no secret in it."""
    locked = keygen(tmp_path / "locked", passphrase="open sesame")
    refused = "vm1: authentication failed: root@192.168.22.62:2222 "
    keys = [keygen(tmp_path / f"key{number}") for number in range(8)]
    (lab.home / ".ssh").mkdir(exist_ok=True)
    config = lab.home / ".ssh/config"
    with second_sshd(lab, "vm1", **lenient(lab, PasswordAuthentication="yes", PermitRootLogin="yes")) as vm1:
        outcomes = [up(lab, path, "--inventory", where(vm1, key=locked))]
        outcomes.append(up(lab, path, "--inventory", where(vm1, key=keys[0]), DOCKERLAB_SSH_PASSWORD=PASSWORD))
        config.write_text(f"Host 192.168.22.61\n IdentityFile {lab.state.identity_file}\n IdentitiesOnly yes\n")
        try:
            with agent(tmp_path, keys) as sock:
                outcomes.append(up(lab, path, "--inventory", where(vm1, key=None), SSH_AUTH_SOCK=sock))
        finally:
            config.unlink()
    causes = ["locked by a passphrase: unlock it with ssh-add", "password in DOCKERLAB_SSH_PASSWORD",
              "closed the connection after 6 attempts"]  # fmt: skip
    for outcome, cause in zip(outcomes, causes, strict=True):
        assert outcome.rc == 4
        lines = [line for line in outcome.stderr.splitlines() if refused in line]
        assert len(lines) == 1, outcome.stderr
        assert cause in lines[0]
        assert "sesame" not in outcome.stderr + outcome.stdout
        assert PASSWORD not in outcome.stderr + outcome.stdout
    assert lab.left() == []


def with_password(lab):
    """Give vm1's root a password, which its overlay keeps from this machine."""
    made = subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True).stdout
    lab.sh("vm1", f"cp /etc/shadow /run/shadow; sed -i 's|^root:[^:]*:|root:{made.strip()}:|' /etc/shadow")


def without_password(lab):
    lab.sh("vm1", "cat /run/shadow > /etc/shadow; rm /run/shadow")


KEYRING = "def get_password(service, who): return {who!r} == who and service == 'dockerlab' and {password!r} or None\n"


def test_passwords(lab, path, where, tmp_path):
    """A password comes from the environment, the keyring or a terminal, and shows up nowhere."""
    wrong = keygen(tmp_path / "wrong")
    settings = lenient(lab, PasswordAuthentication="yes", PermitRootLogin="yes")
    (tmp_path / "ring").mkdir()
    kept = KEYRING.format(who=f"root@192.168.22.62:{PORT}", password=PASSWORD)
    (tmp_path / "ring/keyring.py").write_text(kept)
    lab.run("vm0", "sh", "-c", "cat >>/root/.ssh/authorized_keys", text=Path(f"{wrong}.pub").read_text())
    with_password(lab)
    try:
        with second_sshd(lab, "vm1", **settings) as vm1:
            inventory = where(vm1, key=wrong)
            words = ("--inventory", inventory, "--verbose")
            with lab.start("up", path, "--no-verify", *words, DOCKERLAB_SSH_PASSWORD=PASSWORD) as process:
                listed = [subprocess.run(["ps", "axww"], check=True, capture_output=True, text=True).stdout]
                while process.poll() is None:
                    listed.append(subprocess.run(["ps", "axww"], check=True, capture_output=True, text=True).stdout)
                    time.sleep(0.1)
                said = process.stderr.read() + process.stdout.read()
            assert process.returncode == 0, said
            assert PASSWORD not in said + "".join(listed)
            assert lab.call("down", path, "--inventory", inventory, PYTHONPATH=str(tmp_path / "ring")).rc == 0
            typed = ["setsid", "--ctty", "--wait", *lab.argv("up", path, "--dry-run", "--inventory", inventory)]
            assert "root@192.168.22.62:2222's password: " in at_a_terminal(typed, lab.environment(), PASSWORD)
            without = up(lab, path, "--dry-run", "--inventory", inventory)
            assert (without.rc, "vm1: authentication failed" in without.stderr) == (4, True)
    finally:
        without_password(lab)
        lab.sh("vm0", "sed -i '$d' /root/.ssh/authorized_keys")


def at_a_terminal(argv, environment, answer):
    """Run a program on a terminal of its own, answer its one question, expect success, and return what it showed."""

    ours, its = os.openpty()
    with subprocess.Popen(argv, cwd=ROOT, env=environment, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        try:
            while b"password: " not in shown:
                shown += os.read(ours, 1000)
            os.write(ours, f"{answer}\n".encode())
            while True:
                shown += os.read(ours, 1000)
        except OSError:  # the other end is closed: the program has ended
            process.wait(timeout=30)
        finally:
            os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode()


def test_few_sessions(lab, path, where):
    """A server that gives two sessions takes a whole lab, and gives it back."""
    with second_sshd(lab, "vm1", MaxSessions="2") as vm1:
        inventory = where(vm1)
        outcome = lab.call("up", path, "--inventory", inventory)
        assert outcome.rc == 0, outcome.stderr + outcome.stdout
        assert lab.call("down", path, "--inventory", inventory).rc == 0


def test_one_session(lab, path, where):
    """Of a server that gives one session it is said soon that a change needs two, and where that is set."""
    with second_sshd(lab, "vm1", MaxSessions="1") as vm1:
        begun = time.monotonic()
        outcome = lab.call("up", path, "--inventory", where(vm1))
        assert (outcome.rc, time.monotonic() - begun < 60) == (4, True), outcome.stderr
        assert "vm1: " in outcome.stderr
        assert "the only channel that the server grants was busy" in outcome.stderr
        assert "raise MaxSessions in the server's sshd_config" in outcome.stderr
        assert lab.left() == []


def test_several_runs_and_one_login_at_a_time(lab, path, where):
    """A server that lets one log in at a time turns runs away that come together; each of them gets in."""
    with second_sshd(lab, "vm1", MaxStartups="1") as vm1:
        inventory = where(vm1)
        runs = [lab.start("up", path, "--dry-run", "--inventory", inventory) for _ in range(4)]
        said = [run.communicate(timeout=120)[1] for run in runs]
        assert [run.returncode for run in runs] == [0] * 4, said


def test_locked_out(lab, path, where, tmp_path):
    """A server that has locked our address out for a while is quoted, with that cause first."""
    settings = {"PerSourcePenalties": "authfail:60s min:1s"}
    if lab.run("vm1", "/usr/sbin/sshd", "-t", "-o", "PerSourcePenalties=authfail:60s min:1s").returncode:
        pytest.skip("this sshd has no PerSourcePenalties, which came with OpenSSH 9.8")
    with second_sshd(lab, "vm1", **settings) as vm1:
        wrong = where(vm1, key=keygen(tmp_path / "wrong"))
        assert up(lab, path, "--dry-run", "--inventory", wrong).rc == 4
        outcome = up(lab, path, "--dry-run", "--inventory", where(vm1))
        assert outcome.rc == 4
        said = "turned us away 8 times (Not allowed at this time): it has locked this machine's address out for a while"
        assert f"vm1: banner: root@192.168.22.62:2222 {said}" in outcome.stderr
        assert "(PerSourcePenalties)" in outcome.stderr


def test_no_banner(lab, path, where):
    """A server that accepts and stays silent costs the connect timeout, and the message names the phase."""
    (lab.home / ".ssh").mkdir(exist_ok=True)
    config = lab.home / ".ssh/config"
    config.write_text(f"Host *\n ConnectTimeout 2\n IdentityFile {lab.state.identity_file}\n IdentitiesOnly yes\n")
    silent = f"import socket, time; listener = socket.create_server(('', {PORT})); time.sleep(60)"
    lab.sh("vm1", f'python3 -c "{silent}" >/dev/null 2>&1 & echo $! >/run/silent')
    try:
        wait_for(lambda: listens("192.168.22.62", PORT))
        start = time.monotonic()
        outcome = up(lab, path, "--inventory", where(f"ssh://root@192.168.22.62:{PORT}", key=None))
        assert time.monotonic() - start < 20
    finally:
        lab.sh("vm1", "kill $(cat /run/silent); rm /run/silent")
        config.unlink()
    assert outcome.rc == 4
    assert (
        "vm1: banner: 192.168.22.62 port 2222 accepts connections but sent no SSH banner within 2 s" in outcome.stderr
    )
    assert lab.left() == []


@pytest.mark.parametrize("what", ["nothing", "half", "all"])
def test_lost_during_docker_run(lab, path, what):
    """A connection that dies under a `docker run`, whatever that has done: the host is asked, then `up` goes on."""
    done = {
        "nothing": "",
        "half": 'shift; [ "$1" = --detach ] && shift; /run/docker.real create "$@" >/dev/null',
        "all": '/run/docker.real "$@" >/dev/null',
    }
    script = f"""
if [ "$1" = run ] && mkdir /run/at.run 2>/dev/null; then
    {done[what]}
    kill -9 $(session)
    sleep 1
    exit 1
fi
exec /run/docker.real "$@"
"""
    with docker_replaced(lab, "vm1", script):
        outcome = up(lab, path, "--sandbox")
    assert outcome.rc == 0, outcome.stderr
    assert "lost       container far1 on vm1: waiting for vm1, to see what came of it" in outcome.stderr
    made_once(lab, "vm1", "far1")
    lab.down("wire")


@pytest.mark.parametrize("seconds", [5, 28])
def test_link_lost_during_docker_run(lab, path, seconds):
    """A link that swallows everything under a `docker run`: a short gap passes, after a long one the host is asked."""
    script = """
if [ "$1" = run ] && mkdir /run/at.run 2>/dev/null; then
    while ! [ -e /run/at.cut ]; do sleep 0.1; done
fi
exec /run/docker.real "$@"
"""
    with docker_replaced(lab, "vm1", script), lab.start("up", path, "--sandbox", "--no-verify") as process:
        reached(lab, "vm1", "run")
        link("vm1", "down")
        try:
            lab.sh("vm1", "touch /run/at.cut")
            time.sleep(seconds)
        finally:
            link("vm1", "up")
        out, said = process.communicate(timeout=180)
    assert process.returncode == 0, said + out
    lost = "lost       container far1 on vm1" in said
    assert lost == (seconds > 20), said
    made_once(lab, "vm1", "far1")
    # The lost session's lock goes by itself: its host lets go when it has heard nothing for a minute.
    wait_for(lambda: lab.call("down", "wire", "--sandbox").rc == 0, 80)


def test_server_dies_during_up(lab, path):
    """The SSH server of one host dies for good in `up`: the other's part is known, exit 4; `down` completes both."""
    script = """
if [ "$1" = run ]; then
    touch /run/dockerlab/sshd.stopped
    kill -9 $(cat /run/sshd.pid) $(session)
    sleep 1
fi
exec /run/docker.real "$@"
"""
    with sshd_stopped(lab, "vm1"):
        with docker_replaced(lab, "vm1", script):
            outcome = up(lab, path, "--sandbox")
        assert outcome.rc == 4, outcome.stderr
        assert "vm1: " in outcome.stderr
        assert "whether it took effect is not known" in outcome.stderr
        assert lab.docker("vm0", "ps", "--all", "--quiet") == ""
        assert "network net" not in lab.found("vm0")
    lab.down("wire")
    assert lab.left() == []


BIG = """
import resource, sys
from dockerlab.hosts.address import SshOptions, parse_address
from dockerlab.hosts.ssh import SshHost
host = SshHost("vm0", parse_address(sys.argv[1]), SshOptions(identity_file=sys.argv[2], known_hosts=sys.argv[3]))
try:
    result = host.run(["sh", "-c", "head -c 50000000 /dev/zero >&2 & head -c 50000000 /dev/zero; wait"])
finally:
    host.close()
print(result.rc, len(result.stdout), len(result.stderr), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_much_output(lab):
    """50 MB on both streams arrive whole, and take their own size in memory twice, not more."""
    options = [f"ssh://root@{lab.state.host('vm0').address}", lab.state.identity_file, lab.state.known_hosts]
    argv = [sys.executable, "-c", BIG, *map(str, options)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100)
    rc, out, err, megabytes = map(int, done.stdout.split())
    assert (rc, out, err) == (0, 50_000_000, 50_000_000)
    assert megabytes < 350
