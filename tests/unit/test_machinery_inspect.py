"""From recorded looks at hosts to what `inspect` shows: parsing, sentences, joining, output."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace

import pytest
from support.machinery import ENGINES, RECORDED, failed, raw, seen, with_ground, with_rules, with_spaces

from dockerlab.hosts.fake import FakeHost
from dockerlab.kernel import iptables
from dockerlab.kernel.model import Namespace
from dockerlab.kernel.rules import Match
from dockerlab.machinery import sentences
from dockerlab.machinery.names import Names, names_of
from dockerlab.machinery.raw import Look, looks, settings
from dockerlab.machinery.strands import strands
from dockerlab.machinery.view import Container, View, view
from dockerlab.report import inspection_json, inspection_tree

CONTAINERS = ("alone", "lan0", "plain0", "side", "web", "wide0")
NOBODY = Names({}, {})


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


def shown(machine, *names) -> View:
    return view(machine, names or CONTAINERS)


def container(found: View, name: str) -> Container:
    return next(each for each in found.containers if each.state.name == name)


def roles(found: View, name: str) -> list[list[str]]:
    return [[hop.role for hop in strand.hops] for strand in container(found, name).strands]


def does(line: str, names: Names = NOBODY) -> str:
    (rule,) = iptables.read(f"*nat\n{line}\n", "ip").rules()
    return sentences.does(rule, names)


def test_every_recorded_rule_is_understood(engine):
    """Every rule that an engine wrote has a sentence without a quoted condition, and a reason."""
    machine = seen(engine)
    names = names_of(machine)
    rules = list(machine.ground.ruleset.rules())
    assert len(rules) > 30
    for rule in rules:
        assert sentences.why(rule), rule.text
        assert "`" not in sentences.does(rule, names), rule.text


def test_the_tree(engine, golden):
    """The tree of a host with every mode is as recorded."""
    golden(RECORDED / engine / "mixed.txt", inspection_tree.render([shown(seen(engine))], 100))


def test_each_mode_has_its_way_to_the_wire(engine):
    """A bridge leads by a cable to the host's uplink, a macvlan to its parent, an overlay into a hidden VXLAN."""
    found = shown(seen(engine))
    assert roles(found, "plain0") == [["cable", "bridge", "uplink"]]
    assert roles(found, "lan0") == [["parent"]]
    assert roles(found, "wide0") == [["cable", "bridge", "vxlan"], ["cable", "bridge", "uplink"]]
    assert roles(found, "alone") == []
    assert [strand.network for strand in container(found, "wide0").strands] == ["wide", "docker_gwbridge"]
    tunnel = container(found, "wide0").strands[0].hops[2]
    assert tunnel.where.startswith("1-")
    assert {peer.to for peer in tunnel.peers} == {"192.168.22.62"}


def test_who_shares_a_namespace(engine):
    """A container that joined another one is in its namespace by what the kernel says, with the same interfaces."""
    found = shown(seen(engine))
    assert container(found, "side").shares == "web"
    assert container(found, "side").home is container(found, "web").home
    assert container(found, "web").shares == ""
    assert found.names.interface(container(found, "web").strands[0].hops[0].link.name).endswith("to eth0 of web)")


def test_a_container_left_behind(engine):
    """Where the owner of a joined namespace is in another one now, that is said, and not that they share one."""
    machine = seen(engine)
    side, web = machine.container("side"), machine.container("web")
    spaces = (
        replace(space, pids=tuple(pid for pid in space.pids if pid != web.pid)) for space in machine.kernel.namespaces
    )
    there = container(shown(with_spaces(machine, *spaces)), "side")
    assert there.home is not None
    assert side.pid in there.home.pids
    assert there.shares == ""
    assert "joined a namespace that its owner has left" in there.notes[0]


def test_a_published_port_from_outside_to_process(engine):
    """A published port has its rule with the number that iptables gives it, its docker-proxy, and who listens."""
    (first, second) = container(shown(seen(engine)), "web").doors
    assert [(rule.chain, rule.number) for rule in first.rules] == [("DOCKER", 4)]
    assert [(proxy.address, proxy.to, proxy.to_port) for proxy in first.proxies] == [("0.0.0.0", "172.30.0.2", 80)]
    assert [name for listener in first.listeners for _, name in listener.holders] == ["httpd"]
    assert first.notes == ()
    assert second.rules == ()
    assert second.notes == ("no rule translates it: docker-proxy alone takes the connections",)


