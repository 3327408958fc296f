"""Addresses of hosts, and the files that hold them."""

import pytest

from dockerlab.errors import DefinitionError, UsageError
from dockerlab.hosts.address import Address, SshOptions, parse_address
from dockerlab.hosts.inventory import connect
from dockerlab.hosts.inventory_file import read_inventory
from dockerlab.hosts.local import LocalHost
from dockerlab.hosts.ssh import SshHost

NOTHING = SshOptions(identity_file="/nonexistent/id", known_hosts="/nonexistent/known")


@pytest.mark.parametrize(
    ("where", "address"),
    [
        ("ssh://vm0", Address("vm0")),
        ("ssh://root@192.168.22.61", Address("192.168.22.61", "root")),
        ("ssh://root@192.168.22.61:2222/", Address("192.168.22.61", "root", 2222)),
        ("ssh://[fe80::1%eth0]:22", Address("fe80::1%eth0", None, 22)),
        ("ssh://VM0", Address("VM0")),
        ("vm0", Address("vm0")),
        ("me@Lab_1.example.org", Address("Lab_1.example.org", "me")),
        ("::1", Address("::1")),
        ("LAB\\ann@vm0", Address("vm0", "LAB\\ann")),
    ],
)
def test_addresses(where, address):
    """URLs and aliases are read as ssh reads them; an alias keeps its capital letters."""
    assert parse_address(where) == address


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("http://vm0", "http:// is not supported"),
        ("tcp://vm0:2375", "tcp:// is not supported"),
        ("ssh://", "'' is no host name"),
        ("", "'' is no host name"),
        ("ssh://vm0:port", "Port could not be cast"),
        ("ssh://vm0:99999", "Port out of range"),
        ("ssh://vm0/path", "nothing may follow"),
        ("ssh://vm0?x=1", "nothing may follow"),
        ("vm0:22", "needs the form ssh://vm0:22"),
        ("-oProxyCommand=touch x", "is no host name"),
        ("ssh://-oProxyCommand=x", "is no host name"),
        ("ssh://-l@vm0", "'-l' is no user name"),
        ("two words", "is no host name"),
        ("vm0;id", "is no host name"),
        ("$(id)", "is no host name"),
        ("vm0\n", "is no host name"),
        ("@vm0", "'' is no user name"),
        ("ssh://x\\@vm0", "is no user name"),
        ("ssh://\\x@vm0", "is no user name"),
    ],
)
def test_bad_addresses(where, reason):
    """What is no address is refused with what would be right."""
    with pytest.raises(UsageError) as error:
        parse_address(where)
    assert reason in str(error.value)
    assert "ssh://" in str(error.value)


def test_password_in_an_address():
    """A password in an address is refused and not shown."""
    with pytest.raises(UsageError, match="a password in an address") as error:
        parse_address("ssh://root:hunter2@vm0")
    assert "hunter2" not in str(error.value)
    assert "'ssh://root:***@vm0'" in str(error.value)


def test_password_is_not_shown():
    """A password is absent from the options' representation."""
    assert "hunter2" not in repr(SshOptions(password="hunter2"))


@pytest.mark.parametrize("where", [None, "local"])
def test_connect_local(where):
    """No address, or `local`, is this machine."""
    host = connect("vm0", where, NOTHING)
    assert isinstance(host, LocalHost)
    assert host.name == "vm0"


def test_connect_ssh():
    """An SSH address is a host that is not yet connected to."""
    host = connect("vm0", "ssh://root@192.0.2.1:2222", NOTHING)
    assert isinstance(host, SshHost)
    assert (host.name, host.address) == ("vm0", "192.0.2.1")
    host.close()


def test_connect_bad():
    """A bad address is found before anything is connected."""
    with pytest.raises(UsageError, match="ftp:// is not supported"):
        connect("vm0", "ftp://vm0", NOTHING)


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        file = tmp_path / "inventory.yaml"
        file.write_text(text)
        return file

    return write_file


def test_inventory(write, tmp_path):
    """An inventory gives addresses, and keys relative to itself."""
    file = write(
        """
hosts:
  vm0: ssh://root@127.0.0.1:2201
  vm1: alias
  here: local
identity_file: keys/id
known_hosts: /etc/known
"""
    )
    inventory = read_inventory(file)
    assert inventory.addresses == {"vm0": "ssh://root@127.0.0.1:2201", "vm1": "alias", "here": "local"}
    options = inventory.options(SshOptions(accept_new_host_keys=True, known_hosts="mine"))
    assert options == SshOptions(
        str(tmp_path / "keys/id"), "/etc/known", accept_new_host_keys=True, record_within=str(tmp_path)
    )


def test_inventory_without_keys(write):
    """Without keys of its own an inventory leaves the options as they are."""
    options = SshOptions("id", "known")
    assert read_inventory(write("hosts: {vm0: vm0}")).options(options) == options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: hosts: missing"),
        ("hosts: vm0", "1:8: hosts: must be a mapping"),
        ("- vm0", "1:1: must be a mapping"),
        ("hosts:\n  vm0: http://x", "2:8: hosts.vm0: 'http://x': http:// is not supported"),
        ("hosts:\n  vm0: [a]", "2:8: hosts.vm0: must be text"),
        ("hosts:\n  vm0:\n", "2:7: hosts.vm0: must be text"),
        ("hosts: {vm0: a, vm0: b}", "1:17: hosts.vm0: stands here twice"),
        ("hosts: {}\nhost: x", "2:1: host: unknown key"),
        ("hosts: {vm0: !!python/object:os.system x}", "1:14: hosts.vm0: must be text"),
        ("hosts:\n\tvm0: a", "2:1: not YAML"),
    ],
)
def test_inventory_mistakes(write, text, message):
    """Every mistake is located."""
    file = write(text)
    with pytest.raises(DefinitionError) as error:
        read_inventory(file)
    assert f"{file}:{message}" in str(error.value)


def test_all_mistakes_at_once(write):
    """All mistakes are reported together, in the order of the file."""
    with pytest.raises(DefinitionError) as error:
        read_inventory(write("hosts:\n  a: x://\n  b: y z\nlan: 1\n"))
    assert [problem.path for problem in error.value.problems] == ["hosts.a", "hosts.b", "lan"]


def test_no_inventory(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(UsageError, match=r"absent\.yaml"):
        read_inventory(tmp_path / "absent.yaml")
