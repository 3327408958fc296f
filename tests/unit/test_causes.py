"""Causes: an object that is not as the definition has it fails the lab, is told once, and has a cure."""

from dataclasses import replace

import pytest
from support.judged import judged, put_right
from support.lab_hosts import EXAMPLES, NAMES
from support.labs import lab, plan_up, read, running
from support.pretend import Engines
from support.worlds import changed

from dockerlab.probe import base as probe
from dockerlab.reach.matrix import beside
from dockerlab.reach.worlds import offline
from dockerlab.verify.attribution import Suspect
from dockerlab.verify.cause import HOST_KINDS, LAB_KINDS, Cause
from dockerlab.verify.causes import of_hosts
from dockerlab.verify.verdicts import Report, judge_all

DEMO = lab("""
    networks:
      front: {subnet: 172.28.1.0/24}
      back: {}
      vault: {internal: true}
    containers:
      web: {networks: {front: {ip: 172.28.1.10, aliases: [www]}}, ports: ["8080:80"], command: "httpd -f -p 80"}
      both: {networks: [front, back]}
      plain: {}
      hidden: {networks: [vault]}
""")


def alter(engines, *commands):
    for command in commands:
        engines["local"].run(tuple(command.split()))


def change(**fields):
    """Return what changes a container of the pretended engine, by fields of its state."""
    return lambda engines: engines["local"].containers.update(
        {name: replace(engines["local"].containers[name], **new) for name, new in fields.items()}
    )


def forget_alias(engines):
    web = engines["local"].containers["web"]
    endpoint = replace(web.endpoints["front"], aliases=())
    engines["local"].containers["web"] = replace(web, endpoints={"front": endpoint})


@pytest.mark.parametrize("name", NAMES)
def test_a_lab_as_defined_has_no_cause(name):
    """Where every object is as the definition has it, no cause is named, and every cell is as expected."""
    definition = read(EXAMPLES / f"{name}.yaml")
    report = judged(definition, running(definition))
    assert report.told_causes == []
    assert all(cell.verdict == "pass" or cell.expected.reachable is None for cell in report.cells)


@pytest.mark.parametrize(
    ("harm", "kind", "where", "said"),
    [
        (lambda e: alter(e, "docker network disconnect front both"), "place", "container both",
         "container both is on back, and the lab wants it on back, front"),
        (lambda e: alter(e, "docker rm hidden", "docker network rm vault",
                         "docker network create --driver bridge vault",
                         "docker run --detach --name hidden --network vault dockerlab/node"),
         "network", "network vault", "network vault is not internal, and the lab wants it internal"),
        (lambda e: alter(e, "docker network disconnect front web", "docker network disconnect front both",
                         "docker network rm front"),
         "network", "network front", "network front does not exist"),
        (change(web={"running": False, "status": "exited", "published": ()}), "container", "container web",
         "container web does not run (exited, exit code 0)"),
        (lambda e: alter(e, "docker rm web"), "container", "container web", "container web does not exist"),
        (change(web={"command": ("sh",)}), "command", "container web",
         "container web runs `sh`, and the lab wants `httpd -f -p 80`"),
        (change(web={"image": "nginx"}), "image", "container web",
         "container web runs image nginx, and the lab wants dockerlab/node"),
        (change(web={"asked": (), "published": ()}), "port", "container web",
         "container web does not publish its port 80/tcp as 8080"),
        (forget_alias, "alias", "container web", "container web lacks the alias www on front"),
        (lambda e: alter(e, "docker network connect back plain"), "place", "container plain",
         "container plain is on back, bridge, and the lab wants it on bridge"),
        (lambda e: alter(e, "docker rm plain", "docker run --detach --name plain --network none dockerlab/node"),
         "place", "container plain", "container plain is in mode none, and the lab wants it on bridge"),
    ],
    ids=["disconnected", "not internal", "no network", "stopped", "missing", "command", "image", "port", "alias",
         "one too many", "another mode"],
)  # fmt: skip
def test_what_is_otherwise_is_named_first_and_mended(harm, kind, where, said):
    """Whatever is otherwise fails the lab with its cause, every cell counts, and the printed command mends it."""
    engines = running(DEMO)
    whole = judged(DEMO, engines)
    harm(engines)
    report = judged(DEMO, engines)
    assert [(c.side, c.kind, c.where, c.text) for c, _ in report.told_causes] == [("lab", kind, where, said)]
    assert report.exit_code == 1
    assert [cell.cell for cell in report.cells] == [cell.cell for cell in whole.cells]
    assert all(cell.cause is not None for cell in report.cells if cell.verdict != "pass")
    put_right(report, engines)
    again = judged(DEMO, engines)
    assert again.told_causes == []
    assert (again.exit_code, again.summary()) == (whole.exit_code, whole.summary())


