"""A report as one JSON object, for machines; `schema` grows when a field changes its meaning."""

from __future__ import annotations

import json
from typing import Any

from dockerlab.verify import Judged, Report

SCHEMA = 1
WORDS = {True: "reachable", False: "unreachable", None: "unknown"}


def render(report: Report) -> str:
    """Return the report as indented JSON with a newline at its end; times in milliseconds and seconds as named."""
    document = {
        "schema": SCHEMA,
        "lab": report.lab,
        "instance": report.instance,
        "hosts": {
            host: {"engine": engine, "prober": report.probers.get(host, "")} for host, engine in report.engines.items()
        },
        "cells": [_cell(judged) for judged in report.cells],
        "summary": report.summary(),
        "notes": list(report.notes),
        "seconds": round(report.seconds, 3),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _cell(judged: Judged) -> dict[str, Any]:
    cell, expected, observed = judged.cell, judged.expected, judged.observed
    return {
        "from": cell.source,
        "to": cell.to,
        "target": cell.target,
        "probe": cell.probe,
        "expected": WORDS[expected.reachable],
        "observed": observed.state,
        "verdict": judged.verdict,
        "rule": expected.rule,
        "because": judged.because,
        "expected_symptom": expected.symptom,
        "symptom": observed.symptom,
        "detail": observed.detail,
        "rtt_ms": None if observed.rtt_ms is None else round(observed.rtt_ms, 3),
    }
