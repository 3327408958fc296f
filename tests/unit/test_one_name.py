"""A host has one name in all that is said of it: the one by which somebody enters it."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from dockerlab.classroom.plain import folder_of
from dockerlab.cli import loading
from dockerlab.cli.app import app
from dockerlab.cli.completion import ends
from dockerlab.cli.places import HERE, VARIABLE, Places
from dockerlab.hosts.inventory import Inventory
from dockerlab.session import place_hosts

SANDBOX = Places(sandbox=True)
LAB = """\
name: one
containers: {web: {host: local}, side: {}}
networks: {front: {hosts: [local]}}
images: {page: {from: dockerlab/node, hosts: [local], steps: ["true"]}}
expect:
  - {from: web, to: local, reachable: false}
  - {from: local, to: "gateway:bridge@local", reachable: true}
"""


@pytest.fixture
def file(tmp_path):
    """A lab of this machine, which speaks of it wherever a definition can."""
    path = tmp_path / "one.yaml"
    path.write_text(LAB)
    return path


@pytest.fixture
def inventory(tmp_path):
    path = tmp_path / "inventory.yaml"
    path.write_text("hosts: {desk7: ssh://root@192.0.2.7, desk8: ssh://root@192.0.2.8}\n")
    return path


def of(file, where):
    return loading.load_lab(str(file), None, where)


def test_this_machine_is_local(file):
    """Where nothing is said of hosts, a lab without `hosts` is this machine's, and that is `local`."""
    assert of(file, HERE).addresses == {"local": "local"}


def test_in_the_sandbox(file):
    """In the sandbox it is vm0's, as `sandbox ssh` and `status` call it, wherever the definition speaks of it."""
    lab = of(file, SANDBOX)
    assert lab.addresses == {"vm0": None}
    assert (lab.host_of("web"), lab.host_of("side"), lab.hosts_of("front")) == ("vm0", "vm0", ("vm0",))
    assert lab.images["page"].hosts == ("vm0",)
    assert [(each.source, each.to) for each in lab.expect] == [("web", "vm0"), ("vm0", "gateway:bridge@vm0")]
    assert place_hosts(lab.addresses, Inventory({"vm0": "ssh://a", "vm1": "ssh://b"})) == {"vm0": "ssh://a"}


def test_by_an_inventory(file, inventory):
    """By an inventory it is the first host's there, and has its name; a host of the name `local` there keeps it."""
    assert list(of(file, Places(inventory=inventory)).hosts) == ["desk7"]
    inventory.write_text("hosts: {desk7: ssh://root@192.0.2.7, local: ssh://root@192.0.2.8}\n")
    assert list(of(file, Places(inventory=inventory)).hosts) == ["local"]


def test_beside_others(tmp_path):
    """Where other hosts of the definition have names of the sandbox's, this machine is the first that is left."""
    path = tmp_path / "two.yaml"
    path.write_text("name: two\nhosts: {vm0: , local: local}\ncontainers: {a: {host: local}, b: {host: vm0}}\n")
    lab = of(path, SANDBOX)
    assert list(lab.hosts) == ["vm0", "vm1"]
    assert lab.host_of("a") == "vm1"


def test_to_remove_it(file):
    """What needs no more of a definition than its hosts has the same names for them."""
    assert loading.name_and_hosts(str(file), None, SANDBOX) == ("one", {"vm0": None})
    assert loading.name_and_hosts("user-bridge", None, SANDBOX) == ("user-bridge", {"vm0": None})


@pytest.mark.parametrize("value", ["1", "anna"])
def test_where_no_host_is_asked(value, monkeypatch):
    """What asks no host speaks of it as the sandbox does where the environment names that for all calls."""
    call = ["render", "bridge"]
    assert "the part of host local" in CliRunner().invoke(app, call).output
    monkeypatch.setenv(VARIABLE, value)
    assert "the part of host vm0" in CliRunner().invoke(app, call).output


def test_what_is_offered(monkeypatch):
    """The shell offers the name that holds where the hosts are."""
    here, there = ({"lab": "bridge", "sandbox": said} for said in (False, True))
    assert ends(SimpleNamespace(params=there), "") == ["centos_v1", "centos_v2", "vm0"]
    assert ends(SimpleNamespace(params=here), "l") == ["local"]
    monkeypatch.setenv(VARIABLE, "1")
    assert ends(SimpleNamespace(params=here), "v") == ["vm0"]


def test_of_a_class():
    """A lab that a class works on in the browser is on the hosts whose terminals are on the page."""
    path = Path(__file__).parents[2] / "examples" / "user-bridge.yaml"
    assert list(folder_of(path).lab.hosts) == ["vm0"]