@pytest.mark.parametrize("network", ["front", "back"])
@pytest.mark.parametrize("name", ["www", "web"])
def test_a_strangers_name(name, network):
    """Who shares a name with a container, on its network, fails the lab, and the command parts them; elsewhere not."""
    engines = running(DEMO)
    alter(engines, "docker run --detach --name stranger --network bridge dockerlab/node",
          f"docker network connect --alias {name} {network} stranger")  # fmt: skip
    report = judged(DEMO, engines)
    told = [(c.kind, c.where, c.undo) for c, _ in report.told_causes]
    there = network == "front"
    assert told == [("alias", "container web", f"docker network disconnect {network} stranger")] * there
    put_right(report, engines)
    assert judged(DEMO, engines).told_causes == []


def of_two(name):
    """Return a lab on a network of elsewhere, on which each like it has a container of one name."""
    text = f"""
        name: {name}
        networks: {{there: {{external: true, subnet: 10.99.0.0/24}}}}
        containers:
          {name}-db: {{networks: {{there: {{aliases: [db]}}}}}}
          {name}-app: {{networks: [there]}}
    """
    return lab(text)


def test_two_labs_on_one_external_network():
    """Neither is the other's fault: a name of both gives both, as is expected, and that is a note, told once."""
    one, other = of_two("one"), of_two("other")
    engines = Engines(one.hosts)
    alter(engines, "docker network create --driver bridge --subnet 10.99.0.0/24 there")
    engines.carry_out(plan_up(one, engines))
    assert judged(one, engines).notes == ()
    engines.carry_out(plan_up(other, engines))
    for mine, theirs in ((one, other), (other, one)):
        report = judged(mine, engines)
        assert (report.told_causes, report.exit_code, report.unexplained) == ([], 0, 0)
        told = {
            (each.cell.source, each.cell.target): (each.expected.reachable, each.expected.symptom)
            for each in report.cells
            if each.cell.probe == "dns"
        }
        assert told[f"{mine.name}-app", "db"] == (False, "wrong answerer")
        assert told[f"{mine.name}-app", f"{mine.name}-db"] == (True, None)
        (note,) = report.notes
        assert note.startswith("local: other containers on the external network there go by names of this lab's: ")
        assert f": {theirs.name}-db as db, like {mine.name}-db: " in note


def test_a_stopped_container():
    """Its published port is no pass, it can be asked for, and what it would ask itself cannot be told."""
    engines = running(DEMO)
    change(web={"running": False, "status": "exited", "exit_code": 137})(engines)
    report = judged(DEMO, engines)
    dead = [c for c in report.cells if c.cell.probe == "tcp/8080" and c.cell.source in ("both", "plain")]
    assert dead
    assert {(c.expected.reachable, c.verdict) for c in dead} == {(True, "fail")}
    own = [c for c in report.cells if c.cell.source == "web"]
    assert {(c.verdict, c.observed.detail) for c in own} == {("unknown", "web does not run (exited, exit code 137)")}
    assert {c.cause.where for c in report.cells if c.verdict != "pass"} == {"container web"}
    ((cause, cells),) = report.told_causes
    assert (cause.undo, cells) == ("docker start web", sum(c.verdict != "pass" for c in report.cells))


def test_whoever_answers_for_a_stopped_container_is_somebody_else():
    """An answer from the address of a container that does not run is one of the wrong answerer."""
    engines = running(DEMO)
    change(web={"running": False, "status": "exited"})(engines)
    stranger = "docker run --detach --name stranger --network front --ip 172.28.1.11 dockerlab/node"
    alter(engines, stranger)
    taken = engines["local"].containers["stranger"]
    moved = replace(taken.endpoints["front"], addresses=engines["local"].containers["web"].endpoints["front"].addresses)
    engines["local"].containers["stranger"] = replace(taken, endpoints={"front": moved})
    report = judged(DEMO, engines)
    seen = next(c for c in report.cells if (c.cell.source, c.cell.to, c.cell.probe) == ("both", "web", "ping"))
    assert (seen.observed.state, seen.verdict) == ("unreachable", "fail")


