"""Where everything of a picture stands: the same picture gives the same coordinates, whoever draws it.

From top to bottom: the overlays' bands, the containers, lanes for cables from group to group, bridges, ways out and
published ports, the hosts' interfaces on the edge of their hosts, and below them the LANs with what lies beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockerlab.graph.blocks import GAP, PILL, TRACK, Block, bar_lines, box_room, lines
from dockerlab.graph.cables import Cabling, first_cables
from dockerlab.graph.model import MODES, Bar, Box, Group, HostFrame, Picture
from dockerlab.graph.shapes import LINE, PAD, Rect, Text, Wire, room, width
from dockerlab.graph.stage import BAND, EDGE, STICKS_OUT, Levels, Stage, saying
from dockerlab.graph.surroundings import band, key, lans

APART = 28.0
"""The room between two groups of a host."""

BETWEEN = 96.0
"""The room between two hosts: the name of what joins them fits in."""

TOLD_OUT = {"nat": "NAT", "routed": "no NAT", "shut": "no way out", "": ""}


@dataclass
class Plan:
    """The blocks of one host, in their order, by the interface that they stand above (empty: none)."""

    machine: HostFrame
    slots: list[tuple[Bar | None, list[Block]]]
    x: float = 0.0
    width: float = 0.0

    @property
    def blocks(self) -> list[Block]:
        """Return all blocks."""
        return [block for _, blocks in self.slots for block in blocks]


def lay_out(picture: Picture) -> Stage:
    """Return a picture's shapes with their coordinates, and the place of every node."""
    plans = [_plan(picture, machine) for machine in picture.machines]
    stage = Stage(picture, _levels(picture, plans))
    title = f"{picture.lab}: {picture.title}" if picture.title else picture.lab
    stage.sheet.texts.append(Text(EDGE, EDGE + LINE * 0.75, title, "title"))
    x = EDGE + STICKS_OUT
    for plan in plans:
        _spread(plan, x)
        x = plan.x + plan.width + BETWEEN
        _machine(stage, plan)
    for number, overlay in enumerate(picture.overlays):
        band(stage, overlay, stage.levels.bands + number * (BAND + GAP / 2))
    for plan in plans:
        Cabling(stage.sheet, stage.levels.grid_end, stage.places).run(picture.links, plan.blocks)
    below = lans(stage, max((plan.x + plan.width for plan in plans), default=x))
    key(stage, below + LINE)
    return stage


def _plan(picture: Picture, machine: HostFrame) -> Plan:
    """Return a host's blocks: those above an interface together, in the order of the interfaces."""
    sources = {box.id: group for group in machine.groups for box in group.boxes}
    own = [link for link in picture.links if link.source in sources]
    firsts = {link for box, group in sources.items() for link in first_cables(box, group, own)}
    extras = [link for link in own if link not in firsts]
    coming = [link.target for link in extras]

    def block(group: Group) -> Block:
        socket = group.bar.id if group.bar is not None else group.nic
        return Block(group, extras, coming.count(socket) if socket else 0, group.kind == "overlay")

    def chosen(nic: str, *kinds: str) -> list[Block]:
        return [block(group) for group in machine.groups if group.nic == nic and (not kinds or group.kind in kinds)]

    slots: list[tuple[Bar | None, list[Block]]] = [(None, chosen("", "host"))]
    slots += [(nic, chosen(nic.id)) for nic in machine.nics]
    slots += [(None, chosen("", "dummy")), (None, chosen("", "none"))]
    return Plan(machine, [(nic, blocks) for nic, blocks in slots if nic is not None or blocks])


def _levels(picture: Picture, plans: Sequence[Plan]) -> Levels:
    """Return the heights that suit the largest of everything."""
    blocks = [block for plan in plans for block in plan.blocks]
    top = EDGE + LINE + GAP
    heads = max((len(plan.machine.lines) for plan in plans), default=0)
    bands = top + 2 * PAD + LINE * (1 + heads)
    grid = bands + len(picture.overlays) * (BAND + GAP / 2) + GAP
    panel = LINE + 2 * PAD
    tallest = max((b.height + (panel if b.group.kind in ("host", "none") else 0) for b in blocks), default=0.0)
    grid_end = grid + tallest
    lanes = max((sum(block.arrivals for block in plan.blocks) for plan in plans), default=0)
    bar = grid_end + lanes * TRACK + 2 * GAP
    bars = [room(bar_lines(block.group.bar))[1] for block in blocks if block.group.bar is not None]
    bar_end = bar + max(bars, default=0.0)
    nic = bar_end + max((block.below for block in blocks if block.group.bar is not None), default=GAP)
    nics = [room(bar_lines(nic))[1] for plan in plans for nic in plan.machine.nics]
    return Levels(top, bands, grid, grid_end, bar, bar_end, nic, nic + max(nics, default=0.0))


def _spread(plan: Plan, left: float) -> None:
    """Give every block of a host its x, and the host its width."""
    plan.x, x = left, left + APART
    for nic, blocks in plan.slots:
        start = x
        for block in blocks:
            inset = PAD if block.group.kind in ("host", "none") else 0.0
            if block.group.kind == "host":
                start = x = left - STICKS_OUT
            block.x = x + inset
            x = block.x + block.width + inset + APART
        x = max(x, start + _slot_width(nic, []) + APART)
    head = max(width(line) for line in (plan.machine.name, *plan.machine.lines)) + 2 * APART
    plan.width = max(x - left, head)


