"""What a doctor says of hosts and of labs on them, from what they have told alone."""

import json
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from support.changed_host import of
from support.facts import altered, way
from support.labs import lab, running, who
from support.machinery import program_said
from support.pretend import Engines

from dockerlab.doctor.case import Case
from dockerlab.doctor.condition import SCRIPT, Condition, Disk, Socket, parse
from dockerlab.doctor.examine import examine, judge
from dockerlab.doctor.look import Patient, look
from dockerlab.doctor.mending import mend
from dockerlab.errors import ConnectError, EngineError, HostKeyError
from dockerlab.facts import Facts
from dockerlab.finding import Finding, Remedy, exit_code
from dockerlab.hosts.fake import FakeHost
from dockerlab.hosts.local import LocalHost
from dockerlab.kernel.model import Listener, Machine, Namespace
from dockerlab.kernel.rules import Ruleset
from dockerlab.report import findings as listing
from dockerlab.snapshot import ContainerState, NetworkState, PublishedPort

RECORDED = Path(__file__).parent / "recorded"

WELL = Condition(
    clock=0.1,
    within=0.3,
    user="root",
    docker="Docker version 28.5.2, build ecc6942",
    socket="usable",
    engine="runs",
    services="systemd",
    packages="apt-get",
    programs=frozenset({"ip", "iptables", "flock", "timeout", "sysctl"}),
    agent="complete",
    busybox=True,
    drivers={"macvlan": "works", "ipvlan": "module", "vlan": "module", "vxlan": "works", "dummy": "absent"},
    neighbours=12,
    neighbour_limit=1024,
    settable=True,
    sockets=(),
    disks=(Disk("/", 50 << 30, 10**6),),
)

EMPTY = "containers: {web: {}}"
FRONT = "networks: {front: {subnet: 10.9.1.0/24}}\ncontainers: {web: {networks: [front], ports: ['8080:80']}}"
LAN = """
networks: {lan: {driver: macvlan, parent: eth0.50, subnet: 192.168.50.0/24}}
containers: {web: {networks: [lan]}}
"""


def flushed(space):
    """Return a namespace without a rule."""
    chains = tuple(replace(chain, rules=()) for chain in space.ruleset.chains)
    return replace(space, ruleset=replace(space.ruleset, chains=chains))


def input_drops(space):
    """Return a namespace whose policy of INPUT drops, as many firewalls have it."""
    chains = (replace(c, policy="DROP" if c.name == "INPUT" else c.policy) for c in space.ruleset.chains)
    return replace(space, ruleset=replace(space.ruleset, chains=tuple(chains)))


def unread(space):
    """Return a namespace whose rules nobody could read."""
    return replace(space, ruleset=Ruleset(unread=("iptables-save: not found",)))


def bad(  # noqa: PLR0913 - each is one thing that was told
    text, *, condition=(), facts=(), engines=None, networks=(), containers=(), space=lambda s: s, **patient
):
    """Return the findings on one host that are not ok, by subject, and hold that each has a sentence.

    Its own namespace is as the engine would have made it, but for what `space` changes.
    """
    definition = lab(text) if text else None
    engines = engines or Engines(["local"])
    known = altered(engines["local"].facts(), **dict(facts))
    seen = engines["local"].snapshot()
    seen = replace(seen, networks=(*seen.networks, *networks), containers=(*seen.containers, *containers))
    told = {
        "facts": known, "condition": replace(WELL, **dict(condition)), "snapshot": seen, "kernel": of(seen, space),
    } | patient  # fmt: skip
    case = None
    if definition is not None:
        snapshots = {} if told["snapshot"] is None else {"local": told["snapshot"]}
        kernels = {} if told["kernel"] is None else {"local": told["kernel"]}
        case = Case(definition, who(definition), {"local": known}, snapshots, kernels)
    found = list(judge(Patient("local", "this machine", **told), case))
    assert all(finding.told for finding in found)
    return {finding.subject: finding for finding in found if finding.status != "ok"}


def only(found, subject, status):
    """Return the one finding that is not ok, and hold what it is about."""
    assert {key: finding.status for key, finding in found.items()} == {subject: status}
    return found[subject]


