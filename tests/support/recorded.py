"""What hosts with other engines showed, lab by lab: the engines' books, the kernels, and the cells that were seen.

Each file holds, for each of its labs, the definition, and the outputs of some commands on every host and in every
container (`ip -j …`, `iptables-save`, `nft -j list ruleset`), with the engine's own words.
"""

import json
import lzma
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

from dockerlab.engine.convert import to_container, to_network, to_swarm
from dockerlab.imagined.ground import stripped
from dockerlab.imagined.machines import machines
from dockerlab.kernel import iptables, nft, tables
from dockerlab.kernel import links as interfaces
from dockerlab.kernel.difference import meaning
from dockerlab.kernel.model import Listener, Machine, Namespace, Proxy
from dockerlab.kernel.rules import Ruleset
from dockerlab.reach import worlds
from dockerlab.snapshot import Snapshot
from dockerlab.versions import Engine, numbers
from support.facts import facts_of
from support.labs import lab
from support.recordings import FOLDERS
from support.worlds import Looked

FILES = tuple(sorted({path.name: path for folder in FOLDERS for path in folder.glob("*.json.xz")}.values()))
"""The recordings that are there, which may be none."""


@dataclass
class Recorded:
    """One lab as an engine ran it."""

    name: str
    engine: str
    backend: str
    said: dict

    @property
    def refused(self):
        """Return what the engine said against it, or nothing."""
        return self.said.get("refused", "")

    @property
    def lab(self):
        """Return the definition; a recording is of the machine's own engine where it names no host."""
        return lab(self.said["definition"])

    @property
    def cells(self):
        """Return what was observed."""
        return self.said.get("cells", ())

    def books(self):
        """Return the engines' words, by host."""
        return {host: self._book(host, told) for host, told in self.said["hosts"].items()}

    def _book(self, host, told):
        mine = [each["inspect"] for each in self.said["containers"].values() if each["host"] == host]
        states = tuple(to_container({"Config": {"Image": "dockerlab/node"}, **each}) for each in mine)
        networks = tuple(to_network(entry, states) for entry in told["networks"])
        info = json.loads(told["docker info --format {{json .}}"] or "{}")
        return Snapshot(
            host,
            self.engine,
            firewall=self.backend,
            containers=states,
            networks=networks,
            swarm=to_swarm({"LocalNodeState": info.get("Swarm") or "inactive"}),
        )

    def engines(self):
        """Return what wrote the rules, by host."""
        return {host: self._engine(told) for host, told in self.said["hosts"].items()}

    def _engine(self, told):
        said = told["cat /etc/docker/daemon.json"]
        settings = json.loads(said) if said.startswith("{") else {}
        return Engine(
            numbers(self.engine), self.backend, settings.get("userland-proxy", True), settings.get("iptables", True),
            settings.get("ip6tables"), settings.get("allow-direct-routing", False),
        )  # fmt: skip

    def machines(self):
        """Return the kernels as they were, by host."""
        return {host: self._machine(host, told) for host, told in self.said["hosts"].items()}

    def _machine(self, host, told):
        ground = self._space(told, 1, host=True)
        inside = []
        for name, each in self.said["containers"].items():
            pid = each["inspect"]["State"]["Pid"]
            if each["host"] == host and pid and each["inspect"]["HostConfig"]["NetworkMode"] != "host":
                inside.append(replace(self._space(each, 100 + len(inside)), pids=(pid,), paths=(name,)))
        proxies = tuple(
            _proxy(number, line.split()) for number, line in enumerate(told.get("docker-proxy", "").splitlines())
        )
        return Machine(host, True, "", (ground, *inside), proxies)

    @staticmethod
    def _space(told, identity, *, host=False):
        details = {entry["ifname"]: entry for entry in json.loads(told["ip -j -d link"]) if entry}
        entries = [details.get(entry["ifname"], {}) | entry for entry in json.loads(told["ip -j addr"]) if entry]
        routes = [
            route
            for version in (4, 6)
            for route in tables.routes(json.loads(told[f"ip -j -{version} route show table all"] or "[]"), version)[0]
        ]
        settings = next((text for key, text in told.items() if key.startswith("sysctl")), "")
        return Namespace(
            identity,
            host=host,
            links=interfaces.links(entries),
            routes=tuple(routes),
            sysctls=dict(_setting(line) for line in settings.splitlines() if " = " in line),
            ruleset=_ruleset(told),
        )


