"""A picture as a Mermaid flowchart, for pages that draw it themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dockerlab.graph.model import MODES, Box, Group, HostFrame, LinkKind, Picture
from dockerlab.graph.names import Names
from dockerlab.graph.threads import SIGNS
from dockerlab.graph.verdicts import Strand, Word
from dockerlab.plain import one_line

CABLES: Mapping[LinkKind, str] = {
    "veth": "---",
    "macvlan": "===",
    "ipvlan": "-.-",
    "overlay": "-.-",
    "exit": "-->",
    "wire": "---",
}

STRANDS: Mapping[Word, str] = {
    "yes": "stroke:#1b7a3d,stroke-width:2px",
    "some": "stroke:#1b7a3d,stroke-width:2px,stroke-dasharray:8 4",
    "no": "stroke:#808890,stroke-dasharray:3 5",
    "fail": "stroke:#c2211b,stroke-width:4px",
    "unknown": "stroke:#a07416,stroke-width:2px,stroke-dasharray:2 3",
}

CLASSES = """\
  classDef bridge fill:#dbe9fb,stroke:#3e75b8,color:#1c2733
  classDef nic fill:#e4e7ea,stroke:#5b6876,stroke-width:2px,color:#1c2733
  classDef lan fill:#fbf0d6,stroke:#a07416,color:#1c2733
  classDef overlay fill:#eadff7,stroke:#7c4cb3,color:#1c2733
  classDef none stroke-dasharray:3 3
  classDef beyond stroke-dasharray:7 3"""


def render(picture: Picture, strands: Sequence[Strand] = ()) -> str:
    """Return a picture as the text of a Mermaid flowchart."""
    names = Names()
    title = f"{picture.lab}: {picture.title}" if picture.title else picture.lab
    lines = [f"%% {_comment(title)}", "flowchart TB"]
    lines += [f"  {names[b.id]}{{{{{_label([b.name, *b.lines])}}}}}:::overlay" for b in picture.overlays]
    for machine in picture.machines:
        lines += _machine(names, machine)
    lines += [f"  {names[b.id]}[/{_label([b.name, *b.lines])}/]:::lan" for b in picture.lans]
    lines += [f"  {names[b.id]}({_label([b.name, *b.lines])}):::beyond" for b in picture.beyond]
    edges = [
        f"  {names[a]} {CABLES[kind]}{f'|{_label([label])}|' if label else ''} {names[b]}"
        for a, b, kind, label in picture.edges()
    ]
    strands = [strand for strand in strands if strand.one != strand.other]
    threads = [f"  {_strand(names, strand)}" for strand in strands]
    styles = []
    for word, style in STRANDS.items():
        numbers = [str(len(edges) + n) for n, strand in enumerate(strands) if strand.word == word]
        styles += [f"  linkStyle {','.join(numbers)} {style}"] if numbers else []
    notes = [f"%% {_comment(note)}" for note in picture.notes]
    return "\n".join([*lines, *edges, *threads, CLASSES, *styles, *notes]) + "\n"


def _machine(names: Names, machine: HostFrame) -> Iterator[str]:
    yield f"  subgraph {names[machine.id]}[{_label([f'host {machine.name}', *machine.lines])}]"
    for group in machine.groups:
        yield from (f"    {line}" for line in _group(names, group))
    for nic in machine.nics:
        yield f"    {names[nic.id]}([{_label([nic.name, *nic.lines])}]):::nic"
    yield "  end"


def _group(names: Names, group: Group) -> Iterator[str]:
    if group.bar is not None:
        shut = ["internal: no way out"] if group.exit == "shut" else []
        ports = [f"port {text}" for text in group.published]
        yield f"{names[group.bar.id]}[[{_label([group.bar.name, *group.bar.lines, *shut, *ports])}]]:::bridge"
    boxes = [line for box in group.boxes for line in _box(names, box)]
    if group.kind in ("host", "none"):
        yield f"subgraph {names[group.id]}[{_label([MODES[group.kind]])}]"
        yield from (f"  {line}" for line in boxes)
        yield "end"
    else:
        yield from boxes


def _box(names: Names, box: Box) -> Iterator[str]:
    own = f"{names[box.id]}[{_label([box.name, *box.lines])}]" + (":::none" if box.mode == "none" else "")
    if not box.joined:
        yield own
        return
    yield f"subgraph {names[f'namespace:{box.name}']}[{_label([f'network namespace of {box.name}'])}]"
    yield f"  {own}"
    yield from (f"  {names[inner.id]}[{_label([inner.name, *inner.lines])}]" for inner in box.joined)
    yield "end"


def _strand(names: Names, strand: Strand) -> str:
    one, other = names[strand.one], names[strand.other]
    label = _label([f"{SIGNS[strand.word]} {strand.label}"])
    if strand.word == "fail":
        return f"{one} x--x|{label}| {other}"
    if strand.forth.yes and strand.back.yes:
        return f"{one} <-->|{label}| {other}"
    if strand.back.yes:
        return f"{other} -->|{label}| {one}"
    return f"{one} {'-->' if strand.forth.yes else '---'}|{label}| {other}"


def _label(lines: Iterable[str]) -> str:
    """Return lines as a quoted label; what would mean something to Mermaid or to HTML is written by its number."""
    return '"' + "<br/>".join("".join(_safe(c) for c in one_line(line)) for line in lines) + '"'


def _safe(character: str) -> str:
    return f"#{ord(character)};" if character in "#&<>\"'`\\[]{}|*_%" else character


def _comment(text: str) -> str:
    """Return a text for a comment, without what means something there: `%%{` begins a directive, `<` an element."""
    return "".join(c if c not in "{}<>&" else " " for c in one_line(text))
