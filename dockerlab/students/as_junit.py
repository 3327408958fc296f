"""Grades as JUnit XML, for CI servers and learning platforms: a suite for each student, a test case for each cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from xml.etree import ElementTree as ET

from dockerlab.plain import printable
from dockerlab.report.as_junit import suite, written
from dockerlab.students.grades import Grade


def render(lab: str, grades: Sequence[Grade]) -> str:
    """Return the grades as an XML document; an instance that could not be graded is one error."""
    root = ET.Element("testsuites")
    made = [grade.report.made for grade in grades if grade.report is not None and grade.report.made is not None]
    when = max(made, default=datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%S")
    for number, grade in enumerate(grades):
        name = f"{grade.student.id} {grade.student.name}"
        if grade.report is not None:
            suite(root, grade.report, name, number, spares=True)
            continue
        empty = ET.SubElement(root, "testsuite")
        empty.attrib |= {"name": printable(name), "package": printable(lab), "id": str(number), "hostname": "localhost"}
        empty.attrib |= {"timestamp": when, "tests": "1", "failures": "0", "errors": "1", "skipped": "0", "time": "0"}
        ET.SubElement(empty, "properties")
        case = ET.SubElement(empty, "testcase", {"classname": printable(lab), "name": "the instance", "time": "0"})
        ET.SubElement(case, "error", {"message": printable(grade.problem), "type": "host"})
        ET.SubElement(empty, "system-out")
        ET.SubElement(empty, "system-err").text = printable(grade.error)
    return written(root)
