"""A report as one JSON object, for machines; `schema` grows when a field changes its meaning."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from dockerlab.report.causes import entries
from dockerlab.verify import Judged, Report

SCHEMA = 1
NO_CELLS, CELLS, CELLS_END = '\n  "cells": []', '\n  "cells": [\n', "\n  ]"
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",\n      ", ": "))
WORDS = {True: "reachable", False: "unreachable", None: "unknown"}


def render(report: Report) -> str:
    """Return the report as indented JSON with a newline at its end; times in milliseconds and seconds as named."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "lab": report.lab,
        "instance": report.instance,
        "hosts": {
            host: {"engine": engine, "prober": report.probers[host], "missing": list(report.missing(host))}
            for host, engine in report.engines.items()
        },
        "cells": [],
        "causes": entries(report.told_causes),
        "checks": [asdict(check) for check in report.checks],
        "summary": {**report.summary(), "unexplained": report.unexplained},
        "notes": list(report.notes),
        "seconds": round(report.seconds, 3),
    }
    before, mark, after = json.dumps(document, indent=2, ensure_ascii=False).partition(NO_CELLS)
    if not report.cells:
        return f"{before}{mark}{after}\n"
    return "".join([before, CELLS, ",\n".join(map(_cell_lines, report.cells)), CELLS_END, after, "\n"])


def _cell_lines(judged: Judged) -> str:
    """Return a cell as it stands in the list; a large lab has too many to indent them all at once."""
    return f"    {{\n      {ENCODER.encode(_cell(judged))[1:-1]}\n    }}"


def _cell(judged: Judged) -> dict[str, Any]:
    cell, expected, observed, predicted = judged.cell, judged.expected, judged.observed, judged.predicted
    return {
        "from": cell.source,
        "to": cell.to,
        "target": cell.target,
        "probe": cell.probe,
        "expected": WORDS[expected.reachable],
        "predicted": WORDS[predicted.reachable if predicted is not None else None],
        "observed": observed.state,
        "verdict": judged.verdict,
        "rule": expected.rule,
        "because": judged.because,
        "expected_symptom": expected.symptom,
        "predicted_symptom": predicted.symptom if predicted is not None else None,
        "symptom": observed.symptom,
        "detail": observed.detail,
        "rtt_ms": None if observed.rtt_ms is None else round(observed.rtt_ms, 3),
        "cause": None if judged.cause is None else asdict(judged.cause),
    }
