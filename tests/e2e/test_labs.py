"""Every exercise as its README has it: begun, done step by step, broken by each of its faults and mended, ended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from support.lab_hosts import ROOT
from support.student import Student

from dockerlab.checks import questions
from dockerlab.exercise import course, loader
from dockerlab.exercise.trial import choose
from dockerlab.session import Whereabouts, open_session

VM0 = "dockerlab sandbox ssh vm0"
INSIDE = f"{VM0} sh -c 'nsenter --net --target $(docker inspect --format {{{{.State.Pid}}}} CONTAINER) ip "
WORKAROUNDS = {
    "wrong-mask on centos_v2": (
        f"{INSIDE}route add 172.17.0.1 dev eth0'; {INSIDE}route add 172.17.0.0/16 via 172.17.0.1'; "
        f"{INSIDE}route replace default via 172.17.0.1'".replace("CONTAINER", "centos_v2"),
        "true",
    ),
    "forward-drop on vm0": (f"{VM0} iptables -I FORWARD -j ACCEPT", f"{VM0} iptables -D FORWARD -j ACCEPT"),
    "missing-masquerade on office": (
        f"{VM0} iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE",
        f"{VM0} iptables -t nat -D POSTROUTING -o eth0 -j MASQUERADE",
    ),
    "wrong-gateway on clerk": (
        f"{INSIDE}route add 203.0.113.0/24 via 172.28.2.1'; {INSIDE}route add 192.168.22.0/24 via 172.28.2.1'".replace(
            "CONTAINER", "clerk"
        ),
        f"{INSIDE}route delete 203.0.113.0/24'; {INSIDE}route delete 192.168.22.0/24'".replace("CONTAINER", "clerk"),
    ),
}
"""By fault: commands after which all cells are as they should be and the cause is still there, and their undoing."""

SEALED = yaml.safe_load((Path(__file__).parent / "answers.yaml").read_text())
"""The answers that stand sealed in the labs, by question."""

PAIRS = {
    "01-default-bridge": ("wrong-mask", "link-down"),
    "02-outside": ("ip-forward-off", "docker-user-drop"),
    "11-user-bridges": ("icc-off", "wrong-network"),
}
"""By exercise: two faults that are put in at once, by commands and by other definitions."""
TYPED = r"""
iptables-save | grep '^-A' | grep -v -i -e docker -e ' br-'
ip netns list
docker images --format '{{.Repository}}:{{.Tag}}' | grep -v '^dockerlab/node:'
sysctl -a 2>/dev/null | grep '^net.ipv4.*forward' | grep -v -e docker -e br- -e veth
true
"""
"""What a host has of rules, names, images and settings that are no engine's own: what a README has one type."""

CONTROL = "01-default-bridge"
"""The exercise in which, once, nothing is broken."""

FOLDERS = sorted(path.parent for path in (ROOT / "labs").glob("*/exercise.yaml"))


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_exercise(lab, path, tmp_path):
    """The README's commands make each step's checks pass; each fault fails them for its reason until it is mended."""
    folder, student = loader.load(path), Student(lab, tmp_path)
    _skip_without(lab, folder)
    before = {host: lab.sh(host, TYPED) for host in lab.names}
    begun = student.call("start", path, "--sandbox")
    try:
        assert begun.rc == 0, begun.stderr
        assert folder.sections[0].title in begun.stdout
        if folder.exercise.begin == "empty":
            assert student.call("check").rc == 1, "nothing is made yet"
        for number, step in enumerate(folder.exercise.steps):
            for block in folder.sections[number].blocks:
                _do(student, block)
            asked = [check.ask for check in step.checks if check.ask is not None]
            student.passes(*(word for text in _answers(folder, asked) for word in ("--answer", text)))
        for broken in folder.exercise.faults:
            _break(student, broken)
            _work_around(student, broken)
            student.does(student.call("solution").stdout)
            said = student.passes()
            assert "the cause is repaired" in said.stdout
            assert "mended" in said.stderr
        if folder.id in PAIRS:
            _break_two(student, PAIRS[folder.id])
        if folder.id == CONTROL:
            _break_nothing(student, folder)
    finally:
        ended = student.call("stop")
    assert ended.rc == 0, ended.stderr
    assert ended.stderr.endswith(f"{folder.id}: nothing is left\n")
    assert ended.stdout == "", "what was looked at is for who asks for it with --verbose"
    assert student.call("stop").rc == 2
    assert {host: lab.sh(host, TYPED) for host in lab.names} == before


