"""Who the students are: a roster in CSV, or just how many. Pure but for the file that is read.

A name in a roster comes from anybody. It is only ever shown: what names objects on hosts is the ID, which is made here.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dockerlab.errors import DefinitionError, Located, UsageError
from dockerlab.lab.problem import meant
from dockerlab.plain import one_line

MAX_BYTES = 1 << 20
MAX_STUDENTS = 1000
MOST_PROBLEMS = 20
"""So many mistakes are told one by one."""

LONGEST_NAME = 80
LONGEST_SLUG = 12
"""The ID stands before every name of an object, and an interface of the host may be called after it."""

SEPARATORS = ",;\t"
ID = re.compile(r"s(?P<number>[0-9]{2,4})(-[a-z0-9]+(-[a-z0-9]+)*)?")


@dataclass(frozen=True)
class Student:
    """One student: `id` begins the names of the instance's objects, `name` and `more` (further columns) are shown."""

    number: int
    id: str
    name: str
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Roster:
    """The students of a class, and what separates the values in its file: what is made for its teacher has the same."""

    students: tuple[Student, ...]
    separator: str = SEPARATORS[0]

    @property
    def columns(self) -> list[str]:
        """Return the names of the further columns, in their order."""
        return list(dict.fromkeys(key for each in self.students for key in each.more))

    def one(self, identity: str) -> Student:
        """Return the student of this ID; raises UsageError, with whom may be meant, where there is none."""
        known = {each.id: each for each in self.students}
        if identity not in known:
            raise UsageError(f"--student {shown(identity)}: nobody of the class has this ID; {meant(identity, known)}")
        return known[identity]


def read(source: str) -> Roster:
    """Return the class of a CSV file, or of that many without names where `source` is a number.

    Raises UsageError when it cannot be read, DefinitionError with every mistake in the file.
    """
    if source.isascii() and source.isdigit():
        return Roster(counted(int(source)))
    path = Path(source)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "no name of a file"
        raise UsageError(f"--students {source!r}: a number, or a CSV file that can be read: {what}") from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"{source}: larger than {MAX_BYTES >> 10} KiB, which is no roster")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"not UTF-8 text (byte {content[error.start]:#04x}): save the roster as CSV in UTF-8"
        raise DefinitionError([Located(source, line, 1, "", message)]) from None
    return Roster(parse(text, source), _separator(text))


def counted(number: int) -> tuple[Student, ...]:
    """Return that many students who have no names; raises UsageError for none and for too many."""
    if not 1 <= number <= MAX_STUDENTS:
        raise UsageError(f"--students {number}: write a number from 1 to {MAX_STUDENTS}, or the name of a CSV file")
    return tuple(Student(n, identify(n, ""), f"student {n}") for n in range(1, number + 1))


def one(identity: str) -> Student:
    """Return the student of whom only the ID is given, such as `s07-ada`; raises UsageError for what is no ID."""
    found = ID.fullmatch(identity)
    number = int(found["number"]) if found else 0
    if found is None or not 1 <= number <= MAX_STUDENTS:
        raise UsageError(f"--student {identity}: write an ID as `dockerlab status LAB` lists them, such as s07-ada")
    return Student(number, identity, identity)


def identify(number: int, name: str) -> str:
    """Return the ID of a student: the number, and as much of the name as is safe everywhere."""
    plain = unicodedata.normalize("NFKD", name[:200]).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].strip("-")
    return f"s{number:02}-{slug}" if slug else f"s{number:02}"


def parse(text: str, file: str) -> tuple[Student, ...]:
    """Return the students of a CSV text; raises DefinitionError with every mistake in it."""
    problems: list[Located] = []
    students: list[Student] = []
    rows = list(_rows(text, file))
    head = _head(rows[0][1]) if rows else []
    first = rows[0][0] if rows else 1
    if "name" not in head:
        message = "the first line has to name the columns, one of them `name`: name,group,seed"
        raise DefinitionError([Located(file, first, 1, "", message)])
    if len(set(head)) < len(head):
        message = "two columns have the same name: rename one in this line"
        raise DefinitionError([Located(file, first, 1, "", message)])
    for line, row in rows[1:]:
        wrong = _wrong(head, row, {student.number for student in students})
        if wrong:
            problems.append(Located(file, line, 1, "", wrong))
            continue
        values = dict(zip(head, row, strict=False))
        number = int(values.get("number") or len(students) + len(problems) + 1)
        name = shown(values["name"])
        more = {key: shown(value) for key, value in values.items() if key not in ("name", "number") and key}
        students.append(Student(number, identify(number, name), name, more))
    if not problems and not students:
        problems.append(Located(file, first, 1, "", "no student stands below the first line"))
    if len(students) > MAX_STUDENTS:
        problems.append(Located(file, 1, 1, "", f"{len(students)} students: at most {MAX_STUDENTS}"))
    if len(problems) > MOST_PROBLEMS:
        further, after = len(problems) - MOST_PROBLEMS, problems[MOST_PROBLEMS]
        problems[MOST_PROBLEMS:] = [Located(file, after.line, 1, "", f"from here on {further} more mistakes")]
    if problems:
        raise DefinitionError(problems)
    return tuple(students)


def shown(text: str) -> str:
    """Return a value on one line, without what a terminal would obey, and not too long."""
    plain = " ".join(one_line(text).split())
    return plain if len(plain) <= LONGEST_NAME else plain[: LONGEST_NAME - 1] + "…"


def _rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold anything, with the line on which each begins; raises DefinitionError for no CSV."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    begin = 1
    try:
        for row in reader:
            if any(value.strip() for value in row):
                yield begin, row
            begin = reader.line_num + 1
    except csv.Error as error:
        open_quote = "unexpected end" in str(error)
        message = "a double quote is opened here and never closed" if open_quote else f"not CSV: {error}"
        raise DefinitionError([Located(file, begin, 1, "", message)]) from None


def _separator(text: str) -> str:
    """Return what the first line that is not empty has the most of."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)


def _head(row: Sequence[str]) -> list[str]:
    return [shown(name).lower() for name in row]


def _wrong(head: Sequence[str], row: Sequence[str], taken: set[int]) -> str:
    """Return what is wrong with a row, or an empty text."""
    values = dict(zip(head, row, strict=False))
    if any(value.strip() for value in row[len(head) :]):
        return f"{len(row)} values, and {len(head)} columns: put a value that holds the separator in double quotes"
    if not shown(values.get("name", "")):
        return "no name"
    given = values.get("number", "").strip()
    if "number" in head:
        if not re.fullmatch(r"[0-9]{1,4}", given) or not 1 <= int(given) <= MAX_STUDENTS:
            return f"number {shown(given)!r}: write a whole number from 1 to {MAX_STUDENTS}"
        if int(given) in taken:
            return f"number {given} stands here twice: every student has one of their own"
    return ""
