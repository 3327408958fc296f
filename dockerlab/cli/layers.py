"""`dockerlab layers`: what images and containers are made of, what they share, what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli.finishing import refuse_partial
from dockerlab.cli.output import say, tell, width, write
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockerlab.hosts.base import Host
    from dockerlab.lab.model import Lab
    from dockerlab.layers.model import Found


@placed
def layers(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="IMAGE|CONTAINER…", help="Images and containers to look at.")
    ] = None,
    lab: Annotated[
        str | None, typer.Option("--lab", metavar="LAB", help="All images and containers of a lab, on its hosts.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The commands that show it by hand, and what they print.")] = False,
    host: o.HostOption = None,
    where: Places = HERE,
    form: o.ListOption = o.ListFormat.TABLE,
) -> None:
    """Show the layers of images and containers: history, sizes, digests, directories, and what they share."""
    from dockerlab.layers.look import look
    from dockerlab.report import as_layers
    from dockerlab.survey import ask_all, one_of

    definition = None
    if lab is None:
        _, places = loading.name_and_hosts(None, host, where)
    else:
        definition = loading.load_lab(lab, None, where)
        _, places = loading.name_and_hosts(lab, host, where)
    if not names and definition is None:
        raise UsageError("say which images or containers, by name or ID, or --lab LAB for all of a lab")
    if any(name.startswith("-") for name in names or ()):
        raise UsageError("no image or container has a name that begins with a hyphen")
    with where.open(places) as session:
        wanted = {at: list(dict.fromkeys([*(names or ()), *_of_lab(definition, at)])) for at in session.hosts}
        told = ask_all(session.hosts, lambda at: look(at, wanted[at.name]))
        if not told.answers and told.failures:
            raise one_of(told.failures)
        found = told.answers
        shown = _by_hand(found, session.hosts, form) if raw else None
    seen = [each for each in found.values() if each.images or each.containers]
    there = {name for at, each in found.items() for name in wanted[at] if name not in each.missing}
    nowhere = [name for name in dict.fromkeys(name for each in wanted.values() for name in each) if name not in there]
    if shown is not None:
        write(shown, None)
    elif form is o.ListFormat.JSON:
        write(as_layers.as_json(list(found.values())), None)
    elif seen:
        tell(as_layers.render(seen, width()))
    for name in nowhere:
        say(f"no image and no container {name} on {', '.join(found)}")
    refuse_partial(told.failures)
    if nowhere:
        raise typer.Exit(4)


def _of_lab(lab: Lab | None, host: str) -> list[str]:
    """Return the images and containers of a lab on a host; all of them where the definition does not name that."""
    if lab is None:
        return []
    if host not in lab.hosts:
        elsewhere = [*(spec.base for spec in lab.images.values()), *(spec.image for spec in lab.containers.values())]
        return [*lab.images, *elsewhere, *lab.containers]
    built = [name for name in lab.images if host in lab.hosts_of_image(name)]
    return [*built, *sorted(lab.images_needed(host)), *lab.on_host(host)]


def _by_hand(found: Mapping[str, Found], hosts: Mapping[str, Host], form: o.ListFormat) -> str:
    """Return what docker's own commands print of what was found on each host."""
    from dockerlab.layers import by_hand
    from dockerlab.machinery import raw

    looks = {name: [raw.Look(argv) for argv in by_hand.commands(each)] for name, each in found.items()}
    return raw.told(hosts, looks, as_json=form is o.ListFormat.JSON)
