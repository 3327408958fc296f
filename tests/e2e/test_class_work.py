"""What students and teacher do on a class's pages beside terminals: the lab seen, faults, resets.

Places are this machine (`support.class_places`), so that no engine is needed. Screenshots go to DOCKERLAB_SCREENSHOTS.
"""

from __future__ import annotations

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from support.browser import missing, shot
from support.class_places import FOLDER
from support.class_served import SCREEN, Served, text
from support.lab_hosts import EXAMPLES, wait_for

from dockerlab.classroom import plain
from dockerlab.faults import FAULTS

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"{', '.join(missing())} not installed: scripts/setup dev")


@pytest.fixture
def served(tmp_path, request):
    made = Served(tmp_path, getattr(request, "param", FOLDER))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def page(browser, served):
    """Give a function that opens somebody's page; in the end no page has complained of anything."""

    def opened(who):
        browser.driver.get(served.link(who))
        wait_for(lambda: text(browser, "rows" if not who else "step"))

    browser.complaints()
    yield opened
    assert (said := browser.complaints()) == [], "\n".join(said)
    browser.driver.get("about:blank")


def press(browser, identity):
    browser.driver.find_element(By.ID, identity).click()


def test_lab(browser, page):
    """After a check the lab's picture and matrix come by themselves, and again when they are asked for."""
    page("s01-ada")
    assert not browser.driver.find_elements(By.CSS_SELECTOR, "#picture svg")
    press(browser, "check")
    wait_for(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "#picture svg"))
    wait_for(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "#matrix td.fail"))
    assert "1 not as expected" in text(browser, "seen")
    first = text(browser, "seen")
    box = browser.run("return document.querySelector('#picture svg').getBoundingClientRect().height")
    assert box > 100
    fill = "return getComputedStyle(document.querySelector('#picture .paper')).fill"
    assert browser.run(fill) == "rgb(255, 255, 255)"
    browser.run("document.querySelector('.lab').scrollIntoView()")
    shot(browser, "class-lab")
    browser.prefer("dark")
    try:
        wait_for(lambda: browser.run(fill) == "rgb(20, 25, 31)")
        shot(browser, "class-lab-dark")
    finally:
        browser.prefer("light")
    wait_for(lambda: browser.driver.find_element(By.ID, "look").is_enabled())
    press(browser, "look")
    wait_for(lambda: text(browser, "look") == "Look again" and text(browser, "seen") >= first)


def test_a_fault(browser, page, served):
    """The teacher breaks something; the student's page says so and no more; a check that passes ends it."""
    page("")
    Select(browser.driver.find_element(By.ID, "whom")).select_by_visible_text("Ada Lovelace")
    browser.driver.find_element(By.CSS_SELECTOR, "#fault button").click()
    wait_for(lambda: "to be found: " in text(browser, "rows"))
    shot(browser, "class-fault-teacher")
    page("s01-ada")
    wait_for(lambda: text(browser, "step") == "Find what is broken")
    title = FAULTS[FOLDER.exercise.faults[0].fault].title
    assert title not in browser.driver.page_source
    assert not browser.driver.find_element(By.ID, "healthy").is_displayed()
    shot(browser, "class-fault-student")
    served.places.says = ("pass    mended", 0)
    press(browser, "check")
    wait_for(lambda: "faults found: 1" in text(browser, "where"))
    assert "Step 1" in text(browser, "step")


def test_by_keyboard(browser, page, served):
    """With the keyboard alone a teacher closes a step, and resets a student after a question that means no at first."""
    page("")
    browser.run("document.querySelector('#opened input').focus()")
    browser.press(Keys.SPACE, Keys.ENTER)
    wait_for(lambda: text(browser, "state") == "set")
    assert served.room.standing.opened == {1, 2, 3}
    for wanted in ("", "yes"):
        browser.run("document.querySelector('[aria-label=\"Reset Ada Lovelace\"]').focus()")
        browser.press(Keys.ENTER)
        wait_for(lambda: browser.driver.find_element(By.ID, "question").is_displayed())
        assert browser.focused.get_attribute("id") == "step"
        browser.press("2", Keys.TAB)
        shot(browser, "class-reset")
        assert browser.focused.get_attribute("id") == "no"
        browser.press(*([Keys.TAB] if wanted else []))
        browser.press(Keys.ENTER)
        wait_for(lambda: not browser.driver.find_element(By.ID, "question").is_displayed())
    wait_for(lambda: text(browser, "state") == "Ada Lovelace: reset")
    assert served.room.standing.pupils["s01-ada"].step == 1
    assert sum("stop" in command for _, command in served.places.commands) == 1
    assert "Ada Lovelace" in browser.focused.get_attribute("aria-label")
    page("s02-bob")
    wait_for(lambda: "not open" in text(browser, "said"))
    assert text(browser, "task") == ""


def test_terminal_by_keyboard(browser, page):
    """A terminal is opened, typed in and left by the keyboard alone; Tab is the shell's, Shift+Tab leads out."""
    page("s02-bob")
    wait_for(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "#targets button"))
    browser.run("document.querySelector('#targets button').focus()")
    browser.focused.send_keys(Keys.ENTER)
    wait_for(lambda: "$" in browser.run(SCREEN))
    assert browser.focused.get_attribute("aria-label") == "vm0: Shift+Tab leaves it"
    browser.focused.send_keys("echo $((40+2))", Keys.TAB, Keys.ENTER)
    wait_for(lambda: "42" in browser.run(SCREEN))
    browser.focused.send_keys(Keys.SHIFT, Keys.TAB)
    assert "Shift+Tab" not in (browser.focused.get_attribute("aria-label") or "")


@pytest.mark.parametrize("served", [plain.folder_of(EXAMPLES / "bridge.yaml")], indirect=True, ids=["bridge"])
def test_a_lab(browser, page, served):
    """A lab that is no exercise shows its definition; a check is its grade, with the matrix, on both pages."""
    served.places.sees = json.dumps(
        {**json.loads(served.places.sees), "grade": {"outcome": "fail", "percent": 91, "text": "91 %: 10 pass, 1 fail"}}
    )
    page("s01-ada")
    assert "network_mode: bridge" in text(browser, "task")
    assert text(browser, "where") == "not graded yet"
    assert not browser.driver.find_element(By.ID, "hint").is_displayed()
    press(browser, "check")
    wait_for(lambda: text(browser, "where") == "91 %")
    wait_for(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "#matrix td.fail"))
    assert "10 pass, 1 fail" in text(browser, "last")
    shot(browser, "class-plain-student")
    page("")
    wait_for(lambda: "91 %" in text(browser, "rows"))
    assert not browser.driver.find_element(By.ID, "opened-set").is_displayed()
    shot(browser, "class-plain-teacher")
