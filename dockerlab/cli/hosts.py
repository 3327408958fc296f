"""`dockerlab hosts`: where a lab's hosts are, for other programs."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from dockerlab.cli import completion, loading
from dockerlab.cli import options as o
from dockerlab.cli.output import say, tell, write
from dockerlab.cli.places import InventoryOption, Places, SandboxOption, by_environment


class AddressFormat(str, Enum):
    """How addresses are written."""

    TABLE = "table"
    SSH_CONFIG = "ssh_config"
    ANSIBLE = "ansible"


def hosts(
    lab: Annotated[
        str | None,
        typer.Argument(
            metavar="LAB", help="A YAML file, or the name of a packaged lab.", autocompletion=completion.labs
        ),
    ] = None,
    sandbox: SandboxOption = False,
    inventory: InventoryOption = None,
    form: Annotated[
        AddressFormat, typer.Option("--format", help="For people, for ssh -F, or for ansible -i.")
    ] = AddressFormat.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Say where the hosts are, also as a configuration of ssh or an inventory of Ansible; nothing is connected to."""
    from dockerlab.report import addresses
    from dockerlab.session import addresses_of

    where = by_environment(Places(sandbox, inventory), {})
    _, names = loading.name_and_hosts(lab, None, where)
    found = addresses_of(names, where.whereabouts(), say)
    form_of = {
        AddressFormat.TABLE: addresses.as_table,
        AddressFormat.SSH_CONFIG: addresses.as_ssh_config,
        AddressFormat.ANSIBLE: addresses.as_ansible,
    }
    (tell if form is AddressFormat.TABLE else write)(form_of[form](found), output)
