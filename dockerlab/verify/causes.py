"""Why cells failed, as far as the hosts themselves show it: rules of Docker that are gone, a Swarm that is torn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from dockerlab import engine
from dockerlab.drift import kernel
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.reach import World
from dockerlab.snapshot import GATEWAY_MODE, MASQUERADE, ContainerState, NetworkState, Snapshot
from dockerlab.survey.inside import look_inside
from dockerlab.verify.verdicts import Judged

VXLAN = "UDP port 4789"
AHEAD = ("INPUT", "FORWARD", "DOCKER-USER")
"""The chains of table filter in which other people's rules come before Docker's."""


def causes(
    judged: Sequence[Judged], world: World, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]
) -> list[str]:
    """Return a sentence for each cause of failed cells that can be seen on the hosts; none where no cell failed."""
    failed = [each for each in judged if each.verdict == "fail"]
    if not failed:
        return []
    return [
        *_firewalls(failed, world, snapshots, hosts),
        *_swarms(judged, world, snapshots, hosts),
        *_beneath(world, snapshots, hosts),
    ]


def _beneath(world: World, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]) -> Iterator[str]:
    """Yield where namespaces and parents are not as the engines' word has them; nothing of those that are not seen."""
    insides, _ = look_inside(world.lab, snapshots, hosts)
    yield from map(str, kernel.parents(world.lab, world.facts))
    yield from map(str, kernel.namespaces(world.lab, snapshots, insides))


def _firewalls(
    failed: Sequence[Judged], world: World, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]
) -> Iterator[str]:
    """Yield what is missing of the rules that Docker keeps, for each host that a failed cell begins or ends on."""
    for name in dict.fromkeys(host for each in failed for host in _hosts_of(each, world)):
        if not world.facts[name].iptables or not snapshots[name].firewall.startswith("iptables"):
            continue  # the engine keeps no rules there, or not these
        result = hosts[name].run(["iptables-save"], timeout=20)
        if not result.ok:
            yield f"{name}: whether rules of the firewall are missing cannot be seen: {result.error}"
            continue
        gone = missing_rules(result.text, snapshots[name])
        if gone:
            yield (
                f"{name}: rules that Docker keeps in the firewall are missing, which explains failed cells there: "
                f"{'; '.join(gone)}. Something has flushed them; 'systemctl restart docker' on {name} puts them back"
            )
        drops = foreign_drops(result.text)
        if drops:
            undo = drops[0].replace("-A ", "-D ", 1)
            yield (
                f"{name}: rules that are not Docker's drop packets, which may explain failed cells there: "
                f"{'; '.join(drops)}. 'iptables {undo}' takes the first one out"
            )


def _hosts_of(judged: Judged, world: World) -> Iterator[str]:
    """Yield the hosts on which a cell begins and ends."""
    for end in (judged.cell.source, judged.cell.holder):
        if end in world.lab.hosts:
            yield str(end)
        elif end in world.lab.containers:
            yield world.lab.host_of(str(end))


@dataclass(frozen=True)
class _Rules:
    """The rules of `iptables-save`, as `table chain words`."""

    lines: tuple[tuple[str, str], ...]

    def any(self, table: str, *parts: str, without: str = "!!") -> bool:
        """Tell whether a rule of a table has all these parts, each as whole words, and not the one `without`."""
        return any(
            where == table and without not in rule and all(f" {part} " in f" {rule} " for part in parts)
            for where, rule in self.lines
        )


def read_rules(text: str) -> _Rules:
    """Return the rules in the output of `iptables-save`."""
    table, found = "", []
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith("-A "):
            found.append((table, line))
    return _Rules(tuple(found))


def missing_rules(text: str, snapshot: Snapshot) -> list[str]:
    """Return what an engine should have in the output of `iptables-save` and has not, by table and chain."""
    rules, wanted = read_rules(text), list[tuple[bool, str]]()
    bridges = [n for n in snapshot.networks if n.driver == "bridge" and n.subnets and n.scope == "local"]
    jumps = ("-j DOCKER-FORWARD", "-j DOCKER-ISOLATION-STAGE-1")
    wanted.append(
        (any(rules.any("filter", "-A FORWARD", jump) for jump in jumps), "filter FORWARD: the jump to Docker's chains")
    )
    for network in bridges:
        wanted += _of_network(network, rules)
    for container in snapshot.containers:
        for port in container.published if container.running and _translated(container, snapshot) else ():
            rule = f"--dport {port.host_port}"
            there = rules.any("nat", "-A DOCKER", f"-p {port.protocol}", rule)
            wanted.append((there, f"nat DOCKER: {rule} -j DNAT, the published port of {container.name}"))
    if any(container.running and container.published for container in snapshot.containers):
        wanted.append((rules.any("nat", "-A PREROUTING", "-j DOCKER"), "nat PREROUTING: the jump to DOCKER"))
    return [text for there, text in dict.fromkeys(wanted) if not there]


