"""The sandbox on this very machine: it comes up, is used again, survives crashes, leaks nothing, leaves nothing.

These tests take the sandbox down, whoever brought it up.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockerlab import sandbox
from dockerlab.errors import SandboxError
from dockerlab.sandbox import layout, network, processes, removal

ROOT = Path(__file__).parents[2]
STRANGE = ("a b", "$(touch /tmp/canary)", "'", '"', "*", ";", "", "ü")
PROGRAMS = {"dockerd", "docker-proxy", "containerd", "containerd-shim", "sshd", "dnsmasq", "busybox", "unshare"}

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.parametrize("lab_hosts", ["no engine"], indirect=True),
    pytest.mark.usefixtures("lab_hosts", "clean"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is made of Linux's namespaces"),
    pytest.mark.skipif(sys.platform.startswith("linux") and os.geteuid() != 0, reason="the sandbox needs root"),
]


def call(*argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, input=text, check=False, timeout=60)


def on(state: sandbox.SandboxState, host: str, *command: str) -> subprocess.CompletedProcess[str]:
    return call(*sandbox.ssh_argv(state, host, command))


def run_busybox(state: sandbox.SandboxState, host: str, *flags: str) -> None:
    """Run a container that sleeps, from an image that is busybox alone."""
    image = io.BytesIO()
    with tarfile.open(fileobj=image, mode="w") as archive:
        archive.add(shutil.which("busybox"), "busybox")
    imported = subprocess.run(
        sandbox.ssh_argv(state, host, ["docker", "import", "-", "alone"]),
        input=image.getvalue(), capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert imported.returncode == 0, imported.stderr
    started = on(state, host, "docker", "run", "--detach", *flags, "alone", "/busybox", "sleep", "1234")
    assert started.returncode == 0, started.stderr


def strangers() -> Iterator[str]:
    """Yield each process of a kind that the sandbox runs, in a network namespace other than the machine's."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):  # gone, or not for us to look at
                name = (process / "comm").read_text().strip()
                if name in PROGRAMS and (process / "ns/net").stat().st_ino != Path("/proc/self/ns/net").stat().st_ino:
                    yield f"{process.name} {name}"


def traces() -> dict[str, object]:
    """What a sandbox would leave on the machine, seen without the sandbox's own eyes."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return {
        "namespaces": call("ip", "netns", "list").stdout,
        "links": [link["ifname"] for link in json.loads(call("ip", "-json", "link").stdout)],
        "rules": call("ip", "rule").stdout,
        "routes": call("ip", "route", "show", "table", "all").stdout,
        "mounts": [mount for mount in mounts if mount != "/run/netns"],  # made by `ip netns`, once and for all
        "control groups": call("find", "/sys/fs/cgroup", "-type", "d", "-name", "dockerlab*").stdout,
        "processes": sorted(strangers()),
        "files": [p for p in (layout.DIRECTORY, layout.STORAGE, layout.LOCK) if p.exists()],
    }


@pytest.fixture
def clean() -> Iterator[dict[str, object]]:
    """Start without a sandbox, end without one; give the traces of a machine that has none."""
    sandbox.down()
    yield traces()
    sandbox.down()


def crash(code: str, seconds: float) -> None:
    """Run some Python and kill it after that time without any chance to clean up."""
    child = subprocess.Popen([sys.executable, "-c", f"from dockerlab import sandbox; {code}"], cwd=ROOT)
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    child.wait()


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_hosts_are_what_they_say():
    """Each host answers SSH under its own name with the distribution's own client and the engine that `up` reported."""
    state = sandbox.up()
    assert [host.name for host in state.hosts] == ["vm0", "vm1"]
    for host in state.hosts:
        assert on(state, host.name, "hostname").stdout == f"{host.name}\n"
        version = on(state, host.name, "docker", "version", "--format", "{{.Server.Version}} {{.Client.Version}}")
        assert version.stdout.split() == [host.engine, host.engine]
        assert on(state, host.name, "python3", "-c", "print(6*7)").stdout == "42\n"
        addresses = on(state, host.name, "ip", "-4", "-brief", "address", "show", "eth0").stdout
        assert f"{host.address}/24" in addresses
        links = on(state, host.name, "ls", "/sys/class/net").stdout.split()
        assert links == ["docker0", "eth0", "eth0.50", "lo"]
        assert on(state, host.name, "find", "/dev", "-type", "b").stdout == "", "a disk of the machine"


