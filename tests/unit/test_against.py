"""What differs between two engines, two definitions, or a definition and its hosts: the cells, why, and what to do."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.facts import altered
from support.labs import lab, read, running
from support.worlds import looked

from dockerlab import versions
from dockerlab.errors import UsageError
from dockerlab.imagined.changes import BACKEND, TOLD
from dockerlab.reach import sides
from dockerlab.reach.asked import Ends
from dockerlab.report import as_comparison
from dockerlab.versions import BOUNDARIES, CHANGES, Engine, differing, holding, named, release

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
MODE = "com.docker.network.bridge.gateway_mode_ipv4"
GATE = f"""
networks: {{front: {{subnet: 10.1.0.0/24}}, gate: {{subnet: 10.2.0.0/24, driver_opts: {{{MODE}: nat-unprotected}}}}}}
containers: {{web: {{networks: [front]}}, open: {{networks: [gate], expose: [90]}}}}
"""
VAULT = """
vars: {range: 10.2.0}
networks: {vault: {subnet: "{{ range }}.0/24", internal: true}}
containers: {safe: {networks: [vault]}, twin: {networks: [vault]}}
"""


def keys(rows):
    return {(each.cell.source, each.cell.to, each.cell.probe) for each in rows}


def test_every_change_is_told():
    """Each has a sentence for people, with its source in the docstring, and none is told that is not there."""
    assert set(TOLD) == {BACKEND, *CHANGES}
    for name, change in CHANGES.items():
        assert TOLD[name].what[0].islower() or TOLD[name].what.startswith(("IPv4", "DOCKER", "FORWARD", "Docker", "`"))
        assert change.__doc__.startswith("Tell whether"), name


def test_the_boundaries_are_all_there():
    """No change is between two of them: what one release has, all have up to the next boundary."""
    source = Path(versions.__file__).read_text(encoding="utf-8")
    tuples = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Tuple) and len(node.elts) == 3]
    values = [tuple(getattr(part, "value", None) for part in node.elts) for node in tuples]
    found = {value for value in values if all(type(part) is int for part in value) and value >= (23, 0, 0)}
    found |= {(major, minor, patch + 1) for major, minor, patch in found}
    assert len(found) > len(BOUNDARIES)
    for value in sorted(found):
        last = max(each for each in (*BOUNDARIES, (20, 10, 0)) if each <= value)
        assert differing(Engine(value), Engine(last)) == [], value


def test_an_engine_that_is_held_at_what_another_one_does():
    old, new = named("28.5"), named("29.8")
    assert differing(old, new)
    held = holding(new, differing(old, new), old)
    assert differing(old, held) == []
    assert release("stages", old, new) == release("stages", new, old) == (29, 0, 0)


@pytest.mark.parametrize("text", ["", "x", "28", "28.5-nftables", "29.8 nftables", "28.5\n"])
def test_what_names_no_engine(text):
    with pytest.raises(ValueError, match="engine"):
        named(text)


def test_a_newer_engine_lets_in_what_the_older_one_did_not():
    """The change is named with its release and with what keeps the cell as it was."""
    found = sides.engines(lab(GATE), named("28.5"), named("29.8"))
    assert keys(found.differences) == {("web", "open", "ping"), ("web", "open", "tcp/90")}
    assert {each.changes for each in found.differences} == {("stages",)}
    assert found.releases["stages"] == (29, 0, 0)
    text = as_comparison.table(found)
    assert "From 29.0.0 on no longer: the ISOLATION chains" in text
    assert f"say `nat` for the network's {MODE}" in " ".join(text.split())
    back = sides.engines(lab(GATE), named("29.8"), named("28.5"))
    assert keys(back.differences) == keys(found.differences)
    assert "Before 29.0.0: the ISOLATION chains" in as_comparison.table(back)


def test_an_engine_that_would_refuse_the_lab():
    """It is told apart from the cells, and is a difference by itself."""
    found = sides.engines(lab(GATE), named("28.5"), named("27.5"))
    assert not found.same
    assert "gateway mode nat-unprotected, which engine 27.5 does not know" in " ".join(found.refused)
    assert found.refused[0] not in found.notes
    assert sides.engines(lab(GATE), named("27.5"), named("27.0")).refused == []


def test_what_is_lost_as_before_but_shown_otherwise():
    """A ping that was dropped in silence finds no route on a newer engine: told, but nobody is reached by it."""
    text = VAULT + "outside: {away: 203.0.113.9}\n"
    found = sides.engines(lab(text), named("24.0"), named("25.0.4"))
    assert ("safe", "away", "ping") in keys(found.otherwise)
    assert {each.changes for each in found.otherwise} == {("internal_route",)}
    assert ("safe", "local", "ping") in keys(found.differences)
    assert "Lost as before, but shown otherwise" in as_comparison.table(found)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_engine_against_itself(path):
    """Nothing differs, in no example."""
    found = sides.engines(read(path), named("28.5"), named("28.5"))
    assert (found.same, found.differences, found.otherwise, found.refused) == (True, [], [], [])
    assert found.cells > 0


def test_the_firewalls_backend():
    """Where the same release writes for nftables itself the cells are the same, but what no Swarm takes is refused."""
    found = sides.engines(lab(GATE), named("29.8"), named("29.8-nftables"))
    assert found.same
    wide = sides.engines(read(ROOT / "examples" / "overlay.yaml"), named("29.8"), named("29.8-nftables"))
    assert "takes none with `firewall-backend: nftables`" in " ".join(wide.refused)


def test_another_definition():
    """An address that is another one is the same cell; what is asked on one side alone is told as such."""
    other = lab(VAULT.replace("internal: true", "internal: false").replace("twin", "more"), range="10.3.0")
    found = sides.definitions(lab(VAULT), other, named("28.5"), named("28.5"))
    by_key = {(each.cell.source, each.cell.to, each.cell.probe): each for each in found.differences}
    assert by_key["safe", "local", "ping"].after.reachable
    assert by_key["safe", "twin", "ping"].after is None
    assert by_key["safe", "more", "ping"].before is None
    assert ("local", "safe", "ping") not in by_key
    assert "not asked" in as_comparison.table(found)


def test_ends_that_no_cell_has():
    with pytest.raises(UsageError, match="no such cell"):
        sides.engines(lab(VAULT), named("28.5"), named("29.8"), Ends("nobody"))


def test_hosts_that_get_another_engine():
    """On hosts that were seen the addresses that containers have stay, and so do their engines' settings."""
    definition = lab(GATE)
    seen = looked(running(definition))
    found = sides.upgrade(definition, seen, named("29.8"))
    assert keys(found.differences) == {("web", "open", "ping"), ("web", "open", "tcp/90")}
    assert found.before.told == "the hosts with engine 28.5.2"
    open_ = {host: altered(fact, direct_routing=True) for host, fact in seen.facts.items()}
    kept = sides.upgrade(definition, replace(seen, facts=open_), named("29.8"))
    assert all(engine.direct for engine in kept.after.world.engines.values())


