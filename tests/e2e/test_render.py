"""What `render` prints is the lab: piped to `sh` on the hosts it builds what `up` would have built."""

from __future__ import annotations

import re
import subprocess

import pytest
from support.lab_hosts import EXAMPLES, NAMES, NODE, ROOT


def pipe(lab, host, script, **variables):
    """Run a script on a host as the reader would: dockerlab sandbox ssh HOST sh, the script on standard input."""
    words = [f"{name}={value}" for name, value in variables.items()]
    return subprocess.run(
        lab.argv("sandbox", "ssh", host, "env", *words, "sh"), cwd=ROOT, env=lab.environment(), input=script,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_rendered_scripts(lab, name):
    """The scripts, run in the order printed on hosts without any image, give the lab, which `up` then leaves alone."""
    lab.skip_without_driver(name)
    for host in lab.names:
        lab.run(host, "docker", "rmi", NODE)
        assert not lab.docker(host, "images", "--quiet", NODE)
    path = EXAMPLES / f"{name}.yaml"
    whole = lab.call("render", path)
    assert (whole.rc, whole.stderr) == (0, "")
    order = re.findall(r"^# .*: the part of host (\S+)$", whole.stdout, re.MULTILINE)
    variables = {}
    for host in order:
        part = lab.call("render", path, "--host", host).stdout
        machine = "vm0" if host == "local" else host
        if "# needs $DOCKERLAB_SWARM_TOKEN" in part:
            refused = pipe(lab, machine, part.partition("docker volume")[0] + ': "${DOCKERLAB_SWARM_TOKEN:?}"')
            assert refused.returncode != 0
            variables["DOCKERLAB_SWARM_TOKEN"] = lab.docker("vm0", "swarm", "join-token", "--quiet", "worker")
        done = pipe(lab, machine, part, **variables)
        assert done.returncode == 0, done.stderr
    verified = lab.call("verify", path, "--sandbox", "--format", "json")
    assert verified.rc == 0, verified.stdout + verified.stderr
    assert verified.json["summary"]["pass"] == len(verified.json["cells"]) + len(verified.json["checks"]) > 0
    before = lab.ids()
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert again.stderr.endswith(f"{name}: no change: everything is as the definition says\n")
    assert lab.ids() == before
    lab.down(name)


def test_a_script_says_what_it_lacks(lab):
    """The part of a host that joins a Swarm, run without the token, stops there and says how to get it."""
    lab.need_node("vm1")
    part = lab.call("render", EXAMPLES / "overlay.yaml", "--host", "vm1").stdout
    done = pipe(lab, "vm1", part)
    assert done.returncode != 0
    assert "set it to what 'docker swarm join-token --quiet worker' prints on the manager" in done.stderr
    lab.down("overlay")
