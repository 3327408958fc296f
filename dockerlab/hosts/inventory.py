"""Where the hosts of a lab are, and how a host is made from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from dockerlab.errors import DefinitionError, Located, UsageError
from dockerlab.hosts.address import LOCAL, SshOptions, parse_address
from dockerlab.hosts.base import Host
from dockerlab.hosts.entered import Enter, EnteredHost
from dockerlab.hosts.local import LocalHost

TEXT = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
"""What YAML takes for a word; a host name may look like a number."""

MAX_BYTES = 1 << 20

KEYS = ("hosts", "identity_file", "known_hosts")


@dataclass(frozen=True)
class Inventory:
    """Where hosts are: `addresses` as a definition would give them, and the files to log in with.

    `folder` is where the file is that says so: within it alone are new host keys recorded, where `known_hosts` is set.
    `enter` runs programs from outside of hosts on which a stranger is root, by the hosts' addresses.
    """

    addresses: Mapping[str, str]
    identity_file: str | None = None
    known_hosts: str | None = None
    folder: str | None = None
    enter: Mapping[str, Enter] = field(default_factory=dict)

    def options(self, options: SshOptions) -> SshOptions:
        """Return the options with this inventory's key and host keys, where it has them."""
        return replace(
            options,
            identity_file=self.identity_file or options.identity_file,
            known_hosts=self.known_hosts or options.known_hosts,
            record_within=self.folder if self.known_hosts else options.record_within,
        )

    def host(self, name: str, options: SshOptions) -> Host:
        """Return the host of that name, not yet connected; raises what `connect` raises, and KeyError."""
        where = self.addresses[name]
        host = connect(name, where, options)
        return EnteredHost(host, self.enter[where]) if where in self.enter else host


def connect(name: str, where: str | None, options: SshOptions) -> Host:
    """Return the host at an address, not yet connected; None means the local machine.

    Raises UsageError for an address that is none.
    """
    if where is None or where == LOCAL:
        return LocalHost(name)
    from dockerlab.hosts.ssh import SshHost  # noqa: PLC0415 - paramiko takes longer to import than a local run needs

    return SshHost(name, parse_address(where), options)


def read_inventory(path: str | Path) -> Inventory:
    """Read an inventory file: `hosts: {vm0: ssh://…}`, and optionally `identity_file`, `known_hosts`.

    Paths are relative to the file. Raises UsageError if it cannot be read, DefinitionError with every mistake in it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the inventory {path}: {error}") from error
    if len(text) > MAX_BYTES:
        raise UsageError(f"cannot read the inventory {path}: larger than {MAX_BYTES >> 10} KiB")
    reader = Reader(str(path))
    inventory = reader.read(text, path.parent)
    if reader.problems:
        raise DefinitionError(reader.problems)
    return inventory


class Reader:
    """Reads one file and gathers what is wrong in it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Located] = []

    def read(self, text: str, folder: Path) -> Inventory:
        """Return what could be read."""
        entries = {}
        for key, at, value in self._mapping(self._compose(text), ""):
            entries[key] = value
            if key not in KEYS:
                self._wrong(at, key, f"unknown key; known are {', '.join(KEYS)}")
        hosts = entries.get("hosts")
        if hosts is None:
            self._wrong(None, "hosts", "missing; write where each host is, such as hosts: {vm0: ssh://root@vm0}")
        addresses = {name: self._address(node, f"hosts.{name}") for name, _, node in self._mapping(hosts, "hosts")}
        identity, host_keys = (self._path(entries.get(key), key, folder) for key in ("identity_file", "known_hosts"))
        return Inventory(addresses, identity, host_keys, str(folder) if host_keys else None)

    def _compose(self, text: str) -> yaml.Node | None:
        """Return the file's root node."""
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            problem = Located(self._file, *where, "", f"not YAML: {error.problem or error.context}")
            raise DefinitionError([problem]) from error
        except yaml.YAMLError as error:
            raise DefinitionError([Located(self._file, 1, 1, "", f"not YAML: {_one_line(error)}")]) from error
        except (ValueError, OverflowError) as error:  # PyYAML checks the numbers of escapes and of directives not
            raise DefinitionError([Located(self._file, 1, 1, "", "a number that is out of range")]) from error
        except RecursionError as error:
            raise DefinitionError([Located(self._file, 1, 1, "", "nested too deeply")]) from error

    def _mapping(self, node: yaml.Node | None, path: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """Yield each entry's name, key node and value node; duplicate names are wrong."""
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, path, "must be a mapping, such as hosts: {vm0: ssh://root@vm0}")
            return
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                self._wrong(key, f"{path}.{name}" if path else name, "stands here twice; remove one")
                continue
            seen.add(name)
            yield name, key, value

    def _text(self, node: yaml.Node, path: str) -> str:
        """Return a scalar's text."""
        if isinstance(node, yaml.ScalarNode) and node.tag in TEXT and node.value:
            return str(node.value)
        self._wrong(node, path, "must be text")
        return ""

    def _address(self, node: yaml.Node, path: str) -> str:
        """Return a host's address."""
        text = self._text(node, path)
        try:
            if text and text != LOCAL:
                parse_address(text)
        except UsageError as error:
            self._wrong(node, path, str(error))
        return text

    def _path(self, node: yaml.Node | None, path: str, folder: Path) -> str | None:
        """Return an absolute or home-relative path, taken from the inventory's folder."""
        if node is None:
            return None
        text = self._text(node, path)
        return str(folder / Path(text).expanduser()) if text else None

    def _wrong(self, node: yaml.Node | None, path: str, message: str) -> None:
        """Note one mistake once."""
        line, column = (node.start_mark.line + 1, node.start_mark.column + 1) if node is not None else (1, 1)
        problem = Located(self._file, line, column, path, message)
        if problem not in self.problems:
            self.problems.append(problem)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
