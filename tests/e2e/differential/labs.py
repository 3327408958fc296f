"""Random labs over the sandbox's two hosts that the loader accepts and that an engine can bring up.

A lab is the structure that a YAML file has. What an engine or the definition's checks would refuse is left out here
by choice, not by trial: a generated lab that does not come up is a finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

VM = ("vm0", "vm1")
HOST_ADDRESSES = {"vm0": "192.168.22.61", "vm1": "192.168.22.62"}
OPTION = "com.docker.network.bridge."
NETWORK_NAMES = ("alpha", "front", "kilo", "net", "zulu")
CONTAINER_NAMES = ("api", "box", "cat", "dog", "elk", "fox", "gnu", "web")
HTTPD = "httpd -f -p {} -h /www"


@dataclass
class Draft:
    """A lab in the making, with what is taken already."""

    draw: object
    links: frozenset = frozenset()
    """The kinds of link that the kernel makes besides those of every kernel: of ipvlan and dummy."""
    networks: dict = field(default_factory=dict)
    homes: dict = field(default_factory=dict)
    containers: dict = field(default_factory=dict)
    crowded: set = field(default_factory=set)
    """Networks that hold one container a host (passthru), as (network, host) once they do."""
    parents: set = field(default_factory=set)
    subnets: set = field(default_factory=set)

    def likely(self, percent):
        return self.draw(st.integers(0, 99)) >= 100 - percent

    def choose(self, *items):
        return self.draw(st.sampled_from(items))


@st.composite
def labs(draw, links=frozenset()):
    """Draw a lab as the mapping that its YAML file holds, for a kernel that makes these kinds of link too."""
    draft = Draft(draw, links)
    names = draw(st.permutations(NETWORK_NAMES))[: draft.choose(2, 3, 1, 4, 0)]
    for number, name in enumerate(names):
        add_network(draft, number, name)
    containers = draw(st.permutations(CONTAINER_NAMES))[: draft.choose(4, 6, 3, 5, 7, 8, 2)]
    for number, name in enumerate(containers):
        draft.containers[name] = container(draft, number)
    unused = set(draft.networks) - {n for spec in draft.containers.values() for n in spec.get("networks", {})}
    for name in unused:
        del draft.networks[name]
    lab = {"name": "differential", "hosts": dict.fromkeys(VM)}
    if draft.networks:
        lab["networks"] = draft.networks
    lab["containers"] = {name: draft.containers[name] for name in draw(st.permutations(list(draft.containers)))}
    if draft.likely(70):
        lab["outside"] = {"internet": {"address": "203.0.113.10", "ports": [80]}}
    return lab


def add_network(draft, number, name):
    """Add a network of some driver, where there is room for one."""
    more = ("ipvlan", "ipvlan", "ipvlan") if "ipvlan" in draft.links else ()
    driver = draft.choose("bridge", "bridge", "bridge", "macvlan", "macvlan", "overlay", *more)
    homes = draft.choose(VM, VM, VM[:1], VM[1:])
    makers = {"bridge": bridge, "macvlan": macvlan, "ipvlan": ipvlan, "overlay": overlay}
    made = makers[driver](draft, number, homes)
    draft.networks[name], draft.homes[name] = made, homes


def bridge(draft, number, homes):
    """Return a user-defined bridge."""
    spec = {}
    if draft.likely(60):
        base = f"10.30.{number}"
        if draft.likely(20) and len(homes) == 1 and (homes, "10.30.9") not in draft.subnets:
            base = "10.30.9"  # the same subnet under two names, each on a host of its own
            draft.subnets.add((homes, base))
        spec["subnet"] = f"{base}.0/24"
        if draft.likely(25):
            spec["gateway"] = f"{base}.254"
        if draft.likely(25):
            spec["ip_range"] = f"{base}.128/26"
        if draft.likely(25):
            spec["subnet"] = [spec["subnet"], f"fd00:0:0:{number + 1}::/64"]
    if draft.likely(20):
        spec["internal"] = True
    options = bridge_options(draft, internal="internal" in spec)
    return spec | ({"driver_opts": options} if options else {})


def bridge_options(draft, *, internal):
    """Return what a bridge's driver is told; engines before 27 and 28 ignore the gateway modes."""
    options = {}
    if draft.likely(25):
        options[OPTION + "enable_icc"] = "false"
    if draft.likely(15):
        options[OPTION + "enable_ip_masquerade"] = "false"
    for version in (4, 6) if not internal else ():
        if draft.likely(15):
            options[f"{OPTION}gateway_mode_ipv{version}"] = draft.choose("routed", "routed", "nat-unprotected")
    if draft.likely(5):
        options[OPTION + "trusted_host_interfaces"] = "eth0"
    return options


def macvlan(draft, number, homes):
    """Return a macvlan network, or what `on_parent` gives where there is no parent."""
    spec = on_parent(draft, number, homes)
    if "parent" not in spec:
        return spec and {"driver": "macvlan"} | spec
    if draft.likely(40):
        # In passthru mode the one child gets all that the parent receives: never the host's own way out.
        modes = ("bridge", "private", "private", "vepa", *(("passthru",) if spec["parent"] == "eth0.50" else ()))
        spec["macvlan_mode"] = draft.choose(*modes)
    if draft.likely(15):
        spec["internal"] = True
    return {"driver": "macvlan"} | spec


