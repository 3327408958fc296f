"""What changed between engines is said in one place, by name."""

import ast
from pathlib import Path

import pytest

from dockerlab.versions import LAST, Engine, numbers

PACKAGE = Path(__file__).parents[2] / "dockerlab"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("28.5.2+dfsg4", (28, 5, 2)),
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("28.5", (28, 5, LAST)),
        ("29.0.0-rc.1", (29, 0, 0)),
        ("", (0, 0, 0)),
        ("dev", (0, 0, 0)),
    ],
)
def test_numbers_of_a_version(text, found):
    """Two numbers mean the last release of their line; what is no version is older than all."""
    assert numbers(text) == found


def test_no_version_is_compared_elsewhere():
    """Outside `versions` and what imagines, no file holds a pair of numbers that could be an engine's version."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "versions.py" or path.parent.name in ("modes", "imagined"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple) and len(node.elts) == 2:
                values = [each.value for each in node.elts if isinstance(each, ast.Constant)]
                whole = len(values) == len(node.elts) and all(type(value) is int for value in values)
                assert not (whole and 20 <= values[0] < 32 and values[1] <= 12), f"{path}:{node.lineno}: {values}"


def test_the_modes_and_what_imagines_ask_by_name():
    """There, too, no number is compared: what changed has a name in `versions`."""
    for folder in ("modes", "imagined"):
        for path in sorted((PACKAGE / folder).glob("*.py")):
            assert ".version >=" not in path.read_text(encoding="utf-8"), path
            assert ".line >=" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    ("name", "before", "since"),
    [
        ("own_chain", "28.0.0", "28.0.1"),
        ("drops_past_bridge", "28.1.1", "28.2.0"),
        ("closes_ports", "27.5.1", "28.0.0"),
        ("gateway_modes", "26.1.5", "27.0.1"),
        ("asks_through_host", "27.5.1", "28.0.0"),
        ("ipv6_by_itself", "27.5.1", "28.0.0"),
        ("ipvlan_flags", "20.10.24", "23.0.0"),
        ("user_chain_ipv6", "24.0.9", "25.0.0"),
        ("bpf", "23.0.2", "23.0.3"),
    ],
)
def test_what_came_with_a_release(name, before, since):
    """A boundary is at the first release that has the change."""
    assert not getattr(Engine(numbers(before)), name)
    assert getattr(Engine(numbers(since)), name)


@pytest.mark.parametrize(
    ("name", "last", "gone"),
    [
        ("stages", "28.5.2", "29.0.0"),
        ("returns", "28.5.2", "29.0.0"),
        ("internal_route", "24.0.9", "25.0.0"),
        ("parentless_route", "26.0.0", "26.0.1"),
        ("guesses_gateway", "28.5.2", "29.0.0"),
        ("user_chain_ends", "28.2.1", "28.2.2"),
        ("dual_stack_first", "29.4.0", "29.4.1"),
        ("always_hairpins", "27.5.1", "28.0.0"),
        ("link_local_gateway", "26.1.5", "27.0.1"),
        ("accepts_encrypted", "24.0.9", "25.0.0"),
    ],
)
def test_what_went_with_a_release(name, last, gone):
    assert getattr(Engine(numbers(last)), name)
    assert not getattr(Engine(numbers(gone)), name)


def test_an_engine_that_nobody_observed_says_so():
    """Its line or its backend was never held against a real engine."""
    assert Engine(numbers("28.5.2")).observed
    assert not Engine(numbers("23.0.6")).observed
    assert not Engine(numbers("28.0.1")).observed
    assert not Engine(numbers("29.1.3"), "nftables").observed
    assert Engine(numbers("28.5.2")).doubt == ""
    assert "engine 23.0.6" in Engine(numbers("23.0.6")).doubt
