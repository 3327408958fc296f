"""Keys of an engine's own settings: written as the engine has them, and what follows from them offline."""

import json

import pytest
from support.labs import lab

from dockerlab.errors import DefinitionError
from dockerlab.imagined.books import books
from dockerlab.imagined.networks import given_by, unlike
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.lint import misleading
from dockerlab.reach import worlds
from dockerlab.snapshot import BINDING, MTU

LAB = """
    hosts:
      vm0:
        daemon: {%s}
    networks: {n: {}}
    containers:
      web: {networks: [n]}
      plain: {ports: ["8080:80"]}
"""


def said(text):
    """Return a lab with these settings, and vm0's books by it."""
    definition = lab(LAB % text)
    return definition, books(definition, {"vm0": "29.0"}, None)["vm0"]


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("allow-direct-routing", "true", True),
        ("bip6", '"2001:db8::1/64"', "2001:db8::1/64"),
        ("bridge-accept-fwmark", "0x1/0x3", "0x1/0x3"),
        ("default-network-opts", "{bridge: {a: 1}}", {"bridge": {"a": "1"}}),
        ("dns-opts", "['ndots:1']", ["ndots:1"]),
        ("dns-search", "[lab]", ["lab"]),
        ("firewall-backend", "nftables", "nftables"),
        ("host-gateway-ips", "[10.0.0.1, 'fd00::1']", ["10.0.0.1", "fd00::1"]),
        ("ip", "127.0.0.1", "127.0.0.1"),
        ("ip-forward", "false", False),
        ("ip-forward-no-drop", "true", True),
        ("ip6tables", "false", False),
        ("iptables", "false", False),
        ("registry-mirrors", "['https://mirror.example']", ["https://mirror.example"]),
        ("registry-mirrors", "['http://[fd00::1]:5000/']", ["http://[fd00::1]:5000/"]),
    ],
)
def test_written(key, value, written):
    """A key stands in daemon.json as the engine reads it."""
    definition, _ = said(f"{key}: {value}")
    assert definition.daemons["vm0"].settings() == {key: written}


@pytest.mark.parametrize("mirror", ["mirror.example", "ftp://a", "https://me:secret@a", "https://a/b", "https://a?b"])
def test_no_mirror(mirror):
    """What no engine would start with is told as what it is, with its place."""
    with pytest.raises(DefinitionError, match=r"registry-mirrors\[0\]: .* is no address of a mirror"):
        said(f"registry-mirrors: ['{mirror}']")


TUTORIAL = {
    "registry-mirrors": ["https://mirror.example"],
    "bip": "192.168.1.5/24",
    "fixed-cidr": "192.168.1.5/25",
    "fixed-cidr-v6": "2001:db8::/64",
    "mtu": 1500,
    "default-gateway": "192.168.1.1",
    "default-gateway-v6": "2001:db8:abcd::89",
    "dns": ["114.114.114.114", "100.100.2.138"],
}
"""A daemon.json as it stands in a tutorial that many have read."""


def test_a_file_as_it_stands_somewhere():
    """Whoever has a daemon.json takes it for the section as it is; what counts for nothing there is told by lint."""
    definition, book = said(json.dumps(TUTORIAL)[1:-1])
    settings = definition.daemons["vm0"].settings()
    assert settings == {**TUTORIAL, "fixed-cidr": "192.168.1.0/25"}
    assert list(map(str, book.network("bridge").gateways)) == ["192.168.1.5"]
    assert [problem.path[-1] for problem in misleading(definition)] == ["fixed-cidr-v6", "default-gateway-v6"]


def test_published_on_one_address():
    """With `ip`, ports of docker0's containers are those of that address alone."""
    _, book = said("ip: 127.0.0.1")
    assert [port.host_ip for port in book.container("plain").published] == ["127.0.0.1"]
    assert book.network("bridge").options[BINDING] == "127.0.0.1"


def test_options_that_the_engine_gives():
    """A network that says nothing has the engine's options, and that is no difference."""
    definition, book = said("default-network-opts: {bridge: {com.docker.network.driver.mtu: 1400}}")
    state, spec = book.network("n"), definition.networks["n"]
    assert state.options[MTU] == "1400"
    assert list(unlike(spec, state)) != []
    assert list(unlike(spec, state, given_by(definition.daemons["vm0"], spec))) == []
    assert given_by(Daemon(), spec) == {}


def test_the_ipv6_address_of_docker0():
    """`bip6` with `ipv6` is docker0's subnet and gateway."""
    _, book = said('ipv6: true, bip6: "2001:db8::7/64"')
    assert "2001:db8::7" in book.network("bridge").gateways


def written(text):
    """Return by what the chains are kept in which an engine of 29 with these settings has written rules."""
    chains = worlds.offline(said(text)[0], "29.0").fabric.net.machines["vm0"].ground.ruleset.chains
    return {chain.backend for chain in chains if chain.rules}


def test_the_firewall():
    """Without `iptables` the engine writes no rule; with `firewall-backend` it writes them in nftables."""
    assert written("iptables: false, ip6tables: false") == set()
    assert written("firewall-backend: nftables") == {"nft"}
    assert written("icc: true") == {"iptables"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("iptables: false, icc: false", "`icc: false` is one"),
        ("host-gateway-ips: [10.0.0.1, 10.0.0.2]", "one address of each IP version"),
        ("bridge-accept-fwmark: one", "is not of the form"),
        ("firewall-backend: ipfw", "ipfw"),
    ],
)
def test_refused(text, words):
    """What the engine would not start with is told with its place."""
    with pytest.raises(DefinitionError) as caught:
        said(text)
    assert words in str(caught.value)
    assert "hosts.vm0.daemon" in str(caught.value)
