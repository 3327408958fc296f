"""What a machine says of itself, from recorded output."""

import socket
import subprocess
import sys
from base64 import b64encode
from ipaddress import ip_address, ip_interface
from textwrap import dedent

import pytest
from support.facts import FLAGS, facts_of, nic, way
from support.machinery import failed, program_said

from dockerlab import daemon
from dockerlab.errors import HostError
from dockerlab.hosts.fake import FakeHost
from dockerlab.hosts.local import LocalHost
from dockerlab.kernel.model import BRIDGE_NF, IP_FORWARD
from dockerlab.survey import facts, parse, send

FULL = dedent("""\

    == id
    0

    == kernel
    6.1.0-18-amd64

    == architecture
    x86_64

    == python
    /usr/bin/python3

    == ip_forward
    1

    == ip6_forward
    0

    == bridge_nf
    1

    == addresses
    1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
    2: eth0    inet 192.168.22.61/24 brd 192.168.22.255 scope global eth0\\       valid_lft forever
    2: eth0    inet6 fe80::42:acff:fe11:2/64 scope link \\       valid_lft forever preferred_lft forever
    4: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0\\       valid_lft forever

    == links
    1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN \\    link/loopback 00:00:00:00:00:00
    2: eth0@if7: <BROADCAST,UP,LOWER_UP> mtu 1500 state UP \\    link/ether 02:42:ac:11:00:02
    3: eth0.50@eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 state UP \\    link/ether 02:42:ac:11:00:02
    4: docker0: <NO-CARRIER,BROADCAST,UP> mtu 1500 state DOWN \\    link/ether 02:42:5e:00:00:01

    == routes
    default via 192.168.22.1 dev eth0
    172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown
    192.168.22.0/24 dev eth0 proto kernel scope link src 192.168.22.61
    unreachable 10.0.0.0/8
    fe80::/64 dev eth0 proto kernel metric 256 pref medium

    == settings
    id 0
    file L2V0Yy9kb2NrZXIvZGFlbW9uLmpzb24=
    flags ZG9ja2VyZA==

    == end
    """)


def base64(text):
    """Return a text as the script sends what may be anything."""
    return b64encode(text.encode()).decode()


def said(*, text=None, flags="", path="/etc/docker/daemon.json", more=""):
    """Return what the script says of a machine whose engine has such a file and such words on its command line."""
    content = f"text 644 {base64(text)}\n" if text is not None else ""
    settings = f"id 0\nfile {base64(path)}\n{content}{more}flags {base64(flags)}\n"
    head, _, _ = FULL.partition("== settings")
    return f"{head}== firewall\niptables v1.8.9 (nf_tables)\n\n== settings\n{settings}\n== end\n"


def plain(route):
    """Return a route as its destination, its router and its interface."""
    hop = route.hops[0]
    return str(route.destination), None if hop.via is None else str(hop.via), hop.device


def words(link):
    """Return what both readers tell of a link."""
    return link.index, link.name, link.mac, link.mtu, link.up, link.addresses


def test_full():
    """Interfaces with addresses and hardware addresses, routes, forwarding, and who we are."""
    found = facts.parse("vm0", FULL)
    ground = found.ground
    eth0 = ground.link("eth0")
    assert (found.host, found.root, found.python) == ("vm0", True, "/usr/bin/python3")
    assert (found.kernel, found.architecture) == ("6.1.0-18-amd64", "x86_64")
    assert (ground.on(IP_FORWARD), ground.on(BRIDGE_NF)) == (True, True)
    assert [link.name for link in ground.links] == ["lo", "eth0", "eth0.50", "docker0"]
    assert eth0 is not None
    assert eth0.mac == "02:42:ac:11:00:02"
    assert eth0.addresses == (ip_interface("192.168.22.61/24"), ip_interface("fe80::42:acff:fe11:2/64"))
    assert ground.link("eth0.50").addresses == ()
    assert ground.link("eth1") is None
    assert list(map(plain, ground.ways)) == [
        ("0.0.0.0/0", "192.168.22.1", "eth0"),
        ("172.17.0.0/16", None, "docker0"),
        ("192.168.22.0/24", None, "eth0"),
        ("fe80::/64", None, "eth0"),
    ]
    assert ground.primary_address == ip_address("192.168.22.61")


def test_nothing_known():
    """What could not be read is None and listed, never a guess."""
    found = facts.parse("vm0", "== id\n1000\n== ip_forward\n== bridge_nf\n== end\n")
    assert (found.ground.on(IP_FORWARD), found.ground.on(BRIDGE_NF)) == (None, None)
    assert (found.python, found.root) == (None, False)
    assert {"ip_forward", "bridge_nf", "interfaces (is iproute2 installed?)"} <= set(found.missing)
    assert found.ground.primary_address is None