def _slot_width(nic: Bar | None, blocks: Sequence[Block]) -> float:
    """Return the width of an interface: that of the blocks above it, or what its text needs."""
    across = blocks[-1].x + blocks[-1].width - blocks[0].x if blocks else 0.0
    return max(across, room(bar_lines(nic))[0] if nic is not None else 0.0)


def _machine(stage: Stage, plan: Plan) -> None:
    """Draw a host with its interfaces and all that is in it, without the cables."""
    levels, machine = stage.levels, plan.machine
    ground = Rect(plan.x, levels.top, plan.width, levels.bottom - levels.top, "host", machine.id, _caption(machine))
    stage.places[machine.id] = ground
    stage.sheet.grounds.append(ground)
    stage.sheet.write(Rect(ground.x + PAD, ground.y, ground.w, 0, ""), (machine.name, *machine.lines))
    for nic, blocks in plan.slots:
        if nic is not None:
            left = blocks[0].x if blocks else _free(plan, nic)
            rect = Rect(left, levels.nic, _slot_width(nic, blocks), levels.nic_end - levels.nic, "nic", nic.id)
            stage.put(saying(rect, f"interface of {machine.name}", nic), bar_lines(nic))
        for block in blocks:
            _block(stage, machine, block)


def _free(plan: Plan, nic: Bar) -> float:
    """Return where an interface stands that has nothing above it: after the blocks of those before it."""
    before: list[Block] = []
    for other, blocks in plan.slots:
        if other is nic:
            break
        before += blocks
    inset = PAD if before and before[-1].group.kind == "host" else 0.0
    return before[-1].x + before[-1].width + inset + APART if before else plan.x + APART


def _caption(machine: HostFrame) -> str:
    count = sum(1 + len(box.joined) for group in machine.groups for box in group.boxes)
    return ", ".join([f"host {machine.name}", *machine.lines, f"{count} containers"])


def _block(stage: Stage, machine: HostFrame, block: Block) -> None:
    """Draw a group: its boxes, and the bridge below them with its way out and published ports."""
    levels, group = stage.levels, block.group
    top = levels.grid_end - block.height
    if group.kind in ("host", "none"):
        panel = Rect(
            block.x - PAD,
            top - LINE - PAD,
            block.width + 2 * PAD,
            block.height + LINE + 2 * PAD,
            f"panel {group.kind}",
            group.id,
        )
        stage.places[group.id] = panel
        stage.sheet.grounds.append(panel)
        stage.sheet.texts.append(Text(block.x, panel.y + LINE, MODES[group.kind], "line"))
    for number, box in enumerate(group.boxes):
        column, row = block.place(number)
        w, h = block.box
        _box(stage, machine, box, Rect(block.x + block.lefts[column], top + row * (h + GAP), w, h, "", box.id))
    if group.bar is not None:
        rect = Rect(block.x, levels.bar, block.width, levels.bar_end - levels.bar, f"switch {group.exit}", group.bar.id)
        stage.put(saying(rect, f"on {machine.name}", group.bar), bar_lines(group.bar))
        _way_out(stage, block)


def _box(stage: Stage, machine: HostFrame, box: Box, rect: Rect) -> None:
    """Draw a container and, inside, those that share its namespace."""
    told = ", ".join([f"container {box.name} on {machine.name}, mode {box.mode}", *box.lines])
    stage.put(Rect(rect.x, rect.y, rect.w, rect.h, f"box {box.mode}", box.id, told), lines(box))
    y = rect.y + PAD + LINE * len(lines(box)) + PAD / 2
    for inner in box.joined:
        told = f"container {inner.name} on {machine.name}: shares the network namespace of {box.name}"
        h = box_room(inner)[1]
        stage.put(Rect(rect.x + PAD, y, rect.w - 2 * PAD, h, "box container", inner.id, told), lines(inner))
        y += h + PAD


def _way_out(stage: Stage, block: Block) -> None:
    """Draw how a bridge's packets leave, and the ports of the host that lead into it."""
    levels, sheet, said = stage.levels, stage.sheet, TOLD_OUT[block.group.exit]
    if said:
        pill = Rect(block.x + 4, levels.bar_end + GAP, width(said) + 2 * PAD, LINE + PAD, f"pill {block.group.exit}")
        x = pill.centre[0]
        bridge = block.group.bar.id if block.group.bar is not None else ""
        sheet.rects.append(pill)
        sheet.texts.append(Text(pill.x + PAD, pill.y + LINE, said, "line"))
        sheet.wires.append(Wire(((x, levels.bar_end), (x, pill.y)), "exit", bridge, bridge))
        if block.group.exit != "shut":
            sheet.wires.append(Wire(((x, pill.bottom), (x, levels.nic)), "exit", bridge, block.group.nic))
    for number, row in enumerate(block.chip_rows()):
        x, y = block.x + PILL, levels.bar_end + GAP + number * (LINE + GAP)
        for text in row:
            chip = Rect(x, y, width(text) + 2 * PAD, LINE + PAD, "chip", "", f"published port: {text}")
            sheet.rects.append(chip)
            sheet.texts.append(Text(chip.x + PAD, chip.y + LINE, text, "line"))
            x = chip.right + GAP / 2