def test_nobody_listens(engine):
    """A port on which nobody listens inside is said to refuse; one whose listener cannot be seen is not."""
    blind = raw(engine)
    for space in blind["namespaces"]:
        space["sockets"] = []
    (door, _) = container(shown(seen(engine, namespaces=blind["namespaces"])), "web").doors
    assert "nobody listens on it inside: who connects is refused" in door.notes
    for space in blind["namespaces"]:
        space["deaf"] = "[Errno 13] Permission denied"
    (door, _) = container(shown(seen(engine, namespaces=blind["namespaces"])), "web").doors
    assert door.notes == ("could not tell who listens inside: [Errno 13] Permission denied",)
    (door, _) = container(shown(seen(engine, owners=[], unseen=7)), "web").doors
    assert door.notes == ("could not tell which process listens inside",)


def test_what_could_not_be_read_is_not_nothing(engine):
    """Without root there are reasons and no claims: no rule is said to be missing, no namespace to be empty."""
    denied = failed(["iptables-save"], "Permission denied (you must be root)", 4)
    ours = [space for space in with_rules(engine, ip=denied, known=False) if space["host"]]
    machine = seen(engine, uid=1000, namespaces=ours, unread={"/proc/7/ns/net": "[Errno 13]"}, proxies=[], unseen=9)
    assert (
        "the firewall's rules (iptables-save): `iptables-save` failed (exit code 4): "
        "Permission denied (you must be root)" in machine.unread
    )
    assert "the network namespaces of 1 container: [Errno 13]" in machine.unread
    assert "which process listens where: 9 processes cannot be looked into (root is needed)" in machine.unread
    web = container(shown(machine), "web")
    assert web.home is None
    assert "could not tell what is inside" in web.notes[0]
    assert set(web.doors[0].notes) == {
        "could not tell whether a rule translates it: the firewall's rules could not be read",
        "could not see whether there is a docker-proxy",
        "could not tell who listens inside: the container's namespace could not be entered",
    }
    tree = inspection_tree.render([shown(machine)], 200)
    assert "could not read the firewall's rules" in tree
    assert json.loads(inspection_json.render("mixed", [shown(machine)]))["hosts"]["vm0"]["unread"]


def test_an_engine_that_does_not_answer(engine):
    """Where the engine cannot be asked, no container is said to be missing, and no firewall to be iptables."""
    down = failed(["docker", "ps", "--all"], "Cannot connect to the Docker daemon")
    found = shown(seen(engine, engine=down, containers=down, networks=down), "web")
    assert (found.missing, found.unsure) == ((), ("web",))
    tree = inspection_tree.render([found], 200)
    assert "engine unknown, kernel 6.18.44, firewall unknown" in tree
    assert "web: could not tell whether there is a container of that name" in tree
    assert "`docker ps --all` failed (exit code 1): Cannot connect to the Docker daemon" in tree


def test_a_backend_of_nftables(engine):
    """For an engine that keeps its rules in nftables, `nft` is among the raw commands."""
    said = {"argv": [], "rc": 0, "err": "", "out": '{"ServerVersion":"29.0","FirewallBackend":{"Driver":"nftables"}}'}
    machine = seen(engine, engine=said)
    assert machine.backend == "nftables"
    assert ("nft", "list", "ruleset") in [look.argv for look in looks(shown(machine))]


def test_a_cable_that_leads_to_several_ends(engine):
    """Where two interfaces may be the other end of a cable, neither is taken for it."""
    machine = seen(engine)
    home = machine.home(machine.container("plain0"))
    (cable,) = (hop for strand in strands(machine, home, ()) for hop in strand.hops if hop.role == "cable")
    twice = with_spaces(machine, *machine.kernel.namespaces, Namespace(1, links=(cable.link,)))
    (hop,) = strands(twice, home, ())[0].hops
    assert (hop.role, hop.link) == ("unknown", None)
    assert hop.note.endswith("several fit")


