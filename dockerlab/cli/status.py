"""`dockerlab status`: what exists, and where."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.output import say, tell, write
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.errors import UsageError


@placed
def status(
    lab: o.OptionalLab = None,
    students: o.StudentsOption = None,
    host: o.HostOption = None,
    where: Places = HERE,
    form: o.ListOption = o.ListFormat.TABLE,
) -> None:
    """Show what dockerlab made: containers and networks, their state, host, and owner; and what is about to expire."""
    from dockerlab.report import inventory as listing
    from dockerlab.survey import survey

    name, hosts = loading.name_and_hosts(lab, host, where)
    if students is not None and name is None:
        raise UsageError("--students goes with a lab: 'dockerlab status LAB --students …'")
    if where.empty():
        say("there is no sandbox, and so nothing on it; 'dockerlab sandbox up' starts it")
        write("[]\n" if form is o.ListFormat.JSON else "", None)
        return
    if students is not None and name is not None:
        of_class.status(name, students, hosts, where, form)
        return
    with where.open(hosts) as session:
        found = survey(session.hosts)
    now = datetime.now(timezone.utc)
    rows = listing.rows(found.answers, name, now)
    if form is o.ListFormat.JSON:
        write(json.dumps(rows, indent=2) + "\n", None)
    elif found.answers or not found.failures:  # where nobody has answered, nothing is known
        tell(listing.table(rows))
    for warning in listing.expiring(found.answers, name, now):
        say(warning)
    where.say_failures(found.failures.values())
    if found.failures:
        raise typer.Exit(4)
