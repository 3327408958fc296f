"""Cases from the field: what each of their cells is to do, by engine, on hosts and where it is imagined."""

from __future__ import annotations

from pathlib import Path

import yaml

from support.labs import lab

FOLDER = Path(__file__).parents[1] / "e2e" / "cases"
ADDRESSES = {"vm0": "ssh://root@192.168.22.61", "vm1": "ssh://root@192.168.22.62"}
LATER = {"host unreachable": ("host unreachable", "timeout")}
"""What a symptom may look like: the kernel tells of a failed neighbour only after some seconds of silence."""


def case_of(name):
    """Return a case as its file has it."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def text_of(case):
    """Return the definition of a case's lab."""
    return yaml.safe_dump({"name": "case", **case["lab"]})


def with_addresses(case):
    """Return a case's lab, with the addresses that the hosts of the sandbox have."""
    hosts = {name: {**(said or {}), "address": ADDRESSES[name]} for name, said in case["lab"]["hosts"].items()}
    return lab(yaml.safe_dump({"name": "case", **case["lab"], "hosts": hosts}))


def matches(cell, asked):
    """Tell whether a cell is `SOURCE -> TO TARGET PROBE`."""
    return f"{cell.source} -> {cell.to} {cell.target} {cell.probe}" == asked


def for_engine(words, engine):
    """Return what a case wants on an engine: one word, or one for a range such as `-27` or `28-`; None for no word."""
    if not isinstance(words, dict):
        return words
    for span, word in words.items():
        first, _, last = span.partition("-")
        if int(first or 0) <= engine <= int(last or 99):
            return word
    return None


def fits(wanted, observed):
    """Tell whether an observation is what is wanted: `yes`, or the symptom of a failure."""
    if wanted is True:
        return observed.state == "reachable"
    return observed.state == "unreachable" and observed.symptom in LATER.get(wanted, (wanted,))


def claims(wanted, told):
    """Tell whether what is said of a cell is what is wanted; of how a lost one shows nothing need be said."""
    if wanted is True:
        return told.reachable is True
    return told.reachable is False and told.symptom in (None, *LATER.get(wanted, (wanted,)))
