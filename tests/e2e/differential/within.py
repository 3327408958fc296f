"""Changes inside containers, and of the lab's own objects."""

from __future__ import annotations

from e2e.differential.site import Change


def rule(site):
    """Return a rule of the packet filter inside a container."""
    box, _ = site.box()
    chain = site.choose("INPUT", "OUTPUT")
    words = site.choose(
        "-p icmp", "-p tcp", "-s 192.168.22.0/24", "-d 192.168.22.0/24", "-p icmp --icmp-type echo-reply",
        "-p tcp --dport 80", "-m conntrack --ctstate NEW", "-m addrtype --dst-type LOCAL -p icmp",
    )  # fmt: skip
    target = site.choose("DROP", "REJECT", "ACCEPT")
    script = f"inside {box} iptables -w -{{}} {chain} {words} -j {target}"
    return Change("rule-within", site.host, script.format("I"), script.format("D"), "rule", rf".*filter {chain} \d+")


def policy(site):
    """Return a policy of the packet filter inside a container."""
    box, _ = site.box()
    chain = site.choose("INPUT", "OUTPUT", "FORWARD")
    script = f"inside {box} iptables -w -P {chain} {{}}"
    kind = "none" if chain == "FORWARD" else "policy"
    return Change(
        "policy-within", site.host, script.format("DROP"), script.format("ACCEPT"), kind, rf".*filter {chain} policy"
    )


def route(site):
    """Return a route inside a container that leads nowhere, or its way out taken away."""
    box, network = site.box()
    words = site.choose("blackhole 203.0.113.0/24", "unreachable 192.168.22.0/24", "prohibit 192.168.22.62/32",
                        "203.0.113.10/32 dev lo", "blackhole $(subnet_of bridge)")  # fmt: skip
    # Whoever is on docker0 has a route to its subnet already: this one goes before it.
    do, undo = f"inside {box} ip route prepend {words}", f"inside {box} ip route del {words}"
    internal = network != "bridge" and (site.lab["networks"][network] or {}).get("internal")
    if site.likely(30) and not internal:
        kept = f"/run/{box}.route"
        do = f"inside {box} ip route show default > {kept}\n[ -s {kept} ] || exit 0\ninside {box} ip route del default"
        undo = f"[ ! -s {kept} ] || inside {box} ip route add $(cat {kept})\nrm {kept}"
    return Change("route-within", site.host, do, undo, "route", ".*")


def setting(site):
    """Return a setting of a container's kernel changed."""
    box, _ = site.box()
    path, value, back = site.choose(
        ("icmp_echo_ignore_all", 1, 0), ("conf/all/rp_filter", 1, 0), ("conf/all/arp_ignore", 8, 0)
    )
    # The file belongs to the namespace of whoever opens it: no mount is needed.
    script = f"inside {box} sh -c 'echo {{}} > /proc/sys/net/ipv4/{path}'"
    return Change(
        "setting-within",
        site.host,
        script.format(value),
        script.format(back),
        "sysctl",
        ".*" + path.replace("/", "[./]"),
    )


def link(site):
    """Return a container's interface down, or its loopback."""
    box, network = site.box()
    if site.likely(40):
        return Change(
            "lo-within",
            site.host,
            f"inside {box} ip link set lo down",
            f"inside {box} ip link set lo up",
            "link|address|route",
            ".*",
        )
    kept, name = f"/run/{box}.kept", f"$(link_of {box} {network})"
    do = f"keep {name} 'inside {box}' > {kept}\ninside {box} ip link set {name} down"
    undo = f"inside {box} ip link set {name} up\ngive_back {name} 'inside {box}' < {kept}\nrm {kept}"
    return Change("link-within", site.host, do, undo, "link|route", ".*")


def neighbour(site):
    """Return a neighbour fixed inside a container with a wrong MAC address."""
    box, network = site.box()
    others = [b for b, n in site.boxes() if n == network and b != box]
    to = f"$(address_of {site.choose(*others)} {network})" if others else f"$(seen_of {box} {network} Gateway)"
    dev = f"$(link_of {box} {network})"
    do = f'to={to}\n[ -z "$to" ] || inside {box} ip neigh replace $to lladdr 02:00:00:00:00:67 dev {dev} nud permanent'
    undo = f'to={to}\n[ -z "$to" ] || inside {box} ip neigh del $to dev {dev}'
    return Change("neighbour-within", site.host, do, undo, "neighbour", ".*")


