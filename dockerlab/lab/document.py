"""YAML text to plain data, with the line and column of every key and value.

The schema is YAML 1.2's core, and narrower where a value could be misread: only `true` and `false` are booleans, and a
number that would be written differently (`0123`, `1.10`, `22:22`) stays the text that it is. Tags are refused, and so
is anything that grows out of proportion: the text comes from strangers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml
from yaml.composer import Composer, ComposerError
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from dockerlab.errors import DefinitionError, Located
from dockerlab.lab.problem import MAX_PROBLEMS, KeyPath, Problem, shown
from dockerlab.lab.values import UNPRINTABLE

MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 50
COMPOSE_TAGS = ("!reset", "!override", "tag:yaml.org,2002:str")

DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})")
OTHER_BASE = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}")
FLOAT = re.compile(r"-?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?")

HINTS = {
    r"character '\t' that cannot start": "a tab: YAML is indented with spaces",
    "expected a single document": "a second document begins here: one file holds one lab; remove the line `---`",
    "mapping values are not allowed": "`: ` has no place here: put the text in quotes, or set the indentation right",
    "could not find expected ':'": "a key without `:` before this place",
    "expected <block end>": "not indented as the lines above, or text that needs quotes and has none",
    "while scanning a quoted scalar": "a quote that is opened and never closed",
    "found undefined alias": "an alias (`*name`) for which there is no anchor (`&name`) above",
    "found duplicate anchor": "an anchor (`&name`) that is already defined above",
    "cannot start any token": "a character that cannot begin a value: put the text in quotes",
}

Mark = tuple[int, int]
"""Line and column, counted from 1."""


@dataclass
class Document:
    """The data of a definition (keys are always text), where each part stands, and what is wrong with the YAML.

    `tags` are those of a Compose file.
    """

    file: str
    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[KeyPath, Mark] = field(default_factory=dict)
    values: dict[KeyPath, Mark] = field(default_factory=dict)
    tags: dict[KeyPath, str] = field(default_factory=dict)
    mistakes: list[tuple[Problem, Mark]] = field(default_factory=list)


def parse(text: str, file: str, *, compose: bool = False) -> Document:
    """Return the one mapping that `text` holds.

    In a Compose file its own tags are let through, and an anchor may be defined anew, as YAML 1.2 has it; one in which
    there is nothing is an empty mapping.

    Raises DefinitionError where nothing can be read at all: broken YAML, not a mapping, too big. What is wrong in one
    place and leaves the rest readable (a tag, a key that comes twice) is in the document's `mistakes`.
    """
    if len(text) > MAX_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise _fatal(file, (1, 1), f"larger than {MAX_BYTES // 1024} KiB: a definition is not that long")
    unprintable = UNPRINTABLE.search(text)
    if unprintable is not None:
        where = position(text, unprintable.start())
        raise _fatal(file, where, f"an unprintable character, {unprintable.group()!a}: remove it")
    document = Document(file)
    composer = _Composer(text, document, compose=compose)
    try:
        root = composer.get_single_node()
        if root is None and compose:
            return document  # one of several files may say nothing, in comments or not at all
        if root is None:
            raise _fatal(file, (1, 1), "empty: a definition begins with `name:`")
        if not isinstance(root, MappingNode):
            raise _fatal(file, _mark(root), "not a mapping: a definition begins with `name:`")
        document.data = _Builder(document).mapping(root, (), 0)
    except yaml.MarkedYAMLError as error:
        quote = error.context == "while scanning a quoted scalar"  # what matters is where it was opened
        mark = (error.context_mark if quote else error.problem_mark) or composer.get_mark()
        lines = text.splitlines()
        line = lines[mark.line] if mark.line < len(lines) else ""
        raise _fatal(file, (mark.line + 1, mark.column + 1), _explain(error, line)) from None
    except (ValueError, OverflowError):
        # PyYAML gives escapes such as "\UFFFFFFFF" to chr() and a directive's number to int() without a check.
        mark = composer.get_mark()
        raise _fatal(
            file, (mark.line + 1, mark.column + 1), "a number (of an escape, or of a directive) that is out of range"
        ) from None
    return document


def resolve(text: str) -> str | int | float | bool | None:
    """Return what a plain (unquoted) scalar stands for; text for all that a reader could take for something else."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if DECIMAL.fullmatch(text) and text != "-0":
        return int(text)
    if OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    return text


