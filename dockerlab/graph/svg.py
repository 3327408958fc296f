"""A picture as SVG: one file that needs nothing else, light or dark as its reader wants it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from dockerlab.graph.layout import lay_out
from dockerlab.graph.model import Picture
from dockerlab.graph.shapes import LINE, Rect, Text, Wire, cut
from dockerlab.graph.stage import Stage
from dockerlab.graph.threads import SIGNS, draw, told
from dockerlab.graph.verdicts import WORDS, Strand, Word
from dockerlab.plain import one_line

STYLE = Path(__file__).with_name("picture.css")


def render(picture: Picture, strands: Sequence[Strand] = (), *, styled: bool = True) -> str:
    """Return a picture as an SVG document, with the strands of a matrix over it.

    Without its style sheet (`styled`) it is for a page that has that already.
    """
    stage = lay_out(picture)
    width, height = stage.sheet.size
    words = [word for word in WORDS if any(strand.word == word for strand in strands)]
    width, height = max(width, 420), height + LINE * 1.5 * len(words)
    title = f"{picture.lab}: {picture.title}" if picture.title else picture.lab
    size = f'width="{_n(width)}" height="{_n(height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" {size} viewBox="0 0 {_n(width)} {_n(height)}"'
    lines = [
        f'{head} role="graphics-document document" aria-labelledby="picture-title" aria-describedby="picture-desc">',
        f'<title id="picture-title">{_text(title)}</title>',
        f'<desc id="picture-desc">{_text(" ".join(_sentences(picture)))}</desc>',
        *([f"<style>{style()}</style>"] if styled else ()),
        f'<rect class="paper" {size}/>',
        *_shapes(stage),
        *_strands(stage, strands),
        *(line for n, word in enumerate(reversed(words)) for line in _key(word, height - LINE * (1.5 * n + 1))),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def style() -> str:
    """Return the style sheet in the document, which a page's policy has to allow."""
    return STYLE.read_text(encoding="utf-8")


def _shapes(stage: Stage) -> Iterator[str]:
    sheet = stage.sheet
    yield from (_rect(rect) for rect in sheet.grounds)
    yield '<g aria-hidden="true">'
    yield from (_wire(wire) for wire in sheet.wires)
    yield "</g>"
    yield from (_rect(rect) for rect in sheet.rects)
    yield '<g aria-hidden="true">'
    yield from (f'<rect class="plug" {_at(plug)}/>' for plug in sheet.plugs)
    yield from (_line(text) for text in sheet.texts)
    yield "</g>"


def _strands(stage: Stage, strands: Sequence[Strand]) -> Iterator[str]:
    """Yield the matrix: each strand a line of its own kind, with arrows where it reaches, and a sign."""
    names = {rect.node: rect.told for rect in (*stage.sheet.grounds, *stage.sheet.rects)}
    names = {node: told.partition(",")[0] for node, told in names.items()}
    for strand, path, heads, (x, y) in draw(strands, stage.places):
        said = told(strand, names)
        yield f'<g class="strand {strand.word}" role="graphics-symbol img" aria-label={_attribute(said)}>'
        yield f"<title>{_text(said)}</title>"
        if path:
            yield f'<path d="{path}"/>'
        for head in heads:
            yield f'<polygon points="{" ".join(f"{_n(a)},{_n(b)}" for a, b in head)}"/>'
        yield from _sign(strand.word, x, y)
        yield "</g>"


def _sign(word: Word, x: float, y: float) -> Iterator[str]:
    """Yield the mark of a strand: a circle with its sign, a square where something is not as expected."""
    if word == "fail":
        yield f'<rect x="{_n(x - 8)}" y="{_n(y - 8)}" width="16" height="16"/>'
    else:
        yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="7"/>'
    yield f'<text x="{_n(x)}" y="{_n(y + 4)}" text-anchor="middle">{SIGNS[word]}</text>'


def _key(word: Word, y: float) -> Iterator[str]:
    """Yield the line below the picture that says what a kind of strand means; it goes where the strands go."""
    yield f'<g class="strand {word}"><path d="M24 {_n(y)}H64"/>'
    yield from _sign(word, 44, y)
    yield f'<text class="told" x="76" y="{_n(y + 4)}">{_text(WORDS[word])}</text></g>'


def _rect(rect: Rect) -> str:
    """Return a box; what stands for something is a symbol with a name of its own."""
    shape = f'<rect class={quoteattr(rect.kind)} {_at(rect)} rx="{3 if rect.kind.startswith("box") else 5}"/>'
    if not rect.told:
        return shape
    node = f" data-node={_attribute(rect.node)}" if rect.node else ""
    return (
        f'<g role="graphics-symbol img" aria-label={_attribute(rect.told)}{node}>'
        f"<title>{_text(rect.told)}</title>{shape}</g>"
    )


def _wire(wire: Wire) -> str:
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in wire.points)
    ends = f" data-from={_attribute(wire.source)} data-to={_attribute(wire.target)}" if wire.source else ""
    return f'<polyline class={quoteattr(f"wire {wire.kind}")} points="{points}"{ends}/>'


def _line(text: Text) -> str:
    return f'<text class={quoteattr(text.kind)} x="{_n(text.x)}" y="{_n(text.y)}">{_text(text.text)}</text>'


def _at(rect: Rect) -> str:
    return f'x="{_n(rect.x)}" y="{_n(rect.y)}" width="{_n(rect.w)}" height="{_n(rect.h)}"'


def _n(number: float) -> str:
    """Return a coordinate in as few characters as it needs."""
    return f"{number:.1f}".removesuffix(".0")


def _text(value: str) -> str:
    """Return a value as XML text, without the characters that XML cannot hold."""
    return escape(one_line(value))


def _attribute(value: str) -> str:
    return quoteattr(one_line(value))


def _sentences(picture: Picture) -> Iterator[str]:
    """Yield the picture in words, for who does not see it."""
    for machine in picture.machines:
        yield f"Host {machine.name}."
        for group in machine.groups:
            names = _list(box.name for box in group.boxes)
            where = group.bar.name if group.bar is not None else group.nic.rpartition("/")[2] or group.kind
            yield f"On {where}: {names or 'nothing'}."
    yield from (f"{overlay.name} joins the hosts." for overlay in picture.overlays)
    yield from (f"{lan.name} joins the hosts' interfaces." for lan in picture.lans)
    yield from (f"Beyond: {beyond.name}." for beyond in picture.beyond)


def _list(names: Iterable[str]) -> str:
    return ", ".join(cut(name) for name in names)