@pytest.mark.parametrize("text", ["", EMPTY, FRONT, LAN])
def test_a_whole_host(text):
    """Of a host that is as it should be there is nothing but good to say."""
    assert bad(text) == {}


def test_while_the_lab_runs():
    """A lab that runs is not in its own way: not by its subnet, its ports, nor the processes that hold them."""
    engines = running(lab(FRONT))
    proxy = Socket("tcp", None, 8080, "docker-proxy", 7)
    assert bad(FRONT, engines=engines, condition={"sockets": (proxy,)}) == {}


@pytest.mark.parametrize(
    ("condition", "facts", "subject", "status", "command"),
    [
        ({}, {"ip_forward": False}, "ip_forward", "problem", "sysctl -w net.ipv4.ip_forward=1"),
        ({}, {"ip_forward": None}, "ip_forward", "unknown", None),
        ({}, {"iptables": False}, "firewall", "problem", "iptables -P FORWARD ACCEPT"),
        ({"agent": ""}, {"python": None}, "agent", "warning", "apt-get install python3"),
        ({"agent": "No module named 'selectors'"}, {}, "agent", "warning", "apt-get install python3"),
        ({"clock": 3600.0}, {}, "clock", "problem", "timedatectl set-ntp true"),
        ({"clock": -20.0}, {}, "clock", "warning", "timedatectl set-ntp true"),
        ({"clock": None}, {}, "clock", "unknown", None),
        ({"disks": (Disk("/", 50 << 20, 9999),)}, {}, "disk", "problem", "docker system prune"),
        ({"disks": (Disk("/", 500 << 20, 9999),)}, {}, "disk", "warning", "docker system prune"),
        ({"disks": (Disk("/", 50 << 30, 3),)}, {}, "disk", "problem", "docker system prune"),
        ({"disks": ()}, {}, "disk", "unknown", None),
        ({"programs": frozenset({"ip", "iptables", "timeout"})}, {}, "flock", "problem", "apt-get install util-linux"),
        ({"programs": frozenset({"iptables", "flock", "timeout"})}, {}, "ip", "unknown", "apt-get install iproute2"),
    ],
)
def test_machine(condition, facts, subject, status, command):
    """Each thing that is wrong with a machine is found alone, with the command that mends it."""
    finding = only(bad("", condition=condition, facts=facts), subject, status)
    assert [" ".join(argv) for argv in finding.remedy.commands] == ([command] if command else [])


@pytest.mark.parametrize(
    ("changed", "status", "told", "command"),
    [
        (flushed, "problem", "are missing in table filter", "systemctl restart docker"),
        (input_drops, "problem", "the policy of filter INPUT is DROP", "iptables -P INPUT ACCEPT"),
        (unread, "unknown", "iptables-save: not found", None),
    ],
)
@pytest.mark.parametrize("text", ["", FRONT])
def test_firewall(text, changed, status, told, command):
    """What the firewall does to containers' packets is told with its cause and the command, with a lab and without."""
    finding = only(bad(text, space=changed), "firewall", status)
    assert told in finding.told
    assert [" ".join(argv) for argv in finding.remedy.commands] == ([command] if command else [])
    assert finding.remedy.undo == (), "it may be meant so"


def forward_flushed(space):
    """Return a namespace without a rule in FORWARD."""
    chains = (replace(chain, rules=() if chain.name == "FORWARD" else chain.rules) for chain in space.ruleset.chains)
    return replace(space, ruleset=replace(space.ruleset, chains=tuple(chains)))


def not_forwarding(space):
    """Return a namespace that forwards nothing, and has no rule in FORWARD either."""
    off = {path: "0" for path in space.sysctls if path.endswith(("ipv4/ip_forward", "/forwarding"))}
    return replace(forward_flushed(space), sysctls={**space.sysctls, **off, "net/ipv4/ip_forward": "0"})


