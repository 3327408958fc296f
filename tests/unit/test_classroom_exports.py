"""What a teacher takes home of a class: every form has the same rows, and no formula, no markup and no token."""

import csv
import io
import json
import zipfile
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from starlette.testclient import TestClient
from support.class_places import FOLDER, Places

from dockerlab.classroom import keeping, plain, rows
from dockerlab.classroom.app import application
from dockerlab.classroom.room import Room
from dockerlab.classroom.state import Fault, Last, Pupil
from dockerlab.students.roster import Roster, Student

EVIL = '=HYPERLINK("http://evil.example";1)'
STUDENTS = (Student(1, "s01-ada", EVIL, {"group": "=1+1"}), Student(2, "s02-bob", "Bob <b>bold</b>\x1b[2J"))
HEAD = rows.columns(["group"])
SCHEMA = Path(__file__).parents[1] / "support" / "junit.xsd"
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def here(tmp_path):
    enrolled = keeping.enrol(tmp_path / "class", FOLDER.id, Roster(STUDENTS, ";"))
    room = Room(FOLDER, enrolled, tmp_path / "class", Places(tmp_path).enter, lambda _: None)
    room.note("s01-ada", "check", verdict="pass", text="pass", step=1)
    room.note("s01-ada", "check", verdict="fail", text="FAIL <x>", step=1)
    room.note("s02-bob", "hint")
    room.note("s02-bob", "handin")
    return room


@pytest.fixture
def get(here):
    with TestClient(application(here, stopping=lambda: True)) as client:
        client.get(f"/teacher/?token={here.enrolled.tokens['']}")
        yield lambda name: client.get(f"/teacher/{name}")


def cells(book):
    """Return the rows of a workbook's first sheet, as its file has them; a formula is no value."""
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        strings = [
            "".join(text.text or "" for text in item.iter(f"{SPACE}t"))
            for item in ET.fromstring(file.read("xl/sharedStrings.xml"))
        ]
        sheet = ET.fromstring(file.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{SPACE}f"))
    assert not list(sheet.iter(f"{SPACE}hyperlink"))
    return [
        [strings[int(cell[0].text)] if cell.get("t") == "s" else int(cell[0].text) for cell in row if len(cell)]
        for row in sheet.iter(f"{SPACE}row")
    ]


def test_workbook(get):
    """Numbers are numbers and texts are texts, also one that begins as a formula."""
    head, ada, bob = cells(get("class.xlsx").content)
    assert head == HEAD
    assert ada[:8] == ["s01-ada", EVIL, "=1+1", 1, 4, 2, 0, 0]
    assert ada[-1] == "fail"
    assert bob[1] == "Bob <b>bold</b>?[2J"


def test_csv(get):
    """The sheet has its mark, the same rows with the roster's separator, and no value that would be calculated."""
    text = get("class.csv").content
    assert text.startswith(b"\xef\xbb\xbfid;name;group;")
    head, ada, _ = csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter=";")
    assert head == HEAD
    assert ada[:8] == ["s01-ada", f"'{EVIL}", "'=1+1", "1", "4", "", "2", "0"]


def test_page(get):
    """The page shows the same rows, runs and loads nothing, and takes a name for text."""
    answer = get("class.html")
    assert "attachment" in answer.headers["content-disposition"]
    page = answer.text
    assert "default-src 'none'; script-src 'none'" in unescape(page)
    assert "Bob &lt;b&gt;bold" in page
    assert "FAIL &lt;x&gt;" in page
    assert "\x1b" not in page
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append((tag, dict(attrs)))
    parser.feed(page)
    assert not [tag for tag, _ in tags if tag in ("script", "img", "link", "b")]
    assert sum(tag == "tr" for tag, _ in tags) == 3


def test_junit(get):
    """Each student is a suite and each step a case, in the form that the schema wants: done, failed, and to come."""
    text = get("class.xml").text
    xmlschema.validate(text, SCHEMA)
    ada, bob = ET.fromstring(text)
    assert [[child.tag for child in case] for case in ada.iter("testcase")] == [
        [],
        ["failure"],
        ["skipped"],
        ["skipped"],
    ]
    assert (ada.get("failures"), ada.get("skipped"), ada.get("tests")) == ("1", "2", "4")
    assert ada.find(".//failure").text == "FAIL <x>"
    assert {each.get("name") for each in ada.iter("property")} >= {"id", "group", "attempts"}
    assert bob.get("skipped") == "4"


def test_hand_ins(here, get):
    """The archive has each student's own events, and no token."""
    with zipfile.ZipFile(io.BytesIO(get("hand-ins.zip").content)) as file:
        own = json.loads(file.read("s02-bob/events.json"))
        whole = b"".join(file.read(name) for name in file.namelist())
    assert [each["kind"] for each in own] == ["hint", "handin"]
    assert not any(token.encode() in whole for token in here.enrolled.tokens.values())


def test_cases():
    """A check while something is to be found says nothing of a step; a lab that is no exercise is one case."""
    last = Last("2027-01-31T18:00:00Z", "fail", "no")
    pupil = Pupil("s01-ada", "Ada", step=1, last=last)
    assert [case.verdict for case in rows.cases(FOLDER, pupil)] == ["pass", "fail", "open", "open"]
    broken = Pupil("s01-ada", "Ada", step=1, last=last, fault=Fault("2027-01-31T18:00:00Z"))
    assert [case.verdict for case in rows.cases(FOLDER, broken)] == ["pass", "open", "open", "open"]
    lab = plain.folder_of(Path(__file__).parents[2] / "examples" / "bridge.yaml")
    (case,) = rows.cases(lab, Pupil("s01-ada", "Ada", last=last, percent=40))
    assert (case.verdict, case.told) == ("fail", "no")
    assert rows.row(lab, Pupil("s01-ada", "Ada", percent=40), ["group"])[5] == 40
