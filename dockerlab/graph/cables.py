"""The cables from containers to what they are plugged into: straight down or up, or by gutters and lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockerlab.graph.blocks import GAP, TRACK, Block
from dockerlab.graph.model import Group, Link
from dockerlab.graph.shapes import Rect, Sheet, Wire


def first_cables(box: str, group: Group, links: Sequence[Link]) -> list[Link]:
    """Return the cables of a container to what its group hangs from: the bridge or interface below, an overlay."""
    own = [link for link in links if link.source == box]
    socket = group.bar.id if group.bar is not None else group.nic
    down = [link for link in own if link.target == socket][:1]
    up = [link for link in own if link.kind == "overlay"][:1] if group.kind == "overlay" else []
    return down + up


@dataclass
class Cabling:
    """Draws the cables of one host; `lane` is the y from which lanes between groups are given out."""

    sheet: Sheet
    lane: float
    places: Mapping[str, Rect]
    lanes: int = 0
    arrived: dict[str, int] = field(default_factory=dict)

    def run(self, links: Sequence[Link], blocks: Sequence[Block]) -> None:
        """Draw every cable of the blocks' containers."""
        for block in blocks:
            own = {box.id for box in block.group.boxes}
            mine = [link for link in links if link.source in own]
            for number, box in enumerate(block.group.boxes):
                for link in first_cables(box.id, block.group, mine):
                    self._first(block, number, link)
            for column in range(block.columns):
                for track, link in enumerate(block.tracks(column)):
                    self._further(block, column, track, link, blocks)

    def _first(self, block: Block, number: int, link: Link) -> None:
        """Draw a straight cable where there is one row, else one by way of the gutter of its column."""
        rect, socket = self.places[link.source], self.places[link.target]
        x, y = rect.centre
        up = link.kind == "overlay"
        end = socket.bottom if up else socket.y
        if not block.many:
            self._draw(((x, rect.y if up else rect.bottom), (x, end)), link)
            return
        column, _ = block.place(number)
        gutter = rect.right + GAP / 2 + TRACK * len(block.tracks(column)) if up else rect.x - GAP / 2
        self._draw(((rect.right if up else rect.x, y), (gutter, y), (gutter, end)), link)

    def _further(self, block: Block, column: int, track: int, link: Link, blocks: Sequence[Block]) -> None:
        """Draw a cable to another group by a lane, or up to an overlay."""
        rect, socket = self.places[link.source], self.places[link.target]
        x = block.x + block.lefts[column] + block.box[0] + TRACK * (track + 0.5)
        y = rect.y + GAP + TRACK * (track % 4)
        if link.kind == "overlay":
            self._draw(((rect.right, y), (x, y), (x, socket.bottom)), link)
            return
        there = next(b for b in blocks if link.target == (b.group.bar.id if b.group.bar is not None else b.group.nic))
        arrived = self.arrived[link.target] = self.arrived.get(link.target, 0) + 1
        self.lanes += 1
        lane = self.lane + GAP / 2 + TRACK * self.lanes
        end = there.x + there.width - TRACK * arrived
        self._draw(((rect.right, y), (x, y), (x, lane), (end, lane), (end, socket.y)), link)

    def _draw(self, points: tuple[tuple[float, float], ...], link: Link) -> None:
        self.sheet.wires.append(Wire(points, link.kind, link.source, link.target))
        self.sheet.plug(*points[-1])
