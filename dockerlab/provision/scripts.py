"""The commands of a lab as shell scripts, one for each host: what `up` runs on hosts where nothing is yet."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from dockerlab import render
from dockerlab.command import Command, Variable
from dockerlab.daemon import DaemonFile
from dockerlab.errors import UsageError
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.plan.bringing_up import Situation, up
from dockerlab.provision import images


def of(lab: Lab, identity: Identity, only: str | None = None) -> str:
    """Return the scripts of all hosts in the order in which they have to run, or that of one host.

    Raises UsageError for a host that the lab does not have.
    """
    if only is not None and only not in lab.hosts:
        raise UsageError(f"the lab has no host {only}; it has {', '.join(lab.hosts)}")
    scripts = []
    for host, commands in commands_of(lab, identity).items():
        if only not in (None, host):
            continue
        wanted = {argument for command in commands for argument in command.argv if isinstance(argument, Variable)}
        wanted = {variable for variable in wanted if variable.name not in {command.stores for command in commands}}
        notes = {variable.name: variable.hint for variable in sorted(wanted, key=lambda variable: variable.name)}
        notes |= {name: "exported, for a container" for command in commands for name in command.takes}
        preface = images.NODE_SCRIPT if images.NODE in lab.images_needed(host) else ""
        scripts.append(render.script(host, lab.title or lab.name, commands, notes, preface))
    return "\n".join(scripts)


def commands_of(lab: Lab, identity: Identity) -> dict[str, list[Command]]:
    """Return the commands of each host, and the hosts in the order in which they have to begin."""
    addresses = {host: _address(where) for host, where in lab.addresses.items()}
    files = {host: DaemonFile(host) for host in lab.daemons}
    steps = up(lab, identity, Situation({}, addresses, files)).ordered()
    first = {step.key.host: number for number, step in reversed(list(enumerate(steps)))}
    ordered = sorted(lab.hosts, key=lambda name: first.get(name, len(steps)))
    return {host: [command for step in steps if step.key.host == host for command in step.commands] for host in ordered}


def _address(where: str | None) -> str | None:
    """Return the IP address in a host's URL, or None: an alias tells nothing without the host."""
    name = urlsplit(where).hostname if where and "://" in where else None
    try:
        return str(ip_address(name)) if name else None
    except ValueError:
        return None
