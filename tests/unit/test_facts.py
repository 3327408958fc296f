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
from dockerlab.kernel.model import BRIDGE_NF, IP6_FORWARD, IP_FORWARD
from dockerlab.survey import bare, facts, ground, parse, send

FULL = dedent("""\

    == architecture
    x86_64

    == python
    /usr/bin/python3

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


SHELL = """
== uid
0

== kernel
6.1.0-18-amd64

== address
[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP"],"mtu":65536,"link_type":"loopback","address":"00:00:00:00:00:00",
"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},
{"ifindex":2,"ifname":"eth0","flags":["UP"],"mtu":1500,"address":"02:42:ac:11:00:02",
"addr_info":[{"family":"inet","local":"192.168.22.61","prefixlen":24}]}]
== address.whole

== route
[{"dst":"default","gateway":"192.168.22.1","dev":"eth0"},
{"type":"local","dst":"127.0.0.1","dev":"lo","table":"local"}]
== route.whole

== policies
*filter
:FORWARD DROP [0:0]
:mine - [0:0]
-A FORWARD -j mine
COMMIT
== policies.whole

== net/ipv4/ip_forward
1

== net/ipv6/conf/all/forwarding
0

== end
"""
"""What a shell prints in place of the program."""


def plain(route):
    """Return a route as its destination, its router and its interface."""
    hop = route.hops[0]
    return str(route.destination), None if hop.via is None else str(hop.via), hop.device


def words(link):
    """Return what both readers tell of a link."""
    return link.index, link.name, link.mac, link.mtu, link.up, link.addresses


def test_without_python():
    """On a host without Python a shell tells of interfaces, routes, forwarding and who we are, in one round trip."""
    host = FakeHost("vm0", lambda argv, _: SHELL if argv[0] == "sh" else (127, "", "python3: not found"))
    found = facts.of(facts.parse("vm0", FULL), ground(host))
    assert [argv[0] for argv in host.calls] == ["python3", "sh"]
    own = found.ground
    assert (found.root, found.kernel) == (True, "6.1.0-18-amd64")
    assert (own.on(IP_FORWARD), own.on(IP6_FORWARD), own.on(BRIDGE_NF)) == (True, False, None)
    assert (own.forward_policy, found.gossip) == ("DROP", None)
    assert own.link("eth0").addresses == (ip_interface("192.168.22.61/24"),)
    assert list(map(plain, own.ways)) == [("0.0.0.0/0", "192.168.22.1", "eth0")]
    assert own.primary_address == ip_address("192.168.22.61")
    assert found.missing == ("bridge_nf",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SHELL.partition("== end")[0], "could not read the machine's interfaces"),
        (SHELL.replace("== uid\n0", "== uid\nroot"), "cannot be understood"),
        (SHELL.replace("[{", "[["), "cannot be understood"),
    ],
)
def test_a_shell_that_says_something_else(text, told):
    """What is cut short or of another form is no word on a host."""
    with pytest.raises(HostError, match=told):
        bare.look(FakeHost("vm0", lambda *_: text))


def test_what_a_shell_could_not_read():
    """What a program on a host without Python did not tell is None and listed, never a guess."""
    text = SHELL.replace("== address.whole\n", "").replace("== policies.whole\n", "")
    found = facts.of(facts.parse("vm0", FULL), bare.machine("vm0", text))
    assert found.ground.links == ()
    assert found.ground.forward_policy is None
    assert {"bridge_nf", "forward_policy", "interfaces (is iproute2 installed?)"} <= set(found.missing)


def test_full():
    """What is no state of the kernel comes from a script; of the kernel it knows nothing by itself."""
    found = facts.parse("vm0", FULL)
    assert (found.host, found.root, found.python) == ("vm0", None, "/usr/bin/python3")
    assert (found.kernel, found.architecture) == ("", "x86_64")
    assert found.ground.links == ()
    assert "interfaces (is iproute2 installed?)" in found.missing


def test_settings_that_cannot_be_read():
    """An engine's settings that are there and cannot be read are told as missing; none at all are the default ones."""
    assert facts.parse("vm0", said()).settings.known
    assert facts.parse("vm0", FULL).settings.known
    found = facts.parse("vm0", said(more="hidden yes\n", path="/srv/engine.json", flags="--userland-proxy=false"))
    assert not found.settings.known
    assert found.missing[-1] == "the engine's settings (/srv/engine.json)"
    assert not found.settings.userland_proxy, "its command line can be read all the same"
    assert not facts.parse("vm0", FULL.replace("file L2V0", "file $$$")).settings.known


def test_gather():
    """One command is run, a constant on standard input; without its last line nothing is believed."""
    host = FakeHost("vm0", lambda _argv, _given: FULL)
    assert facts.gather(host) == facts.parse("vm0", FULL)
    assert host.calls == [("sh", "-s")]
    assert host.inputs == [facts.SCRIPT.encode()]
    cut = FakeHost("vm0", lambda _argv, _given: (1, FULL.partition("== settings")[0], "killed"))
    with pytest.raises(HostError, match="vm0: could not read what the machine is like: killed"):
        facts.gather(cut)


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
    """A listener of either family is seen, and none where there is none."""

    def gossip():
        return facts.of(facts.parse("local", FULL), ground(LocalHost("local"))).gossip

    if gossip():
        pytest.skip("somebody listens on TCP port 7946 of this machine")
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, 7946))
            assert gossip() is False
            listener.listen()
            assert gossip() is True


@pytest.mark.skipif(sys.platform != "linux", reason="reads the interfaces of a Linux machine")
def test_this_machine():
    """The script and the program run on a real machine, and find its loopback interface."""
    found = facts.of(facts.gather(LocalHost("here")), ground(LocalHost("here")))
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
@pytest.mark.parametrize("other", [bare.look, ground])
def test_the_kernel_has_one_word(other):
    """A brief look, and a shell in place of the program, make the same facts as a whole look at a host."""
    host = LocalHost("here")
    about = facts.gather(host)
    found, told = (facts.of(about, machine) for machine in (send.look(host, (), "host"), other(host)))
    seen, said = found.ground, told.ground
    assert set(map(words, seen.links)) == set(map(words, said.links))
    assert set(map(plain, seen.ways)) == set(map(plain, said.ways))
    assert [seen.on(path) for path in FLAGS.values()] == [said.on(path) for path in FLAGS.values()]
    assert (found.root, found.kernel) == (told.root, told.kernel)
    if found.root:
        assert seen.forward_policy == said.forward_policy
        assert set(found.missing) == set(told.missing)


def test_what_the_kernel_did_not_tell():
    """Where the program could not read something, it is None and listed, and not the default."""
    said = program_said({}, rules={"known": False, "old": [], "ip": failed(["iptables-save"], "denied", 4)})
    said["namespaces"][0]["deaf"] = "[Errno 13] Permission denied"
    found = facts.of(facts.parse("vm0", "== end\n"), parse.machine("vm0", said))
    assert (found.ground.on(IP_FORWARD), found.ground.forward_policy, found.gossip) == (None, None, None)
    assert {"ip_forward", "forward_policy", "interfaces (is iproute2 installed?)"} <= set(found.missing)
