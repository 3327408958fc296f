"""From what `ip -json` and `bridge -json` print of interfaces, neighbours and forwarding tables; pure.

Each function raises AttributeError, LookupError, TypeError or ValueError for what is no such output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_interface
from typing import Any

from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.model import Forward, Link
from dockerlab.kernel.routes import Neighbour

Json = Mapping[str, Any]

INFO = ("id", "port", "mode", "flags", "protocol")
"""What is kept of what a kind of link adds; `id` is the number of a VXLAN or a VLAN."""
USUAL = {"hairpin": "false", "isolated": "false", "state": "forwarding", "vlan_filtering": "0"}
"""What of a bridge and its ports is kept where it is otherwise; everybody may take it for granted where it is not."""


ASKING = ("", "veth", "bridge", "macvlan", "macvtap", "vlan")
"""Kinds of links that are made with ARP; the others of an Ethernet's form, as dummy ones, are made without."""


def links(entries: Iterable[Json]) -> tuple[Link, ...]:
    """Return the interfaces that `ip -details -json address show` lists."""
    entries = [entry for entry in entries if entry]  # `ip` prints empty ones for what a filter left out
    indexes = {entry["ifname"]: entry["ifindex"] for entry in entries}
    return tuple(_link(entry, indexes) for entry in entries)


def _link(entry: Json, indexes: Mapping[str, int]) -> Link:
    about = entry.get("linkinfo") or {}
    data, port = about.get("info_data") or {}, about.get("info_slave_data") or {}
    flags = entry.get("flags") or ("UP",)
    info = {key: _spelled(value) for key, value in data.items() if key in INFO}
    info |= {key: _spelled(part[key]) for part in (data, port) for key in USUAL if key in part}
    if "NOARP" in flags and about.get("info_kind", "") in ASKING and entry.get("link_type") == "ether":
        info["arp"] = "false"
    return Link(
        index=entry["ifindex"],
        name=entry["ifname"],
        kind=about.get("info_kind", ""),
        mac=entry.get("address", "") if entry.get("link_type") == "ether" else "",
        mtu=entry["mtu"],
        up="UP" in flags,
        carrier="NO-CARRIER" not in flags,
        state=entry.get("operstate", ""),
        peer=entry.get("link_index") or indexes.get(entry.get("link") or "", 0),
        away="link_index" in entry,
        master=entry.get("master", ""),
        addresses=tuple(_addresses(entry.get("addr_info", ()))),
        info={key: value for key, value in info.items() if USUAL.get(key) != value}
        | ({"parent": entry["link"]} if entry.get("link") else {}),
    )


def _addresses(entries: Iterable[Json]) -> Iterator[IpInterface]:
    for entry in entries:
        if "local" in entry:
            yield ip_interface(f"{entry['local']}/{entry['prefixlen']}")


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def neighbours(entries: Iterable[Json]) -> tuple[Neighbour, ...]:
    """Return what somebody fixed of what `ip -json neigh show` (or `show proxy`) lists."""
    found = list[Neighbour]()
    for entry in entries:
        if not entry:
            continue
        proxy = "proxy" in entry
        if proxy or "PERMANENT" in entry.get("state", ()):
            mac = "" if proxy else entry.get("lladdr", "")
            found.append(Neighbour(ip_address(entry["dst"]), entry.get("dev", ""), mac, proxy))
    return tuple(found)


def forwards(entries: Iterable[Json]) -> tuple[Forward, ...]:
    """Return where VXLANs send frames, of what `bridge -json fdb show` lists."""
    return tuple(Forward(entry["mac"], entry["ifname"], entry["dst"]) for entry in entries if "dst" in entry)
