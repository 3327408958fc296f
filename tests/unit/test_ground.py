"""The hosts themselves as part of a lab: what is made, noted and undone, in their order; and what is expected of it."""

import json
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from support.labs import lab, plan_up, who
from support.pretend import Engines
from support.worlds import changed, looked

from dockerlab import plan
from dockerlab.doctor import grounds as doctor
from dockerlab.doctor.case import Case
from dockerlab.errors import ConflictError, UsageError
from dockerlab.ground import objects, present, receipt
from dockerlab.ground.deeds import deeds
from dockerlab.ground.present import Beneath
from dockerlab.ground.receipt import receipts
from dockerlab.hosts.fake import FakeHost
from dockerlab.imagined import ground
from dockerlab.kernel import iptables, nft_source
from dockerlab.kernel.model import Namespace
from dockerlab.kernel.routes import Hop, Route
from dockerlab.lab.filter_lines import filter_line
from dockerlab.lab.lint import LINTS
from dockerlab.plan.bringing_up import Situation, up
from dockerlab.plan.ground import written
from dockerlab.provision import grounds
from dockerlab.provision.beneath import for_down
from dockerlab.provision.up import Wish
from dockerlab.reach import matrix, worlds
from dockerlab.reach.matrix import beside
from dockerlab.snapshot import LABEL_LAB, VolumeState
from dockerlab.verify.beforehand import foresee
from dockerlab.verify.causes import Odd, host_causes, is_odd

TEXT = """
hosts:
  vm0:
    address: ssh://root@192.0.2.10:2222
    interfaces:
      shim: {kind: macvlan, parent: eth0, addresses: 192.0.2.250/32}
      eth0: {mtu: 1400}
    routes: [192.0.2.200/32 dev shim, 10.5.0.0/16 via 172.28.1.10]
    rules: [from 192.0.2.77 lookup 100]
    firewall:
      preset: ufw
      iptables: [-N OWN, -A OWN -s 10.0.0.1 -j DROP]
      nft: {late: {hook: input, rules: [tcp dport 9002 drop]}}
    sysctls: {net.ipv4.conf.all.rp_filter: 2}
networks: {app: {subnet: 172.28.1.0/24}}
containers: {web: {networks: {app: {ip: 172.28.1.10}}}}
"""
SETTINGS = {"net.ipv4.conf.all.rp_filter": "0"}


def bare(definition):
    """Return a host as it is before the lab."""
    made = ground.made_up(definition)["vm0"].ground
    return Beneath(
        replace(made, ruleset=iptables.read("*filter\n:INPUT ACCEPT\n:FORWARD DROP\nCOMMIT\n", "ip")), SETTINGS
    )


def planned(definition, engines, beneath, run="0"):
    """Return the plan of `up` on hosts as they are."""
    situation = Situation(engines.snapshots(), engines.addresses(), engines.files(), {"vm0": beneath})
    return up(definition, who(definition, run=run), situation)


def typed(steps):
    return [" ".join(map(str, command.argv)) for step in steps for command in step.commands]


def made(definition, beneath, only=lambda _deed: True):
    """Return a host on which what the definition says of it has been made, or a part of that."""
    space, settings = beneath.space, dict(beneath.settings)
    section = written(definition, "vm0")
    for deed in deeds(section, definition.name):
        if not only(deed):
            continue
        about = deed.about
        match deed.kind:
            case "interface":
                parent = space.link(about["spec"].parent)
                added = replace(
                    objects.link(deed.name, about["spec"], parent), index=99, peer=parent.index, addresses=()
                )
                space = replace(space, links=(*space.links, added))
            case "address" | "mtu":
                space = replace(space, links=tuple(_changed(link, deed) for link in space.links))
            case "setting":
                settings[deed.name] = deed.value
            case "route":
                space = replace(space, routes=(*space.routes, objects.route(about["spec"], space.links)))
            case "ip-rule":
                space = replace(space, selectors=(*space.selectors, objects.selector(about["spec"])))
    if not any(only(deed) for deed in deeds(section, definition.name) if deed.kind == "rule"):
        return Beneath(space, settings)
    rules = objects.filtered(space.ruleset, section.firewall, definition.name)
    return Beneath(replace(space, ruleset=rules), settings)


