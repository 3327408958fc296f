"""Compose files to a checked lab, or to every mistake in them, each in its file with its line and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockerlab.compose.containers import containers
from dockerlab.compose.dotenv import environment_of
from dockerlab.compose.include import put_together
from dockerlab.compose.mounts import volumes_of
from dockerlab.compose.networks import used_networks
from dockerlab.compose.node import Node, find
from dockerlab.compose.options import Options
from dockerlab.compose.project import Project, named, project_of
from dockerlab.compose.read import Reader, own_name
from dockerlab.errors import DefinitionError, Located
from dockerlab.lab.loader import Check, Definition, checked
from dockerlab.lab.model import Network
from dockerlab.lab.problem import Problem


def load(
    paths: Sequence[Path], options: Options, *, networks: Mapping[str, type[Network]], checks: Sequence[Check] = ()
) -> Definition:
    """Return the lab that Compose files describe, the later ones laid over the first.

    `networks` and `checks` are those of `lab.loader.read`. Raises DefinitionError with every mistake that can be told,
    UsageError where a file cannot be read.
    """
    every = [*paths, *options.files]
    directory = every[0].parent
    variables = environment_of(directory, list(options.env_files), options.environment)
    reader = Reader(given=options.environment.keys())
    name = named(own_name(every, variables), directory, options, variables)
    variables["COMPOSE_PROJECT_NAME"] = name  # as Compose has it for everything but the name itself
    root = put_together(every, directory, variables, reader)
    project = project_of(name, root, options, variables, reader.wrong)
    if reader.unset:
        project.note(f"not set, and empty therefore: {', '.join(reader.unset)}")
    tree = lab_of(project)
    if project.wrong:
        raise DefinitionError(project.wrong)

    def place(problems: Iterable[Problem]) -> list[Located]:
        return [_located(tree, problem) for problem in problems]

    found = checked(tree.plain(), place, directory=directory, networks=networks, checks=checks)
    found.lab.call({name: project.containers(name) for name in project.services})
    vars(found.lab)["given"] = {n: given for key, given in project.given.items() for n in project.containers(key)}
    mine = (key for key in variables.used if key in options.environment and not key.startswith("COMPOSE_"))
    vars(found.lab)["taken"] = frozenset(mine)
    return replace(found, notes=project.said())


def lab_of(project: Project) -> Node:
    """Return a project in a lab's words, every value in the place that it comes from."""
    root = project.root
    made: dict[str, Node] = {}
    used: dict[str, None] = {}
    elsewhere: dict[str, Node] = {}
    for service, spec in project.services.items():
        for name, container, joining in containers(project, service):
            if name in made:
                project.wrong.append(spec.located(f"a second container is called {name}: rename one", of_key=True))
            made[name] = container
            used.update(dict.fromkeys(joining.networks))
            elsewhere.update(dict.fromkeys(joining.elsewhere, spec))
    sections: dict[str, Any] = {
        "name": root.of(project.lab),
        "networks": root.of(used_networks(project, used) | _elsewhere(project, elsewhere)),
        "volumes": root.of(volumes_of(project)),
        "containers": root.of(made),
    }
    return root.of(sections)


def _elsewhere(project: Project, names: Mapping[str, Node]) -> dict[str, Node]:
    """Return networks of the engine that a project joins and does not name."""
    for name in names:
        project.note("made by somebody else: what it is, only its host tells", name)
    return {name: at.of({"external": at.of(value=True)}) for name, at in names.items()}


def _located(tree: Node, problem: Problem) -> Located:
    """Return a problem of a lab in the place that it comes from."""
    node, below = find(tree, problem.path)
    return node.located(problem.message, of_key=problem.of_key and not below, below=below)
