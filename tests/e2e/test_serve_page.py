"""The teacher's page as a person opens it: in a browser, live, by mouse, keyboard and screen reader.

Grades are made from predictions, so that no engine is needed; `test_students.py` serves a real class. Screenshots go to
DOCKERLAB_SCREENSHOTS if that names a folder, to be looked at.
"""

from __future__ import annotations

import urllib.request
from datetime import datetime, timezone

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from support.browser import missing, shot
from support.lab_hosts import EXAMPLES, wait_for
from support.labs import read
from support.offline import observed

from dockerlab.serve.access import Access
from dockerlab.serve.app import application
from dockerlab.serve.board import Board
from dockerlab.serve.door import Door
from dockerlab.serve.server import listening, serving
from dockerlab.students import as_html
from dockerlab.students.grades import Grade
from dockerlab.students.instance import instance
from dockerlab.students.roster import parse
from dockerlab.students.subnets import Source

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"{', '.join(missing())} not installed: scripts/setup dev")

NASTY = "</td><script>document.title='gone'</script><img src=x onerror=document.title='gone'>"
ROSTER = f'name,group\nAda Lovelace,A\n"{NASTY}","{NASTY}"\nBob,B\nEve,B\n'
TOKEN = "t0ken-of-the-teacher"
NOW = datetime(2027, 1, 31, 18, 0, tzinfo=timezone.utc)


def grades(wrong=()):
    definition = read(EXAMPLES / "user-bridge.yaml")
    made = [instance(definition, each, {"local": "vm0"}, Source()) for each in parse(ROSTER, "r")]
    return [
        Grade(made[0], observed(made[0].lab)),
        Grade(made[1], observed(made[1].lab, wrong=wrong)),
        Grade(made[2], observed(made[2].lab, untold={5})),
        Grade(made[3], None, f"vm0: {NASTY}"),
    ]


@pytest.fixture
def board():
    made = Board("user-bridge", NASTY)
    made.begin([{"id": "s01-ada-lovelace", "name": "Ada Lovelace"}])
    return made


@pytest.fixture
def page(browser, board):
    """Open the page of a class, live; it must load nothing else, complain of nothing, and run nothing of a value's."""
    on = listening("127.0.0.1", 0)
    address = f"http://127.0.0.1:{on.getsockname()[1]}/"
    door = Door()
    with serving(lambda ending: application(board, Access(TOKEN), ending, door.trust), on, door):
        browser.driver.get("about:blank")
        browser.complaints()
        browser.requests()
        browser.driver.get(f"{address}?token={TOKEN}")
        board.publish(grades(wrong={3}), NOW, 1.5)
        wait_for(lambda: "4 students" in text(browser, "total"))
        yield browser
        assert browser.driver.title == "user-bridge: class"
        complaints = [each for each in browser.complaints() if "favicon" not in each]
        assert complaints == []
        assert [url for url in browser.requests() if not url.startswith((address, "chrome:", "about:", "data:"))] == []
        browser.driver.get("about:blank")


def text(browser, identity):
    return browser.driver.find_element(By.ID, identity).text


ROWS = "return [...document.querySelectorAll('#rows tr')].map(row => row.innerText.replace(/\\s+/g, ' '))"


def lines(browser):
    """Return the rows' texts as they are at one moment."""
    return browser.run(ROWS)


def test_the_class(page):
    """A row for each student with counts and verdict; what strangers wrote is text."""
    assert text(page, "total") == "4 students: 1 pass, 1 fail, 1 unknown, 1 not to be graded"
    assert len(lines(page)) == 4
    assert "<script>document.title" in lines(page)[1]
    assert "web -> hidden ping: reachable; expected unreachable" in lines(page)[1]
    assert page.run("return document.querySelectorAll('main script, main img').length") == 0
    shot(page, "serve-class")


def test_a_student(page):
    """By the student's button: the matrices with their marks, and the cell that failed with its explanation."""
    page.driver.find_elements(By.CSS_SELECTOR, "#rows button")[1].click()
    wait_for(lambda: page.driver.find_element(By.ID, "detail").is_displayed())
    last = text(page, "last-facts")
    assert "web → hidden" in last
    assert "is internal: iptables drops" in last
    assert "bridge-internal" in last
    marks = page.driver.find_elements(By.CSS_SELECTOR, ".matrix td.fail")
    assert [mark.text for mark in marks] == ["yes!"]
    assert page.driver.find_element(By.CSS_SELECTOR, ".matrix tbody th").text == "web"
    shot(page, "serve-student")


