"""Cases from the field on real engines: what is done to hosts, what each cell then does, and what has to be named."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest
from e2e.differential import changes
from e2e.differential.compare import running, session
from e2e.differential.site import Change
from support.field import FOLDER, case_of, fits, for_engine, matches, text_of
from support.labs import lab as definition_of
from support.predicted import expect_causes, expect_predictions

from dockerlab.verify import on_hosts

CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
HEADERS = 28
"""What of a packet is the headers of IPv4 and ICMP."""


@pytest.mark.parametrize("name", CASES)
def test_a_case_from_the_field(lab, name):
    """Every cell that a case speaks of is as it was seen, is predicted so, and the causes are those that it names."""
    case = case_of(name)
    version = lab.docker("vm0", "version", "--format", "{{.Server.Version}}")
    if for_engine({case.get("engines", "-"): True}, int(version.partition(".")[0])) is None:
        pytest.skip(f"engine {version} refuses this lab")
    if "links" in case:
        lab.skip_without_link(*case["links"].split())
    with session() as opened, around(case, opened.hosts):
        definition = definition_of(text_of(case))
        with running(definition, opened):
            on_hosts.verify_new(definition, opened.hosts)
            for step in case["steps"]:
                follow(step, definition, opened.hosts)


@contextmanager
def around(case, hosts):
    """Do what has to be there before the lab is made, and undo it when it is gone."""
    scripts = {host: (script, case["after"][host]) for host, script in case.get("before", {}).items()}
    with ExitStack() as stack:
        for host, (do, undo) in scripts.items():
            stack.enter_context(changes.applied(Change("before", host, do, undo, "none"), hosts))
        yield


def follow(step, definition, hosts):
    """Take one step of a case, hold it against what is seen, and take it back."""
    title = step["title"]
    with ExitStack() as stack:
        for host, script in step.get("do", {}).items():
            exact = step.get("exact", True)
            done = Change(title, host, script, step["undo"][host], "none", exact=exact)
            stack.enter_context(changes.applied(done, hosts))
        report = on_hosts.verify(definition, hosts)
        where = {name: hosts[definition.host_of(name)] for name in definition.containers}
        assert {name: mtu_of(where[name], name) for name in step.get("mtus", {})} == step.get("mtus", {}), title
        assert {way: at_full_size(where, way) for way in step.get("full", {})} == step.get("full", {}), title
    engine = int(report.engines["vm0"].partition(".")[0])
    seen = {each.cell: each.observed for each in report.cells}
    wrong = []
    for asked, words in step["cells"].items():
        wanted = for_engine(words, engine)
        found = [observed for cell, observed in seen.items() if matches(cell, asked)]
        assert len(found) == 1, f"{title}: {asked}: {[cell for cell in seen if cell.source == asked.split()[0]]}"
        if wanted is not None and not fits(wanted, found[0]):
            wrong.append(f"{title}: {asked}: {wanted} wanted, {found[0]} seen")
    assert not wrong, "\n".join(wrong)
    expect_predictions(report)
    if "causes" in step:
        expect_causes(report, *step["causes"])


def mtu_of(host, name):
    """Return the MTU of a container's interface, as its kernel has it."""
    said = changes.run(host, f"inside {name} ip -o link show eth0").text
    return int(said.partition(" mtu ")[2].split()[0])


def at_full_size(where, way):
    """Return what becomes of `SOURCE -> ADDRESS`, a ping as large as the interface takes that must not be cut.

    It is True where it is answered, and `mtu` where somebody says that it does not fit.
    """
    name, _, address = way.partition(" -> ")
    size = mtu_of(where[name], name) - HEADERS
    said = changes.run(where[name], f"inside {name} ping -M do -c 1 -W 5 -s {size} {address} 2>&1 || true").text
    return True if " bytes from " in said else "mtu" if "mtu" in said else said
