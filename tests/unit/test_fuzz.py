"""What a fuzzer once found, or found interesting, is given to the same readers again; it needs no fuzzer."""

from __future__ import annotations

import json

import pytest
from fuzz.targets import CORPUS, TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerlab.engine.convert import Answers, to_snapshot
from dockerlab.errors import EngineError
from dockerlab.snapshot import Snapshot

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "80/tcp", "10.0.0.2/24", "::1"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["Id", "Name", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
ANSWERS = [path.read_text() for path in sorted((CORPUS / "engine").glob("answer-*"))]


@pytest.mark.parametrize("name", TARGETS)
def test_corpus(name):
    """Every kept input does what it should: a result or an error that is meant, nothing else."""
    inputs = sorted((CORPUS / name).iterdir())
    assert 5 <= len(inputs) <= 150
    tripped = {path.name: error for path in inputs if (error := raised(TARGETS[name], path.read_bytes())) is not None}
    assert tripped == {}


def raised(target, data):
    """Return what a target raises, or None."""
    try:
        target(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return error
    return None


def test_every_corpus_has_its_target():
    """No folder of inputs is left over that nobody reads."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


def places(value, path=()):
    """Yield the way to every part of a JSON value."""
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


def changed(value, path, other):
    """Return a JSON value in which one part is another."""
    if not path:
        return other
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], other)
    return copy


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_an_engine_that_answers_something_else(data):
    """An engine's answer with any part of it replaced is a snapshot, or EngineError that names the host."""
    answer = json.loads(data.draw(st.sampled_from(ANSWERS)))
    answer = changed(answer, data.draw(st.sampled_from(list(places(answer)))), data.draw(JSON))
    parts = {"version": {}, "info": {}, "containers": [], "networks": [], "volumes": [], "images": []}
    given_parts = answer if isinstance(answer, dict) else {"containers": answer}
    try:
        found = to_snapshot("vm0", Answers(**parts | {k: v for k, v in given_parts.items() if k in parts}))
    except EngineError as error:
        found = error
    told = str(found).startswith("vm0: what its engine says cannot be understood")
    assert isinstance(found, Snapshot) or told