@pytest.mark.parametrize("text", ["", FRONT])
def test_what_stands_after_a_network_is_made(text):
    """A new network's own rules are written anew, but not those of docker0, which are still missing."""
    finding = only(bad(text, space=forward_flushed), "firewall", "problem")
    assert "(chains FORWARD)" in finding.told


@pytest.mark.parametrize("text", ["", FRONT])
def test_one_fault_does_not_hide_another(text):
    """A host that does not forward may have lost its rules as well: both are told at once."""
    found = bad(text, facts={"ip_forward": False}, space=not_forwarding)
    assert {key: each.status for key, each in found.items()} == {"ip_forward": "problem", "firewall": "problem"}


def test_a_kernel_that_is_not_seen():
    """Where the kernel's state cannot be looked at nothing is claimed of the firewall."""
    finding = only(bad("", kernel=None, blind=EngineError("local", "no python3")), "firewall", "unknown")
    assert finding.told == "its kernel could not be looked at: no python3"


def test_a_larger_disk_below():
    """What counts is the file system that the engine's root is on, not the one that the machine is on."""
    disks = (Disk("/", 10 << 20), Disk("/var/lib", 50 << 30), Disk("/var/lib/docker-old", 0))
    assert bad("", condition={"disks": disks}) == {}


def test_a_slow_answer_is_no_wrong_clock():
    """A clock is only said to be wrong by more than the time that asking took."""
    assert bad("", condition={"clock": 9.0, "within": 5.0}) == {}


def test_nothing_to_forward():
    """A host that does not forward is no problem for a lab on its LAN, nor before its engine runs."""
    assert bad(LAN, facts={"ip_forward": False}) == {}
    for plain in ("containers: {web: {}}", "containers: {web: {network_mode: bridge}}"):
        assert set(bad(plain, facts={"ip_forward": False})) == {"ip_forward"}, "docker0's containers need the host"
    assert bad("containers: {web: {network_mode: none}}", facts={"ip_forward": False}) == {}
    assert set(bad("", facts={"ip_forward": False}, snapshot=None, silent=EngineError("local", "x"))) == {"engine"}


def test_a_policy_that_accepts():
    """An engine that keeps no rules is no problem where the policy lets everything through."""
    assert bad("", facts={"iptables": False, "forward_policy": "ACCEPT"}) == {}


def test_the_tutorials_remedy_is_told_and_not_safe():
    """The policy of FORWARD is told as a remedy, and never has what `--fix` goes by."""
    for facts, changed in (({}, flushed), ({"iptables": False}, flushed)):
        remedy = bad("", facts=facts, space=changed)["firewall"].remedy
        told = remedy.words + " ".join(" ".join(command) for command in remedy.commands)
        assert "iptables -P FORWARD ACCEPT" in told
        assert remedy.undo == ()


@pytest.mark.parametrize(
    ("condition", "patient", "told", "command"),
    [
        ({"docker": "", "socket": ""}, {}, "the docker command was not found", "apt-get install docker.io"),
        ({"socket": "forbidden", "user": "ann"}, {}, "ann may not use its socket", "usermod -aG docker ann"),
        ({"engine": ""}, {}, "it is not running", "systemctl start docker"),
        ({"engine": "", "services": ""}, {}, "it is not running", "service docker start"),
        ({"engine": "", "services": "sandbox"}, {}, "it is not running", "rm -f /run/dockerlab/dockerd.stopped"),
        ({}, {}, "it sulks", None),
    ],
)
def test_engine(condition, patient, told, command):
    """An engine that does not answer is told by its reason, with the command for the machine at hand."""
    found = bad("", condition=condition, snapshot=None, silent=EngineError("local", "it sulks"), **patient)
    (finding,) = found.values()
    assert finding.status == "problem"
    assert finding.told.startswith(told)
    assert [" ".join(argv) for argv in finding.remedy.commands] == ([command] if command else [])


def test_without_root():
    """Who is not root is told what cannot be seen, and gets the commands with sudo."""
    found = bad("", facts={"root": False, "ip_forward": False}, condition={"user": "ann"}, space=unread)
    assert {key: one.status for key, one in found.items()} == {
        "agent": "warning",
        "ip_forward": "problem",
        "firewall": "unknown",
    }
    assert found["ip_forward"].remedy.commands[0][0] == "sudo"


