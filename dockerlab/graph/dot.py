"""A picture in Graphviz' language, for who wants to lay it out anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dockerlab.graph.model import MODES, Box, Group, HostFrame, LinkKind, Picture
from dockerlab.graph.names import Names
from dockerlab.graph.threads import SIGNS
from dockerlab.graph.verdicts import Strand, Word
from dockerlab.plain import one_line

CABLES: Mapping[LinkKind, str] = {
    "veth": 'color="#3e75b8"',
    "macvlan": 'color="#a07416", style="dashed", penwidth=2.5',
    "ipvlan": 'color="#a07416", style="dotted", penwidth=2.5',
    "overlay": 'color="#7c4cb3", style="dashed"',
    "exit": 'color="#3e75b8", dir="forward"',
    "wire": 'color="#1c2733"',
}

STRANDS: Mapping[Word, str] = {
    "yes": 'color="#1b7a3d"',
    "some": 'color="#1b7a3d", style="dashed"',
    "no": 'color="#808890", style="dotted", arrowhead="tee", arrowtail="tee"',
    "fail": 'color="#c2211b", penwidth=4, arrowhead="box", arrowtail="box"',
    "unknown": 'color="#a07416", style="dotted", penwidth=2, arrowhead="odot", arrowtail="odot"',
}


def render(picture: Picture, strands: Sequence[Strand] = ()) -> str:
    """Return a picture as the text of a DOT graph."""
    names = Names()
    title = f"{picture.lab}: {picture.title}" if picture.title else picture.lab
    lines = [
        "digraph lab {",
        f"  graph [label={_label([title, *picture.notes])}, labelloc=t, compound=true, fontname=monospace]",
        "  node [shape=box, fontname=monospace, fontsize=11]",
        '  edge [dir="none", fontname=monospace, fontsize=10]',
    ]
    lines += [f"  {_node(names, b.id, [b.name, *b.lines], OVERLAY)}" for b in picture.overlays]
    for number, machine in enumerate(picture.machines):
        lines += _machine(names, number, machine)
    lines += [f"  {_node(names, b.id, [b.name, *b.lines], LAN)}" for b in picture.lans]
    lines += [f"  {_node(names, b.id, [b.name, *b.lines], BEYOND)}" for b in picture.beyond]
    for a, b, kind, label in picture.edges():
        said = f", label={_label([label])}" if label else ""
        lines.append(f"  {names[a]} -> {names[b]} [{CABLES[kind]}{said}]")
    lines += [f"  {_strand(names, strand)}" for strand in strands]
    return "\n".join([*lines, "}"]) + "\n"


OVERLAY = 'shape=cds, style="filled", fillcolor="#eadff7"'
LAN = 'shape=parallelogram, style="filled", fillcolor="#fbf0d6"'
BEYOND = 'style="rounded,dashed"'
BRIDGE = 'shape=component, style="filled", fillcolor="#dbe9fb"'
NIC = 'shape=cds, style="filled,bold", fillcolor="#e4e7ea"'


def _machine(names: Names, number: int, machine: HostFrame) -> Iterator[str]:
    yield f"  subgraph cluster_{number} {{"
    yield f"    label={_label([f'host {machine.name}', *machine.lines])}"
    for count, group in enumerate(machine.groups):
        yield from (f"    {line}" for line in _group(names, f"{number}_{count}", group))
    yield from (f"    {_node(names, nic.id, [nic.name, *nic.lines], NIC)}" for nic in machine.nics)
    yield "  }"


def _group(names: Names, number: str, group: Group) -> Iterator[str]:
    if group.bar is not None:
        shut = ["internal: no way out"] if group.exit == "shut" else []
        ports = [f"port {text}" for text in group.published]
        yield _node(names, group.bar.id, [group.bar.name, *group.bar.lines, *shut, *ports], BRIDGE)
    boxes = [line for count, box in enumerate(group.boxes) for line in _box(names, f"{number}_{count}", box)]
    if group.kind in ("host", "none"):
        yield f"subgraph cluster_{number} {{"
        yield f'  label={_label([MODES[group.kind]])}; style="dashed"'
        yield from (f"  {line}" for line in boxes)
        yield "}"
    else:
        yield from boxes


def _box(names: Names, number: str, box: Box) -> Iterator[str]:
    own = _node(names, box.id, [box.name, *box.lines], 'style="dashed"' if box.mode == "none" else "")
    if not box.joined:
        yield own
        return
    yield f"subgraph cluster_{number} {{"
    yield f"  label={_label([f'network namespace of {box.name}'])}"
    yield f"  {own}"
    yield from (f"  {_node(names, inner.id, [inner.name, *inner.lines], '')}" for inner in box.joined)
    yield "}"


def _node(names: Names, node: str, lines: Iterable[str], style: str) -> str:
    return f"{names[node]} [label={_label(lines)}{', ' if style else ''}{style}]"


def _strand(names: Names, strand: Strand) -> str:
    ways = {(True, True): "both", (True, False): "forward", (False, True): "back", (False, False): "none"}
    way = ways[bool(strand.forth.yes), bool(strand.back.yes)] if strand.word in ("yes", "some") else "both"
    label = _label([f"{SIGNS[strand.word]} {strand.label}"])
    style = f'{STRANDS[strand.word]}, dir="{way}", label={label}, constraint=false'
    return f"{names[strand.one]} -> {names[strand.other]} [{style}]"


def _label(lines: Iterable[str]) -> str:
    """Return lines as a quoted label: a backslash or a quote of a value stays one."""
    return '"' + "\\n".join(_quoted(line) for line in lines) + '"'


def _quoted(line: str) -> str:
    return one_line(line).replace("\\", "\\\\").replace('"', '\\"')
