"""The reading of Docker engines: recorded answers, and the ways in which there is none."""

import gc
import json
import os
import socket
import threading
from ipaddress import ip_interface, ip_network
from pathlib import Path

import pytest

from dockerlab import engine
from dockerlab.engine import client
from dockerlab.engine.asking import Client
from dockerlab.engine.bounded import Unanswered
from dockerlab.engine.client import connected
from dockerlab.engine.convert import Answers, to_container, to_network, to_snapshot, to_swarm
from dockerlab.engine.dial import AHEAD, Budget, DialledLine, ProcessSocket
from dockerlab.errors import ConnectError, EngineError, TransportError
from dockerlab.hosts.local import LocalHost, start
from dockerlab.snapshot import PublishedPort, SwarmState

RECORDED = Path(__file__).parent / "recorded"
VERSIONS = ("20.10.24", "28.5.2")


@pytest.fixture(params=VERSIONS)
def recorded(request):
    """What a real engine answered: a lab's containers and networks in detail, the rest as listed."""
    return json.loads((RECORDED / f"engine-{request.param}.json").read_text())


@pytest.fixture
def snapshot(recorded):
    keys = ("version", "info", "containers", "networks", "volumes", "images")
    return to_snapshot("vm0", Answers(**{key: recorded[key] for key in keys}))


def test_versions(snapshot):
    """The engine's own version and that of its API are kept."""
    assert (snapshot.engine_version.partition("+")[0], snapshot.api_version) in {
        ("20.10.24", "1.41"),
        ("28.5.2", "1.51"),
    }


def test_every_container(snapshot):
    """Every container is there in order, whether it runs or not."""
    names = [container.name for container in snapshot.containers]
    assert names == ["dead", "fresh", "hosty", "joiner", "nony", "six", "stranger", "web"]


def test_running(snapshot):
    """A running container has its process, address, names and published ports."""
    web = snapshot.container("web")
    assert (web.running, web.status, web.image, web.network_mode) == (True, "running", "centos", "net1")
    assert web.pid > 0
    assert web.labels["dockerlab.lab"] == "bridge"
    endpoint = web.endpoints["net1"]
    assert endpoint.addresses == (ip_interface("10.77.0.20/24"),)
    assert endpoint.gateway == "10.77.0.1"
    assert len(endpoint.mac.split(":")) == 6
    assert {"www", web.id[:12]} <= set(endpoint.aliases)
    assert PublishedPort("0.0.0.0", 8080, 80, "tcp") in web.published
    assert PublishedPort("127.0.0.1", 5353, 53, "udp") in web.published


def test_stopped(snapshot):
    """A stopped container has its exit code and the ports that it would publish, but neither process nor address."""
    dead = snapshot.container("dead")
    assert (dead.running, dead.status, dead.exit_code, dead.pid) == (False, "exited", 3, 0)
    assert dead.endpoints["net1"].addresses == ()
    assert dead.published == (PublishedPort("0.0.0.0", 9090, 90, "tcp"),)


def test_modes(snapshot):
    """The modes without a network of their own are told apart; no mode given means bridge on every version."""
    modes = {name: snapshot.container(name).network_mode for name in ("hosty", "nony", "joiner", "fresh")}
    assert modes == {
        "hosty": "host",
        "nony": "none",
        "joiner": f"container:{snapshot.container('web').id}",
        "fresh": "bridge",
    }
    assert snapshot.container("joiner").endpoints == {}


def test_two_families(snapshot):
    """A container on a network with both families has both addresses."""
    addresses = snapshot.container("six").endpoints["net6"].addresses
    assert addresses == (ip_interface("10.78.0.2/24"), ip_interface("fd00:78::2/64"))


def test_networks(snapshot):
    """A network has its subnets, gateways and labels, and everything that is attached, also what is stopped."""
    net1, net6 = snapshot.network("net1"), snapshot.network("net6")
    assert (net1.driver, net1.scope, net1.internal) == ("bridge", "local", False)
    assert (net1.subnets, net1.gateways) == ((ip_network("10.77.0.0/24"),), ("10.77.0.1",))
    assert net1.containers == ("dead", "stranger", "web")
    assert (net6.internal, len(net6.subnets)) == (True, 2)
    assert snapshot.network("foreign").containers == ("stranger",)
    assert [network.name for network in snapshot.networks] == ["bridge", "foreign", "host", "net1", "net6", "none"]