def test_a_host_that_is_not_reached():
    """A host that cannot be reached is one finding with the reason, and exit code 4."""
    error = HostKeyError("local", "the host key of x is not known: …; repeat with --accept-new-host-keys")
    found = list(judge(Patient("local", unreachable=error)))
    assert [(one.subject, one.status) for one in found] == [("connection", "problem")]
    assert found[0].told.startswith("the host key of x is not known")
    assert exit_code(found) == 4


@pytest.mark.parametrize(
    ("network", "facts", "condition", "status", "words"),
    [
        ("ipvlan", {"kernel_config": {"CONFIG_IPVLAN": "m"}}, {"drivers": {"ipvlan": "absent"}}, "problem", "modules"),
        ("ipvlan", {}, {"drivers": {"ipvlan": "untold"}}, "unknown", ""),
        ("macvlan", {"kernel_config": {"CONFIG_IPVLAN": "y"}}, {}, "problem", "stock kernel"),
    ],
)
def test_kernel(network, facts, condition, status, words):
    """A driver that is in no module file, was left out, or cannot be seen is told with what to do."""
    text = f"networks: {{n: {{driver: {network}, parent: eth0, subnet: 10.9.1.0/24}}}}\n"
    finding = only(
        bad(f"{text}containers: {{web: {{networks: [n]}}}}", facts=facts, condition=condition), "kernel", status
    )
    assert words in finding.remedy.words


def test_parent_down():
    """A parent that is down can be brought up, and taken down again; so can the trunk of a VLAN that is to be made."""
    known = Engines(["local"])["local"].facts()
    nics = tuple(replace(nic, up=nic.name != "eth0.50") for nic in known.ground.links)
    finding = only(bad(LAN, facts={"nics": nics}), "parent", "problem")
    assert (finding.remedy.commands, finding.remedy.undo) == (
        (("ip", "link", "set", "eth0.50", "up"),),
        (("ip", "link", "set", "eth0.50", "down"),),
    )
    nics = tuple(replace(nic, up=nic.name != "eth0") for nic in known.ground.links if nic.name != "eth0.50")
    finding = only(bad(LAN, facts={"nics": nics}), "parent", "problem")
    assert "on which Docker makes eth0.50 itself" in finding.told
    assert finding.remedy.commands == (("ip", "link", "set", "eth0", "up"),)


@pytest.mark.parametrize(
    ("driver", "machine", "told"),
    [
        ("wireless", "LENOVO 20XW", "is wireless"),
        ("e1000", "innotek GmbH VirtualBox", "VirtualBox guest"),
        ("vmxnet3", "", "VMware guest"),
        ("ena", "Amazon EC2 t3.micro", "cloud's network"),
        ("hv_netvsc", "Microsoft Corporation Virtual Machine", "Hyper-V guest"),
        ("virtio_net", "QEMU Standard PC", None),
        ("e1000e", "Dell Inc. OptiPlex", None),
    ],
)
def test_mac_filters(driver, machine, told):
    """An adapter that is known to drop the containers' MAC addresses gives a hint, for macvlan and not for ipvlan."""
    condition = {"adapters": {"eth0": driver}, "machine": machine}
    found = bad(LAN, condition=condition)
    if told is None:
        assert found == {}
    else:
        assert told in only(found, "MAC filter", "warning").told
    assert bad(LAN.replace("macvlan", "ipvlan"), condition=condition) == {}


def test_a_subnet_that_is_taken():
    """A network in the way is named, with its removal and with a subnet that is free."""
    other = NetworkState("1", "theirs", "bridge", subnets=(ip_network("10.9.0.0/16"),), internal=True)
    finding = only(bad(FRONT, networks=[other]), "subnet", "problem")
    assert finding.remedy.commands == (("docker", "network", "rm", "theirs"),)
    assert "such as 172.28.0.0/24" in finding.remedy.words


