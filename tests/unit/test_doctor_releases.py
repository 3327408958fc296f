"""What a doctor says of an engine's release and kind, and of where the docker command leads."""

from dataclasses import replace

import pytest
from support.facts import altered
from support.labs import lab, who
from support.pretend import Engines

from dockerlab.doctor.case import Case
from dockerlab.doctor.condition import Condition, parse
from dockerlab.doctor.look import Patient
from dockerlab.doctor.releases import findings
from dockerlab.engine.convert import Answers, to_snapshot
from dockerlab.imagined.broken import FAULTS, faults
from dockerlab.snapshot import SwarmState
from dockerlab.versions import numbers

PLAIN = "containers: {web: {}}"
WIDE = """
hosts: {local: , vm1: ssh://root@192.0.2.2}
networks: {wide: {driver: overlay, subnet: 10.50.0.0/24}}
containers: {left: {host: local, networks: [wide]}, right: {host: vm1, networks: [wide]}}
"""
VAULT = "networks: {vault: {internal: true}}\ncontainers: {safe: {networks: [vault]}}"


def judged(engine="28.5.2", text="", condition=Condition(), swarm=SwarmState(), proxy=True, **snapshot):  # noqa: B008
    """Return the findings on a host with an engine, and with a lab where one is given."""
    engines = Engines(["local"])
    seen = replace(engines["local"].snapshot(), engine_version=engine, swarm=swarm, **snapshot)
    facts = altered(engines["local"].facts(), userland_proxy=proxy)
    definition = lab(text) if text else None
    case = None if definition is None else Case(definition, who(definition), {"local": facts}, {"local": seen}, {})
    return list(findings(Patient("local", snapshot=seen, facts=facts, condition=condition), case))


@pytest.mark.parametrize(
    ("engine", "text", "told"),
    [
        ("25.0.3", VAULT, "no IPv4 address on internal networks"),
        ("25.0.4", VAULT, ""),
        ("25.0.3", PLAIN, ""),
        ("28.0.0", PLAIN, "appended to FORWARD"),
        ("28.0.1", PLAIN, ""),
        ("28.2.2", WIDE, "lose connections between nodes"),
        ("28.2.2", PLAIN, ""),
        ("28.3.0", WIDE, ""),
        ("29.0.0", WIDE, "the names of containers are not found"),
        ("29.0.1", WIDE, ""),
        ("29.1.0", PLAIN, "names of the outside"),
        ("29.1.1", PLAIN, ""),
        ("29.2.0", WIDE.replace("subnet", "driver_opts: {encrypted: ''}, subnet"), "encrypted overlays carry nothing"),
        ("29.2.1", WIDE.replace("subnet", "driver_opts: {encrypted: ''}, subnet"), ""),
        ("29.2.0", WIDE, ""),
        ("28.5.2", PLAIN, ""),
        ("20.10.24", PLAIN, ""),
    ],
)
def test_a_release_that_is_broken(engine, text, told):
    """It is named to whom it concerns, with the release that is not, and to nobody else."""
    found = judged(engine, text)
    assert [each.subject for each in found] == ["release"] * bool(told)
    assert all(told in each.told and "or a later one" in each.remedy.words for each in found)


def test_ports_of_a_host_from_its_overlay():
    """It concerns who is in a Swarm and runs no docker-proxy."""
    member = SwarmState("active")
    assert any("#53713" in each.told for each in judged("29.8.0", swarm=member, proxy=False))
    assert not any("#53713" in each.told for each in judged("29.8.2", swarm=member, proxy=False))
    assert not any("#53713" in each.told for each in judged("29.8.0", swarm=member))


@pytest.mark.parametrize(("engine", "told"), [("28.5.2", True), ("29.8.2", True), ("29.8.3", False)])
def test_starts_that_fail_on_an_overlay(engine, told):
    """What they take from their neighbours is told to who is in a Swarm, with what helps until it is mended."""
    found = [each for each in judged(engine, swarm=SwarmState("active")) if "#53834" in each.told]
    assert bool(found) is told
    assert all("until then" in each.remedy.words for each in found)


def test_the_faults_have_an_end():
    """Each begins before it is mended, says where that is known from, and is no longer there then."""
    for fault in FAULTS:
        assert fault.first < fault.mended
        assert fault.source.startswith("moby #")
        assert fault in faults(fault.first)
        assert fault not in faults(fault.mended)


@pytest.mark.parametrize("kind", ["rootless", "desktop", "podman"])
def test_an_engine_of_another_kind(kind):
    """What nobody tested is not called well: it is unknown, and says what works and what to use."""
    (found,) = judged(kind=kind)
    assert (found.subject, found.status) == ("kind", "unknown")
    assert "untested" in found.remedy.words
    assert "--sandbox" in found.remedy.words


@pytest.mark.parametrize(
    ("version", "info", "kind"),
    [
        ({"Version": "28.5.2"}, {"SecurityOptions": ["name=seccomp,profile=builtin"]}, ""),
        ({"Version": "28.5.2"}, {"SecurityOptions": ["name=seccomp", "name=rootless"]}, "rootless"),
        ({"Version": "28.5.2"}, {"OperatingSystem": "Docker Desktop"}, "desktop"),
        ({"Version": "5.4.0", "Components": [{"Name": "Podman Engine"}]}, {}, "podman"),
    ],
)
def test_how_a_kind_is_known(version, info, kind):
    """By the engine's own word, not by the path of its socket."""
    assert to_snapshot("local", Answers(version, info, (), (), {}, ())).kind == kind


@pytest.mark.parametrize(
    ("told", "variable", "status", "words"),
    [
        ("unix:///var/run/docker.sock default", "", None, ""),
        ("unix:///run/user/1000/docker.sock rootless", "", "ok", ""),
        ("tcp://192.0.2.9:2375 default", "set", "problem", "unset DOCKER_HOST"),
        ("ssh://root@far far", "", "problem", "docker context use default"),
        ("", "", None, ""),
    ],
)
def test_where_the_docker_command_leads(told, variable, status, words):
    """To another machine is a fault: what is made there is not what is looked at here."""
    said = f"\n== endpoint\n{told}\n== variable\n{variable}\n== end\n"
    found = judged(condition=parse(said, 0, 0))
    assert [each.status for each in found] == ([status] if status else [])
    assert all(words in each.remedy.words for each in found)


@pytest.mark.parametrize(
    ("engine", "client", "refused"),
    [("29.0.2", "20.10.24", True), ("29.0.2", "25.0.0", False), ("29.3.0", "20.10.24", False),
     ("29.3.0", "18.9.1", True), ("28.5.2", "18.9.1", False)],
)  # fmt: skip
def test_a_command_that_is_too_old(engine, client, refused):
    """Engines of 29.0 to 29.2 speak with none before 25.0."""
    found = judged(engine, condition=Condition(docker=f"Docker version {client}, build 1"))
    assert any(each.subject == "docker" and each.status == "problem" for each in found) is refused


def test_a_version_that_nobody_can_read_has_no_faults():
    assert list(faults(numbers("dev"))) == []
