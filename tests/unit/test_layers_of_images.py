"""Layers: from the engine's JSON to numbers, what images share, and what is expected of them."""

import io
import json
import tarfile
from dataclasses import replace
from hashlib import sha256

import pytest
from support.labs import lab

from dockerlab.cli.layers import _of_lab
from dockerlab.engine.layers import Layered
from dockerlab.errors import HostError
from dockerlab.folding import folded
from dockerlab.hosts.fake import FakeHost
from dockerlab.layers.archive import digests_in
from dockerlab.layers.describe import chain_ids, to_change, to_image, to_store
from dockerlab.layers.look import _with_origins, to_found
from dockerlab.layers.share import common, cost, uses
from dockerlab.report import as_layers
from dockerlab.verify.image_checks import UNSEEN, judge

BASE = "sha256:" + "1" * 64
OWN = ["sha256:" + digit * 64 for digit in "2345"]


def entry(size, made_by="sh -c true", image="<missing>", comment=""):
    return {"Id": image, "Size": size, "CreatedBy": made_by, "Comment": comment}


def image(name, diffs, history, parent="", lower=(), upper="/d/top/diff"):
    """Return an image with layers and a history, the latest step first as the engine tells it."""
    data = {"UpperDir": upper, "LowerDir": ":".join(lower), "MergedDir": "/d/merged", "WorkDir": "/d/work"}
    detail = {
        "Id": f"sha256:{name:0<64}",
        "RepoTags": [f"{name}:latest"],
        "Parent": parent,
        "Size": sum(step["Size"] for step in history),
        "RootFS": {"Layers": diffs},
        "GraphDriver": {"Name": "overlay2", "Data": data},
    }
    return to_image(detail, history)


NODE = image("dockerlab/node", [BASE], [entry(100)], upper="/d/1/diff")
WEB = image("web", [BASE, *OWN[:2]], [entry(0, "sh -c rm /x"), entry(7), entry(100)], lower=("/d/2/diff", "/d/1/diff"))
TOOLS = image("tools", [BASE, OWN[2]], [entry(0, "CMD [x]"), entry(5), entry(100)])


@pytest.mark.parametrize(
    ("history", "layers", "numbers"),
    [
        ([entry(0, "sh -c rm /x"), entry(7), entry(100)], 3, [1, 2, 3]),
        ([entry(0, "sh -c true"), entry(7), entry(100)], 2, [1, 2, 0]),
        ([entry(0, "/bin/sh -c #(nop)  CMD [x]"), entry(7), entry(100)], 2, [1, 2, 0]),
        ([entry(0, "ENV A=b"), entry(0, "RUN /bin/sh -c rm /x # buildkit"), entry(100)], 2, [1, 2, 0]),
        ([entry(0, "sh -c rm /x"), entry(0, "sh -c true"), entry(100)], 2, [None, None, None]),
        ([entry(5), entry(100)], 1, [None, None]),
        ([], 0, []),
    ],
)
def test_which_step_made_which_layer(history, layers, numbers):
    """A step has its layer where sizes and instructions leave no choice, and none is claimed where they do."""
    found = image("x", [BASE, *OWN][:layers], history)
    assert [step.layer for step in found.history] == numbers
    known = {step.layer: step.size for step in found.history}
    assert [layer.size for layer in found.layers] == [known.get(number) for number in range(1, layers + 1)]


def test_chain_ids():
    """A chain ID is the digest of the one below and its own diff ID; the lowest layer's is its diff ID."""
    second = "sha256:" + sha256(f"{BASE} {OWN[0]}".encode()).hexdigest()
    third = "sha256:" + sha256(f"{second} {OWN[1]}".encode()).hexdigest()
    assert chain_ids([BASE, *OWN[:2]]) == [BASE, second, third]


def test_directories():
    """Each layer has its directory, the lowest the last of `lower`; where their number differs, none is claimed."""
    assert [layer.directory for layer in WEB.layers] == ["/d/1/diff", "/d/2/diff", "/d/top/diff"]
    assert [layer.directory for layer in TOOLS.layers] == [None, None]


def test_sharing():
    """A layer counts once, however many images have it; two layers of the same files on others are two."""
    assert common(WEB, TOOLS) == [WEB.layers[0]]
    assert next(iter(uses([WEB, TOOLS]))).images == ("web:latest", "tools:latest")
    assert cost([WEB, TOOLS, WEB]) == cost([WEB, TOOLS])
    assert (cost([WEB, TOOLS]).apart, cost([WEB, TOOLS]).together) == (212, 112)
    moved = image("moved", [OWN[3], OWN[2]], [entry(5), entry(100)])
    assert common(moved, TOOLS) == []
    unclear = image("unclear", [BASE], [entry(5), entry(100)])
    assert cost([unclear]).together is None
    assert cost([unclear, TOOLS]).together == cost([TOOLS, unclear]).together == 105


