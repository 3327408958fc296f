"""The parts of SSH that need no server: configuration, host keys, and connections that fail."""

import getpass
import socket
import threading
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from dockerlab.errors import ConnectError, HostKeyError, UsageError
from dockerlab.hosts.address import SshOptions, parse_address
from dockerlab.hosts.hostkeys import known_keys, preferred, verify
from dockerlab.hosts.ssh import SshHost
from dockerlab.hosts.sshconfig import IDENTITIES, Hop, hashes_names, route
from dockerlab.hosts.sshconnect import _proxied


@pytest.fixture
def hops(tmp_path):
    """Return the hops that a configuration gives for an address."""

    def give(text, where, **options):
        config = tmp_path / "config"
        config.write_text(text)
        return route(parse_address(where), SshOptions(config_file=str(config), **options))

    return give


def test_defaults(hops):
    """Without configuration, OpenSSH's defaults hold."""
    (hop,) = hops("", "vm0")
    assert (hop.hostname, hop.port, hop.user, hop.known_as) == ("vm0", 22, getpass.getuser(), "vm0")
    assert hop.identities == tuple(str(Path(path).expanduser()) for path in IDENTITIES)
    assert hop.known_hosts[0] == str(Path("~/.ssh/known_hosts").expanduser())
    assert "/etc/ssh/ssh_known_hosts" in hop.known_hosts
    assert (hop.agent, hop.only_identities, hop.accept_new, hop.timeout) == (True, False, False, 10.0)


def test_alias(hops):
    """An alias is resolved with all that the configuration says of it."""
    text = """
Host vm*
  HostName %h.lab.example
  User student
  Port 2222
  IdentityFile /keys/one
  IdentityFile /keys/two
  IdentitiesOnly yes
  UserKnownHostsFile /known/a /known/b
  ConnectTimeout 3
  StrictHostKeyChecking accept-new
"""
    (hop,) = hops(text, "vm0")
    assert (hop.hostname, hop.port, hop.user) == ("vm0.lab.example", 2222, "student")
    assert hop.known_as == "[vm0.lab.example]:2222"
    assert hop.identities == ("/keys/one", "/keys/two")
    assert hop.known_hosts[:2] == ("/known/a", "/known/b")
    assert (hop.only_identities, hop.accept_new, hop.timeout) == (True, True, 3.0)


def test_address_wins(hops):
    """User and port of the address win over the configuration."""
    (hop,) = hops("Host vm0\n User a\n Port 1\n", "ssh://b@vm0:2")
    assert (hop.user, hop.port) == ("b", 2)


def test_host_key_alias(hops):
    """HostKeyAlias is the name in known_hosts."""
    (hop,) = hops("Host vm0\n HostKeyAlias same\n Port 2222\n", "vm0")
    assert hop.known_as == "same"


def test_explicit_files(hops):
    """An explicit key and known_hosts file replace the agent and all others."""
    (hop,) = hops("Host *\n IdentityFile /x\n UserKnownHostsFile /y\n", "vm0", identity_file="/i", known_hosts="/k")
    assert (hop.identities, hop.known_hosts, hop.agent) == (("/i",), ("/k",), False)


def test_explicit_files_without_configuration(monkeypatch, tmp_path):
    """With an explicit key and known_hosts file the user's configuration is not even read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host *\n Port 99\n ProxyCommand nonsense\n")
    (hop,) = route(parse_address("vm0"), SshOptions("/i", "/k"))
    assert (hop.port, hop.proxy_command) == (22, None)
    (hop,) = route(parse_address("vm0"), SshOptions())
    assert hop.port == 99


def test_jumps(hops):
    """A chain of jumps is followed in order; the first may have jumps of its own, keys are each hop's own."""
    text = """
Host lab
  ProxyJump one,me@two:2200
Host one
  ProxyJump zero
  IdentityFile /keys/one
Host two
  ProxyJump never
"""
    found = hops(text, "lab", identity_file="/keys/lab")
    assert [hop.hostname for hop in found] == ["zero", "one", "two", "lab"]
    assert [hop.identities for hop in found][1::2] == [("/keys/one",), ("/keys/lab",)]
    assert (found[2].user, found[2].port) == ("me", 2200)


def test_jump_none(hops):
    """ProxyJump none means none."""
    assert len(hops("Host lab\n ProxyJump none\nHost *\n ProxyJump x\n", "lab")) == 1


def test_jump_circle(hops):
    """A circle of jumps is named."""
    with pytest.raises(UsageError, match="circle: a -> b -> a"):
        hops("Host a\n ProxyJump b\nHost b\n ProxyJump a\n", "a")


def test_proxy_command(hops):
    """ProxyCommand is expanded, and the shell's exec taken off."""
    (hop,) = hops("Host lab\n ProxyCommand exec nc %h %p %r\n", "ssh://me@lab:2222")
    assert hop.proxy_command == "nc lab 2222 me"