def foreign_drops(text: str) -> list[str]:
    """Return the rules in the output of `iptables-save` that drop or refuse packets ahead of Docker's chains.

    Docker's own there are about one bridge alone (`-i BRIDGE -o BRIDGE`, of inter-container communication that is off)
    or about encrypted overlays.
    """
    found = []
    for table, rule in read_rules(text).lines:
        words = rule.split()
        own = "policy" in words or ("-i" in words and words[words.index("-i") + 1 :][:1] == _after(words, "-o"))
        if table == "filter" and words[1] in AHEAD and {"DROP", "REJECT"} & set(words) and not own:
            found.append(rule)
    return found


def _after(words: list[str], flag: str) -> list[str]:
    """Return the word behind a flag that is not negated, as a list; an empty one where there is none."""
    if flag not in words or words[words.index(flag) - 1] == "!":
        return []
    return words[words.index(flag) + 1 :][:1]


def _translated(container: ContainerState, snapshot: Snapshot) -> bool:
    """Tell whether a container's published ports are led to it by a rule of NAT, whatever network they come by."""
    networks = (snapshot.network(name) for name in container.endpoints)
    return all(GATEWAY_MODE not in network.options for network in networks if network is not None)


def _masquerades(network: NetworkState) -> bool:
    return network.options.get(MASQUERADE, "true").lower() != "false" and GATEWAY_MODE not in network.options


def _of_network(network: NetworkState, rules: _Rules) -> Iterator[tuple[bool, str]]:
    """Yield for each rule that a bridge needs whether it is there, and what it is called."""
    bridge = network.bridge
    if network.internal:
        yield (
            rules.any("filter", f"! -d {network.subnets[0]}", f"-i {bridge}", "-j DROP"),
            f"filter: what keeps the internal network {network.name} ({bridge}) inside",
        )
        return
    out = rules.any("filter", f"-i {bridge}", "-j ACCEPT", without=f"! -i {bridge}")
    yield out, f"filter: what lets network {network.name} ({bridge}) out"
    yield rules.any("filter", f"-o {bridge}"), f"filter: what lets replies into network {network.name} ({bridge})"
    for subnet in network.subnets:
        if subnet.version == 4 and _masquerades(network):
            rule = f"-s {subnet} ! -o {bridge} -j MASQUERADE"
            yield rules.any("nat", f"-s {subnet}", "-j MASQUERADE"), f"nat POSTROUTING: {rule}"


def _swarms(
    judged: Sequence[Judged], world: World, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]
) -> Iterator[str]:
    """Yield for each overlay network between whose hosts nothing passes which of its two planes is at fault."""
    for name in world.lab.networks:
        found = next((n for s in snapshots.values() if (n := s.network(name)) is not None and n.scope == "swarm"), None)
        members = world.lab.hosts_of(name)
        outside = [h for h in members if snapshots[h].swarm.state != "active"]
        if found is None and not outside:
            continue
        if found is None or outside:
            if world.lab.networks[name].driver == "overlay":
                yield _control(name, outside, snapshots)
            continue
        cut = _cut(judged, world, found)
        if cut:
            yield _data(name, cut, _nodes(snapshots, hosts, members))


def _cut(judged: Iterable[Judged], world: World, network: NetworkState) -> list[tuple[str, str]]:
    """Return the pairs of hosts between whose containers no ping of a network passed that should have."""
    passed: dict[tuple[str, str], list[bool]] = {}
    for each in judged:
        cell = each.cell
        ends = [end for end in (cell.source, cell.to) if end in world.lab.containers]
        if cell.probe != "ping" or len(ends) < 2 or not cell.target or each.expected.reachable is not True:
            continue
        if not any(ip_address(cell.target) in subnet for subnet in network.subnets):
            continue
        first, second = sorted(world.lab.host_of(end) for end in ends)
        if first != second and each.verdict != "unknown":
            passed.setdefault((first, second), []).append(each.verdict == "pass")
    return [pair for pair, results in passed.items() if not any(results)]


def _control(name: str, outside: Sequence[str], snapshots: Mapping[str, Snapshot]) -> str:
    states = ", ".join(f"{host} is {snapshots[host].swarm.state}" for host in outside)
    return (
        f"overlay network {name}, control plane: not every host is in the Swarm ({states}), so that the network has no "
        "way there; 'dockerlab up' joins again, and makes anew what was on it"
    )


def _data(name: str, cut: Sequence[tuple[str, str]], nodes: str) -> str:
    pairs = " and ".join(f"between {first} and {second}" for first, second in cut)
    return (
        f"overlay network {name}, data plane: no packet passes {pairs}, though {nodes}. "
        f"Look for a firewall, on the hosts or on the way, that drops {VXLAN} (VXLAN)"
    )


def _nodes(snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host], members: Sequence[str]) -> str:
    """Return what the Swarm's manager says of the hosts, which is the control plane's view."""
    manager = next((name for name, snapshot in snapshots.items() if snapshot.swarm.manager), None)
    if manager is None:
        return "every host is in the Swarm (no manager to ask for more)"
    try:
        states = engine.nodes(hosts[manager])
    except HostError as error:
        return f"every host is in the Swarm (its manager does not say more: {error})"
    told = [f"{host} {states.get(snapshots[host].swarm.node_id, 'unknown')}" for host in members]
    return f"the control plane is there: the Swarm's manager {manager} sees {', '.join(told)}"
