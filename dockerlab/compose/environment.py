"""A service's environment: what its files and itself say, and what it is handed over."""

from __future__ import annotations

import re

from dockerlab.compose.dotenv import variables_of
from dockerlab.compose.node import Node
from dockerlab.compose.project import Project
from dockerlab.errors import DefinitionError, UsageError
from dockerlab.lab.check import DOCKERS

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAMED = re.compile(r"[^\s=\x00]+")


def environment(project: Project, service: str, spec: Node) -> Node | None:
    """Return the variables of a service's containers.

    One without a value is taken from whoever brings the lab up, as by Compose: so no password stands in a command. What
    files say, and `.env`, is noted in `project.given` and handed over in the same way, but for variables whose names
    the docker command itself would heed.
    """
    files, own = spec.get("env_file"), spec.get("environment")
    told: dict[str, Node] = {}
    for file in files.items() if files is not None else ():
        told.update(_of_file(project, service, file))
    said = own.children() if own is not None else {}
    made: dict[str, Node] = {}
    for name, node in {**told, **said}.items():
        plain = VARIABLE.fullmatch(name) is not None and not DOCKERS.fullmatch(name)
        value = spec.source.variables.get(name) if node.value is None else node.text()
        if not NAMED.fullmatch(name):
            project.wrong.append(node.located(f"{name!r} is no name of a variable", of_key=True))
        elif node.value is not None and name in said:
            made[name] = node
        elif value is not None and not plain:
            made[name] = node.of(value)
        elif value is not None:
            made[name] = node.of(None)
            if node.value is not None or name not in spec.source.given:
                project.given.setdefault(service, {})[name] = value
    return (own or spec).of(made) if made else None


def _of_file(project: Project, service: str, file: Node) -> dict[str, Node]:
    """Return what a file of variables sets; one that is not there is noted, for networks do not depend on it."""
    where = file.get("path") if isinstance(file.value, dict) else file
    raw, required = file.get("format"), file.get("required")
    if where is None or not where.text():
        project.wrong.append(file.located("`path` is missing: which file of variables"))
        return {}
    path = where.source.directory / where.text()
    if not path.is_file():
        if required is None or required.value is not False:
            project.note(f"env_file {where.text()} is not there: the container starts without what it sets", service)
        return {}
    try:
        found = variables_of(path, where.source.variables, raw=raw is not None and raw.text() == "raw")
    except DefinitionError as error:
        project.wrong += error.problems
        return {}
    except UsageError as error:
        project.wrong.append(where.located(str(error)))
        return {}
    return {name: where.of(value) for name, value in found.items()}
