"""What hosts hold beside a lab, before an exercise and after it: so that "nothing is left" is a comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pydantic import BaseModel, ConfigDict

from dockerlab import daemon
from dockerlab.daemon import DaemonFile
from dockerlab.daemon.state import PATH
from dockerlab.drift.undo import setting
from dockerlab.hosts.base import Host
from dockerlab.imagined.origin import origin
from dockerlab.kernel.model import IP_FORWARD, Namespace
from dockerlab.kernel.rules import Rule
from dockerlab.modes.bridge_rules import NETWORK
from dockerlab.snapshot import GATEWAY_BRIDGE, INGRESS, LABEL_LAB, Snapshot
from dockerlab.survey import Seen, on_each, send

DOCKER0 = "docker0"
DOCKERS_OWN = frozenset({GATEWAY_BRIDGE, INGRESS})
"""Networks, and a link, that the engine makes with a Swarm: the bridge stays, `ingress` goes with it."""

OF_FORWARDING = frozenset({IP_FORWARD, "net/ipv4/conf/all/forwarding"})
"""One setting by two names, which is held by itself."""


class Holdings(BaseModel):
    """What one host holds: names of containers, networks and images, links, routes, rules, the engine's settings.

    Left out is what carries a lab's labels, and rules of an engine's networks as it writes them, but for docker0's:
    these come and go with networks, published ports and containers of whoever works there.
    `wide` are a Swarm's networks, as its manager knows them. `settings` is the text of the engine's own file at `file`,
    empty for none, and `bridge` the address of docker0. `images` are those that were made there, `spaces` the network
    namespaces that somebody gave a name, `addresses` and `kernel` links' addresses and the kernel's settings. None is
    what is not known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    containers: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()
    images: frozenset[str] | None = None
    swarm: bool = False
    settings: str = ""
    file: str = PATH
    bridge: str = ""
    links: frozenset[str] = frozenset()
    spaces: frozenset[str] | None = None
    addresses: frozenset[str] | None = None
    routes: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    policy: str | None = None
    ip_forward: bool | None = None
    kernel: frozenset[str] | None = None


def held(seen: Seen, hosts: Mapping[str, Host], images: Collection[str] = ()) -> dict[str, Holdings]:
    """Return what each host holds now; `images` are names that count, whatever they were made of."""
    kernels = on_each(hosts, lambda host: send.look(host, (), "host"))
    files = on_each(hosts, daemon.look)
    spaces = on_each(hosts, _spaces)
    return {
        name: held_by(seen.snapshots[name], kernels[name].ground, files[name]).model_copy(
            update={"spaces": spaces[name], "images": _images(seen.snapshots[name], images)}
        )
        for name in hosts
    }


def held_by(snapshot: Snapshot, ground: Namespace, file: DaemonFile) -> Holdings:
    """Return what one host holds, whose own namespace that is; rules that cannot be read are None."""
    docker0 = ground.link(DOCKER0)
    networks = [network for network in snapshot.networks if LABEL_LAB not in network.labels]
    return Holdings(
        containers=frozenset(c.name for c in snapshot.containers if LABEL_LAB not in c.labels),
        networks=frozenset(n.name for n in networks if n.scope != "swarm") - DOCKERS_OWN,
        wide=frozenset(n.name for n in networks if n.scope == "swarm" and snapshot.swarm.manager) - DOCKERS_OWN,
        swarm=snapshot.swarm.state != "inactive",
        settings=(file.text or b"").decode(errors="replace"),
        file=file.path,
        bridge=next((str(a) for a in docker0.addresses if a.version == 4), "") if docker0 is not None else "",
        links=frozenset(
            f"{link.name} {'up' if link.up else 'down'}" for link in ground.links if not _dockers(link.name)
        ),
        addresses=frozenset(_addresses(ground)),
        routes=frozenset(_routes(ground)),
        rules=frozenset(_rules(ground, snapshot)) if "ip" in ground.ruleset.read else None,
        policy=ground.forward_policy,
        ip_forward=ground.on(IP_FORWARD),
        kernel=frozenset(_settings(ground)),
    )


def _spaces(host: Host) -> frozenset[str] | None:
    """Return the names that network namespaces of a host have, or None where they cannot be read."""
    said = host.run(("ip", "netns", "list"), timeout=20)
    return frozenset(line.split()[0] for line in said.text.splitlines() if line.strip()) if said.ok else None


def _images(snapshot: Snapshot, wanted: Collection[str]) -> frozenset[str]:
    """Return the names of images that were made on a host, by no lab: who is asked to make one has these names."""
    made = [each for each in snapshot.image_states if LABEL_LAB not in each.labels]
    return frozenset(name for each in made for name in each.names if each.parent or name in wanted)


def _dockers(link: str) -> bool:
    """Tell whether a link comes and goes with a network or a container."""
    return link in DOCKERS_OWN or link.startswith(("br-", "veth"))


def _addresses(ground: Namespace) -> Iterator[str]:
    """Yield the addresses of IPv4 as `ip address` takes them; those of IPv6 come and go by themselves."""
    for link in ground.links:
        if not _dockers(link.name) and link.name != DOCKER0:
            yield from (f"{address} dev {link.name}" for address in link.addresses if address.version == 4)


def _routes(ground: Namespace) -> Iterator[str]:
    """Yield the routes of IPv4 as `ip route` takes them; those of IPv6 come and go with the links' own addresses."""
    for route in ground.ways:
        hop = route.hops[0]
        if route.version == 4 and not _dockers(hop.device) and hop.device != DOCKER0:
            via = f"via {hop.via} " if hop.via is not None else ""
            yield f"{route.destination if route.destination.prefixlen else 'default'} {via}dev {hop.device}"


def _settings(ground: Namespace) -> Iterator[str]:
    """Yield the kernel's settings of IPv4 as `sysctl` takes them, but for those of links that come and go."""
    for path, value in ground.sysctls.items():
        of = path.split("/")[3] if path.startswith("net/ipv4/conf/") else ""
        if path.startswith("net/ipv4/") and path not in OF_FORWARDING and not _dockers(of) and of != DOCKER0:
            yield f"{setting(path)}={value}"


def _rules(ground: Namespace, snapshot: Snapshot) -> Iterator[str]:
    bridges = {network.bridge for network in snapshot.networks}
    given = {str(a.ip) for c in snapshot.containers for place in c.endpoints.values() for a in place.addresses}
    for rule in ground.ruleset.rules():
        if rule.family == "ip" and rule.text.startswith("-A ") and _stays(rule, bridges, given):
            yield f"{rule.table} {rule.text}"


def _stays(rule: Rule, bridges: Collection[str], given: Collection[str]) -> bool:
    """Tell whether a rule is nobody's who comes and goes: not an engine's, or what it keeps for docker0.

    It is an engine's where it is as an engine writes it, for a bridge of its networks, or for a container's address;
    somebody may type the same for a bridge of their own.
    """
    line = origin(rule)
    if line is None:
        return True
    links = {match.value for match in rule.matches if match.option in ("-i", "-o")}
    if line in NETWORK:
        return any(link == DOCKER0 or not (link in bridges or _dockers(link)) for link in links)
    named = [match.value for match in rule.matches if match.option == "-d" and not match.negated]
    named += [option.value for option in rule.options if option.option == "--to-destination"]
    addresses = {value.partition("/")[0].partition(":")[0] for value in named}
    return links <= {DOCKER0} and bool(addresses) and addresses.isdisjoint(given)