def _changed(link, deed):
    if link.name != deed.about["name"]:
        return link
    if deed.kind == "mtu":
        return replace(link, mtu=int(deed.value))
    return replace(link, addresses=(*link.addresses, deed.about["held"]))


def test_noted_first_and_the_filter_last():
    """The receipt comes before all else, links and routes before networks, what needs a bridge and the filter after."""
    definition = lab(TEXT)
    steps = [s for s in planned(definition, Engines(definition.hosts), bare(definition)).ordered() if s.commands]
    names = [str(step.key).removesuffix(" on vm0") for step in steps]
    order = [
        "note of ground", "host interface shim", "host route 192.0.2.200/32 dev shim", "network app", "container web",
        "host route 10.5.0.0/16 via 172.28.1.10", "host rule iptables -A INPUT -i lo -j ACCEPT",
        "host policy iptables filter INPUT",
    ]  # fmt: skip
    assert [name for name in names if name in order] == order
    lines = typed(steps)
    drop = next(n for n, line in enumerate(lines) if "--policy INPUT DROP" in line)
    for needed in ("--ctstate RELATED,ESTABLISHED -j ACCEPT", "--dport 22 -j ACCEPT", "--dport 2222 -j ACCEPT"):
        assert any(needed in line for line in lines[:drop]), needed
    assert all(command.why for step in steps for command in step.commands)


def test_undone_to_the_last_thing():
    """What `down` types is each thing that was made, the last one first, and the values that were there before."""
    definition = lab(TEXT)
    engines, before = Engines(definition.hosts), bare(definition)
    engines.carry_out(
        plan.Plan(tuple(s for s in planned(definition, engines, before).steps if s.key.kind == "receipt"))
    )
    after = made(definition, before)
    removal = plan.down(engines.snapshots(), "demo", None, beneath={"vm0": after})
    lines = typed(step for step in removal.ordered() if step.key.kind == "host")
    assert lines[0] == "nft delete table inet dockerlab.demo"
    assert "ip6tables --wait --table filter --policy INPUT ACCEPT" in lines
    assert lines[-5:] == [
        "ip -4 route delete 192.0.2.200/32 dev shim",
        "sysctl -w net.ipv4.conf.all.rp_filter=0",
        "ip address delete 192.0.2.250/32 dev shim",
        "ip link set eth0 mtu 1500",
        "ip link delete shim",
    ]
    assert sum(" --delete INPUT " in line for line in lines) == 10
    chain = next(n for n, line in enumerate(lines) if "--delete-chain OWN" in line)
    assert any("--delete OWN -s 10.0.0.1 -j DROP -m comment" in line for line in lines[:chain])
    assert removal.ordered()[-1].key.kind == "receipt"
    assert not removal.notes


def test_a_policy_of_which_nobody_knows_what_it_was():
    """Noted by a script, which looks at nothing, it becomes what a kernel begins with before the rules beside it go."""
    definition = lab(TEXT)
    engines, before = Engines(definition.hosts), bare(definition)
    blind = up(definition, who(definition), Situation(engines.snapshots(), engines.addresses(), engines.files(), {}))
    engines.carry_out(plan.Plan(tuple(s for s in blind.steps if s.key.kind == "receipt")))
    removal = plan.down(engines.snapshots(), "demo", None, beneath={"vm0": made(definition, before)})
    lines = typed(step for step in removal.ordered() if step.key.kind == "host")
    opened = lines.index("iptables --wait --table filter --policy INPUT ACCEPT")
    assert all(
        opened < number for number, line in enumerate(lines) if line.startswith("iptables") and "--delete" in line
    )
    assert not any("mtu" in line for line in lines)


