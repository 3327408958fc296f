"""Who joined a network namespace that its owner has left: told by `verify`, and put right by `up`."""

from __future__ import annotations

import pytest
from support.lab_hosts import NODE, write

LAB = """\
name: demo
hosts: {vm0: ssh://root@192.168.22.61}
networks: {front: {subnet: 172.31.1.0/24}}
containers:
  web: {host: vm0, image: dockerlab/node, command: httpd -f -p 80 -h /www, networks: [front]}
  side: {host: vm0, image: dockerlab/node, network_mode: "container:web"}
  other: {host: vm0, image: dockerlab/node, networks: [front]}
"""


def restart(lab):
    """Start the owner of the namespace again, as people do."""
    lab.docker("vm0", "restart", "--time", "1", "web")


def make_anew(lab):
    """Make the owner of the namespace anew with its labels, as a script would."""
    labels = lab.inspect("vm0", "web")["Config"]["Labels"]
    flags = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
    lab.docker("vm0", "rm", "--force", "web")
    lab.docker("vm0", "run", "--detach", "--interactive", "--tty", "--name", "web", "--network", "front", *flags, NODE,
               "httpd", "-f", "-p", "80", "-h", "/www")  # fmt: skip


def interfaces(lab, name):
    """Return a container's network interfaces."""
    return set(lab.docker("vm0", "exec", name, "ls", "/sys/class/net").split())


@pytest.mark.parametrize("harm", [restart, make_anew])
def test_left_behind(lab, tmp_path, harm):
    """Its cells fail with the reason in words; `up` makes the joiner again and nothing else, and then all is well."""
    path = write(tmp_path, LAB)
    lab.up(path)
    harm(lab)
    assert "eth0" not in interfaces(lab, "side")
    before = lab.ids()
    seen = lab.call("verify", path, "--sandbox", "--format", "json")
    assert seen.rc == 1
    (cause,) = seen.json["causes"]
    assert cause["text"].startswith("container side is in the network namespace that web had before it started anew")
    assert (cause["side"], cause["where"]) == ("lab", "container side")
    assert cause["undo"].startswith("docker restart side" if harm is restart else "docker rm --force side; docker run ")
    assert {c["verdict"] for c in seen.json["cells"] if "side" in (c["from"], c["to"])} & {"fail", "unknown"}
    assert "recreate  container side on vm0\n" in lab.call("up", path, "--sandbox", "--dry-run").stdout
    lab.up(path)
    after = lab.ids()
    assert {name for name in after if after[name] != before[name]} == {"vm0 side"}
    assert "eth0" in interfaces(lab, "side")
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert again.stderr == "demo: no change: everything is as the definition says\n"
    lab.down("demo")


def test_both_started_again(lab, tmp_path):
    """When the joiner was started after its owner, it is in the right namespace, and nothing is made again."""
    path = write(tmp_path, LAB)
    lab.up(path)
    lab.docker("vm0", "restart", "--time", "1", "web")
    lab.docker("vm0", "restart", "--time", "1", "side")
    again = lab.call("up", path, "--sandbox", "--format", "json")
    assert again.rc == 0, again.stderr
    assert "demo: no change: everything is as the definition says\n" in again.stderr
    lab.down("demo")
