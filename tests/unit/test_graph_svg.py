"""The picture's own layout: nothing lies over anything else, and nothing is lost."""

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.labs import lab, read
from support.offline import world_of

from dockerlab.graph import svg
from dockerlab.graph.describe import describe
from dockerlab.graph.layout import lay_out
from dockerlab.graph.shapes import LONGEST, Rect, width
from dockerlab.graph.verdicts import Asked, nodes, strands
from dockerlab.lab.model import HostSpec
from dockerlab.reach import matrix

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"

MANY = {
    "two times twenty": """
        hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
        networks: {lan50: {driver: macvlan, subnet: 192.168.22.0/24, gateway: 192.168.22.1, parent: eth0.50}}
        containers:
          a: {replicas: 20, host: vm0, networks: {lan50: {ip: "192.168.22.{{ 100 + index }}"}}}
          b: {replicas: 20, host: vm1, networks: {lan50: {ip: "192.168.22.{{ 130 + index }}"}}}
        """,
    "two hundred": """
        hosts: {vm0: , vm1: }
        containers:
          a: {replicas: 100, host: vm0, ports: ["{{ 8000 + index }}:80"]}
          b: {replicas: 100, host: vm1}
        """,
    "overlays": """
        hosts: {vm0: , vm1: , vm2: }
        networks:
          one: {driver: overlay, subnet: 10.1.0.0/24}
          two: {driver: overlay, subnet: 10.2.0.0/24, internal: true}
        containers:
          a: {replicas: 9, host: vm0, networks: [one, two]}
          b: {replicas: 2, host: vm1, networks: [two]}
          c: {replicas: 5, host: vm2, networks: [one]}
        """,
    "everything on one host": """
        networks:
          front: {subnet: [172.28.1.0/24, "fd00:28::/64"]}
          back: {subnet: 172.28.2.0/24, internal: true}
          lan: {driver: macvlan, subnet: 192.168.5.0/24, parent: eth0}
          far: {driver: ipvlan, subnet: 10.7.0.0/24, parent: eth1.7, ipvlan_mode: l3}
          lost: {driver: macvlan, subnet: 10.8.0.0/24}
        containers:
          m: {replicas: 7, networks: [front, back, lan]}
          f: {replicas: 2, networks: [far, front]}
          l: {replicas: 6, networks: [lost]}
          h: {replicas: 5, network_mode: host}
          n: {replicas: 5, network_mode: none}
          beside: {network_mode: "container:m1"}
          inside: {network_mode: "container:h1"}
          a-container-with-as-long-a-name-as-a-container-may-have-in-labs: {ports: ["127.0.0.1:8081:80", "53:53/udp"]}
        outside: {internet: 203.0.113.10, other: {address: 203.0.113.11, ports: [80, 443]}}
        """,
}

LABS = {path.stem: path for path in sorted((ROOT / "examples").glob("*.yaml"))} | MANY


def definition(name):
    return read(LABS[name]) if isinstance(LABS[name], Path) else lab(LABS[name])


@pytest.fixture(params=LABS)
def drawn(request):
    return describe(world_of(definition(request.param)), imagined=True)


@pytest.fixture
def stage(drawn):
    return lay_out(drawn)


def apart_or_inside(one, other):
    return not one.meets(other) or one.holds(other) or other.holds(one)


def test_boxes_do_not_overlap(stage):
    """Two boxes are apart, or one is wholly inside the other; what is inside another box belongs there."""
    crossing = [(a, b) for a, b in combinations(stage.sheet.rects, 2) if not apart_or_inside(a, b)]
    assert crossing == []
    inside = [(a, b) for a in stage.sheet.rects for b in stage.sheet.rects if a is not b and a.holds(b)]
    assert all(b.kind == "box container" for _, b in inside)


def test_hosts_do_not_overlap(stage):
    """Hosts are apart, and each container lies in its host; what is on the edge sticks out by little."""
    hosts = [rect for rect in stage.sheet.grounds if rect.kind == "host"]
    assert [(a, b) for a, b in combinations(hosts, 2) if a.meets(b)] == []
    for machine, group, box in stage.picture.boxes():
        host, place = stage.places[machine.id], stage.places[box.id]
        if group.kind != "host":
            assert host.holds(place), box.name
        else:
            assert Rect(host.x - 20, host.y, host.w + 20, host.h, "").holds(place), box.name


def test_panels_do_not_overlap(stage):
    """The frames of host mode and of none are apart from each other and from all boxes that are not in them."""
    panels = [rect for rect in stage.sheet.grounds if rect.kind.startswith("panel")]
    assert [(a, b) for a, b in combinations(panels, 2) if a.meets(b)] == []
    assert [(a, b) for a in panels for b in stage.sheet.rects if a.meets(b) and not a.holds(b)] == []


def test_texts_do_not_overlap(stage):
    """No line of text lies over another one, and each is wholly inside the box that it begins in."""
    areas = [text.area for text in stage.sheet.texts]
    assert [(a, b) for a, b in combinations(areas, 2) if a.meets(b)] == []
    for text in stage.sheet.texts:
        around = [rect for rect in stage.sheet.rects if rect.meets(text.area)]
        assert all(rect.holds(text.area) for rect in around), text


