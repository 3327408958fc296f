"""A packet's way as a few facts that decide by which rule it is told: its legs, who translated it, who served it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.routes import Hop, Route
from dockerlab.kernel.rules import Rule
from dockerlab.reach.segments import Segment, segment_of
from dockerlab.reach.world import World
from dockerlab.walk.outcome import Element, Outcome, SpaceId, Step


@dataclass(frozen=True)
class Leg:
    """From one namespace to the next, over one segment."""

    at: SpaceId
    to: SpaceId
    segment: Segment
    came_by: str = ""


@dataclass(frozen=True)
class Story:
    """What became of a request of somebody's, told with the lab's words."""

    world: World
    source: str
    outcome: Outcome

    @cached_property
    def legs(self) -> tuple[Leg, ...]:
        """Return the request's legs in order."""
        return tuple(_legs(self.world, self.outcome.steps))

    @property
    def host(self) -> str:
        """Return the source's host."""
        lab = self.world.lab
        return self.source if self.source in lab.hosts else lab.host_of(self.source)

    @property
    def from_host(self) -> bool:
        """Tell whether the source is a host itself."""
        return self.source in self.world.lab.hosts

    @property
    def router(self) -> IpAddress | None:
        """Return the router that the request was for last, None where it was for its destination itself."""
        return self._hop.via if self._hop is not None else None

    @property
    def asked_on(self) -> Segment | None:
        """Return the segment on which the request was to go on last."""
        space = self.world.fabric.spaces[self.outcome.at]
        link = space.links.get(self._hop.device) if self._hop is not None else None
        return segment_of(self.world, space, link) if link is not None else None

    @cached_property
    def _hop(self) -> Hop | None:
        """Return the next hop of the last route that was taken."""
        for step in reversed(self.outcome.steps):
            route = step.element.subject if step.element is not None else None
            if step.what == "route" and not step.beneath and isinstance(route, Route):
                return next(iter(route.hops), None)
        return None

    @property
    def through(self) -> tuple[str, ...]:
        """Return the hosts whose kernels passed the request on, in order."""
        between = [leg.at for leg in self.legs if leg.at != self.world.homes.get(self.source)]
        return tuple(name for space in between if (name := self.called(space)))

    @property
    def end(self) -> str:
        """Return who was the last to have the request, by name."""
        return self.called(self.outcome.at)

    def called(self, space: SpaceId | None) -> str:
        """Return the name of a namespace: its container's or host's, or that of the kernel's own."""
        if space is None:
            return ""
        names = self.world.names.get(space)
        return names if names is not None else f"a namespace of {space.host}"

    def translations(self, *targets: str) -> Iterator[Step]:
        """Yield the steps at which rules with one of these targets translated the request."""
        for step in self.outcome.steps:
            subject = step.element.subject if step.element is not None else None
            if (
                step.what == "translated"
                and not step.beneath
                and isinstance(subject, Rule)
                and subject.target in targets
            ):
                yield step

    @property
    def masqueraded_by(self) -> str:
        """Return the host that put its own address in place of the source's, or an empty text."""
        return next((self.called(step.at) for step in self.translations("MASQUERADE", "SNAT")), "")

    @property
    def served_by(self) -> Element | None:
        """Return the docker-proxy that took the request, or None."""
        return next((step.element for step in self.outcome.steps if step.what == "proxied"), None)


def _legs(world: World, steps: Sequence[Step]) -> Iterator[Leg]:
    for step in steps:
        if step.what != "neighbour" or step.to is None or step.beneath:
            continue
        space = world.fabric.spaces[step.at]
        link = space.links.get(step.link)
        if link is not None:
            yield Leg(step.at, step.to, segment_of(world, space, link), step.came_by)


def in_words(world: World, steps: Sequence[Step]) -> Iterator[str]:
    """Yield a packet's steps in words, each with where it happens, and the text of the object that decided it."""
    for step in steps:
        element = step.element
        text = f": {element.text}" if element is not None and element.text and element.text not in step.says else ""
        where = world.names.get(step.at, f"{step.at.host}, a namespace of its own")
        says = step.says
        for space in (step.at, step.to):  # what the walk knows them by is the kernel's word for them
            if space is not None and space in world.names:
                says = says.replace(world.fabric.spaces[space].name, world.names[space])
        yield f"{where}: {'below, ' if step.beneath else ''}{says}{text}"
