"""What is in containers' network namespaces now: interfaces, gateways, fixed neighbours, name servers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any

from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.snapshot import Snapshot
from dockerlab.survey.asking import on_each
from dockerlab.survey.facts import read_sections

SCRIPT = r"""
PATH="$PATH:/usr/sbin:/sbin"
for pid in "$@"; do
  for what in address 'route show default' 'neighbour show nud permanent'; do
    printf '\n== %s %s\n' "$pid" "${what%% *}"
    nsenter --target="$pid" --net -- ip -json $what
  done
  printf '\n== %s resolver\n' "$pid"
  cat "/proc/$pid/root/etc/resolv.conf"
done
"""
"""Reads only. It is a constant; its arguments are process IDs."""


@dataclass(frozen=True)
class Link:
    """An interface in a namespace, with all its addresses."""

    name: str
    mac: str
    up: bool
    mtu: int
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()


@dataclass(frozen=True)
class Inside:
    """What a container's namespace holds.

    `gateways` are those of its default routes, empty for one without a gateway; `fixed` gives the MAC address of each
    neighbour for which ARP is not asked, because its entry is permanent; `nameservers` are those of its resolv.conf.
    """

    links: tuple[Link, ...] = ()
    gateways: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    nameservers: tuple[str, ...] = ()


def look_inside(
    lab: Lab, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]
) -> tuple[dict[str, Inside], dict[str, str]]:
    """Return what is in the namespaces of the lab's running containers, and why it is not known of the others.

    Left out is who has no namespace of its own. Raises HostError where a host cannot be asked at all.
    """
    own = [name for name, spec in lab.containers.items() if spec.mode != "host" and spec.owner is None]
    states = {name: snapshots[lab.host_of(name)].container(name) for name in own}
    running = {name: state.pid for name, state in states.items() if state is not None and state.running}

    def ask(host: Host) -> tuple[dict[str, list[str]], str]:
        pids = [str(pid) for name, pid in running.items() if lab.host_of(name) == host.name]
        if not pids:
            return {}, ""
        result = host.run(["sh", "-s", "--", *pids], input=SCRIPT.encode(), timeout=30)
        return read_sections(result.text), result.error

    told = on_each(hosts, ask)
    found: dict[str, Inside] = {}
    unseen: dict[str, str] = {}
    for name, pid in running.items():
        host = lab.host_of(name)
        sections, error = told[host]
        try:
            found[name] = parse(pid, sections)
        except (LookupError, TypeError, ValueError):
            unseen[name] = f"{host}: the network namespace of {name} cannot be read: {error or 'is root there?'}"
    return found, unseen


def parse(pid: int, sections: Mapping[str, list[str]]) -> Inside:
    """Return what is in a namespace; raises LookupError, TypeError or ValueError for what `ip` does not print."""

    def read(what: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads("\n".join(sections[f"{pid} {what}"]) or "[]")
        return [entry for entry in found if entry]

    links = tuple(_link(entry) for entry in read("address"))
    if not links:
        raise ValueError("a namespace without lo: nothing could be read")
    words = [line.split() for line in sections[f"{pid} resolver"]]
    return Inside(
        links=links,
        gateways=tuple(entry.get("gateway", "") for entry in read("route")),
        fixed={entry["dst"]: entry["lladdr"] for entry in read("neighbour") if "lladdr" in entry},
        nameservers=tuple(each[1] for each in words if len(each) > 1 and each[0] == "nameserver"),
    )


def _link(entry: Mapping[str, Any]) -> Link:
    held = tuple(ip_interface(f"{each['local']}/{each['prefixlen']}") for each in entry["addr_info"])
    return Link(entry["ifname"], entry.get("address", ""), "UP" in entry["flags"], entry["mtu"], held)
