"""A value of a Compose file that knows where it stands: what files are merged of, so that every mistake has a place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerlab.errors import Located
from dockerlab.lab.document import Document, Mark
from dockerlab.lab.problem import KeyPath, dotted


@dataclass(frozen=True)
class Source:
    """A file, the directory that its relative paths begin at, and the variables that it is interpolated with.

    `given` are the names of those that whoever calls has set.
    """

    file: str
    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    given: Collection[str] = ()


@dataclass(frozen=True)
class Node:
    """A scalar, a list of nodes or a mapping to nodes; where it stands, by file, line and column, and by its path.

    `key` is where the key stands that it is the value of, and `tag` is Compose's `!reset` or `!override`.
    """

    value: Any
    source: Source
    mark: Mark = (1, 1)
    key: Mark | None = None
    path: KeyPath = ()
    tag: str = ""

    def of(self, value: Any) -> Node:
        """Return another value that came of what stands here."""
        return Node(value, self.source, self.mark, self.key, self.path)

    def children(self) -> Mapping[str, Node]:
        """Return the entries of a mapping; none where it is not one."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> list[Node]:
        """Return the entries of a list; none where it is not one."""
        return self.value if isinstance(self.value, list) else []

    def get(self, *keys: str) -> Node | None:
        """Return what stands under these keys, one in the other; None where there is nothing."""
        found: Node | None = self
        for key in keys:
            found = found.children().get(key) if found is not None else None
        return found if found is not None and found.value is not None else None

    def word(self, *keys: str) -> str:
        """Return what stands under these keys as text; empty where there is nothing, or a variable that is not set."""
        found = self.get(*keys)
        return found.text() if found is not None else ""

    def text(self) -> str:
        """Return a scalar as Compose takes it for text."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return "" if self.value is None else str(self.value)

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        return [child.plain() for child in self.value] if isinstance(self.value, list) else self.value

    def located(self, message: str, *, of_key: bool = False, below: KeyPath = ()) -> Located:
        """Return a message about what stands here, or about something `below` that was made of it."""
        line, column = self.key if of_key and self.key is not None else self.mark
        return Located(self.source.file, line, column, dotted((*self.path, *below)), message)


def of_document(document: Document, source: Source) -> Node:
    """Return the tree of what a file holds."""

    def node(value: Any, path: KeyPath) -> Node:
        made: Any = value
        if isinstance(value, dict):
            made = {key: node(item, (*path, key)) for key, item in value.items()}
        elif isinstance(value, list):
            made = [node(item, (*path, index)) for index, item in enumerate(value)]
        key = document.keys.get(path)
        mark = document.values.get(path) or key or (1, 1)
        return Node(made, source, mark, key, path, document.tags.get(path, ""))

    return node(document.data, ())


def find(root: Node, path: KeyPath) -> tuple[Node, KeyPath]:
    """Return the node at a path, or the nearest above it, and what of the path is left over."""
    here = root
    for depth, part in enumerate(path):
        value = here.value
        if isinstance(value, dict) and part in value:
            here = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            here = value[part]
        else:
            return here, path[depth:]
    return here, ()


def mapping(like: Node, entries: Iterable[tuple[str, Node | None]]) -> Node:
    """Return a mapping of those entries that there are, in the place of `like`."""
    return like.of({key: node for key, node in entries if node is not None})


def scalars(node: Node) -> Iterator[Node]:
    """Yield every scalar at a node and below it."""
    below = node.children().values() if isinstance(node.value, dict) else node.items()
    if isinstance(node.value, (dict, list)):
        for child in below:
            yield from scalars(child)
    else:
        yield node
