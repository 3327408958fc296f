"""Text from elsewhere: what is left of it for a terminal, for XML, and for one line."""

import json

from hypothesis import given
from hypothesis import strategies as st

from dockerlab.plain import ORDERS, for_file, for_terminal, one_line, printable

TEXT = st.text(st.characters(exclude_categories=()))
HOSTILE = "\x1b]0;mine\x07\r\x9b2J a\tb\nc \u202etxt.exe"


def test_what_becomes_of_orders():
    """Each function leaves what its reader takes as text: lines for a terminal and XML, one line for a comment."""
    assert for_terminal(HOSTILE) == "?]0;mine???2J a\tb\nc ?txt.exe"
    assert printable(HOSTILE) == "?]0;mine???2J a\tb\nc ?txt.exe"
    assert one_line(HOSTILE) == "?]0;mine? ?2J a b c ?txt.exe"


def test_what_becomes_of_marks():
    """Marks that turn the direction of what follows, and ends of lines that only some know, are orders as well."""
    assert for_terminal("a\u200eb\u200fc\u061cd\u2028e\u2029f\u2066g\u2069") == "a?b?c?d?e?f?g?"


@given(TEXT)
def test_json_says_the_same(text):
    """In a file JSON says what it said, and no character in it is obeyed."""
    written = for_file(json.dumps([text], ensure_ascii=False))
    assert json.loads(written) == [text]
    assert not ORDERS.search(written)


def test_ends_of_lines_of_csv():
    """The ends of lines that CSV has are left to it; a return alone would overwrite what stands there."""
    assert for_file("a,b\r\nc\rd\r\n") == "a,b\r\nc\\u000dd\r\n"


def test_all_scripts_are_text():
    """Names in any script pass to a terminal as they are, also where a joiner that does not print belongs to them."""
    names = "Zoë 李雷 می‌خواهم 👩‍🔬"
    assert for_terminal(names) == names


@given(TEXT)
def test_nothing_that_is_obeyed(text):
    """Whatever the text, no character of it begins an order, and none but a blank is left of a further line."""
    assert not set(for_terminal(text)) & {chr(n) for n in (*range(9), *range(11, 32), *range(127, 160))}
    assert all(c.isprintable() or c in "\n\t" for c in printable(text))
    assert one_line(text).isprintable()
    assert len(one_line(text)) == len(printable(text)) == len(for_terminal(text)) == len(text)
