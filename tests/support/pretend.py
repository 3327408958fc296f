"""Engines that only pretend: they take the `docker` commands of a plan and keep the objects that would be there.

Everything is deterministic: the first free address, identifiers from names. They refuse what a real engine refuses and
a plan could get wrong: a name or port that is taken, a pool that overlaps, a network that is in use or is not there.
"""

import csv
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from hashlib import sha256
from ipaddress import ip_address, ip_interface, ip_network

from dockerlab.daemon import DaemonFile, Kept
from dockerlab.daemon.settings import write
from dockerlab.lab.ports import parse_port
from dockerlab.snapshot import (
    LABEL_LAB,
    LABEL_OWNER,
    LABEL_RUN,
    ContainerState,
    EndpointState,
    NetworkState,
    PublishedPort,
    Snapshot,
    SwarmState,
    VolumeState,
    on_the_link,
)
from support.facts import facts_of, nic, way
from support.pretend_images import Images, Refused

ALONE = {
    "--detach",
    "--interactive",
    "--tty",
    "--ipv6",
    "--internal",
    "--attachable",
    "--force",
    "--volumes",
    "--quiet",
    "--no-prune",
    "--force-rm",
    "--init",
    "--privileged",
    "--read-only",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--ipv4=false",
}
PLACE = {"alias": "--network-alias", "ip": "--ip", "ip6": "--ip6", "mac-address": "--mac-address",
         "gw-priority": "--gw-priority", "driver-opt": "--driver-opt", "link-local-ip": "--link-local-ip"}  # fmt: skip
"""The flag of a place by its name in the long form of `--network`."""
OF_HOSTS = ("ip", "iptables", "ip6tables", "nft", "sysctl", "nsenter")
BRIDGE_NAME = "com.docker.network.bridge.name"
GATEWAY_BRIDGE = "docker_gwbridge"


