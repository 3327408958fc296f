"""How long a lab is wanted: what is written, who expires, and that a lease changes nothing else."""

from datetime import datetime, timedelta, timezone

import pytest
from support.labs import lab, running, who
from support.pretend import Engines

from dockerlab import leases, plan
from dockerlab.errors import UsageError
from dockerlab.identity import Identity
from dockerlab.plan import bringing_up
from dockerlab.plan.bringing_up import Situation
from dockerlab.snapshot import LABEL_EXPIRES

NOW = datetime(2027, 1, 31, 18, tzinfo=timezone.utc)
LAB = lab(
    "hosts: {x: , y: }\nnetworks: {n: {subnet: 10.0.0.0/24}}\ncontainers: {a: {host: x, networks: [n]}, b: {host: y}}"
)


def up(engines, until, run="1", identity=None):
    """Carry out `up` with a lease and return its plan."""
    found = Situation(engines.snapshots(), engines.addresses())
    wanted = bringing_up.up(LAB, identity or who(LAB, run=run), found, {}, until)
    engines.carry_out(wanted)
    return wanted


def ends(engines):
    return set(leases.ends(engines.snapshots().values()).values())


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("90m", timedelta(minutes=90)),
        ("4h", timedelta(hours=4)),
        ("2d", timedelta(days=2)),
        ("1d12h", timedelta(hours=36)),
    ],
)
def test_ttl(text, span):
    """A time is a number with its unit, or several."""
    assert leases.read_ttl(text, NOW) == NOW + span


def test_ttl_none():
    """Without a word the lease stays as it is; `never` ends it."""
    assert leases.read_ttl(None, NOW) is None
    assert leases.read_ttl("never", NOW) == "never"


@pytest.mark.parametrize("text", ["", "4", "h", "-4h", "4 h", "0h", "4w", "99999d", "999999999d", "4h\n", "\uff14h"])
def test_ttl_refused(text):
    """What is no time, no time at all, or beyond all reason is refused with what would be right."""
    with pytest.raises(UsageError, match="--ttl"):
        leases.read_ttl(text, NOW)


def test_labels():
    """A moment is written in UTC and read back; what is no moment is none."""
    elsewhere = NOW.astimezone(timezone(timedelta(hours=8)))
    assert leases.written(elsewhere) == "2027-01-31T18:00:00Z"
    assert leases.expiry({LABEL_EXPIRES: leases.written(NOW)}) == NOW
    assert leases.expiry({LABEL_EXPIRES: "soon"}) is None
    assert leases.expiry({}) is None


def test_a_lease_comes_first():
    """The lease is on every host before anything else is made, and counts as no object."""
    engines = Engines(LAB.hosts)
    wanted = up(engines, NOW)
    kinds = [step.key.kind for step in wanted.ordered()]
    assert kinds[:2] == ["lease", "lease"]
    assert wanted.counts() == {"create": 3}
    assert [len(engine.volumes) for engine in engines.values()] == [1, 1]
    assert ends(engines) == {NOW}


def test_a_new_lease_recreates_nothing():
    """Another time changes only the lease: the new one is there before the old one goes."""
    engines = Engines(LAB.hosts)
    up(engines, NOW)
    wanted = up(engines, NOW + timedelta(hours=1), run="2")
    assert wanted.changes == ()
    assert wanted.counts() == {"keep": 3}
    order = [step.action for step in wanted.ordered() if step.key.kind == "lease"]
    assert order == ["create", "create", "remove", "remove"]
    assert ends(engines) == {NOW + timedelta(hours=1)}
    assert [len(engine.volumes) for engine in engines.values()] == [1, 1]


def test_the_lease_stays():
    """`up` without a time leaves the lease as it is; `never` takes it away."""
    engines = Engines(LAB.hosts)
    up(engines, NOW)
    assert not [step for step in up(engines, None, run="2").steps if step.key.kind == "lease"]
    assert ends(engines) == {NOW}
    up(engines, "never", run="3")
    assert ends(engines) == set()


def test_the_latest_counts():
    """After a crash between two leases the later one counts."""
    engines = Engines(LAB.hosts)
    up(engines, NOW)
    found = Situation(engines.snapshots(), engines.addresses())
    wanted = bringing_up.up(LAB, who(LAB, run="2"), found, {}, NOW + timedelta(hours=1))
    first = wanted.ordered()[0]
    engines[first.key.host].run(first.commands[0].resolve({}))
    assert ends(engines) == {NOW + timedelta(hours=1)}
    assert plan.down(engines.snapshots(), None, None, expired=NOW).steps == ()


def test_down_removes_the_lease_last():
    """`down` removes the lease after all else, so that a crash leaves one by which `--expired` finds the rest."""
    engines = Engines(LAB.hosts)
    up(engines, NOW)
    removal = plan.down(engines.snapshots(), "demo", "teacher@desk")
    assert [step.key.kind for step in removal.ordered()][-2:] == ["lease", "lease"]
    engines.carry_out(removal)
    assert [engine.volumes for engine in engines.values()] == [{}, {}]


def test_down_keeps_the_lease_with_what_is_kept():
    """While a stranger keeps a network of the lab, the lease stays as well."""
    engines = Engines(LAB.hosts)
    up(engines, NOW)
    engines["x"].run(("docker", "run", "--name", "mine", "--network", "n", "image"))
    removal = plan.down(engines.snapshots(), None, None, expired=NOW)
    assert len(removal.notes) == 1
    assert not [step for step in removal.steps if step.key.kind == "lease"]


def test_expired():
    """`--expired` takes what is over, of this owner or of everyone, nothing that has time left or no end."""
    engines = running(lab("hosts: {x: , y: }\ncontainers: {free: {host: x}}"), Identity("forever", "teacher@desk", "0"))
    up(engines, NOW)
    gone = plan.down(engines.snapshots(), None, "teacher@desk", expired=NOW)
    assert {step.key.name for step in gone.changes} == {"a", "b", "n"}
    assert plan.down(engines.snapshots(), None, "teacher@desk", expired=NOW - timedelta(seconds=1)).steps == ()
    assert plan.down(engines.snapshots(), None, "pupil@desk", expired=NOW).steps == ()
    assert len(plan.down(engines.snapshots(), None, None, expired=NOW).changes) == 3


def test_expired_instances():
    """Each instance has a lease of its own."""
    engines = Engines(LAB.hosts)
    up(engines, NOW, identity=Identity("demo", "teacher@desk", "1", "s1"))
    assert next(iter(leases.ends(engines.snapshots().values()))) == ("demo", "s1", "teacher@desk")
    assert {v for engine in engines.values() for v in engine.volumes} == {"dockerlab-lease-demo.s1-1"}
    assert len(plan.down(engines.snapshots(), None, None, expired=NOW).changes) == 3
