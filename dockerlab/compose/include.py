"""Compose files put together: what each extends and includes, and one laid over the other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dockerlab.compose.dotenv import environment_of
from dockerlab.compose.extends import with_bases
from dockerlab.compose.merge import merged, settled
from dockerlab.compose.node import Node
from dockerlab.compose.read import REMOTE, SECTIONS, Reader
from dockerlab.errors import DefinitionError, UsageError
from dockerlab.lab.problem import shown

Open = tuple[Path, ...]
"""The files that are being read: each includes the next."""


def put_together(
    paths: list[Path], directory: Path, variables: Mapping[str, str], reader: Reader, opened: Open = ()
) -> Node:
    """Return the tree of several files, each laid over those before it.

    Their relative paths begin at `directory`. What is wrong in them is added to `reader.wrong`. Raises DefinitionError
    where nothing can be read of one at all, UsageError where it cannot be opened.
    """
    whole: Node | None = None
    for path in paths:
        root = with_bases(reader.parsed(path, directory, variables), path, reader)
        one = _with_included(root, reader, (*opened, path.resolve()))
        laid = one if whole is None else merged(whole, one)
        whole = laid if laid is not None else whole
    if whole is None:
        raise UsageError("no Compose file is named")
    return settled(whole) or whole


def _with_included(root: Node, reader: Reader, opened: Open) -> Node:
    """Return a file's tree with the resources of the files that it includes."""
    include = root.get("include")
    if include is None:
        return root
    sections = {key: child for key, child in root.children().items() if key != "include"}
    for entry in include.items():
        for section, found in _included(entry, reader, opened).children().items():
            if section in SECTIONS:
                sections[section] = _joined(sections.get(section), found, reader)
    return root.of(sections)


def _included(entry: Node, reader: Reader, opened: Open) -> Node:
    """Return the tree of one entry of `include`, an empty one where it cannot be read."""
    nothing = entry.of({})
    where = entry.get("path") if isinstance(entry.value, dict) else entry
    named = [each for each in (where.items() or [where] if where is not None else []) if each.text()]
    if not named:
        reader.wrong.append(entry.located("`path` is missing: which file is included"))
        return nothing
    remote = next((each for each in named if each.text().startswith(REMOTE)), None)
    if remote is not None:
        reader.wrong.append(remote.located("is fetched from elsewhere, and only files are read here: get it first"))
        return nothing
    base = entry.source.directory
    paths = [base / each.text() for each in named]
    home, files = entry.get("project_directory"), entry.get("env_file")
    directory = base / home.text() if home is not None else paths[0].parent
    env = [base / each.text() for each in (files.items() or [files] if files is not None else [])]
    if paths[0].resolve() in opened:
        reader.wrong.append(named[0].located("includes itself, by way of others or at once: leave it out"))
        return nothing
    try:
        return put_together(paths, directory, environment_of(directory, env, entry.source.variables), reader, opened)
    except DefinitionError as error:
        reader.wrong += error.problems
    except UsageError as error:
        reader.wrong.append(named[0].located(str(error)))
    return nothing


def _joined(own: Node | None, found: Node, reader: Reader) -> Node:
    """Return a section with what was included into it; two of one name have to be the same."""
    if own is None or not isinstance(own.value, dict):
        return found
    both = dict(found.children())
    for name, child in own.children().items():
        other = both.get(name)
        if other is not None and other.plain() != child.plain():
            message = f"an included file has another {shown(name)}, {other.source.file}:{other.mark[0]}: rename one"
            reader.wrong.append(child.located(message, of_key=True))
        both[name] = child
    return own.of(both)
