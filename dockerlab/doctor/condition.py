"""What a machine says of itself beyond its facts, in the same round trip."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from dockerlab.hosts.program import PYTHON
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Machine, Namespace
from dockerlab.probe.agent_session import NEEDS
from dockerlab.survey import facts

PROGRAMS = ("ip", "iptables", "flock", "timeout")
"""What dockerlab runs on a host, beside docker."""

MORE = rf"""
section now; date +%s.%N
section user; id -un
section docker; docker --version
section endpoint; docker context inspect --format '{{{{.Endpoints.docker.Host}}}} {{{{.Name}}}}'
section variable; [ -n "$DOCKER_HOST" ] && echo set
section socket
if [ -w /var/run/docker.sock ]; then echo usable; elif [ -S /var/run/docker.sock ]; then echo forbidden; fi
section engine; [ -d "/proc/$(cat /var/run/docker.pid)/fd" ] && echo runs
section services
if grep -q dockerlab/init.sh /proc/1/cmdline; then echo sandbox; elif [ -d /run/systemd/system ]; then echo systemd; fi
section packages
for program in apt-get dnf yum zypper apk pacman; do command -v "$program"; done
section programs
for program in {" ".join(PROGRAMS)} sysctl; do command -v "$program" >/dev/null && echo "$program"; done
section agent; {shlex.join([*PYTHON, NEEDS])} 2>&1 && echo complete
section busybox; ls /bin/busybox /usr/bin/busybox
section drivers
trial() {{
    set -- "$1" trial2 type "$1"
    case $1 in
        vxlan) set -- trial2 type vxlan id 1 dstport 4789 ;;
        dummy) set -- trial2 type dummy ;;
        vlan) set -- link trial0 name trial2 type vlan id 2 ;;
        *) set -- link trial0 name trial2 type "$1" ;;
    esac
    said=$(unshare --net sh -c 'ip link add trial0 type veth peer name trial1 && ip link add "$@"' sh "$@" 2>&1) &&
        echo works && return
    case $said in
        *"nknown device type"* | *"not supported"*) echo absent ;;
        *) echo untold ;;
    esac
}}
for driver in macvlan ipvlan vlan vxlan dummy br_netfilter; do
    module=$driver
    [ "$driver" = vlan ] && module=8021q
    if [ -d "/sys/module/$module" ]; then echo "$driver works"
    elif modprobe --dry-run --quiet "$module"; then echo "$driver module"
    elif [ "$driver" != br_netfilter ]; then echo "$driver $(trial "$driver")"
    fi
done
section neighbours; ip -s ntable show name arp_cache
section settable; [ -w /proc/sys/net/ipv4/neigh/default/gc_thresh3 ] && echo gc_thresh3
section space; timeout 10 df -aPkl
section inodes; timeout 10 df -aPil
section adapters
for nic in /sys/class/net/*; do
    if [ -d "$nic/wireless" ] || [ -e "$nic/phy80211" ]; then echo "${{nic##*/}} wireless"
    elif [ -e "$nic/device/driver" ]; then driver=$(readlink "$nic/device/driver"); echo "${{nic##*/}} ${{driver##*/}}"
    fi
done
section machine; cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name
section finished
"""
"""Reads only, and makes trial links only in a network namespace that vanishes with them.

