"""When a cell has had enough tries, and what its record says of those that were lost."""

from __future__ import annotations

import os

import pytest

from dockerlab.probe.flight import FULL_PAUSE, HASTE, Flight, Question


class Nowhere:
    """A namespace in which nothing is sent."""


def flight(sent: int, answered: tuple[int, ...] = (), *, haste: bool = False) -> Flight:
    """Return a ping that was tried so many times, with the tries that were answered."""
    made = Flight(Question(1, 0, "ping", "10.0.0.2", None, None, 1, full=False), Nowhere(), haste)
    made.tries = sent
    made.sent = dict.fromkeys(range(sent), 0.0)
    made.answered = dict.fromkeys(answered, 0.5)
    return made


@pytest.mark.parametrize(
    ("sent", "answered", "proven", "lost"),
    [
        (1, (0,), True, []),
        (2, (0,), True, []),
        (2, (1,), False, [0]),
        (3, (1, 2), True, [0]),
        (3, (2,), False, [0, 1]),
        (4, (2, 3), True, [0, 1]),
        (4, (1, 3), True, [0, 2]),
        (4, (3,), True, [0, 1, 2]),
    ],
)
def test_a_lost_first_try_is_proved_by_two_answers(sent, answered, proven, lost):
    """An answered first try is enough; after a lost one it takes two answers, or the last try."""
    found = flight(sent, answered)
    assert found.proven() is proven
    assert found.lost() == lost


def test_silence_has_three_tries_and_doubt_a_fourth():
    """Without any answer there are three tries; one that was answered in part gets one more."""
    assert [flight(sent).wants_more() for sent in (1, 2, 3)] == [True, True, False]
    assert flight(3, (1,)).wants_more()
    assert not flight(4, (1,)).wants_more()


def test_the_pauses_add_up_to_the_patience():
    """The tries and the wait after the last one take the patience, and a fraction of it in haste."""
    for haste, whole in ((False, 2.0), (True, 2.0 / HASTE)):
        assert sum(flight(sent, haste=haste).pause(2.0) for sent in (1, 2, 3)) == pytest.approx(whole)
    full = flight(1, (0,))
    full.size = 1450
    assert full.pause(2.0) == FULL_PAUSE


@pytest.mark.parametrize("sent", [1, 2, 3])
def test_haste_that_is_given_up_is_made_good(sent):
    """Who turns out to hurry where answers are slow waits what haste has spared, and has all tries and the patience."""
    patient, hurried = flight(sent), flight(sent, haste=True)
    waited = sum(flight(before, haste=True).pause(2.0) for before in range(1, sent + 1))
    assert hurried.hurries()
    waited += hurried.slow_down(2.0)
    assert waited == pytest.approx(sum(flight(before).pause(2.0) for before in range(1, sent + 1)))
    assert not hurried.hurries()
    assert hurried.pause(2.0) == patient.pause(2.0)


def test_who_was_answered_in_part_hurries_no_more():
    """A try that was answered is proved at its own pace, and a packet of full size has one."""
    assert not flight(2, (1,), haste=True).hurries()
    full = flight(1, (0,), haste=True)
    full.size = 1450
    assert not full.hurries()


def test_the_record_tells_the_first_answer():
    """The try that was answered first tells who answered and how fast."""
    found = flight(3, (1, 2)).answer(full="silent", size=os.sysconf("SC_PAGESIZE"))
    assert (found["attempt"], found["lost"], found["tries"], found["full"]) == (1, [0], 3, "silent")
