"""The picture of a lab: what is in it, in three formats."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.labs import lab, read, running
from support.offline import world_of
from support.worlds import pretended

from dockerlab.facts import Facts
from dockerlab.graph import dot, mermaid, svg
from dockerlab.graph.describe import describe
from dockerlab.graph.verdicts import MOST, Asked, strands
from dockerlab.reach import Cell, matrix
from dockerlab.snapshot import Snapshot

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
EACH = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
GOLDEN = Path(__file__).parents[1] / "golden" / "graph"
NASTY = '"]; <script>alert(1)</script> &amp; `x` %%{init}%% \\N --> {n} \x1b[31m | #quot; \u2028'


def picture(definition):
    return describe(world_of(definition), imagined=True)


def predicted(definition):
    """Return a picture with the strands of what the model predicts."""
    world = world_of(definition)
    drawn = describe(world, imagined=True)
    return drawn, strands(drawn, [Asked(cell, expected.reachable) for cell, expected in matrix(world)])


@EACH
@pytest.mark.parametrize(("ending", "render"), [("mmd", mermaid.render), ("dot", dot.render)], ids=["mermaid", "dot"])
def test_recorded(golden, path, ending, render):
    """Each example is drawn as it was read and recorded."""
    golden(GOLDEN / f"{path.stem}.{ending}", render(picture(read(path))))


@pytest.mark.parametrize(("ending", "render"), [("mmd", mermaid.render), ("dot", dot.render)], ids=["mermaid", "dot"])
def test_recorded_with_matrix(golden, ending, render):
    """The predictions lie over the picture, as it was read and recorded."""
    golden(GOLDEN / f"macvlan.matrix.{ending}", render(*predicted(read(ROOT / "examples/macvlan.yaml"))))


def links(definition):
    return {(link.source, link.target, link.kind) for link in picture(definition).links}


def groups(definition):
    return {group.id: group for machine in picture(definition).machines for group in machine.groups}


def test_every_mode_is_plugged_in_its_own_way():
    """A bridge's ports, a parent's children, an overlay and its way out, nothing, and the host's own network."""
    definition = read(ROOT / "examples/mixed.yaml")
    found = links(definition)
    assert ("container:plain0", "bridge:vm0/bridge", "veth") in found
    assert ("container:web", "bridge:vm0/app", "veth") in found
    assert ("bridge:vm0/app", "nic:vm0/eth0", "exit") in found
    assert ("container:lan0", "nic:vm0/eth0.50", "macvlan") in found
    assert ("nic:vm0/eth0.50", "lan:eth0.50", "wire") in found
    assert ("nic:vm1/eth0.50", "lan:eth0.50", "wire") in found
    assert ("container:wide0", "overlay:wide", "overlay") in found
    assert ("container:wide0", "bridge:vm0/docker_gwbridge", "veth") in found
    assert {("overlay:wide", f"host:{host}", "wire") for host in ("vm0", "vm1")} <= found
    lonely = {"container:alone", "container:bare", "container:side"}
    assert lonely.isdisjoint(source for source, _, _ in found)
    by_id = groups(definition)
    assert [box.name for box in by_id["mode-none:vm0"].boxes] == ["alone"]
    assert [box.name for box in by_id["mode-host:vm1"].boxes] == ["bare"]
    (web,) = by_id["bridge:vm0/app"].boxes
    assert [inner.name for inner in web.joined] == ["side"]
    assert by_id["bridge:vm0/app"].published == ("8080 → web:80/tcp",)


def test_no_way_out():
    """An internal bridge leads nowhere, one without masquerading says so, and others are translated."""
    definition = lab(
        """
        networks:
          shut: {internal: true}
          plain: {driver_opts: {com.docker.network.bridge.enable_ip_masquerade: "false"}}
          usual: {}
        containers: {a: {networks: [shut]}, b: {networks: [plain]}, c: {networks: [usual]}}
        """
    )
    exits = {group.bar.name: group.exit for group in groups(definition).values()}
    assert exits == {"bridge shut": "shut", "bridge plain": "routed", "bridge usual": "nat"}
    assert ("bridge:local/shut", "nic:local/eth0", "exit") not in links(definition)
    assert "no way out" in svg.render(picture(definition))


def test_several_networks():
    """A container on two bridges is plugged into both, and each address says on which."""
    definition = read(ROOT / "examples/user-bridge.yaml")
    assert {target for source, target, _ in links(definition) if source == "container:both"} == {
        "bridge:local/front",
        "bridge:local/back",
    }
    (both,) = (box for _, _, box in picture(definition).boxes() if box.name == "both")
    assert [line.split()[0] for line in both.lines] == ["front", "back"]


def test_what_the_definition_leaves_open():
    """A fixed address is shown as it is, one that an engine would choose has a mark, and the mark is explained."""
    drawn = picture(read(ROOT / "examples/user-bridge.yaml"))
    lines = {box.name: box.lines for _, _, box in drawn.boxes()}
    assert lines["web"] == ("172.28.1.10", "also www")
    assert lines["hidden"][0].startswith("~172.28.3.")
    assert drawn.notes == ("~ as the engine would choose it; the definition leaves it open",)
    assert picture(read(ROOT / "examples/macvlan.yaml")).notes == ()


def test_what_is_there():
    """Of a lab that is up, the engines' own addresses are shown, without a mark."""
    definition = read(ROOT / "examples/bridge.yaml")
    engines = running(definition)
    drawn = describe(pretended(definition, engines), imagined=False)
    assert {box.lines[0] for _, _, box in drawn.boxes()} == {"172.17.0.2", "172.17.0.3"}
    assert "~" not in mermaid.render(drawn)