def _setting(line):
    key, _, value = line.partition(" = ")
    return key.replace("/", "\0").replace(".", "/").replace("\0", "."), value


def _ruleset(told):
    parts = [iptables.read(told["iptables-save"], "ip")]
    if "ip6tables-save" in told:
        parts.append(iptables.read(told["ip6tables-save"], "ip6"))
    document = told["nft -j list ruleset"]
    if document.startswith("{"):
        own = {(chain.family, chain.table, chain.name) for part in parts for chain in part.chains}
        parts.append(nft.read(json.loads(document), own))
    return Ruleset(tuple(chain for part in parts for chain in part.chains), read=frozenset({"ip", "ip6"}))


def _proxy(number, words):
    told = dict(pairwise(words))
    return Proxy(
        number, told["-proto"], told["-host-ip"], int(told["-host-port"]), told["-container-ip"],
        int(told["-container-port"]),
    )  # fmt: skip


def recorded(path):
    """Return the labs in a file."""
    with lzma.open(path, "rt") as file:
        whole = json.load(file)
    version, *backend = whole["engine"]
    backend = "nftables" if any("nftables" in word for word in backend) else "iptables"
    return [Recorded(name, version, backend, said) for name, said in whole["labs"].items()]


COMMANDS = (
    "ip -j -d link",
    "ip -j addr",
    "ip -j -4 route show table all",
    "ip -j -6 route show table all",
    "iptables-save",
    "ip6tables-save",
    "nft -j list ruleset",
)
MARK = "=-=-=-="
PROXIES = "for f in $(grep -lsx docker-proxy /proc/[0-9]*/comm); do tr '\\0' ' ' <${f%comm}cmdline; echo; done; true"


SETTLED = """
for _ in $(seq 50); do [ -z "$(ip -6 address show scope global tentative)" ] && exit 0; sleep 0.2; done
echo 'an address is still tentative' >&2; exit 1
"""


def look(hosts, name, text):
    """Return a lab that is up on the hosts of a sandbox, as a recording of it would be.

    An IPv6 address is one when the kernel has seen that nobody else has it (RFC 4862, duplicate address detection). It
    never has for the link-local one of a bridge that lost its last port meanwhile, and nothing is said of those.
    """
    told, inside = {}, {}
    for host in hosts.names:
        hosts.sh(host, SETTLED)
    for host in lab(text).hosts:
        where = host if host in hosts.names else hosts.names[0]
        told[host] = _outputs(hosts, where, "") | {
            "docker info --format {{json .}}": "{}",
            "cat /etc/docker/daemon.json": hosts.run(where, "cat", "/etc/docker/daemon.json").stdout,
            "docker-proxy": hosts.sh(where, PROXIES),
            "networks": json.loads(hosts.sh(where, "docker network inspect $(docker network ls --quiet)")),
        }
        names = hosts.docker(where, "ps", "--all", "--quiet").split()
        for one in json.loads(hosts.docker(where, "inspect", *names)) if names else ():
            pid = one["State"]["Pid"]
            own = _outputs(hosts, where, f"nsenter -n -t {pid} ") if pid else {}
            inside[one["Name"].strip("/")] = {"host": host, "inspect": one} | own
    version = hosts.docker(hosts.names[0], "version", "--format", "{{.Server.Version}}")
    return Recorded(name, version, "iptables", {"definition": text, "hosts": told, "containers": inside})


def _outputs(hosts, host, before):
    script = "; ".join(f"echo '{MARK}'; {before}{command} 2>/dev/null" for command in COMMANDS)
    parts = hosts.sh(host, f"{script}; true").split(f"{MARK}\n")[1:]
    return {command: part.strip() for command, part in zip(COMMANDS, parts, strict=True)}


