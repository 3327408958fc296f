"""The kernel's settings that matter for a packet's way, of the network namespace that this thread is in.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import os

from dockerlab.survey.program.asking import Json

SINGLE = (
    "net/ipv4/ip_forward",
    "net/ipv4/icmp_echo_ignore_all",
    "net/ipv4/ip_nonlocal_bind",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/fib_multipath_hash_policy",
    "net/ipv4/tcp_fwmark_accept",
    "net/ipv4/fwmark_reflect",
    "net/ipv6/icmp/echo_ignore_all",
    "net/ipv6/ip_nonlocal_bind",
    "net/ipv6/bindv6only",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
    "net/bridge/bridge-nf-call-arptables",
    "net/bridge/bridge-nf-filter-vlan-tagged",
    "net/bridge/bridge-nf-pass-vlan-input-dev",
    "net/netfilter/nf_conntrack_tcp_loose",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
    "net/netfilter/nf_conntrack_max",
)
OF_INTERFACES = {
    "net/ipv4/conf": (
        "forwarding",
        "rp_filter",
        "arp_ignore",
        "arp_announce",
        "arp_filter",
        "proxy_arp",
        "proxy_arp_pvlan",
        "route_localnet",
        "accept_local",
        "src_valid_mark",
        "ignore_routes_with_linkdown",
    ),
    "net/ipv6/conf": ("forwarding", "disable_ipv6", "proxy_ndp", "ignore_routes_with_linkdown"),
}


def sysctls(of: "tuple[str, ...]" = ()) -> "Json":
    """Return the settings of this namespace: single ones by path, those of interfaces as lists in a fixed order.

    They are those of each interface, where not just some are named.
    """
    found = {path: value for path in SINGLE for value in [setting(path)] if value is not None}  # type: Json
    by_interface = {}  # type: Json
    for folder, names in OF_INTERFACES.items():
        rows = {}
        for interface in of or interfaces(folder):
            rows[interface] = [setting(f"{folder}/{interface}/{name}") for name in names]
        by_interface[folder] = {"names": names, "rows": rows}
    return {"single": found, "interfaces": by_interface}


def interfaces(folder: "str") -> "list[str]":
    """Return the interfaces that have settings in a folder, and `all`; what is for later ones is left out."""
    try:
        return [name for name in os.listdir(f"/proc/sys/{folder}") if name != "default"]
    except OSError:
        return []  # a kernel without that version of IP


def setting(path: "str") -> "str | None":
    """Return a setting as it is written, None where there is none of that name."""
    try:
        handle = os.open(f"/proc/sys/{path}", os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(handle, 4096).decode("ascii", "replace").strip()
    except OSError:
        return None
    finally:
        os.close(handle)