@dataclass
class Words:
    """A command's flags, each with all its values, and what stands without a flag."""

    flags: dict[str, list[str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    def get(self, flag):
        return self.flags.get(flag, [])

    def one(self, flag, default=""):
        return self.flags.get(flag, [default])[-1]

    def pairs(self, flag):
        return {key: value for key, _, value in (text.partition("=") for text in self.get(flag))}


def words(argv, *, interspersed=True):
    """Return the flags and the rest of a command, as Docker's own client reads them."""
    found, left = Words(), list(argv)
    while left:
        word = left.pop(0)
        if word.startswith("--") and word != "--":
            found.flags.setdefault(word, []).append("" if word in ALONE else left.pop(0))
        elif interspersed:
            found.rest.append(word)
        else:
            found.rest += [word, *left]
            break
    return found


def place_of(text):
    """Return the network that `--network` names and the flags of the place, which the long form has."""
    if "=" not in text:
        return text, {}
    found = {}
    for part in next(csv.reader([text])):
        key, _, value = part.partition("=")
        found.setdefault(PLACE.get(key, key), []).append(value)
    return found.pop("name")[0], found


def identifier(*names):
    return sha256("/".join(names).encode()).hexdigest()


class Engine(Images):
    """One host's engine; `swarm` is shared by all engines that may form one."""

    def __init__(self, host, swarm, number=0):
        super().__init__()
        self.host, self.swarm, self.number = host, swarm, number
        self.containers, self.local, self.volumes = {}, {}, {}
        self.kept = None
        self.configure({})
        for name in ("host", "none"):
            self._add(NetworkState(identifier(host, name), name, "null" if name == "none" else name))

    def _add(self, network):
        self.local[network.name] = network

    def configure(self, settings):
        """Restart with these settings of daemon.json."""
        self.settings = settings
        own = [ip_interface(settings.get("bip", "172.17.0.1/16"))]
        options = {BRIDGE_NAME: "docker0"}
        if settings.get("ipv6"):
            subnet = ip_network(settings["fixed-cidr-v6"])
            own.append(ip_interface(f"{subnet[1]}/{subnet.prefixlen}"))
        if "fixed-cidr" in settings:
            options[f"pretend.range {own[0].network}"] = settings["fixed-cidr"]
        if "icc" in settings:
            options["com.docker.network.bridge.enable_icc"] = str(settings["icc"]).lower()
        named = [settings[key] for key in ("default-gateway", "default-gateway-v6") if key in settings]
        options["pretend.reserved"] = options["pretend.gateways"] = " ".join(named)
        subnets, gateways = tuple(a.network for a in own), tuple(str(a.ip) for a in own)
        self._add(NetworkState(identifier(self.host, "bridge"), "bridge", "bridge", options=options, subnets=subnets,
                               gateways=gateways))  # fmt: skip

    def _settings(self, program, argv, text):
        """Take a step of the change of daemon.json: keep what is there, write, or put back."""
        if program == "tee":
            self.configure(json.loads(text))
        elif program == "sh" and len(argv) == 8:
            _, _file, _seen, wrote, lab, owner, _instance, run = argv
            self.kept = Kept({LABEL_LAB: lab, LABEL_OWNER: owner, LABEL_RUN: run}, None, wrote=frozenset({wrote}))
        elif program == "sh" and len(argv) == 2:
            self.kept = None
            self.configure({})
        return ""

    def file(self):
        """Return what the host would say of its daemon.json."""
        return DaemonFile(self.host, text=write(self.settings) if self.settings else None, kept=self.kept)

    words = staticmethod(words)

    def run(self, argv, text=None):
        """Carry out one command, which reads the text, and return its standard output; raises Refused."""
        if argv[0] == "env":
            return self._build(argv[4:], text)
        program, noun, *rest = argv
        if program == "sh" and rest[-2:-1] == ["wait"]:
            return self._wait(rest[-1])
        if program in ("sh", "mv", "tee"):
            return self._settings(program, rest, text)
        if program in OF_HOSTS:
            return ""  # a host that only pretends has no kernel
        if program != "docker":
            raise Refused(f"{program}: not found")
        if noun in ("run", "rm", "start", "stop", "restart", "import", "load", "pull", "commit"):
            return getattr(self, f"_{noun}")(rest)
        return getattr(self, f"_{noun}_{rest[0].replace('-', '_')}")(rest[1:])

    def networks(self):
        """Return the networks that this host sees: those of the Swarm on its manager, or once a container joined."""
        wide = {
            name: network
            for name, network in self.swarm.networks.items()
            if self.host == self.swarm.manager
            or any(name in c.endpoints for c in self.containers.values())
            or (name == "ingress" and self.host in self.swarm.members)
        }
        return {**self.local, **wide}

    def snapshot(self):
        """Return what the engine would say of itself."""
        networks = [
            replace(n, containers=tuple(sorted(c.name for c in self.containers.values() if n.name in c.endpoints)))
            for n in self.networks().values()
        ]
        active, manager = self.host in self.swarm.members, self.host == self.swarm.manager
        swarm = (
            SwarmState(
                "active",
                self.swarm.node(self.host),
                manager,
                "cluster" if manager else "",
                nodes=(*self.swarm.gone, *map(self.swarm.node, sorted(self.swarm.members))) if manager else (),
            )
            if active
            else None
        )
        return Snapshot(
            self.host,
            engine_version="28.5.2",
            api_version="1.51",
            containers=tuple(self.containers.values()),
            networks=tuple(networks),
            volumes=tuple(self.volumes.values()),
            images=tuple(name for image in self.pictures.values() for name in image.names),
            image_states=tuple(self.pictures.values()),
            swarm=swarm or SwarmState(),
        )

    def facts(self):
        """Return what the machine would say of itself: an address on eth0, a VLAN, and the bridges."""
        own = [
            nic("lo", "127.0.0.1/8"),
            nic("eth0", f"192.168.22.{61 + self.number}/24"),
            nic("eth0.50"),
        ]
        for network in self.local.values():
            if network.driver != "bridge":
                continue
            found = [f"{g}/{s.prefixlen}" for g, s in zip(network.gateways, network.subnets, strict=True)]
            own.append(nic(network.options.get(BRIDGE_NAME, f"br-{network.id[:12]}"), *found))
        links = [replace(link, index=index) for index, link in enumerate(own, 1)]
        routes = [way(None, "192.168.22.1", "eth0")]
        routes += [way(a.network, None, link.name) for link in own[1:] for a in link.addresses]
        return facts_of(
            self.host,
            nics=links,
            routes=routes,
            root=True,
            python="/usr/bin/python3",
            ip_forward=True,
            ip6_forward=True,
            forward_policy="DROP",
            bridge_nf=True,
            nameservers=("192.168.22.1",),
            dns=tuple(self.settings.get("dns", ())),
            userland_proxy=self.settings.get("userland-proxy", True),
        )

    def _run(self, argv):
        given = words(argv, interspersed=False)
        (mode, said), *further = map(place_of, given.get("--network") or ["bridge"])
        name = given.one("--name")
        given.flags = {**given.flags, **said}
        if name in self.containers:
            raise Refused(f"Conflict. The container name {name} is already in use")
        owner = mode.removeprefix("container:")
        if owner != mode and not (owner in self.containers and self.containers[owner].running):
            raise Refused(f"cannot join network namespace of a non running container: {owner}")
        image = self.known(given.rest[0])
        container = ContainerState(
            identifier(self.host, name),
            name,
            given.rest[0],
            {**image.labels, **given.pairs("--label")},
            running=True,
            status="running",
            pid=1000 + len(self.containers),
            network_mode=mode if owner == mode else f"container:{identifier(self.host, owner)}",
            published=tuple(self._publish(given.get("--publish"))),
            image_id=image.id,
            entrypoint=tuple(given.get("--entrypoint")),
            command=tuple(given.rest[1:]),
        )
        container = replace(container, asked=container.published)
        self.containers[name] = container
        try:
            if owner == mode and mode not in ("host", "none"):
                self._attach(name, mode, given, given.get("--network-alias"))
                for network, flags in further:
                    self._attach(name, network, Words(flags), flags.get("--network-alias", []))
        except Refused:
            del self.containers[name]
            raise
        return container.id

    def _wait(self, name):
        """Let a container be well, or done: nobody waits here."""
        if name not in self.containers:
            raise Refused(f"No such container: {name}")
        return ""

    def _publish(self, texts):
        taken = {(p.host_ip, p.host_port) for c in self.containers.values() for p in c.published}
        for text in texts:
            port = parse_port(text)
            bound, number = port.get("host_ip") or "0.0.0.0", int(port.get("published") or 49153)
            if (bound, number) in taken:
                raise Refused(f"port {number} is already allocated")
            yield PublishedPort(bound, number, int(port["target"]), port.get("protocol") or "tcp")

    def _attach(self, name, network, given, aliases):
        found = self.networks().get(network) or self.swarm.networks.get(network)
        if found is None:
            raise Refused(f"network {network} not found")
        if found.scope == "swarm":
            if self.host not in self.swarm.members:
                raise Refused(f"{self.host} is not part of a swarm")
            self._need_gateway_bridge()
        container = self.containers[name]
        fixed = [ip_address(text) for flag in ("--ip", "--ip6") for text in given.get(flag)]
        addresses = tuple(self._address(found, subnet, fixed) for subnet in _one_of_each_family(found.subnets))
        dummy = found.driver == "macvlan" and "parent" not in found.options
        alone = found.internal or dummy or found.driver == "overlay"
        gateways = {} if alone else {ip_address(text).version: text for text in found.gateways}
        named = found.options.get("pretend.gateways", "").split()
        gateways |= {ip_address(text).version: text for text in named}
        endpoint = EndpointState(
            network, addresses, gateway=gateways.get(4, ""), gateway6=gateways.get(6, ""), aliases=tuple(aliases),
            mac=given.one("--mac-address"), priority=int(given.one("--gw-priority", "0")),
            options=given.pairs("--driver-opt"), link_local=tuple(map(on_the_link, given.get("--link-local-ip"))),
        )  # fmt: skip
        self.containers[name] = replace(container, endpoints={**container.endpoints, network: endpoint})

    def _address(self, network, subnet, fixed):
        engines = self.swarm.engines if network.scope == "swarm" else [self]
        held = {
            a.ip
            for e in engines
            for c in e.containers.values()
            for n in c.endpoints.values()
            if n.network == network.name and c.running
            for a in n.addresses
        }
        wanted = next((a for a in fixed if a in subnet), None)
        if wanted in held:
            raise Refused(f"Address already in use: {wanted}")
        auxiliary = network.options.get("pretend.reserved", "").split()
        taken = held | {ip_address(text) for text in (*network.gateways, *auxiliary)}
        start = network.options.get(f"pretend.range {subnet}")
        pool = ip_network(start) if start else subnet
        candidates = (a for a in pool if a not in (subnet.network_address, subnet.broadcast_address))
        return ip_interface(f"{wanted or next(a for a in candidates if a not in taken)}/{subnet.prefixlen}")

    def _need_gateway_bridge(self):
        if GATEWAY_BRIDGE not in self.local:
            subnet = self._free()
            self._add(NetworkState(identifier(self.host, GATEWAY_BRIDGE), GATEWAY_BRIDGE, "bridge", subnets=(subnet,),
                                   gateways=(str(subnet[1]),), options={BRIDGE_NAME: GATEWAY_BRIDGE}))  # fmt: skip

    def _free(self):
        taken = [s for n in self.local.values() for s in n.subnets]
        pools = (ip_network(f"172.{number}.0.0/16") for number in range(18, 32))
        return next(pool for pool in pools if not any(s.version == 4 and pool.overlaps(s) for s in taken))

    def _rm(self, argv):
        name = words(argv).rest[0]
        found = next((c for c in self.containers.values() if name in (c.name, c.id)), None)
        if found is None:
            raise Refused(f"No such container: {name}")
        del self.containers[found.name]
        return name

    def _import(self, argv):
        return words(argv).rest[-1]

    _load = _pull = _import

    def _network_create(self, argv):
        given = words(argv)
        name, driver = given.rest[0], given.one("--driver", "bridge")
        if name in self.networks():
            raise Refused(f"network with name {name} already exists")
        if driver == "overlay" and self.host != self.swarm.manager:
            raise Refused("This node is not a swarm manager")
        subnets = tuple(ip_network(text) for text in given.get("--subnet"))
        place = self.swarm.networks if driver == "overlay" else self.local
        if not subnets:
            subnets = (ip_network(f"10.0.{len(place)}.0/24"),) if driver == "overlay" else (self._free(),)
        for other in place.values():
            if any(a.overlaps(b) for a in subnets for b in other.subnets if a.version == b.version):
                raise Refused(f"Pool overlaps with other one on this address space: {other.name}")
        ranges = [ip_network(text) for text in given.get("--ip-range")]
        options = given.pairs("--opt") | {f"pretend.range {s}": str(r) for s in subnets for r in ranges if r[0] in s}
        options["pretend.reserved"] = " ".join(given.pairs("--aux-address").values())
        said = [ip_address(text) for text in given.get("--gateway")]
        gateways = tuple(str(next((a for a in said if a in subnet), _first(subnet, ranges))) for subnet in subnets)
        place[name] = NetworkState(
            identifier(self.host, name),
            name,
            driver,
            "swarm" if driver == "overlay" else "local",
            given.pairs("--label"),
            "--internal" in given.flags,
            subnets,
            gateways,
            options,
            attachable="--attachable" in given.flags,
        )
        return place[name].id

    def _network_connect(self, argv):
        given = words(argv)
        network, name = given.rest
        if name not in self.containers:
            raise Refused(f"No such container: {name}")
        self._attach(name, network, given, given.get("--alias"))
        return ""

    def _network_disconnect(self, argv):
        network, name = words(argv).rest
        container = self.containers[name]
        left = {other: endpoint for other, endpoint in container.endpoints.items() if other != network}
        self.containers[name] = replace(container, endpoints=left)
        return ""

    def _start(self, argv):
        self.containers[argv[-1]] = replace(
            self.containers[argv[-1]],
            running=True,
            status="running",
            exit_code=0,
            started=1,
            published=self.containers[argv[-1]].asked or (),
        )
        return argv[-1]

    def _stop(self, argv):
        name = argv[-1]
        self.containers[name] = replace(self.containers[name], running=False, status="exited", exit_code=137, pid=0,
                                        published=())  # fmt: skip
        return name

    def _restart(self, argv):
        name = argv[-1]
        self._stop([name])
        started = max(each.started for each in self.containers.values()) + 1
        self._start([name])
        self.containers[name] = replace(self.containers[name], pid=5000 + started, started=started)
        return name

    def _network_rm(self, argv):
        (given,) = words(argv).rest
        found = next((n for n in self.networks().values() if given in (n.name, n.id)), None)
        if found is None:
            raise Refused(f"network {given} not found")
        name = found.name
        engines = self.swarm.engines if found.scope == "swarm" else [self]
        if any(name in c.endpoints for e in engines for c in e.containers.values()):
            raise Refused(f"network {name} has active endpoints")
        if found.scope == "swarm" and any(name in networks for networks in self.swarm.gone.values()):
            raise Refused(f"network {name} is in use by task")
        del (self.swarm.networks if found.scope == "swarm" else self.local)[name]
        return name

    def _volume_create(self, argv):
        given = words(argv)
        self.volumes[given.rest[0]] = VolumeState(given.rest[0], given.pairs("--label"))
        return given.rest[0]

    def _volume_rm(self, argv):
        if self.volumes.pop(argv[0], None) is None:
            raise Refused(f"no such volume: {argv[0]}")
        return argv[0]

    def _swarm_init(self, argv):
        self.swarm.manager, self.swarm.members = self.host, {self.host}
        self.swarm.networks["ingress"] = NetworkState("ingress", "ingress", "overlay", "swarm",
                                                      subnets=(ip_network("10.255.0.0/24"),))  # fmt: skip
        self._need_gateway_bridge()
        return words(argv).one("--advertise-addr")

    def _swarm_join_token(self, argv):
        if self.host != self.swarm.manager:
            raise Refused("This node is not a swarm manager")
        return f"SWMTKN-1-{words(argv).rest[0]}\n"

    def _swarm_join(self, argv):
        if words(argv).one("--token") != "SWMTKN-1-worker":
            raise Refused("invalid join token")
        self.swarm.members.add(self.host)
        self.swarm.joined[self.host] += 1
        self._need_gateway_bridge()
        return ""

    def _swarm_leave(self, argv):
        if self.host not in self.swarm.members:
            raise Refused("This node is not part of a swarm")
        self.swarm.members.discard(self.host)
        self.swarm.gone[self.swarm.node(self.host)] = {n for c in self.containers.values() for n in c.endpoints}
        if self.host == self.swarm.manager:
            self.swarm.manager = None
            self.swarm.networks.clear()
            self.swarm.gone.clear()
        return words(argv).one("--force")

    def _node_rm(self, argv):
        (node,) = words(argv).rest
        if self.swarm.gone.pop(node, None) is None:
            raise Refused(f"No such node: {node}")
        return node


def _one_of_each_family(subnets):
    return [next(s for s in subnets if s.version == v) for v in (4, 6) if any(s.version == v for s in subnets)]


def _first(subnet, ranges):
    start = next((r for r in ranges if r[0] in subnet), subnet)[0]
    return start + 1 if start == subnet[0] else start


@dataclass
class Swarm:
    """What the engines of a Swarm have in common."""

    manager: str | None = None
    members: set[str] = field(default_factory=set)
    networks: dict[str, NetworkState] = field(default_factory=dict)
    engines: list[Engine] = field(default_factory=list)
    gone: dict[str, set[str]] = field(default_factory=dict)
    """The nodes that left, with the networks that the Swarm believes to be in use there."""
    joined: Counter[str] = field(default_factory=Counter)

    def node(self, host):
        """Return the ID of a host's node: another one each time that it joins."""
        return identifier(host, str(self.joined[host]))[:25]


class Engines(dict):
    """The pretended engines of a lab's hosts, by host."""

    def __init__(self, hosts):
        swarm = Swarm()
        super().__init__({host: Engine(host, swarm, number) for number, host in enumerate(hosts)})
        swarm.engines.extend(self.values())
        self.swarm = swarm

    def snapshots(self):
        return {host: engine.snapshot() for host, engine in self.items()}

    def facts(self):
        return {host: engine.facts() for host, engine in self.items()}

    def files(self):
        return {host: engine.file() for host, engine in self.items()}

    def addresses(self):
        return {host: f"192.168.22.{61 + engine.number}" for host, engine in self.items()}

    def carry_out(self, plan, order=None):
        """Run a plan's commands, step by step in an order that the plan allows; return all output that was stored."""
        values = {}
        for step in order or plan.ordered():
            for command in step.commands:
                text = self[command.host].run(command.resolve(values), command.text)
                if command.stores:
                    values[command.stores] = text.strip()
        return values