def test_a_host_sees_nothing_else_of_the_machine(tmp_path):
    """Homes, checkouts and data are not there, also from below; of /etc there is what everybody may read."""
    (tmp_path / "secret").touch()
    secret = Path("/etc/dockerlab-test-secret")
    secret.touch(mode=0o600)
    try:
        sandbox.down()
        state = sandbox.up(1)
        for path in (tmp_path / "secret", ROOT / "pyproject.toml", secret):
            assert on(state, "vm0", "cat", str(path)).returncode == 1
    finally:
        secret.unlink()
    assert on(state, "vm0", "cut", "-d:", "-f2", "/etc/shadow").stdout.strip("*\n") == ""
    assert on(state, "vm0", "ls", "/mnt", "/var/lib").stdout.split() == ["/mnt:", "/var/lib:", "docker"]


def test_command_arrives_as_it_is():
    """A command's words reach the host unchanged, none of them runs, and its exit code comes back."""
    state = sandbox.up(1)
    shown = on(state, "vm0", "python3", "-c", "import json,sys; print(json.dumps(sys.argv[1:]))", *STRANGE)
    assert json.loads(shown.stdout) == list(STRANGE)
    assert on(state, "vm0", "ls", "/tmp/canary").returncode != 0
    assert on(state, "vm0", "sh", "-c", "exit 42").returncode == 42


def test_a_stranger_host_key_is_refused():
    """The client knows the hosts' keys and no other: with another key at its address there is no connection."""
    state = sandbox.up(2)
    first, second = state.known_hosts.read_text().splitlines()
    state.known_hosts.write_text(f"{first.split()[0]} {second.split(maxsplit=1)[1]}\n")
    result = on(state, "vm0", "true")
    assert result.returncode == 255
    assert "Host key verification failed" in result.stderr


def test_network_around():
    """Hosts reach each other, and the outside by name through the router; other names do not exist; nothing beyond."""
    state = sandbox.up()
    assert on(state, "vm0", "ping", "-c1", "-W2", state.hosts[1].address).returncode == 0
    assert on(state, "vm0", "busybox", "wget", "-qO-", "http://outside.lab/").stdout == "outside\n"
    assert f"internet.lab\nAddress: {state.outside}\n" in on(state, "vm0", "busybox", "nslookup", "internet.lab").stdout
    assert "NXDOMAIN" in on(state, "vm0", "busybox", "nslookup", "elsewhere.example").stdout
    assert "Net Unreachable" in on(state, "vm0", "ping", "-c1", "-W2", "198.51.100.1").stdout


def test_a_fresh_machine_does_not_forward():
    """The engine found forwarding off, as on a fresh machine: it has set the FORWARD chain's policy itself."""
    state = sandbox.up(1)
    assert "-P FORWARD DROP" in on(state, "vm0", "iptables", "-S", "FORWARD").stdout


def test_second_up_is_the_same_sandbox_at_once():
    """`up` on a healthy sandbox, also with fewer hosts, changes nothing and takes no time; more hosts join it."""
    first = sandbox.up(2)
    pid = processes.first_process(processes.scan(), layout.inode("dockerlab-vm0"))
    taken = []
    for _ in range(5):
        begin = time.monotonic()
        assert sandbox.up(2) == sandbox.up(1) == first
        taken.append(time.monotonic() - begin)
    assert min(taken) < 0.6
    third = sandbox.up(3)
    assert third.hosts[:2] == first.hosts
    assert on(third, "vm2", "ping", "-c1", "-W2", first.hosts[0].address).returncode == 0
    assert processes.first_process(processes.scan(), layout.inode("dockerlab-vm0")) == pid
    assert sandbox.status() == third


def test_nothing_is_left_after_down(clean):
    """After `down`, also with a container still running, the machine is as before; a second `down` finds nothing."""
    state = sandbox.up()
    run_busybox(state, "vm0", "--network=host")
    run_busybox(state, "vm1", "--memory=64m")
    assert call("pgrep", "-f", "busybox sleep 1234").stdout.count("\n") >= 2
    removed = sandbox.down()
    assert "namespace dockerlab-vm1" in removed
    assert traces() == clean
    assert sandbox.down() == []
    assert sandbox.status() is None


