"""The report and the picture as a person opens them: in a browser, from a file, by mouse, keyboard and screen reader.

Reports are made from predictions, so that no engine is needed; one is that of a real lab. Screenshots go to
DOCKERLAB_SCREENSHOTS if that names a folder, to be looked at.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from support.browser import missing
from support.lab_hosts import NAMES
from support.labs import lab as parse
from support.labs import read, who
from support.offline import observed, world_of

from dockerlab.graph import svg
from dockerlab.graph.describe import describe
from dockerlab.provision import scripts
from dockerlab.report import as_html

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"{', '.join(missing())} not installed: scripts/setup dev")

ROOT = Path(__file__).parents[2]
NASTY = "</script><script>document.title='gone'</script><img src=x onerror=\"document.title='gone'\">"


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    """Give the folder for screenshots."""
    named = os.environ.get("DOCKERLAB_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def page_of(definition, made):
    return as_html.render(made, scripts.commands_of(definition, who(definition)))


@pytest.fixture
def mixed(browser, tmp_path):
    """Open the report of the lab with every mode, with two failures and one unknown cell."""
    definition = read(ROOT / "examples/mixed.yaml")
    path = tmp_path / "report.html"
    path.write_text(page_of(definition, observed(definition, wrong={3, 17}, untold={5})), encoding="utf-8")
    browser.open(path)
    yield browser
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(("file:", "data:", "chrome:"))] == []


def facts(browser):
    """Return what the page shows of the chosen cell."""
    terms = browser.run("return [...document.querySelectorAll('#facts dt')].map(e => e.textContent)")
    values = browser.run("return [...document.querySelectorAll('#facts dd')].map(e => e.textContent)")
    return dict(zip(terms, values, strict=True))


def count(browser):
    return browser.one("status").text


def test_cells_by_role_and_name(mixed):
    """Every cell is a grid cell with a name that says what was asked and what came of it."""
    grid = mixed.one("grid", "Reachability: sources down, targets across")
    assert (grid.get_attribute("aria-rowcount"), grid.get_attribute("aria-colcount")) == ("13", "28")
    assert mixed.one("gridcell", "web to side 172.30.0.2 by ping: pass, reachable").text == "✓"
    assert mixed.one("gridcell", "plain0 to side 172.30.0.2 by ping: fail, reachable").text == "✓!"
    assert mixed.one("gridcell", "plain0 to lan0 192.168.22.210 by ping: unknown, unknown").text == "?"
    assert mixed.one("gridcell", "alone to vm0 192.168.22.61 by ping: pass, unreachable").text == "\u2013"
    assert mixed.one("rowheader", "plain0").text == "plain0"
    assert mixed.one("columnheader", "lan1 192.168.22.211").text == "lan1 192.168.22.211"
    assert count(mixed) == "284 of 284 cells: 281 pass, 2 fail, 1 unknown"


def test_keyboard(mixed):
    """One cell is reached by Tab, the others by arrows, Home, End and pages; Escape clears what is told of it."""
    mixed.one("button", "Clear").send_keys(Keys.TAB)
    assert mixed.focused.accessible_name == "plain0 to plain1 172.17.0.2 by ping: pass, unreachable"
    mixed.focused.send_keys(Keys.ARROW_RIGHT)
    mixed.focused.send_keys(Keys.ARROW_RIGHT)
    assert mixed.focused.accessible_name == "plain0 to side 172.30.0.2 by ping: fail, reachable"
    told = facts(mixed)
    assert told["Verdict"] == "fail"
    assert told["Expected"].startswith("unreachable")
    assert told["Observed"] == "reachable"
    assert told["Rule"] == "bridge-isolation"
    assert told["Because"]
    assert told["Evidence"] == "answered by the right one"
    described = mixed.driver.find_element(By.ID, mixed.focused.get_attribute("aria-describedby"))
    assert described.text == told["Because"]
    assert len(mixed.driver.find_elements(By.CSS_SELECTOR, "#grid [aria-describedby]")) == 1
    mixed.focused.send_keys(Keys.CONTROL, Keys.END)
    assert mixed.focused.accessible_name.startswith("vm1 to wide1")
    mixed.focused.send_keys(Keys.ARROW_DOWN)
    assert mixed.focused.accessible_name.startswith("vm1 to wide1")
    mixed.focused.send_keys(Keys.CONTROL, Keys.HOME)
    assert mixed.focused.accessible_name.startswith("plain0 to plain0")
    mixed.focused.send_keys(Keys.ARROW_DOWN)
    mixed.focused.send_keys(Keys.ESCAPE)
    assert facts(mixed) == {}
    assert mixed.focused.accessible_name.startswith("plain1 to plain0")
    assert len(mixed.driver.find_elements(By.CSS_SELECTOR, "#grid [tabindex='0']")) == 1


def test_what_is_in_sight_stays(mixed):
    """A cell with the focus stays the same element, with the focus, while the matrix is scrolled, also out of sight."""
    mixed.run("document.getElementById('grid').style.width = '400px'")
    mixed.one("button", "Clear").send_keys(Keys.TAB)
    mixed.focused.send_keys(Keys.ARROW_RIGHT)
    cell = mixed.focused
    for left in (1, 300, 0):
        mixed.run(SCROLLED, left)
        assert mixed.focused == cell
        order = mixed.run("return [...arguments[0].parentNode.children].map(e => Number(e.ariaColIndex))", cell)
        assert order == sorted(set(order))
    cell.send_keys(Keys.CONTROL, Keys.END)
    assert mixed.focused != cell
    mixed.run(SCROLLED, 0)
    assert len(mixed.driver.find_elements(By.CSS_SELECTOR, "#grid [tabindex='0']")) == 1
    assert mixed.focused.accessible_name.startswith("vm1 to wide1")


def test_pointing_and_the_picture(mixed):
    """Pointing at a cell tells of it, and shows its two ends in the picture."""
    cell = mixed.one("gridcell", "web to side 172.30.0.2 by ping: pass, reachable")
    cell.click()
    assert facts(mixed)["Question"] == "web to side 172.30.0.2 by ping"
    lit = mixed.run("return [...document.querySelectorAll('.lit')].map(e => e.parentNode.dataset.node)")
    assert sorted(lit) == ["container:side", "container:web"]


def test_filters(mixed):
    """Search, host, mode, probe and verdict leave the cells that are meant, and the count is announced."""
    assert mixed.one("status").get_attribute("aria-live") == "polite"
    Select(mixed.one("combobox", "Verdict")).select_by_visible_text("fail or unknown")
    assert count(mixed) == "3 of 284 cells: 0 pass, 2 fail, 1 unknown"
    assert [e.text for e in mixed.all("rowheader")] == ["plain0"]
    mixed.one("button", "Clear").click()
    mixed.run("return new Promise(done => setTimeout(done, 50))")
    assert count(mixed).startswith("284 of 284")
    Select(mixed.one("combobox", "Mode")).select_by_visible_text("macvlan")
    Select(mixed.one("combobox", "Probe")).select_by_visible_text("ping")
    Select(mixed.one("combobox", "Host")).select_by_visible_text("vm1")
    shown = {e.text for e in mixed.all("rowheader")}
    assert {"lan0", "lan1", "vm1"} <= shown
    assert not any(e.text.startswith("name ") for e in mixed.all("columnheader"))
    mixed.one("button", "Clear").click()
    mixed.run("return new Promise(done => setTimeout(done, 50))")
    mixed.one("searchbox", "Search").send_keys("Web bridge-isolation")
    found = int(count(mixed).split()[0])
    assert 0 < found < 284
    mixed.one("searchbox", "Search").send_keys(" nothing-of-the-kind")
    assert count(mixed) == "0 of 284 cells: 0 pass, 0 fail, 0 unknown"
    assert mixed.all("gridcell") == []


SIZES = "const d = document.getElementById('drawing'); return [d.firstElementChild.clientWidth, d.clientWidth]"


@pytest.mark.parametrize("width", [390, 1280])
def test_the_picture_fits(mixed, shots, width):
    """The picture fits its page at any width; it is made larger and smaller by buttons and keys, and fits again."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    mixed.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        fit, room = mixed.run(SIZES)
        assert fit <= room <= width
        mixed.shot(shots / f"picture-{width}.png")
        mixed.one("button", "Larger picture").click()
        assert mixed.run(SIZES)[0] > fit
        region = mixed.one("region", "Picture of the lab")
        region.send_keys("+", "+")
        larger = mixed.run(SIZES)[0]
        assert larger > room
        region.send_keys("-")
        assert mixed.run(SIZES)[0] < larger
        region.send_keys("0")
        assert mixed.run(SIZES)[0] == fit
        assert mixed.run("return document.documentElement.scrollWidth") <= width
    finally:
        mixed.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [390, 1280])
