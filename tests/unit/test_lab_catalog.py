"""A lab is found by path or by name."""

from __future__ import annotations

import pytest

from dockerlab.errors import UsageError
from dockerlab.lab import catalog


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """A checkout with one example and two labs, and an empty working directory."""
    for name in ("examples/macvlan.yaml", "labs/05-macvlan/lab.yaml", "labs/06-overlay/lab.yaml"):
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"name: x\ntitle: About {path.stem}\n")
    monkeypatch.setattr(catalog, "PACKAGE", tmp_path / "checkout" / "dockerlab")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "checkout"


@pytest.mark.parametrize(
    ("lab", "path"),
    [
        ("macvlan", "examples/macvlan.yaml"),
        ("05-macvlan", "labs/05-macvlan/lab.yaml"),
        ("06", "labs/06-overlay/lab.yaml"),
    ],
)
def test_name(packaged, lab, path):
    """An example has its file's name; a lab its folder's, or the number that it begins with."""
    assert catalog.find(lab) == packaged / path


def test_path(packaged, tmp_path):
    """A path that exists is taken as it is, and a directory stands for its lab.yaml."""
    assert catalog.find(str(packaged / "examples/macvlan.yaml")) == packaged / "examples/macvlan.yaml"
    assert catalog.find(str(packaged / "labs/05-macvlan")) == packaged / "labs/05-macvlan/lab.yaml"
    (tmp_path / "here/macvlan").mkdir()
    assert catalog.find("macvlan") == packaged / "examples/macvlan.yaml"


@pytest.mark.usefixtures("packaged")
def test_unknown():
    """An unknown name is refused, with what may have been meant or what there is."""
    with pytest.raises(UsageError, match="did you mean macvlan"):
        catalog.find("macvlam")
    with pytest.raises(UsageError, match="known: macvlan, 05-macvlan, 06-overlay"):
        catalog.find("q")


def test_names(packaged):
    """The list has every name with its title, the installed data first where there are some."""
    assert catalog.names() == [("macvlan", "About macvlan"), ("05-macvlan", "About lab"), ("06-overlay", "About lab")]
    (packaged / "dockerlab/_data/examples").mkdir(parents=True)
    (packaged / "dockerlab/_data/labs").mkdir()
    assert catalog.names() == []