def test_cables_run_between_the_boxes(stage):
    """No cable runs through a container, a bridge or an interface that it does not belong to."""
    solid = [rect for rect in stage.sheet.rects if rect.kind.split()[0] in ("box", "switch", "nic", "chip", "beyond")]
    for wire in stage.sheet.wires:
        for (x1, y1), (x2, y2) in zip(wire.points, wire.points[1:], strict=False):
            path = Rect(min(x1, x2) - 0.1, min(y1, y2) - 0.1, abs(x2 - x1) + 0.2, abs(y2 - y1) + 0.2, "path")
            inner = [Rect(r.x + 1, r.y + 1, r.w - 2, r.h - 2, r.kind, r.node) for r in solid]
            assert [r for r in inner if r.meets(path) and r.node not in (wire.source, wire.target)] == [], wire


def test_every_cable_ends_where_it_belongs(stage):
    """Each link of the model is a cable, whose ends touch what it joins."""
    drawn = {(wire.source, wire.target): wire for wire in stage.sheet.wires}
    for link in stage.picture.links:
        if link.target.startswith("host:"):
            continue  # an overlay runs through its hosts
        wire = drawn[link.source, link.target]
        at = stage.places[link.target]
        x, y = wire.points[-1]
        assert at.x <= x <= at.right, link
        assert at.y <= y <= at.bottom, link


def test_ports_are_apart(stage):
    """No two cables end in the same port."""
    ports = {(plug.x, plug.y) for plug in stage.sheet.plugs}
    trunks = {(wire.points[-1], wire.source) for wire in stage.sheet.wires if wire.kind != "exit" and wire.source}
    joined = [point for point, _ in trunks]
    several = {point for point in joined if joined.count(point) > 1}
    shared = {wire.points[-2][0] for wire in stage.sheet.wires if wire.points[-1] in several}
    assert len(ports) > 0
    assert all(point[0] in shared for point in several)
    assert [(a, b) for a, b in combinations(sorted(ports), 2) if abs(a[0] - b[0]) < 8 and a[1] == b[1]] == []


def test_everything_is_on_the_sheet(stage):
    """The sheet is large enough for all that is on it."""
    w, h = stage.sheet.size
    sheet = Rect(0, 0, w, h, "sheet")
    assert all(sheet.holds(rect) for rect in (*stage.sheet.grounds, *stage.sheet.rects))
    assert all(sheet.holds(text.area) for text in stage.sheet.texts)


def test_well_formed(drawn):
    """The document is XML, with a title, a description, and a name for every symbol; it is the same every time."""
    text = svg.render(drawn)
    assert text == svg.render(drawn)
    root = ET.fromstring(text)
    assert root.get("role") == "graphics-document document"
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    assert by_id[root.get("aria-labelledby")].text.startswith(drawn.lab)
    assert by_id[root.get("aria-describedby")].text
    symbols = [element for element in root.iter() if "graphics-symbol" in (element.get("role") or "")]
    assert all(symbol.get("aria-label") and symbol.find(f"{SVG}title").text for symbol in symbols)
    nodes = {symbol.get("data-node") for symbol in symbols}
    assert {box.id for _, _, each in drawn.boxes() for box in (each, *each.joined)} <= nodes


def test_every_verdict_has_a_shape():
    """Strands of each kind differ by their sign and line, not by their colour alone, and the key says what they are."""
    world = world_of(read(ROOT / "examples/bridge.yaml"))
    drawn = describe(world, imagined=True)
    cells = [cell for cell, _ in matrix(world)]
    signs = {}
    for word, kinds in {
        "yes": (True, False),
        "no": (False, False),
        "unknown": (None, False),
        "fail": (True, True),
    }.items():
        text = svg.render(drawn, strands(drawn, [Asked(cell, *kinds) for cell in cells]))
        found = [g for g in ET.fromstring(text).iter(f"{SVG}g") if (g.get("class") or "").startswith("strand ")]
        assert {g.get("class") for g in found} == {f"strand {word}"}
        assert any("told" in (t.get("class") or "") for g in found for t in g.iter(f"{SVG}text"))
        signs[word] = found[0].find(f"{SVG}text").text
    assert len(set(signs.values())) == 4


@pytest.mark.parametrize("name", LABS)
def test_every_cell_has_its_ends(name):
    """Each cell of the matrix leads from one thing in the picture to another: none can be left out unseen."""
    world = world_of(definition(name))
    drawn = describe(world, imagined=True)
    ends, places = nodes(drawn), lay_out(drawn).places
    for cell, _ in matrix(world):
        assert {ends[cell.source], ends[cell.to]} <= set(places), cell


def test_width_of_a_text():
    """Scripts with wide characters get more room, and a long line is cut."""
    assert width("日本") > width("ab")
    assert width("e\u0301") == width("e")
    far = HostSpec(address="ssh://" + "x" * 200)
    long = lab("containers: {a: {}}").model_copy(update={"hosts": {"local": far}})
    stage = lay_out(describe(world_of(long), imagined=True))
    assert max(len(text.text) for text in stage.sheet.texts) <= LONGEST + 20
