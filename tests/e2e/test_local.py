"""Labs on the very machine that dockerlab runs on: no SSH, the engine's own socket."""

from __future__ import annotations

import sys

import pytest
from support.lab_hosts import EXAMPLES


def test_local(lab):
    """On a host itself, a lab comes up, stays, and goes, as it does over SSH."""
    if lab.run("vm0", "test", "-r", str(EXAMPLES), "-a", "-x", sys.executable).returncode != 0:
        pytest.skip("the hosts of this engine have a root file system of their own, without dockerlab in it")

    def call(*words):
        inside = "cd / && exec " + " ".join([sys.executable, "-m", "dockerlab", *words])
        return lab.call("sandbox", "ssh", "vm0", "sh", "-c", inside)

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
