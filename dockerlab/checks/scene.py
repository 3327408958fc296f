"""What checks are judged by: a lab, and its hosts as they were just looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dockerlab import drift
from dockerlab.drift import Difference, inside, kernel
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.reach import worlds
from dockerlab.snapshot import Snapshot
from dockerlab.survey import Seen
from dockerlab.survey.inside import Inside, look_inside
from dockerlab.verify import Report
from dockerlab.verify.causes import side_of


@dataclass
class Scene:
    """What checks are judged by: the lab, its hosts as they were just looked at, and, once wanted, its whole matrix."""

    lab: Lab
    hosts: Mapping[str, Host]
    seen: Seen
    verify: Callable[[], Report]
    answers: Mapping[str, str] = field(default_factory=dict)
    """What the student answered, by question."""
    spares: bool = False
    """Whether what a host is at fault for is not charged: nobody has broken it on purpose."""

    @property
    def snapshots(self) -> Mapping[str, Snapshot]:
        """Return the engines' objects."""
        return self.seen.snapshots

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Return where the lab's objects are not as it defines them."""
        return tuple(drift.differences(self.lab, self.snapshots, self.seen.machines, afresh=True))

    @cached_property
    def insides(self) -> tuple[Mapping[str, Inside], Mapping[str, str]]:
        """Return what is in the containers' namespaces, and why it is not known of some; looked at when needed."""
        return look_inside(self.lab, self.snapshots, self.hosts)

    @cached_property
    def beneath(self) -> tuple[Difference, ...]:
        """Return where parents and namespaces are not as the engines' word has them."""
        made, there = side_of(worlds.booked(self.lab, self.seen)), side_of(worlds.surveyed(self.lab, self.seen))
        found = inside.beneath(self.lab, self.snapshots, there.machines, kernel.differences(made, there))
        asked = {name: each.nameservers for name, each in self.insides[0].items()}
        return (*found, *inside.resolvers(self.lab, self.snapshots, asked))

    @cached_property
    def report(self) -> Report:
        """Return the lab's matrix; it is asked when the first check needs it."""
        return self.verify()
