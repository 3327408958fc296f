"""Labs on the very machine that dockerlab runs on: no SSH, the engine's own socket."""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Iterator

import pytest
from support.lab_hosts import ROOT, LabHosts

from dockerlab import sandbox

HERE = "/run/dockerlab-test"
"""Where the program is put in the host: its own memory, so that it is there wherever this checkout lies."""


@pytest.fixture
def installed(lab: LabHosts) -> Iterator[LabHosts]:
    """Give the hosts with this checkout and its libraries on vm0, for the python3 that is there."""
    lab.sh("vm0", f"mkdir {HERE}")
    folders = [(ROOT, ["dockerlab", "examples", "labs"]), (sysconfig.get_path("purelib"), ["."])]
    for folder, names in folders:
        packed = ["tar", "-c", "-C", str(folder), "--exclude", "mypy*", "--exclude", "ruff*", *names]
        with subprocess.Popen(packed, stdout=subprocess.PIPE) as source:
            target = sandbox.inside_argv("vm0", ["tar", "-x", "-C", HERE])
            subprocess.run(target, stdin=source.stdout, check=True, env={"PATH": "/usr/bin:/bin"})
    yield lab
    lab.sh("vm0", f"rm -r {HERE}")


def test_local(installed):
    """On a host itself, a lab comes up, stays, and goes, as it does over SSH."""
    lab = installed
    python = ("env", f"PYTHONPATH={HERE}", "python3")
    usable = lab.run("vm0", *python, "-c", "import dockerlab.cli.app, docker, paramiko, pydantic, rich")
    if usable.returncode != 0:
        reason = usable.stderr.strip().splitlines()[-1]
        pytest.skip(f"the libraries here are not for the python3 of this engine's hosts: {reason}")

    def call(*words):
        return lab.call("sandbox", "ssh", "vm0", *python, "-m", "dockerlab", *words)

    first = call("up", f"{HERE}/examples/bridge.yaml", "--format", "json")
    assert first.rc == 0, first.stderr
    assert first.json["summary"] == {"pass": len(first.json["cells"]), "fail": 0, "unknown": 0, "unexplained": 0}
    assert list(first.json["hosts"]) == ["local"]
    before = lab.ids()
    assert set(before) == {"vm0 centos_v1", "vm0 centos_v2"}
    again = call("up", "bridge", "--no-verify")
    assert (again.rc, again.stderr) == (0, "bridge: no change: everything is as the definition says\n")
    assert lab.ids() == before
    gone = call("down", "bridge")
    assert (gone.rc, gone.stderr.splitlines()[-1]) == (0, "bridge: 2 removed")
