"""Take the mechanism that decides a cell away on a real host, and see which cells change."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockerlab import survey
from dockerlab.hosts.address import SshOptions
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.probe.agents import AgentProber
from dockerlab.probe.base import Observation
from dockerlab.reach import Cell, Expectation, matrix
from dockerlab.reach.matrix import tell
from dockerlab.reach.worlds import defined, surveyed
from dockerlab.session import Whereabouts, open_session
from dockerlab.verify import judge, observe, on_hosts
from support.lab_hosts import LabHosts, wait_for
from support.predicted import causes

AROUND = ("switch", "router")
"""What stands between the sandbox's hosts: network namespaces of the machine that runs the tests."""

WORDS = r"""
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
bridge_of() { echo "br-$(docker network inspect --format '{{.Id}}' "$1" | cut -c 1-12)"; }
pid_of() { docker inspect --format '{{.State.Pid}}' "$1"; }
inside() { name=$1; shift; nsenter --target "$(pid_of "$name")" --net "$@"; }
port_of() { ip -o link | sed -n "s/^$(docker exec "$1" cat /sys/class/net/eth0/iflink): \([^@:]*\).*/\1/p"; }
rewrite() { iptables-save | sed -E "$1" | iptables-restore; }
forget() { ip neigh flush all; for name in "$@"; do inside "$name" ip neigh flush all; done; }
"""
"""What the scripts of the cases may call. `rewrite` edits the firewall's rules as text."""


@dataclass(frozen=True)
class Case:
    """A cell that a rule decides, and what takes that rule's mechanism away.

    `gone` and `back` are scripts by place (a host, or `switch`, `router`): the first removes the mechanism, the second
    puts back what is no firewall rule; those are put back anyway. `besides` are scripts that clear what else stands in
    the way: after them alone the cell has not changed. `now` is what is then observed: `reachable` or symptoms. Where
    the model is told of the change by the host's facts, `then` is the rule that decides after it. `cause` is what has
    to be named as the cause then, as regular expressions on its host, kind and place; nothing where no host shows it,
    where it cannot be read, where the definition takes it from the host, or where the lab's matrix has no such cell.
    """

    rule: str
    source: str
    to: str
    probe: str = "ping"
    now: str = "reachable"
    gone: Mapping[str, str] = field(default_factory=dict)
    back: Mapping[str, str] = field(default_factory=dict)
    besides: Mapping[str, str] = field(default_factory=dict)
    also: Sequence[str] = ()
    """Other rules, or names of containers and hosts, whose cells may change with this one."""
    then: str = ""
    cause: tuple[str, str, str] | tuple[()] = ()
    target: str = ""
    engines: tuple[int, int] = (0, 99)
    needs: str = ""
    """A place's network interface without which the case cannot be made, as `switch vm1.50`."""

    def __str__(self) -> str:
        return "-".join((self.rule, self.source, self.to, self.probe.replace("/", "")))


@dataclass
class Standing:
    """A lab that is up: how to look at it and how to reach into its hosts."""

    definition: Lab
    hosts: Mapping[str, Host]
    machines: LabHosts
    engine: int
    before: dict[Cell, Observation]
    rules: dict[Cell, str]

    def predict(self, case: Case) -> tuple[Cell, Expectation]:
        """Return a case's cell and the model's word on it; a cell that is not in the matrix is made for the case."""
        seen = survey.look(self.hosts, self.definition.containers, kernels="all")
        cells, world = matrix(defined(self.definition, seen)), surveyed(self.definition, seen)
        for cell, _ in cells:
            if (cell.source, cell.to, cell.probe) == (case.source, case.to, case.probe) and case.target in (
                "", cell.target,
            ):  # fmt: skip
                return cell, tell(world, cell)
        port = int(case.probe[4:]) if case.probe.startswith("tcp/") else None
        cell = Cell(case.source, case.to, case.target, case.probe, world.people.of.get(case.to), port)
        return cell, tell(world, cell)

    def observe(self, *extra: Cell, alone: bool = False) -> dict[Cell, Observation]:
        """Return what is observed of the cells that stood in the matrix at first, and of `extra` ones.

        With `alone`, only of those that have the same source as `extra`: all who may answer in another's place listen.
        """
        seen = survey.look(self.hosts, self.definition.containers, kernels="all")
        world = surveyed(self.definition, seen)
        sources = {cell.source for cell in extra}
        others = [cell for cell in self.before if not alone or cell.source in sources]
        cells = list(dict.fromkeys((*extra, *others)))
        return dict(zip(cells, observe(cells, world, seen.snapshots, AgentProber(self.hosts, 1.5)), strict=True))

    def named(self) -> Sequence[tuple[str, str, str]]:
        """Return what the lab's report names as causes now: each one's host, kind and place."""
        report = on_hosts.verify(self.definition, self.hosts, "agent")
        return [(cause.host, cause.kind, cause.where) for cause in causes(report)]

    def do(self, scripts: Mapping[str, str]) -> None:
        """Run scripts, each at its place."""
        for at, script in scripts.items():
            if at in AROUND:
                argv = ["nsenter", f"--net=/run/netns/dockerlab-{at}", "sh", "-s"]
                subprocess.run(argv, input="set -eu\n" + script, text=True, check=True, timeout=30)
            else:
                self.machines.sh(at, WORDS + script)

    def need(self, where: str) -> None:
        """Skip a case whose place lacks a network interface: with 802.1Q, the sandbox's switch is built otherwise."""
        place, link = where.split()
        found = subprocess.run(
            ["nsenter", f"--net=/run/netns/dockerlab-{place}", "ip", "link", "show", link],
            capture_output=True,
            check=False,
        )
        if found.returncode:
            pytest.skip(f"the {place} has no {link}: this kernel has 802.1Q, and VLAN 50 is no cable of its own")

    @contextmanager
    def restored(self, case: Case) -> Iterator[None]:
        """Put everything back in the end that a case takes away."""
        saved = {host: self.machines.sh(host, "iptables-save") for host in self.hosts}
        try:
            yield
        finally:
            self.do(case.back)
            for host, rules in saved.items():
                self.machines.run(host, "iptables-restore", text=rules).check_returncode()


def word(seen: Observation) -> str:
    """Return what was observed in a word; the kernel reports a missing neighbour only after some seconds of silence."""
    if seen.state != "unreachable":
        return seen.state
    return "timeout" if seen.symptom == "host unreachable" else str(seen.symptom)


@contextmanager
def standing(path: Path, definition: Lab, machines: LabHosts) -> Iterator[Standing]:
    """Bring a lab up, and take it down in the end."""
    with open_session(definition.addresses, Whereabouts(sandbox=True, options=SshOptions()), print) as opened:
        try:
            outcome = machines.call("up", path, "--sandbox", "--no-verify")
            assert outcome.rc == 0, outcome.stderr
            report = on_hosts.verify(definition, opened.hosts, "agent")
            told = {each.cell: each.predicted or each.expected for each in report.cells}
            wrong = [
                f"{each.cell}: {told[each.cell].because(each.cell)}"
                for each in report.cells
                if judge(told[each.cell], each.observed) == "fail"
            ]
            assert not wrong, "\n".join(wrong)
            engine = int(report.engines["vm0"].partition(".")[0])
            before = {judged.cell: judged.observed for judged in report.cells}
            rules = {cell: expectation.rule for cell, expectation in told.items()}
            yield Standing(definition, opened.hosts, machines, engine, before, rules)
        finally:
            # A Swarm takes a moment to notice that a container has left its network, and does not remove that before.
            wait_for(lambda: machines.call("down", definition.name, "--sandbox").rc == 0, 60)
