"""A command in the containers that a pattern means: which these are, what is printed, and the exit code."""

import pytest

from dockerlab.command import Result
from dockerlab.errors import UsageError
from dockerlab.hosts.fake import FakeHost
from dockerlab.snapshot import LABEL_LAB, ContainerState, Snapshot
from dockerlab.survey import run_in


def container(name, lab="demo"):
    return ContainerState(f"id-{name}", name, "image", {LABEL_LAB: lab} if lab else {}, running=True)


THERE = {
    "vm0": Snapshot("vm0", containers=(container("web1"), container("db"), container("web9", "other"))),
    "vm1": Snapshot("vm1", containers=(container("web2"), container("typed", ""))),
}


def names(pattern, typed=()):
    return [each.container.name for each in run_in.chosen(THERE, "demo", pattern, typed)]


def test_which_are_meant():
    """A name or a shell pattern means containers of the lab, on all hosts; a typed lab's by its definition."""
    assert names("web*") == ["web1", "web2"]
    assert names("db") == ["db"]
    assert names("*", ["typed"]) == ["db", "typed", "web1", "web2"]


@pytest.mark.parametrize("pattern", ["web", "web9", "typed", ""])
def test_none_is_meant(pattern):
    """A pattern that means none is an error that says which there are, never a success."""
    with pytest.raises(UsageError, match=r"no container of demo is called .*; there are db, web1, web2") as caught:
        names(pattern)
    assert caught.value.exit_code == 2


def test_what_runs():
    """The words arrive as they are, by the container's ID; each container has a result of its own."""
    answers = {"id-web1": (0, "one\n"), "id-web2": (7, "", "two\n")}
    hosts = {name: FakeHost(name, lambda argv, _given: answers[argv[2]]) for name in THERE}
    chosen = run_in.chosen(THERE, "demo", "web*")
    results = run_in.run_in(chosen, hosts, ["sh", "-c", "$(id)"], 5)
    assert hosts["vm1"].calls == [("docker", "exec", "id-web2", "sh", "-c", "$(id)")]
    assert [(result.rc, result.stdout, result.stderr) for result in results] == [(0, b"one\n", b""), (7, b"", b"two\n")]
    assert run_in.exit_code(results) == 7
    assert run_in.exit_code(results[:1]) == 0


def test_labelled():
    """Of several containers, each line of output says whose it is, whatever its bytes."""
    result = Result((), 0, b"one\n\xfftwo", b"", 0.1)
    assert run_in.labelled("web1", result.stdout) == b"web1: one\nweb1: \xfftwo\n"
    assert run_in.labelled("web1", b"") == b""
