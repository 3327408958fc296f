"""A lab as shell scripts: what `up` would run, in the order in which hosts need each other."""

import subprocess
from pathlib import Path

import pytest
from support.labs import lab, plan_up, read, who
from support.pretend import Engines

from dockerlab.errors import UsageError
from dockerlab.provision import scripts

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_scripts(path):
    """The script of every example is correct shell, as a whole and host by host."""
    example = read(path)
    for host in (None, *example.hosts):
        text = scripts.of(example, who(example), host)
        done = subprocess.run(["sh", "-n"], input=text.encode(), capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert text.startswith("#!/bin/sh\n")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_is_shown_is_what_runs(path):
    """Every command of `up` on empty hosts stands in the scripts, word for word."""
    example = read(path)
    joined = scripts.of(example, who(example)).replace(" \\\n  ", " ")
    for step in plan_up(example, Engines(example.hosts)).steps:
        noted = (step.key.kind, step.key.name) == (
            "receipt",
            "ground",
        )  # says what was there before, which no script can
        for command in () if noted else step.commands:
            assert command.shell() in joined


def test_manager_first():
    """The host that makes the Swarm comes before those that join it, whatever the definition's order is."""
    text = """
        hosts: {quiet: , late: ssh://u@10.0.0.2, early: ssh://u@10.0.0.1}
        networks: {w: {driver: overlay, subnet: 10.9.0.0/24, hosts: [late, early]}}
        containers: {a: {host: late, networks: [w]}, b: {host: early, networks: [w]}}
        """
    made = scripts.of(lab(text), who(lab(text)))
    heads = [line for line in made.splitlines() if ": the part of host " in line]
    assert heads == [f"# demo: the part of host {name}" for name in ("late", "early", "quiet")]
    assert "DOCKERLAB_SWARM_TOKEN=$(docker swarm join-token --quiet worker)\nexport DOCKERLAB_SWARM_TOKEN\n" in made
    alone = scripts.of(lab(text), who(lab(text)), "early")
    assert "# needs $DOCKERLAB_SWARM_TOKEN: set it to what 'docker swarm join-token" in alone
    assert "10.0.0.2:2377" in alone


def test_unknown_host():
    """A host that the lab does not have is refused with those it has."""
    definition = lab("hosts: {x: , y: }\ncontainers: {a: {host: x}}")
    with pytest.raises(UsageError, match="the lab has no host z; it has x, y"):
        scripts.of(definition, who(definition), "z")


@pytest.mark.parametrize(("image", "there"), [("dockerlab/node", True), ("nginx", False)])
def test_node_image(image, there):
    """A script makes the node image where a container wants it."""
    definition = lab(f"containers: {{a: {{image: {image}}}}}")
    assert ("docker import" in scripts.of(definition, who(definition))) is there
