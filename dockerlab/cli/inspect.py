"""`dockerlab inspect`: what Docker built for a lab, from each container to the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import completion, loading
from dockerlab.cli import options as o
from dockerlab.cli.finishing import refuse_partial
from dockerlab.cli.output import width, write
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.errors import HostError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockerlab.hosts.base import Host
    from dockerlab.lab.model import Lab
    from dockerlab.machinery.model import Machinery
    from dockerlab.machinery.view import View


@placed
def inspect(
    lab: o.OptionalLab = None,
    container: Annotated[
        str | None,
        typer.Argument(metavar="CONTAINER", help="Only this one.", autocompletion=completion.containers),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The commands that show it by hand, and what they print.")] = False,
    settings: o.SetOption = None,
    host: o.HostOption = None,
    where: Places = HERE,
    form: o.ListOption = o.ListFormat.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Show what Docker built for the lab: interfaces, cables, bridges, routes, firewall rules, published ports.

    Without LAB it is shown of everything on the hosts that are named.
    """
    from dockerlab.machinery.send import look_at_all
    from dockerlab.report import inspection_json, inspection_tree

    if lab is None and not (host or where.named):
        raise UsageError("name a LAB, or say on which hosts to look: --host ADDRESS, --sandbox or --inventory FILE")
    definition = loading.defined(lab, settings, where) if lab is not None else None
    name, hosts = lab or "", dict[str, str | None]()
    if definition is None or host:
        _, hosts = loading.name_and_hosts(lab, host, where)
    if definition is not None:
        name, hosts = definition.name, hosts or definition.addresses
    with where.open(hosts) as session:
        seen = look_at_all(session.hosts)
        try:
            views = _views(seen.answers, name, definition, container)
        except UsageError as error:
            # What is not on the hosts that were looked at may be on one that was not.
            lines = "".join(f"\n  {each}" for each in seen.failures.values())
            if seen.failures:
                raise HostError(", ".join(seen.failures), f"not looked at; {error}:{lines}") from error
            raise
        if raw:
            text = _by_hand(views, session.hosts, form)
        elif form is o.ListFormat.JSON:
            text = inspection_json.render(name, views)
        else:
            text = inspection_tree.render(views, width())
    write(text, output)
    with where.pointing_out():
        refuse_partial(seen.failures)


def _views(machines: Mapping[str, Machinery], name: str, lab: Lab | None, only: str | None) -> list[View]:
    """Return what to show of each host; raises UsageError when there is nothing of the lab."""
    from dockerlab.machinery.view import view
    from dockerlab.snapshot import LABEL_LAB

    views, known = [], set[str]()
    for host, machine in machines.items():
        wanted = [c.name for c in machine.containers if not name or c.labels.get(LABEL_LAB) == name]
        networks = [n.name for n in machine.networks if not name or n.labels.get(LABEL_LAB) == name]
        if lab is not None and host in lab.addresses:
            wanted, networks = list(lab.on_host(host)), [n for n in lab.networks if host in lab.hosts_of(n)]
        elif lab is not None:  # a host that the call names by its address
            wanted = [c.name for c in machine.containers if c.name in lab.containers]
        known.update(wanted)
        if only is None:
            views.append(view(machine, wanted, networks))
        elif only in wanted:
            views.append(view(machine, [only]))
    if only is not None and not views and machines:
        raise UsageError(f"there is no container {only}; there are {', '.join(sorted(known)) or 'none'}")
    if lab is None and not name:
        return views
    if lab is None and not known and only is None:  # the name of a container, whoever made it
        there = [each for each in machines.values() if any(c.name == name for c in each.containers)]
        views = [view(machine, [name]) for machine in there] or views
        known.update([name] if there else [])
    if lab is None and not known and machines:
        raise UsageError(
            f"nothing of a lab {name} on {', '.join(machines)}: give the file of one that was made by hand"
        )
    return views


def _by_hand(views: list[View], hosts: Mapping[str, Host], form: o.ListFormat) -> str:
    """Return what the commands print that a person would run on each host."""
    from dockerlab.machinery import raw

    looks = {v.machine.host: [*raw.settings(hosts[v.machine.host]), *raw.looks(v)] for v in views}
    return raw.told(hosts, looks, as_json=form is o.ListFormat.JSON)