def test_a_vlan_beneath_a_macvlan(engine):
    """A parent that is a VLAN interface leads on to the interface that carries the VLAN."""
    machine = seen(engine)
    links = tuple(
        replace(link, kind="vlan", info={"id": "50", "parent": "eth0"}) if link.name == "eth0.50" else link
        for link in machine.ground.links
    )
    found = shown(with_ground(machine, links=links), "lan0")
    assert roles(found, "lan0") == [["parent", "lower"]]
    assert "on eth0 (veth)" in inspection_tree.render([found], 200)


def test_an_ipvlan(engine):
    """A child with its parent's MAC address is one of that parent, and shows in which mode it is."""
    spaces = raw(engine)["namespaces"]
    text = '"info_kind":"macvlan","info_data":{"mode":"bridge"'
    for space in spaces:
        said = space["said"]["address"]
        said["out"] = said["out"].replace(text, '"info_kind":"ipvlan","info_data":{"mode":"l2","flags":["bridge"]')
    found = shown(seen(engine, namespaces=spaces), "lan0")
    (strand,) = container(found, "lan0").strands
    assert (strand.link.kind, strand.link.info, strand.network) == (
        "ipvlan", {"mode": "l2", "flags": "bridge"}, "lan50"
    )  # fmt: skip
    assert roles(found, "lan0") == [["parent"]]
    assert found.rules
    assert "rules for all packets" not in inspection_tree.render([found], 100)


def test_an_internal_network_leads_nowhere(engine):
    """The bridge of an internal network has no way on to the host's uplink."""
    machine = seen(engine)
    networks = tuple(replace(network, internal=network.name == "app") for network in machine.networks)
    assert roles(shown(replace(machine, networks=networks)), "web") == [["cable", "bridge"]]


def test_interfaces_that_could_not_be_read(engine):
    """Where ip fails inside a namespace, that is said; that there is no interface is not."""
    spaces = raw(engine)["namespaces"]
    for space in spaces:
        if not space["host"]:
            space["said"]["address"] = failed(["ip", "-json", "-details"], 'Object "address" is unknown')
    found = shown(seen(engine, namespaces=spaces), "plain0")
    tree = inspection_tree.render([found], 200)
    assert 'could not read interfaces and addresses: `ip -json -details` failed (exit code 1): Object "address"' in tree
    assert "no interface but lo" not in tree
    (there,) = json.loads(inspection_json.render("mixed", [found]))["hosts"]["vm0"]["containers"]
    assert there["interfaces"] is None


def test_what_concerns_one_container(engine):
    """Of one container only its own bridge is shown, and no rule that names another network or container."""
    found = shown(seen(engine), "plain0")
    assert [bridge.link.name for bridge in found.bridges] == ["docker0"]
    rules = [*found.bridges[0].rules, *found.rules, *container(found, "plain0").rules]
    assert all("br-" not in rule.text and "172.30" not in rule.text for rule in rules)


def test_missing_containers_and_stopped_ones(engine):
    """A container that is not there is named; one that does not run has no namespace and no claims about it."""
    machine = seen(engine)
    states = tuple(
        replace(c, running=False, pid=0, status="exited") if c.name == "web" else c for c in machine.containers
    )
    found = view(with_spaces(replace(machine, containers=states), machine.ground), ("web", "nix"))
    assert found.missing == ("nix",)
    tree = inspection_tree.render([found], 100)
    assert "web: exited, network mode app" in tree
    assert "it does not run: it has no network namespace" in tree
    assert "nix: there is no container of that name" in tree


def test_raw_commands(engine):
    """The raw commands are the tutorial's, with what stands in for one that is not installed, and all only read."""
    commands = list(looks(shown(seen(engine), "wide0")))
    argvs = [look.argv for look in commands]
    assert ("docker", "network", "inspect", "wide") in argvs
    assert ("iptables", "-t", "nat", "-nL", "--line-numbers") in argvs
    assert next(look.instead for look in commands if look.argv[0] == "brctl") == ("bridge", "link", "show")
    assert any(argv[0] == "nsenter" and "/var/run/docker/netns/1-" in argv[1] for argv in argvs)
    assert ("docker", "exec", "wide0", "cat", "/etc/resolv.conf") in argvs


