"""Exercises done in other ways than the README's: what is forgotten, mistyped, done in another order, or undone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from support.lab_hosts import ROOT
from support.student import Student

from dockerlab.exercise import loader, progress

GOLDEN = ROOT / "tests/golden/exercises"
WAYS = yaml.safe_load((Path(__file__).parent / "ways.yaml").read_text())
"""By exercise: what is done, one thing after the other."""
RIGHT = re.compile(r"^ +right would be, on (this machine|\S+): (.*)$", re.MULTILINE)

CHOSEN = (
    (r"\b[0-9a-f]{64}\b", "ID"),
    (r"\bbr-[0-9a-f]{12}\b", "br-ID"),
    (r"\bcontainer:[0-9a-f]{12}\b", "container:ID"),
    (r"\bveth[0-9a-f]{7}\b", "vethID"),
    (r"\b\d+: (?=[a-z]\S* inet|\S+@if|\S+: <)", "N: "),
    (r"@if\d+\b", "@ifN"),
    (r"\(id: \d+\)", "(id: N)"),  # the first number that is free
    # What a kernel says of an address that nobody has depends on how long it is asked.
    (r"\((?:timeout|host unreachable)\)(?=, [^\n]*\[nobody-there\])", "(timeout)"),
    (r"\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b", "MAC"),
    (r"\bfe80::[0-9a-f:]+", "fe80::N"),
    (r"\bsha256:[0-9a-f]{64}", "sha256:ID"),
    (r"\band \d+ more lines\b", "and N more lines"),  # engine 20.10 may jump to DOCKER-USER twice
    (r"(MAC brd MAC).*", r"\1 …"),  # what a kernel says of a link beside differs from kernel to kernel
)
"""What differs from run to run in what `check` says, and what stands for it."""

UNSTEADY = re.compile(
    r"^ +it says: (N: docker0 inet6 fe80::N/64 |-A POSTROUTING -o docker0 -m addrtype --src-type LOCAL ).*\n",
    re.MULTILINE,
)
"""What hosts have by what was before: docker0 an address when one of its ports has been up since the engine started,
and the engine 20.10 a rule since it once ran without docker-proxy."""

SOCKETS = re.compile(r"(^ +it says: LISTEN .*\n)+", re.MULTILINE)
"""What a kernel lists in the order of a hash."""


def _sorted(lines):
    return "".join(sorted(lines[0].splitlines(keepends=True)))


@pytest.mark.parametrize("lab_hosts", ["machine"], indirect=True)
@pytest.mark.parametrize("number", WAYS)
def test_way(lab, number, tmp_path, golden):
    """Each check names what is wrong of what the step asks, first what was forgotten, and remedies that work then."""
    path = loader.find(number)
    folder, student = loader.load(path), Student(lab, tmp_path)
    for network in folder.lab.networks.values():
        if network.driver == "macvlan":
            lab.skip_without_link("link", "eth0", "type", "macvlan")
    begun = student.call("start", path, "--sandbox")
    shown = [""]
    try:
        assert begun.rc == 0, begun.stderr
        for typed in WAYS[number]:
            shown.append(_done(student, folder, typed, shown[-1]))
    finally:
        ended = student.call("stop")
    assert ended.rc == 0, ended.stderr
    text = "\n".join(shown[1:])
    for pattern, word in CHOSEN:
        text = re.sub(pattern, word, text)
    golden(GOLDEN / f"{number}.txt", SOCKETS.sub(_sorted, UNSTEADY.sub("", text)))


def _done(student, folder, typed, before):
    """Do one thing, and return what somebody at a terminal sees of it and of the check behind it."""
    if typed.startswith("check"):
        return f"$ dockerlab exercise {typed}\n{_checked(student, *typed.split()[1:])}"
    if typed == "README":
        step = progress.read(folder.id, student.state / "dockerlab/exercises").step
        for block in folder.sections[step].blocks:
            if not block.fails:
                student.does(block.text)
        shown = [f"# as the README says, step {step + 1}"]
    elif typed == "REMEDY":
        for host, command in RIGHT.findall(before):
            student.does(command if host == "this machine" else f"dockerlab sandbox ssh {host} {command}")
        shown = ["# as the check says"]
    else:
        shown = [line for each in typed.strip().splitlines() for line in _typed(student, *each.split(" ", 1))]
    return "\n".join([*shown, "$ dockerlab exercise check --how", _checked(student, "--how")])


def _typed(student, host, command):
    """Type one line; return it, and the first line of what is said where it is refused."""
    done = student.types(f"dockerlab sandbox ssh {host} {command}")
    refused = done.stderr.strip().splitlines()[:1] if done.returncode else []
    return [f"$ dockerlab sandbox ssh {host} {command}", *refused]


def _checked(student, *words):
    """Return what `check` says, on both streams."""
    said = student.call("check", *words)
    lines = [line.rstrip() for line in (*said.stdout.splitlines(), *said.stderr.splitlines())]
    return "\n".join(lines) + "\n"
