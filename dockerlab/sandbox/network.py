"""The switch, the router and the outside around the hosts, and each host's links to the switch.

Nothing here leads out of the machine: no namespace gets an uplink, and what arrives on the machine's own end of
the LAN is for the machine itself or for nobody.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from dockerlab.sandbox import boundary
from dockerlab.sandbox.commands import attempt, enter, ip, run, start
from dockerlab.sandbox.layout import (
    BEYOND,
    BEYOND_ROUTER,
    CONTROLLER,
    DIRECTORY,
    LAN,
    LINK,
    OUTSIDE,
    OUTSIDE_NS,
    PATH,
    ROUTER,
    ROUTER_NS,
    SWITCH_NS,
    VLAN,
    host_address,
    inode,
    namespace_of,
)
from dockerlab.sandbox.processes import Process, listens

TAGGED = f"eth0.{VLAN}"
NAMES = ("outside.lab", "internet.lab")
_BRIDGE = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0"


def build(*, tagging: bool) -> None:
    """Build the namespaces, bridges and addresses around the hosts and start the outside's servers.

    With `tagging`, VLAN 50 is a real one on the LAN's bridge; else it has a bridge of its own.
    """
    ip(f"netns add {name}" for name in (SWITCH_NS, ROUTER_NS, OUTSIDE_NS))
    settle(SWITCH_NS)
    settle(OUTSIDE_NS)
    settle(ROUTER_NS, forwards=True)
    # The rule comes before the link: there is no moment in which a packet from the hosts could be forwarded.
    ip((
        f"rule add pref 1 iif {LINK} prohibit",
        f"link add {LINK} type veth peer name controller netns {SWITCH_NS}",
        f"link add router netns {SWITCH_NS} type veth peer name eth0 netns {ROUTER_NS}",
        f"link add eth1 netns {ROUTER_NS} type veth peer name eth0 netns {OUTSIDE_NS}",
    ))  # fmt: skip
    _close(LINK)
    ip((f"address add {CONTROLLER}/{LAN.prefixlen} dev {LINK}", f"link set {LINK} up"))
    ip(_switch(tagging=tagging), SWITCH_NS)
    ip((
        "link set lo up",
        f"address add {ROUTER}/{LAN.prefixlen} dev eth0",
        f"address add {BEYOND_ROUTER}/{BEYOND.prefixlen} dev eth1",
        "link set eth0 up",
        "link set eth1 up",
    ), ROUTER_NS)  # fmt: skip
    ip((
        "link set lo up",
        f"address add {OUTSIDE}/{BEYOND.prefixlen} dev eth0",
        "link set eth0 up",
        f"route add {LAN} via {BEYOND_ROUTER}",
    ), OUTSIDE_NS)  # fmt: skip
    _serve()


def connect(name: str, *, tagging: bool, confined: bool) -> None:
    """Make a host's network namespace, with eth0 on the LAN and eth0.50 on VLAN 50; a confined one is its root's."""
    namespace = namespace_of(name)
    if confined:
        boundary.network_namespace(namespace)
    else:
        ip((f"netns add {namespace}",))
    settle(namespace)
    links = [f"link add {name} netns {SWITCH_NS} type veth peer name eth0 netns {namespace}"]
    ports = [f"link set {name} master lan", f"link set {name} up"]
    if not tagging:
        links.append(f"link add {name}.{VLAN} netns {SWITCH_NS} type veth peer name {TAGGED} netns {namespace}")
        ports += [f"link set {name}.{VLAN} master vlan{VLAN}", f"link set {name}.{VLAN} up"]
    ip(links)
    ip(ports, SWITCH_NS)
    if tagging:
        run(["bridge", "-n", SWITCH_NS, "vlan", "add", "dev", name, "vid", str(VLAN)])
    ip((
        "link set lo up",
        *([f"link add link eth0 name {TAGGED} type vlan id {VLAN}"] if tagging else []),
        f"address add {host_address(name)}/{LAN.prefixlen} dev eth0",
        "link set eth0 up",
        f"link set {TAGGED} up",
        f"route add default via {ROUTER}",
    ), namespace)  # fmt: skip
    _acquaint(namespace, host_address(name))


def _acquaint(namespace: str, address: str) -> None:
    """Let this machine and a host keep each other's MAC address for good.

    The kernel has one neighbour table for all namespaces. A lab that fills it would cut the SSH connections as well.
    """
    show = ["ip", "-json", "link", "show", "dev"]
    ours = json.loads(run([*show, LINK]))[0]["address"]
    theirs = json.loads(run(enter(namespace, [*show, "eth0"])))[0]["address"]
    ip((f"neighbour replace {address} lladdr {theirs} dev {LINK} nud permanent",))
    ip((f"neighbour replace {CONTROLLER} lladdr {ours} dev eth0 nud permanent",), namespace)


def settle(namespace: str, *, forwards: bool = False) -> None:
    """Give a namespace the settings of a fresh machine: it would take over this machine's own IPv4 settings.

    An engine that finds forwarding on leaves the FORWARD chain's policy alone, and containers would reach
    what they cannot reach from a fresh machine.
    """
    settings = (
        f"net.ipv4.ip_forward={int(forwards)}",
        "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.default.rp_filter=0",
    )
    run(enter(namespace, ["busybox", "sysctl", "-w", *settings]))


def links_in() -> bool:
    """Tell whether the machine's own link, its address, and the rule that keeps it closed are in place."""
    shown = attempt(["ip", "-json", "-4", "address", "show", "dev", LINK, "up"])
    addresses = [a.get("local") for link in json.loads(shown.stdout or "[]") for a in link.get("addr_info", [])]
    return str(CONTROLLER) in addresses and rules() > 0


