"""How often a command asks a host, and what it starts there: time is lost at each. Counted, not timed."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from support.hostile import TWO_HOSTS
from support.machinery import raw
from support.strangers import Stranger, honest_agent, honest_engine

from dockerlab.errors import ConflictError
from dockerlab.hosts.local import LocalHost
from dockerlab.identity import current
from dockerlab.provision import down, up
from dockerlab.verify import on_hosts

WHAT = {"sh": "shell", "python3": "python"}


class Counted(Stranger):
    """A host that counts what it is asked for."""

    counts: Counter[str]

    def resume(self, argv, timeout):
        self.counts["engine"] += 1
        return super().resume(argv, timeout)

    def run(self, argv, **given):
        self.counts[WHAT.get(argv[0], argv[0])] += 1
        return super().run(argv, **given)

    def converse(self, argv, **given):
        self.counts["agent" if argv[0] == "python3" else argv[0]] += 1
        return super().converse(argv, **given)


@pytest.fixture
def hosts():
    found = {}
    for name in TWO_HOSTS.hosts:
        found[name] = Counted(name, honest_engine(TWO_HOSTS, name), honest_agent(TWO_HOSTS, name))
        found[name].look = lambda _: json.dumps(raw("28.5")).encode()
        found[name].counts = Counter()
    return found


def counted(hosts):
    (first, *others) = [dict(host.counts) for host in hosts.values()]
    assert all(each == first for each in others), "every host alike"
    return first


def test_a_verification(hosts):
    """The engine before and after, the machine by a shell, its kernel by a program, and one dialogue with the agent."""
    assert on_hosts.verify(TWO_HOSTS, hosts).cells
    assert counted(hosts) == {"engine": 2, "shell": 1, "python": 1, "agent": 1}


def test_what_up_asks_before_it_makes_anything(hosts):
    """The engine, the machine and its kernel are asked once each: here they have the lab of somebody else."""
    with pytest.raises(ConflictError, match="names are taken"):
        up.plan_up(TWO_HOSTS, current(TWO_HOSTS.name), hosts, LocalHost(), up.Wish())
    assert counted(hosts) == {"engine": 1, "shell": 1, "python": 1}


def test_what_down_asks_before_it_removes_anything(hosts):
    """The engine alone is asked, and by a shell whether a lab has changed the host itself."""
    down.plan_down(down.Which(TWO_HOSTS.name), hosts, None)
    assert counted(hosts) == {"engine": 1, "shell": 1}
