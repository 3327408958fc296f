"""How a service's containers run, beside their networks: restarts, health, what they wait for, how much they get."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.compose.node import Node, mapping
from dockerlab.compose.project import Project
from dockerlab.lab.container import Container
from dockerlab.lab.problem import meant, shown
from dockerlab.lab.structure import validated

Entry = tuple[str, Node | None]

RESTARTS = {"any": "always", "none": "no", "on-failure": "on-failure"}
"""What `deploy.restart_policy` calls the engine's policies."""


def fitting(project: Project, service: str, entries: Iterator[Entry]) -> Iterator[Entry]:
    """Yield those entries that a container of ours can have; of the others it is noted why not.

    They say little of networks, and what the engine takes is more than what can be said here.
    """
    for key, node in entries:
        if node is None or node.value == "":
            continue
        _, problems = validated(Container, {key: node.plain()}, ())
        for problem in problems[:1]:
            project.note(f"{key} is left out: {problem.message}", service)
        if not problems:
            yield key, node


def running(project: Project, spec: Node) -> Iterator[Entry]:
    """Yield what a service says of its containers' running that has other words here."""
    yield "restart", spec.get("restart") or _restart(spec.get("deploy", "restart_policy"))
    limits, reserved = spec.get("deploy", "resources", "limits"), spec.get("deploy", "resources", "reservations")
    yield "cpus", _number(spec.get("cpus") or (limits.get("cpus") if limits is not None else None))
    yield "mem_limit", spec.get("mem_limit") or (limits.get("memory") if limits is not None else None)
    yield "pids_limit", spec.get("pids_limit") or (limits.get("pids") if limits is not None else None)
    yield "mem_reservation", spec.get("mem_reservation") or (reserved.get("memory") if reserved is not None else None)
    yield "depends_on", _dependencies(project, spec.get("depends_on"))
    for key in ("pid", "ipc"):
        yield key, _joined(project, spec.get(key))


def _number(node: Node | None) -> Node | None:
    if node is None or not isinstance(node.value, str):
        return node
    try:
        found = float(node.value)
    except ValueError:
        return node
    return node.of(found) if found > 0 else None  # nought is no limit


def _restart(policy: Node | None) -> Node | None:
    """Return the engine's policy for a Swarm's, as Compose does."""
    if policy is None:
        return None
    condition, attempts = policy.get("condition"), policy.get("max_attempts")
    name = RESTARTS.get(condition.text() if condition is not None else "any", "always")
    return policy.of(f"{name}:{attempts.text()}" if name == "on-failure" and attempts is not None else name)


def _dependencies(project: Project, node: Node | None) -> Node | None:
    """Return the containers that are waited for: all of a service's; one that is left out by its profile is not."""
    if node is None:
        return None
    made: dict[str, Node] = {}
    for service, what in node.children().items():
        required = what.get("required")
        if service in project.services:
            for name in project.containers(service):
                made[name] = mapping(what, [(key, what.get(key)) for key in ("condition", "restart")])
        elif service in project.off:
            project.note(f"depends_on: {service} is left out, for its profile is not on; nothing waits for it")
        elif required is None or required.value is not False:
            known = (*project.services, *project.off)
            project.wrong.append(what.located(f"no service {shown(service)}: {meant(service, known)}"))
    return node.of(made)


def _joined(project: Project, node: Node | None) -> Node | None:
    """Return whose processes or memory is shared, by the name of the container that has them."""
    kind, _, name = node.text().partition(":") if node is not None else ("", "", "")
    if node is None or kind not in ("service", "container"):
        return node
    owner = project.container(node, name) if kind == "service" else name
    every = {each for service in project.services for each in project.containers(service)}
    if owner in every:
        return node.of(f"container:{owner}")
    project.note(f"{node.path[-1]}: {name} is not there, and so nothing is shared with it")
    return None
