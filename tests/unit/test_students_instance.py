"""A lab and a student to the student's lab: what moves, what stays, and what cannot be had twice."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lab_hosts import EXAMPLES
from support.labs import lab as parse
from support.labs import read
from support.offline import world_of

from dockerlab.errors import UsageError
from dockerlab.reach import matrix
from dockerlab.reach.overrides import override
from dockerlab.students import course, placement
from dockerlab.students.instance import instance, shared
from dockerlab.students.refusals import refusals
from dockerlab.students.roster import Student, counted, identify
from dockerlab.students.subnets import Source, moves

SEVENTH = Student(7, "s07-ada", "Ada")
TWO = ["vm0", "vm1"]

BRIDGES = """
networks:
  front: {subnet: 172.28.1.0/24, gateway: 172.28.1.254, ip_range: 172.28.1.128/25}
  back: {}
  big: {subnet: 10.0.0.0/8}
  part: {ipam: {config: [{subnet: 192.168.99.0/28, aux_addresses: {printer: 192.168.99.9}}]}}
containers:
  web:
    networks: {front: {ip: 172.28.1.10, aliases: [www]}, back: {}}
    ports: ["8080:80", "81:81", "9000"]
    command: "sh -c 'ping 172.28.1.1; ping 172.28.1.10; ping 8.8.8.8'"
    environment: {PEER: "172.28.1.254:80", EMPTY: }
    extra_hosts: {gate: 172.28.1.254}
    dns: [172.28.1.53, 203.0.113.10]
  side: {network_mode: "container:web"}
  far: {networks: {big: {ip: 10.0.4.7}}}
  small: {networks: [part]}
expect:
  - {from: "w*", to: far, reachable: false}
  - {from: "*", to: "gateway:front", reachable: true}
"""


def of(text, student=SEVENTH, hosts=TWO):
    definition = parse(text)
    return instance(definition, student, placement.groups(list(definition.hosts), hosts)[0], Source())


def test_names_get_a_prefix_and_aliases_stay():
    """Containers and networks begin with the ID; inside, the short names are aliases on every network of one's own."""
    made = of(BRIDGES).lab
    assert list(made.containers) == ["s07-ada-web", "s07-ada-side", "s07-ada-far", "s07-ada-small"]
    assert made.containers["s07-ada-web"].networks["s07-ada-front"].aliases == ("www", "web")
    assert made.containers["s07-ada-web"].networks["s07-ada-back"].aliases == ("web",)
    assert made.containers["s07-ada-side"].network_mode == "container:s07-ada-web"
    assert made.hosts_of("s07-ada-front") == ("vm0",)


def test_addresses_move_with_their_subnet():
    """Gateway, range, fixed and reserved addresses, and those in texts, keep their place within the subnet."""
    made = of(BRIDGES).lab
    front = made.networks["s07-ada-front"]
    (subnet,) = front.subnet
    web = made.containers["s07-ada-web"]
    assert subnet.subnet_of(ip_network("198.18.0.0/15"))
    assert subnet.prefixlen == 24
    assert front.gateway == (subnet[254],)
    assert front.ip_range == (ip_network(f"{subnet[128]}/25"),)
    assert web.networks["s07-ada-front"].ip == subnet[10]
    assert web.command == f"sh -c 'ping {subnet[1]}; ping {subnet[10]}; ping 8.8.8.8'"
    assert web.environment == {"PEER": f"{subnet[254]}:80", "EMPTY": None}
    assert web.extra_hosts == {"gate": str(subnet[254])}
    assert web.dns == (subnet[53], ip_address("203.0.113.10"))
    (pool,) = made.networks["s07-ada-part"].pools
    assert pool.subnet.prefixlen == 28
    assert pool.aux_addresses == {"printer": pool.subnet[9]}


def test_a_network_without_a_subnet_gets_one_and_a_huge_one_shrinks():
    """The engine's own pools hold thirty networks; a subnet is no larger than usual, unless an address needs it."""
    made = of(BRIDGES).lab
    assert made.networks["s07-ada-back"].subnet[0].prefixlen == 24
    big = made.networks["s07-ada-big"].subnet[0]
    assert big.prefixlen == 21
    assert made.containers["s07-ada-far"].networks["s07-ada-big"].ip == big[4 * 256 + 7]