def address(site):
    """Return an address more inside a container, which nobody asks for."""
    box, network = site.box()
    words = f"10.98.0.7/24 dev $(link_of {box} {network})"
    return Change(
        "address-within", site.host, f"inside {box} ip addr add {words}", f"inside {box} ip addr del {words}", "none"
    )


def stopped(site):
    """Return a container stopped."""
    return ending(site, "stopped", "docker stop -t 0")


def ended(site):
    """Return a container whose program was killed."""
    return ending(site, "ended", "docker kill")


def ending(site, name, command):
    """Return a container that a command ends."""
    if not site.unjoined():
        return None
    box = site.choose(*site.unjoined())
    do, undo, where = f"{command} {box}", f"docker start {box}", f"container {box}"
    return Change(name, site.host, do, undo, "container", where, side="lab", exact=False)


def recreated(site):
    """Return a container made again by hand: with another command, or without its ports."""
    single = [(b, n) for b, n in site.boxes() if b in site.unjoined() and len(places(site, b)) < 2]
    served = [(b, n) for b, n in single if "command" in site.lab["containers"][b] and nameless(site, b)]
    if not served:
        return None
    box, network = site.choose(*served)
    spec = site.lab["containers"][box]
    kind = site.choose("command", *["port"] * bool(spec.get("ports")))
    command = "httpd -f -p 65010 -h /www" if kind == "command" else spec["command"]
    ports = "".join(f" --publish {port}" for port in spec.get("ports", ())) if kind == "command" else ""
    fixed = fixed_address(places(site, box).get(network))
    labels = "{{range $key, $value := .Config.Labels}}--label {{$key}}={{$value}} {{end}}"
    do = (
        f"labels=$(docker inspect --format '{labels}' {box})\n"
        f"image=$(docker inspect --format '{{{{.Config.Image}}}}' {box})\n"
        f"docker stop -t 0 {box}\ndocker rename {box} {box}.kept\n"
        f"docker run --detach --name {box} $labels --network {network}{fixed}{ports} $image {command}"
    )
    undo = f"docker rm --force {box}\ndocker rename {box}.kept {box}\ndocker start {box}"
    return Change("recreated", site.host, do, undo, f"{kind}|container", ".*", side="lab", exact=False)


def nameless(site, box):
    """Tell whether a container has no name but its own."""
    aliased = any("aliases" in (place or {}) for place in places(site, box).values())
    return not aliased and "hostname" not in site.lab["containers"][box]


def places(site, box):
    """Return a container's networks, each with what is fixed there."""
    told = site.lab["containers"][box].get("networks") or {}
    return told if isinstance(told, dict) else dict.fromkeys(told)


def fixed_address(place):
    """Return the words that give a container its place on a network."""
    spec = place or {}
    return "".join(f" --{name} {spec[name]}" for name in ("ip", "ip6") if name in spec)


def disconnected(site):
    """Return a container taken off one of its networks."""
    on = [(b, n) for b, n in site.boxes() if n != "bridge"]
    if not on:
        return None
    box, network = site.choose(*on)
    place = places(site, box).get(network) or {}
    words = "".join(f" --alias {alias}" for alias in place.get("aliases", ())) + fixed_address(place)
    return Change(
        "disconnected", site.host, f"docker network disconnect {network} {box}",
        f"docker network connect{words} {network} {box}", "place|network|container", ".*", side="lab", exact=False,
    )  # fmt: skip


def connected(site):
    """Return a container on one network more than the definition says."""
    box, network = site.box()
    others = [n for _, n in site.boxes() if n not in (network, "bridge")]
    mine = site.lab["containers"][box].get("networks") or {}
    others = [n for n in others if n not in mine]
    if not others or network == "bridge":
        return None
    other = site.choose(*others)
    return Change(
        "connected", site.host, f"docker network connect {other} {box}", f"docker network disconnect {other} {box}",
        "place|network|container", ".*", side="lab", exact=False,
    )  # fmt: skip
