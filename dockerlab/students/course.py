"""A class and its lab: every instance, what they share, and what the hosts say of them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network

from dockerlab.errors import DefinitionError, UsageError
from dockerlab.lab.loader import Definition
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import Problem
from dockerlab.students.instance import Instance, instance, shared
from dockerlab.students.placement import deal, groups
from dockerlab.students.refusals import refusals
from dockerlab.students.roster import Student
from dockerlab.students.subnets import Source


@dataclass(frozen=True)
class Course:
    """A class's instances of a lab; `shared` is the lab of what they have in common, None where that is nothing."""

    lab: Lab
    instances: tuple[Instance, ...]
    shared: Lab | None = None

    @property
    def labs(self) -> list[Lab]:
        """Return what is to be made: what is shared first, then the instances."""
        return [*([self.shared] if self.shared is not None else []), *(each.lab for each in self.instances)]

    @property
    def hosts(self) -> list[str]:
        """Return the hosts that serve the class."""
        return list(dict.fromkeys(host for lab in self.labs for host in lab.hosts))

    @property
    def names(self) -> set[str]:
        """Return the names of all containers and networks."""
        return {name for lab in self.labs for name in (*lab.containers, *lab.networks)}


def arranged(
    lab: Lab, students: Sequence[Student], hosts: Sequence[str], source: Source
) -> tuple[Course, list[Problem]]:
    """Return the instances of a class, dealt over the given hosts, and what of the lab they cannot have.

    Raises UsageError where there are too few hosts, or too few subnets.
    """
    among = groups(list(lab.hosts), hosts)
    instances = tuple(instance(lab, each, deal(each.number, among), source) for each in students)
    return Course(lab, instances, shared(lab, among)), list(refusals(lab, instances))


def of_definition(definition: Definition, students: Sequence[Student], hosts: Sequence[str], source: Source) -> Course:
    """Return the instances of a class, dealt over the given hosts.

    Raises DefinitionError with all that they cannot have, and its place in the definition; UsageError as `arranged`.
    """
    made, problems = arranged(definition.lab, students, hosts, source)
    if problems:
        raise DefinitionError(definition.locate(problems))
    return made


def source(text: str | None) -> Source:
    """Return the range of subnets that a call names; raises UsageError for what is none."""
    if text is None:
        return Source()
    try:
        given = ip_network(text)
    except ValueError as error:
        raise UsageError(f"--subnets {text}: {error}; write a range such as 10.128.0.0/9") from None
    if not isinstance(given, IPv4Network) or given.prefixlen > 24:
        raise UsageError(f"--subnets {text}: write an IPv4 range of /24 or more, such as 10.128.0.0/9")
    return Source(given)
