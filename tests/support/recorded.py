"""What hosts with other engines showed, lab by lab: the engines' books, the kernels, and the cells that were seen.

Each file holds, for each of its labs, the definition, and the outputs of some commands on every host and in every
container (`ip -j …`, `iptables-save`, `nft -j list ruleset`), with the engine's own words.
"""

import json
import lzma
from dataclasses import dataclass, replace
from itertools import pairwise

from dockerlab.engine.convert import to_container, to_network, to_swarm
from dockerlab.kernel import iptables, links, nft, tables
from dockerlab.kernel.model import Machine, Namespace, Proxy
from dockerlab.kernel.rules import Ruleset
from dockerlab.snapshot import Snapshot
from dockerlab.versions import Engine, numbers
from support.labs import lab
from support.recordings import FOLDERS

FILES = tuple(sorted(path for folder in FOLDERS for path in folder.glob("*.json.xz")))
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
            links=links.links(entries),
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