@pytest.mark.parametrize("seconds", [step / 100 for step in range(6, 66, 3)])
def test_crash_in_the_middle_of_up(clean, seconds):
    """Killed at any moment of `up`, the next `up` gives a whole sandbox, and `down` leaves nothing."""
    crash("sandbox.up()", seconds)
    assert all(host.alive for host in sandbox.up().hosts)
    crash("sandbox.up(3)", seconds)
    sandbox.down()
    assert traces() == clean


@pytest.mark.parametrize("seconds", [step / 100 for step in range(6, 26, 2)])
def test_crash_in_the_middle_of_down(clean, seconds):
    """Killed at any moment of `down`, both `up` and another `down` work, and nothing is left in the end."""
    sandbox.up()
    crash("sandbox.down()", seconds)
    assert all(host.alive for host in sandbox.up().hosts)
    crash("sandbox.down()", seconds)
    sandbox.down()
    assert traces() == clean


def test_a_dead_host_is_built_again_alone():
    """A host whose first process died is built again by `up`; the other one is left alone."""
    sandbox.up()
    before = processes.scan()
    kept, killed = (processes.first_process(before, layout.inode(f"dockerlab-vm{i}")) for i in (0, 1))
    os.kill(killed, signal.SIGKILL)
    state = sandbox.status()
    assert [host.alive for host in state.hosts] == [True, False]
    state = sandbox.up()
    assert on(state, "vm1", "docker", "info").returncode == 0
    assert processes.first_process(processes.scan(), layout.inode("dockerlab-vm0")) == kept


def test_a_look_starts_no_further_host():
    """A call that wants no more hosts than there are leaves a sandbox of one host as it is."""
    sandbox.up(1)
    done = call(sys.executable, "-m", "dockerlab", "status", "--sandbox")
    assert done.returncode == 0, done.stderr
    assert [host.name for host in sandbox.up(1).hosts] == ["vm0"]


def test_services_come_back():
    """A killed engine is started again by itself; a stopped SSH server stays away until `up` wants it back."""
    state = sandbox.up(1)
    assert on(state, "vm0", "pkill", "-KILL", "-x", "dockerd").returncode == 0
    assert eventually(lambda: on(state, "vm0", "docker", "info").returncode == 0)
    stop = "touch /run/dockerlab/sshd.stopped; kill $(cat /run/sshd.pid)"
    assert call(*sandbox.inside_argv("vm0", ["sh", "-c", stop])).returncode == 0
    assert eventually(lambda: not sandbox.status().hosts[0].sshd)
    time.sleep(0.5)
    assert not sandbox.status().hosts[0].alive
    assert sandbox.up(1).hosts[0].alive
    assert on(state, "vm0", "true").returncode == 0


def test_no_way_out(clean):
    """No namespace has a route beyond the sandbox's networks or a link to the machine, other than the controller's."""
    sandbox.up()
    inside = {"192.168.22.0/24", "203.0.113.0/24", "172.17.0.0/16"}
    for name in layout.namespaces():
        routes = json.loads(call("ip", "-n", name, "-json", "-4", "route").stdout)
        assert {route["dst"] for route in routes} - {"default"} <= inside
        gateways = {route["gateway"] for route in routes if route["dst"] == "default"}
        assert gateways <= ({layout.host_address("vm0"), str(layout.ROUTER)} if "vm" in name else set())
        links = json.loads(call("ip", "-n", name, "-json", "-details", "link").stdout)
        kinds = {link["ifname"]: link.get("linkinfo", {}).get("info_kind") for link in links}
        assert set(kinds.values()) <= {None, "veth", "bridge", "vlan"}
        assert [link for link, kind in kinds.items() if kind is None] == ["lo"]
    links = [link["ifname"] for link in json.loads(call("ip", "-json", "link").stdout)]
    assert set(links) - set(clean["links"]) == {layout.LINK}