def test_settings_that_cannot_be_read():
    """An engine's settings that are there and cannot be read are told as missing; none at all are the default ones."""
    assert facts.parse("vm0", said()).settings.known
    assert facts.parse("vm0", FULL).settings.known
    found = facts.parse("vm0", said(more="hidden yes\n", path="/srv/engine.json", flags="--userland-proxy=false"))
    assert not found.settings.known
    assert found.missing[-1] == "the engine's settings (/srv/engine.json)"
    assert not found.settings.userland_proxy, "its command line can be read all the same"
    assert not facts.parse("vm0", FULL.replace("file L2V0", "file $$$")).settings.known


def test_address_with_a_peer_in_its_name():
    """An interface's address is found also where `ip` prints the other end of a veth beside the name."""
    text = FULL.replace("2: eth0    inet ", "2: eth0@if7    inet ")
    assert ip_interface("192.168.22.61/24") in facts.parse("vm0", text).ground.link("eth0").addresses


@pytest.mark.parametrize(
    ("line", "route"),
    [
        ("default via 10.0.0.1 dev eth0 proto dhcp metric 100", ("0.0.0.0/0", "10.0.0.1", "eth0")),
        ("default dev ppp0 scope link", ("0.0.0.0/0", None, "ppp0")),
        ("default nhid 12 via 10.0.0.1 dev eth0", ("0.0.0.0/0", "10.0.0.1", "eth0")),
        ("default via inet6 fe80::1 dev eth0", ("0.0.0.0/0", "fe80::1", "eth0")),
        (
            "default proto static \\\tnexthop via 10.0.0.1 dev eth0 weight 1 \\\tnexthop via 10.0.1.1 dev eth1",
            ("0.0.0.0/0", "10.0.0.1", "eth0"),
        ),
        ("10.1.2.3 via 10.0.0.1 dev eth0", ("10.1.2.3/32", "10.0.0.1", "eth0")),
        ("fd00::/8 via fd00::1 dev eth0", ("fd00::/8", "fd00::1", "eth0")),
    ],
)
def test_routes(line, route):
    """Every form in which `ip route` tells a unicast route is read."""
    text = FULL.replace("default via 192.168.22.1 dev eth0", line)
    assert plain(facts.parse("vm0", text).ground.ways[0]) == route


@pytest.mark.parametrize("line", ["blackhole 10.0.0.0/8", "prohibit default", "multicast ff00::/8 dev eth0"])
def test_no_routes(line):
    """What leads nowhere is no route."""
    text = FULL.replace("default via 192.168.22.1 dev eth0", line)
    assert len(facts.parse("vm0", text).ground.ways) == 3


def test_gather():
    """One command is run, a constant on standard input; without its last line nothing is believed."""
    host = FakeHost("vm0", lambda _argv, _given: FULL)
    assert facts.gather(host) == facts.parse("vm0", FULL)
    assert host.calls == [("sh", "-s")]
    assert host.inputs == [facts.SCRIPT.encode()]
    cut = FakeHost("vm0", lambda _argv, _given: (1, FULL.partition("== routes")[0], "killed"))
    with pytest.raises(HostError, match="vm0: could not read the machine's interfaces: killed"):
        facts.gather(cut)


@pytest.mark.parametrize(("lines", "gossip"), [("0\n", False), ("2\n", True), ("", None)])
def test_gossip(lines, gossip):
    """Whether somebody has a Swarm's port is told by the count of its listeners; no count is not "nobody"."""
    found = facts.parse("vm0", FULL.replace("== end", f"== gossip\n{lines}\n== end"))
    assert found.gossip is gossip


@pytest.mark.parametrize(
    ("text", "flags", "settings"),
    [
        (None, "", {"iptables": True, "userland_proxy": True, "ip6tables": None, "live_restore": False}),
        ('{"iptables": false, "live-restore": true}', "", {"iptables": False, "live_restore": True}),
        ('{"ip6tables": true, "allow-direct-routing": true}', "", {"ip6tables": True, "direct_routing": True}),
        (
            None,
            "dockerd\n--userland-proxy=false\n--live-restore\n--data-root\n/srv",
            {"userland_proxy": False, "live_restore": True},
        ),
        ("", "dockerd\n-H\nfd://\n--iptables=0\n--ip6tables=T", {"iptables": False, "ip6tables": True}),
        ('{"dns": ["10.0.0.1"]}', "dockerd\n--dns\n10.0.0.2\n--dns=10.0.0.3", {
            "dns": ("10.0.0.1", "10.0.0.2", "10.0.0.3"),
        }),
        ("{broken", "--iptables=false", {"iptables": False}),
        ("[1]", "", {"iptables": True}),
        ('{"firewall-backend": "nftables"}', "", {"backend": "nftables"}),
        (None, "dockerd\n--firewall-backend\nnftables", {"backend": "nftables"}),
    ],
)  # fmt: skip
def test_settings(text, flags, settings):
    """The engine's settings stand in its file or on its command line; what is in neither has its default."""
    found = facts.parse("vm0", said(text=text, flags=flags))
    assert {name: getattr(found.settings, name) for name in settings} == settings
    assert found.firewall == "iptables v1.8.9 (nf_tables)"


