"""Which of an engine's firewall rules are gone, read from what iptables-save prints."""

from dataclasses import replace

import pytest
from dockerlab.verify.firewall import missing_rules
from support.labs import lab, running

NEW = """\
*filter
:FORWARD DROP [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER -d 172.31.1.2/32 ! -i br-net -o br-net -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER ! -i br-net -o br-net -j DROP
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-FORWARD -i br-net -j ACCEPT
COMMIT
*nat
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.31.1.0/24 ! -o br-net -j MASQUERADE
-A DOCKER ! -i br-net -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.31.1.2:80
COMMIT
"""
OLD = NEW.replace("-A FORWARD -j DOCKER-FORWARD", "-A FORWARD -j DOCKER-ISOLATION-STAGE-1").replace(
    "-A DOCKER-FORWARD -i", "-A FORWARD -i"
)
LAB = lab("""
    hosts: {h: local}
    networks: {net: {subnet: 172.31.1.0/24, driver_opts: {com.docker.network.bridge.name: br-net}}}
    containers: {web: {image: dockerlab/node, networks: [net], ports: ["8080:80"]}}
""")
SNAPSHOT = running(LAB).snapshots()["h"]


@pytest.mark.parametrize("rules", [NEW, OLD])
def test_all_there(rules):
    """Nothing is missing in what engines of both generations keep."""
    assert missing_rules(rules, SNAPSHOT) == []


def without(text, *parts):
    """Return the rules without those that have one of these parts."""
    return "".join(line for line in text.splitlines(keepends=True) if not any(part in line for part in parts))


@pytest.mark.parametrize(("gone", "named"), [
    ("-A FORWARD", "filter FORWARD: the jump to Docker's chains"),
    ("-i br-net -j ACCEPT", "filter: what lets network net (br-net) out"),
    ("PREROUTING", "nat PREROUTING: the jump to DOCKER"),
    ("172.31.1.0/24", "nat POSTROUTING: -s 172.31.1.0/24 ! -o br-net -j MASQUERADE"),
    ("DNAT", "nat DOCKER: --dport 8080 -j DNAT, the published port of web"),
])  # fmt: skip
def test_gone(gone, named):
    """Each rule that is gone is named by its table and chain, with what it is for."""
    assert named in missing_rules(without(NEW, gone), SNAPSHOT)


def test_what_is_not_wanted_is_not_missed():
    """A network without masquerading misses no MASQUERADE, and a container that does not run no port."""
    option = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    plain = [replace(n, options={**n.options, **option}) if n.name == "net" else n for n in SNAPSHOT.networks]
    stopped = [replace(c, running=False) for c in SNAPSHOT.containers]
    snapshot = replace(SNAPSHOT, networks=tuple(plain), containers=tuple(stopped))
    assert missing_rules(without(NEW, "172.31.1", "DNAT", "PREROUTING"), snapshot) == []


def test_an_internal_network():
    """What keeps an internal network inside is missed when it is gone."""
    inside = [replace(n, internal=True) if n.name == "net" else n for n in SNAPSHOT.networks]
    snapshot = replace(SNAPSHOT, networks=tuple(inside), containers=())
    drop = "-A DOCKER-INTERNAL ! -d 172.31.1.0/24 -i br-net -j DROP\n"
    assert missing_rules(NEW.replace("COMMIT", f"{drop}COMMIT", 1), snapshot) == []
    assert missing_rules(NEW, snapshot) == ["filter: what keeps the internal network net (br-net) inside"]