LEFT = ("-j DOCKER-USER", "-j DOCKER-ISOLATION-STAGE-1", "-m addrtype --dst-type LOCAL -j DOCKER")
"""Jumps that stay, or are doubled, when an engine was started again or its last network of an IP version went."""


def rules(ruleset):
    """Return the rules as they are understood, by chain, with their texts."""
    return {(c.family, c.table, c.name): [(meaning(rule), rule.text) for rule in c.rules] for c in ruleset.chains}


def unlike(imagined, real):
    """Yield rules that only one side has: of the real ones, those that no engine leaves behind."""
    for chain in imagined.keys() | real.keys():
        mine, theirs = imagined.get(chain, []), real.get(chain, [])
        more = Counter(key for key, _ in mine) - Counter(key for key, _ in theirs)
        less = Counter(key for key, _ in theirs) - Counter(key for key, _ in mine)
        yield from (f"{chain}: too much: {text}" for key, text in mine if key in more)
        yield from (f"{chain}: missing: {text}" for key, text in theirs if key in less and not text.endswith(LEFT))


def links(space):
    """Return the links by what two engines would agree on: no name of a cable, no number, no address of its own."""
    return Counter(
        (
            link.kind,
            "" if link.kind in ("veth", "macvlan") else link.name,
            link.mtu,
            link.master,
            frozenset(address for address in link.addresses if not address.ip.is_link_local),
            link.carrier,
            link.info.get("mode"),
        )
        for link in space.links
    )


def routes(space):
    """Return the routes but those of link-local addresses."""
    return {
        (route.destination, route.kind, route.table, route.hops, route.source)
        for route in space.routes
        if not route.destination.is_link_local and route.kind not in ("anycast", "multicast")
    }


def differences(each):
    """Return what is not as it is imagined, on the hosts of a lab that an engine ran and in its containers."""
    books, seen = each.books(), each.machines()
    grounds = {host: stripped(machine, books[host]) for host, machine in seen.items()}
    imagined = machines(each.lab, books, grounds, each.engines())
    found = []
    for host, machine in seen.items():
        mine = imagined.machines[host]
        wrong = list(unlike(rules(mine.ground.ruleset), rules(machine.ground.ruleset)))
        for space in machine.namespaces:
            home = mine.ground if space.host else mine.space(imagined.homes[space.paths[0]].space)
            wrong += [f"{space.paths} link {link}" for link in (links(home) - links(space))]
            wrong += [f"{space.paths} missing link {link}" for link in (links(space) - links(home))]
            wrong += [f"{space.paths} route {route}" for route in routes(home) ^ routes(space)]
        found += [f"{each.name} {host} {text}" for text in wrong]
    return found


def facts(each):
    """Return what is known of the hosts beside their kernels, by host."""
    return {host: _facts(host, told) for host, told in each.said["hosts"].items()}


def _facts(host, told):
    said = told["cat /etc/docker/daemon.json"]
    settings = json.loads(said) if said.startswith("{") else {}
    return facts_of(
        host,
        userland_proxy=settings.get("userland-proxy", True),
        iptables=settings.get("iptables", True),
        ip6tables=settings.get("ip6tables"),
        direct_routing=settings.get("allow-direct-routing", False),
        dns=tuple(settings.get("dns", ())),
    )


def looked(each):
    """Return what a look at the hosts of a recorded lab would have brought.

    A recording has no sockets: containers listen where the definition gives them a program that does, and the engine's
    own sockets and docker-proxies are those that are imagined.
    """
    definition, books = each.lab, each.books()
    seen = Looked(books, facts(each), each.machines())
    made = worlds.defined(definition, seen).fabric.net.machines
    seen.machines = {
        host: replace(
            machine,
            proxies=made[host].proxies,
            namespaces=tuple(
                replace(space, listeners=_sockets(definition, space, made[host].ground)) for space in machine.namespaces
            ),
        )
        for host, machine in seen.machines.items()
    }
    return seen


def _sockets(definition, space, ground):
    if space.host:
        return ground.listeners
    names = [name for name in definition.containers if name in space.paths]
    specs = [each for name, each in definition.containers.items() if name in names or each.owner in names]
    return tuple(Listener("tcp", "::", port) for each in specs if each.command for port in each.listens)