def test_a_container_that_is_not_there():
    """A container without an address is drawn all the same, and says that its address is not known."""
    definition = lab("networks: {n: {}}\ncontainers: {a: {networks: [n]}}")
    drawn = describe(
        pretended(
            definition,
            None,
            {host: Facts(host) for host in definition.hosts},
            {host: Snapshot(host) for host in definition.hosts},
        ),
        imagined=False,
    )
    ((_, _, box),) = drawn.boxes()
    assert box.lines == ("address not known",)
    for render in (svg.render, mermaid.render, dot.render):
        assert "address not known" in render(drawn)


def test_values_stay_values():
    """Whatever a title or an alias says, it ends no label, starts no element and gives no control characters."""
    definition = lab("containers: {a: {}}").model_copy(update={"title": NASTY})
    drawn = picture(definition)
    assert "<script>" not in svg.render(drawn)
    assert "<script>" not in mermaid.render(drawn)
    for text in (svg.render(drawn), mermaid.render(drawn), dot.render(drawn)):
        assert "\x1b" not in text
        assert "\u2028" not in text
    assert "%%{" not in mermaid.render(drawn)
    label = re.search(r'^  graph \[label="((?:[^"\\]|\\.)*)", labelloc', dot.render(drawn), re.MULTILINE)
    assert label is not None
    assert "\\\\N" in label[1]


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed; it is needed for nothing else")
@EACH
def test_graphviz_reads_it(path):
    """Graphviz takes the text without a word."""
    text = dot.render(*predicted(read(path)))
    result = subprocess.run(["dot", "-Tcanon"], input=text, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def strand(one, other, made):
    (found,) = (s for s in made if {s.one, s.other} == {one, other})
    return found


def test_strands():
    """Two that reach each other are joined by `yes`, two that do not by `no`, and both directions are kept apart."""
    _, made = predicted(read(ROOT / "examples/macvlan.yaml"))
    assert strand("container:centos_vm0_v1", "container:centos_vm1_v1", made).word == "yes"
    assert strand("container:centos_vm0_v1", "nic:vm0/eth0", made).word == "no"
    one_way = strand("nic:vm0/eth0", "gateway:macvlan50", made)
    assert (one_way.word, one_way.back.yes) == ("yes", 0)


def test_strands_of_what_fails():
    """A failure outweighs what could not be told, and that outweighs all else; names count as failures too."""
    drawn = picture(read(ROOT / "examples/bridge.yaml"))

    def word(*asked):
        return strands(drawn, [Asked(Cell("centos_v1", "centos_v2", "x", probe), *rest) for probe, *rest in asked])[
            0
        ].word

    assert word(("ping", True)) == "yes"
    assert word(("ping", True), ("dns", False)) == "yes"
    assert word(("ping", True), ("tcp/80", None)) == "unknown"
    assert word(("ping", True), ("tcp/80", None), ("dns", False, True)) == "fail"


def test_strands_of_many():
    """Of a large lab whole groups are joined, so that the picture can still be read; no failure is left out."""
    definition = lab(
        """
        hosts: {vm0: , vm1: }
        containers: {a: {replicas: 20, host: vm0}, b: {replicas: 20, host: vm1}}
        """
    )
    drawn, made = predicted(definition)
    assert 0 < len(made) <= MOST
    world = world_of(definition)
    cells = [Asked(cell, not e.reachable, cell.source == "a1" and cell.to == "b1") for cell, e in matrix(world)]
    (failed,) = (strand for strand in strands(drawn, cells) if strand.word == "fail")
    assert {failed.one, failed.other} == {"container:a1", "container:b1"}, "told apart, while the others are joined"
    all_wrong = [cell._replace(failed=True) for cell in cells]
    assert {s.word for s in strands(drawn, all_wrong)} == {"fail"}
    assert len(strands(drawn, all_wrong)) <= MOST


STATED = """
hosts:
  vm0:
    address: ssh://root@192.168.22.61
    interfaces:
      shim: {kind: macvlan, parent: eth0, mode: bridge, addresses: 192.168.22.250/32}
      eth0.50: {kind: vlan, parent: eth0, id: 50, addresses: 10.50.0.1/24}
      spare: {kind: dummy, addresses: 10.60.0.1/24}
      eth0: {addresses: 192.168.22.70/24}
networks: {lan: {driver: macvlan, parent: eth0, subnet: 192.168.22.0/24, gateway: 192.168.22.1}}
containers: {m0: {host: vm0, networks: {lan: {ip: 192.168.22.200}}}}
"""


def test_interfaces_that_a_definition_states():
    """A host has them all: a child of an interface is on its LAN, a VLAN on one of its own, a dummy on none."""
    drawn = picture(lab(STATED))
    nics = {bar.name: bar.lines for bar in drawn.machines[0].nics}
    assert list(nics) == ["eth0", "shim", "eth0.50", "spare"]
    assert nics["shim"] == ("macvlan bridge on eth0", "192.168.22.250/32")
    assert nics["eth0.50"] == ("VLAN 50 on eth0", "10.50.0.1/24")
    assert nics["spare"] == ("dummy: leads nowhere", "10.60.0.1/24")
    assert nics["eth0"][:2] == ("192.168.22.61/24", "192.168.22.70/24")
    wires = {(link.source, link.target) for link in drawn.links if link.kind == "wire"}
    assert ("nic:vm0/shim", "lan:eth0") in wires
    assert ("nic:vm0/eth0.50", "lan:eth0.50") in wires
    assert not any(source == "nic:vm0/spare" for source, _ in wires)
    for render in (mermaid.render, dot.render, svg.render):
        assert "macvlan bridge on eth0" in render(drawn)
