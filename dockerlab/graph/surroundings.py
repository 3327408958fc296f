"""What is around the hosts in a picture: overlays through them, LANs below them, what lies beyond, and the key."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from dockerlab.graph.blocks import GAP, bar_lines
from dockerlab.graph.model import Bar, LinkKind
from dockerlab.graph.shapes import LINE, PAD, Rect, Text, Wire, room, width
from dockerlab.graph.stage import BAND, EDGE, Stage, saying

KEY: Mapping[LinkKind, str] = {
    "veth": "a veth pair: one end in the container, the other a port of the bridge",
    "macvlan": "macvlan: a MAC address of its own on the parent's LAN, no bridge",
    "ipvlan": "ipvlan: on the parent's LAN with the parent's MAC address, no bridge",
    "overlay": "an overlay: one layer 2 across the hosts, carried in VXLAN",
}


def band(stage: Stage, overlay: Bar, y: float) -> None:
    """Draw an overlay through all hosts that it spans."""
    hosts = [stage.places[host] for host in stage.picture.attached(overlay.id)]
    if not hosts:
        return
    left, right = hosts[0].x + PAD, hosts[-1].right - PAD
    text = "  ".join(bar_lines(overlay))
    rect = Rect(left, y, max(right - left, width(text) + 2 * PAD), BAND, "overlay", overlay.id)
    stage.put(saying(rect, "across the hosts in VXLAN", overlay), [text])
    for one, other in pairwise(hosts):
        x = (one.right + other.x) / 2 - width("VXLAN") / 2
        stage.sheet.texts.append(Text(x, y + PAD + LINE * 0.75, "VXLAN", "name"))


def lans(stage: Stage, right: float) -> float:
    """Draw the LANs below the hosts, and at their right ends what lies beyond; return the y below all of it."""
    y = stage.levels.nic_end + 2 * GAP + LINE
    main = stage.picture.lans[:1]
    for lan in (*stage.picture.lans[1:], *main):  # the hosts' own LAN last: the way out is at the bottom
        nics = [link.source for link in stage.picture.links if link.target == lan.id]
        ends = [stage.places[nic].centre[0] for nic in nics]
        text = "  ".join(bar_lines(lan))
        left = min(ends) - 3 * GAP
        rect = Rect(max(EDGE, left), y, max(max(ends) - left + 3 * GAP, width(text) + 2 * PAD), BAND, "lan", lan.id)
        stage.put(saying(rect, "network between the hosts", lan), [text])
        for nic, x in zip(nics, ends, strict=True):
            stage.sheet.wires.append(Wire(((x, stage.places[nic].bottom), (x, y)), "wire", nic, lan.id))
            stage.sheet.plug(x, y)
        y = max(y + BAND, _beyond(stage, lan.id, max(right, rect.right) + 2 * GAP)) + GAP + PAD
    return y


def _beyond(stage: Stage, node: str, x: float) -> float:
    """Draw what is reached by way of a node, to its right, and what is behind that; return the y of its lower end."""
    at = stage.places[node]
    y = at.y
    for beyond in (each for each in stage.picture.beyond if each.behind == node):
        w, h = room((beyond.name, *beyond.lines))
        told = ", ".join([beyond.name, *beyond.lines])
        kind = "beyond"
        stage.put(Rect(x, y, w, h, kind, beyond.id, told), (beyond.name, *beyond.lines))
        start, bend = at.y + min(at.h, BAND) / 2, x - GAP / 2
        end = y + min(h, BAND) / 2
        points = ((at.right, start), (bend, start), (bend, end), (x, end))
        stage.sheet.wires.append(Wire(points, "wire", node, beyond.id))
        y = max(y + h, _beyond(stage, beyond.id, x + w + 2 * GAP)) + GAP / 2
    return y - GAP / 2 if y > at.y else at.bottom


def key(stage: Stage, y: float) -> None:
    """Say below the picture what its lines and marks mean, as far as they are in it."""
    kinds = {link.kind for link in stage.picture.links}
    for kind, text in KEY.items():
        if kind in kinds:
            stage.sheet.wires.append(Wire(((EDGE, y - 4), (EDGE + 40, y - 4)), kind))
            stage.sheet.plug(EDGE + 40, y - 4)
            stage.sheet.texts.append(Text(EDGE + 52, y, text, "note"))
            y += LINE * 1.25
    for note in stage.picture.notes:
        stage.sheet.texts.append(Text(EDGE, y, note, "note"))
        y += LINE * 1.25
