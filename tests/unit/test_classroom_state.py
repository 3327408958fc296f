"""What is known of a class, and that it survives its server."""

import stat

import pytest

from dockerlab.classroom import guard, keeping
from dockerlab.classroom.state import Event, standing
from dockerlab.errors import UsageError
from dockerlab.students.roster import Roster, Student

STUDENTS = (Student(1, "s01-ada", "Ada", {"group": "a"}), Student(2, "s02-bob", "Bob"))


def event(kind, student="s01-ada", at="2027-01-31T18:00:00Z", **data):
    return Event(at, student, kind, data)


def test_a_fold():
    """Attempts and hints are counted, the step is the last one that was read, and only what a student does is time."""
    found = standing(
        STUDENTS,
        [
            event("message", "", "2027-01-31T17:00:00Z", text="welcome"),
            event("check", verdict="fail", text="no", step=0),
            event("hint", at="2027-01-31T18:01:00Z"),
            event("check", at="2027-01-31T18:02:00Z", verdict="pass", text="yes", step=1),
            event("check", "nobody", verdict="pass", text="", step=9),
        ],
    ).pupils
    ada, bob = found["s01-ada"], found["s02-bob"]
    assert (ada.step, ada.attempts, ada.hints, ada.last.verdict) == (1, 2, 1, "pass")
    assert (ada.first, ada.latest) == ("2027-01-31T18:00:00Z", "2027-01-31T18:02:00Z")
    assert (bob.step, bob.attempts, bob.first) == (0, 0, "")
    assert [text for _, text in bob.messages] == ["welcome"]
    assert list(found) == ["s01-ada", "s02-bob"]


def test_closed():
    """A step that is not open is told from a class whose time is over."""
    found = standing(STUDENTS, [event("open", "", steps=1)])
    assert found.closed(0, "2027-01-31T18:00:00Z") == ""
    assert "step 2 is not open" in found.closed(1, "2027-01-31T18:00:00Z")
    over = found.after(Event("2027-01-31T18:00:00Z", "", "until", {"at": "2027-01-31T18:30:00Z"}))
    assert over.closed(0, "2027-01-31T18:29:59Z") == ""
    assert over.closed(0, "2027-01-31T18:30:00Z") == "the time is over"


def test_kept(tmp_path):
    """Whoever serves again has the same tokens and all that has happened; nobody else may read it."""
    where = tmp_path / "class"
    first = keeping.enrol(where, "01", Roster(STUDENTS[:1]))
    keeping.append(where, event("hint"))
    again = keeping.enrol(where, "01", Roster(STUDENTS, ";"))
    keeping.append(where, event("hint", "s02-bob"))
    assert keeping.enrolled(where) == again
    assert again.tokens["s01-ada"] == first.tokens["s01-ada"]
    assert len(set(again.tokens.values())) == 3
    assert [each.student for each in keeping.events(where)] == ["s01-ada", "s02-bob"]
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    links = keeping.write_links(where, [("s01-ada", "=Ada", "http://x/")], ";")
    assert {stat.S_IMODE(path.stat().st_mode) for path in where.iterdir()} == {0o600}
    assert links.read_text(encoding="utf-8-sig") == "id;name;link\ns01-ada;'=Ada;http://x/\n"
    with pytest.raises(UsageError, match="a class is on with 01"):
        keeping.enrol(where, "02", Roster(STUDENTS))


def test_cut_off(tmp_path):
    """A line that a killed server has left unfinished is lost alone: what is noted next stands on a line of its own."""
    keeping.append(tmp_path, event("hint"))
    with (tmp_path / keeping.EVENTS).open("ab") as file:
        file.write(b'{"at": "2027')
    keeping.append(tmp_path, event("check", verdict="pass", text="", step=1))
    assert [each.kind for each in keeping.events(tmp_path)] == ["hint", "check"]


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/s/s01-ada/", "s01-ada"),
        ("/s/s01-ada/check", "s01-ada"),
        ("/teacher/", ""),
        ("/static/x.js", None),
        ("/", None),
        ("/s/", None),
        ("//s/s02-bob/", "s02-bob"),
    ],
)
def test_owner(path, who):
    """Whose a path is stands in the path itself."""
    assert guard.owner(path) == who


def test_origin():
    """A page of another origin, or of none, changes nothing."""
    assert guard.same_origin({"origin": "https://Class.example:8643", "host": "class.example:8643"})
    assert not guard.same_origin({"origin": "https://evil.example", "host": "class.example:8643"})
    assert not guard.same_origin({"origin": "null", "host": "class.example:8643"})
    assert not guard.same_origin({"host": "class.example:8643"})