@pytest.mark.parametrize("size", [(1280, 900), (400, 800)], ids=str)
def test_the_name_is_seen(page, size):
    """After a click the student's name is on the screen, however much stands below it."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.run("document.querySelectorAll('#rows button')[1].click()")
        wait_for(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".matrix td.fail") != [])
        wait_for(lambda: page.focused.get_attribute("id") == "detail")
        top = page.run("return document.getElementById('detail-head').getBoundingClientRect().top")
        assert 0 <= top < size[1] / 2
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_live(page, board):
    """A round changes the rows and the open student without a click; what failed stays, as repaired."""
    page.driver.find_elements(By.CSS_SELECTOR, "#rows button")[1].click()
    wait_for(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".matrix td.fail") != [])
    board.publish(grades(), NOW, 1.5)
    wait_for(lambda: text(page, "total").startswith("4 students: 2 pass"))
    wait_for(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".matrix td.fail") == [])
    assert "repaired" in text(page, "last-facts")
    board.fail(f"vm0: {NASTY}")
    wait_for(lambda: "<script>" in text(page, "trouble"))


def test_by_keyboard(page, board):
    """Tab and Enter open a student, a round leaves the focus where it is, Escape closes and goes back."""
    button = page.driver.find_elements(By.CSS_SELECTOR, "#rows button")[0]
    button.send_keys(Keys.ENTER)
    wait_for(lambda: page.focused.get_attribute("id") == "detail")
    page.focused.send_keys(Keys.ESCAPE)
    wait_for(lambda: page.focused.text == "Ada Lovelace")
    board.publish(grades(), NOW, 1.5)
    wait_for(lambda: text(page, "total").startswith("4 students: 2 pass"))
    assert page.focused == button
    assert button.get_attribute("aria-expanded") == "false"


def test_a_round_keeps_what_it_can(page, board):
    """A matrix that is scrolled and has the focus keeps both in a round; of what changes, only the texts do."""
    page.driver.find_elements(By.CSS_SELECTOR, "#rows button")[1].click()
    wait_for(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".matrix td.fail") != [])
    page.run("document.getElementById('matrices').style.width = '12rem'")
    around = page.driver.find_element(By.CSS_SELECTOR, "#matrices .scroll")
    page.run("arguments[0].focus(); arguments[0].scrollTo(40, 0)", around)
    mark = page.driver.find_element(By.CSS_SELECTOR, ".matrix td.fail")
    board.publish(grades(), NOW, 1.5)
    wait_for(lambda: mark.get_attribute("class") == "pass no")
    assert mark.text == "no"
    assert page.focused == around
    assert around.get_property("scrollLeft") == 40


def test_who_no_longer_matches(page, board):
    """Who has the focus and no longer matches the filter hands it on to the next row, at last to the filter."""
    Select(page.one("combobox", "Verdict")).select_by_visible_text("unknown")
    (bob,) = page.driver.find_elements(By.CSS_SELECTOR, "#rows button")
    page.run("arguments[0].focus()", bob)
    changed = grades(wrong={3})
    passing, unknown = Grade(changed[2].instance, changed[0].report), Grade(changed[1].instance, changed[2].report)
    board.publish([changed[0], unknown, changed[2], changed[3]], NOW, 1.5)
    wait_for(lambda: len(lines(page)) == 2)
    assert page.focused == bob
    board.publish([changed[0], unknown, passing, changed[3]], NOW, 1.5)
    wait_for(lambda: len(lines(page)) == 1)
    assert page.focused.text.startswith("</td><script>")
    board.publish([changed[0], changed[1], passing, changed[3]], NOW, 1.5)
    wait_for(lambda: lines(page) == [])
    assert page.focused == page.one("combobox", "Verdict")


def test_small_screen(page):
    """On a telephone the page fits the screen, whatever a student is called; what is wide scrolls in itself."""
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.driver.find_elements(By.CSS_SELECTOR, "#rows button")[1].click()
        wait_for(lambda: page.driver.find_element(By.ID, "detail").is_displayed())
        shot(page, "serve-telephone")
        assert page.run("return document.documentElement.scrollWidth") <= 390
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_for_a_screen_reader(page):
    """The table has heads of rows and columns, what changes is announced, and every control has a name."""
    assert page.one("heading", "Students")
    assert text(page, "total")
    assert page.driver.find_element(By.ID, "total").get_attribute("aria-live") == "polite"
    assert page.driver.find_element(By.ID, "trouble").get_attribute("role") == "alert"
    assert page.one("searchbox", "Search")
    assert page.one("combobox", "Verdict")
    heads = page.driver.find_elements(By.CSS_SELECTOR, "#rows th[scope=row]")
    assert len(heads) == 4
    assert page.one("button", "Ada Lovelace")


def test_filters(page):
    """Words and a verdict narrow the rows; Clear brings them back."""
    page.one("searchbox", "Search").send_keys("ada vm0")
    assert len(lines(page)) == 1
    page.one("button", "Clear").click()
    wait_for(lambda: len(lines(page)) == 4)
    Select(page.one("combobox", "Verdict")).select_by_visible_text("error")
    assert [line.split()[0] for line in lines(page)] == ["Eve"]


def test_the_end(browser, board):
    """When dockerlab ends the page says so, and the server has let go of its port at once."""
    on = listening("127.0.0.1", 0)
    port = on.getsockname()[1]
    door = Door()
    with serving(lambda ending: application(board, Access(TOKEN), ending, door.trust), on, door):
        browser.driver.get(f"http://127.0.0.1:{port}/?token={TOKEN}")
        wait_for(lambda: len(lines(browser)) == 1)  # the first event has come: the page is connected
        request = urllib.request.Request(f"http://127.0.0.1:{port}/board", headers={"Cookie": f"dockerlab={TOKEN}"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200
    wait_for(lambda: "dockerlab serve has ended" in text(browser, "trouble"))
    listening("127.0.0.1", port).close()


def test_a_page_of_grades(browser, tmp_path):
    """The page of `grade --format html` opens from a file, with nothing refused, and shows what strangers wrote."""
    path = tmp_path / "grades.html"
    path.write_text(as_html.render("user-bridge", grades(wrong={3})), encoding="utf-8")
    browser.open(path)
    assert browser.driver.title == "user-bridge: 4 students: 1 pass, 1 fail, 1 unknown, 1 not to be graded"
    assert browser.run("return document.querySelectorAll('script, img').length") == 0
    assert browser.complaints() == []
    shot(browser, "grades")
