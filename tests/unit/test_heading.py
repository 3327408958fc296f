"""The name and the hosts of a definition, read alone."""

import pytest

from dockerlab.cli.loading import name_and_hosts
from dockerlab.cli.places import HERE, Places
from dockerlab.compose.recognised import is_compose
from dockerlab.errors import DefinitionError
from dockerlab.lab.catalog import find, known
from dockerlab.lab.heading import Heading, heading
from dockerlab.lab.texts import text_of
from dockerlab.modes import definition


def of(text):
    return heading(text, "x.yaml")


def test_as_the_whole_definition_has_it():
    """Of every packaged lab, the heading is what the whole definition says, and it can be read alone."""
    for name in known():
        path = find(name)
        text = text_of(path)
        if is_compose(text, str(path)):
            continue
        found, whole = heading(text, str(path)), definition(path).lab
        assert found == Heading(whole.name, whole.addresses)


def test_plain_words():
    """Hosts are told as they stand there: by an address, nothing, or a mapping; without any it is this machine."""
    assert of("name: a") == Heading("a", {"local": "local"})
    assert of("name: a\nhosts:") == Heading("a", {"local": "local"})
    text = "name: a-1\nhosts: {one: ssh://root@h:22, two: , three: {address: local}, four: {sysctls: {}}}"
    assert of(text) == Heading("a-1", {"one": "ssh://root@h:22", "two": None, "three": "local", "four": None})


@pytest.mark.parametrize(
    "text",
    [
        'name: "{{ course }}"\nvars: {course: a}',
        'name: a\nvars: {at: h}\nhosts: {one: "ssh://{{ at }}"}',
        "title: none",
        "name: 5",
        "name: Upper",
        f"name: {'a' * 41}",
        "name: a\nname: b",
        "name: a\nhosts: {}",
        "name: a\nhosts: [one]",
        "name: a\nhosts: {one: 5}",
        "name: a\nhosts: {-one: }",
        "name: a\nhosts: {one: ssh://}",
        "name: a\nhosts: {one: ftp://h}",
        "name: !!str a",
    ],
)
def test_what_is_worked_out_or_wrong(text):
    """Where the name or a host is worked out, or wrong, the whole definition has to be read."""
    assert of(text) is None


def test_no_yaml():
    """What is no YAML is told with its place, as when all of it is read."""
    with pytest.raises(DefinitionError, match=r"x\.yaml:1:8"):
        of("name: [")


def test_wrong_elsewhere(tmp_path):
    """To find or remove what was made, a definition's name and hosts are enough: what else is wrong hinders nobody."""
    file = tmp_path / "lab.yaml"
    file.write_text("name: demo\nhosts: {vm0: ssh://root@192.0.2.1}\ncontainers: {web: {imag: x}}\n")
    found = name_and_hosts(str(file), None, HERE)
    assert found == ("demo", {"vm0": "ssh://root@192.0.2.1"})
    assert name_and_hosts(str(file), ["ssh://h"], HERE) == ("demo", {"h": "ssh://h"})


def test_wrong_there(tmp_path):
    """A file whose name is wrong is refused, with all that is wrong in it."""
    file = tmp_path / "lab.yaml"
    file.write_text("name: Demo\ncontainers: {web: {imag: x}}\n")
    with pytest.raises(DefinitionError) as error:
        name_and_hosts(str(file), None, HERE)
    assert "is no name for a lab" in str(error.value)
    assert "imag" in str(error.value)


def test_worked_out(tmp_path):
    """A name that is worked out is that of the whole definition."""
    file = tmp_path / "lab.yaml"
    file.write_text('name: "{{ who }}-lab"\nvars: {who: ada}\ncontainers: {web: {image: x, network_mode: none}}\n')
    assert name_and_hosts(str(file), None, HERE) == ("ada-lab", {"local": "local"})


def test_a_name_alone():
    """A word that no file and no packaged lab has is a lab's name; its hosts are those of the call."""
    assert name_and_hosts("nobodys", None, HERE) == ("nobodys", {"local": "local"})
    assert name_and_hosts("nobodys", None, Places(sandbox=True)) == ("nobodys", {})
