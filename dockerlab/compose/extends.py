"""`extends`: a service that begins with what another one says, in the same file or in another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dockerlab.compose.merge import merged
from dockerlab.compose.node import Node
from dockerlab.compose.read import REMOTE, Reader
from dockerlab.errors import DefinitionError, UsageError

MAX_CHAIN = 30


def with_bases(root: Node, path: Path, reader: Reader) -> Node:
    """Return a file's tree in which every service has what it extends."""
    services = root.get("services")
    if services is None:
        return root
    made = {name: _whole(name, root, path, reader, ()) for name in services.children()}
    return replace(root, value={**root.children(), "services": replace(services, value=made)})


def _whole(name: str, root: Node, path: Path, reader: Reader, chain: tuple[tuple[Path, str], ...]) -> Node:
    """Return a service of a file with all that it begins with."""
    services = root.children()["services"]
    own = services.children()[name]
    extends = own.get("extends")
    if extends is None:
        return own
    rest = replace(own, value={key: child for key, child in own.children().items() if key != "extends"})
    link = (path.resolve(), name)
    if link in chain or len(chain) > MAX_CHAIN:
        reader.wrong.append(extends.located(f"{name} extends itself, by way of others or at once: leave it out"))
        return rest
    service, file = extends.get("service"), extends.get("file")
    if service is None:
        reader.wrong.append(extends.located("`service` is missing: which one is extended"))
        return rest
    other, where = (root, path) if file is None else _other(extends, file, reader)
    if other is None:
        return rest
    known = other.get("services")
    if known is None or service.text() not in known.children():
        reader.no_service(service, service.text(), known)
        return rest
    base = _whole(service.text(), other, where, reader, (*chain, link))
    return merged(base, rest) or rest


def _other(extends: Node, file: Node, reader: Reader) -> tuple[Node | None, Path]:
    """Return the tree of another file and its path; its own relative paths begin where it is."""
    path = extends.source.directory / file.text()
    if file.text().startswith(REMOTE):
        reader.wrong.append(file.located("is fetched from elsewhere, and only files are read here: get it first"))
        return None, path
    try:
        return reader.parsed(path, path.parent, extends.source.variables), path
    except DefinitionError as error:
        reader.wrong += error.problems
    except UsageError as error:
        reader.wrong.append(file.located(str(error)))
    return None, path
