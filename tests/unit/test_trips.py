"""How often a host is gone to: each trip, and each program that is started there, takes time. Counted, not timed."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from support.labs import lab, who
from support.machinery import program_said
from support.strangers import Stranger, honest_agent, honest_engine

from dockerlab.discover.asking import ask
from dockerlab.discover.spot import defined
from dockerlab.hosts.base import ENGINE
from dockerlab.provision.down import Which, plan_down
from dockerlab.provision.proof import left
from dockerlab.provision.up import Wish, plan_up
from dockerlab.verify import on_hosts

LAB = lab("""
    hosts: {h: local}
    networks: {net: {subnet: 172.31.1.0/24}}
    containers:
      web: {image: dockerlab/node, networks: {net: {ip: 172.31.1.10}}}
      peer: {image: dockerlab/node, networks: {net: {ip: 172.31.1.11}}}
""")
SHELL = b"== settings\nid 0\nflags ZG9ja2VyZA==\n\n== end\nend\n"
"""What answers the scripts that ask for a machine's facts and for an engine's settings."""
IMAGE = {"Id": "node", "RepoTags": ["dockerlab/node:latest"]}


class Counted(Stranger):
    """A host that counts: the programs that are started there, and how often the engine is joined."""

    def run(self, argv, **options):
        self.trips[argv[0]] += 1
        return super().run(argv, **options)

    def converse(self, argv, **options):
        self.trips[f"dialogue with {argv[0]}"] += 1
        return super().converse(argv, **options)

    def resume(self, argv, timeout):
        assert argv == ENGINE
        self.trips["engine"] += 1
        kept, self.kept = self.kept, None
        self.trips["docker"] += kept is None
        return kept or super().resume(argv, timeout)

    def keep(self, argv, program):  # noqa: ARG002
        self.kept = program


@pytest.fixture
def host():
    right = honest_engine(LAB, "h")
    seen = json.dumps(program_said({100: {}, 101: {}})).encode()
    found = Counted(
        "h",
        lambda path: [IMAGE] if path.endswith("/images/json") else right(path),
        honest_agent(LAB, "h"),
        look=lambda _: seen,
        facts=SHELL,
    )
    found.trips, found.kept = Counter(), None
    return found


def test_a_plan_of_up(host):
    """Before the first object is made a host runs a script, the program that looks and what joins the engine."""
    there = host.engine
    host.engine = lambda path: [] if path.endswith(("/networks", "/containers/json")) else there(path)
    plan_up(LAB, who(LAB), {"h": host}, host, Wish())
    assert host.trips == {"sh": 1, "python3": 1, "engine": 1, "docker": 1}


def test_verify(host):
    """A look, an agent, and what has changed meanwhile, on the one line to the engine."""
    report = on_hosts.verify(LAB, {"h": host})
    assert report.cells
    again = 0 if all(each.verdict == "pass" and each.expected.reachable for each in report.cells) else 1
    told = {"sh": 1, "python3": 1, "dialogue with python3": 1, "engine": 1 + again, "docker": 1}
    assert host.trips == told


def test_a_plan_of_down(host):
    """To take a lab away, a host tells what is there and what its engine's settings are."""
    removal = plan_down(Which("demo"), {"h": host})
    assert removal.failures == {}
    assert host.trips == {"sh": 1, "engine": 1, "docker": 1}


def test_the_proof(host):
    """The proof after `down --all` takes one look at the engine and one at the interfaces."""
    assert left({"h": host}, lambda _: False, {}) == []
    assert host.trips == {"python3": 1, "engine": 1, "docker": 1}


def test_discover(host):
    """What runs there is told by the one line to the engine, and who listens by one program."""
    found, _ = defined(ask({"h": host}), {"h": None})
    assert set(found.lab.containers) == set(LAB.containers)
    assert host.trips == {"python3": 1, "engine": 1, "docker": 1}
