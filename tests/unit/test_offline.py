"""The model without hosts: what engines would give is made up as they give it."""

from pathlib import Path

import pytest
from support.labs import lab, read, running
from support.worlds import world_of

from dockerlab.reach import matrix, worlds

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def said(rows):
    return {(cell.source, cell.to, cell.probe): expected.reachable for cell, expected in rows}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_offline_says_what_engines_would(path):
    """From the definition alone the model says of every cell what it says of engines that run the lab."""
    definition = read(path)
    engines = running(definition)
    there = matrix(world_of(definition, engines))
    assert said(matrix(worlds.offline(definition))) == said(there)


def test_addresses_are_chosen_as_an_engine_does():
    """The first free address of the range, never a fixed one of another container, a gateway or a reserved one."""
    definition = lab(
        """
        networks:
          n: {ipam: {config: [{subnet: 10.1.0.0/24, ip_range: 10.1.0.0/29, aux_addresses: {router: 10.1.0.2}}]}}
        containers:
          a: {networks: [n]}
          b: {networks: {n: {ip: 10.1.0.3}}}
          c: {networks: [n]}
        """
    )
    _, snapshots = imagine(definition)
    found = {c.name: str(c.endpoints["n"].addresses[0].ip) for c in snapshots["local"].containers}
    assert found == {"a": "10.1.0.4", "b": "10.1.0.3", "c": "10.1.0.5"}


@pytest.mark.parametrize(("engine", "gateway"), [("20.10", "172.18.0.1"), ("28.5", "")])
def test_an_internal_network_by_engine(engine, gateway):
    """An engine before 27 gives a default route on an internal network, a later one none."""
    definition = lab("networks: {n: {internal: true}}\ncontainers: {a: {networks: [n]}}\n")
    _, snapshots = imagine(definition, engine)
    assert snapshots["local"].container("a").endpoints["n"].gateway == gateway


@pytest.mark.parametrize(("engine", "gateway"), [("28.5", "10.1.0.1"), ("29.0", "")])
@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_a_gateway_that_nobody_named_by_engine(engine, gateway, driver):
    """Up to 28 the first address of a subnet is the default route on a LAN, from 29 on only a gateway that is named."""
    text = "networks: {{n: {{driver: {}, parent: eth0, subnet: 10.1.0.0/24}}}}\ncontainers: {{a: {{networks: [n]}}}}\n"
    definition = lab(text.format(driver))
    assert imagine(definition, engine)[1]["local"].container("a").endpoints["n"].gateway == gateway
    named = lab(text.format(driver).replace("10.1.0.0/24", "10.1.0.0/24, gateway: 10.1.0.9"))
    assert imagine(named, engine)[1]["local"].container("a").endpoints["n"].gateway == "10.1.0.9"
