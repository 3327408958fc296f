"""Judging from outside: what a student who is root on a host replaces there takes no part in a check or a grade."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.lab_hosts import ROOT, wait_for
from support.named import call, inside, sh
from support.strangers_root import ENGINES, PROGRAMS, Forgery

from dockerlab.hosts.door import OTHER
from dockerlab.sandbox import layout, place

NAME = "e2e-judged"
LAB = str(ROOT / "labs/01-default-bridge/lab.yaml")
START = "for each in centos_v1 centos_v2; do docker run --detach --interactive --tty --name $each dockerlab/node; done"


def dockerlab(*words: str):
    """Run a call in the place, as `dockerlab` with DOCKERLAB_SANDBOX does, and as a class does for a check."""
    return call(place.argv(NAME, [sys.executable, "-m", "dockerlab", *words]), seconds=120)


def outside(script: str):
    """Run a script as what judges runs."""
    code = (
        "import os, sys; from dockerlab.sandbox import ways; argv = ways(['vm0'])['vm0'](['sh', '-c', sys.argv[1]]);"
        "os.execvp(argv[0], argv)"
    )
    return call(place.argv(NAME, [sys.executable, "-c", code, script]))


def check(answer: str = ""):
    """Ask for a check of the step that is about cables."""
    return dockerlab("exercise", "check", "01-default-bridge", "--answer", answer)


def cable() -> str:
    """Return the right answer: the number of the other end of a container's cable."""
    link = inside(NAME, "docker exec centos_v1 ip -o link show eth0").stdout
    return link.partition("eth0@if")[2].partition(":")[0]


@pytest.fixture(scope="module")
def inventory(tmp_path_factory) -> str:
    """Give the same hosts as hosts that are judged by their own programs, over SSH."""
    file = tmp_path_factory.mktemp("inventory") / "hosts.yaml"
    hosts = "".join(f"  {each}: ssh://root@{layout.host_address(each)}\n" for each in ("vm0", "vm1"))
    file.write_text(f"identity_file: {layout.IDENTITY}\nknown_hosts: {layout.KNOWN_HOSTS}\nhosts:\n{hosts}")
    return str(file)


