"""What strangers write: mistakes, values that look like code, host keys that nobody knows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.lab_hosts import EXAMPLES, ROOT, write

MISTAKES = ROOT / "tests/errors/ten-mistakes.yaml"
CANARY = Path("/tmp/canary")

NASTY = [
    "$(touch /tmp/canary)",
    "`touch /tmp/canary`",
    "; touch /tmp/canary",
    "a'b\"c\\d",
    "two\nlines",
    "--privileged",
    "-v/:/host",
    " spaces  and\ttabs ",
    "*",
    "ünïcödé ☃ 漢字",
    "${HOME}",
    "# not a comment",
    "",
    "\ue000" + "0\ue001",
]


def test_ten_mistakes(lab):
    """A definition with ten mistakes gives ten lines that say where, exit code 2, and no host is touched."""
    outcome = lab.call("up", MISTAKES, "--sandbox")
    assert (outcome.rc, outcome.stdout) == (2, "")
    lines = outcome.stderr.removeprefix("dockerlab: ").splitlines()
    assert len(lines) == 10
    where = [re.match(rf"{re.escape(str(MISTAKES))}:(\d+):(\d+): \S+: ", line) for line in lines]
    assert all(where)
    assert len({match[0] for match in where}) == 10
    assert lab.left() == []


def shown(lab, host, name):
    """Return a container's command, environment and labels, as its engine tells them."""
    config = lab.inspect(host, name)["Config"]
    return config["Cmd"], config["Env"], config["Labels"]


@pytest.mark.parametrize("way", ["up", "render"])
def test_values_arrive_as_they_are(lab, tmp_path, way):
    """Values that look like shell code, flags or templates' marks reach the container unchanged, and nothing runs."""
    nasty = [word for word in NASTY if way == "up" or "\ue000" not in word]
    environment = {f"E{number}": word for number, word in enumerate(nasty)}
    labels = {f"l{number}": word for number, word in enumerate(nasty)}
    command = ["sh", "-c", "sleep 9999", *nasty]
    box = {"host": "vm0", "image": "dockerlab/node", "command": command, "environment": environment, "labels": labels}
    hosts = {"vm0": "ssh://root@192.168.22.61"}
    title = "; touch /tmp/canary\ntouch /tmp/canary"
    path = write(tmp_path, json.dumps({"name": "nasty", "title": title, "hosts": hosts, "containers": {"box": box}}))
    if way == "up":
        lab.up(path)
    else:
        lab.need_node("vm0")
        lab.sh("vm0", lab.call("render", path).stdout)
    words, variables, marks = shown(lab, "vm0", "box")
    assert words == command
    assert set(variables) >= {f"{name}={value}" for name, value in environment.items()}
    assert {name: marks[name] for name in labels} == labels
    assert not lab.inspect("vm0", "box")["HostConfig"]["Privileged"]
    assert lab.inspect("vm0", "box")["Mounts"] == []
    assert not CANARY.exists()
    assert {lab.run(host, "test", "-e", str(CANARY)).returncode for host in lab.names} == {1}
    assert lab.run("vm0", "docker", "exec", "box", "test", "-e", str(CANARY)).returncode == 1
    lab.down("nasty")


def test_values_stay_as_they_are(lab, tmp_path):
    """A lab whose values look like code is found unchanged by the next `up`."""
    box = {"image": "dockerlab/node", "environment": {f"E{n}": word for n, word in enumerate(NASTY)}}
    path = write(tmp_path, json.dumps({"name": "nasty", "containers": {"box": box}}))
    lab.up(path)
    before = lab.ids()
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert again.stderr == "nasty: no change: everything is as the definition says\n"
    assert lab.ids() == before
    lab.down("nasty")


def test_an_unknown_host_key(lab, tmp_path):
    """A host whose key nobody knows is refused with its fingerprint and the way to accept; nothing is made anywhere."""
    known = tmp_path / "known_hosts"
    mine, other = (lab.state.host(name).address for name in lab.names)
    keys = lab.state.known_hosts.read_text().splitlines()
    known.write_text("".join(f"{line}\n" for line in keys if line.startswith(f"{mine} ")))
    inventory = lab.inventory(tmp_path, *lab.names, known_hosts=known)
    path = EXAMPLES / "macvlan.yaml"
    refused = lab.call("up", path, "--inventory", inventory)
    assert refused.rc == 4
    shown_key = lab.sh("vm1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert shown_key in refused.stderr
    assert "vm1" in refused.stderr
    assert other in refused.stderr
    assert "--accept-new-host-keys" in refused.stderr
    assert lab.left() == []
    accepted = lab.call("up", path, "--inventory", inventory, "--accept-new-host-keys", "--no-verify")
    assert accepted.rc == 0, accepted.stderr
    assert other in known.read_text()
    assert lab.call("down", path, "--inventory", inventory).rc == 0
