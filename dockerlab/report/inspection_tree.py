"""What there is of a lab on its hosts, as a tree for people: from each container to the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from dockerlab.kernel.model import Link, Listener
from dockerlab.kernel.rules import Rule
from dockerlab.machinery import sentences
from dockerlab.machinery.model import Machinery
from dockerlab.machinery.names import Names
from dockerlab.machinery.strands import Door, Hop, Strand, name_of
from dockerlab.machinery.view import Bridge, Container, View, told
from dockerlab.plain import printable

ROLES = {
    "cable": "cable to",
    "bridge": "port of bridge",
    "vxlan": "tunnel",
    "parent": "child of",
    "lower": "on",
    "uplink": "routed on by",
}
TABLES = ("raw", "mangle", "nat", "filter")
"""In the order in which a packet meets them."""


def render(views: Sequence[View], width: int = 100) -> str:
    """Return the trees of all hosts, one after the other."""
    out = StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False, markup=False, emoji=False)
    for view in views:
        console.print(_host(view))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _text(line: str) -> Text:
    """Return a line as it is; what a container says of itself may hold what a terminal would take for an order."""
    return Text(printable(line))


def _host(view: View) -> Tree:
    machine = view.machine
    tree = Tree(_text(f"{machine.host}: {_about(machine)}"))
    for what in machine.unread:
        tree.add(_text(f"could not read {what}"))
    for container in view.containers:
        _container(tree, container, view.names)
    for name in view.missing:
        tree.add(_text(f"{name}: there is no container of that name"))
    for name in view.unsure:
        tree.add(_text(f"{name}: could not tell whether there is a container of that name"))
    for bridge in view.bridges:
        _bridge(tree, bridge, view.names)
    if view.rules and _filtered(view):
        branch = tree.add(_text("rules for all packets alike"))
        _rules(branch, view.rules, view.names)
        chain = machine.ground.ruleset.chain("ip", "filter", "FORWARD")
        if chain is not None and chain.policy:
            branch.add(_text(f"filter FORWARD policy {chain.policy}: {sentences.policy(chain)}"))
    return tree


def _filtered(view: View) -> bool:
    """Tell whether anything that is shown passes the host's firewall; the children of a parent interface do not."""
    return bool(view.bridges) or any(each.doors or each.shares == "host" for each in view.containers)


def _about(machine: Machinery) -> str:
    forwarding = {"0": "does not forward", "1": "forwards"}.get(machine.ground.sysctls.get("net/ipv4/ip_forward", ""))
    parts = [
        f"engine {machine.engine or 'unknown'}",
        f"kernel {machine.kernel.kernel}",
        f"firewall {machine.backend or 'unknown'}",
    ]
    return ", ".join([*parts, f"{forwarding} IPv4" if forwarding else "could not tell whether it forwards"])


def _container(tree: Tree, container: Container, names: Names) -> None:
    state = container.state
    process = f", process {state.pid}" if state.running else ""
    branch = tree.add(_text(f"{state.name}: {state.status or 'unknown'}{process}, network mode {_mode(container)}"))
    for note in container.notes:
        branch.add(_text(note))
    if container.home is None:
        if not state.running:
            branch.add(_text("it does not run: it has no network namespace"))
    else:
        _inside(branch, container)
    for door in container.doors:
        _door(branch, door, names)
    if container.rules and not container.shares:
        _rules(branch.add(_text("rules that name its addresses")), container.rules, names)


def _mode(container: Container) -> str:
    mode = container.state.network_mode
    return f"container:{container.shares}" if mode.startswith("container:") and container.shares else mode


def _inside(branch: Tree, container: Container) -> None:
    home = container.home
    if home is None:
        return
    whose = {"": "its own", "host": "the host's own"}.get(container.shares, f"that of {container.shares}")
    branch.add(_text(f"network namespace {home.id} ({name_of(home)}): {whose}"))
    for line in container.resolver:
        own = " (Docker's own DNS server, which answers inside this namespace)" if line.endswith(" 127.0.0.11") else ""
        branch.add(_text(f"resolv.conf: {line}{own}"))
    if container.shares == "host":
        branch.add(_text("its interfaces, routes and ports are the host's: nothing lies between it and the wire"))
    for strand in container.strands:
        if container.shares in ("", "host"):
            _strand(branch, strand, bare=container.shares == "host")
    if container.shares not in ("", "host"):
        branch.add(_text(f"its interfaces, routes and ports are those of {container.shares}"))
        return
    if not container.strands and home.links:
        branch.add(_text("no interface but lo: nothing gets in or out"))
    for route in told(home):
        if not route.startswith("fe80::"):
            branch.add(_text(f"route: {route}"))


