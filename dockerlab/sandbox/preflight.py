"""What this machine needs to hold the sandbox: everything that is missing is said at once, with its remedy."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from dockerlab.errors import SandboxError
from dockerlab.sandbox.commands import attempt, run
from dockerlab.sandbox.layout import BEYOND, LAN, LINK, PATH, STORAGE

TOOLS = {
    "ip": "iproute2",
    "bridge": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setsid": "util-linux",
    "pivot_root": "util-linux",
    "mount": "mount",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "busybox": "busybox-static",
    "dnsmasq": "dnsmasq-base",
}
"""What the sandbox itself runs, and the Debian package of each."""

HOST_PROGRAMS = {
    "dockerd": "docker.io",
    "docker": "docker-cli",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "sshd": "openssh-server",
    "ping": "iputils-ping",
    "python3": "python3",
}
"""What runs inside a host, from its own root file system."""

PROBES = {
    "veth pairs (CONFIG_VETH)": ("link add probe0 type veth peer name probe1",),
    "bridges (CONFIG_BRIDGE)": ("link add probe0 type bridge",),
    "macvlan (CONFIG_MACVLAN)": (
        "link add probe0 type veth peer name probe1",
        "link add link probe0 name probe2 type macvlan mode bridge",
    ),
    "policy routing (CONFIG_IP_MULTIPLE_TABLES)": ("rule add pref 1 iif lo prohibit",),
    "VXLAN (CONFIG_VXLAN)": ("link add probe0 type vxlan id 1 dstport 4789",),
}
_TAGGING = (
    "link add probe0 type veth peer name probe1",
    "link add link probe0 name probe0.50 type vlan id 50",
    "link add probe2 type bridge vlan_filtering 1",
)
_SHOWN = (("via", "gateway"), ("dev", "dev"), ("table", "table"))
_DEFAULT_LIKE = 7
"""Routes up to this length (a VPN's 0.0.0.0/1 and 128.0.0.0/1) send everything somewhere, and claim nothing."""


def require_linux_and_root() -> None:
    """Refuse anything but Linux and root; raises SandboxError."""
    if not sys.platform.startswith("linux"):
        raise SandboxError(
            f"the sandbox is made of Linux's network namespaces, and this is {sys.platform}: "
            "run dockerlab in a Linux virtual machine, or name real hosts with --inventory"
        )
    if os.geteuid() != 0:
        raise SandboxError("the sandbox makes network namespaces and mounts, which needs root: run it with sudo")


def check(rootfs: Path | None) -> None:
    """Raise one SandboxError that holds everything which keeps this machine from holding the sandbox."""
    absent = missing(TOOLS, Path("/"))
    problems = [_install(absent, None)] if absent else []
    problems += root_problems(rootfs)
    problems += storage_problems(STORAGE)
    if "ip" not in absent:
        problems += route_problems(json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]"))
    if not {"ip", "unshare"} & absent.keys():
        problems += kernel_problems()
    if problems:
        raise SandboxError("this machine cannot hold the sandbox:\n" + "\n".join(f"- {p}" for p in problems))


def missing(programs: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return those programs, with their packages, that are not in the usual directories below `root`."""
    directories = [root / directory.lstrip("/") for directory in PATH.split(":")]
    # A link may be absolute and mean something inside that root: its being there is all that can be seen from here.
    return {p: package for p, package in programs.items() if not any(os.path.lexists(d / p) for d in directories)}


def root_problems(rootfs: Path | None) -> list[str]:
    """Return what the hosts' root file system lacks."""
    if rootfs is not None and not (rootfs / "etc/passwd").is_file():
        return [f"{rootfs} is not a root file system (no etc/passwd): give the directory that debootstrap filled"]
    absent = missing(HOST_PROGRAMS, rootfs or Path("/"))
    if "dockerd" in absent:
        absent.pop("docker", None)  # docker.io brings its client along, or recommends it
    return [_install(absent, rootfs)] if absent else []


def storage_problems(storage: Path) -> list[str]:
    """Return why the engines could not keep their data below that directory."""
    existing = next(directory for directory in (storage, *storage.parents) if directory.exists())
    kind = attempt(["stat", "--file-system", "--format=%T", str(existing)]).stdout.strip()
    if kind == "overlayfs":
        remedy = f"mount a volume or a tmpfs on {storage.parent} (mount -t tmpfs tmpfs {storage.parent})"
        return [f"{storage} would lie on an overlay file system, where an engine cannot keep its data: {remedy}"]
    return []


def route_problems(routes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each route of this machine, as `ip -json route` shows it, that claims our networks."""
    problems = {}
    for route in routes:
        if route["dst"] == "default" or route.get("dev") == LINK or route.get("type") in {"broadcast", "local"}:
            continue
        network = IPv4Network(route["dst"], strict=False)
        for wanted in (LAN, BEYOND):
            if network.prefixlen > _DEFAULT_LIKE and network.overlaps(wanted):
                shown = " ".join([route["dst"], *(f"{key} {route[name]}" for key, name in _SHOWN if name in route)])
                problems[shown] = (
                    f"this machine's route {shown} claims {wanted}, which the sandbox needs: "
                    f"delete it (ip route delete {shown}) or run the sandbox on another machine"
                )
    return list(problems.values())


def kernel_problems() -> list[str]:
    """Return what this kernel cannot do, found by doing it in a network namespace that vanishes with the probe."""
    works, complaint = _try(("link set lo up",))
    if not works:
        return [f"no new network namespace can be made ({complaint}): in a container, it needs to be privileged"]
    problems = []
    for what, lines in PROBES.items():
        works, complaint = _try(lines)
        if not works:
            problems.append(f"this kernel has no {what}: {complaint}; load the module, or boot the stock kernel")
    return problems


def kernel_tags() -> bool:
    """Tell whether the kernel has 802.1Q links and bridges that keep VLANs apart."""
    return _try(_TAGGING)[0]


def _try(lines: Sequence[str]) -> tuple[bool, str]:
    result = attempt(["unshare", "--net", "ip", "-batch", "-"], "\n".join(lines) + "\n")
    complaint = result.stderr.strip().splitlines()
    return result.returncode == 0, complaint[0] if complaint else ""


def _install(absent: Mapping[str, str], rootfs: Path | None) -> str:
    where = f" in {rootfs}" if rootfs else ""
    enter = f"chroot {rootfs} " if rootfs else ""
    packages = " ".join(sorted(set(absent.values())))
    return f"missing programs{where}: {', '.join(absent)}; install them: {enter}apt-get install {packages}"
