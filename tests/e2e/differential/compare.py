"""One lab on real engines: brought up, every cell's prediction held against what is seen, taken down."""

from __future__ import annotations

import copy
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

from e2e.differential.labs import VM, text_of
from support.inside import entered

from dockerlab import modes
from dockerlab.errors import DockerlabError
from dockerlab.identity import current
from dockerlab.lab.loader import loads
from dockerlab.provision.down import Which, plan_down, take_down
from dockerlab.provision.up import Wish, carry_out, plan_up
from dockerlab.verify import on_hosts, same_symptom


class Silent:
    """A reporter that keeps what a failed command said."""

    one_by_one = False

    def started(self, step):
        pass

    def ran(self, command, result):
        pass

    def lost(self, step, loss):
        pass

    def finished(self, step, failure):
        pass


@dataclass
class Outcome:
    """What came of one lab; a mismatch is a plain mapping, so that it can be written down."""

    cells: int = 0
    mismatches: list = field(default_factory=list)
    flaky: list = field(default_factory=list)
    """Cells that were observed differently the second time."""
    unknown: list = field(default_factory=list)
    no_claim: list = field(default_factory=list)
    rules: Counter = field(default_factory=Counter)
    refused: str = ""
    """Why the lab did not come up, or was not left as it was found."""
    seconds: float = 0.0
    engines: dict = field(default_factory=dict)

    @property
    def clean(self):
        return not (self.mismatches or self.unknown or self.refused)


@contextmanager
def session():
    """Yield the running sandbox's two hosts and the controller."""
    with entered(VM) as opened:
        yield opened


def links(opened):
    """Return which of the kinds of link that labs may want, and not every kernel has, the hosts' kernel makes."""
    script = "ip link add trial {} type {} && ip link delete trial"
    tried = {"ipvlan": script.format("link eth0", "ipvlan"), "dummy": script.format("", "dummy")}
    return frozenset(kind for kind, trial in tried.items() if opened.hosts[VM[0]].run(["sh", "-c", trial]).rc == 0)


def parse(lab):
    """Return the checked definition that a structure or a text stands for."""
    text = lab if isinstance(lab, str) else text_of(lab)
    return loads(text, networks=modes.network_types(), checks=[modes.check])


def compare(lab, opened, *, patient=True):
    """Return what came of a lab on the hosts of a session.

    With `patient`, what is not reachable yet is asked again for a while, and what disagrees is looked at twice.
    """

    def look(definition):
        seen = (on_hosts.verify_new if patient else on_hosts.verify)(definition, opened.hosts)
        judge(seen, outcome)
        if patient and not outcome.clean:
            again(definition, opened, outcome)

    outcome = Outcome()
    return tried(lab, opened, outcome, look)


def tried(lab, opened, outcome, look):
    """Bring a lab up, look at it, take it down, and return its outcome.

    Noted there is what kept it from coming up, or was left behind, and how long it all took.
    """
    started = time.monotonic()
    try:
        definition = parse(lab)
        with running(definition, opened):
            look(definition)
        left = remains(opened)
        if left:
            outcome.refused = f"left behind: {left}"
    except DockerlabError as error:
        outcome.refused = f"{type(error).__name__}: {error}"
    outcome.seconds = time.monotonic() - started
    return outcome


@contextmanager
def running(definition, opened):
    """Bring a lab up, and take it down whatever happens."""
    wanted, _ = plan_up(
        definition, current(definition.name), opened.hosts, opened.controller, Wish(daemons=True, ground=True)
    )
    try:
        carry_out(wanted, opened.hosts, Silent())
        yield
    finally:
        removal = plan_down(Which(definition.name), opened.hosts)
        take_down(removal.plan, opened.hosts, Silent())


def remains(opened):
    """Return what `down` has left on the hosts that an empty engine does not have."""
    found = []
    for name, host in opened.hosts.items():
        result = host.run(["sh", "-c", REMAINS])
        found += [f"{name}: {line}" for line in result.text.splitlines()]
        if not result.ok:
            found.append(f"{name}: {result.error}")
    return found


REMAINS = r"""
docker ps --all --format 'container {{.Names}}'
docker network ls --format 'network {{.Name}}' | grep -vE ' (bridge|host|none|docker_gwbridge)$'
cd /sys/class/net && for link in *; do case $link in dm-*|br-*) echo "interface $link" ;; esac; done
[ -e eth0.50 ] || echo 'eth0.50 is gone'
"""


