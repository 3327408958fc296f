"""A project: the one tree of its files, its name, which of its services there are, and what containers are called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockerlab.compose.node import Node
from dockerlab.compose.options import Options, normal_name
from dockerlab.errors import Located
from dockerlab.lab.problem import meant, shown

MAX_REPLICAS = 500
LONGEST = 40
"""What a lab's name may have of characters."""


@dataclass
class Project:
    """Its name as Compose has it, its tree, its services, and what was found on the way.

    `services` are those whose profile is on, `off` those whose is not. `wrong` are mistakes, `notes` what somebody
    should know of it that is none. `given` are, by service, variables whose values stand in no command.
    """

    name: str
    root: Node
    services: dict[str, Node] = field(default_factory=dict)
    off: dict[str, Node] = field(default_factory=dict)
    wrong: list[Located] = field(default_factory=list)
    given: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    """What there is to say, with the services of which it is said."""

    ports: int = 0
    """How many ports its containers have together, published and exposed ones."""

    @property
    def lab(self) -> str:
        """Return the lab's name."""
        return self.name[:LONGEST]

    def note(self, what: str, service: str = "") -> None:
        """Note something once, and of which services it is said."""
        told = self.notes.setdefault(what, [])
        if service and service not in told:
            told.append(service)

    def said(self) -> tuple[str, ...]:
        """Return the notes as they are read, each with the services that it is about."""
        return tuple(f"{what} ({_some(services)})" if services else what for what, services in self.notes.items())

    def section(self, name: str) -> Mapping[str, Node]:
        """Return the entries of a section, none where there is no such section."""
        found = self.root.get(name)
        return found.children() if found is not None else {}

    def replicas(self, service: str) -> int:
        """Return how many containers a service has."""
        spec = self.services[service]
        wanted = spec.get("scale") or spec.get("deploy", "replicas")
        if wanted is None:
            return 1
        if not isinstance(wanted.value, int) or isinstance(wanted.value, bool) or not 0 <= wanted.value <= MAX_REPLICAS:
            message = f"{shown(wanted.value)} is no number of containers: write a whole number up to {MAX_REPLICAS}"
            self.wrong.append(wanted.located(message))
            return 1
        return wanted.value

    def containers(self, service: str) -> tuple[str, ...]:
        """Return what a service's containers are called on their host."""
        named = self.services[service].word("container_name")
        if named:
            return (named,)
        return tuple(f"{self.name}-{service}-{number}" for number in range(1, self.replicas(service) + 1))

    def container(self, at: Node, service: str) -> str | None:
        """Return the first container of a service that something speaks of; None, with a note, where there is none."""
        if service in self.services:
            return next(iter(self.containers(service)), None)
        if service not in self.off:
            known = (*self.services, *self.off)
            self.wrong.append(at.located(f"no service {shown(service)}: {meant(service, known)}"))
        return None


def _some(services: list[str]) -> str:
    return ", ".join(services[:5]) + (f" and {len(services) - 5} more" if len(services) > 5 else "")


def named(own: str, directory: Path, options: Options, variables: Mapping[str, str]) -> str:
    """Return what a project is called: by the call, the environment, its files' own word, or its directory."""
    given = options.project or variables.get("COMPOSE_PROJECT_NAME") or own
    return normal_name(given or directory.resolve().name) or "compose"


def project_of(name: str, root: Node, options: Options, variables: Mapping[str, str], wrong: list[Located]) -> Project:
    """Return the project that a tree describes, by the call's options and the variables."""
    project = Project(name, root, wrong=wrong)
    if len(project.name) > LONGEST:
        project.note(f"the lab is called {project.lab}: the project's name is longer than {LONGEST} characters")
    profiles = options.profiles or tuple(filter(None, variables.get("COMPOSE_PROFILES", "").split(",")))
    _sort_out(project, {each.strip() for each in profiles})
    if not project.services and not wrong:
        every = sorted({profile for spec in project.off.values() for profile in _profiles(spec)})
        hint = f": every one has a profile; choose with --profile, of {', '.join(every)}" if every else ""
        wrong.append(root.located(f"no service to run{hint}"))
    return project


def _sort_out(project: Project, on: Collection[str]) -> None:
    """Tell the services whose profile is on from the others."""
    for name, spec in project.section("services").items():
        wanted = set(_profiles(spec))
        here = not wanted or "*" in on or not wanted.isdisjoint(on)
        (project.services if here else project.off)[name] = spec
    for name, spec in project.off.items():
        listed = ", ".join(_profiles(spec))
        project.note(f"left out, for the profile {listed} is not on (--profile)", name)


def _profiles(spec: Node) -> Iterator[str]:
    profiles = spec.get("profiles")
    yield from (each.text() for each in profiles.items()) if profiles is not None else ()
