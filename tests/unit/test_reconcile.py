"""Commands that are lost on the way: the host is asked what came of them before anything is run again."""

from dataclasses import replace

import pytest
from support.labs import lab, plan_up, who
from support.pretend import Engines

from dockerlab.command import Command, Part
from dockerlab.errors import ConnectError, DeadlineExceeded, EngineError, HostError, HostKeyError, TransportError
from dockerlab.hosts.fake import FakeHost
from dockerlab.provision import reconcile
from dockerlab.snapshot import Snapshot, SwarmState

LAB = """
    hosts: {h: local}
    networks: {net: {subnet: 172.31.1.0/24}, more: {subnet: 172.31.2.0/24}}
    containers: {web: {image: dockerlab/node, networks: [net, more]}}
"""


class Wire:
    """A host whose connection breaks under its first command, before or after that has taken effect."""

    def __init__(self, engine, loss, *, takes_effect):
        self.engine, self.loss, self.takes_effect, self.losses = engine, loss, takes_effect, 1
        self.host = FakeHost("h", self.respond)
        self.looks = 0

    def respond(self, argv, _given):
        if self.losses:
            self.losses -= 1
            if self.takes_effect:
                self.engine.run(list(argv))
            if isinstance(self.loss, str):
                return (1, "", self.loss)
            raise self.loss
        return self.engine.run(list(argv))

    def look(self, _host, _names):
        self.looks += 1
        return self.engine.snapshot()

    def run(self, command):
        told, asking = [], reconcile.Inquiry(self.look, back=0.05, pause=0.001)
        result = reconcile.run(self.host, command, command.resolve({}), 10, lost=told.append, inquiry=asking)
        return result, told


def commands():
    """Return a lab's engine and every command that makes it, in their order."""
    definition = lab(LAB)
    engines = Engines(definition.hosts)
    plan = plan_up(definition, engines, who(definition))
    return engines["h"], [command for step in plan.ordered() for command in step.commands]


LOSSES = [
    TransportError("h", "the connection was lost"),
    DeadlineExceeded("h", "did not end in time"),
    ConnectError("h", "no connection"),
    "error during connect: Post http://docker.sock/v1.41/containers/create?name=web: EOF",
    "docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
]


