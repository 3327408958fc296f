"""What holds for every mode, those to come included."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.facts import altered
from support.labs import beneath, lab, plan_up, read, running, who
from support.pretend import OF_HOSTS, Engines
from support.worlds import pretended

from dockerlab import modes, plan
from dockerlab.errors import DefinitionError, UsageError
from dockerlab.lab.model import Network
from dockerlab.plan import build, leaving, receipts, removals, swarm
from dockerlab.provision import images
from dockerlab.reach import matrix

EXAMPLES = [read(path) for path in sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))]
EVERY = pytest.mark.parametrize("mode", modes.all_modes(), ids=lambda mode: mode.name)
WITH_NETWORK = pytest.mark.parametrize(
    "mode", [mode for mode in modes.all_modes() if mode.network_type], ids=lambda mode: mode.name
)
FLAG = re.compile(r"(^|\s)--\w")
TEMPLATES = [build.RUN_HEAD, build.RUN_TAIL, removals.REMOVE_CONTAINER, removals.REMOVE_NETWORK, receipts.RECEIPT]
TEMPLATES += [swarm.SWARM_INIT, swarm.SWARM_JOIN, leaving.SWARM_LEAVE, images.IMPORT]


def unexplained(template):
    """Return the lines of a template that give a flag and no reason; the command itself may have flags of its own."""
    lines = [line for line in template.splitlines() if FLAG.search(line) and not line.startswith(("docker", "#"))]
    return [line for line in lines if not re.search(r"\S  # \S|%}  # \S", line)]


def test_the_modes():
    """The modes are found by their files, each under one name."""
    names = [mode.name for mode in modes.all_modes()]
    assert names == sorted(set(names))
    assert {"bridge", "container", "host", "macvlan", "none", "overlay"} <= set(names)


@EVERY
def test_templates(mode):
    """A mode says what it adds to `docker run`; one with a network says how that is made and joined."""
    assert mode.run.strip()
    assert mode.scope in ("host", "swarm")
    if mode.network_type is not None:
        assert mode.create.strip()
        assert mode.connect.strip()


@EVERY
def test_every_flag_has_a_reason(mode):
    """No line of a mode's templates gives a flag without saying why."""
    for template in (mode.create, mode.run, mode.connect):
        assert unexplained(template) == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_common_flag_has_a_reason(template):
    """The same holds for what all modes have in common."""
    assert unexplained(template) == []


@WITH_NETWORK
def test_network_types(mode):
    """A mode's network is a Network whose driver is the mode's name and nothing else."""
    assert issubclass(mode.network_type, Network)
    assert mode.network_type().driver == mode.name
    assert modes.network_types()[mode.name] is mode.network_type
    assert modes.for_driver(mode.name) is mode


@EVERY
def test_example(mode):
    """A mode has an example of its own name in which a container uses it, with a title and a few lines."""
    example = next(each for each in EXAMPLES if each.name == mode.name)
    assert example.title
    assert mode in {modes.for_container(example, spec) for spec in example.containers.values()}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_everything_made_has_an_undo(example):
    """Carrying out a plan and then the undo of its steps, last first, leaves the hosts as they were."""
    engines = Engines(example.hosts)
    before = engines.snapshots()
    wanted = plan_up(example, engines)
    engines.carry_out(wanted)
    for step in wanted.steps:
        assert step.undo or step.action == "keep", step
        programs = {command.parts[0].arguments[0] for command in step.undo}
        assert programs <= {"daemon": {"sh", "tee", "mv"}, "host": set(OF_HOSTS)}.get(step.key.kind, {"docker"})
    for step in reversed(wanted.ordered()):
        for command in step.undo:
            engines[command.host].run(command.resolve({}), command.text)
    assert without_gateway_bridge(engines.snapshots()) == before


