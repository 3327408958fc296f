"""A class in the browser as its people have it: a student and the teacher, each in a window of their own.

Places are this machine (`support.class_places`), so that no engine is needed. Screenshots go to DOCKERLAB_SCREENSHOTS.
"""

from __future__ import annotations

import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from support.browser import missing, shot
from support.class_served import SCREEN, Served, text, type_in
from support.lab_hosts import wait_for

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"{', '.join(missing())} not installed: scripts/setup dev")


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path)
    made.start()
    yield made
    made.stop()


def test_a_class(browser, served):
    """A student types, fails a check, is written to, is looked at over the shoulder, and has his screen after a cut."""
    driver = browser.driver
    browser.complaints()
    browser.requests()
    driver.get(served.link("s01-ada"))
    wait_for(lambda: "Step 1" in text(browser, "step"))
    assert "token" not in driver.current_url
    assert "Start two containers" in text(browser, "task")
    driver.find_element(By.XPATH, "//*[@id='targets']/button[.='vm0']").click()
    wait_for(lambda: "class-s01-ada$" in browser.run(SCREEN))
    type_in(browser, "printf '\\033[38;2;9;200;9mgreen\\033[0m %s\\n' $((40+2))" + Keys.ENTER)
    wait_for(lambda: "green 42" in browser.run(SCREEN))

    driver.find_element(By.ID, "check").click()
    wait_for(lambda: "centos_v1 does not exist" in text(browser, "last"))
    assert driver.find_element(By.ID, "last").get_attribute("class") == "fail"
    student = driver.current_window_handle

    driver.switch_to.new_window("window")
    driver.get(served.link(""))
    wait_for(lambda: "fail" in text(browser, "rows"))
    assert "Bob <b>bold</b>" in text(browser, "rows")
    driver.find_element(By.ID, "text").send_keys("look at docker ps" + Keys.ENTER)
    wait_for(lambda: text(browser, "state") == "sent")
    Select(driver.find_element(By.CSS_SELECTOR, "#rows select")).select_by_visible_text("vm0")
    wait_for(lambda: "green 42" in browser.run(SCREEN))
    type_in(browser, "echo teacher $((50+3))" + Keys.ENTER)
    wait_for(lambda: "teacher 53" in browser.run(SCREEN))
    shot(browser, "class-teacher")
    driver.close()
    driver.switch_to.window(student)
    wait_for(lambda: "look at docker ps" in text(browser, "messages"))
    wait_for(lambda: "teacher 53" in browser.run(SCREEN))
    shot(browser, "class-student")
    assert (said := browser.complaints()) == [], "\n".join(said)
    address = f"http://127.0.0.1:{served.port}/"
    known = (address, address.replace("http", "ws"), "chrome:", "about:", "data:")
    assert [url for url in browser.requests() if not url.startswith(known)] == []

    driver.refresh()  # a laptop that was away: the same shell, with what was on its screen
    wait_for(lambda: driver.find_elements(By.XPATH, "//*[@id='targets']/button[.='vm0']"))
    driver.find_element(By.XPATH, "//*[@id='targets']/button[.='vm0']").click()
    wait_for(lambda: "teacher 53" in browser.run(SCREEN))

    served.stop()  # and a server that was killed: what is known of the class is there again
    served.start()
    served.places.says = ("pass    centos_v1", 0)
    wait_for(lambda: text(browser, "state") == "", 20)
    driver.find_element(By.ID, "check").click()
    wait_for(lambda: "Step 2" in text(browser, "step"), 20)
    assert served.room.standing.pupils["s01-ada"].attempts == 2
    driver.get("about:blank")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (1024, 768), (400, 800)], ids=str)
def test_widths(browser, served, size, scheme):
    """Neither page is wider than its screen, with a terminal and the lab open, on laptops and on a phone, also dark."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.complaints()
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.prefer(scheme)
    try:
        for who in ("s02-bob", ""):
            browser.driver.get(served.link(who))
            if who:
                wait_for(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "#targets button"))
                browser.driver.find_element(By.CSS_SELECTOR, "#targets button").click()
                browser.driver.find_element(By.ID, "look").click()
                wait_for(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "#picture svg"))
            else:
                wait_for(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "#rows select"))
                Select(browser.driver.find_element(By.CSS_SELECTOR, "#rows select")).select_by_visible_text("vm0")
            wait_for(lambda: "$" in browser.run(SCREEN))
            shot(browser, f"class-{who or 'teacher'}-{size[0]}-{scheme}")
            assert browser.run("return document.documentElement.scrollWidth") <= size[0]
        assert (said := browser.complaints()) == [], "\n".join(said)
    finally:
        browser.prefer("light")
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.driver.get("about:blank")


def test_one_size(browser, served):
    """A terminal that two look at is as large as the smaller of their windows, and each of them is told."""
    note = "return document.querySelector('.terminal-box .note')?.innerText ?? ''"
    driver = browser.driver
    driver.get(served.link("s02-bob"))
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, "#targets button"))
    driver.find_element(By.CSS_SELECTOR, "#targets button").click()
    wait_for(lambda: "$" in browser.run(SCREEN))
    student = driver.current_window_handle
    driver.switch_to.new_window("window")
    driver.get(served.link(""))
    wait_for(lambda: len(driver.find_elements(By.CSS_SELECTOR, "#rows select")) == 2)
    Select(driver.find_elements(By.CSS_SELECTOR, "#rows select")[1]).select_by_visible_text("vm0")
    wait_for(lambda: "the smaller of 2 windows" in browser.run(note))
    size = served.room.terminals["s02-bob", "vm0"].size
    type_in(browser, "stty size" + Keys.ENTER)
    wait_for(lambda: f"{size.rows} {size.columns}" in browser.run(SCREEN))
    assert re.search(rf"{size.columns} . {size.rows}, ", browser.run(note))
    shot(browser, "class-one-size")
    driver.close()
    driver.switch_to.window(student)
    wait_for(lambda: "windows" not in browser.run(note))
    driver.get("about:blank")