def test_the_picture_alone_fits(browser, tmp_path, width):
    """A picture of its own scales with its window, and is of one colour all over."""
    path = tmp_path / "mixed.svg"
    path.write_text(svg.render(describe(world_of(read(ROOT / "examples/mixed.yaml")), imagined=True)), encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.prefer("dark")
    try:
        browser.open(path)
        assert browser.run("return document.documentElement.getBoundingClientRect().width") <= width
        assert browser.run("return getComputedStyle(document.documentElement).backgroundColor") == "rgb(20, 25, 31)"
    finally:
        browser.prefer("light")
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_landmarks(mixed):
    """The parts have headings and are in the table of contents; what scrolls can be scrolled by keyboard."""
    heads = [heading.text for heading in mixed.all("heading")]
    assert heads[1:] == ["Picture", "Matrix", "Not as expected, or not to be told", "Commands", "Hosts"]
    for link in mixed.all("link"):
        assert mixed.driver.find_elements(
            By.CSS_SELECTOR, link.get_attribute("href").rpartition("#")[2].join(("#", ""))
        )
    assert mixed.one("region", "Picture of the lab").get_attribute("tabindex") == "0"
    labels = mixed.run("return [...document.querySelectorAll('svg [role~=graphics-symbol]')].map(e => e.ariaLabel)")
    assert any(label.startswith("container web on vm0") for label in labels)
    assert all(labels)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(mixed, shots, scheme):
    """Texts stand out from what is behind them, in light and in dark, by the contrast that WCAG asks for."""
    mixed.prefer(scheme)
    mixed.one("gridcell", "plain0 to side 172.30.0.2 by ping: fail, reachable").click()
    low = mixed.run(CONTRAST)
    mixed.shot(shots / f"matrix-{scheme}.png")
    mixed.run("scrollTo(0, 0)")
    mixed.shot(shots / f"top-{scheme}.png")
    mixed.prefer("light")
    assert low == []


def test_paper(mixed, shots):
    """On paper the whole matrix is there and nothing is cut off, and what filters it is not."""
    pdf = mixed.printed()
    (shots / "report.pdf").write_bytes(pdf)
    assert pdf.startswith(b"%PDF")
    mixed.run("dispatchEvent(new Event('beforeprint'))")
    cells = mixed.run("return [...document.querySelectorAll('#paper td')].map(e => e.textContent)")
    rows = mixed.run("return new Set([...document.querySelectorAll('#paper tbody th')].map(e => e.textContent)).size")
    assert (len([text for text in cells if text]), rows) == (284, 12)
    mixed.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    portrait = {"width": 718, "height": 1047, "deviceScaleFactor": 1, "mobile": False}  # A4 within its margins
    mixed.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", portrait)
    wide = mixed.run("return document.documentElement.scrollWidth")
    mixed.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    mixed.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert wide <= 718, "what is beyond the edge of the paper is lost"
    mixed.run("dispatchEvent(new Event('afterprint'))")
    assert mixed.run("return document.getElementById('paper').childElementCount") == 0


@pytest.fixture
def telephone(mixed):
    """Open the report on a screen that is small and has no mouse."""
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    mixed.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield mixed
    mixed.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_small_screen(telephone, shots):
    """On a telephone the page fits the screen, what is wide scrolls in itself, and a tap tells of a cell in sight."""
    assert telephone.run("return document.documentElement.scrollWidth") <= 390
    telephone.one("gridcell", "plain0 to web 172.30.0.2 by ping: pass, unreachable").click()
    telephone.shot(shots / "telephone.png")
    assert facts(telephone)["Question"] == "plain0 to web 172.30.0.2 by ping"
    edges = telephone.run(
        "return ['details', 'grid'].map((id) => document.getElementById(id).getBoundingClientRect().top)"
    )
    cell = telephone.run("return document.activeElement.getBoundingClientRect().bottom")
    assert edges[1] < cell <= edges[0] < 844 - 100


def test_values_stay_values(browser, tmp_path):
    """What looks like an element in a value is shown as it is, and does nothing."""
    definition = read(ROOT / "examples/bridge.yaml")
    made = observed(definition, wrong={0})
    made = type(made)(**{**vars(made), "title": NASTY, "notes": (NASTY,), "lab": "demo"})
    path = tmp_path / "nasty.html"
    path.write_text(page_of(definition, made), encoding="utf-8")
    browser.open(path)
    assert browser.driver.title.startswith("demo: ")
    assert NASTY in browser.driver.find_element(By.TAG_NAME, "h1").text
    assert browser.driver.find_elements(By.TAG_NAME, "img") == []
    assert browser.complaints() == []


def test_many(browser, tmp_path, shots):
    """A report of two hundred containers opens at once, and of its matrix only what is in sight is there."""
    definition = parse(
        """
        name: many
        hosts: {vm0: , vm1: }
        containers: {a: {replicas: 100, host: vm0, expose: [80]}, b: {replicas: 100, host: vm1}}
        """
    )
    path = tmp_path / "many.html"
    path.write_text(page_of(definition, observed(definition, wrong={11})), encoding="utf-8")
    # The processor's time and not the clock's: the machine may have more to do.
    browser.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    browser.open(path)
    assert browser.run("return document.documentElement.dataset.ready") == "yes"
    metrics = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    browser.driver.execute_cdp_cmd("Performance.disable", {})
    spent = {each["name"]: each["value"] for each in metrics}
    timing = browser.run("return performance.getEntriesByType('navigation')[0].toJSON()")
    (shots / "timing.json").write_text(json.dumps({**timing, **spent}, indent=2), encoding="utf-8")
    assert 0 < spent["TaskDuration"] < 2
    assert path.stat().st_size < 10_000_000
    total = int(count(browser).split()[0])
    assert total > 40_000
    browser.one("button", "Clear").send_keys(Keys.TAB)
    browser.focused.send_keys(Keys.CONTROL, Keys.END)
    assert browser.focused.accessible_name.startswith("vm1 to b100")
    assert browser.run(
        "const b = document.activeElement.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight + 900"
    )
    assert 50 < browser.run("return document.querySelectorAll('#grid [role=gridcell]').length") < 3000
    browser.focused.send_keys(Keys.PAGE_UP)
    browser.one("searchbox", "Search").send_keys("b77")
    assert 0 < int(count(browser).split()[0]) < total
    browser.shot(shots / "many.png")
    assert browser.complaints() == []


@pytest.mark.parametrize("name", NAMES)
def test_texts_fit_their_boxes(browser, tmp_path, name):
    """In a browser's own fonts, no text of a picture is wider than the box that was made for it."""
    path = tmp_path / f"{name}.svg"
    path.write_text(
        svg.render(describe(world_of(read(ROOT / f"examples/{name}.yaml")), imagined=True)), encoding="utf-8"
    )
    browser.open(path)
    assert browser.run(OUTSIDE) == []
    assert browser.complaints() == []


def test_of_a_real_lab(lab, browser, tmp_path):
    """A lab that is up gives a page with its real addresses and engines, and a picture with the matrix over it."""
    page, picture = tmp_path / "report.html", tmp_path / "lab.svg"
    where = ROOT / "examples/macvlan.yaml"
    for words in (["up", "--format", "html", "-o", page], ["graph", "--matrix", "-o", picture], ["down"]):
        outcome = lab.call(words[0], where, "--sandbox", *words[1:])
        assert outcome.rc == 0, outcome.stderr
    browser.open(page)
    name = "centos_vm0_v1 to centos_vm1_v1 192.168.22.201 by ping: pass, reachable"
    browser.one("gridcell", name).click()
    assert facts(browser)["Round trip"].endswith(" ms")
    hosts = browser.driver.find_element(By.ID, "hosts").text
    assert "probed by" in browser.driver.find_element(By.TAG_NAME, "header").text
    assert "eth0.50" in hosts
    assert browser.complaints() == []
    browser.open(picture)
    assert browser.run("return document.querySelectorAll('.strand.yes path').length") > 0
    assert browser.run("return document.querySelectorAll('.strand.fail').length") == 0
    assert browser.run(OUTSIDE) == []


SCROLLED = """
document.getElementById("grid").scrollLeft = arguments[0];
return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))));
"""
"""Scrolls the matrix, and ends when the page has drawn it there."""

CONTRAST = """
const luminance = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const found = parts(getComputedStyle(e).backgroundColor);
    if (found.length < 4 || found[3] === 1) return found;
  }
  return [255, 255, 255];
};
const low = [];
for (const e of document.querySelectorAll("body *:not(svg *):not(script):not(style)")) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.offsetParent) continue;
  if (e.tagName === "OPTION") continue;
  const [a, b] = [luminance(parts(getComputedStyle(e).color)), luminance(behind(e))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) low.push(`${e.className || e.tagName} ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
}
return low;
"""
"""Returns the elements whose text stands out too little from what is behind it."""

OUTSIDE = """
const boxes = [...document.querySelectorAll("g[role] > rect")].map((e) => e.getBoundingClientRect());
const within = (x, y, b) => x >= b.left && x <= b.right && y >= b.top && y <= b.bottom;
const wide = [];
for (const text of document.querySelectorAll("text:not(.note):not(.title):not(.strand text)")) {
  const area = text.getBoundingClientRect();
  const around = boxes.filter((b) => within(area.left, area.top + area.height / 2, b));
  const inner = around.sort((a, b) => a.width * a.height - b.width * b.height)[0];
  if (inner && area.right > inner.right) wide.push(text.textContent);
}
return wide;
"""
"""Returns the texts that stick out of the smallest box in which they begin."""
