"""Texts in lines: no word is broken, none is lost, and a command stays one that a shell takes."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerlab.folding import cells, fold, fold_command, folded

WORDS = st.lists(st.text("ab-/_'\"é漢", min_size=1, max_size=12), min_size=1, max_size=30)


@given(WORDS, st.integers(20, 90), st.sampled_from(["", "  ", "        "]))
def test_every_word_is_whole(words, width, indent):
    """Whatever the words are, they come in their order, whole, and no line is wider than it may be."""
    lines = fold(indent + " ".join(words), width)
    assert " ".join(lines).split() == words
    assert all(cells(line) <= max(width, max(map(cells, words)) + len(indent)) for line in lines)
    assert all(line.startswith(indent) for line in lines)


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("  one two three four five", ["  one two three", "  four five"]),
        ("up    create or change it all", ["up    create or", "      change it", "      all"]),
        ("- an entry of some list", ["- an entry of", "  some list"]),
        ("12. an entry of some list", ["12. an entry of", "    some list"]),
        ("aaaaaaaaaaaaaaaaaaaaaaaa b", ["aaaaaaaaaaaaaaaaaaaaaaaa", "b"]),
        ("漢漢漢漢 漢漢漢漢", ["漢漢漢漢", "漢漢漢漢"]),
        ("note: what is said of it", ["note: what is", "      said of it"]),
    ],
    ids=["indent", "label", "bullet", "number", "long word", "wide", "note"],
)
def test_where_further_lines_begin(line, lines):
    """Further lines begin below the text of the first one, behind what marks or labels it."""
    assert fold(line, 16) == lines


def test_command_in_lines():
    """A command in lines is to a shell the words that it was, also those with blanks in quotes."""
    line = "docker run --detach --name web --network front --label 'a long label' --env \"X=1 2\" image sh -c 'sleep 9'"
    lines = fold_command(f"    {line}", 40)
    assert len(lines) > 2
    assert all(len(each) <= 40 for each in lines)
    assert all(each.endswith(" \\") for each in lines[:-1])
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(line)


@pytest.mark.parametrize("on", ["", ", on vm0", ", on this machine"])
def test_remedy(on):
    """The command that ends a line is set apart, so that it can be copied whole."""
    told = f"vm0: web is on back, and the lab wants it on front; right would be{on}: docker network connect front web"
    lines = folded(told, 60).splitlines()
    assert lines[-1].strip() == "docker network connect front web"
    assert lines[-2].endswith(f"be{on}:")


def test_any_width():
    """Where nobody knows how wide it is, a line stays one."""
    assert folded("a " * 200, None) == "a " * 200