@pytest.mark.parametrize("takes_effect", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("lost", range(4))
def test_every_command_of_a_lab(lost, loss, takes_effect):
    """Whichever command is lost, by whatever, before or after its effect: in the end all is made, and made once."""
    engine, made = commands()
    assert [c.argv[1] for c in made] == ["network", "network", "run", "network"]
    for number, command in enumerate(made):
        if number != lost:
            engine.run(list(command.resolve({})))
            continue
        wire = Wire(engine, loss, takes_effect=takes_effect)
        result, told = wire.run(command)
        assert result.ok
        assert len(told) == 1
        assert len(wire.host.calls) == (1 if takes_effect else 2)
    (web,) = engine.snapshot().containers
    assert set(web.endpoints) == {"net", "more"}


def test_half_made():
    """A container that was made and not started is removed, by its ID, and made again."""
    engine, (first, second, run, _) = commands()
    for command in (first, second):
        engine.run(list(command.resolve({})))
    wire = Wire(engine, LOSSES[0], takes_effect=True)
    found = wire.look

    def look(host, names):
        snapshot = found(host, names)
        halves = [replace(c, status="created", running=False) for c in snapshot.containers]
        return replace(snapshot, containers=tuple(halves)) if len(wire.host.calls) == 1 else snapshot

    wire.look = look
    removed = []
    wire.engine._rm = lambda argv: removed.append(argv[-1]) or engine.containers.clear()  # noqa: SLF001
    result, _ = wire.run(run)
    assert result.ok
    assert len(removed) == 1
    assert len(removed[0]) == 64


LATE = (
    "Error response from daemon: attaching to network failed, make sure your network options are correct and check "
    "manager logs: context deadline exceeded"
)
UNANSWERED = "Error response from daemon: Could not attach to network wide: context deadline exceeded."


@pytest.mark.parametrize("says", [LATE, UNANSWERED], ids=["late", "unanswered"])
@pytest.mark.parametrize("number", [2, 3], ids=["run", "connect"])
def test_a_swarm_that_is_late(number, says):
    """A container that a Swarm's manager does not take on in time is made or connected again, told as a loss."""
    engine, ordered = commands()
    for command in ordered[:number]:
        engine.run(list(command.resolve({})))
    wire = Wire(engine, says, takes_effect=False)
    result, told = wire.run(ordered[number])
    assert result.ok
    assert [str(each) for each in told] == [f"h: the Swarm took too long: {says}"]
    assert wire.looks == reconcile.LOOKS


def test_a_swarm_that_stays_late():
    """What the manager never takes on is a failure in the engine's own words, after some tries."""
    engine, ordered = commands()
    wire = Wire(engine, LATE, takes_effect=False)
    wire.losses = 100
    result, told = wire.run(ordered[2])
    assert (result.ok, result.error, len(told)) == (False, LATE, reconcile.LOSSES)


@pytest.mark.parametrize(("argv", "tries"), [(("docker", "swarm", "leave", "--force"), 2), (("docker", "info"), 1)])
def test_a_host_that_is_slow_to_leave_a_swarm(argv, tries):
    """It is asked again; the same words of any other command are a failure as they stand."""
    answers = iter([(1, "", "Error response from daemon: context deadline exceeded"), ""])
    host = FakeHost("h", lambda _argv, _given: next(answers))
    asking = reconcile.Inquiry(lambda _host, _names: Snapshot("h", swarm=SwarmState("active")), back=0.05, pause=0.001)
    result = reconcile.run(host, Command("h", (Part(argv),)), argv, 10, inquiry=asking)
    assert (result.ok, host.calls) == (tries == 2, [argv] * tries)


def test_a_strangers_object_is_not_ours():
    """What has the name but not this run's labels is no success of ours: the engine refuses, and that is the result."""
    engine, (first, *_) = commands()
    definition = lab(LAB)
    other = plan_up(definition, Engines(definition.hosts), who(definition, run="another"))
    engine.run(list(other.ordered()[0].commands[0].resolve({})))
    wire = Wire(engine, LOSSES[0], takes_effect=False)
    wire.host = FakeHost("h", refuse(wire))
    result, _ = wire.run(first)
    assert (result.ok, "already exists" in result.error) == (False, True)


def refuse(wire):
    """Respond as the engine would, a refusal as what the docker command says."""

    def respond(argv, given):
        try:
            return wire.respond(argv, given)
        except HostError:
            raise
        except Exception as error:  # noqa: BLE001 - the pretended engine's refusal
            return (1, "", str(error))

    return respond


def test_a_host_that_does_not_come_back():
    """The first loss is raised, with why the host could not be asked."""
    engine, (first, *_) = commands()
    wire = Wire(engine, LOSSES[0], takes_effect=False)

    def look(_host, _names):
        raise ConnectError("h", "no route")

    wire.look = look
    with pytest.raises(TransportError, match=r"^h: the connection was lost; it did not come back .*h: no route"):
        wire.run(first)
    assert len(wire.host.calls) == 1


def test_an_engine_that_is_lost_again_and_again():
    """After some losses of one command there is no further try."""
    engine, (first, *_) = commands()
    wire = Wire(engine, LOSSES[3], takes_effect=False)
    wire.losses = 99
    with pytest.raises(EngineError, match="the engine was lost: error during connect"):
        wire.run(first)
    assert len(wire.host.calls) == reconcile.LOSSES + 1


@pytest.mark.parametrize("error", [TransportError("h", "lost"), DeadlineExceeded("h", "late")])
def test_what_leaves_no_trace_is_not_repeated(error):
    """A command of which the engine shows nothing is never run twice."""
    engine, _ = commands()
    wire = Wire(engine, error, takes_effect=False)
    with pytest.raises(type(error)):
        wire.run(Command("h", (Part(("docker", "exec", "web", "reboot")),)))
    assert (len(wire.host.calls), wire.looks) == (1, 0)


def test_another_key_is_no_loss():
    """A host that shows another key is not waited for."""
    engine, (first, *_) = commands()
    wire = Wire(engine, HostKeyError("h", "HAS CHANGED"), takes_effect=False)
    with pytest.raises(HostKeyError):
        wire.run(first)
    assert wire.looks == 0


@pytest.mark.parametrize("takes_effect", [True, False])
def test_removals(takes_effect):
    """A lost removal is done when the object is gone, and done again when it is not."""
    engine, made = commands()
    for command in made:
        engine.run(list(command.resolve({})))
    for words in (("docker", "rm", "--force", "--volumes", "web"), ("docker", "network", "rm", "net")):
        wire = Wire(engine, LOSSES[0], takes_effect=takes_effect)
        result, _ = wire.run(Command("h", (Part(words),)))
        assert result.ok
        assert len(wire.host.calls) == (1 if takes_effect else 2)
    assert engine.snapshot().network("net") is None


def test_a_node_that_is_forgotten():
    """A lost `docker node rm` is done when the Swarm no longer knows the node, which its manager shows."""
    argv = ("docker", "node", "rm", "--force", "one")
    for nodes, fate in ((("one", "two"), "undone"), (("two",), "done")):
        assert reconcile.fate(argv, Snapshot("h", swarm=SwarmState("active", manager=True, nodes=nodes))) == fate


def test_an_image_is_brought_again():
    """What leaves the same behind however often it runs is run again, its input made anew."""
    engine, _ = commands()
    fed = []
    load = Command("h", (Part(("docker", "import", "-", "node")),), feeds=lambda: fed.append(1) or [b"image"])
    result, _ = Wire(engine, LOSSES[0], takes_effect=False).run(load)
    assert result.ok
    assert fed == [1, 1]
