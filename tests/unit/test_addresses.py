"""Where hosts are, as ssh and Ansible read it."""

import json
import subprocess

import pytest

from dockerlab.errors import UsageError
from dockerlab.hosts.inventory import Inventory
from dockerlab.report import addresses

FILES = {"identity_file": "/run/my keys/id", "known_hosts": "/run/known"}
HOSTS = Inventory({"vm0": "ssh://root@192.0.2.1:2222", "vm1": "ssh://[2001:db8::1]", "here": "local"}, **FILES)


def test_ssh_config(tmp_path):
    """ssh itself reads from it, for each host, where that is and which keys count; no other host is meant."""
    path = tmp_path / "config"
    path.write_text(addresses.as_ssh_config(HOSTS))

    def read(host):
        said = subprocess.run(["ssh", "-G", "-F", path, host], capture_output=True, text=True, check=True).stdout
        return dict(line.split(" ", 1) for line in said.splitlines())

    first, second = read("vm0"), read("vm1")
    assert (first["hostname"], first["user"], first["port"]) == ("192.0.2.1", "root", "2222")
    assert (first["identityfile"], first["identitiesonly"]) == ("/run/my keys/id", "yes")
    assert first["userknownhostsfile"] == "/run/known"
    assert (second["hostname"], second["port"]) == ("2001:db8::1", "22")
    assert read("other")["hostname"] == "other"
    assert "# here is this machine\n" in path.read_text()


def test_an_alias():
    """A name of the user's own configuration stays that: its section is there already."""
    assert addresses.as_ssh_config(Inventory({"vm0": "lab7"})) == "# vm0 is what your own configuration calls lab7\n"


def test_nothing_more_is_said():
    """A host's name or a file's that would be another line of the configuration is none."""
    assert addresses.as_ssh_config(Inventory({"a\nProxyCommand id": "ssh://b"})).count("\n") == 1
    with pytest.raises(UsageError, match="cannot be written into a configuration of ssh"):
        addresses.as_ssh_config(Inventory({"a": "ssh://b"}, identity_file="x\nProxyCommand id"))


def test_ansible():
    """Each host has what Ansible needs to reach it, and no more."""
    found = json.loads(addresses.as_ansible(HOSTS))["all"]["hosts"]
    assert found["here"] == {"ansible_connection": "local"}
    assert found["vm0"] == {
        "ansible_host": "192.0.2.1",
        "ansible_user": "root",
        "ansible_port": 2222,
        "ansible_ssh_private_key_file": "/run/my keys/id",
        "ansible_ssh_common_args": "-o UserKnownHostsFile=/run/known",
    }
    assert json.loads(addresses.as_ansible(Inventory({"vm0": "lab7"})))["all"]["hosts"]["vm0"] == {
        "ansible_host": "lab7"
    }


def test_table():
    """For people, a line for each host."""
    assert (
        addresses.as_table(Inventory({"vm0": "ssh://root@a", "local": "local"}))
        == "vm0    ssh://root@a\nlocal  local\n"
    )
