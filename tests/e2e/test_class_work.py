"""What students and teacher do on a class's pages beside terminals: the lab seen, faults, resets.

Places are this machine (`support.class_places`), so that no engine is needed. Screenshots go to DOCKERLAB_SCREENSHOTS.
"""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from support.browser import missing, shot
from support.class_served import Served, text
from support.lab_hosts import wait_for

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"{', '.join(missing())} not installed: scripts/setup dev")


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path)
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