def test_whose_settings_they_are():
    """The lab that has changed the settings is known from what it keeps beside the file, wherever that is."""
    kept = "# before\nlab demo\nowner teacher@desk\ninstance \nrun 0\nmode absent\n\n"
    assert facts.parse("vm0", said(more=f"kept {base64(kept)}\n")).settings.changed_by == "demo"
    assert not facts.parse("vm0", said()).settings.changed_by


@pytest.mark.skipif(sys.platform != "linux", reason="reads the command line of a process by its number")
@pytest.mark.parametrize("words", [["--config-file={file}"], ["-D", "--config-file", "{file}", "--debug"]])
def test_the_file_that_the_engine_reads(tmp_path, words):
    """An engine that was started with another file is predicted from that one, and changed in that one."""
    file = tmp_path / "engine.json"
    file.write_text('{"userland-proxy": false}')
    words = [word.format(file=file) for word in words]
    with subprocess.Popen([sys.executable, "-c", "input()", *words], stdin=subprocess.PIPE) as engine:
        (tmp_path / "docker.pid").write_text(str(engine.pid))

        def here(argv, given):
            script = given.replace(b"/var/run/docker.pid", str(tmp_path / "docker.pid").encode())
            return subprocess.run(argv, input=script, capture_output=True, check=False).stdout

        host = FakeHost("vm0", here)
        found, changed = facts.gather(host), daemon.look(host)
        engine.communicate(b"\n")
    assert (found.settings.userland_proxy, found.settings.known) == (False, True)
    assert (changed.path, changed.text) == (str(file), file.read_bytes())


@pytest.mark.skipif(sys.platform != "linux", reason="reads the sockets of a Linux machine")
def test_gossip_of_this_machine():
    """The script sees a listener of either family, and none where there is none."""
    if facts.gather(LocalHost("local")).gossip:
        pytest.skip("somebody listens on TCP port 7946 of this machine")
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, 7946))
            assert facts.gather(LocalHost("local")).gossip is False
            listener.listen()
            assert facts.gather(LocalHost("local")).gossip is True


@pytest.mark.skipif(sys.platform != "linux", reason="reads the interfaces of a Linux machine")
def test_this_machine():
    """The script runs on a real machine and finds its loopback interface."""
    found = facts.gather(LocalHost("here"))
    assert found.host == "here"
    assert found.kernel
    if not any("interfaces" in text for text in found.missing):
        assert ip_interface("127.0.0.1/8") in found.ground.link("lo").addresses


def test_primary_address():
    """The address that others reach: on the interface of the default route, never loopback or link-local."""
    nics = (nic("lo", "127.0.0.1/8"), nic("docker0", "172.17.0.1/16"), nic("eth1", "fe80::1/64", "10.0.0.5/24"))
    default = (way(None, "10.0.0.1", "eth1"),)
    assert facts_of("h", nics=nics, routes=default).ground.primary_address == ip_address("10.0.0.5")
    assert facts_of("h", nics=nics).ground.primary_address == ip_address("172.17.0.1")
    assert facts_of("h", nics=nics[:1]).ground.primary_address is None


@pytest.mark.skipif(sys.platform != "linux", reason="looks at this machine's own kernel")
def test_the_kernel_has_one_word():
    """What the survey's program sees of a kernel makes the same facts as the script that does without Python."""
    host = LocalHost("here")
    told, about = facts.gather(host), facts.gather(host, whole=False)
    assert not about.ground.links
    found = facts.of(about, send.look(host, (), "host"))
    seen, said = found.ground, told.ground
    assert set(map(words, seen.links)) == set(map(words, said.links))
    assert set(map(plain, seen.ways)) == set(map(plain, said.ways))
    assert [seen.on(path) for path in FLAGS.values()] == [said.on(path) for path in FLAGS.values()]
    assert found.root == told.root
    if found.root and said.forward_policy is not None:
        assert seen.forward_policy == said.forward_policy
        assert set(found.missing) == set(told.missing)


def test_what_the_kernel_did_not_tell():
    """Where the program could not read something, it is None and listed, and not the default."""
    said = program_said({}, rules={"known": False, "old": [], "ip": failed(["iptables-save"], "denied", 4)})
    said["namespaces"][0]["deaf"] = "[Errno 13] Permission denied"
    found = facts.of(facts.parse("vm0", "== id\n0\n== end\n"), parse.machine("vm0", said))
    assert (found.ground.on(IP_FORWARD), found.ground.forward_policy, found.gossip) == (None, None, None)
    assert {"ip_forward", "forward_policy", "interfaces (is iproute2 installed?)"} <= set(found.missing)
