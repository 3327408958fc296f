"""Changes of a host's routes, links, neighbours, settings and processes."""

from __future__ import annotations

from e2e.differential.site import ADDRESSES, Change


def route(site):
    """Return a route that leads astray, or nowhere."""
    box, network = site.box()
    to = site.choose(f"$(address_of {box} {network})/32", "203.0.113.10/32", "203.0.113.0/24", "192.168.22.62/32"
                     if site.host == "vm0" else "192.168.22.61/32", "10.99.0.0/16")  # fmt: skip
    kind = site.choose("blackhole", "unreachable", "prohibit", "", "")
    via = site.choose("via 192.168.22.1", "via 192.168.22.99", "dev eth0.50 scope link")
    words = f"{kind} {to}" if kind else f"{to} {via}"
    return Change("route", site.host, f"ip route add {words}", f"ip route del {words}", "route", ".*")


def cross_route(site):
    """Return a route to the other host's bridge by that host: engines differ in whom they let in."""
    if site.other is None:
        return None
    by, of = ADDRESSES[site.other], site.other
    used = {n for c in site.lab["containers"].values() if c.get("host") == of for n in c.get("networks") or {}}
    plain = {
        n for n, spec in (site.lab.get("networks") or {}).items() if (spec or {}).get("driver", "bridge") == "bridge"
    }
    there = sorted(n for n in used & plain if isinstance((site.lab["networks"][n] or {}).get("subnet"), str))
    if not there:
        return None
    words = f"{site.lab['networks'][site.choose(*there)]['subnet']} via {by}"
    return Change("cross-route", site.host, f"ip route add {words}", f"ip route del {words}", "route", ".*")


def ip_rule(site):
    """Return a rule of `ip rule` that leads into a table of its own, or ends a packet's way."""
    box, network = site.box()
    who = site.choose(
        f"from $(address_of {box} {network})", f"from $(subnet_of {network})", f"to $(address_of {box} {network})",
        f"iif $(bridge_of {network})", "to 203.0.113.0/24", "ipproto tcp dport 80", "ipproto icmp", "iif eth0",
        "oif eth0", "fwmark 0x99", "from 192.168.22.0/24", f"not from $(subnet_of {network})",
    )  # fmt: skip
    how = site.choose("lookup 123", "lookup 123", "lookup 123", "prohibit", "blackhole", "unreachable")
    routes = site.choose("blackhole default", "default via 192.168.22.1", "unreachable 203.0.113.0/24",
                         "default via 192.168.22.99", "203.0.113.10 via 192.168.22.99")  # fmt: skip
    rule = f"{who} pref {site.choose(50, 1000, 32000)} {how}"
    table = how == "lookup 123"
    return Change(
        "ip-rule", site.host, f"ip route add {routes} table 123\n" * table + f"ip rule add {rule}",
        f"ip rule del {rule}" + "\nip route flush table 123" * table, "ip-rule|route", ".*",
    )  # fmt: skip


def marked_way(site):
    """Return packets of a container marked, and led by their mark."""
    words = f"-t mangle -{{}} PREROUTING -s {site.address()} -j MARK --set-mark 0x11"
    way = site.choose("blackhole default", "default via 192.168.22.99", "default via 192.168.22.1")
    return Change(
        "marked-way", site.host,
        f"iptables -w {words.format('I')}\nip route add {way} table 111\nip rule add fwmark 0x11/0xff lookup 111",
        f"ip rule del fwmark 0x11/0xff lookup 111\nip route flush table 111\niptables -w {words.format('D')}",
        "rule|ip-rule|route", r"mangle PREROUTING \d+|.*(111|0x11).*",
    )  # fmt: skip


def bridge_port(site):
    """Return a container's port of a bridge set otherwise: isolated, in hairpin mode, down."""
    box, network = site.box()
    how, back, kind = site.choose(
        ("type bridge_slave isolated on", "type bridge_slave isolated off", "link"),
        ("type bridge_slave isolated on", "type bridge_slave isolated off", "link"),
        ("type bridge_slave hairpin on", "type bridge_slave hairpin off", "link|none"),
        ("down", "up", "link"),
    )
    all_of_them = " ".join(b for b, n in site.boxes() if n == network)
    script = f"for name in {all_of_them}; do ip link set $(port_of $name {network}) {{}}; done"
    one = f"ip link set $(port_of {box} {network}) {{}}"
    chosen = script if "isolated" in how else one
    return Change("bridge-port", site.host, chosen.format(how), chosen.format(back), kind, r".*")


def bridge_down(site):
    """Return a bridge of Docker's set down."""
    _, network = site.box()
    link, kept = f"$(bridge_of {network})", "/run/bridge.kept"
    do = f"keep {link} '' > {kept}\nip link set {link} down"
    undo = f"ip link set {link} up\ngive_back {link} '' < {kept}\nrm {kept}"
    return Change("bridge-down", site.host, do, undo, "link|route", ".*")


