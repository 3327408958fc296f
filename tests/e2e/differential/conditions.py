"""Conditions of iptables' rules, of every extension that packets of a lab may meet."""

from __future__ import annotations

HOOKS = {"INPUT": "in", "FORWARD": "in out", "DOCKER-USER": "in out", "OUTPUT": "out",
         "PREROUTING": "in", "POSTROUTING": "out"}  # fmt: skip


def matches(site, chain):
    """Return one or two conditions that fit together."""
    makers = [address, address, link, protocol, protocol, conntrack, extension, extension]
    first = site.choose(*makers)(site, chain)
    second = link(site, chain) if site.likely(30) and " -i " not in f" {first}" and " -o " not in f" {first}" else ""
    return f"{first} {second}".strip()


RANGES = ("10.30.0.1-10.30.9.254", "172.17.0.1-172.31.255.254", "192.168.22.61-192.168.22.62")


def address(site, _chain):
    """Return a condition on an address."""
    kind = site.random.randrange(6)
    one = site.address()
    if kind == 0:
        return f"! {site.choose('-s', '-d')} {one}"
    if kind == 1:
        return f"-m iprange --{site.choose('src', 'dst')}-range {site.choose(*RANGES)}"
    return f"{site.choose('-s', '-d')} {one}"


def link(site, chain):
    """Return a condition on an interface."""
    side = site.choose(*HOOKS[chain].split())
    name = site.choose(site.link(), site.link(), site.link(), "eth+", "br-+", "lo")
    return f"{'! ' * site.likely(15)}-{side[0]} {name}"


def protocol(site, _chain):
    """Return a condition on a protocol and what it has."""
    port = site.port()
    return site.choose(
        "-p icmp", "-p icmp --icmp-type echo-request", "-p icmp --icmp-type echo-reply", "-p tcp", "! -p icmp",
        f"-p tcp --dport {port}", f"-p tcp --dport {port}", f"-p tcp --sport {port}",
        f"-p tcp -m multiport --dports {port},65000", f"-p tcp -m multiport --ports 65001,{port}",
        "-p tcp -m multiport ! --dports 1:1023", f"-p tcp --dport {port}:{port + 5}", "-p tcp --syn",
        "-p tcp --tcp-flags SYN,ACK SYN,ACK", "-p tcp --tcp-flags ALL SYN", "-p udp --dport 53",
    )  # fmt: skip


def conntrack(site, _chain):
    """Return a condition on the state of the connection."""
    port, one = site.port(), site.address()
    return site.choose(
        "-m conntrack --ctstate NEW", "-m conntrack --ctstate NEW", "-m state --state NEW",
        "-m conntrack --ctstate ESTABLISHED", "-m conntrack --ctstate INVALID", "-m conntrack --ctstate DNAT",
        "-m conntrack ! --ctstate DNAT", "-m conntrack --ctstate SNAT", "-m conntrack --ctproto icmp",
        f"-p tcp -m conntrack --ctorigdstport {port} --ctdir ORIGINAL", "-m conntrack --ctdir REPLY",
        f"-m conntrack --ctorigdst {one}", f"-m conntrack --ctorigsrc {one}", f"-m conntrack --ctreplsrc {one}",
    )  # fmt: skip


def extension(site, chain):
    """Return a condition of another extension."""
    box, network = site.box()
    found = [
        "-m mark --mark 0x1", "-m mark ! --mark 0x1", "-m mark --mark 0x0/0xff", "-m connmark --mark 0x5",
        "-m connmark ! --mark 0x5", "-m addrtype --dst-type LOCAL", "-m addrtype ! --dst-type LOCAL",
        "-m addrtype --src-type LOCAL", "-m addrtype --dst-type UNICAST", "-m length --length 0:1400",
        "-m length --length 1400:65535", "-m ttl --ttl-lt 5", "-m ttl --ttl-gt 5", "-m ttl --ttl-eq 64",
        "-m dscp --dscp 0x00", "-m dscp ! --dscp 0x00", "-m pkttype --pkt-type unicast",
        "-m pkttype --pkt-type broadcast", '-m comment --comment "said by somebody"', "-m tos --tos 0x10/0xff",
        "-m helper --helper ftp", "-m connlimit --connlimit-above 5000",
    ]  # fmt: skip
    if "in" in HOOKS[chain]:
        found += [f"-m mac --mac-source $(mac_of {box} {network})"] * 3
    if "in out" in HOOKS[chain]:
        found += ["-m physdev --physdev-is-bridged", f"-m physdev --physdev-in $(port_of {box} {network})",
                  "-m physdev ! --physdev-is-bridged"]  # fmt: skip
    if chain == "OUTPUT":
        found += ["-m owner --uid-owner 0", "-m owner ! --uid-owner 0", "-m owner --socket-exists"] * 2
    return site.choose(*found)


DOUBTFUL = (
    "-m limit --limit 5/sec --limit-burst 5", "-m statistic --mode random --probability 0.5",
    "-m recent --name seen --set", "-m time --timestart 00:00 --timestop 23:59", "-m u32 --u32 0=0xffffffff",
    "-m string --string nothing --algo bm", "-m hashlimit --hashlimit-name seen --hashlimit-above 9000/sec",
    "-m bpf --bytecode '1,6 0 0 0'",
)  # fmt: skip
"""Conditions that depend on what was before, on the time, or on a program."""
