"""`dockerlab exec`: a command in a lab's containers, whose exit code is its own."""

from __future__ import annotations

import subprocess

from support.lab_hosts import write

LAB = """\
name: demo
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
containers:
  web1: {host: vm0, image: dockerlab/node}
  web2: {host: vm1, image: dockerlab/node}
"""


def test_exec(lab, tmp_path):
    """One container gives its output and exit code as they are; several, line by line; none is an error."""
    path = write(tmp_path, LAB)
    assert lab.call("up", path, "--sandbox", "--no-verify").rc == 0
    one = lab.call("exec", path, "web1", "--sandbox", "--", "sh", "-c", "echo out; echo '$(id)' >&2; exit 42")
    assert (one.rc, one.stdout, one.stderr) == (42, "out\n", "$(id)\n")
    path.unlink()
    both = lab.call("exec", "demo", "web*", "hostname", "-i", "--sandbox")
    assert both.rc == 0
    assert [line.split(": ")[0] for line in both.stdout.splitlines()] == ["web1", "web2"]
    mixed = lab.call("exec", "demo", "*", "--sandbox", "--", "sh", "-c", '[ "$(cat /proc/1/comm)" = none ]')
    assert (mixed.rc, mixed.stderr) == (1, "web1: exit code 1\nweb2: exit code 1\n")
    none = lab.call("exec", "demo", "db*", "--sandbox", "true")
    assert (none.rc, none.stderr) == (2, "dockerlab: no container of demo is called db*; there are web1, web2\n")
    late = lab.call("exec", "demo", "web1", "sleep", "30", "--timeout", "1", "--sandbox")
    assert (late.rc, "did not end within 1 s" in late.stderr) == (4, True)
    for words in (["shell", "demo", "web1"], ["exec", "-it", "demo", "web1", "sh"], ["exec", "demo", "web1", "sh"]):
        typed = typing(lab, "hostname -i; exit 7", *words)
        assert (typed.returncode, typed.stdout.strip()) == (7, address(lab, "web1")), typed.stderr
    inside = typing(lab, "hostname; ip -o -4 address show eth0", "shell", "demo", "web2", "--tools")
    assert inside.stdout.startswith("vm1\n"), inside.stderr
    assert address(lab, "web2") in inside.stdout
    assert typing(lab, "hostname", "shell", "demo", "vm1").stdout == "vm1\n"
    lab.down("demo")


def typing(lab, text, *words):
    """Return how a call ends to which a text is typed; the environment says --sandbox."""
    return subprocess.run(
        lab.argv(*words), input=text, env=lab.environment(DOCKERLAB_SANDBOX="1"), capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


def address(lab, name):
    """Return the address of a container."""
    return lab.call("exec", "demo", name, "hostname", "-i", "--sandbox").stdout.strip()
