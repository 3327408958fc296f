"""A container's own hostname in its hosts file, which is read before any name server is asked."""

import pytest
from support.labs import lab

from dockerlab.reach import matrix, worlds
from dockerlab.versions import named

HOSTNAMES = """
networks:
  front: {subnet: [10.1.0.0/24, "fd00:1::/64"]}
  back: {subnet: 10.2.0.0/24}
  wide: {subnet: 10.3.0.0/24, internal: true}
containers:
  app: {networks: [front, back], hostname: Web.lab, domainname: example, extra_hosts: {db: 10.2.0.20}}
  side: {network_mode: "container:app"}
  web: {networks: [front]}
  peer: {networks: [front]}
  db: {networks: {back: {ip: 10.2.0.20}}, hostname: db}
  apart: {networks: [wide], hostname: web}
  old: {hostname: other}
  elder: {network_mode: "container:old"}
  other: {}
  own: {hostname: own}
  joined: {network_mode: "container:own"}
  twin: {networks: [back], hostname: pair}
  pair: {networks: [back]}
  bare: {network_mode: host, hostname: other}
  lone: {network_mode: none, hostname: web}
"""


@pytest.mark.parametrize("engine", ["20.10.24", "28.5.2", "29.8.0"])
@pytest.mark.parametrize(
    ("source", "to", "name", "expected"),
    [
        # Up to its first dot a hostname is a name as well; it is read before Docker's DNS, which knows the other one.
        ("app", "web", "web", (False, "hosts-file", "wrong answerer")),
        ("side", "web", "web", (False, "hosts-file", "wrong answerer")),
        ("peer", "web", "web", (True, "dns-shared-network", None)),
        ("apart", "web", "web", (False, "hosts-file", "wrong answerer")),
        ("side", "app", "app", (True, "dns-shared-network", None)),
        # On docker0, where no name server knows any container, it is the only name that there is.
        ("old", "other", "other", (False, "hosts-file", "wrong answerer")),
        ("elder", "other", "other", (False, "hosts-file", "wrong answerer")),
        ("joined", "own", "own", (True, "hosts-file", None)),
        ("other", "old", "old", (False, "dns-default-bridge", "no such name")),
        # Of a name that two have on one network either's address is right; the hosts file gives its own container's.
        ("twin", "pair", "pair", (True, "hosts-file", None)),
        ("pair", "twin", "pair", (True, "dns-shared-network", None)),
        # A line that was given stands there as well.
        ("app", "db", "db", (True, "hosts-file", None)),
        # In host mode the file is the host's, and without a network there is no address to write into it.
        ("bare", "other", "other", (False, "dns-host-mode", "no such name")),
        ("lone", "web", "web", (False, "none", "no route")),
    ],
)
def test_a_containers_own_hostname(engine, source, to, name, expected):
    """A hosts file has its container's own addresses under its hostname, for it and for who shares its namespace."""
    found = told_of_names(HOSTNAMES, engine)[source, to, name]
    assert (found.reachable, found.rule) == expected[:2]
    assert found.symptom in (expected[2], None)


def test_a_hostname_is_told_as_what_it_is():
    """What is said of such a name names the file, the address, and whose hostname it is."""
    world = worlds.offline(lab(HOSTNAMES), named("28.5.2"))
    cell, found = next((c, e) for c, e in matrix(world) if (c.source, c.to, c.target) == ("side", "web", "web"))
    address = next(str(address) for _, address in world.people.addresses["app"])
    assert found.because(cell) == (
        f"/etc/hosts of side says that web is {address}, by the hostname of app, and is read before a name server is "
        "asked; web has another address"
    )


def test_a_hostname_of_many():
    """Containers of one kind fare alike but for their own hostnames, each of which is told of by itself."""
    boxes = "".join(f"  b{each}: {{hostname: b{(each + 1) % 4}}}\n" for each in range(4))
    found = told_of_names(f"containers:\n{boxes}", "28.5.2")
    lost = {key[:2] for key, said in found.items() if said.rule == "hosts-file"}
    assert lost == {(f"b{each}", f"b{(each + 1) % 4}") for each in range(4)}
    assert {said.rule for key, said in found.items() if key[:2] not in lost} == {"dns-default-bridge"}


def told_of_names(text, engine):
    """Return what is said of each question for a name, by who asks whom for which."""
    rows = matrix(worlds.offline(lab(text), named(engine)))
    return {(cell.source, cell.to, cell.target): said for cell, said in rows if cell.probe == "dns"}