def test_nothing_is_undone_that_is_not_there():
    """Killed right after the receipt, `down` forgets that alone; what somebody else has set since stays."""
    definition = lab(TEXT)
    engines, before = Engines(definition.hosts), bare(definition)
    engines.carry_out(
        plan.Plan(tuple(s for s in planned(definition, engines, before).steps if s.key.kind == "receipt"))
    )
    removal = plan.down(engines.snapshots(), "demo", None, beneath={"vm0": before})
    assert [str(step.key.kind) for step in removal.steps] == ["receipt"]
    other = replace(before, settings={"net.ipv4.conf.all.rp_filter": "1"})
    assert not [
        s for s in plan.down(engines.snapshots(), "demo", None, beneath={"vm0": other}).steps if s.key.kind == "host"
    ]


def test_a_second_up_does_what_is_missing():
    """With everything there nothing is done; what was taken away is made again, and still noted as the lab's."""
    definition = lab(TEXT)
    engines, before = Engines(definition.hosts), bare(definition)
    steps = planned(definition, engines, before).steps
    engines.carry_out(plan.Plan(tuple(s for s in steps if s.key.kind in ("receipt", "network", "container"))))
    there = made(definition, before)
    assert not planned(definition, engines, there, run="1").changes
    without = made(definition, before, only=lambda deed: deed.kind not in ("setting", "ip-rule"))
    again = planned(definition, engines, without, run="1")
    assert [step.key.name for step in again.steps if step.key.kind == "host"] == [
        "setting net.ipv4.conf.all.rp_filter", "ip-rule 1000: from 192.0.2.77/32 lookup 100",
    ]  # fmt: skip
    engines.carry_out(plan.Plan(tuple(s for s in again.ordered() if s.key.kind == "receipt")))
    (kept,) = receipts(engines.snapshots()["vm0"], lambda _: True)
    assert kept.before["setting net.ipv4.conf.all.rp_filter"] == "0"
    assert "interface shim" in kept.before


def test_what_is_there_already_is_nobodys():
    """What the host has of itself is kept, is not noted, and `down` leaves it."""
    definition = lab(TEXT)
    there = made(definition, bare(definition), only=lambda deed: deed.kind == "ip-rule")
    note = next(s for s in planned(definition, Engines(definition.hosts), there).steps if s.key.kind == "receipt")
    content = next(str(a) for a in note.commands[0].argv if str(a).startswith("dockerlab.ground="))
    before = json.loads(content.partition("=")[2])["before"]
    assert not any(key.startswith("ip-rule") for key in before)
    assert before["policy iptables filter INPUT"] == "ACCEPT"


def test_a_receipt_that_says_something_else():
    """A receipt is read as strictly as a definition: what is no section of one is left alone, and told."""
    definition = lab(TEXT)
    good = next(
        s for s in planned(definition, Engines(definition.hosts), bare(definition)).steps if s.key.kind == "receipt"
    )
    labels = dict(str(a).split("=", 1) for a in good.commands[0].argv if str(a).startswith("dockerlab."))
    said = json.loads(labels[receipt.LABEL])
    for evil in ({"interfaces": {"a; reboot": {"kind": "dummy"}}}, {"firewall": {"iptables": ["-F"]}}, {"strange": 1}):
        wrong = {**labels, receipt.LABEL: json.dumps({**said, "ground": evil})}
        snapshot = replace(Engines(definition.hosts).snapshots()["vm0"], volumes=(VolumeState("noted", wrong),))
        removal = plan.down({"vm0": snapshot}, "demo", None, beneath={"vm0": bare(definition)})
        assert not removal.steps
        assert "receipt noted cannot be understood" in removal.notes[0]