def test_begun_in_vain(tmp_path):
    """Why a connection could not be made ahead is told once, without another attempt; then it is tried again."""
    (tmp_path / "config").touch()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"ssh://root@127.0.0.1:{server.getsockname()[1]}"
        host = SshHost("h", parse_address(address), SshOptions(config_file=str(tmp_path / "config")))
        host.begin()
        for thread in [each for each in threading.enumerate() if each.name == "start docker"]:
            thread.join()
        server.listen()
        server.setblocking(False)
        with pytest.raises(ConnectError, match="refused") as first:
            host.run(["true"])
        with pytest.raises(BlockingIOError):
            server.accept()
    with pytest.raises(ConnectError, match="refused") as second:
        host.run(["true"])
    assert second.value is not first.value


def test_include(hops, tmp_path):
    """Included files are read, and what follows belongs to the block around the Include again."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.conf").write_text("Host vm0\n  Port 2201\nHost other\n  Port 1\n")
    text = f"Include {tmp_path}/more/*.conf\nUser everyone\nHost vm1\n  Port 2202\n"
    assert [(h.port, h.user) for h in (*hops(text, "vm0"), *hops(text, "vm1"))] == [
        (2201, "everyone"),
        (2202, "everyone"),
    ]


def test_include_circle(hops, tmp_path):
    """A file that includes itself is an error."""
    with pytest.raises(UsageError, match="levels of Include"):
        hops(f"Include {tmp_path}/config\n", "vm0")


def test_bad_configuration(hops, tmp_path):
    """A configuration that cannot be read is named."""
    with pytest.raises(UsageError, match="absent"):
        route(parse_address("vm0"), SshOptions(config_file=str(tmp_path / "absent")))
    with pytest.raises(UsageError, match="port 'x'"):
        hops("Host *\n Port x\n", "vm0")


@pytest.fixture(scope="module")
def key():
    return paramiko.ECDSAKey.generate()


@pytest.fixture(scope="module")
def other():
    return paramiko.ECDSAKey.generate()


def hop(file, name="vm0", *, accept=False):
    return Hop(
        "vm0", 22, "root", name, (str(file),), accept, (),
        agent=False, only_identities=True, timeout=1, hash_names=False,
    )  # fmt: skip


def line(names, key):
    return f"{names} {key.get_name()} {key.get_base64()}"


@pytest.mark.parametrize(
    ("names", "name", "listed"),
    [
        ("vm0", "vm0", True),
        ("vm1,vm0,192.0.2.1", "vm0", True),
        ("VM0", "vm0", True),
        ("vm*", "vm0", True),
        ("vm?", "vm0", True),
        ("*,!vm0", "vm0", False),
        ("vm1", "vm0", False),
        ("[vm0]:2222", "[vm0]:2222", True),
        ("[*]:2222", "[vm0]:2222", True),
        ("vm0", "[vm0]:2222", False),
        ("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=", "192.168.1.61", True),
        ("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=", "192.168.1.62", False),
        ("@cert-authority vm0", "vm0", False),
        ("# vm0", "vm0", False),
    ],
)
def test_known_names(tmp_path, key, names, name, listed):
    """Names are matched plainly, by wildcards, negated and hashed, as sshd(8) describes them."""
    file = tmp_path / "known"
    file.write_text(f"\n# comment\nbroken line\nvm9 {key.get_name()} not!base64\n{line(names, key)}\n")
    found = known_keys(hop(file, name))
    assert [known.place for known in found] == ([f"{file}:5"] if listed else [])


def test_no_file(tmp_path):
    """A file that does not exist lists nobody; one that cannot be read is an error."""
    assert known_keys(hop(tmp_path / "absent")) == ()
    with pytest.raises(HostKeyError, match="cannot read the host keys"):
        known_keys(hop(tmp_path))


def test_preferred(tmp_path, key):
    """The types that are known come first; an RSA key is known under its signatures' names."""
    types = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    file = tmp_path / "known"
    file.write_text(line("vm0", key))
    assert preferred(types, known_keys(hop(file)))[0] == "ecdsa-sha2-nistp256"
    file.write_text(line("vm0", paramiko.RSAKey.generate(2048)))
    assert preferred(types, known_keys(hop(file)))[:2] == ("rsa-sha2-512", "rsa-sha2-256")
    assert preferred(types, ()) == types


def test_verify(tmp_path, key, other):
    """The known key passes, also beside a changed one; another one does not, whatever is accepted."""
    file = tmp_path / "known"
    file.write_text(line("vm0", key) + "\n")
    verify("h", hop(file), key, known_keys(hop(file)))
    for accept in (False, True):
        with pytest.raises(HostKeyError, match="HAS CHANGED"):
            verify("h", hop(file, accept=accept), other, known_keys(hop(file)))
    file.write_text(line("vm0", key) + "\n" + line("vm0", other) + "\n")
    verify("h", hop(file), other, known_keys(hop(file)))


