"""`expect` in a definition: exceptions to the model, and those that change nothing."""

from support.labs import lab, running
from support.worlds import world_of

from dockerlab.lab.model import Expect
from dockerlab.reach import Cell, Expectation, matrix
from dockerlab.reach.overrides import override

BASE = """
containers: {a: {}, b: {}}
expect:
"""

NO_CLAIM = Expectation(None, "unseen-lan", "no claim: a switch cannot be seen")


def overridden(exceptions):
    definition = lab(BASE + exceptions)
    engines = running(definition)
    model = matrix(world_of(definition, engines))
    return model, *override(model, definition.expect)


def test_an_exception_wins_over_the_model():
    """The cells that an exception is about are expected as it says, for its reason; the others as the model says."""
    model, rows, notes = overridden("  - {from: a, to: b, probe: ping, reachable: false, why: 'a {switch} filters it'}")
    changed = [
        (cell, expected) for (cell, expected), (_, before) in zip(rows, model, strict=True) if expected != before
    ]
    ((cell, expected),) = changed
    assert (cell.source, cell.to, cell.probe, expected.reachable, expected.rule) == ("a", "b", "ping", False, "expect")
    assert "a (switch) filters it" in expected.because(cell)
    assert notes == []


def test_what_the_model_says_is_told_once():
    """Beside an exception stands what the model says; where that claims nothing, its text says so itself."""
    for model, told in ((Expectation(True, "x", "there is"), "reachable, there is"), (NO_CLAIM, NO_CLAIM.text)):
        (row,), _ = override([(Cell("a", "b", "10.0.0.1", "ping"), model)], [Expect(**{"from": "a"}, reachable=False)])
        assert row[1].text == f"the definition says so (the model: {told})"


def test_the_last_exception_wins():
    """Of two exceptions about one cell the later one counts."""
    _, rows, _ = overridden("  - {from: '*', to: b, reachable: false}\n  - {from: local, to: b, reachable: true}")
    said = {cell.source: expected.reachable for cell, expected in rows if cell.to == "b" and cell.probe == "ping"}
    assert said == {"a": False, "local": True}


def test_a_stale_exception_is_pointed_out():
    """An exception that says what the model says anyway is named, with what it is about."""
    *_, notes = overridden("  - {from: a, to: b, reachable: true}")
    assert notes == ["expect[0] is stale: the model says the same: a -> b ping reachable"]


def test_an_exception_about_nothing_is_pointed_out():
    """An exception whose patterns match no cell is named."""
    *_, notes = overridden("  - {from: nobody, to: b, reachable: true}")
    assert notes == ["expect[0] is about no cell of this lab: nobody -> b ping reachable"]
