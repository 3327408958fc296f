"""Pages that are to be followed, followed: each command of their consoles prints what they show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.console import Typed, Written, same, steps
from support.lab_hosts import ROOT, LabHosts

PAGES = (
    ("README.md", "machine"),
    ("docs/tutorial.md", "machine"),
    ("docs/doctor.md", "machine"),
    ("docs/verification.md", "machine"),
    ("docs/layers.md", "rootfs"),
)
"""The pages, and the engine on which each of them was written."""
ELSEWHERE = ("scripts/setup", ". .venv/bin/activate", "dockerlab sandbox down")
"""What is not done here: installing, and taking away the sandbox that the other tests use as well."""


@pytest.mark.parametrize(("name", "lab_hosts"), PAGES, indirect=["lab_hosts"])
def test_page(lab, tmp_path, name, request):
    """A page's commands do what it says, in its order; what differs is times and what the engine chooses.

    With --update the page is written anew; lines that are left out of it stay so where the others are right.
    """
    for host in lab.names:
        lab.run(host, "docker", "image", "rm", "--force", "dockerlab/node")  # the page begins without it
    path = ROOT / name
    page = path.read_text(encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environment = lab.environment(
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", COLUMNS="100", USER="root"
    )
    request.addfinalizer(lambda: _as_before(lab))
    wrong, mended, done = [], page, 0
    for step in steps(page):
        if isinstance(step, Written):
            (tmp_path / step.name).write_text(step.text, encoding="utf-8")
        elif step.command.startswith("export "):
            variable, _, value = step.command.removeprefix("export ").partition("=")
            environment[variable] = value
        elif step.command not in ELSEWHERE:
            done += 1
            printed = _type(step.command, tmp_path, environment)
            if not same(step.printed, printed):
                wrong.append(f"$ {step.command}\n{printed}")
                mended = _with(mended, page, step, printed)
    assert done
    if wrong and request.config.getoption("--update"):
        path.write_text(mended, encoding="utf-8")
    assert not wrong, f"{name} shows something else than was printed:\n" + "\n".join(wrong)


def _as_before(lab: LabHosts) -> None:
    """Take back what a page has one change on the hosts themselves, where it did not come so far."""
    for host in lab.names:
        lab.run(host, "sysctl", "-w", "net.ipv4.ip_forward=1")
        lab.run(host, "iptables", "-P", "INPUT", "ACCEPT")


def _type(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Return what a command prints on both streams."""
    done = subprocess.run(
        ["sh", "-c", f"exec 2>&1; {command}"], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=200,
    )  # fmt: skip
    return done.stdout


def _with(mended: str, page: str, step: Typed, printed: str) -> str:
    """Return the page with what was printed in place of what it shows; it is longer or shorter before that by now."""
    behind = len(page) - step.at[1]
    begin = len(mended) - behind - len(step.printed)
    return mended[:begin] + printed.rstrip("\n") + "\n" + mended[len(mended) - behind :]
