"""After a failed `up`: what this run has made goes, by what the hosts show, and nothing else does."""

import pytest
from support.labs import lab, plan_up, running, who
from support.pretend import Engines, Refused

from dockerlab.errors import ConnectError, ExecutionError, TransportError
from dockerlab.hosts.fake import FakeHost
from dockerlab.provision.execute import Execution
from dockerlab.provision.reporting import Silent
from dockerlab.provision.rollback import made, roll_back
from dockerlab.survey import Answers

LAB = """
hosts: {x: , y: }
networks: {front: {subnet: 172.28.1.0/24}}
containers:
  web: {host: x, networks: [front]}
  far: {host: y}
"""


def hosts(engines, refuses=()):
    """Return hosts whose commands the pretended engines carry out, but for those with one of some words."""

    def answer(name):
        def respond(argv, _given):
            if set(argv) & set(refuses):
                return (1, "", "device or resource busy")
            try:
                return engines[name].run(argv)
            except Refused as refusal:
                return (1, "", str(refusal))

        return respond

    return {name: FakeHost(name, answer(name)) for name in engines}


def look(engines, dead=()):
    """Return the survey that finds what the pretended engines have, and some hosts dead."""

    def survey(asked):
        answers = {name: engines[name].snapshot() for name in asked if name not in dead}
        return Answers(answers, {name: ConnectError(name, "no answer") for name in asked if name in dead})

    return survey


def begun(plan, failures=None):
    return Execution([step for step in plan.ordered() if step.action != "keep"], failures or {})


def started(text=LAB, engines=None, run="1"):
    """Return engines on which a run has made everything, and what it began."""
    definition = lab(text)
    engines = engines or Engines(definition.hosts)
    wanted = plan_up(definition, engines, who(definition, run=run))
    engines.carry_out(wanted)
    return engines, begun(wanted), who(definition, run=run)


def names(engines):
    return {name for engine in engines.values() for name in (*engine.containers, *engine.local, *engine.volumes)}


def test_all_of_this_run_goes():
    """What this run has made is removed by its IDs, the network after its container, and nothing is left to tell."""
    engines, done, identity = started()
    fakes = hosts(engines)
    assert roll_back(done, identity, fakes, Silent(), look(engines)) == []
    assert names(engines) == {"bridge", "host", "none"}
    assert [argv[1] for argv in fakes["x"].calls] == ["rm", "network"]
    assert not {"web", "front"} & {word for argv in fakes["x"].calls for word in argv}


def test_what_was_there_stays():
    """An earlier run's objects, a stranger's, and another owner's are not this run's."""
    before = lab("hosts: {x: , y: }\ncontainers: {old: {host: x}}")
    engines = running(before)
    engines["x"].run(("docker", "run", "--name", "mine", "image"))
    engines["x"].run(("docker", "run", "--name", "theirs", "--label", "dockerlab.lab=demo", "--label",
                      "dockerlab.owner=pupil@desk", "--label", "dockerlab.run=1", "image"))  # fmt: skip
    text = LAB.replace("far: {host: y}", "old: {host: x}")
    engines, done, identity = started(text, engines)
    assert roll_back(done, identity, hosts(engines), Silent(), look(engines)) == []
    assert names(engines) == {"bridge", "host", "none", "old", "mine", "theirs"}


def test_a_swarm_is_left():
    """The Swarm that the run made is left, and its receipts go."""
    engines, done, identity = started("""
        hosts: {x: , y: }
        networks: {w: {driver: overlay}}
        containers: {a: {host: x, networks: [w]}, b: {host: y, networks: [w]}}
        """)
    assert roll_back(done, identity, hosts(engines), Silent(), look(engines)) == []
    assert engines.swarm.members == set()
    assert "dockerlab-swarm" not in names(engines)


def test_what_cannot_be_removed_is_told():
    """What the engine does not remove is told with the reason, and with what depends on it; the rest goes."""
    engines, done, identity = started()
    stuck = engines["x"].containers["web"].id
    left = roll_back(done, identity, hosts(engines, [stuck]), Silent(), look(engines))
    assert len(left) == 2
    assert left[0].startswith("container web on x: container web on x failed (exit code 1)")
    assert "device or resource busy" in left[0]
    assert left[1] == "network front on x"
    assert names(engines) == {"bridge", "host", "none", "web", "front"}


def test_a_host_that_does_not_answer():
    """On a host that does not answer, what this run began there may be left and is told; the others are cleaned."""
    engines, done, identity = started()
    assert roll_back(done, identity, hosts(engines), Silent(), look(engines, ["y"])) == [
        "container far on y, perhaps: y: no answer"
    ]
    assert set(engines["x"].containers) == set()
    assert set(engines["y"].containers) == {"far"}


def test_hosts_that_were_not_touched_are_not_asked():
    """A host on which nothing was begun is not looked at: it may be the one that failed."""
    engines, done, identity = started()
    only_x = Execution([step for step in done.begun if step.key.host == "x"], {})
    assert roll_back(only_x, identity, hosts(engines), Silent(), look(engines, ["y"])) == []


@pytest.mark.parametrize("error", [TransportError("x", "lost"), ExecutionError("no")])
def test_after_a_doubtful_command(error):
    """Whether a failed step took effect is seen on the host."""
    engines, done, identity = started()
    done.failures[next(step.key for step in done.begun if step.key.name == "web")] = error
    assert roll_back(done, identity, hosts(engines), Silent(), look(engines)) == []
    assert names(engines) == {"bridge", "host", "none"}


def test_what_comes_late():
    """What comes into being after the first look is found by a further one."""
    engines, done, identity = started()
    late = engines["x"].containers.pop("web")

    def survey(asked):
        found = look(engines)(asked)
        engines["x"].containers.setdefault("web", late) if not seen else None
        seen.append(1)
        return found

    seen = []
    assert roll_back(done, identity, hosts(engines), Silent(), survey) == []
    assert names(engines) == {"bridge", "host", "none"}


def test_made():
    """What is left on purpose is told, and nothing is changed."""
    engines, done, identity = started()
    fakes = hosts(engines)
    assert made(done, identity, fakes, Silent(), look(engines)) == [
        "container web on x", "container far on y", "network front on x",
    ]  # fmt: skip
    assert fakes["x"].calls == fakes["y"].calls == []