def test_refused_before_anything_is_touched():
    """Without leave the commands are listed; what is in the way, or another lab's, is named."""
    definition = lab(TEXT)
    engines, beneath = Engines(definition.hosts), bare(definition)
    me, books = who(definition), engines.snapshots()
    with pytest.raises(UsageError) as caught:
        grounds.allowed(definition, me, books, {"vm0": beneath}, Wish())
    assert "Allow it with --allow-host-changes:\n  vm0: ip link add shim link eth0 type macvlan" in str(caught.value)
    grounds.allowed(definition, me, books, {"vm0": beneath}, Wish(ground=True))

    other = lab(TEXT.replace("eth0", "lan0").replace("10.5.0.0", "0.0.0.0/0 via 192.0.2.3, 10.5.0.0"))
    taken = replace(beneath, settings={})
    with pytest.raises(ConflictError) as caught:
        grounds.allowed(other, me, books, {"vm0": taken}, Wish(ground=True))
    for told in ("there is no interface lan0", "wants parent lan0", "no setting net.ipv4.conf.all.rp_filter"):
        assert told in str(caught.value)
    assert "there is another route in the place of `0.0.0.0/0 via 192.0.2.3`: default via 192.0.2.1" in str(
        caught.value
    )

    engines.carry_out(
        plan.Plan(tuple(s for s in planned(definition, engines, beneath).steps if s.key.kind == "receipt"))
    )
    volumes = tuple(replace(v, labels={**v.labels, LABEL_LAB: "shop"}) for v in engines.snapshots()["vm0"].volumes)
    books = {"vm0": replace(books["vm0"], volumes=volumes)}
    with pytest.raises(ConflictError, match=r"interface shim is of lab shop.*'dockerlab down shop' puts it back"):
        grounds.allowed(definition, me, books, {"vm0": beneath}, Wish(ground=True))
    unseen = Beneath(unseen="only root can")
    with pytest.raises(ConflictError, match="vm0: only root can"):
        grounds.allowed(definition, me, engines.snapshots(), {"vm0": unseen}, Wish(ground=True))


def test_a_kernel_that_is_not_seen_is_not_undone():
    """Where a host's kernel cannot be looked at, its receipt stays, and so the next `down` finds it."""
    definition = lab(TEXT)
    engines = Engines(definition.hosts)
    steps = planned(definition, engines, bare(definition)).steps
    engines.carry_out(plan.Plan(tuple(s for s in steps if s.key.kind == "receipt")))
    host = FakeHost("vm0", lambda _argv, _given: (1, b"", b"no python3 there"))
    beneath = for_down({"vm0": host}, engines.snapshots(), lambda _: True)
    removal = plan.down(engines.snapshots(), "demo", None, beneath=beneath)
    assert not removal.steps
    assert "what the lab changed of the host itself is kept" in removal.notes[0]


def test_expected_of_it():
    """What the definition says of a host is part of what is expected: its filter, and containers' routes."""
    definition = lab(
        """
        hosts: {vm0: {firewall: {preset: ufw, allow: [9001]}}, vm1: {firewall: {preset: firewalld}}}
        networks: {n: {subnet: 172.28.1.0/24}}
        containers:
          web: {host: vm0, networks: {n: {ip: 172.28.1.10}}, ports: ["8080:80"]}
          lost: {host: vm0, networks: {n: {ip: 172.28.1.11}}, routes: [192.0.2.0/24 via 172.28.1.99]}
          shut: {host: vm0, network_mode: host, expose: [9000]}
          open: {host: vm0, network_mode: host, expose: [9001]}
          far: {host: vm1, network_mode: host, expose: [9000]}
        """
    )
    told = {f"{c.source} {c.to} {c.probe}": e for c, e in matrix(worlds.offline(definition)) if c.target != "::1"}
    assert told["far shut tcp/9000"].symptom == "timeout"
    assert told["far open tcp/9001"].reachable
    assert told["far vm0 tcp/8080"].reachable
    assert told["far vm0 ping"].reachable
    assert told["shut far tcp/9000"].reachable is False
    assert told["lost far ping"].symptom == "host unreachable"