def _skip_without(lab, folder):
    if lab.engine != "machine" and not folder.exercise.engines:
        pytest.skip("the exercise names no further engine: nothing differs there")
    for network in folder.lab.networks.values():
        if network.driver in ("macvlan", "ipvlan"):
            lab.skip_without_link("link", "eth0", "type", network.driver)


def _do(student, block):
    """Type a block of the README: all of it succeeds, or every line of it fails."""
    if not block.fails:
        student.does(block.text)
        return
    for command in block.commands:
        done = student.types(command)
        assert done.returncode != 0, f"the README says that this fails, and it did not: {command}\n{done.stdout}"


def _break(student, broken):
    """Break something without telling what; a cell has changed then, and the checks fail for the fault's own reason."""
    put_in = student.call("fault", "--which", str(broken))
    assert put_in.rc == 0, put_in.stderr
    assert broken.fault not in put_in.stdout + put_in.stderr
    said = student.call("check", "--how")
    assert said.rc == 1, f"{broken}: {said.stdout}{said.stderr}"
    assert not re.search(r"--target[ =]\d", said.stdout), f"nobody finds that number: {said.stdout}"
    assert broken.reason, f"{broken}: say in `reason` what a failing check tells of it"
    assert broken.reason in said.stdout, f"{broken}: {said.stdout}"
    changed = [line for line in said.stdout.splitlines() if line.startswith(("FAIL", "UNKNOWN")) and " -> " in line]
    assert changed, f"{broken} is to be seen in no cell: {said.stdout}"


def _break_two(student, names):
    """Break two things at once: each is known to be repaired for itself, and both by what `solution` prints."""
    put_in = student.call("fault", "--which", names[0], "--which", names[1])
    assert put_in.rc == 0, put_in.stderr
    assert student.call("check").rc == 1
    student.does(student.call("solution").stdout)
    said = student.passes()
    assert said.stdout.count("the cause is repaired") == 2, said.stdout


def _break_nothing(student, folder):
    """Say of a lab in which nothing is broken that it is so: that is the answer, and a check alone is none."""
    seeds = (f"seed {number}" for number in range(100))
    seed = next(each for each in seeds if not choose(folder.exercise.faults, folder.lab, each, maybe=True))
    assert student.call("fault", "--maybe", "--seed", seed).rc == 0
    assert "if nothing is broken, say so" in student.passes().stderr
    assert "right: nothing was broken" in student.passes("--healthy").stderr


def _work_around(student, broken):
    """Make all cells right with the cause still there, where we know how to, and expect that this is not enough."""
    if str(broken) not in WORKAROUNDS:
        return
    around, back = WORKAROUNDS[str(broken)]
    student.does(around)
    said = student.call("check")
    assert said.rc == 1, f"{broken}: {said.stdout}{said.stderr}"
    assert "what one sees of it is gone, the cause is not" in said.stdout, said.stdout
    student.does(back)


def _answers(folder, asked):
    """Return the right answers to questions: as they are known here where they are sealed, else as the hosts show."""
    if all(ask.sealed for ask in asked):
        return [SEALED[ask.question][0] for ask in asked]
    with open_session(folder.lab.addresses, Whereabouts(sandbox=True), lambda _: None) as session:
        here = course.scene(folder.lab, session.hosts)
        return [SEALED[ask.question][0] if ask.sealed else questions.answer(ask, here) for ask in asked]
