"""A host without Python: what a shell can ask there in place of the program that looks, and print in its words.

Nothing is understood here: what `ip` and iptables print is read where the program's answers are.
"""

from __future__ import annotations

from typing import Any

from dockerlab.facts import UNKNOWN
from dockerlab.gate import admitted
from dockerlab.hosts.base import Host
from dockerlab.kernel.model import BRIDGE_NF, IP6_FORWARD, IP_FORWARD, Machine
from dockerlab.survey import parse
from dockerlab.survey.facts import read_sections, told

SETTINGS = (IP_FORWARD, IP6_FORWARD, BRIDGE_NF)
SAID = {
    "address": "ip -json -details address show",
    "route": "ip -json -details route show table all",
    "policies": "iptables-save",
}
SCRIPT = (
    'PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C\n'
    'section() { printf "\\n== %s\\n" "$1"; }\n'
    "section uid; id -u\nsection kernel; uname -r\n"
    + "".join(f"section {name}; {command} && echo == {name}.whole\n" for name, command in SAID.items())
    + "".join(f"section {path}; cat /proc/sys/{path}\n" for path in SETTINGS)
    + "section end\n"
)
"""Reads only. It is a constant: nothing of a definition ever becomes part of it."""


def look(host: Host) -> Machine:
    """Return a host's own namespace: links, routes, FORWARD's policy, a few settings; who listens is not known.

    Raises HostError when it cannot be asked at all.
    """
    return machine(host.name, told(host, SCRIPT, "the machine's interfaces"))


def machine(host: str, text: str) -> Machine:
    """Return what the script printed; raises HostError for what is not of its form."""
    return admitted(host, "its shell", lambda: _machine(host, read_sections(text)), Machine)


def _machine(host: str, sections: dict[str, list[str]]) -> Machine:
    said = {name: _answer(sections, name) for name in SAID}
    first = {name: lines[0].strip() for name, lines in sections.items() if lines}
    single = {path: first[path] for path in SETTINGS if path in first}
    space: dict[str, Any] = {"id": UNKNOWN.id, "host": True, "paths": [], "pids": [], "deaf": UNKNOWN.deaf}
    space["policies"] = said.pop("policies")
    space |= {"said": said, "sysctls": {"single": single, "interfaces": {}}}
    seen = {"uid": int(first.get("uid", -1)), "kernel": first.get("kernel", ""), "namespaces": [space]}
    return parse.machine(host, {**seen, "unread": {}, "proxies": [], "owners": [], "unseen": 0})


def _answer(sections: dict[str, list[str]], name: str) -> dict[str, Any]:
    """Return what a command printed, as the program would tell it."""
    rc = 0 if f"{name}.whole" in sections else 1
    return {"argv": SAID[name].split(), "rc": rc, "out": "\n".join(sections.get(name, [])), "err": ""}
