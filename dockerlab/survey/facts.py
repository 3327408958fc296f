"""What a machine is like beneath its engine's objects; one round trip per host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dockerlab import daemon
from dockerlab.daemon import Effective, effective
from dockerlab.errors import HostError
from dockerlab.facts import Facts
from dockerlab.gate import short
from dockerlab.hosts.base import Host
from dockerlab.kernel.model import BRIDGE_NF, IP6_FORWARD, IP_FORWARD, Machine

SCRIPT = (
    r"""
PATH="$PATH:/usr/sbin:/sbin"
section() { printf '\n== %s\n' "$1"; }
section architecture; uname -m
section python; command -v python3
section nameservers; grep '^nameserver' /etc/resolv.conf
section uplinks; grep '^nameserver' /run/systemd/resolve/resolv.conf
section firewall; iptables --version
section config
{ zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } | grep -E '^CONFIG_(MACVLAN|IPVLAN|VLAN_8021Q|VXLAN|DUMMY)='
section settings
"""
    + daemon.SETTINGS
    + "section end\n"
)
"""What is no state of the kernel's networks. Reads only, and it is a constant: nothing of a definition ever becomes
part of it."""

INTERFACES = "interfaces (is iproute2 installed?)"


def gather(host: Host) -> Facts:
    """Return the facts of a host that are not its kernel's; raises HostError when it cannot be asked at all.

    `of` gives the rest.
    """
    return parse(host.name, told(host, SCRIPT, "what the machine is like"))


def told(host: Host, script: str, what: str) -> str:
    """Return what a script of sections prints on a host, whole; raises HostError, with what it is about, where not."""
    result = host.run(["sh", "-s"], input=script.encode(), timeout=30)
    said = short(host.name, "its shell", result.stdout)
    if "== end" not in said:
        raise HostError(host.name, f"could not read {what}: {result.error or 'no output'}")
    return said


def parse(host: str, text: str) -> Facts:
    """Return the facts that the script's output tells; what a section does not tell is None and listed as missing.

    Raises HostError for what is not of the form that the programs of the script print.
    """
    try:
        return _parse(host, text)
    except (LookupError, ValueError) as error:
        raise HostError(host, f"what it says of itself cannot be understood: {error}") from error


def _second(sections: Mapping[str, list[str]], name: str) -> tuple[str, ...]:
    """Return the second word of each line of a section that has one."""
    return tuple(line.split()[1] for line in sections.get(name, []) if len(line.split()) > 1)


def _parse(host: str, text: str) -> Facts:
    sections = read_sections(text)
    return _complete(
        Facts(
            host=host,
            settings=_settings(host, sections),
            python=_first(sections, "python") or None,
            nameservers=_second(sections, "nameservers"),
            uplinks=_second(sections, "uplinks"),
            firewall=_first(sections, "firewall"),
            kernel_config=dict(line.split("=", 1) for line in sections.get("config", [])),
            architecture=_first(sections, "architecture"),
        )
    )


def _settings(host: str, sections: Mapping[str, list[str]]) -> Effective:
    """Return what the engine runs with; nothing is known of it where the answer is not what the script prints."""
    try:
        return effective(daemon.parse(host, "\n".join(sections.get("settings", []))))
    except HostError:
        return Effective(known=False)


def of(about: Facts, machine: Machine) -> Facts:
    """Return a host's facts with its kernel as the survey's program saw it."""
    return _complete(replace(about, root=machine.root, kernel=machine.kernel, ground=machine.ground))


def _complete(facts: Facts) -> Facts:
    """Return facts with the list of those that are missing."""
    ground = facts.ground
    told = {
        "ip_forward": ground.on(IP_FORWARD),
        "ip6_forward": ground.on(IP6_FORWARD),
        "bridge_nf": ground.on(BRIDGE_NF),
        "forward_policy": ground.forward_policy,
        INTERFACES: ground.links or None,
        f"the engine's settings ({facts.settings.file})": facts.settings.known or None,
    }
    return replace(facts, missing=tuple(name for name, value in told.items() if value is None))


def read_sections(text: str) -> dict[str, list[str]]:
    """Return the lines that are not blank behind each heading `== NAME` of a script's output."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("== "):
            current = sections.setdefault(line[3:].strip(), [])
        elif line.strip():
            current.append(line)
    return sections


def _first(sections: dict[str, list[str]], name: str) -> str:
    return next(iter(sections.get(name, [])), "").strip()