def test_record(tmp_path, key):
    """A new key is recorded in a new file that only its owner can read."""
    file = tmp_path / "new" / "known"
    verify("h", hop(file, accept=True), key, ())
    assert file.read_text() == line("vm0", key) + "\n"
    assert file.stat().st_mode & 0o777 == 0o600


def within(folder, file):
    """Return a hop whose file an inventory in a folder has chosen."""
    return replace(hop(file, accept=True), record_within=str(folder))


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("../.ssh/authorized_keys", "", "is not in its own folder"),
        ("../known_hosts", None, "is not in its own folder"),
        ("out/known_hosts", None, "is not in its own folder"),
        ("authorized_keys", None, "called known_hosts"),
        ("known_hosts", "ssh-ed25519 AAAA me@here\n", "known_hosts:1 is no line of known_hosts"),
        ("known_hosts", "# ours\n\n[default]\nkey = value\n", "known_hosts:3 is no line of known_hosts"),
        ("link_known_hosts", None, "is no plain file"),
    ],
)
def test_an_inventory_chooses_no_file_of_another_program(tmp_path, key, file, content, why):
    """A key is written to a file that an inventory names only where that is one of known_hosts in its own folder."""
    folder = tmp_path / "lab"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / ".ssh").mkdir()
    (folder / "out").symlink_to(tmp_path)
    (folder / "link_known_hosts").symlink_to(tmp_path / "precious")
    path = folder / file
    if content is not None:
        path.write_text(content)
    with pytest.raises(HostKeyError, match=why) as refused:
        verify("h", within(folder, path), key, ())
    assert "there is no file to record the key of root@vm0 in" in str(refused.value)
    assert (path.read_text() if path.exists() else None) == content
    assert not (tmp_path / "precious").exists()
    with pytest.raises(HostKeyError, match=why) as unknown:
        verify("h", replace(within(folder, path), accept_new=False), key, ())
    assert ">>" not in str(unknown.value), "nobody is told to write there by hand"


def test_a_file_beside_the_inventory(tmp_path, key, other):
    """Into a file of known_hosts lines in the inventory's folder a key is written, also below it."""
    for file in (tmp_path / "known_hosts", tmp_path / "keys" / "lab.known_hosts"):
        verify("h", within(tmp_path, file), key, ())
        verify("h", replace(within(tmp_path, file), known_as="vm9"), other, ())
        assert file.read_text() == line("vm0", key) + "\n" + line("vm9", other) + "\n"


def test_hashed_names(tmp_path, key, hops):
    """Where HashKnownHosts says so, of the user or else of the system, the name is written as its hash, and known."""
    system = tmp_path / "ssh_config"
    for text, whole, hashed in (
        ("HashKnownHosts yes\n", "", True), ("", "Host *\n HashKnownHosts yes\n", True), ("", "", False),
        ("HashKnownHosts no\n", "HashKnownHosts yes\n", False),
    ):  # fmt: skip
        system.write_text(whole)
        (mine,) = hops(text, "vm0")
        assert hashes_names(mine, str(system)) is hashed
    (apart,) = route(parse_address("vm0"), SshOptions(identity_file="/i", known_hosts="/k"))
    assert hashes_names(apart, str(system)) is False, "no configuration counts where all is given"
    file = tmp_path / "known"
    verify("h", replace(hop(file, accept=True), hash_names=True), key, ())
    assert file.read_text().startswith("|1|")
    assert "vm0" not in file.read_text()
    verify("h", hop(file), key, known_keys(hop(file)))


def test_a_proxy_command_with_an_open_quote(tmp_path):
    """A ProxyCommand that cannot be split into words is told as what it is."""
    config = tmp_path / "config"
    config.write_text('Host vm0\n ProxyCommand sh -c "nc %h %p\n')
    host = SshHost("vm0", parse_address("vm0"), SshOptions(config_file=str(config)))
    with pytest.raises((ConnectError, UsageError), match=r"ProxyCommand|cannot be read"):
        host.run(["true"])
    host.close()


@pytest.mark.parametrize("command", ['sh -c "nc %h', "nc 'x", "/nowhere/nc x", "''"])
def test_a_proxy_command_that_cannot_be_started(command):
    """Whatever a ProxyCommand is once names have been put in, it is told with its host, and as what it is."""
    with pytest.raises(ConnectError, match="h: ProxyCommand: cannot start"):
        _proxied("h", hop("known"), command)


def test_record_impossible(tmp_path, key):
    """A key that cannot be recorded is not accepted."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HostKeyError, match="cannot record"):
        verify("h", hop(tmp_path / "file" / "known", accept=True), key, ())
