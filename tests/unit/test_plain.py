"""Text from elsewhere: what is left of it for a terminal, for XML, and for one line."""

from hypothesis import given
from hypothesis import strategies as st

from dockerlab.plain import for_terminal, one_line, printable

TEXT = st.text(st.characters(exclude_categories=()))
HOSTILE = "\x1b]0;mine\x07\r\x9b2J a\tb\nc \u202etxt.exe"


def test_what_becomes_of_orders():
    """Each function leaves what its reader takes as text: lines for a terminal and XML, one line for a comment."""
    assert for_terminal(HOSTILE) == "?]0;mine???2J a\tb\nc ?txt.exe"
    assert printable(HOSTILE) == "?]0;mine???2J a\tb\nc ?txt.exe"
    assert one_line(HOSTILE) == "?]0;mine? ?2J a b c ?txt.exe"


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
