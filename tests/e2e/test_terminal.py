"""What somebody sees at a terminal: of a login, and of an exercise at each width."""

from __future__ import annotations

import re

import pytest
from support.lab_hosts import ROOT
from support.student import Student
from support.terminal import at_terminal

from dockerlab.exercise import loader
from dockerlab.folding import cells

WIDTHS = (60, 80, 200)
CHANGES = re.compile(r"\b\d+\.\d+ s\b|\b\d{4}-\d\d-\d\dT\S+")
"""Times."""


def test_a_login_says_nothing_of_its_own(lab):
    """Who logs in on a host sees a prompt: no notice of a distribution, and no complaint of a program."""
    shown = at_terminal(lab.argv("sandbox", "ssh", "vm0"), 80, lab.environment(TERM="dumb"), "echo here I am\nexit\n")
    assert "here I am" in shown
    assert not re.search(r"lastlog|Debian|warranty|Last login", shown), shown


def words(text):
    """Return the words of a text, without what folding adds: the backslashes of commands."""
    return re.sub(r" \\\n", " ", CHANGES.sub("TIME", text)).split()


@pytest.mark.parametrize("lab_hosts", ["machine"], indirect=True)
def test_an_exercise_at_each_width(lab, tmp_path):
    """No line is wider than the terminal and no word is broken: tasks, checks with all their help, matrix, status."""
    student = Student(lab, tmp_path)
    environment = lab.environment(TERM="xterm", XDG_STATE_HOME=str(tmp_path), DOCKERLAB_SANDBOX="1")
    path = ROOT / "labs/01-default-bridge"
    try:
        assert student.call("start", path, "--sandbox").rc == 0
        check = ("exercise", "check")
        calls = [("exercise", "task"), check, (*check, "--why"), (*check, "--how")]
        _the_same(lab, calls, environment)
        for block in loader.load(path).sections[0].blocks:
            student.does(block.text)
        student.does("dockerlab sandbox ssh vm0 docker stop --time 1 centos_v2")
        calls = [(*check, "--how"), ("status",), ("verify", path, "--why"), ("explain", path, "centos_v1", "centos_v2")]
        _the_same(lab, calls, environment)
    finally:
        assert student.call("stop").rc == 0


def _the_same(lab, calls, environment):
    for call in calls:
        shown = {width: at_terminal(lab.argv(*call), width, environment) for width in WIDTHS}
        for width, text in shown.items():
            wide = [line for line in text.splitlines() if cells(line) > width]
            assert not wide, f"{call} at {width}:\n" + "\n".join(wide)
        for width in WIDTHS[:2]:
            assert words(shown[width]) == words(shown[200]), f"{call} at {width}"


@pytest.mark.parametrize("lab_hosts", ["machine"], indirect=True)
def test_who_hears_an_arp_request_on_vlan_50(lab, tmp_path):
    """What exercise 05 says of its pings is so: the gateway does not hear the request, and vm0 does, and answers."""
    lab.skip_without_link("link", "eth0", "type", "macvlan")
    folder, student = loader.load(ROOT / "labs/05-macvlan"), Student(lab, tmp_path)
    try:
        assert student.call("start", folder.path, "--sandbox").rc == 0
        for step in (0, 1):
            for block in folder.sections[step].blocks:
                student.does(block.text)
        told = {}
        for host, name in (("vm0", "centos_vm0_v1"), ("vm1", "centos_vm1_v1")):
            for address in ("192.168.22.1", "192.168.22.61"):
                ping = lab.run(host, "docker", "exec", name, "ping", "-c", "1", "-W", "1", address)
                assert ping.returncode != 0, f"{name} reaches {address}"
            told[name] = lab.docker(host, "exec", name, "arp", "-n")
        mac = r"at ([0-9a-f]{2}:){5}[0-9a-f]{2}"
        assert re.search(rf"192\.168\.22\.61\) {mac}", told["centos_vm1_v1"]), told
        assert not re.search(rf"192\.168\.22\.1\) {mac}", told["centos_vm0_v1"] + told["centos_vm1_v1"]), told
    finally:
        assert student.call("stop").rc == 0