def position(text: str, index: int) -> Mark:
    """Return the line and column of a character."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


class _Composer(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's parts up to the node tree, with a bound on size and depth, and without tags."""

    def __init__(self, text: str, document: Document, *, compose: bool) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.document, self.compose, self.count, self.depth = document, compose, 0, 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Return the next node; raises ComposerError beyond the bounds."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        self.count += 1
        self.depth += 1
        if self.count > MAX_NODES:
            raise ComposerError(None, None, f"more than {MAX_NODES} values", event.start_mark)
        if self.depth > MAX_DEPTH:
            raise ComposerError(None, None, f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        tag = getattr(event, "tag", None)
        if (
            tag is not None
            and not (self.compose and tag in COMPOSE_TAGS)
            and len(self.document.mistakes) < MAX_PROBLEMS
        ):
            name = tag.replace("tag:yaml.org,2002:", "!!")
            problem = Problem((), f"the tag {shown(name)}: tags are not allowed, write the plain value")
            self.document.mistakes.append((problem, (event.start_mark.line + 1, event.start_mark.column + 1)))
        if self.compose and not isinstance(event, AliasEvent):
            self.anchors.pop(event.anchor, None)
        node: Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Builder:
    """Turns nodes into data, and fills in the places where they stand."""

    MERGE: ClassVar[str] = "<<"

    def __init__(self, document: Document) -> None:
        self.document, self.count = document, 0

    def value(self, node: Node, path: KeyPath, depth: int) -> Any:
        self._bounded(node, depth)
        self.document.values[path] = _mark(node)
        if node.tag.startswith("!"):
            self.document.tags[path] = node.tag
        if isinstance(node, MappingNode):
            return self.mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        text = str(node.value)
        unprintable = UNPRINTABLE.search(text)
        if unprintable is not None:
            self._wrong(path, node, f"holds an unprintable character, {unprintable.group()!a}: remove it")
            return ""
        return resolve(text) if isinstance(node, ScalarNode) and node.style is None else text

    def mapping(self, node: MappingNode, path: KeyPath, depth: int) -> dict[str, Any]:
        merged = [value for key, value in node.value if _is_merge(key)]
        own: dict[str, Any] = {}
        # Merged values first and the first source last, so that what stands nearer overrides them, positions too.
        for source in reversed([part for value in merged for part in self._sources(value, path)]):
            self._bounded(source, depth)
            own.update(self.mapping(source, path, depth + 1))
        seen: dict[str, Mark] = {}
        for key_node, value_node in node.value:
            if _is_merge(key_node):
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in seen:
                self._wrong((*path, key), key_node, f"a second {shown(key)}: the first is in line {seen[key][0]}")
                continue
            place = (*path, key)
            seen[key] = self.document.keys[place] = _mark(key_node)
            own[key] = self.value(value_node, place, depth + 1)
        return own

    def _bounded(self, node: Node, depth: int) -> None:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            message = f"aliases that stand for more than {MAX_NODES} values or {MAX_DEPTH} levels, or for themselves"
            raise ComposerError(None, None, message, node.start_mark)

    def _key(self, node: Node, path: KeyPath) -> str | None:
        if isinstance(node, MappingNode):
            self._wrong(path, node, '{{ … }} must be in quotes: "{{ … }}" (a mapping cannot be a key)')
        elif not isinstance(node, ScalarNode) or not node.value or UNPRINTABLE.search(node.value):
            self._wrong(path, node, "a key must be text, printable and not empty")
        else:
            return str(node.value)
        return None

    def _sources(self, node: Node, path: KeyPath) -> list[MappingNode]:
        nodes = node.value if isinstance(node, SequenceNode) else [node]
        wrong = [item for item in nodes if not isinstance(item, MappingNode)]
        for item in wrong:
            self._wrong(path, item, "`<<` merges a mapping, or a list of mappings: write `<<: *anchor`")
        return [item for item in nodes if isinstance(item, MappingNode)]

    def _wrong(self, path: KeyPath, node: Node, message: str) -> None:
        if len(self.document.mistakes) < MAX_PROBLEMS:
            self.document.mistakes.append((Problem(path, message), _mark(node)))


def _is_merge(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.style is None and bool(node.value == _Builder.MERGE)


def _mark(node: Node) -> Mark:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _explain(error: yaml.MarkedYAMLError, line: str) -> str:
    said = " ".join(part for part in (error.problem, error.context) if part)
    hint = next((text for sign, text in HINTS.items() if sign in said), said)
    return f'{hint}; text with {{{{ … }}}} must be in quotes: "{{{{ … }}}}"' if "{{" in line else hint


def _fatal(file: str, mark: Mark, message: str) -> DefinitionError:
    return DefinitionError([Located(file, *mark, "", message)])
