"""`dockerlab hosts`: where a lab's hosts are, for other programs."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from dockerlab.cli import completion
from dockerlab.cli import options as o


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
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    form: Annotated[
        AddressFormat, typer.Option("--format", help="For people, for ssh -F, or for ansible -i.")
    ] = AddressFormat.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Say where the hosts are, also as a configuration of ssh or an inventory of Ansible; nothing is connected to."""
    from dockerlab.report import addresses
    from dockerlab.session import addresses_of

    _, names = o.name_and_hosts(lab, None, named_elsewhere=sandbox or inventory is not None)
    found = addresses_of(names, o.whereabouts(sandbox, inventory, accept_new_host_keys=False), o.say)
    write = {
        AddressFormat.TABLE: addresses.as_table,
        AddressFormat.SSH_CONFIG: addresses.as_ssh_config,
        AddressFormat.ANSIBLE: addresses.as_ansible,
    }
    o.write(write[form](found), output)