@pytest.mark.parametrize(
    ("destination", "device", "via", "status"),
    [
        ("10.9.1.128/25", "eth0", "192.168.22.9", "problem"),
        ("10.9.1.0/24", "wg0", None, "problem"),
        ("10.0.0.0/8", "tun0", None, "warning"),
        ("0.0.0.0/1", "tun0", None, None),
        ("10.9.2.0/24", "tun0", None, None),
    ],
)
def test_routes_of_the_host(destination, device, via, status):
    """A route to somewhere else clashes with a subnet by how long it is; one that means everything does not."""
    route = way(destination, via, device)
    routes = (*Engines(["local"])["local"].facts().ground.routes, route)
    found = bad(FRONT, facts={"routes": routes})
    if status is None:
        assert found == {}
    else:
        assert destination in only(found, "subnet", status).told


def test_a_port_that_the_engine_keeps():
    """An engine that is in no Swarm and keeps the port of one is to be restarted, and never killed."""
    dockerd = Socket("tcp", None, 7946, "dockerd", 31)
    wide = "networks: {n: {driver: overlay}}\ncontainers: {web: {networks: [n]}}\n"
    named = only(bad(wide, facts={"gossip": True}, condition={"sockets": (dockerd,)}), "port", "problem")
    assert named.remedy.commands == (("systemctl", "restart", "docker"),)
    found = bad(wide, facts={"gossip": True}, condition={"sockets": None})
    assert found["port"].status == "unknown"
    assert "restart the engine" in found["gossip"].remedy.words


def test_a_port_of_the_engine_itself():
    """No remedy ends the engine: where its own socket has a published port, the lab takes another one."""
    dockerd = Socket("tcp", None, 8080, "dockerd", 31)
    remedy = only(bad(FRONT, condition={"sockets": (dockerd,)}), "port", "problem").remedy
    assert remedy.commands == ()
    assert "take another port" in remedy.words


def test_a_port_that_a_process_has():
    """A process on a port is named with the command that ends it; one on another address is not in the way."""
    nginx = Socket("tcp", None, 8080, "nginx", 77)
    finding = only(bad(FRONT, condition={"sockets": (nginx,)}), "port", "problem")
    assert "8080/tcp of web is taken by nginx (process 77)" in finding.told
    assert finding.remedy.commands == (("kill", "77"),)
    elsewhere = FRONT.replace("8080:80", "127.0.0.1:8080:80")
    assert bad(elsewhere, condition={"sockets": (replace(nginx, address=ip_address("10.1.1.1")),)}) == {}
    assert only(bad(FRONT, condition={"sockets": None}), "port", "unknown")


def test_a_port_that_a_container_has():
    """A container on a port is named by the rule that `up` goes by, once."""
    other = ContainerState("1", "theirs", "x", running=True, published=(PublishedPort("0.0.0.0", 8080, 80, "tcp"),))
    proxy = Socket("tcp", None, 8080, "docker-proxy", 7)
    found = bad(FRONT, containers=[other], condition={"sockets": (proxy,)})
    assert only(found, "port", "problem").remedy.commands == (("docker", "stop", "theirs"),)


def test_host_mode_and_swarm_ports():
    """What a container in host mode listens on, and what a Swarm needs, is looked for as well."""
    taken = (Socket("tcp", None, 80, "apache2", 5), Socket("udp", None, 4789))
    found = bad("containers: {web: {network_mode: host, expose: [80]}}", condition={"sockets": taken})
    assert "80/tcp of web is taken by apache2" in only(found, "port", "problem").told
    wide = "networks: {wide: {driver: overlay, subnet: 10.50.0.0/24}}\ncontainers: {web: {networks: [wide]}}"
    found = bad(wide, condition={"sockets": taken})
    assert "4789/udp of the Swarm" in only(found, "port", "problem").told