def test_volumes_and_images(snapshot):
    """Receipts and usable image names are there; an image without a name has none."""
    assert [volume.name for volume in snapshot.volumes] == ["dockerlab_bridge_receipt"]
    assert snapshot.images == ("centos:latest",)
    assert snapshot.swarm == SwarmState()


@pytest.mark.parametrize(
    ("own", "highest", "spoken"),
    [("1.54", (1, 51), "1.51"), ("1.51", (1, 51), "1.51"), ("1.41", (1, 51), "1.41"), ("1.54", None, "1.54")],
)
def test_the_version_of_the_api(own, highest, spoken):
    """An engine is spoken to in its own version of the API, or in the highest that tells what is asked."""
    assert client.spoken({"ApiVersion": own}, highest) == spoken


def test_a_range_of_ports():
    """A port that may be any of a range is none that is known before; it was taken for an answer of no engine."""
    entry = {
        "Id": "a", "Name": "/a", "State": {"Running": False}, "Config": {"Image": "x"},
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8000-8010"}, {"HostPort": "81"}]}},
    }  # fmt: skip
    assert [port.host_port for port in to_container(entry).published] == [81]


def test_list_and_detail_agree(recorded, snapshot):
    """An entry of a list and the detail of the same container give the same, as far as the list goes."""
    for entry in recorded["listed"]:
        listed = to_container(entry)
        detail = snapshot.container(listed.name)
        assert listed.id == detail.id
        assert listed.network_mode == detail.network_mode
        assert set(listed.published) == set(detail.published)
        assert {n: e.addresses for n, e in listed.endpoints.items()} == {
            n: e.addresses for n, e in detail.endpoints.items()
        }
        assert (listed.running, listed.labels) == (detail.running, detail.labels)


def test_swarm(recorded):
    """A manager's part in a Swarm is kept."""
    swarm = to_swarm(recorded["swarm"])
    assert (swarm.state, swarm.manager, swarm.managers) == ("active", True, ("127.0.0.1:2377",))
    assert swarm.node_id
    assert swarm.cluster_id
    assert to_swarm(recorded["swarm"], [{"ID": "one"}, {"ID": "two"}]).nodes == ("one", "two")


def test_overlay(recorded):
    """The endpoint that a Swarm network has of its own is not a container."""
    network = to_network(recorded["overlay"])
    assert (network.driver, network.scope, network.containers) == ("overlay", "swarm", ("ovc",))


class Dialled:
    """A host whose docker command is another local program."""

    name, address, channels = "vm0", "192.0.2.1", 8

    def __init__(self, *argv):
        self.argv = argv
        self.asked = []
        self.kept = None

    def resume(self, argv, timeout):
        self.asked.append((tuple(argv), timeout))
        kept, self.kept = self.kept, None
        return kept or start(self.argv)

    def keep(self, argv, program):
        assert argv == ("docker", "system", "dial-stdio")
        self.kept = program


def fails(script, *arguments):
    """Return what is said of a host whose docker command is a shell script."""
    with pytest.raises(EngineError) as error:
        engine.snapshot(Dialled("sh", "-c", script, *arguments))
    return str(error.value)


def test_not_installed():
    """A host without docker is told how to get it."""
    message = fails("echo 'bash: docker: command not found' >&2; exit 127")
    assert message.startswith("vm0: the docker command was not found there (bash: docker: command not found)")
    assert "apt-get install docker.io" in message


def test_no_permission():
    """A user who may not use the socket is told how to."""
    said = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
    assert "usermod -aG docker" in fails('echo "$0" >&2; exit 1', said)


@pytest.mark.parametrize(
    "said",
    [
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: no such file or directory",
    ],
)
def test_not_running(said):
    """An engine that is not running is told apart."""
    assert "systemctl start docker" in fails('echo "$0" >&2; exit 1', said)


def test_late_reason():
    """The reason is heard also when it comes after the end of the output, however late the exit code."""
    assert "usermod" in fails("exec >&-; sleep .3; echo 'permission denied' >&2; sleep .3; exit 1")


def test_no_reason():
    """A docker command that ends without a word says just that."""
    assert "gave no reason" in fails("exit 1")


