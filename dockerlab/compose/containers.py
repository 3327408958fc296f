"""A service of a project as a lab's containers."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.compose import keys
from dockerlab.compose.commandline import words
from dockerlab.compose.environment import environment
from dockerlab.compose.joining import Joining, joined
from dockerlab.compose.mounts import mounts
from dockerlab.compose.node import Node, mapping
from dockerlab.compose.ports import MAX_PORTS, numbers
from dockerlab.compose.project import Project
from dockerlab.compose.running import Entry, fitting, running
from dockerlab.lab.problem import meant, shown


def containers(project: Project, service: str) -> Iterator[tuple[str, Node, Joining]]:
    """Yield each container of a service by its name, as a lab's, and the networks that it needs.

    A service that cannot be told of is left out, with a note.
    """
    if project.ports > MAX_PORTS:
        return  # that is said already, and nothing will come of the project
    spec = project.services[service]
    _unknown(project, service, spec)
    names = project.containers(service)
    joining = joined(project, service, spec)
    image = _image(project, service, spec)
    if spec.word("container_name") and project.replicas(service) > 1:
        at = spec.children()["container_name"]
        project.wrong.append(at.located("one name for several containers: leave out container_name, or the replicas"))
    entries = [("image", image), *fitting(project, service, _entries(project, service, spec))]
    entries.append(("ports", _ports(project, service, spec.get("ports"))))
    entries.append(("expose", _exposed(project, spec.get("expose"))))
    project.ports += len(names) * sum(len(each.items()) for _, each in entries[-2:] if each is not None)
    if project.ports > MAX_PORTS:
        project.wrong.append(spec.located(f"more than {MAX_PORTS} ports in all", of_key=True))
        return
    if joining is None or image is None:
        return
    entries += joining.entries
    for name in names:
        yield name, mapping(spec, entries), joining


def _unknown(project: Project, service: str, spec: Node) -> None:
    """Note the keys of a service that have no meaning here, and find those that are none."""
    for key, child in spec.children().items():
        if key in keys.NOTED:
            project.note(f"{key}: {keys.NOTED[key]}", service)
        elif key in keys.WITHOUT:
            project.note(f"{key}: says nothing of networks, and is left out", service)
        elif key not in keys.KNOWN and not key.startswith("x-"):
            message = f"unknown key {shown(key)}: {meant(key, keys.KNOWN)}"
            if "did you mean" in message:
                project.wrong.append(child.located(message, of_key=True))
            else:
                project.note(f"{key}: not a key that is known here", service)


def _image(project: Project, service: str, spec: Node) -> Node | None:
    """Return a service's image; one that it builds is called after it, as by Compose."""
    image, build = spec.get("image"), spec.get("build")
    if build is not None:
        project.note("build: images are not built from a context here: run `docker compose build` first", service)
    if image is not None and image.text():
        return image
    if build is not None:
        return build.of(f"{project.name}-{service}")
    if spec.get("provider") is None:
        project.wrong.append(spec.located("has neither `image` nor `build`: which image is run?", of_key=True))
    return None


def _entries(project: Project, service: str, spec: Node) -> Iterator[Entry]:
    """Yield what a container has of a service beside its image, its networks and its ports."""
    for key in keys.PASSED:
        yield key, words(spec.get(key)) if key in ("command", "entrypoint") else spec.get(key)
    yield from running(project, spec)
    yield "environment", environment(project, service, spec)
    yield "labels", _texts(spec.get("labels"))
    yield "sysctls", _texts(spec.get("sysctls"))
    yield "extra_hosts", _hosts(project, service, spec.get("extra_hosts"))
    for key in ("dns", "dns_search"):
        yield key, _some(spec.get(key))
    yield "volumes", mounts(project, service, spec)
    if spec.get("links") is not None:
        project.note("links: their names are known to nobody here; services know each other by their own", service)


def _texts(node: Node | None) -> Node | None:
    """Return a mapping in which what has no value has an empty one."""
    if node is None or not isinstance(node.value, dict):
        return node
    return node.of({key: child if child.value is not None else child.of("") for key, child in node.value.items()})


def _some(node: Node | None) -> Node | None:
    """Return a list without what is empty: variables that are not set."""
    return node if node is None else node.of([item for item in node.items() if item.text()])


def _hosts(project: Project, service: str, node: Node | None) -> Node | None:
    """Return the first address of each name: a container here has one."""
    if node is None:
        return None
    if any(len(item.items()) > 1 for item in node.children().values()):
        project.note("extra_hosts: of several addresses for one name, the first is taken", service)
    return node.of({name: item.items()[0] if item.items() else item for name, item in node.children().items()})


def _ports(project: Project, service: str, node: Node | None) -> Node | None:
    """Return the published ports; of a range for one port, the engine picks one."""
    if node is None or not isinstance(node.value, list):
        return node
    made = []
    for item in node.items():
        published, host_ip = item.get("published"), item.get("host_ip")
        if published is not None and "-" in published.text():
            project.note("ports: which port of a range is published, the engine chooses", service)
            published = None
        if published is not None and published.text() in ("", "0"):
            published = None
        address = host_ip if host_ip is not None and host_ip.text() else None
        words = [("target", item.get("target")), ("published", published), ("host_ip", address)]
        made.append(mapping(item, [*words, ("protocol", item.get("protocol"))]))
    return node.of(made)


def _exposed(project: Project, node: Node | None) -> Node | None:
    """Return the TCP ports that are said to be listened on."""
    if node is None:
        return None
    made: list[Node] = []
    for item in node.items():
        port, _, protocol = item.text().partition("/")
        try:
            found = numbers(port) if port else ()
        except ValueError as error:
            project.wrong.append(item.located(str(error)))
            continue
        made += [item.of(number) for number in found if protocol in ("", "tcp")]
        if len(made) > MAX_PORTS:
            break
    return node.of(made)
