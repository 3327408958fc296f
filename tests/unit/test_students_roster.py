"""Rosters: who the students are, whatever stands in the file."""

from __future__ import annotations

import re

import pytest

from dockerlab.errors import DefinitionError, UsageError
from dockerlab.students import roster

HOSTILE = """name;group;seed
Ada Lovelace;A;3
"=HYPERLINK(""http://x"";""y"")";A;4
张三;B;5
"<script>alert(1)</script>";B;6
"a; rm -rf / $(id) --privileged";;
"two
lines";B;7
../../etc/passwd;B;8
Ada Lovelace;A;9
"\x1b[31mred\u202e";B;10
"""


def test_hostile_names_are_shown_and_name_nothing():
    """The ID of every student is a safe word with the number, different for each; the name is on one line."""
    students = roster.parse(HOSTILE, "class.csv")
    ids = [each.id for each in students]
    assert ids[:3] == ["s01-ada-lovelace", "s02-hyperlink-ht", "s03"]
    assert ids[7] == "s08-ada-lovelace"
    assert len(set(ids)) == 9
    assert all(re.fullmatch(r"s[0-9]{2}(-[a-z0-9]+)*", each) and len(each) <= 16 for each in ids)
    assert all(each.name.isprintable() for each in students)
    assert [each.name for each in students][5] == "two lines"
    assert students[0].more == {"group": "A", "seed": "3"}
    assert all(roster.one(each.id).number == each.number for each in students)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_that_of_the_first_line(separator, tmp_path):
    """Comma, semicolon and tab are told apart; the mark that Excel writes before the first name is none of it."""
    path = tmp_path / "class.csv"
    path.write_text(f"name{separator}group\r\nAda{separator}A\r\n\r\nBob{separator}B\r\n", encoding="utf-8-sig")
    found = roster.read(str(path))
    assert [(s.id, s.name, s.more["group"]) for s in found.students] == [
        ("s01-ada", "Ada", "A"),
        ("s02-bob", "Bob", "B"),
    ]
    assert (found.separator, found.columns) == (separator, ["group"])


def test_a_number_is_a_class_without_names():
    """`--students 30` is thirty students, by number."""
    students = roster.read("30").students
    assert (students[0].id, students[29].id, len(students)) == ("s01", "s30", 30)


def test_a_column_of_numbers_keeps_ids_when_lines_go():
    """With a column `number`, a student keeps the ID whoever else is removed from the file."""
    assert [s.id for s in roster.parse("number,name\n7,Ada\n3,Bob\n", "x")] == ["s07-ada", "s03-bob"]


def test_a_long_name_is_cut():
    """A name of any length is shown in part, and the ID stays short."""
    (student,) = roster.parse(f"name\n{'x' * 5000}\n", "x")
    assert (len(student.name), student.id) == (80, "s01-" + "x" * 12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1:1: the first line has to name the columns"),
        ("Ada\nBob\n", "1:1: the first line has to name the columns"),
        ("name\n\n", "no student"),
        ("name,group\nAda,A,more\n", "2:1: 3 values, and 2 columns"),
        ("name,group\nAda,A\n,B\n", "3:1: no name"),
        ("name,name\nAda,A\n", "1:1: two columns"),
        ("number,name\n1,Ada\n1,Bob\nx,Eve\n", "3:1: number 1 stands here twice"),
        ("number,name\n0,Ada\n", "2:1: number '0'"),
        ('name\nAda\n"open\nBob\n', "3:1: a double quote is opened here and never closed"),
        ('name\n"Ada" L\n', "2:1: not CSV"),
        ("number,name\n" + "x,Ada\n" * 9999, "22:1: from here on 9979 more mistakes"),
        ("name\n" + "Ada\n" * 1001, "at most 1000"),
    ],
)
def test_mistakes_have_their_place(text, says):
    """What is wrong with a roster is said with its line."""
    with pytest.raises(DefinitionError, match=re.escape(says)):
        roster.parse(text, "class.csv")


@pytest.mark.parametrize("given", ["0", "1001", "99999999999999999999", "/no/such.csv", "-1", "٣", "a\x00b"])
def test_what_is_no_class_is_refused(given):
    """A number out of range and a file that is not there are mistakes of the call."""
    with pytest.raises(UsageError, match="--students"):
        roster.read(given)


@pytest.mark.parametrize("given", ["", "ada", "s1", "s00", "s9999-a", "s07-Ada", "s07-", "s07-a b", "s07\n"])
def test_what_is_no_id_is_refused(given):
    """`--student` takes IDs alone: they become names of objects."""
    with pytest.raises(UsageError, match="write an ID"):
        roster.one(given)


def test_no_text_is_told(tmp_path):
    """A file that is not UTF-8 is told with its line."""
    path = tmp_path / "class.csv"
    path.write_bytes(b"name\nAda\nJos\xe9\n")
    with pytest.raises(DefinitionError, match="3:1: not UTF-8"):
        roster.read(str(path))