@pytest.mark.parametrize(
    ("info", "containerd", "word"),
    [
        ({"Driver": "overlay2", "DriverStatus": [["Supports d_type", "true"]]}, False, "once"),
        ({"Driver": "vfs", "DriverStatus": None}, False, "full copy"),
        ({"Driver": "fuse-overlayfs"}, False, "slower"),
        (
            {"Driver": "overlayfs", "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]},
            True,
            "packed and unpacked",
        ),
        ({"Driver": "windowsfilter"}, False, "not known"),
    ],
)
def test_store(info, containerd, word):
    """What follows from the storage driver is said, and that it is not known where it is not."""
    store = to_store(info)
    assert store.containerd is containerd
    assert word in as_layers.means(store)


def answers():
    """Return an engine's answers about an image and a container of it, which has changed a file and deleted one."""
    detail = {
        "Id": WEB.id,
        "RepoTags": ["web:latest"],
        "Parent": "",
        "Size": 107,
        "RootFS": {"Layers": [BASE, *OWN[:2]]},
        "GraphDriver": {"Data": {"UpperDir": "/d/3/diff", "LowerDir": "/d/2/diff:/d/1/diff"}},
    }
    changes = [
        ({"Kind": 0, "Path": "/etc"}, {"mode": 1 << 31, "size": 4096}),
        ({"Kind": 0, "Path": "/etc/a"}, {"mode": 0o644, "size": 9}),
        ({"Kind": 1, "Path": "/new\x1b[31m"}, {"mode": 1 << 27, "size": 3}),
        ({"Kind": 2, "Path": "/bin/vi"}, None),
    ]
    container = {"Id": "c" * 64, "Name": "/site", "Image": WEB.id, "GraphDriver": {}}
    return Layered(
        {"Version": "20.10.24"},
        {"Driver": "overlay2"},
        {WEB.id: detail},
        {WEB.id: [entry(0, "sh -c rm /x\x1b[0m"), entry(7), entry(100)]},
        {WEB.id: []},
        {"web": WEB.id},
        {"site": (container, {"SizeRw": 9, "SizeRootFs": 116}, changes)},
    )


def found_with_origins():
    found = to_found("vm0", answers(), ["web", "site", "nothing"])
    host = FakeHost(
        "vm0", lambda _argv, _given: (1, "4 /d/1/diff/etc/a\n5 /d/2/diff/etc/a\n2 /d/1/diff/bin/vi\n", "no")
    )
    return replace(found, containers=tuple(_with_origins(host, each) for each in found.containers)), host


def test_copied_up():
    """A changed file says from which layer it was copied up, the uppermost that has it; a deleted one where it is."""
    found, host = found_with_origins()
    assert found.missing == ("nothing",)
    (site,) = found.containers
    told = {change.path: (change.what, change.kind, change.size, change.layer, change.was) for change in site.changes}
    assert told == {
        "/etc": ("C", "directory", None, None, None),
        "/etc/a": ("C", "file", 9, 2, 5),
        "/bin/vi": ("D", "", None, 1, 2),
        "/new\x1b[31m": ("A", "link", None, None, None),
    }
    assert host.calls[0][:4] == ("stat", "-c", "%s %n", "--")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_table_fits(width):
    """The table fits a terminal, where it is folded in whole words."""
    found, _ = found_with_origins()
    lines = folded(as_layers.render([found], width), width).splitlines()
    assert max(map(len, lines)) <= max(width, *(len(word) for line in lines for word in line.split()))


def test_table_and_json():
    """The table tells what is there and obeys nothing in it; JSON has all of it."""
    found, _ = found_with_origins()
    text = as_layers.render([found])
    assert "C /etc/a  9B  copied up from 5B in layer 2" in text
    assert "D /bin/vi  hides 2B in layer 1" in text
    assert "no image and no container nothing here" in text
    assert "\x1b" not in text
    document = json.loads(as_layers.as_json([found]))["hosts"][0]
    assert document["cost"] == {"apart": 107, "together": 107}
    assert document["containers"][0]["changes"][3]["path"] == "/new\x1b[31m"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (999, "999B"), (1984224, "1.98MB"), (209348104, "209MB"), (1000, "1kB"), (None, "?")],
)
def test_amount(size, text):
    """A size is written as docker writes it."""
    assert as_layers.amount(size) == text


LAB = lab("""
    images:
      web:
        steps: [a, b]
        expect: {layers: 2, shares: {tools: dockerlab/node, other: 100}, unchanged_by: [site]}
      tools: {dockerfile: "RUN x"}
    containers: {site: {image: web}, b: {image: tools}}
    """)