def test_lost_connection():
    """A connection that is lost or not made is that, not an engine's failure."""

    class Lost(Dialled):
        def resume(self, argv, timeout):
            self.asked.append((argv, timeout))
            raise self.argv[0]

    for error in (ConnectError("vm0", "no route"), TransportError("vm0", "lost")):
        with pytest.raises(type(error), match=str(error)):
            engine.snapshot(Lost(error))


def test_one_channel(recorded):
    """A whole snapshot takes one channel, on which the docker command joins the engine.

    Who is on a lab's network is told in detail, whoever made it: its names are known there.
    """
    host = Dialled("python3", "-c", SERVER, str(named(recorded)))
    found = engine.snapshot(host)
    assert found.engine_version == recorded["version"]["Version"]
    assert [c.name for c in found.containers] == ["stranger", "web"]
    assert found.container("web").pid > 0
    assert found.container("stranger").pid > 0
    assert [argv for argv, _ in host.asked] == [("docker", "system", "dial-stdio")]
    host.kept.close()


def test_one_program(recorded):
    """The docker command that joined the engine is used for the next snapshot too, which is the same."""
    host = Dialled("python3", "-c", SERVER, str(named(recorded)))
    first, program = engine.snapshot(host), host.kept
    assert engine.snapshot(host) == first
    assert host.kept is program
    assert program.receive(0) == (b"", b"")
    program.close()


class Numbers:
    """A program at whose other end each question is answered with its number, 404 for those in `gone`.

    It ends after so many answers; `asked` has all that it was asked.
    """

    def __init__(self, most=1000, gone=(), last=b""):
        self.asked, self.most, self.gone, self.last, self._said, self.closed = [], most, gone, last, b"", False

    def write(self, data, timeout):  # noqa: ARG002
        for head in data.decode().split("\r\n\r\n")[:-1]:
            number = int(head.split()[1].rpartition("/")[2])
            self.asked.append(number)
            if len(self.asked) <= self.most:
                status = b"404 Not Found" if number in self.gone else b"200 OK"
                more = self.last if len(self.asked) == self.most else b""
                body = b"%d" % number
                self._said += b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, more, len(body), body)
        return len(data)

    def receive(self, timeout):  # noqa: ARG002
        piece, self._said = self._said[:700], self._said[700:]
        return (piece, b"") if piece else None

    def wait(self, timeout):  # noqa: ARG002
        return 1

    def close(self):
        self.closed = True


def dialled(*programs):
    """Return a line that uses one program after the other."""
    waiting = iter(programs)
    return DialledLine(lambda: ProcessSocket(next(waiting), 5, Budget(60, 2**20)))


def test_many_questions_at_once():
    """Questions are asked before those ahead of them are answered, but not without bound; each answer is its own."""
    program = Numbers(gone={7})
    line = dialled(program)
    answers = Client(line).each([("n", str(number)) for number in range(200)])
    assert next(answers) == 0
    assert len(program.asked) == AHEAD
    assert list(answers) == [None if number == 7 else number for number in range(1, 200)]
    assert program.asked == list(range(200))
    assert line.idle


def test_who_ends_the_connection_is_asked_anew():
    """An engine that says that it ends the connection after an answer is asked the rest on another one."""
    one, two = Numbers(most=3, last=b"Connection: close\r\n"), Numbers()
    line = dialled(one, two)
    assert list(Client(line).each([("n", str(number)) for number in range(9)])) == list(range(9))
    assert (one.closed, two.asked) == (True, list(range(3, 9)))


