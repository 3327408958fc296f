"""A report as JUnit XML, for CI servers: a test case for each cell."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from dockerlab.plain import printable
from dockerlab.report.as_json import WORDS
from dockerlab.verify import Cause, Checked, Judged, Report, how_many


def render(report: Report) -> str:
    """Return the report as an XML document; a failed cell is a failure, one that could not be told an error."""
    root = ET.Element("testsuites")  # without attributes: not every schema knows the same ones
    suite(root, report, report.lab, 0)
    return written(root)


def written(root: ET.Element) -> str:
    """Return a document with its head."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def suite(root: ET.Element, report: Report, name: str, number: int, *, spares: bool = False) -> None:
    """Add a report to a document, as the suite of that name and number.

    With `spares`, what a host is at fault for is skipped and no failure.
    """
    spared = [judged for judged in report.cells if spares and not judged.charged]
    counts = report.summary()
    for judged in spared:
        counts[judged.verdict] -= 1
    wrong = [(cause, cells) for cause, cells in report.told_causes if cause.side == "lab"]
    tests, failed = len(report.cells) + len(report.checks) + len(wrong), counts["fail"] + len(wrong)
    numbers = {"tests": str(tests), "failures": str(failed), "errors": str(counts["unknown"])}
    found = ET.SubElement(root, "testsuite")
    found.attrib |= {
        "name": printable(name),
        "package": printable(report.lab),
        "id": str(number),
        "hostname": "localhost",
    }
    if report.made is not None:
        found.set("timestamp", report.made.strftime("%Y-%m-%dT%H:%M:%S"))
    found.attrib |= {**numbers, "skipped": str(len(spared)), "time": f"{report.seconds:.3f}"}
    properties = ET.SubElement(found, "properties")
    for host, engine in report.engines.items():
        for what, value in (("engine", engine), ("prober", report.probers[host])):
            ET.SubElement(properties, "property", {"name": printable(f"{host}.{what}"), "value": printable(value)})
    for cause, cells in wrong:
        _cause(found, report.lab, cause, cells)
    for judged in report.cells:
        _case(found, report.lab, judged, spared=spares and not judged.charged)
    for check in report.checks:
        _check(found, report.lab, check)
    hosts = [_in_a_line(cause, cells) for cause, cells in report.told_causes if cause.side == "host"]
    ET.SubElement(found, "system-out").text = printable("\n".join([*hosts, *report.notes]))
    ET.SubElement(found, "system-err").text = printable("\n".join([*report.disturbed, *report.ended]))


def _case(suite: ET.Element, lab: str, judged: Judged, *, spared: bool) -> None:
    cell, expected, observed = judged.cell, judged.expected, judged.observed
    where = "" if cell.target == cell.to else f" {cell.target or '(no address)'}"
    case = ET.SubElement(suite, "testcase")
    case.attrib |= {
        "classname": printable(f"{lab}.{cell.source}"),
        "name": printable(f"{cell.to}{where} {cell.probe}"),
        "time": f"{(observed.rtt_ms or 0) / 1000:.6f}",
    }
    if judged.verdict == "pass":
        return
    if spared:
        ET.SubElement(case, "skipped", {"message": printable(f"not charged: {judged.cause}")})
        return
    wished, seen = WORDS[expected.reachable], observed.state + (f" ({observed.symptom})" if observed.symptom else "")
    kind = "failure" if judged.verdict == "fail" else "error"
    told = ET.SubElement(
        case, kind, {"message": f"expected {wished}, observed {printable(seen)}", "type": expected.rule}
    )
    lines = [f"cause: {judged.cause}"] if judged.cause is not None else []
    lines += [f"because: {judged.because}", *([f"observed: {observed.detail}"] if observed.detail else [])]
    told.text = printable("\n".join(lines))


def _cause(suite: ET.Element, lab: str, cause: Cause, cells: int) -> None:
    """Add an object that is not as the definition has it: a failure of its own, whatever the cells say."""
    case = ET.SubElement(suite, "testcase")
    case.attrib |= {"classname": printable(f"{lab}.{cause.host}"), "name": printable(cause.where), "time": "0.000000"}
    ET.SubElement(case, "failure", {"message": printable(cause.text), "type": cause.kind}).text = printable(
        _in_a_line(cause, cells)
    )


def _in_a_line(cause: Cause, cells: int) -> str:
    return f"{cause} ({how_many(cells)})" + (f"; right would be: {cause.undo}" if cause.undo else "")


def _check(suite: ET.Element, lab: str, check: Checked) -> None:
    name = f"{check.subject}: {check.expected}"
    case = ET.SubElement(suite, "testcase")
    case.attrib |= {"classname": printable(f"{lab}.{check.host}"), "name": printable(name), "time": "0.000000"}
    if check.verdict != "pass":
        kind = "failure" if check.verdict == "fail" else "error"
        told = ET.SubElement(case, kind, {"message": f"observed {printable(check.observed)}", "type": check.rule})
        told.text = printable(f"because: {check.because}")
