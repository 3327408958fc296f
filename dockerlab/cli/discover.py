"""`dockerlab discover`: a definition of what runs on hosts, whoever made it."""

from __future__ import annotations

from dockerlab.cli import options as o
from dockerlab.cli.finishing import refuse_partial
from dockerlab.cli.output import say, write
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.cli.unnamed import NOTHING, Unnamed, unnamed


@placed
@unnamed
def discover(
    what: Unnamed = NOTHING,
    where: Places = HERE,
    output: o.OutputOption = None,
) -> None:
    """Write the definition of what runs on hosts, whoever made it: networks, containers, and how they are set up."""
    addresses = what.addresses(where, fallback=True)
    with where.open(addresses) as session:
        # The hosts are being connected to meanwhile, and then asked.
        from dockerlab.discover.asking import ask

        asked = ask(session.hosts)
        from dockerlab.discover.spot import defined

        found, silent = defined(asked, addresses or dict.fromkeys(session.hosts), what.wanted())
    write(found.text, output)
    for note in found.notes:
        say(note)
    lab = found.lab
    say(f"{len(lab.containers)} containers, {len(lab.networks)} networks, {len(lab.hosts)} hosts")
    refuse_partial(silent)