def judge(report, outcome):
    """Sort every cell of a report into the outcome."""
    outcome.engines = dict(report.engines)
    for judged in report.cells:
        outcome.cells += 1
        outcome.rules[judged.expected.rule] += 1
        seen = as_mapping(judged)
        if judged.expected.reachable is None:
            outcome.no_claim.append(seen)
        elif judged.observed.state == "unknown":
            outcome.unknown.append(seen)
        elif judged.verdict == "fail" or not same_symptom(judged.expected, judged.observed):
            outcome.mismatches.append(seen)


def again(definition, opened, outcome):
    """Look a second time: a mismatch that is no longer one was no mismatch of the model."""
    second = Outcome()
    judge(on_hosts.verify(definition, opened.hosts), second)
    lasting = {key_of_cell(cell) for cell in second.mismatches}
    outcome.flaky = [cell for cell in outcome.mismatches if key_of_cell(cell) not in lasting]


def as_mapping(judged):
    """Return a judged cell as plain text."""
    cell, expected, observed = judged.cell, judged.expected, judged.observed
    return {
        "from": cell.source,
        "to": cell.to,
        "target": cell.target,
        "probe": cell.probe,
        "rule": expected.rule,
        "expected": word(expected.reachable, expected.symptom),
        "because": judged.because,
        "observed": word({"reachable": True, "unreachable": False}.get(observed.state), observed.symptom),
        "detail": observed.detail,
    }


def word(reachable, symptom):
    """Return a state in a word or two."""
    return "?" if reachable is None else "yes" if reachable else f"no ({symptom})"


def shown(cell):
    """Return a cell of an outcome in a line."""
    return (
        f"{cell['from']} -> {cell['to']} {cell['target']} {cell['probe']}: [{cell['rule']}]"
        f" expected {cell['expected']}, observed {cell['observed']} | {cell['because']} | {cell['detail']}"
    )


def key_of_cell(cell):
    """Return what identifies a cell in its lab."""
    return (cell["from"], cell["to"], cell["target"], cell["probe"])


def group_of(cell):
    """Return what mismatches of one kind have in common."""
    version = "6" if ":" in cell["target"] else "4"
    return (cell["rule"], cell["probe"].partition("/")[0] + version, cell["expected"], cell["observed"])


def reduced(lab, group, opened, tries):
    """Return a smaller lab that still has a mismatch (or an unknown cell) of a group, and what came of it."""
    best, outcome = lab, None
    moved = True
    while moved and tries > 0:
        moved = False
        for smaller in candidates(best):
            if tries <= 0:
                break
            try:
                parse(smaller)
            except DockerlabError:
                continue
            tries -= 1
            result = compare(smaller, opened, patient=False)
            if group in {group_of(cell) for cell in (*result.mismatches, *result.unknown)}:
                best, outcome, moved = smaller, result, True
                break
    return best, outcome


def candidates(lab):
    """Yield labs with one thing less: half of the containers first, then single containers, then single words."""
    names = list(lab["containers"])
    if len(names) > 3:
        yield without(lab, names[: len(names) // 2])
        yield without(lab, names[len(names) // 2 :])
    for name in names:
        yield without(lab, [name])
    for path in removable(lab):
        copied = copy.deepcopy(lab)
        inner = copied
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        yield pruned(copied)


def removable(lab):
    """Yield the path of every single thing without which a lab may still be valid."""
    if "outside" in lab:
        yield ("outside",)
    for name, spec in lab["containers"].items():
        path = ("containers", name)
        places = spec.get("networks", {})
        yield from ((*path, "networks", network) for network in places if len(places) > 1)
        yield from ((*path, key) for key in ("ports", "expose") if key in spec)
        yield from ((*path, "ports", i) for i in range(len(spec.get("ports", ()))) if len(spec["ports"]) > 1)
    for name, spec in lab.get("networks", {}).items():
        wanted = ("internal", "driver_opts", "ip_range", "gateway", "macvlan_mode")
        yield from (("networks", name, key) for key in wanted if key in spec)


def without(lab, gone):
    """Return a lab without some containers, those that join them, and networks that nobody uses any more."""
    copied = copy.deepcopy(lab)
    joined = {f"container:{name}" for name in gone}
    copied["containers"] = {
        name: spec
        for name, spec in copied["containers"].items()
        if name not in gone and spec.get("network_mode") not in joined
    }
    return pruned(copied)


def pruned(lab):
    """Leave out of a lab the networks that nobody uses."""
    used = {name for spec in lab["containers"].values() for name in spec.get("networks", {})}
    lab["networks"] = {name: spec for name, spec in lab.get("networks", {}).items() if name in used}
    return lab