def test_neighbours():
    """A lab that overfills the neighbour table is warned of, with a limit that suffices."""
    many = "networks: {n: {subnet: 10.9.0.0/22}}\ncontainers: {c: {replicas: 40, networks: [n]}}"
    finding = only(bad(many), "neighbours", "warning")
    assert "some 1,640 entries" in finding.told
    assert finding.remedy.commands == (("sysctl", "-w", "net.ipv4.neigh.default.gc_thresh3=4096"),)
    assert finding.remedy.undo == (("sysctl", "-w", "net.ipv4.neigh.default.gc_thresh3=1024"),)
    inside = only(bad(many, condition={"settable": False}), "neighbours", "warning")
    assert (inside.remedy.commands, inside.remedy.undo) == ((), ())
    assert only(bad(many, condition={"neighbour_limit": None}), "neighbours", "unknown")


@pytest.mark.parametrize(
    ("bridge_nf", "drivers", "status", "command"),
    [
        (True, {}, None, None),
        (False, {}, "problem", "sysctl -w net.bridge.bridge-nf-call-iptables=1"),
        (None, {"br_netfilter": "module"}, "problem", "modprobe br_netfilter"),
        (None, {}, "unknown", None),
    ],
)
def test_bridge_netfilter(bridge_nf, drivers, status, command):
    """br_netfilter matters where containers of a bridge are kept apart, and nowhere else."""
    apart = "driver_opts: {com.docker.network.bridge.enable_icc: 'false'}"
    text = f"networks: {{n: {{subnet: 10.9.1.0/24, {apart}}}}}\ncontainers: {{web: {{networks: [n]}}}}"
    found = bad(text, facts={"bridge_nf": bridge_nf}, condition={"drivers": drivers})
    if status is None:
        assert found == {}
    else:
        finding = only(found, "br_netfilter", status)
        assert [" ".join(argv) for argv in finding.remedy.commands] == ([command] if command else [])
    assert bad(FRONT, facts={"bridge_nf": bridge_nf}) == {}


ANSWER = """\
== id
0

== settings
id 0
file L2V0Yy9kb2NrZXIvZGFlbW9uLmpzb24=
flags ZG9ja2VyZA==

== docker
Docker version 20.10.24+dfsg1, build 297e128

== now
1700000010.5

== socket
usable

== agent
Traceback (most recent call last):
ModuleNotFoundError: No module named 'ctypes'

== drivers
macvlan works
vlan untold
odd

== neighbours
inet arp_cache
    thresh1 128 thresh2 512 thresh3 1024 gc_int 30000
    config key_len 4 entry_size 336 entries 72

== space
Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/vda1         51343840 20190876  28524712      42% /
tmpfs                    -        -         -        - /proc
tmpfs               100000        0      1000       0% /mnt/with space

== inodes
Filesystem       Inodes   IUsed    IFree IUse% Mounted on
/dev/vda1       3276800  317921  2958879   10% /
tmpfs                 0       0        0     - /mnt/with space

== finished
"""


def test_parse():
    """What the programs print is read; what they do not print is not known, never a guess."""
    sockets = [
        ("tcp", "0.0.0.0", 22, ((93, "sshd"),)),
        ("tcp", "127.0.0.1", 53),
        ("udp", "::", 4789),
        ("tcp", "::1", 631),
    ]
    ground = Namespace(1, host=True, listeners=tuple(Listener(*each) for each in sockets))
    found = parse(ANSWER, 1_700_000_000.0, 1_700_000_001.0, Machine("vm0", namespaces=(ground,)))
    assert (found.clock, found.within) == (10.0, 0.5)
    assert found.docker.startswith("Docker version 20.10.24")
    assert found.agent == "ModuleNotFoundError: No module named 'ctypes'"
    assert found.drivers == {"macvlan": "works", "vlan": "untold"}
    assert (found.neighbours, found.neighbour_limit) == (72, 1024)
    assert found.sockets == (
        Socket("tcp", None, 22, "sshd", 93),
        Socket("tcp", ip_address("127.0.0.1"), 53),
        Socket("udp", None, 4789),
        Socket("tcp", ip_address("::1"), 631),
    )
    assert found.disks == (Disk("/", 28524712 * 1024, 2958879), Disk("/mnt/with space", 1000 * 1024, None))
    nothing = parse("== finished", 0, 0)
    assert (nothing.clock, nothing.sockets, nothing.neighbour_limit) == (None, None, None)


