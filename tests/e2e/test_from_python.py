"""What the commands do is a function that a Python program calls, without a command line."""

from collections import Counter
from pathlib import Path

import pytest

from dockerlab import modes
from dockerlab.provision.down import Which, bring_down
from dockerlab.provision.up import Wish, bring_up
from dockerlab.reach.asked import Ends
from dockerlab.session import Whereabouts, open_session
from dockerlab.verify.explaining import explain
from dockerlab.verify.on_hosts import verify

EXAMPLE = Path(__file__).parents[2] / "examples/user-bridge.yaml"


@pytest.mark.e2e
def test_a_lab_from_python(lab):
    """A lab is made, verified, explained and removed; what each call gives says what it did."""
    definition = modes.definition(EXAMPLE).lab
    with open_session(definition.addresses, Whereabouts(sandbox=True), lambda _: None) as session:
        made = bring_up(definition, session.hosts, session.controller, Wish())
        report = verify(definition, session.hosts)
        one, other = list(definition.containers)[:2]
        found, live = explain(definition, session.hosts, Ends(one, other, "ping"), live=True)
        again = bring_up(definition, session.hosts, session.controller, Wish())
        taken = bring_down(Which(definition.name), session.hosts, prove=True)
    kinds = Counter(step.key.kind for step in made.changes)
    assert (kinds["container"], kinds["network"]) == (len(definition.containers), len(definition.networks))
    assert (report.lab, report.exit_code, report.summary()["fail"]) == (definition.name, 0, 0)
    assert {(cell.source, cell.to, cell.probe) for cell, _ in found.rows} == {(one, other, "ping")}
    assert [cell for cell, _ in live] == [cell for cell, _ in found.rows]
    assert any("reachable" in line for _, lines in live for line in lines)
    assert again.changes == ()
    assert (taken.count, taken.whole, taken.left) == (kinds["container"] + kinds["network"], True, ())
    assert not lab.ids()