def test_the_form_of_iptables():
    """A line is words: its table, its verb, its chain and its place; a rule begins where iptables puts it."""
    line = filter_line("-t nat -I POSTROUTING 2 -s 10.0.0.0/8 ! -o eth0 -j MASQUERADE")
    assert (line.table, line.verb, line.chain, line.place) == ("nat", "-I", "POSTROUTING", 2)
    made_of = objects.rule("iptables", line, "dockerlab:x:1")
    saved = '-A POSTROUTING -s 10.0.0.0/8 ! -o eth0 -m comment --comment "dockerlab:x:1" -j MASQUERADE'
    assert made_of == iptables.rule("ip", "nat", saved)


@pytest.mark.parametrize(
    "text",
    [
        "ip saddr 10.0.0.0/8 tcp dport { 80, 443 } counter drop", "ct state established,related accept",
        'iifname "lo" accept', "meta l4proto { icmp, ipv6-icmp } accept", "reject with icmpx type admin-prohibited",
        "tcp dport 80 dnat ip to 10.0.0.1:8080", 'fib daddr type local log prefix "x" drop',
    ],
)  # fmt: skip
def test_the_form_of_nft(text):
    """A rule of nft as a person writes it is understood as its kernel would list it."""
    assert not any("unknown" in json.dumps(term) for term in nft_source.terms(text))


def test_what_is_not_understood_of_nft():
    """What is none of it becomes a condition that nobody knows, so that no claim is made."""
    said = lab(
        "hosts: {vm0: {firewall: {nft: {a: {hook: input, rules: [ip saddr @blocked drop]}}}}}\ncontainers: {aa: }\n"
    )
    (chain,) = objects.table(said.grounds["vm0"].firewall, "demo").chains
    (rule,) = chain.rules
    assert rule.text == "ip saddr @blocked drop"
    assert [match.module for match in rule.matches] == ["unknown"]


def test_a_value_is_one_argument():
    """Whatever stands in a line, each of its words is one argument of one command."""
    definition = lab(
        "hosts: {vm0: {firewall: {iptables: ['-A INPUT -m string --string \"$(reboot); #\" --algo bm -j DROP']}}}\n"
        "containers: {aa: }\n"
    )
    (command,) = [
        c for s in plan_up(definition, Engines(definition.hosts)).steps for c in s.commands if c.argv[0] == "iptables"
    ]
    assert "$(reboot); #" in command.argv
    assert "'$(reboot); #'" in command.shell()


def test_pointed_out():
    """Routes into the lab's own subnets, and overlays over hosts' addresses, are told before anything is made."""
    definition = lab(
        """
        hosts:
          vm0:
            address: ssh://root@10.71.0.5
            routes: [172.28.1.0/25 via 10.71.0.1, 172.20.13.0/24 via 10.71.0.1]
        networks: {own: {subnet: 172.28.1.0/24}, any: , wide: {driver: overlay, subnet: 10.71.0.0/16},
                   gw: {driver: overlay, subnet: 172.18.9.0/24}}
        containers: {aa: {networks: [own, any, wide, gw]}}
        """
    )
    told = [(p.path, p.message) for lint in LINTS for p in lint(definition)]
    assert any(
        path == ("hosts", "vm0", "routes", 0) and "is where network own is" in m.replace("leads to ", "is ")
        for path, m in told
    )
    assert any(path == ("hosts", "vm0", "routes", 1) and "network any names no subnet" in m for path, m in told)
    assert any(path == ("networks", "wide") and "holds the address of vm0" in m for path, m in told)
    assert any(path == ("networks", "gw") and "docker_gwbridge" in m for path, m in told)