def silent(host, _names):
    raise EngineError(host.name, "it sulks")


def says(shell):
    """Return a host on which the program sees a kernel in which there is nothing, and scripts are answered so."""
    return lambda argv, given: json.dumps(program_said({})) if argv[0] == "python3" else shell(given)


def test_one_round_trip():
    """A machine is asked once, with a constant, and its kernel once; an answer that is not whole is told as such."""
    host = FakeHost("vm0", says(lambda given: ANSWER if given == SCRIPT.encode() else ""))
    (patient,) = look({"vm0": host}, ["web"], silent).values()
    assert sorted(argv[0] for argv in host.calls) == ["python3", "sh"]
    assert patient.facts == Facts("vm0", patient.kernel.ground, root=True, kernel="6.18", missing=patient.facts.missing)
    cut = FakeHost("vm0", lambda *_: (1, "== id\n0\n", "killed"))
    (patient,) = look({"vm0": cut}, [], silent).values()
    found = {one.subject: one for one in judge(patient)}
    assert (found["machine"].status, found["machine"].told[-6:]) == ("unknown", "killed")


ELSEWHERE = """
hosts: {vm0: , vm1: }
containers: {web: {host: vm0}, theirs: {host: vm1, image: nginx}, sent: {host: vm1, image: ours}}
"""


def examined(definition, engines, **machines):
    """Return the findings on a lab as (host, subject, status) with their words; the controller has an image `ours`."""

    def answer(argv, _given):
        return (0 if argv[-1] == "ours" else 1, "") if argv[:3] == ("docker", "image", "inspect") else ""

    hosts = {name: FakeHost(name, machines.get(name, lambda *_: ANSWER), address=name) for name in definition.hosts}
    snapshots = engines.snapshots()
    controller = FakeHost("this machine", answer)
    found = examine(hosts, controller, definition, who(definition), lambda host, _: snapshots[host.name])
    return [(one.host, one.subject, one.status, one.told) for one in found], found


def test_where_images_come_from():
    """An image is there, sent from this machine, or would have to be pulled, of which nobody knows whether it works."""
    definition = lab(ELSEWHERE)
    told, found = examined(definition, Engines(definition.hosts))
    assert [one for one in told if one[1] == "image"] == [
        ("vm0", "image", "ok", "there: dockerlab/node"),
        ("vm1", "image", "ok", "there: dockerlab/node"),
        (
            "vm1",
            "image",
            "unknown",
            "nginx: not there, and not on this machine; whether a registry gives it is not known",
        ),
        ("vm1", "image", "ok", "ours: `up` sends it from this machine"),
    ]
    (pull,) = [one.remedy.commands for one in found if one.subject == "image" and one.status == "unknown"]
    assert pull == (("docker", "pull", "nginx"),)
    assert told[-1] == ("", "conflict", "ok", "no name is taken by something that is not the lab's")


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("id 0\nfile L2V0Yy9kb2NrZXIvZGFlbW9uLmpzb24=\nflags \ndocker0 172.17.0.1/16\nend\n", "ok", "--allow-daemon"),
        ("id 7\nfile L2V0Yy9kb2NrZXIvZGFlbW9uLmpzb24=\nflags \ndocker0 172.17.0.1/16\nend\n", "problem", "log in as"),
        ("", "unknown", "could not read the engine's settings"),
    ],
)
def test_settings_of_the_engine(text, status, words):
    """Where the lab wants other settings of an engine it is said whether it can have them, by the rules of `up`."""
    definition = lab("hosts: {vm0: {address: a, daemon: {bip: 10.88.0.1/24}}}\ncontainers: {web: {}}")
    told, _ = examined(
        definition, Engines(["vm0"]), vm0=says(lambda given: ANSWER if given == SCRIPT.encode() else text)
    )
    ((_, _, found, said),) = [one for one in told if one[1] == "daemon"]
    assert found == status
    assert words in said