def test_ports_are_ones_own():
    """Published ports are 20000 plus the number's block, in the order of the definition's; others stay the engine's."""
    web = of(BRIDGES).lab.containers["s07-ada-web"]
    assert [str(port) for port in web.ports] == ["20071:80/tcp", "20070:81/tcp", "9000/tcp"]


def cells_of(made, definition):
    """Return the cells of an instance that the lab has as well: not those of the lab's own names, its aliases now."""
    return [row for row in matrix(world_of(made)) if row[0].target not in definition.containers]


def test_exceptions_are_about_the_same_cells():
    """What the definition excepts is excepted in the instance, cell for cell."""
    definition, made = parse(BRIDGES), of(BRIDGES).lab
    both = ((matrix(world_of(definition)), definition), (cells_of(made, definition), made))
    rows = [override(cells, each.expect)[0] for cells, each in both]
    decided = [[expected.rule == "expect" for _, expected in each] for each in rows]
    assert decided[0] == decided[1]
    assert any(decided[0])


@pytest.mark.parametrize("example", ["bridge", "container", "host", "none", "overlay", "ports", "user-bridge"])
def test_an_instance_is_predicted_as_its_lab(example):
    """Each cell of an instance has the prediction and the rule of the lab's own cell."""
    definition = read(EXAMPLES / f"{example}.yaml")
    group = {host: host for host in definition.hosts}
    made = instance(definition, SEVENTH, group, Source())
    own, theirs = matrix(world_of(definition)), cells_of(made.lab, definition)
    assert [(e.reachable, e.rule, e.symptom) for _, e in own] == [(e.reachable, e.rule, e.symptom) for _, e in theirs]
    assert [c.source for c, _ in own] == [made.short(c.source) for c, _ in theirs]
    assert [made.named(c.to) for c, _ in own] == [c.to for c, _ in theirs]


LAN = """
hosts: {vm0: , vm1: }
networks: {lan: {driver: macvlan, subnet: 192.168.22.0/24, parent: eth0}}
containers:
  left: {host: vm0, networks: {lan: {ip: 192.168.22.200, aliases: [west]}}}
  right: {host: vm1, networks: {lan: {ip: 192.168.22.201}}}
"""


def test_a_lan_is_shared():
    """An engine has one network for each parent: all instances are on it, each with addresses and names of its own."""
    definition = parse(LAN)
    groups = placement.groups(list(definition.hosts), TWO)
    third = instance(definition, counted(3)[2], groups[0], Source()).lab
    assert str(third.containers["s03-left"].networks["class-lan"].ip) == "192.168.22.204"
    assert third.containers["s03-left"].networks["class-lan"].aliases == ("s03-west",)
    common = shared(definition, groups)
    assert list(common.networks) == ["class-lan"]
    assert common.hosts_of("class-lan") == ("vm0", "vm1")
    assert shared(parse(BRIDGES), groups) is None


def arranged(text, number, hosts=TWO):
    return course.arranged(parse(text), counted(number), hosts, Source())


@pytest.mark.parametrize(
    ("text", "number", "path", "says"),
    [
        ("containers: {web: {network_mode: host, expose: [80]}}", 3, "containers.web.network_mode", "host mode"),
        (LAN, 29, "containers.right.networks.lan.ip", "broadcast"),
        (f"containers: {{{'x' * 62}: {{}}}}", 1, f"containers.{'x' * 62}", "63 characters"),
        ('containers: {web: {ports: ["80:80"]}}', 1000, None, ""),
        (
            """
            networks: {n: {driver_opts: {com.docker.network.bridge.name: br-very-long-x}}}
            containers: {web: {networks: [n]}}
            """,
            3,
            "networks.n.driver_opts.com.docker.network.bridge.name",
            "15 characters",
        ),
        (
            """
            networks: {lan: {driver: macvlan, subnet: 10.9.0.0/24, parent: eth0}}
            containers: {a: {networks: {lan: {ip: 10.9.0.5}}}, b: {networks: [lan]}}
            """,
            3,
            "networks.lan",
            "ip_range",
        ),
        ("hosts: {a: {daemon: {mtu: 1400}}}\ncontainers: {web: {}}", 3, "hosts.a.daemon", "no student's"),
    ],
)
def test_what_cannot_be_had_twice_is_refused(text, number, path, says):
    """What a host has only once, and what has no room, is told with its place in the lab's definition."""
    _, problems = arranged(text, number)
    told = {".".join(map(str, problem.path)): problem.message for problem in problems}
    assert (path in told and says in told[path]) if path else not told