TAKEN = {
    "policy": (lambda space: _filtered(space, lambda c: replace(c, policy="ACCEPT") if c.name == "INPUT" else c),
               "iptables --wait --table filter --policy INPUT DROP"),
    "rule": (lambda space: _filtered(space, _without_ping), "--append INPUT -p icmp -m icmp --icmp-type 8 -j"),
    "route": (lambda space: replace(space, routes=tuple(r for r in space.routes if "192.0.2.200" not in r.text)),
              "ip -4 route add 192.0.2.200/32 dev shim"),
    "link": (lambda space: replace(space, links=tuple(x for x in space.links if x.name != "shim"),
                                   routes=tuple(r for r in space.routes if "shim" not in r.text)),
             ("ip link add shim link eth0 type macvlan mode bridge && ip link set shim up && "
              "ip address add 192.0.2.250/32 dev shim && ip -4 route add 192.0.2.200/32 dev shim")),
}  # fmt: skip
"""What somebody takes away of a host, and what puts it back."""


def _filtered(space, change):
    return replace(space, ruleset=replace(space.ruleset, chains=tuple(change(chain) for chain in space.ruleset.chains)))


def _without_ping(chain):
    return replace(chain, rules=tuple(rule for rule in chain.rules if "icmp" not in rule.text))


@pytest.mark.parametrize("kind", TAKEN)
def test_what_is_missing_is_the_labs(kind):
    """What the definition says of a host and is not there is a cause of side lab, with what puts it back."""
    definition = lab(
        """
        hosts:
          vm0:
            interfaces: {shim: {kind: macvlan, parent: eth0, addresses: 192.0.2.250/32}}
            routes: [192.0.2.200/32 dev shim]
            firewall: {preset: ufw}
          vm1:
        networks: {lan: {driver: macvlan, parent: eth0, subnet: 192.0.2.0/24, gateway: 192.0.2.1}}
        containers:
          m0: {host: vm0, networks: {lan: {ip: 192.0.2.200}}}
          db: {host: vm0, network_mode: host, expose: [5432]}
          far: {host: vm1}
        """
    )
    change, back = TAKEN[kind]
    wanted = worlds.offline(definition)
    there = changed(wanted, "vm0", change)
    rows, told = beside(wanted, there)
    odd = [Odd(cell, e, p) for (cell, e), p in zip(rows, told, strict=True) if is_odd(e, p)]
    causes = {cause for cause in host_causes(wanted, there, odd) if cause is not None}
    assert {(cause.side, cause.kind) for cause in causes} == {("lab", kind)}
    (cause,) = causes
    assert back in cause.undo


def test_beforehand():
    """A doctor takes what `up` would make of a host for made, and warns of routes and addresses in networks' way."""
    definition = lab(
        """
        hosts: {vm0: {firewall: {preset: ufw}, routes: [10.9.0.0/16 via 192.168.22.1]}}
        networks: {any: , wide: {driver: overlay, subnet: 192.0.2.0/24}}
        containers: {web: {networks: [any]}, db: {network_mode: host, expose: [5432]}}
        """
    )
    engines = Engines(definition.hosts)
    seen = looked(engines)
    assert not foresee(definition, seen).causes
    space = seen.machines["vm0"].ground
    far = Route(ip_network("172.18.13.0/24"), hops=(Hop("eth0", ip_address("192.168.22.1")),))
    kernels = {"vm0": replace(seen.machines["vm0"], namespaces=(replace(space, routes=(*space.routes, far)),))}
    case = Case(definition, who(definition), seen.facts, seen.snapshots, kernels)
    told = {finding.status: finding.told for finding in doctor.findings(case, "vm0")}
    assert "one that holds 172.18.13.0/24, to which the host has a route" in told["warning"]


def test_nothing_is_known_of_nowhere():
    """A host of which nothing was seen has nothing of a section."""
    definition = lab(TEXT)
    nothing = Beneath(Namespace(1))
    found = {deed.kind: present.now(deed, nothing) for deed in deeds(written(definition, "vm0"), "demo")}
    assert {kind for kind, value in found.items() if value is not None} == {"policy"}
