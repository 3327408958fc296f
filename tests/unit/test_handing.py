"""What a definition takes from the environment of its caller: named, and asked for."""

import os
import sys

import pytest

from dockerlab import modes
from dockerlab.cli import main
from dockerlab.cli.handing import OPTION, agree, handed
from dockerlab.compose.options import Options
from dockerlab.errors import UsageError
from dockerlab.lab.catalog import find

TEXT = """\
name: lab
hosts: {vm0: ssh://vm0, vm1: ssh://vm1}
containers:
  a: {host: vm0, network_mode: none, environment: {TOKEN: , OWN: mine}, env_file: [given.env]}
  b: {host: vm1, network_mode: none, environment: {TOKEN: , OTHER: }}
"""
WANTED = {"TOKEN": ("vm0", "vm1"), "OTHER": ("vm1",)}


@pytest.fixture
def file(tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "given.env").write_text("FROM_FILE=theirs\n")
    path = folder / "lab.yaml"
    path.write_text(TEXT)
    return path


def nobody():
    raise AssertionError("nobody is to be asked")


def test_what_is_taken(file):
    """Each variable that the caller has is told with the hosts of its containers; what a file gives is not taken."""
    lab = modes.definition(file).lab
    there = {"TOKEN": "s3cret", "OTHER": "x", "OWN": "not this", "FROM_FILE": "nor this", "UNRELATED": "y"}
    assert handed(lab, there) == WANTED
    assert handed(lab, {}) == {}


def test_what_a_compose_file_fills_in(tmp_path):
    """What `${…}` takes is told as well, also by way of a file of variables; what such a file sets itself is not."""
    (tmp_path / ".env").write_text("OF_FILE=1\nBOTH=${BY_WAY}\n")
    (tmp_path / "other.yaml").write_text("services: {c: {image: 'i:${INCLUDED}'}}\n")
    path = tmp_path / "compose.yaml"
    path.write_text(
        "include: [other.yaml]\n"
        "services: {a: {image: 'i:${TAG:-1}', environment: [T, 'U=${OF_FILE}']}, b: {image: 'x:${BOTH}'}}\n"
    )
    there = dict.fromkeys(("TAG", "BY_WAY", "INCLUDED", "T", "UNRELATED"), "s")
    lab = modes.definition(path, options=Options(environment=there)).lab
    assert handed(lab, there) == dict.fromkeys(("T", "BY_WAY", "INCLUDED", "TAG"), ("local",))


def test_a_definition_from_elsewhere(file, tmp_path, capsys):
    """Each variable is named; a person is asked once for a file, its variables and hosts, and again for others."""
    asked = []

    def yes():
        asked.append(1)
        return "y\n"

    for wanted, read, count in ((WANTED, yes, 1), (WANTED, nobody, 1), (WANTED | {"MORE": ("vm0",)}, yes, 2)):
        agree(wanted, [file], "", tmp_path / "state", read, allowed=False)
        assert len(asked) == count
    said = capsys.readouterr().err
    assert said.count("note: TOKEN of your environment goes to vm0, vm1\n") == 3
    assert (
        f"{file}: not in the folder of this call, and takes TOKEN, OTHER from your environment. Give it? [y/n]" in said
    )
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    agree(WANTED, [file], " of the sandbox", tmp_path / "state", yes, allowed=False)
    assert len(asked) == 3, "the same names may be other hosts"


def test_who_says_no(file, tmp_path):
    """Without a yes nothing goes, and nothing is remembered; without a person, the option is named."""
    for answer in ("n\n", "", "yep\n"):
        with pytest.raises(UsageError, match="nothing was touched"):
            agree(WANTED, [file], "", tmp_path / "state", lambda said=answer: said, allowed=False)
    with pytest.raises(UsageError, match=OPTION):
        agree(WANTED, [file], "", tmp_path / "state", None, allowed=False)
    assert not (tmp_path / "state").exists()
    agree(WANTED, [file], "", tmp_path / "state", None, allowed=True)


def test_a_definition_of_ones_own(file, tmp_path, monkeypatch):
    """In the folder of the call nobody is asked, unless others can write there; one more file has to be one's own."""
    monkeypatch.chdir(file.parent)
    agree(WANTED, [file], "", tmp_path / "state", nobody, allowed=False)
    agree(WANTED, [find("macvlan")], "", tmp_path / "state", nobody, allowed=False)
    other = tmp_path / "over.yaml"
    other.touch()
    with pytest.raises(UsageError, match=str(other)):
        agree(WANTED, [file, other], "", tmp_path / "state", None, allowed=False)
    file.parent.chmod(0o777)
    with pytest.raises(UsageError, match=OPTION):
        agree(WANTED, [file], "", tmp_path / "state", None, allowed=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user can only be had by root")
def test_a_definition_of_another_user(file, tmp_path, monkeypatch):
    """A file of somebody else's in the folder of the call is not one's own."""
    monkeypatch.chdir(file.parent)
    os.chown(file, 65534, 65534)
    with pytest.raises(UsageError, match=OPTION):
        agree(WANTED, [file], "", tmp_path / "state", None, allowed=False)


@pytest.fixture
def exercise(tmp_path, monkeypatch):
    """Give the folder of an exercise that takes a variable, where nobody is there to be asked."""
    folder = tmp_path / "ex"
    folder.mkdir()
    (folder / "lab.yaml").write_text("name: ex\ncontainers: {a: {network_mode: none, environment: {TOKEN: }}}\n")
    (folder / "README.md").write_text("# An exercise\n\nIts aim.\n\n## 1 · One\n\nDo it.\n")
    (folder / "exercise.yaml").write_text("steps:\n- title: One\n  checks: [{lab: [all]}]\n")
    monkeypatch.setenv("TOKEN", "s3cret")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "stdin", None)
    return folder


@pytest.mark.parametrize("words", [("exercise", "start"), ("class", "serve", "--students", "2", "--port", "0")])
def test_an_exercise_from_elsewhere(exercise, monkeypatch, capsys, words):
    """An exercise in a folder of somebody's is asked for like a definition, before any host is, for a class as well."""
    monkeypatch.setattr("dockerlab.cli.class_._make", lambda *_, **__: pytest.fail("something is made"))
    monkeypatch.setattr(sys, "argv", ["dockerlab", *words[:2], str(exercise), *words[2:]])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2, said
    assert "note: TOKEN of your environment goes to local" in said
    assert OPTION in said