def _strand(branch: Tree, strand: Strand, *, bare: bool) -> None:
    where = f", on network {strand.network}" if strand.network and not bare else ""
    here = branch.add(_text(f"{_link(strand.link)}{where}"))
    for hop in () if bare else strand.hops:
        # The way goes on behind the last thing, except that a bridge has several ways on.
        deeper = here.add(_text(_hop(hop)))
        here = here if hop.role in ("vxlan", "uplink") else deeper


def _link(link: Link) -> str:
    mac = f", {link.mac}" if link.mac else ""
    kind = f" ({link.kind})" if link.kind else ""
    addresses = ", ".join(map(str, link.addresses)) or "no address"
    state = "state unknown" if link.state in ("", "UNKNOWN") else link.state.lower()
    return f"{link.name}{kind}: {addresses}{mac}, mtu {link.mtu}, {state}"


def _hop(hop: Hop) -> str:
    if hop.link is None:
        return f"{ROLES.get(hop.role, '')} {hop.note}".strip()
    where = "on the host" if hop.where == "host" else f"in the hidden namespace {hop.where}"
    told = f"{ROLES[hop.role]} {_link(hop.link)}, {where}"
    if hop.role == "bridge" and hop.ports:
        told += f"; its other ports: {', '.join(hop.ports)}"
    if hop.role == "vxlan":
        told = f"{told}; VXLAN {hop.link.info.get('id', '?')}, UDP port {hop.link.info.get('port', '?')}"
    if hop.peers:
        by_host: dict[str, list[str]] = {}
        for peer in hop.peers:
            by_host.setdefault(peer.to, []).append(peer.mac)
        told += "; " + "; ".join(f"to {host} for {', '.join(macs)}" for host, macs in by_host.items())
    if hop.role == "parent" and hop.link.info.get("mode"):
        told += f", mode {hop.link.info['mode']}"
    return f"{told} ({hop.note})" if hop.note else told


def _door(branch: Tree, door: Door, names: Names) -> None:
    port = door.port
    address = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip
    here = branch.add(_text(f"published {address}:{port.host_port} -> port {port.container_port}/{port.protocol}"))
    for rule in door.rules:
        here.add(_text(f"{rule.where}: {sentences.does(rule, names)}"))
    for proxy in door.proxies:
        here.add(
            _text(f"docker-proxy, process {proxy.pid}: {proxy.address}:{proxy.port} -> {proxy.to}:{proxy.to_port}")
        )
    for listener in door.listeners:
        here.add(_text(_listener(listener)))
    for note in door.notes:
        here.add(_text(note))


def _listener(listener: Listener) -> str:
    who = ", ".join(f"{name} (process {pid})" for pid, name in listener.holders) or "a process that cannot be told"
    return f"listening inside on {listener.address}, port {listener.port}/{listener.protocol}: {who}"


def _bridge(tree: Tree, bridge: Bridge, names: Names) -> None:
    branch = tree.add(_text(f"bridge {_link(bridge.link)}, network {bridge.network.name}"))
    for port in bridge.ports:
        branch.add(_text(f"port {names.interface(port)}"))
    if not bridge.ports:
        branch.add(_text("no port: nothing is plugged in"))
    _rules(branch, bridge.rules, names)


def _rules(branch: Tree, rules: Iterable[Rule], names: Names) -> None:
    for text in _rule_lines(rules, names):
        branch.add(_text(text))


def _rule_lines(rules: Iterable[Rule], names: Names) -> Iterator[str]:
    """Yield a sentence for each rule; one that is the same for both versions of IP is told once."""
    versions: dict[str, list[str]] = {}
    ordered = sorted(rules, key=lambda rule: (TABLES.index(rule.table) if rule.table in TABLES else 9, rule.family))
    for rule in ordered:
        reason = sentences.why(rule)
        because = f" Because: {reason}." if reason else ""
        text = f"{rule.where}: {sentences.does(rule, names)}{because}"
        versions.setdefault(text, []).append(rule.family)
    for text, families in versions.items():
        place, _, rest = text.partition(":")
        six = "ip6" in families and not text.startswith("nft ")
        yield f"{place} ({'also IPv6' if 'ip' in families else 'IPv6'}):{rest}" if six else text