A driver that is a module is not tried, for that would load it. It is a constant: nothing of a definition ever
becomes part of it.
"""

SCRIPT = facts.SCRIPT + MORE

NUMBER = re.compile("[0-9]{1,18}")


@dataclass(frozen=True)
class Socket:
    """A port on which something listens; `address` is None for every address, `process` empty where it is not shown."""

    protocol: str
    address: IpAddress | None
    port: int
    process: str = ""
    pid: int = 0


@dataclass(frozen=True)
class Disk:
    """A mounted file system: bytes and inodes that are left; `inodes` is None where there is no bound."""

    mount: str
    free: int
    inodes: int | None = None


@dataclass(frozen=True)
class Condition:
    """What a machine said of itself; None means that it could not be read.

    `endpoint` is where the docker command leads, by a `context`, or where `variable` tells so by DOCKER_HOST.
    `engine` is `runs` where the engine's process is there; `socket` is `usable`, `forbidden`, or empty for none.
    `drivers` maps kinds of links to `works`, `module` (it is loaded when it is needed), `absent` or `untold`. `clock`
    is how far its clock is ahead of ours, in seconds, `within` how far that may be off.
    """

    clock: float | None = None
    within: float = 0.0
    user: str = ""
    docker: str = ""
    endpoint: str = ""
    context: str = ""
    variable: bool = False
    socket: str = ""
    engine: str = ""
    services: str = ""
    packages: str = ""
    programs: frozenset[str] = frozenset()
    agent: str = ""
    busybox: bool = False
    drivers: Mapping[str, str] = field(default_factory=dict)
    neighbours: int | None = None
    neighbour_limit: int | None = None
    settable: bool = False
    sockets: tuple[Socket, ...] | None = None
    disks: tuple[Disk, ...] = ()
    adapters: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""


def parse(text: str, asked: float, answered: float, kernel: Machine | None = None) -> Condition:
    """Return what the script's output tells; the times are by our clock, in seconds since 1970.

    Sockets are those of its kernel, where that could be looked at. What is not of the form that the programs
    print counts as not told.
    """
    sections = facts.read_sections(text)

    def first(name: str) -> str:
        return next(iter(sections.get(name, [])), "").strip()

    now, table = _number(first("now")), " ".join(sections.get("neighbours", []))
    agent = sections.get("agent", [])
    ground = kernel.ground if kernel is not None else Namespace(0)
    return Condition(
        clock=now - (asked + answered) / 2 if now is not None else None,
        within=(answered - asked) / 2,
        user=first("user"),
        docker=first("docker"),
        endpoint=first("endpoint").partition(" ")[0],
        context=first("endpoint").partition(" ")[2],
        variable=bool(first("variable")),
        socket=first("socket"),
        engine=first("engine"),
        services=first("services"),
        packages=first("packages").rpartition("/")[2],
        programs=frozenset(line.strip() for line in sections.get("programs", [])),
        agent=agent[-1].strip() if agent else "",
        busybox=bool(first("busybox")),
        drivers=dict(words for line in sections.get("drivers", []) if len(words := line.split()) == 2),
        neighbours=_after(table, "entries"),
        neighbour_limit=_after(table, "thresh3"),
        settable=bool(first("settable")),
        sockets=_sockets(ground),
        disks=_disks(sections.get("space", []), sections.get("inodes", [])),
        adapters=dict(words for line in sections.get("adapters", []) if len(words := line.split()) == 2),
        machine=" ".join(line.strip() for line in sections.get("machine", [])),
    )


def _number(text: str) -> float | None:
    """Return seconds with or without a fraction; some `date` programs print a letter for it."""
    found = re.match(r"[0-9]{1,18}(\.[0-9]{1,18})?", text)
    return float(found[0]) if found else None


def _after(text: str, word: str) -> int | None:
    """Return the number behind a word."""
    found = re.search(rf"\b{word} ([0-9]{{1,18}})\b", text)
    return int(found[1]) if found else None


def _sockets(ground: Namespace) -> tuple[Socket, ...] | None:
    """Return who listens on a host, None where that is not known."""
    if ground.deaf or not ground.id:
        return None
    return tuple(
        Socket(each.protocol, _address(each.address), each.port, name, pid)
        for each in ground.listeners
        for pid, name in each.holders[:1] or ((0, ""),)
    )


def _address(text: str) -> IpAddress | None:
    address = ip_address(text)
    return None if address.is_unspecified else address


def _disks(space: Iterable[str], inodes: Iterable[str]) -> tuple[Disk, ...]:
    """Parse `df -Pk` and `df -Pi`: `/dev/vda1 51343840 20190876 28524712 42% /`."""
    left = {words[5]: _inodes(words) for line in inodes if len(words := line.split(maxsplit=5)) == 6}
    lines = (words for line in space if len(words := line.split(maxsplit=5)) == 6 and NUMBER.fullmatch(words[3]))
    # Of several on one mount point, the last one is on top.
    free = {words[5]: int(words[3]) * 1024 for words in lines}
    return tuple(Disk(mount, space_left, left.get(mount)) for mount, space_left in free.items())


def _inodes(words: list[str]) -> int | None:
    """Return the inodes that are left; a file system without a bound says that it has none at all."""
    return int(words[3]) if NUMBER.fullmatch(words[3]) and words[1] not in ("0", "-") else None