def hidden(found: View) -> list[tuple[str, ...]]:
    return [look.argv for look in looks(found) if "/netns/" in " ".join(look.argv)]


def test_raw_of_host_mode(engine):
    """A container in host mode is inside no hidden namespace, though cables of the host lead into all of them."""
    found = shown(seen(engine), "wide0")
    assert hidden(found) != []
    assert hidden(replace(found, containers=tuple(replace(each, shares="host") for each in found.containers))) == []


def test_raw_settings():
    """The engine's settings are among the raw commands where a lab has changed them, and nowhere else."""

    def said(**lines):
        told = {key: b64encode(value.encode()).decode() for key, value in lines.items()}
        return "".join(f"{key} {value}\n" for key, value in told.items()) + "id 0\ndocker0 \nend\n"

    kept = "lab docker0\nowner me\nmode absent\n\n"
    changed = FakeHost("vm0", lambda *_: said(file="/etc/engine.json", flags="dockerd", kept=kept))
    assert list(settings(changed)) == [Look(("cat", "/etc/engine.json"))]
    assert list(settings(FakeHost("vm0", lambda *_: said(file="/etc/engine.json", flags="dockerd")))) == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
         ("Leaving connections from 172.17.0.0/16 (network bridge) that leave by another interface than docker0 "
         "get the host's own address as their source.")),
        ("-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.4:80",
         ("Connections to TCP port 80 that came by another interface than docker0 are sent on to 172.17.0.4 (nginx), "
         "port 80.")),
        ("-A DOCKER -p udp -m udp --dport 53 -j DNAT --to-destination [fd00::2]:53",
         "Connections to UDP port 53 are sent on to fd00::2, port 53."),
        ("-A MINE -m comment --comment \"it's mine\" -m limit --limit 3/sec -j LOG",
         "Packets that fit `--limit 3/sec` are written to the log."),
        ("-A MINE ! -s 10.0.0.0/8 -m conntrack --ctstate NEW -g OTHER",
         "Packets not from 10.0.0.0/8 that belong to a connection in state NEW are handed to chain OTHER."),
        ("-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
         ("Connections of the host itself to an address of the host's own but not to 127.0.0.0/8 are handed to chain "
         "DOCKER.")),
        ("-A MINE -p icmp", "Packets of ICMP are counted, and no more."),
    ],
)  # fmt: skip
def test_sentences(line, sentence):
    """A rule becomes one plain sentence; what we do not know is quoted and not left out."""
    assert does(line, Names({}, {"172.17.0.0/16": "network bridge", "172.17.0.4/32": "nginx"})) == sentence


def test_rules_are_numbered_as_iptables_does():
    """The numbers of rules count for each chain of each table, and negation belongs to the option that follows."""
    text = "*filter\n:FORWARD DROP [1:2]\n:A - [0:0]\n-A FORWARD -j A\n-A A ! -i eth0 -j DROP\n-A A -j RETURN\nCOMMIT\n"
    found = iptables.read(text, "ip")
    rules = list(found.rules())
    assert [(rule.chain, rule.number) for rule in rules] == [("FORWARD", 1), ("A", 1), ("A", 2)]
    assert rules[1].matches == (Match("-i", ("eth0",), negated=True),)
    assert [(chain.name, chain.policy) for chain in found.chains] == [("FORWARD", "DROP"), ("A", "")]


def test_a_rule_of_somebody_elses_has_no_reason():
    """A rule that is not as Docker writes it gets no reason of Docker's."""
    (rule,) = iptables.read("*filter\n-A FORWARD -s 172.17.0.2/32 -j DROP\n", "ip").rules()
    assert sentences.why(rule) == ""


def test_what_a_container_says_of_itself_is_no_order_to_the_terminal(engine):
    """Escape sequences in a container's resolv.conf do not come through in the tree; JSON escapes them."""
    found = shown(
        seen(engine, resolvers={i: {"text": "nameserver \x1b[2J\n"} for i in raw(engine)["resolvers"]}), "web"
    )
    assert "resolv.conf: nameserver ?[2J" in inspection_tree.render([found], 100)
    assert "\x1b" not in inspection_json.render("mixed", [found])
