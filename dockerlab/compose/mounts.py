"""What a service's containers see of other file systems: volumes, paths of the host, secrets and configs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from dockerlab.compose.node import Node, mapping
from dockerlab.compose.project import Project
from dockerlab.lab.problem import meant, shown

KINDS = ("volume", "bind", "tmpfs")
FILES = {"secrets": "/run/secrets/", "configs": "/"}
"""Where a service sees its secrets and configs that say nothing else."""


def mounts(project: Project, service: str, spec: Node) -> Node | None:
    """Return the mounts of a service, of each place in its containers the last one."""
    found: dict[str, Node] = {}
    volumes = spec.get("volumes")
    for item in volumes.items() if volumes is not None else ():
        made = _mount(project, service, item)
        if made is not None:
            found[_target(made)] = made
    for section in FILES:
        for made in _files(project, service, spec, section):
            found[_target(made)] = made
    return (volumes or spec).of(list(found.values())) if found else None


def volumes_of(project: Project) -> dict[str, Node]:
    """Return the volumes that a project's services use, by the engine's names for them."""
    found: dict[str, Node] = {}
    for spec in project.services.values():
        volumes = spec.get("volumes")
        for item in volumes.items() if volumes is not None else ():
            source, kind = item.get("source"), item.get("type")
            if source is None or (kind is not None and kind.text() != "volume"):
                continue
            entry = project.section("volumes").get(source.text())
            if entry is not None:
                found[_name(project, source.text())] = _volume(entry)
    return found


def _volume(entry: Node) -> Node:
    external = entry.get("external")
    words = [(key, entry.get(key)) for key in ("driver", "driver_opts", "labels")]
    return mapping(entry, words if external is None or external.value is not True else [("external", external)])


def _name(project: Project, key: str) -> str:
    """Return what the engine calls a volume of a project."""
    entry = project.section("volumes").get(key)
    if entry is not None and entry.word("name"):
        return entry.word("name")
    return key if entry is not None and entry.word("external") == "true" else f"{project.name}_{key}"


def _target(made: Node) -> str:
    target = made.get("target")
    return target.text() if target is not None else ""


def _mount(project: Project, service: str, item: Node) -> Node | None:
    """Return a volume, a path of the host or memory; None, with a note, for what there is no word for here."""
    kind, source, target = item.get("type"), item.get("source"), item.get("target")
    type_ = kind.text() if kind is not None else "volume"
    if target is None or not target.text().startswith("/") or type_ not in KINDS:
        project.note(
            "volumes: only volumes, paths of the host and tmpfs, at a path that begins with /, are mounted", service
        )
        return None
    words: list[tuple[str, Node | None]] = [("type", item.of(type_)), ("target", target)]
    words.append(("read_only", item.get("read_only")))
    if type_ == "tmpfs":
        return mapping(item, [*words, ("tmpfs", item.get("tmpfs"))])
    if type_ == "volume":
        if source is not None and source.text() not in project.section("volumes"):
            known = project.section("volumes")
            project.wrong.append(
                source.located(f"no volume {shown(source.text())} in `volumes`: {meant(source.text(), known)}")
            )
            return None
        named = source.of(_name(project, source.text())) if source is not None else None
        return mapping(item, [*words, ("source", named), ("volume", _options(item, "volume", ("nocopy", "subpath")))])
    if source is None or not source.text() or "\\" in source.text() or source.text()[1:2] == ":":
        project.note("volumes: paths of other systems than Linux are not mounted", service)
        return None
    bind = _options(item, "bind", ("propagation", "selinux"))
    bind = item.of({**(bind.children() if bind is not None else {}), "create_host_path": item.of(value=True)})
    return mapping(item, [*words, ("source", source.of(_path(source))), ("bind", bind)])


def _options(item: Node, section: str, known: tuple[str, ...]) -> Node | None:
    found = item.get(section)
    return mapping(found, [(key, found.get(key)) for key in known]) if found is not None else None


def _path(node: Node) -> str:
    """Return a path of the host in full: it begins where its file is, as for Compose, or at the user's home."""
    path = Path(node.text())
    if path.parts[:1] == ("~",):
        return str(Path.home().joinpath(*path.parts[1:]))
    return str(PurePosixPath((node.source.directory / path).absolute()))


def _files(project: Project, service: str, spec: Node, section: str) -> Iterator[Node]:
    """Yield secrets or configs as what Compose makes of those that are files: mounts that cannot be written to."""
    given = spec.get(section)
    for item in given.items() if given is not None else ():
        name, target = item.get("source"), item.get("target")
        entry = project.section(section).get(name.text()) if name is not None else None
        if name is None or entry is None:
            told = name.text() if name is not None else ""
            project.wrong.append(
                item.located(f"no {shown(told)} in `{section}`: {meant(told, project.section(section))}")
            )
            continue
        file = entry.get("file")
        if file is None:
            project.note(f"{section}: only those that are files are handed over", service)
            continue
        where = target.text() if target is not None else name.text()
        words = {
            "type": item.of("bind"),
            "source": file.of(_path(file)),
            "target": item.of(where if where.startswith("/") else FILES[section] + where),
            "read_only": item.of(value=True),
        }
        yield item.of(words)
