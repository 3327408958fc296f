"""The commands of a lab as shell scripts, one for each host: what `up` runs on hosts where nothing is yet."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from dockerlab import images, plan, render
from dockerlab.command import Variable
from dockerlab.errors import UsageError
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.plan.bringing_up import Situation


def of(lab: Lab, identity: Identity, only: str | None = None) -> str:
    """Return the scripts of all hosts in the order in which they have to run, or that of one host.

    Raises UsageError for a host that the lab does not have.
    """
    if only is not None and only not in lab.hosts:
        raise UsageError(f"the lab has no host {only}; it has {', '.join(lab.hosts)}")
    addresses = {host: _address(where) for host, where in lab.hosts.items()}
    steps = plan.up(lab, identity, Situation({}, addresses)).ordered()
    first = {step.key.host: number for number, step in reversed(list(enumerate(steps)))}
    scripts = []
    for host in sorted(lab.hosts, key=lambda name: first.get(name, len(steps))):
        commands = [command for step in steps if step.key.host == host for command in step.commands]
        if only not in (None, host):
            continue
        wanted = {argument for command in commands for argument in command.argv if isinstance(argument, Variable)}
        notes = {variable.name: variable.hint for variable in sorted(wanted, key=lambda variable: variable.name)}
        preface = images.NODE_SCRIPT if any(s.image == images.NODE for s in lab.on_host(host).values()) else ""
        scripts.append(render.script(host, lab.title or lab.name, commands, notes, preface))
    return "\n".join(scripts)


def _address(where: str | None) -> str | None:
    """Return the IP address in a host's URL, or None: an alias tells nothing without the host."""
    name = urlsplit(where).hostname if where and "://" in where else None
    try:
        return str(ip_address(name)) if name else None
    except ValueError:
        return None
