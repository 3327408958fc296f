"""Where a lab's hosts are, as other programs want to be told it: OpenSSH's configuration, or Ansible's inventory."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dockerlab.errors import UsageError
from dockerlab.hosts.address import HOST, LOCAL, Address, parse_address
from dockerlab.hosts.inventory import Inventory


def as_table(inventory: Inventory) -> str:
    """Return a line for each host: its name and its address."""
    width = max(map(len, inventory.addresses), default=0)
    return "".join(f"{name:<{width}}  {where}\n" for name, where in inventory.addresses.items())


def as_ssh_config(inventory: Inventory) -> str:
    """Return a section for each host, so that `ssh -F FILE NAME` leads there; what needs none is a comment."""
    return "\n".join(_section(name, where, inventory) for name, where in inventory.addresses.items())


def as_ansible(inventory: Inventory) -> str:
    """Return an inventory as JSON, which is YAML too, for `ansible -i FILE`."""
    hosts = {name: _variables(where, inventory) for name, where in inventory.addresses.items()}
    return json.dumps({"all": {"hosts": hosts}}, indent=2, ensure_ascii=False) + "\n"


def _section(name: str, where: str, inventory: Inventory) -> str:
    if not HOST.fullmatch(name):
        return f"# {name!r} can be no name there\n"
    if where == LOCAL:
        return f"# {name} is this machine\n"
    if "://" not in where and not _files(inventory):
        return f"# {name} is what your own configuration calls {where}\n"
    at = parse_address(where)
    known = {"HostName": at.host, "User": at.user, "Port": at.port, **_files(inventory)}
    lines = [f"    {key} {_quoted(str(value))}\n" for key, value in known.items() if value is not None]
    return f"Host {name}\n{''.join(lines)}"


def _files(inventory: Inventory) -> dict[str, str]:
    found: dict[str, str] = {}
    if inventory.identity_file is not None:
        found |= {"IdentityFile": inventory.identity_file, "IdentitiesOnly": "yes"}
    if inventory.known_hosts is not None:
        found |= {"UserKnownHostsFile": inventory.known_hosts}
    return found


def _quoted(value: str) -> str:
    """Return a value as ssh reads it; raises UsageError for one that it could not, or that would say more."""
    if '"' in value or not value.isprintable():
        raise UsageError(f"{value!r} cannot be written into a configuration of ssh: give the file another name")
    return f'"{value}"' if " " in value else value


def _variables(where: str, inventory: Inventory) -> Mapping[str, object]:
    if where == LOCAL:
        return {"ansible_connection": "local"}
    at: Address = parse_address(where)
    known = {
        "ansible_host": at.host,
        "ansible_user": at.user,
        "ansible_port": at.port,
        "ansible_ssh_private_key_file": inventory.identity_file,
        "ansible_ssh_common_args": inventory.known_hosts and f"-o UserKnownHostsFile={_quoted(inventory.known_hosts)}",
    }
    return {key: value for key, value in known.items() if value}