def without_gateway_bridge(snapshots):
    """Return snapshots without docker_gwbridge, which the engine makes for a Swarm and keeps for the next."""
    return {
        host: replace(s, networks=tuple(n for n in s.networks if n.name != "docker_gwbridge"))
        for host, s in snapshots.items()
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_every_cell_is_explained(example):
    """Every predicted cell of an example names its rule and its reason; only a failure has a symptom."""
    engines = running(example)
    cells = matrix(pretended(example, engines))
    assert len(cells) > len(example.containers)
    assert len({(c.source, c.to, c.target, c.probe) for c, _ in cells}) == len(cells)
    for cell, expected in cells:
        assert expected.rule
        assert "{" not in expected.because(cell)
        assert expected.symptom is None or expected.reachable is False


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_down_removes_everything(example):
    """`down` leaves nothing that carries a label, and the engine's own networks as they were."""
    engines = Engines(example.hosts)
    before = engines.snapshots()
    engines.carry_out(plan_up(example, engines))
    there = beneath(example)
    removal = plan.down(engines.snapshots(), example.name, "teacher@desk", files=engines.files(), beneath=there)
    assert removal.notes == ()
    engines.carry_out(removal)
    assert without_gateway_bridge(engines.snapshots()) == before
    assert plan.down(engines.snapshots(), example.name, "teacher@desk").steps == ()


NEW_MODE = '''
"""A mode that a test adds."""
from typing import Literal
from dockerlab.kernel.model import Link
from dockerlab.lab.model import Network
from dockerlab.lab.problem import Problem
from dockerlab.modes.base import CONNECT, JOIN, LABELS, POOLS, Mode
from dockerlab.modes.made import Joined, Made, cable


class WireNetwork(Network):
    """A wire."""

    driver: Literal["wire"] = "wire"
    gauge: int = 1


class Wire(Mode):
    """A wire between containers."""

    name = "wire"
    network_type = WireNetwork
    create = """
docker network create
  --driver wire  # a wire
  --opt gauge={{ network.gauge }}  # how thick
""" + POOLS + LABELS + """
  {{ name }}
"""
    run = JOIN
    connect = CONNECT

    def check(self, lab):
        """Refuse a thick one."""
        for name, network in lab.networks.items():
            if isinstance(network, WireNetwork) and network.gauge > 9:
                yield Problem(("networks", name, "gauge"), "too thick")

    def makes(self, site):
        """Return the wire itself: a bridge without an address."""
        return Made((Link(0, "wire0", "bridge"),))

    def joins(self, site, endpoint, name):
        """Return an end of the wire."""
        inside, outside = cable(name, endpoint.mac, endpoint.addresses, "wire0", 1500)
        return Joined(inside, outside)


MODE = Wire()
'''


@pytest.fixture
def wire(tmp_path):
    """Add a mode as a file, and take it away again."""
    (tmp_path / "wire.py").write_text(NEW_MODE)
    modes.__path__.append(str(tmp_path))
    modes.all_modes.cache_clear()
    yield
    modes.__path__.remove(str(tmp_path))
    modes.all_modes.cache_clear()
    sys.modules.pop("dockerlab.modes.wire", None)


@pytest.mark.usefixtures("wire")
def test_adding_a_mode_is_adding_a_file():
    """One new file is enough for definition, checks, commands, plan and prediction."""
    text = """
        networks: {w: {driver: wire, gauge: 3, subnet: 10.9.0.0/24}}
        containers: {a: {networks: {w: {ip: 10.9.0.5}}}, b: {networks: [w]}}
        """
    made = lab(text)
    assert "gauge=3" in build.network(made, "w", "local", who(made)).create[0].argv
    engines = running(made)
    facts = {host: altered(told, forward_policy="ACCEPT") for host, told in engines.facts().items()}
    pings = {c.target: e for c, e in matrix(pretended(made, engines, facts)) if (c.source, c.probe) == ("a", "ping")}
    assert (pings["10.9.0.2"].reachable, pings["10.9.0.2"].rule) == (True, "same-bridge")
    with pytest.raises(DefinitionError, match=r"networks\.w\.gauge: too thick"):
        lab(text.replace("gauge: 3", "gauge: 30"))


def test_unknown_driver():
    """A driver that no mode serves is an error that names those there are."""
    with pytest.raises(UsageError, match=r"no mode serves the driver 'wire'; known: bridge, .*overlay"):
        modes.for_driver("wire")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("networks: {host: {}}\ncontainers: {a: {networks: [host]}}", "the engine has a network host of its own"),
        ("containers: {a: {network_mode: 'container:b', ports: ['80:80']}, b: {}}", "write `ports` at b"),
        ("containers: {a: {network_mode: 'container:b', hostname: x}, b: {}}", "write `hostname` at b"),
        (
            """
            networks: {m: {driver: macvlan, parent: eth0, driver_opts: {parent: eth1}}}
            containers: {a: {networks: [m]}}
            """,
            "said twice",
        ),
        (
            """
            hosts: {x: , y: }
            networks: {m: {driver: macvlan, parent: eth0, subnet: 10.0.0.0/24}}
            containers: {a: {host: x, networks: [m]}, b: {host: y, networks: {m: {ip: 10.0.0.9}}}}
            """,
            "needs a fixed address: m is on x and y",
        ),
        ("containers: {a: {labels: {dockerlab.lab: other}}}", "say whose an object is"),
        ("networks: {n: {labels: [dockerlab.owner=me]}}\ncontainers: {a: {networks: [n]}}", "say whose an object is"),
    ],
)
def test_checks(text, message):
    """What an engine would refuse, or what would mislead, is refused with its place before any host is asked."""
    with pytest.raises(DefinitionError, match=message):
        lab(text)