def judged(*images, digests=None, containers=(), containerd=False):
    found = to_found("local", answers(), [])
    store = replace(found.store, containerd=containerd)
    found = replace(found, images=images, containers=containers, store=store)
    return {c.rule + c.expected.split()[2][:5]: c for c in judge(LAB, "web", found, digests or {})}


def writer(changes=None):
    (site,) = found_with_origins()[0].containers
    return replace(site, image=WEB, changes=site.changes if changes is None else changes)


def verdicts(checks):
    return [check.verdict for check in checks.values()]


def test_expectations_hold():
    """Each expectation passes where it is so, and says what was seen."""
    other = replace(NODE, names=("other:latest",))
    digests = {WEB.id: frozenset([BASE, *OWN])}
    checks = judged(NODE, WEB, TOOLS, other, digests=digests, containers=(writer(),))
    assert verdicts(checks) == ["pass"] * 4
    assert "copied up from layer 2 (5 B there, 9 B now)" in list(checks.values())[3].observed


def test_expectations_fail():
    """Each fails where it is not so: other layers below, more in common, a layer that is not what its digest says."""
    other = replace(WEB, id="other", names=("other:latest",))
    node = image("dockerlab/node", [OWN[3]], [entry(100)])
    checks = judged(node, WEB, TOOLS, other, digests={WEB.id: frozenset([BASE, OWN[0]])}, containers=(writer(),))
    assert verdicts(checks) == ["fail"] * 4
    assert list(checks.values())[3].observed == "layer 3 no longer is what its digest says"
    broken = HostError("local", "file integrity checksum failed: integrity check")
    checks = judged(NODE, WEB, TOOLS, other, digests={WEB.id: broken}, containers=(writer(),))
    assert list(checks.values())[3].verdict == "fail"


def test_expectations_unknown():
    """Nothing passes by default: not what is not there, not a container that wrote nothing, not a silent host."""
    assert verdicts(judged()) == ["unknown"] * 4
    checks = judged(NODE, WEB, containers=(writer(changes=()),))
    assert [c.verdict for c in checks.values()] == ["pass", "unknown", "unknown", "unknown"]
    assert "proves nothing" in list(checks.values())[3].observed
    lost = {WEB.id: HostError("local", "connection lost")}
    assert list(judged(NODE, WEB, digests=lost, containers=(writer(),)).values())[3].verdict == "unknown"


def test_unseen_directories_prove_nothing():
    """Where containerd keeps the images and no container shows where, neither pass nor failure."""
    unseen = {WEB.id: HostError("local", UNSEEN.format(number=1, image="web"))}
    checks = judged(NODE, WEB, digests=unseen, containers=(writer(),), containerd=True)
    assert list(checks.values())[3].verdict == "unknown"


def test_packed_sizes():
    """What images cost is told by their layers, not by the size of an image, which may be a packed one."""
    packed = replace(WEB, size=50)
    assert (cost([packed, TOOLS]).apart, cost([packed, TOOLS]).together) == (212, 112)


def test_digests_in_an_archive():
    """Every file of an archive is hashed as it comes, whatever the sizes of the chunks."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in (("a/layer.tar", b"x" * 5000), ("manifest.json", b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    whole = buffer.getvalue()
    pieces = [b"", *(whole[at : at + 777] for at in range(0, len(whole), 777))]
    wanted = {"sha256:" + sha256(content).hexdigest() for content in (b"x" * 5000, b"{}")}
    assert digests_in(pieces) == wanted
    with pytest.raises(tarfile.TarError):
        digests_in([whole[:2000]])


def test_changes():
    """Docker's numbers for added, changed and deleted, and the kinds of files by their modes."""
    modes = [(0o644, "file"), (1 << 31, "directory"), (1 << 27, "link"), (1 << 25, "other")]
    assert [to_change({"Kind": 1, "Path": "/x"}, {"mode": mode, "size": 3}).kind for mode, _ in modes] == [
        kind for _, kind in modes
    ]
    assert [to_change({"Kind": kind, "Path": "/x"}, None).what for kind in (0, 1, 2)] == ["C", "A", "D"]


def test_what_a_lab_has_on_each_host():
    """A host is asked for what the lab has there, and not for what another one has."""
    definition = lab(
        """
        hosts: {vm0: , vm1: }
        images: {web: {from: base, steps: [echo]}}
        containers: {a: {image: web, host: vm0}, b: {image: other, host: vm1}}
        """
    )
    assert _of_lab(definition, "vm0") == ["web", "base", "a"]
    assert _of_lab(definition, "vm1") == ["other", "b"]
    assert _of_lab(definition, "ssh://somewhere") == ["web", "base", "web", "other", "a", "b"]
    assert _of_lab(None, "vm0") == []