def test_json_has_every_difference():
    """Both sides of each cell, the changes with release and source, and how many there are."""
    found = json.loads(as_comparison.as_json(sides.engines(lab(GATE), named("28.5"), named("29.8"))))
    assert found["summary"] == {"cells": 16, "differ": 2, "otherwise": 0, "untold": 0}
    (first, _) = found["differences"]
    assert (first["from"], first["to"], first["target"], first["probe"]) == ("web", "open", "10.2.0.2", "ping")
    assert (first["before"]["expected"], first["after"]["expected"]) == ("unreachable", "reachable")
    assert first["before"]["symptom"] == "timeout"
    (change,) = found["changes"]
    assert (change["name"], change["release"], change["cells"]) == ("stages", "29.0.0", 2)
    assert "#49981" in change["source"]
    assert found["after"]["engines"] == {"local": "29.8"}


def test_markdown_is_text():
    """A name of the definition is no markup there."""
    found = as_comparison.as_markdown(sides.engines(lab(GATE), named("28.5"), named("29.8")))
    assert "| web | open | 10.2.0.2 | ping | unreachable (timeout) \\[bridge-isolation\\] | reachable" in found
    assert "to have it as before" in found


def test_what_nobody_observed_is_noted_once():
    found = sides.engines(lab(GATE), named("29.8"), named("29.10"))
    (note,) = [note for note in found.notes if "29.10" in note]
    assert "it is newer than 29.8, the newest engine that was ever held against it" in note
