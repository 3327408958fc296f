"""The reading of a real engine, over its socket and over SSH."""

import io
import shutil
import tarfile
import tempfile
from pathlib import Path

import pytest
from support.dockerd import Dockerd, missing
from support.sshd import SSHD, Sshd, keygen

from dockerlab import engine
from dockerlab.errors import EngineError
from dockerlab.hosts.address import SshOptions, parse_address
from dockerlab.hosts.local import LocalHost
from dockerlab.hosts.ssh import SshHost

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
    pytest.mark.skipif(not Path(SSHD).exists(), reason="no sshd is installed (openssh-server)"),
]


def image():
    """Return a root file system with busybox as a tar archive."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.add(shutil.which("busybox"), "bin/busybox")
        for name in ("sh", "sleep", "echo"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return data.getvalue()


@pytest.fixture(scope="module")
def dockerd():
    """An engine with a lab's network, containers of the lab that run, share and are stopped, and two of strangers."""
    label = ("--label", "dockerlab.lab=x")
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder, Dockerd(folder) as engine_:
        for arguments, given in [
            (("import", "-", "centos"), image()),
            (("network", "create", *label, "--subnet", "10.9.0.0/24", "net"), None),
            (("volume", "create", *label, "receipt"), None),
            (("run", "-d", *label, "--name", "web", "--net", "net", "-p", "8080:80", "centos", "sleep", "999"), None),
            (("run", "-d", "--name", "neighbour", "--net", "net", "centos", "sleep", "999"), None),
            (("run", "-d", "--name", "stranger", "centos", "sleep", "999"), None),
            (("run", "-d", *label, "--name", "owner", "--net", "none", "centos", "sleep", "999"), None),
            (("run", "-d", *label, "--name", "joiner", "--net", "container:owner", "centos", "sleep", "999"), None),
        ]:
            done = engine_.docker(*arguments, given=given)
            assert done.returncode == 0, done.stderr
        failed = ("run", *label, "--name", "dead", "centos", "sh", "-c", "echo last words; exit 3")
        assert engine_.docker(*failed).returncode == 3
        yield engine_


@pytest.fixture
def make(tmp_path):
    """Make an SSH host whose docker command uses a socket."""
    opened = []
    key = keygen(tmp_path / "id")

    def make_host(socket, **options):
        server = Sshd(tmp_path / "sshd", authorized=key, SetEnv=f"DOCKER_HOST=unix://{socket}", **options).__enter__()
        (tmp_path / "known").write_text(server.known_line())
        host = SshHost("local", parse_address(server.url), SshOptions(str(key), str(tmp_path / "known")))
        opened.append((host, server))
        return host

    yield make_host
    for host, server in opened:
        host.close()
        server.__exit__()


@pytest.fixture
def local(dockerd, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{dockerd.socket}")
    host = LocalHost()
    yield host
    host.close()


def test_local(local):
    """A snapshot has the lab, and who else is on its networks, in detail and the rest as listed."""
    found = engine.snapshot(local)
    web, dead, neighbour, stranger = (found.container(name) for name in ("web", "dead", "neighbour", "stranger"))
    assert web.pid > 0
    assert (dead.running, dead.exit_code) == (False, 3)
    assert neighbour.pid > 0
    assert neighbour.endpoints["net"].aliases
    assert (stranger.running, stranger.pid) == (True, 0)
    assert found.network("net").containers == ("neighbour", "web")
    assert [volume.name for volume in found.volumes] == ["receipt"]
    assert found.images == ("centos:latest",)


def test_inspect(local):
    """A name that the caller gives is read in detail too."""
    assert engine.snapshot(local, ["stranger"]).container("stranger").pid > 0


def planned(found):
    """Return what a plan goes by, of each container."""
    return [
        (c.id, c.name, c.labels, c.running, c.status, c.image_id, c.network_mode, set(c.endpoints), set(c.published))
        for c in found.containers
    ]


def test_a_look_without_details(local):
    """It gives what containers are there, how they are and whose, and asks for none of them."""
    listed, full = engine.snapshot(local, detail="none"), engine.snapshot(local)
    assert [each[:6] for each in planned(listed)] == [each[:6] for each in planned(full)]
    assert listed.networks == full.networks
    assert {each.pid for each in listed.containers} == {0}


def test_a_look_with_the_details_that_a_plan_needs(local):
    """It asks for those that do not run, share a network namespace or have one that is shared, and for no others."""
    some, full = engine.snapshot(local, detail="needed"), engine.snapshot(local)
    assert planned(some) == planned(full)
    owners = {c.network_mode.partition(":")[2] for c in full.containers if c.network_mode.startswith("container:")}
    assert owners
    for found, whole in zip(some.containers, full.containers, strict=True):
        shares = whole.network_mode.startswith("container:") or whole.id in owners
        assert (found == whole) == (shares or not whole.running or found.name == "stranger"), found.name


@pytest.mark.parametrize("sessions", [1, 10])
def test_by_ssh(local, make, dockerd, sessions):
    """Over SSH a snapshot is the same, also on the only channel that a server gives, and gives it back."""
    host = make(dockerd.socket, MaxSessions=sessions)
    assert engine.snapshot(host) == engine.snapshot(local)
    assert host.run(["true"]).ok


def test_logs(local, make, dockerd):
    """A container's last lines come over both ways."""
    assert engine.logs(local, "dead") == engine.logs(make(dockerd.socket), "dead") == "last words\n"


def test_no_such_container(local, make, dockerd):
    """The engine's refusal is told in its words."""
    for host in (local, make(dockerd.socket)):
        with pytest.raises(EngineError, match="the Docker engine refused: No such container: nobody"):
            engine.logs(host, "nobody")


def test_not_running(make):
    """An engine that does not run behind SSH is told apart from a lost connection."""
    with pytest.raises(EngineError, match="systemctl start docker"):
        engine.snapshot(make("/nonexistent/docker.sock"))


def test_not_installed(make):
    """A host without the docker command is told so."""
    with pytest.raises(EngineError, match="the docker command was not found there"):
        engine.snapshot(make("/nonexistent", ForceCommand="no-such-docker"))


def test_no_permission(make, dockerd):
    """A user who may not use the socket is told how to; root may use every one, so the command says it for docker."""
    said = "permission denied while trying to connect to the Docker daemon socket"
    with pytest.raises(EngineError, match="usermod -aG docker"):
        engine.snapshot(make(dockerd.socket, ForceCommand=f"echo {said} >&2; exit 1"))