def rules() -> int:
    """Return how many rules there are that keep the machine's own link closed."""
    if shutil.which("ip", path=PATH) is None:
        return 0  # nothing of ours was ever built here
    return sum(rule.get("iif") == LINK for rule in json.loads(run(["ip", "-json", "-4", "rule", "show"]) or "[]"))


def serves(processes: list[Process]) -> bool:
    """Tell whether the outside's two servers listen."""
    namespace = inode(OUTSIDE_NS)
    pid = next((p.pid for p in processes if p.namespace == namespace and p.marked), None)
    return pid is not None and listens(pid, "udp", 53) and listens(pid, "tcp", 80)


def _switch(*, tagging: bool) -> list[str]:
    lines = [f"link add lan {_BRIDGE}" + (" vlan_filtering 1" if tagging else "")]
    if not tagging:
        lines += [f"link add vlan{VLAN} {_BRIDGE}", f"link set vlan{VLAN} up"]
    lines.append("link set lan up")
    for port in ("controller", "router"):
        lines += [f"link set {port} master lan", f"link set {port} up"]
    return lines


def _close(link: str) -> None:
    """Keep the machine from forwarding what arrives on the link; it may well be a router in its other life."""
    Path(f"/proc/sys/net/ipv4/conf/{link}/forwarding").write_text("0")
    ipv6 = Path(f"/proc/sys/net/ipv6/conf/{link}/disable_ipv6")
    if ipv6.exists():
        ipv6.write_text("1")


def _serve() -> None:
    home = DIRECTORY / "outside"
    home.mkdir()
    (home / "index.html").write_text("outside\n")
    names = [f"--host-record={name},{OUTSIDE}" for name in NAMES]
    dns = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root", "--log-facility=-",
           "--no-resolv", "--no-hosts", "--bind-interfaces", f"--listen-address={OUTSIDE}",
           *names, "--local=/#/"]  # fmt: skip
    http = ["busybox", "httpd", "-f", "-p", f"{OUTSIDE}:80", "-h", str(home)]
    for argv in (dns, http):
        start(enter(OUTSIDE_NS, argv), DIRECTORY / "outside.log")