def test_who_ends_without_a_word_is_no_engine():
    """Where the answers end before the questions, that is an error, and the line is of no further use."""
    line = dialled(Numbers(most=3))
    answers = Client(line).each([("n", str(number)) for number in range(9)])
    assert [next(answers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Unanswered):
        next(answers)
    assert not line.idle


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_not_kept(recorded, answers):
    """A docker command that ends in the middle of a look is not used again; one that fails the next look is told."""
    host = Dialled("python3", "-c", SERVER, str(named(recorded)), str(answers))
    with pytest.raises(EngineError, match="gave no reason"):
        engine.snapshot(host)
    assert host.kept is None


def test_unread(recorded, monkeypatch):
    """A docker command of whose output something is left to read is not used again."""
    monkeypatch.setattr("dockerlab.engine.bounded.LARGEST", 5)
    host = Dialled("python3", "-c", SERVER, str(named(recorded)))
    with pytest.raises(EngineError, match="its answer has more than"), connected(host):
        pytest.fail("its version was too long")
    assert host.kept is None


def named(recorded):
    """Return the file that holds a recorded engine."""
    return RECORDED / f"engine-{recorded['version']['Version'].split('+')[0]}.json"


SERVER = """if True:
    import json, sys
    recorded = json.load(open(sys.argv[1]))
    detail = {c["Id"]: c for c in recorded["containers"]}
    networks = {n["Id"]: n for n in recorded["networks"]}
    api = "/v" + recorded["version"]["ApiVersion"]
    answers = {
        "/version": recorded["version"],
        api + "/info": recorded["info"],
        api + "/containers/json": recorded["listed"],
        api + "/networks": recorded["networks"],
        api + "/volumes": {"Volumes": recorded["volumes"]},
        api + "/images/json": recorded["images"],
        **{f"{api}/containers/{key}/json": value for key, value in detail.items()},
        **{f"{api}/networks/{key}": value for key, value in networks.items()},
    }
    most = int(sys.argv[2]) if len(sys.argv) > 2 else -1
    while (request := sys.stdin.buffer.readline()) and most:
        most -= 1
        while sys.stdin.buffer.readline().strip():
            pass
        body = json.dumps(answers[request.split()[1].decode().partition("?")[0]]).encode()
        head = f"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
        sys.stdout.buffer.write(head.encode() + body)
        sys.stdout.buffer.flush()
"""


@pytest.mark.parametrize(
    "entry",
    [{"IPAM": {"Config": [{"Subnet": 5}]}}, {"Containers": {"x": {"Name": "a", "IPv4Address": True}}}],
    ids=["subnet", "member"],
)
def test_a_number_is_no_address(entry):
    """Where an engine gives a number or a truth value for an address, that is an error and not 0.0.0.1."""
    with pytest.raises(ValueError, match=r"does not appear|Expected 4 octets"):
        to_network({"Id": "1", "Name": "n", **entry})


LEAK = pytest.mark.filterwarnings(
    # The SDK does not close the socket of a connection that fails.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def docker_host(monkeypatch):
    yield lambda value: monkeypatch.setenv("DOCKER_HOST", value)
    gc.collect()  # what leaks is found here, where LEAK allows for it, and not in another test


@LEAK
def test_local_not_running(docker_host, tmp_path):
    """A local socket that is not there or has no listener means that the engine is not running."""
    docker_host(f"unix://{tmp_path}/absent.sock")
    with pytest.raises(EngineError, match="local: the Docker engine is not running"):
        engine.snapshot(LocalHost())
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    docker_host(f"unix://{tmp_path}/dead.sock")
    with pytest.raises(EngineError, match="local: the Docker engine is not running"):
        engine.logs(LocalHost(), "x")


@LEAK
@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every socket")
def test_local_no_permission(docker_host, tmp_path):
    """A local socket that may not be used is told apart."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        (tmp_path / "s").chmod(0)
        docker_host(f"unix://{tmp_path}/s")
        with pytest.raises(EngineError, match="usermod -aG docker"):
            engine.snapshot(LocalHost())


def test_local_by_ssh(docker_host):
    """DOCKER_HOST by ssh is refused with the way that dockerlab has for it."""
    docker_host("ssh://root@vm0")
    with pytest.raises(EngineError, match="give that address to the host"):
        engine.snapshot(LocalHost())


@LEAK
def test_refusal(docker_host, tmp_path):
    """What the engine says of a request that it refuses reaches the user."""
    body = b'{"message":"client version 1.24 is too old"}'
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def serve():
            stream, _ = listener.accept()
            with stream:
                stream.recv(65536)
                head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                stream.sendall(head % len(body) + body)

        thread = threading.Thread(target=serve)
        thread.start()
        docker_host(f"unix://{tmp_path}/s")
        with pytest.raises(EngineError, match=r"client version 1\.24 is too old"):
            engine.snapshot(LocalHost())
        thread.join()


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:01.000000001Z", 1_000_000_001),
        ("0001-01-01T00:00:00Z", 0),
        ("", 0),
    ],
)
def test_when_it_started(text, nanoseconds):
    """The engine's moments can be compared, though it trims zeros; a container that never started has none."""
    detail = {"Id": "1", "Name": "/a", "Config": {"Image": "i"}, "State": {"StartedAt": text}}
    assert to_container(detail).started == nanoseconds