def ipvlan(draft, number, homes):
    """Return an ipvlan network, or what `on_parent` gives where there is no parent."""
    spec = on_parent(draft, number, homes)
    if spec and draft.likely(70):
        # Mode l3 wants a subnet of its own; l3s is refused by older engines.
        spec["ipvlan_mode"] = "l2" if "gateway" in spec else draft.choose("l3", "l3", "l2")
    if spec and draft.likely(25):
        spec["driver_opts"] = {"ipvlan_flag": draft.choose("private", "private", "vepa")}
    return spec and {"driver": "ipvlan"} | spec


def on_parent(draft, number, homes):
    """Return the parent and the subnet of a network; older engines refuse a parent that has one already.

    Without a parent, it is one that the engine makes a dummy interface for, or nothing where the kernel has none.
    """
    free = [p for p in ("eth0.50", "eth0") if not any((home, p) in draft.parents for home in homes)]
    if "dummy" in draft.links and (not free or draft.likely(20)):
        return {"subnet": f"10.8.{number}.0/24"}
    if not free:
        return {}
    parent = draft.choose(*free)
    spec = {"parent": parent}
    draft.parents |= {(home, parent) for home in homes}
    if not any((home, "lan") in draft.subnets for home in homes):
        draft.subnets |= {(home, "lan") for home in homes}
        # A range for each network: on one LAN, engines that do not know of each other would give out the same address.
        part = f"192.168.22.{128 + 32 * number}/27"
        spec |= {"subnet": "192.168.22.0/24", "gateway": "192.168.22.1", "ip_range": part}
    else:  # nobody that the definition speaks of holds this gateway, so that the model makes no claim of what is behind
        spec["subnet"] = f"10.9.{number}.0/24"
        spec["internal"] = draft.likely(70)
    return spec


def overlay(draft, number, homes):
    """Return an overlay network, or a bridge where the lab has one already."""
    _ = homes
    if sum(spec.get("driver") == "overlay" for spec in draft.networks.values()) > 1:
        return {}
    spec = {"driver": "overlay", "subnet": f"10.60.{number}.0/24"}
    if draft.likely(20):
        spec["internal"] = True
    return spec


def container(draft, number):
    """Return a container on some host, with what it listens on and publishes."""
    host = draft.choose(*VM)
    open_to = [name for name, homes in draft.homes.items() if host in homes and has_room(draft, name, host)]
    owners = [name for name, spec in draft.containers.items() if "container:" not in spec.get("network_mode", "")]
    kinds = ["networks"] * 6 * bool(open_to) + ["bridge"] * 2 + ["host", "none"] + ["container"] * bool(owners)
    kind = draft.choose(*kinds)
    if kind == "container":
        return joiner(draft, number, owners)
    spec = {"host": host}
    if kind == "networks":
        chosen = draft.draw(st.permutations(open_to))[: draft.choose(1, 1, 1, 2, 2, 3)]
        spec["networks"] = {name: place(draft, number, name, host) for name in chosen}
        if draft.likely(10):
            spec["hostname"] = f"known{number}"
    else:
        spec["network_mode"] = kind
    if kind == "none" or draft.likely(45):
        return spec
    port = 8000 + number if kind == "host" else draft.choose(80, 80, 8000 + number)
    spec["command"] = HTTPD.format(port)
    if draft.likely(80 if kind == "host" else 35):
        spec["expose"] = [port]
    else:
        spec["ports"] = [publish(draft, number * 10 + i, host, port) for i in range(draft.choose(1, 1, 1, 2, 3))]
    return spec


def has_room(draft, network, host):
    """Tell whether one more container fits on a network of a host."""
    return (network, host) not in draft.crowded


def place(draft, number, name, host):
    """Return a container's place on a network: fixed addresses where they are wanted or may be had, and aliases."""
    spec, fixed = draft.networks[name], {}
    if spec.get("macvlan_mode") == "passthru":
        draft.crowded.add((name, host))
    subnets = [spec["subnet"]] if isinstance(spec.get("subnet"), str) else spec.get("subnet", [])
    must = spec.get("driver") in ("macvlan", "ipvlan") and len(draft.homes[name]) > 1
    if subnets and (must or draft.likely(30)):
        fixed["ip"] = subnets[0].rpartition(".")[0] + f".{120 + number}"
        if len(subnets) > 1 and draft.likely(50):
            fixed["ip6"] = subnets[1].partition("/")[0] + f"{number + 0x200:x}"
    if draft.likely(15):
        fixed["aliases"] = [f"alias{draft.choose(number, number, 0)}"]
    return fixed


def publish(draft, number, host, port):
    """Return one published port; its number is the lab's own, its address one of the host's, all, or loopback."""
    address = draft.choose("", "", "", "0.0.0.0:", HOST_ADDRESSES[host] + ":", "127.0.0.1:")
    return f"{address}{9000 + number}:{port}"


def joiner(draft, number, owners):
    """Return a container that joins another one's network namespace, where it may listen on a port of its own."""
    owner = draft.choose(*owners)
    spec = {"network_mode": f"container:{owner}"}
    if draft.likely(40):
        port = 7000 + number
        spec["command"] = HTTPD.format(port)
        draft.containers[owner].setdefault("expose", []).append(port)
    return spec


def text_of(lab):
    """Return a lab as a YAML document."""
    return yaml.safe_dump(lab, sort_keys=False, default_flow_style=None, width=110)


APART = 7
"""How many examples lie between two labs: hypothesis makes several neighbouring examples out of one."""


def from_seed(number, count, links=frozenset()):
    """Return `count` labs, always the same ones for a number, a count and links under one version of hypothesis."""
    found = []

    @seed(number)
    @settings(
        max_examples=APART * (count + 3),
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(labs(links))
    def collect(lab):
        found.append(lab)

    collect()
    return found[APART * 3 :: APART][:count]
