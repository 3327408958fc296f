"""One Compose file as a tree: parsed, filled in, in its long forms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockerlab.compose import canonical
from dockerlab.compose.interpolate import interpolated, substituted
from dockerlab.compose.node import Node, Source, of_document
from dockerlab.compose.ports import MAX_PORTS
from dockerlab.errors import Located, UsageError
from dockerlab.lab.document import parse
from dockerlab.lab.problem import meant, shown
from dockerlab.lab.texts import text_of

MAX_FILES = 200
SECTIONS = ("services", "networks", "volumes", "configs", "secrets")
REMOTE = ("oci://", "git://", "http://", "https://", "ssh://", "git@", "github.com/")


@dataclass
class Reader:
    """What is found while files are read: mistakes, variables that nobody set, and which files there were.

    `given` are the names of the variables that whoever calls has set.
    """

    given: Collection[str] = ()
    wrong: list[Located] = field(default_factory=list)
    unset: dict[str, None] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    ports: int = 0

    def parsed(self, path: Path, directory: Path, variables: Mapping[str, str]) -> Node:
        """Return the tree of one file as it stands, filled in, in its long forms.

        Raises DefinitionError where nothing can be read at all, UsageError where the file cannot be.
        """
        if path.exists() and not path.is_file():
            raise UsageError(f"{path}: is not a file")
        self.files.append(path)
        if len(self.files) > MAX_FILES:
            raise UsageError(f"{path}: more than {MAX_FILES} Compose files are included or extended, one by another")
        document = parse(text_of(path), str(path), compose=True)
        self.wrong += [Located(str(path), *mark, "", problem.message) for problem, mark in document.mistakes]
        tree = of_document(document, Source(str(path), directory, variables, self.given))
        kept = {key: child for key, child in tree.children().items() if not key.startswith("x-")}
        filled = interpolated(tree.of(kept), self.wrong, self.unset.setdefault)
        return self._long(filled)

    def _long(self, root: Node) -> Node:
        """Return a file's tree with its services and networks in their long forms."""
        made = dict(root.children())
        for section in SECTIONS:
            found = made.get(section)
            if found is None:
                continue
            if found.value is not None and not isinstance(found.value, dict):
                self.wrong.append(found.located("a mapping (`name: …`) is wanted here"))
                del made[section]
                continue
            entries: dict[str, Node] = {}
            for name, child in found.children().items():
                if child.value is not None and not isinstance(child.value, dict):
                    self.wrong.append(child.located("a mapping (`key: value`) is wanted here"))
                elif section == "services":
                    entries[name] = canonical.service(child, self.wrong, MAX_PORTS - self.ports)
                    ports = entries[name].get("ports")
                    self.ports += len(ports.items()) if ports is not None else 0
                else:
                    entries[name] = canonical.network(child)
            made[section] = replace(found, value=entries)
        return replace(root, value=made)

    def no_service(self, at: Node, name: str, known: Node | None) -> None:
        """Note that there is no service of a name."""
        names = known.children() if known is not None else {}
        self.wrong.append(at.located(f"no service {shown(name)}: {meant(name, names)}"))


def own_name(paths: list[Path], variables: Mapping[str, str]) -> str:
    """Return what files say that their project is called, the last one first; empty where none does.

    What is wrong in them is not said here: whoever reads them whole does.
    """
    return next(filter(None, (_name_in(path, variables) for path in reversed(paths))), "")


def _name_in(path: Path, variables: Mapping[str, str]) -> str:
    try:
        found = parse(text_of(path), str(path), compose=True).data.get("name")
        return "" if found is None else substituted(str(found), variables, lambda _: None)
    except (UsageError, ValueError):
        return ""