def mtu(site):
    """Return a bridge whose MTU is small, which pings that fit do not notice."""
    _, network = site.box()
    script = f"ip link set $(bridge_of {network}) mtu {{}}"
    return Change("mtu", site.host, script.format(1280), script.format(1500), "none")


def address(site):
    """Return an address more on the host: one of its own, or one that a container bears."""
    box, network = site.box()
    words, kind = site.choose(
        ("10.99.0.1/24 dev eth0", "none"), ("10.99.0.1/32 dev lo", "none"),
        (f"$(address_of {box} {network})/32 dev lo", "address|route"), ("203.0.113.10/32 dev lo", "address|route"),
    )  # fmt: skip
    return Change("address", site.host, f"ip address add {words}", f"ip address del {words}", kind, ".*")


def shim(site):
    """Return a macvlan interface of the host's own beside the containers', with or without a route by it."""
    children = site.boxes("macvlan")
    if not children:
        return None
    box, network = site.choose(*children)
    parent = site.lab["networks"][network].get("parent")
    if parent is None or site.lab["networks"][network].get("macvlan_mode") == "passthru":
        return None
    way = f"\nip route add $(address_of {box} {network})/32 dev shim" * site.likely(80)
    do = (f"ip link add shim link {parent} type macvlan mode bridge\nip addr add 192.168.22.250/32 dev shim\n"
          f"ip link set shim up{way}")  # fmt: skip
    return Change("shim", site.host, do, "ip link del shim", "link|route|address", ".*")


SYSCTLS = (
    ("net/ipv4/ip_forward", 0), ("net/ipv4/ip_forward", 0), ("net/ipv4/conf/BRIDGE/forwarding", 0),
    ("net/ipv4/conf/eth0/forwarding", 0), ("net/ipv4/conf/all/rp_filter", 1), ("net/ipv4/conf/BRIDGE/rp_filter", 1),
    ("net/ipv4/conf/eth0/rp_filter", 2), ("net/ipv4/conf/BRIDGE/arp_ignore", 8), ("net/ipv4/conf/eth0/arp_ignore", 1),
    ("net/ipv4/icmp_echo_ignore_all", 1), ("net/bridge/bridge-nf-call-iptables", 0),
    ("net/ipv4/icmp_echo_ignore_broadcasts", 0), ("net/ipv4/conf/all/accept_source_route", 1),
    ("net/ipv4/conf/BRIDGE/proxy_arp", 1), ("net/ipv4/conf/BRIDGE/accept_local", 1),
    ("net/ipv4/conf/BRIDGE/route_localnet", 1),
)  # fmt: skip


def sysctl(site):
    """Return a setting of the kernel changed; ip_forward sets every interface's forwarding, and so it goes back."""
    path, value = site.choose(*SYSCTLS)
    _, network = site.box()
    place = "/proc/sys/" + path.replace("BRIDGE", f"$(bridge_of {network})")
    # What was there is kept beside the host's other files: a default differs between kernels.
    do = f"cat {place} > /run/setting\necho {value} > {place}"
    return Change("sysctl", site.host, do, f"cat /run/setting > {place}\nrm /run/setting", "sysctl",
                  path.replace("/", r"[./]").replace("BRIDGE", r"\S+"))  # fmt: skip


def neighbour(site):
    """Return a neighbour that somebody fixed, with a MAC address that nobody has."""
    box, network = site.box()
    if site.other and site.likely(30):
        to, dev = ADDRESSES[site.other], "eth0"
    else:
        to, dev = f"$(address_of {box} {network})", f"$(bridge_of {network})"
    return Change(
        "neighbour", site.host, f"ip neigh replace {to} lladdr 02:00:00:00:00:66 dev {dev} nud permanent",
        f"ip neigh del {to} dev {dev}", "neighbour", ".*",
    )  # fmt: skip


def proxy(site):
    """Return a docker-proxy killed; starting its container anew brings it back."""
    ports = [port for port in site.published() if port[0] in site.unjoined()]
    if not ports:
        return None
    box, outer, _ = site.choose(*ports)
    do = f"kill $(pgrep -f 'docker-proxy .*-host-port {outer} ')\nsleep 0.2"
    return Change("proxy", site.host, do, f"docker restart -t 0 {box}", "proxy", ".*", exact=False)


def listener(site):
    """Return a program of the host that listens on a port that no cell asks for."""
    program = 'import socket, time\nlistener = socket.create_server(("0.0.0.0", 64999))\ntime.sleep(300)'
    do = f"python3 -c '{program}' >/dev/null 2>&1 </dev/null &\necho $! > /run/listener.pid\nsleep 0.3"
    return Change("listener", site.host, do, "kill $(cat /run/listener.pid)\nrm /run/listener.pid", "none")