def test_a_cause_without_a_cell():
    """A network that nobody is on and that is otherwise fails the lab, though no cell shows it."""
    definition = lab("networks: {n: {subnet: 10.0.0.0/24, internal: true}, m: {}}\ncontainers: {a: {networks: [m]}}")
    engines = running(definition)
    alter(engines, "docker network rm n", "docker network create --driver bridge --subnet 10.0.0.0/24 n")
    report = judged(definition, engines)
    assert [(cause.where, cells) for cause, cells in report.told_causes] == [("network n", 0)]
    assert report.summary()["fail"] == 0
    assert report.exit_code == 1


def input_drops(space):
    """Return a host's namespace with a policy as many firewalls have it."""
    chains = (replace(c, policy="DROP" if c.name == "INPUT" else c.policy) for c in space.ruleset.chains)
    return replace(space, ruleset=replace(space.ruleset, chains=tuple(chains)))


def test_a_policy_of_the_host():
    """INPUT's policy explains what the host itself does not answer, is the host's fault, and no cell is charged."""
    wanted = offline(DEMO)
    there = changed(wanted, "local", input_drops)
    rows, predicted = beside(wanted, there)
    seen = [
        probe.Observation("reachable") if each.reachable else probe.unreachable(each.symptom or "timeout")
        for each in predicted
    ]
    cells = of_hosts(judge_all(rows, seen, predicted), wanted, there)
    report = Report("demo", "", cells, {}, {}, 0.0, world=wanted)
    ((cause, count),) = report.told_causes
    assert (cause.side, cause.kind, cause.where) == ("host", "policy", "filter INPUT policy")
    assert cause.undo == "iptables -P INPUT ACCEPT"
    assert count == sum(c.verdict == "fail" for c in report.cells) > 0
    assert not any(c.charged for c in report.cells if c.verdict == "fail")
    assert report.exit_code == 1
    assert report.causes == ()


def test_what_is_as_it_should_has_no_cause():
    """A cell that was seen as it should be has none, whatever was predicted of it."""
    wanted = offline(DEMO)
    there = changed(wanted, "local", input_drops)
    rows, predicted = beside(wanted, there)
    seen = [
        probe.Observation("reachable") if each.reachable else probe.unreachable(each.symptom or "timeout")
        for _, each in rows
    ]
    cells = of_hosts(judge_all(rows, seen, predicted), wanted, there)
    assert {c.cause for c in cells} == {None}


def test_the_lab_comes_before_its_hosts():
    """What an object of the lab explains has no cause on a host, which would have it otherwise as well."""
    wanted = offline(DEMO)
    there = changed(wanted, "local", input_drops)
    rows, predicted = beside(wanted, there)
    seen = [probe.Observation("reachable") if each.reachable else probe.unreachable("timeout") for each in predicted]
    cells = judge_all(rows, seen, predicted)
    port = Suspect(Cause("local", "lab", "port", "container web", "", ""), lambda judged: judged.cell.port == 8080)
    alone = {c.cell for c in of_hosts(cells, wanted, there) if c.cause is not None}
    beside_the_lab = {c.cell for c in of_hosts(cells, wanted, there, [port]) if c.cause is not None}
    assert beside_the_lab == {cell for cell in alone if cell.port != 8080} < alone


def test_inside_a_container_is_charged():
    """What somebody did in a container's namespace is told as what it is, and counts for whoever made the lab."""
    cause = Cause("vm0", "host", "link", "eth0", "in web, the interface eth0 is down", "", "web")
    cell = replace(judged(DEMO, running(DEMO)).cells[0], verdict="fail", cause=cause)
    assert cell.charged
    assert not replace(cell, cause=replace(cause, who="")).charged


def test_kinds():
    """The kinds of both sides are apart: a script that reads JSON can go by them."""
    assert not set(LAB_KINDS) & set(HOST_KINDS)
