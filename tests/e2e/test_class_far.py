"""A class in the browser from further away: behind a proxy with TLS and a path of its own, and from another machine."""

from __future__ import annotations

import ctypes
import os
import ssl
import subprocess
import threading
import time
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from support.browser import missing as no_browser
from support.lab_hosts import wait_for
from support.proxy import Class, Proxy
from support.proxy import missing as no_proxy

from dockerlab.serve.door import PATIENCE
from dockerlab.serve.server import listening

pytestmark = pytest.mark.skipif(
    bool(no_browser()), reason=f"{', '.join(no_browser())} not installed: scripts/setup dev"
)

SCREEN = "return document.querySelector('.xterm-rows')?.innerText ?? ''"
FAR, NEAR = "10.231.7.2", "10.231.7.1"
CLONE_NEWNET = 0x40000000


def text(browser, identity):
    return browser.driver.find_element(By.ID, identity).text


def type_in(browser, keys):
    browser.driver.find_element(By.CSS_SELECTOR, ".xterm-helper-textarea").send_keys(keys)


def works(browser, number):
    """Type into the terminal, and see what comes of it."""
    type_in(browser, f"echo here $(({number}+1))" + Keys.ENTER)
    wait_for(lambda: f"here {number + 1}" in browser.run(SCREEN), 20)


def begins(browser, address):
    """Open a student's link, and a terminal on the page."""
    browser.driver.get("about:blank")
    browser.complaints()
    browser.requests()
    browser.driver.get(address)
    wait_for(lambda: "Step 1" in text(browser, "step"))
    assert "token" not in browser.driver.current_url
    browser.driver.find_element(By.XPATH, "//*[@id='targets']/button[.='vm0']").click()
    wait_for(lambda: "class-s01-ada$" in browser.run(SCREEN))
    works(browser, 41)


def checked(browser):
    browser.driver.find_element(By.ID, "check").click()
    wait_for(lambda: "centos_v1 does not exist" in text(browser, "last"))


@pytest.fixture
def proxied(tmp_path):
    """Give a class, the proxy before it, and what the links begin with."""
    served = Class(tmp_path)
    proxy = Proxy(tmp_path, served.port)
    proxy.start()
    yield served, proxy, f"https://localhost:{proxy.port}/sub/"
    proxy.stop()
    served.stack.close()


@pytest.mark.skipif(bool(no_proxy()), reason=f"{', '.join(no_proxy())} not installed: scripts/setup dev")
def test_behind_a_proxy(browser, proxied):
    """Behind nginx with TLS and a path ahead everything works, stays, and goes on after the proxy was away."""
    served, proxy, begin = proxied
    browser.driver.execute_cdp_cmd("Security.setIgnoreCertificateErrors", {"ignore": True})
    try:
        begins(browser, served.link(begin, "s01-ada"))
        (cookie,) = browser.driver.get_cookies()
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
        checked(browser)
        time.sleep(PATIENCE + 2)
        works(browser, 51)
        asked = browser.requests()
        own = (begin, begin.replace("https", "wss"), "about:", "data:", "chrome:")
        assert [url for url in asked if not url.startswith(own)] == []
        assert len([url for url in asked if url.endswith("/events")]) == 1, "who has shown a token is not cut off"
        assert (said := browser.complaints()) == [], "\n".join(said)

        proxy.stop()
        wait_for(lambda: "no connection" in text(browser, "state"))
        proxy.start()
        wait_for(lambda: text(browser, "state") == "", 20)
        wait_for(lambda: "here 52" in browser.run(SCREEN), 20)
        works(browser, 61)
        checked(browser)
    finally:
        browser.driver.get("about:blank")
        browser.driver.execute_cdp_cmd("Security.setIgnoreCertificateErrors", {"ignore": False})


@pytest.mark.skipif(bool(no_proxy()), reason=f"{', '.join(no_proxy())} not installed: scripts/setup dev")
@pytest.mark.parametrize(("origin", "code"), [("https://localhost:{port}", 200), ("https://elsewhere.example", 403)])
def test_other_pages_behind_a_proxy(proxied, origin, code):
    """Behind the proxy, too, nothing is done for another site's page, though it sends the student's cookie."""
    served, proxy, _ = proxied
    name = "s01-ada"
    head = {
        "Origin": origin.format(port=proxy.port),
        "Cookie": f"dockerlab-class-{name}={served.room.enrolled.tokens[name]}",
    }
    context = ssl.create_default_context(cafile=proxy.certificate)
    asked = HTTPSConnection("localhost", proxy.port, context=context)
    try:
        asked.request("POST", f"/sub/s/{name}/hand-in", b"{}", head)
        assert asked.getresponse().status == code
    finally:
        asked.close()


def listening_in(pid, address):
    """Return a socket that listens in the network of a process; a thread enters that, and ends."""
    made = []

    def enter():
        handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            assert ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) == 0
            made.append(listening(address, 0))
        finally:
            os.close(handle)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]


@pytest.fixture
def far(tmp_path):
    """Give a class that is served on another machine, with a cable between that and this one."""
    with subprocess.Popen(["unshare", "--net", "sleep", "600"]) as machine:

        def there(*words):
            subprocess.run(["nsenter", f"--net=/proc/{machine.pid}/ns/net", *words], check=True)

        def here(*words):
            subprocess.run(["ip", *words], check=True)

        try:
            own = Path("/proc/self/ns/net").readlink()
            wait_for(lambda: Path(f"/proc/{machine.pid}/ns/net").readlink() != own)
            here("link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", str(machine.pid))
            here("address", "add", f"{NEAR}/30", "dev", "near0")
            here("link", "set", "near0", "up")
            there("ip", "address", "add", f"{FAR}/30", "dev", "far0")
            there("ip", "link", "set", "far0", "up")
            served = Class(tmp_path, listening_in(machine.pid, FAR))
            yield served, here
            served.stack.close()
        finally:
            machine.kill()


def test_from_another_machine(browser, far):
    """Over plain HTTP from another machine everything works, and goes on after the cable was out for a while."""
    served, here = far
    begin = f"http://{FAR}:{served.port}/"
    begins(browser, served.link(begin, "s01-ada"))
    (cookie,) = browser.driver.get_cookies()
    assert cookie["secure"] is False, "it would never be sent again over plain HTTP"
    checked(browser)
    here("link", "set", "near0", "down")
    type_in(browser, "echo typed while $((70+1))" + Keys.ENTER)
    time.sleep(3)
    here("link", "set", "near0", "up")
    wait_for(lambda: "typed while 71" in browser.run(SCREEN), 30)
    works(browser, 81)
    checked(browser)
    asked = browser.requests()
    own = (begin, begin.replace("http", "ws"), "about:", "data:", "chrome:")
    assert [url for url in asked if not url.startswith(own)] == []
    browser.driver.get("about:blank")
