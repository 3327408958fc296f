"""How long hosts are waited for that are later than the most, by a clock that goes on only while somebody waits."""

from __future__ import annotations

from concurrent.futures import Future
from itertools import accumulate
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerlab.hosts.attending import CEILING, FLOOR, STEP, Times, attended
from dockerlab.hosts.pace import PIECE, Pace


class Ended(NamedTuple):
    """What `wait` returns."""

    done: set
    not_done: set


class World:
    """A time, and what happens when."""

    def __init__(self):
        self.now, self.ahead = 0.0, []

    def at(self, seconds, what):
        self.ahead.append((seconds, what))

    def clock(self):
        return self.now

    def wait(self, late, timeout=None, return_when=None):
        assert return_when
        end = float("inf") if timeout is None else self.now + timeout
        self.ahead.sort(key=lambda event: event[0])
        while not any(each.done() for each in late) and self.ahead and self.ahead[0][0] <= end:
            self.now, what = self.ahead.pop(0)
            what()
        done = {each for each in late if each.done()}
        if not done:
            assert timeout is not None, "nobody would ever come back from this"
            self.now = end
        return Ended(done, set(late) - done)


class Asked:
    """A host for which somebody waits until its job has ended, or for whom nobody waits."""

    def __init__(self, world, name, busy=True):
        self.world, self.name, self.wanted = world, name, busy
        self.pace, self.failed, self.job, self.beside, self.gone = Pace(world.clock), None, Future(), [], None

    @property
    def busy(self):
        return self.wanted and not self.job.done()

    def asked(self):
        self.wanted = True
        self.pace.got_on()

    def dismiss(self, why):
        self.failed, self.gone = why, self.world.now
        if all(each.failed for each in self.beside):
            self.job.set_result(None)

    def ends(self, seconds):
        self.world.at(seconds, lambda: self.job.set_result(None))

    def gets_on(self, *moments):
        for each in moments:
            self.world.at(each, self.pace.got_on)


def played(world, hosts, **given):
    """Wait for hosts, each with a job of its own, and return the jobs that are stuck."""
    return attended({each.job: [each] for each in hosts}, Times(clock=world.clock, waiting=world.wait, **given))


def class_of(world, honest):
    """Return a class: honest hosts that end when it is said, and two that never do."""
    hosts = [Asked(world, f"h{number}") for number in range(len(honest) + 2)]
    for host, seconds in zip(hosts, honest, strict=False):
        host.ends(seconds)
    return hosts, hosts[-2:]


@pytest.mark.parametrize(
    ("honest", "total"), [((2.5, 3, 3.5, 4), 8), ((0.1, 0.2, 0.2, 0.3), 2.3), ((20, 25, 30, 40), 80)]
)
def test_two_that_say_nothing(honest, total):
    """Two hosts of six that say nothing cost as long again as the others took, or two seconds."""
    world = World()
    hosts, silent = class_of(world, honest)
    assert played(world, hosts) == set()
    assert world.now == pytest.approx(total)
    assert [host.gone for host in hosts[:4]] == [None] * 4
    assert [str(host.failed) for host in silent] == [
        f"{host.name}: it did not answer within {total:.0f} s, and the others long have" for host in silent
    ]


@given(st.lists(st.floats(0.1, 60), min_size=4, max_size=4), st.lists(st.floats(0.1, 60), max_size=6))
def test_never_more_than_twice(honest, answers):
    """Whenever two of six fall silent while the others are asked, all grades are there in twice the time of these."""
    world = World()
    hosts, silent = class_of(world, honest)
    for host in silent:
        host.gets_on(*(each for each in answers if each <= max(honest)))
    assert played(world, hosts) == set()
    assert world.now <= max(2 * max(honest), max(honest) + FLOOR) + 0.001


@given(st.floats(0.1, 30), st.lists(st.floats(0.01, 0.99), max_size=20))
def test_who_gets_on_is_never_dismissed(took, pauses):
    """A host that is slower than all others, but never silent for as long as they took, is waited for."""
    world = World()
    hosts, (slow, other) = class_of(world, [took] * 4)
    moments = list(accumulate((each * max(FLOOR, took) for each in pauses), initial=took))
    kept = [each for each in moments if each < took + max(CEILING, took)]
    slow.gets_on(*kept)
    slow.ends(kept[-1] + 0.99 * max(FLOOR, took) if len(kept) == len(moments) else kept[-1])
    other.ends(took)
    assert played(world, hosts) == set()
    assert slow.gone is None or world.now == pytest.approx(took + max(CEILING, took))


def test_who_gets_on_for_ever():
    """A host that says one thing after the other without an end is waited for as long as any was before."""
    world = World()
    hosts, pair = class_of(world, [1] * 4)
    for host in pair:
        host.gets_on(*range(1, 100))
    played(world, hosts)
    assert [host.gone for host in pair] == [1 + CEILING, 1 + CEILING]


def test_who_may_say_nothing():
    """Where an honest host says nothing either, silence counts from when that is over."""
    world = World()
    hosts, pair = class_of(world, [1] * 4)
    more = Asked(world, "h6")
    world.at(0.9, lambda: [host.pace.allow(5) for host in (*pair, more)])
    pair[0].ends(5.9)
    world.at(1.9, lambda: more.pace.got_on(alone=True))
    played(world, [*hosts, more])
    assert [host.gone for host in pair] == [None, pytest.approx(5.9 + FLOOR)]
    assert more.gone == pytest.approx(1.9 + FLOOR, abs=STEP), "it has said what it was allowed to be silent for"


def test_a_byte_now_and_then():
    """Bytes of an answer that never is whole keep nobody waiting, but for so many that it is only a long one."""
    world = World()
    hosts, (trickling, flowing) = class_of(world, [1] * 4)
    for number in range(60):
        world.at(number / 10, lambda: trickling.pace.part(1))
        world.at(number / 10, lambda: flowing.pace.part(PIECE // 10))
    flowing.ends(6)
    played(world, hosts)
    assert [host.gone for host in (trickling, flowing)] == [pytest.approx(1 + FLOOR), None]


def test_hosts_of_one_job():
    """What goes on without a host that was dismissed is waited for as long again, and what had ended is told first."""
    world, told = World(), []
    done = [Asked(world, f"h{number}") for number in range(2)]
    for host in done:
        host.ends(3)
    one, other = Asked(world, "one"), Asked(world, "other", busy=False)
    other.job, one.beside, other.beside = one.job, [other], [one]
    world.at(5.9, other.asked)
    jobs = {each.job: [each] for each in done} | {one.job: [one, other]}
    attended(jobs, Times(clock=world.clock, waiting=world.wait), lambda: told.append(world.now))
    assert (told, one.gone, other.gone) == ([3], 6, 9)


def test_no_host_keeps_it_waiting():
    """A job that is late though nobody waits for a host there is given up in the end, and nobody is blamed."""
    world = World()
    hosts, pair = class_of(world, [1] * 4)
    for host in pair:
        host.wanted = False
    assert played(world, hosts) == {host.job for host in pair}
    assert (world.now, [host.failed for host in pair]) == (1 + CEILING, [None, None])


def test_nobody_is_late():
    """Where all come to their end nobody is told of others."""
    world, told = World(), []
    host = Asked(world, "h0")
    host.ends(100)
    attended({host.job: [host]}, Times(clock=world.clock, waiting=world.wait), lambda: told.append(1))
    assert (world.now, told) == (100, [])