def test_a_name_that_is_taken():
    """What `up` would refuse for whose it is, is a problem of the lab; a host that is not reached leaves it open."""
    definition = lab(ELSEWHERE)
    engines = Engines(definition.hosts)
    engines["vm0"].run(("docker", "run", "--name", "web", "x"))
    told, _ = examined(definition, engines)
    assert told[-1][:3] == ("", "conflict", "problem")
    assert "vm0: container web was not made by dockerlab" in told[-1][3]

    def lost(*_):
        raise ConnectError("vm1", "TCP: no answer")

    told, found = examined(definition, engines, vm1=lost)
    assert [one for one in told if one[0] == "vm1"] == [("vm1", "connection", "problem", "TCP: no answer")]
    assert not [one for one in told if one[1] == "conflict"]
    assert exit_code(found) == 4


def test_this_machine():
    """The script runs to its end on a real machine, and changes nothing that it would see itself."""
    result = LocalHost("here").run(["sh", "-s"], input=SCRIPT.encode(), timeout=60)
    assert "== finished" in result.text
    assert parse(result.text, 0, 0).clock > 1_700_000_000


def test_exit_codes():
    """4 for a host that is not reached, then 1 for a problem, then 3 for what could not be told."""

    def code(*statuses, subject="x"):
        return exit_code([Finding("h", subject, status, "t") for status in statuses])

    assert [code(), code("ok", "warning"), code("unknown", "warning"), code("unknown", "problem")] == [0, 0, 3, 1]
    assert code("problem", subject="connection") == 4


def test_mending():
    """Only what can be taken back is run, each command once, and each one is said; a failure is said as well."""
    up, down, prune = (
        ("ip", "link", "set", "e", "up"),
        ("ip", "link", "set", "e", "down"),
        ("docker", "system", "prune"),
    )
    modprobe = ("sudo", "modprobe", "x")
    host = FakeHost("h", lambda argv, _: (1, "", "no such module") if "modprobe" in argv else "")
    findings = [
        Finding("h", "a", "problem", "t", Remedy((up,), undo=(down,))),
        Finding("h", "b", "problem", "t", Remedy((up,), undo=(down,))),
        Finding("h", "c", "problem", "t", Remedy((prune,))),
        Finding("h", "d", "warning", "t", Remedy((modprobe,), undo=(("sudo", "modprobe", "--remove", "x"),))),
        Finding("h", "e", "ok", "t", Remedy((prune,), undo=(prune,))),
    ]
    said = []
    assert mend(findings, {"h": host}, said.append) == 1
    assert host.calls == [up, ("sudo", "-n", "modprobe", "x")]
    assert said == [
        "h: ran 'ip link set e up'; 'ip link set e down' takes it back",
        "h: 'sudo modprobe x' failed (exit code 1): no such module",
    ]


def test_listing():
    """A command is a line of its own that can be copied whole; JSON has it word by word."""
    long = "a sentence that goes on " * 8
    findings = [
        Finding("vm0", "kernel", "ok", "fine"),
        Finding("vm0", "x", "problem", long, Remedy((("sh", "-c", "echo 1 >/a b"),), "or not", (("true",),))),
        Finding("", "conflict", "unknown", "a\x1b[2Jb"),
    ]
    text = listing.table(findings, 60)
    assert text.splitlines()[0] == "vm0"
    assert any(line.strip() == "> sh -c 'echo 1 >/a b'" for line in text.splitlines())
    assert "\x1b" not in text
    assert text.splitlines()[-1] == "1 ok, 0 warnings, 1 problem, 1 could not be told"
    report = json.loads(listing.as_json(findings, "demo"))
    assert report["summary"] == {"ok": 1, "warning": 0, "problem": 1, "unknown": 1}
    assert report["findings"][1]["remedy"]["commands"] == [["sh", "-c", "echo 1 >/a b"]]
    assert report["findings"][2]["host"] is None


def test_listing_in_columns():
    """What is told begins in one column, also where it takes several lines."""
    told = "a sentence that goes on and on, for longer than a line"
    text = listing.table([Finding("vm0", subject, "ok", told) for subject in ("disk", "neighbours")], 60)
    assert {line.index("a sentence") for line in text.splitlines() if "a sentence" in line} == {30}