def test_host_mode_is_fine_with_a_host_for_each():
    """With as many hosts as students nothing is shared, and host mode is no problem."""
    assert arranged("containers: {web: {network_mode: host, expose: [80]}}", 2)[1] == []


def test_too_many_instances_for_the_range():
    """The range says how many instances it has room for."""
    with pytest.raises(UsageError, match="room for 2 instances"):
        course.arranged(parse(BRIDGES), counted(3), TWO, course.source("10.0.0.0/19"))
    for text in ("x", "10.0.0.0/30", "fd00::/8", "10.0.0.1/8"):
        with pytest.raises(UsageError, match="--subnets"):
            course.source(text)


@given(st.lists(st.integers(20, 30), min_size=1, max_size=6), st.integers(1, 8), st.integers(1, 8))
def test_blocks_never_overlap(prefixes, one, other):
    """Whatever the subnets of a lab are, those of two instances are apart, and those of one instance too."""
    networks = ", ".join(f"n{at}: {{subnet: 10.{at}.0.0/{prefix}}}" for at, prefix in enumerate(prefixes))
    definition = parse(f"networks: {{{networks}, free: {{}}}}\ncontainers: {{web: {{}}}}")
    found = []
    for number in {one, other}:
        moved = moves(definition, number, Source())
        found += [*moved.subnets.values(), *moved.given.values()]
    assert not any(a.overlaps(b) for at, a in enumerate(found) for b in found[:at])
    assert all(subnet.subnet_of(Source().v4) for subnet in found)


def test_equal_subnets_stay_equal():
    """Two networks with one subnet, on two hosts, have one subnet in the instance too: that may be the lesson."""
    definition = parse(
        "hosts: {vm0: , vm1: }\n"
        "networks: {a: {subnet: 172.28.0.0/24, hosts: [vm0]}, b: {subnet: 172.28.0.0/24, hosts: [vm1]}}\n"
        "containers: {x: {host: vm0, networks: [a]}, y: {host: vm1, networks: [b]}}"
    )
    made = instance(definition, SEVENTH, {"vm0": "vm0", "vm1": "vm1"}, Source()).lab
    assert made.networks["s07-ada-a"].subnet == made.networks["s07-ada-b"].subnet


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        (["local"], TWO, [{"local": "vm0"}, {"local": "vm1"}]),
        (["vm1"], TWO, [{"vm1": "vm1"}, {"vm1": "vm0"}]),
        (["vm0", "vm1"], TWO, [{"vm0": "vm0", "vm1": "vm1"}]),
        (["a", "b"], ["h1", "h2", "h3", "h4", "h5"], [{"a": "h1", "b": "h2"}, {"a": "h3", "b": "h4"}]),
    ],
)
def test_hosts_are_dealt(wanted, given, expected):
    """A lab of one host is dealt over all; one of several takes as many at a time, by name where names fit."""
    groups = placement.groups(wanted, given)
    assert groups == expected
    assert [placement.deal(number, groups) for number in (1, 2, 3)] == [
        expected[0],
        expected[1 % len(expected)],
        expected[2 % len(expected)],
    ]


def test_too_few_hosts():
    """A lab of two hosts is not put on one."""
    with pytest.raises(UsageError, match="wants 2 hosts"):
        placement.groups(["a", "b"], ["h1"])


def test_a_problem_names_the_instance():
    """What is wrong with one instance only is told with its ID."""
    definition = parse(LAN)
    students = [Student(28, identify(28, "Zoë"), "Zoë")]
    made = [instance(definition, each, {"vm0": "vm0", "vm1": "vm1"}, Source()) for each in students]
    (problem,) = refusals(definition, made)
    assert problem.message.startswith("instance s28-zoe: 192.168.22.255")
