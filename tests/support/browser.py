"""A browser without a window, for pages that a person would open."""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64decode
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains

PROGRAMS = ("chromium", "chromedriver")
OPTIONS = (  # the browser tells its own idea of roles and names only when it is asked to
    "--enable-blink-features=ComputedAccessibilityInfo",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--window-size=1400,1000",
)


def missing():
    """Return the programs that are not here."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def shot(browser, name):
    """Keep a picture of the page where DOCKERLAB_SCREENSHOTS names a folder for such."""
    folder = os.environ.get("DOCKERLAB_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        browser.shot(Path(folder) / f"{name}.png")


class Browser:
    """One page at a time; everything in it is found as a screen reader finds it: by role and name."""

    def __init__(self, profile):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))

    def open(self, path):
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.driver.get(Path(path).as_uri())

    def close(self):
        self.driver.quit()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, role, name=None):
        """Return the elements of a role, as the browser's own accessibility tree has them."""
        return self.run(FIND, NATIVE.get(role, f'[role="{role}"]'), role, name)

    def one(self, role, name=None):
        (found,) = self.all(role, name)
        return found

    def press(self, *keys):
        """Press keys wherever the focus is: what has it may be drawn anew meanwhile."""
        ActionChains(self.driver).send_keys(*keys).perform()

    @property
    def focused(self):
        return self.driver.switch_to.active_element

    def prefer(self, scheme):
        """Have a reader who wants it light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def printed(self):
        """Return the page as PDF."""
        wish = {"landscape": True, "printBackground": True}
        return b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", wish)["data"])

    def complaints(self):
        """Return what the console says: errors, and what the page's policy refused; not of the browser's own pages."""
        messages = [entry["message"] for entry in self.driver.get_log("browser")]
        return [message for message in messages if not message.startswith("chrome://")]

    def requests(self):
        """Return the addresses that were asked for since the last time."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def shot(self, path):
        assert self.driver.save_screenshot(str(path))


FIND = """
const [selector, role, name] = arguments;
const likely = (e) => name === null || e.ariaLabel === name || (e.ariaLabel === null && e.tagName !== "SPAN")
  || e.textContent === name;
const found = [...document.querySelectorAll(selector)].filter(likely); // to ask for all names takes the browser long
return found.filter((e) => e.computedRole === role && (name === null || e.computedName === name));
"""

NATIVE = {
    "button": "button",
    "combobox": "select",
    "link": "a[href]",
    "searchbox": "input[type=search]",
    "heading": "h1,h2",
    "row": "tr,[role=row]",
}
"""Roles that elements have by themselves."""
