"""Labs on the very machine that dockerlab runs on: no SSH, the engine's own socket."""

from __future__ import annotations

import sysconfig

import pytest
from support.lab_hosts import EXAMPLES, ROOT


def test_local(lab):
    """On a host itself, a lab comes up, stays, and goes, as it does over SSH."""
    python = ("env", f"PYTHONPATH={ROOT}:{sysconfig.get_path('purelib')}", "python3")
    usable = lab.run("vm0", *python, "-c", "import dockerlab.cli.app, docker, paramiko, pydantic, rich")
    if usable.returncode != 0:
        reason = usable.stderr.strip().splitlines()[-1]
        pytest.skip(f"the python3 of this engine's hosts cannot run dockerlab: {reason}")

    def call(*words):
        return lab.call("sandbox", "ssh", "vm0", *python, "-m", "dockerlab", *words)

    first = call("up", str(EXAMPLES / "bridge.yaml"), "--format", "json")
    assert first.rc == 0, first.stderr
    assert first.json["summary"] == {"pass": len(first.json["cells"]), "fail": 0, "unknown": 0}
    assert list(first.json["hosts"]) == ["local"]
    before = lab.ids()
    assert set(before) == {"vm0 centos_v1", "vm0 centos_v2"}
    again = call("up", "bridge", "--no-verify")
    assert (again.rc, again.stderr) == (0, "bridge: no change: everything is as the definition says\n")
    assert lab.ids() == before
    gone = call("down", "bridge")
    assert (gone.rc, gone.stderr.splitlines()[-1]) == (0, "bridge: 2 removed")
