"""Where a lab's hosts are: by the definition, by an inventory, by the sandbox."""

import pytest

from dockerlab.errors import UsageError
from dockerlab.hosts.inventory import Inventory
from dockerlab.hosts.local import LocalHost
from dockerlab.session import Whereabouts, enough, find_inventory, open_session, place_hosts

TWO = Inventory(addresses={"vm0": "ssh://root@10.0.0.1", "vm1": "ssh://root@10.0.0.2"})


def test_by_name():
    """A host that the inventory knows by name is that one."""
    assert place_hosts({"vm1": None, "vm0": "elsewhere"}, TWO) == {
        "vm1": "ssh://root@10.0.0.2",
        "vm0": "ssh://root@10.0.0.1",
    }


def test_left_over():
    """Hosts of other names take what is left over, in the inventory's order."""
    assert place_hosts({"left": None, "right": None}, TWO) == {
        "left": "ssh://root@10.0.0.1",
        "right": "ssh://root@10.0.0.2",
    }
    assert place_hosts({"left": None, "vm0": None}, TWO) == {
        "left": "ssh://root@10.0.0.2",
        "vm0": "ssh://root@10.0.0.1",
    }


def test_all_of_them():
    """Without names every host of the inventory is meant."""
    assert place_hosts({}, TWO) == dict(TWO.addresses)


def test_too_few():
    """A host for which there is no place is an error that says how many are wanted and what there is."""
    with pytest.raises(UsageError, match=r"no place for host c: the lab wants 3 hosts, and there are vm0, vm1"):
        place_hosts({"a": None, "b": None, "c": None}, TWO)


def test_two_answers(tmp_path):
    """A sandbox and an inventory at once contradict each other."""
    with pytest.raises(UsageError, match="leave one out"):
        find_inventory(Whereabouts(sandbox=True, inventory=tmp_path / "x"), 2, print)


def test_no_answer():
    """Where the call says nothing, the definition's own addresses count."""
    assert find_inventory(Whereabouts(), 2, print) is None


def test_open_and_close():
    """The hosts of a session are open inside it and named as in the lab; the controller is this machine."""
    with open_session({"here": "local"}, Whereabouts(), print) as session:
        assert isinstance(session.hosts["here"], LocalHost)
        assert session.hosts["here"].name == "here"
        assert session.hosts["here"].run(["true"]).ok
        assert session.controller.address is None
        assert session.controller.run(["true"]).ok


def test_inventory_of_the_call(tmp_path):
    """An inventory file of the call says where hosts are, whatever the definition says."""
    path = tmp_path / "inventory.yaml"
    path.write_text("hosts:\n  vm0: local\n")
    with open_session({"vm0": "ssh://root@192.0.2.1"}, Whereabouts(inventory=path), print) as session:
        assert isinstance(session.hosts["vm0"], LocalHost)


@pytest.mark.parametrize(
    ("wanted", "there", "hosts"),
    [(0, 0, 2), (1, 0, 2), (3, 0, 3), (0, 1, 1), (1, 1, 1), (2, 1, 2), (0, 4, 4), (2, 4, 4)],
)
def test_how_many_hosts_a_sandbox_has(wanted, there, hosts):
    """A look at a sandbox of one host starts no second one; a lab of two hosts does."""
    assert enough(wanted, there) == hosts
