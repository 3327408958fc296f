"""The cells of all labs asked in one run: which prober speaks for which lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Literal

from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.probe import base as probe
from dockerlab.probe.agents import AgentProber, Kernels
from dockerlab.probe.base import Observation, Prober
from dockerlab.probe.portable import PortableProber
from dockerlab.snapshot import Snapshot
from dockerlab.survey import look_again
from dockerlab.verify.questions import UNANSWERED, held, observe, questions, recognised
from dockerlab.verify.trial import Trial

Choice = Literal["auto", "agent", "portable"]
"""Which prober asks; `auto` is the agent where every host can run it."""

Again = Callable[[Mapping[str, Host], Sequence[str]], Mapping[str, "Snapshot | HostError"]]
"""What looks at hosts once more, and in detail at containers of these names."""


@dataclass(frozen=True)
class Asking:
    """How trials are judged: `prober` asks, and `look` tells what has become of the hosts meanwhile.

    Without `helper`, no container is made on the hosts. `kernels` is given where others ask at the same time.
    """

    prober: Choice = "auto"
    helper: bool = True
    look: Again = look_again
    kernels: Kernels | None = None


def ask(trials: Sequence[Trial], hosts: Mapping[str, Host], asking: Asking) -> list[str | HostError]:
    """Have every cell observed, and return the name of the prober that spoke for each lab, or why none could.

    Where the agent cannot run on a host of a lab, the portable one asks for that lab, and for no other. Raises
    AgentUnavailable where the agent is asked for and cannot run.
    """
    left, spoken = list(trials), dict[int, str | HostError]()
    if asking.prober != "portable":
        agent = AgentProber(hosts, kernels=asking.kernels)
        all_at_once(trials, agent)
        if asking.prober == "agent":
            for error in agent.unable.values():
                raise error
        left = [each for each in trials if agent.unable.keys() & each.world.lab.hosts.keys()]
        for each in trials:
            each.failed = frozenset(agent.failed.keys() & each.world.lab.hosts.keys())
    for each in left:
        world, snapshots = each.world, each.told
        portable = PortableProber(hosts, world.lab.name, held=held(each.there, snapshots), helper=asking.helper)
        try:
            each.observed = observe(each.cells, world, snapshots, portable)
        except HostError as error:
            spoken[id(each)] = error
        else:
            spoken[id(each)] = portable.name
    return [spoken.get(id(each), AgentProber.name) for each in trials]


def all_at_once(trials: Sequence[Trial], prober: Prober) -> None:
    """Have the cells of all labs observed in one run: it takes as long as that of one.

    The agents pace themselves below the limits of the machines' neighbour tables, whoever's cells they are.
    """
    told: dict[int, Observation] = {}
    askable: list[probe.Cell] = []
    first = 0
    for each in trials:
        known = None if each.partly else held(each.there, each.told)
        untold, wanted = questions(each.cells, each.world, each.told, each.expected, first=first, known=known)
        told |= untold
        askable += wanted
        first += len(each.rows)
    told |= prober.observe(askable)
    numbers = count()
    for each in trials:
        found = [told.get(number, UNANSWERED) for number in islice(numbers, len(each.rows))]
        each.observed = recognised(each.cells, found, each.world, each.told)