@pytest.fixture(scope="module", params=["machine", "rootfs"])
def student(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a place in which the first step of an exercise has been done; nothing of it is left in the end."""
    words = ["--hosts", "2"]
    if request.param == "rootfs":
        if not os.environ.get("DOCKERLAB_ROOTFS"):
            pytest.skip("DOCKERLAB_ROOTFS names no root file system with another engine (scripts/engine-root)")
        words += ["--rootfs", os.environ["DOCKERLAB_ROOTFS"]]
    place.take_down([NAME])
    (started,) = place.start([NAME], words)
    assert started.failure is None
    if reason := place.unconfined(NAME):
        place.take_down([NAME])
        pytest.skip(f"this machine has no boundary to offer: {reason}")
    begun = dockerlab("exercise", "start", "01-default-bridge")
    assert begun.returncode == 0, begun.stderr
    made = sh(NAME, START)
    assert made.returncode == 0, made.stderr
    passed = dockerlab("exercise", "check", "01-default-bridge")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    yield NAME
    (ended,) = place.take_down([NAME])
    assert ended.failure is None


def cells(said):
    assert said.returncode in {0, 1}, said.stderr
    return [
        {key: cell[key] for key in ("from", "to", "probe", "expected", "predicted", "observed", "verdict", "rule")}
        for cell in json.loads(said.stdout)["cells"]
    ]


@pytest.mark.usefixtures("student")
def test_an_honest_grade(inventory):
    """What is judged from outside of an honest host is what its own programs would have said, cell by cell."""
    outside = dockerlab("verify", LAB, "--format", "json")
    inside = dockerlab("verify", LAB, "--format", "json", "--inventory", inventory)
    assert outside.returncode == inside.returncode == 0, outside.stdout
    assert cells(outside) == cells(inside) != []


@pytest.mark.parametrize("which", PROGRAMS)
def test_forged_programs(student, inventory, which):
    """A program that mends the lab for as long as it is looked at makes a pass of nothing, in whatever place it is."""
    forgery, answer = Forgery(lambda script: inside(student, script)), cable()
    with forgery.of(which):
        believed = dockerlab("verify", LAB, "--inventory", inventory)
        assert believed.returncode == 0, f"by its own programs the host passes: {believed.stdout}{believed.stderr}"
        wait_for(forgery.broken, 20)
        judged = dockerlab("verify", LAB)
        assert judged.returncode == 1, judged.stdout + judged.stderr
        asked = check(answer)
        assert asked.returncode == 1, asked.stdout + asked.stderr
        assert forgery.broken(), "nobody has called the forged program"


@pytest.mark.parametrize("which", ENGINES)
def test_forged_engines(student, inventory, which):
    """An engine that is not what the sandbox began with is that host's failure, with a sentence, and never a pass."""
    forgery = Forgery(lambda script: inside(student, script))
    with forgery.engine(which):
        believed = dockerlab("verify", LAB, "--inventory", inventory)
        assert believed.returncode == 0, f"by its own programs the host passes: {believed.stdout}{believed.stderr}"
        judged, asked = dockerlab("verify", LAB), check()
        for said in (judged, asked):
            assert said.returncode in {3, 4}, said.stdout + said.stderr
            assert f"the engine of vm0 {OTHER}: {ENGINES[which]}" in said.stdout + said.stderr
    mended = dockerlab("verify", LAB)
    assert mended.returncode == 0, mended.stdout + mended.stderr


def test_out_of_reach(student):
    """What judges is seen by a host's root, and out of its reach: he can neither end it nor look into it."""
    script = (
        "sleep 1; for p in $(pgrep -f 'sleep [4].321'); do kill -9 $p && echo OUT; ls /proc/$p/root/ && echo OUT;"
        " cat /proc/$p/environ && echo OUT; echo tried; done"
    )
    with ThreadPoolExecutor(1) as beside:
        tried = beside.submit(inside, student, script)
        judged = outside("sleep 4.321; echo whole")
    assert judged.stdout == "whole\n", judged.stderr
    assert "tried" in tried.result().stdout
    assert "OUT" not in tried.result().stdout


def test_a_linked_socket(student):
    """A host whose engine's socket is behind a link lives: it is not built again, which would empty it."""
    moved = "mv /run/docker.sock /run/moved.sock; ln -s {} /run/docker.sock"
    for target in ("moved.sock", "/var/run/moved.sock"):
        assert inside(student, moved.format(target)).returncode == 0
        try:
            status = dockerlab("sandbox", "status")
            assert (status.returncode, status.stdout.count(" alive")) == (0, 2), status.stdout
        finally:
            assert inside(student, "mv /run/moved.sock /run/docker.sock").returncode == 0


@pytest.mark.usefixtures("student")
def test_an_honest_check():
    """The student's own check passes, now as before anybody has forged anything."""
    passed = check(cable())
    assert passed.returncode == 0, passed.stdout + passed.stderr


def test_links(student, tmp_path):
    """Links that lead out of a host's files lead nowhere: no file and no socket of the machine is opened by them."""
    for name in ("resolv.conf", "daemon.json", "sshd.stopped"):
        (tmp_path / name).write_text("canary")
    links = (
        f"ln -sf {tmp_path}/resolv.conf /etc/resolv.conf; rm -r /etc/docker /run/dockerlab /run/docker.sock;"
        f"ln -s {tmp_path} /etc/docker; ln -s {tmp_path} /run/dockerlab; ln -s {tmp_path}/trap /run/docker.sock"
    )
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(str(tmp_path / "trap"))
        trap.listen()
        trap.settimeout(0.1)
        assert inside(student, links).returncode == 0
        assert outside("cat /proc/kmsg /proc/kallsyms /proc/keys; ls /sys /home /root").stdout == ""
        seen = outside("cat /etc/resolv.conf /etc/docker/daemon.json /proc/1/root/run/dockerlab/sshd.stopped")
        assert (seen.stdout, seen.stderr.count("No such file")) == ("", 3), seen.stderr
        for words in (("sandbox", "status"), ("verify", LAB)):
            assert dockerlab(*words).returncode != 0
            with pytest.raises(TimeoutError):
                trap.accept()
        assert (tmp_path / "sshd.stopped").exists(), "no file of the machine is removed by it either"