def test_no_way_out_even_if_the_machine_is_a_router():
    """With forwarding on for the whole machine, a host that uses it as its gateway still gets nowhere."""
    state = sandbox.up(1)
    forwarding = Path("/proc/sys/net/ipv4/ip_forward")
    before = forwarding.read_text()
    call("ip", "netns", "add", "elsewhere")
    lines = (
        "link add to-elsewhere type veth peer name eth0 netns elsewhere",
        "address add 198.51.100.1/24 dev to-elsewhere",
        "link set to-elsewhere up",
    )
    try:
        assert call("ip", "-batch", "-", text="\n".join(lines)).returncode == 0
        lines = ("address add 198.51.100.2/24 dev eth0", "link set eth0 up", "route add default via 198.51.100.1")
        assert call("ip", "-n", "elsewhere", "-batch", "-", text="\n".join(lines)).returncode == 0
        assert on(state, "vm0", "ip", "route", "add", "198.51.100.0/24", "via", str(layout.CONTROLLER)).returncode == 0
        forwarding.write_text("1")
        assert on(state, "vm0", "ping", "-c1", "-W2", str(layout.CONTROLLER)).returncode == 0
        answer = on(state, "vm0", "ping", "-c1", "-W2", "198.51.100.2")
        assert answer.returncode != 0
        assert "Packet filtered" in answer.stdout
    finally:
        forwarding.write_text(before)
        call("ip", "link", "delete", "to-elsewhere")
        call("ip", "netns", "delete", "elsewhere")


def test_a_route_that_claims_the_lan_is_refused():
    """A route of the machine's own into our LAN is named and refused before anything is built."""
    call("ip", "link", "add", "claims0", "type", "veth", "peer", "name", "claims1")
    try:
        call("ip", "link", "set", "claims0", "up")
        assert call("ip", "route", "add", "192.168.16.0/20", "dev", "claims0").returncode == 0
        before = traces()
        with pytest.raises(SandboxError, match=r"route 192\.168\.16\.0/20 dev claims0 claims 192\.168\.22\.0/24"):
            sandbox.up()
        assert traces() == before
    finally:
        call("ip", "link", "delete", "claims0")


def test_a_host_that_cannot_start_is_explained_and_cleaned(clean, tmp_path):
    """A root file system whose engine does not run: the error shows its log, and nothing is left."""
    for program in ("dockerd", "docker", "containerd", "runc", "iptables", "ip", "sshd", "ping", "python3"):
        (tmp_path / "usr/sbin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "usr/sbin" / program).touch()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (tmp_path / "etc/shadow").write_text("root:!:1::::::\n")
    with pytest.raises(SandboxError, match=r"vm0 ended at once[^$]*host.log: .*not found"):
        sandbox.up(1, tmp_path)
    assert traces() == clean


def test_another_root_file_system(clean):
    """Hosts on another root file system run its engine; nothing is left in it, and another one is refused meanwhile."""
    given = os.environ.get("DOCKERLAB_ROOTFS")
    if not given:
        pytest.skip("DOCKERLAB_ROOTFS names no root file system with Docker (see debootstrap)")
    stamp = time.time()
    state = sandbox.up(2, Path(given))
    engine = on(state, "vm1", "docker", "version", "--format", "{{.Server.Version}}").stdout.strip()
    assert engine == state.hosts[1].engine
    with pytest.raises(SandboxError, match="dockerlab sandbox down"):
        sandbox.up(2)
    sandbox.down()
    assert call("find", given, "-xdev", "-newermt", f"@{stamp}").stdout == ""
    assert traces() == clean


def test_a_foreign_process_is_left_alone():
    """`down` kills by namespace and mark: a process of ours outside of both lives on."""
    sandbox.up(1)
    with subprocess.Popen(["sleep", "60"]) as bystander:
        sandbox.down()
        assert bystander.poll() is None
        bystander.kill()


def test_what_is_missing_is_found():
    """Without its network around, a sandbox is not used again but cleaned and built new."""
    sandbox.up(1)
    call("ip", "link", "delete", layout.LINK)
    assert not network.links_in()
    said: list[str] = []
    assert sandbox.up(1, report=said.append).hosts[0].alive
    assert any("cleaning up" in line for line in said)
    assert removal.remains()
