"""The commands that build an image of a lab: pure, from the definition alone.

Either each step runs in a container of its own, which is committed and removed, or the engine's own builder reads a
Dockerfile on its standard input. What is made on the way carries the lab's labels as well: containers and images get
them from what they are made from.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from dockerlab import render
from dockerlab.command import Command, Variable
from dockerlab.errors import UsageError
from dockerlab.identity import Identity
from dockerlab.modes.base import LABELS
from dockerlab.plan.built import Built, fingerprint_of
from dockerlab.plan.removals import REMOVE_CONTAINER
from dockerlab.snapshot import LABEL_BASE, LABEL_IMAGE, full_name

if TYPE_CHECKING:
    from dockerlab.lab.image import BuiltImage
    from dockerlab.lab.model import Lab

STARTS = (
    "CMD {{if .Config.Cmd}}{{json .Config.Cmd}}{{else}}[]{{end}}"
    '{{"\\n"}}ENTRYPOINT {{if .Config.Entrypoint}}{{json .Config.Entrypoint}}{{else}}[]{{end}}'
)
"""What `docker image inspect` is to print: the instructions that make an image start what another one starts."""

INSPECT_BASE = """
# Read which image {{ base }} is now: a later one under its name is a reason to build again
docker image inspect
  --format {{ format }}
  {{ base }}
"""

INSPECT_START = """
# Read what a container of {{ base }} starts: a commit would put the step in its place
docker image inspect
  --format {{ format }}
  {{ base }}
"""

STEP = (
    """
# Step {{ number }} of {{ count }} of image {{ name }}, in a container of its own
docker run
  --name {{ container }}  # the next command has to find it
  --entrypoint ''  # the image's own would stand before the step
"""
    + LABELS
    + """\
  --label {{ base_id }}  # what it is built on
  {{ source }}
  sh -c {{ step }}  # one word for the shell inside; no shell of the host reads it
"""
)

COMMIT = """
# Keep what the step wrote: a layer on top of those of {{ below }}
docker commit
  --message {{ message }}  # stands in the history
{% if start %}
  --change {{ start }}  # a container of it starts what one of its base starts, and not the last step
{% endif %}
  {{ container }}
{% if last %}
  {{ name }}
{% endif %}
"""

DOCKERFILE = """
# Build image {{ name }} from the Dockerfile on standard input: no file of this machine is sent along
env DOCKER_BUILDKIT=0  # the builder inside the engine: what it keeps of each instruction is an image with our labels
  docker build
  --force-rm  # its containers go after a failure as well
  --label {{ base_id }}  # what it is built on
  --tag {{ name }}
  -  # the Dockerfile
"""

REMOVE = """
# Remove image {{ name }}, from its last layer to its first one
docker image rm
  --no-prune  # and nothing else: what it is built on may be somebody's
{% for id in ids %}
  {{ id }}
{% endfor %}
"""

UNDO = """
# Remove image {{ name }}, and the images of its steps, which have no name
docker image rm {{ name }}
"""


def image(lab: Lab, name: str, host: str, identity: Identity) -> Built:
    """Return how an image of the lab is built on a host.

    The fingerprint is that of the definition; which image the base was is in a label of its own. Raises UsageError
    where a label cannot stand in a Dockerfile.
    """
    spec = lab.images[name]
    fingerprint = _fingerprint(lab, name)
    labels = identity.labels(fingerprint) | {LABEL_IMAGE: full_name(name)}
    base = _variable("BASE", host, name, f"{LABEL_BASE}= and the ID of {spec.base}")
    look = render.command(INSPECT_BASE, host, base=spec.base, format=f"{LABEL_BASE}={{{{.Id}}}}")
    read = replace(look, stores=base.name)
    if spec.steps:
        make = _steps(spec, name, host, identity, labels, base)
    else:
        make = [_docker_build(spec, name, host, labels, base)]
    return Built((read, *make), (render.command(UNDO, host, name=full_name(name)),), fingerprint)


def remove(host: str, name: str, ids: tuple[str, ...]) -> Command:
    """Return the removal of images by what identifies them, those that others are built on last."""
    return render.command(REMOVE, host, name=name, ids=ids)


def _fingerprint(lab: Lab, name: str) -> str:
    spec = lab.images[name]
    base = lab.built(spec.base)
    below = full_name(spec.base) if base is None else _fingerprint(lab, base)
    return fingerprint_of(full_name(name), below, *spec.steps, spec.dockerfile or "")


def _steps(
    spec: BuiltImage, name: str, host: str, identity: Identity, labels: dict[str, str], base: Variable
) -> list[Command]:
    start = _variable("START", host, name, f"the CMD and ENTRYPOINT of {spec.base}")
    commands = [replace(render.command(INSPECT_START, host, base=spec.base, format=STARTS), stores=start.name)]
    source: str | Variable = spec.base
    below, count = spec.base, len(spec.steps)
    for number, step in enumerate(spec.steps, 1):
        last = number == count
        # The name is of this run alone: what a killed one has left is not in the way.
        container = f"{identity.lab}-{identity.run}-{_short(host, name)}-step{number}"
        run = render.command(
            STEP, host, name=name, number=number, count=count, container=container, labels=labels, own_labels={},
            base_id=base, source=source, step=step,
        )  # fmt: skip
        commit = render.command(
            COMMIT, host, name=full_name(name), below=below, message=f"step {number} of {count}", last=last,
            start=start if last else "", container=container,
        )  # fmt: skip
        made = _variable(f"STEP{number}", host, name, f"the ID of what step {number} of {name} gave")
        commands += [
            run,
            commit if last else replace(commit, stores=made.name),
            render.command(REMOVE_CONTAINER, host, name=container, id=container),
        ]
        source, below = made, f"step {number}"
    return commands


def _docker_build(spec: BuiltImage, name: str, host: str, labels: dict[str, str], base: Variable) -> Command:
    command = render.command(DOCKERFILE, host, name=full_name(name), base_id=base)
    return replace(command, text=dockerfile(spec, labels))


def dockerfile(spec: BuiltImage, labels: dict[str, str]) -> str:
    """Return the whole Dockerfile: its base, the labels first, so that all that is made on the way has them, the rest.

    Raises UsageError for a label with a character that no quotes hold.
    """
    pairs = " ".join(f"{_quoted(key)}={_quoted(value)}" for key, value in labels.items())
    return f"FROM {spec.base}\nLABEL {pairs}\n{(spec.dockerfile or '').rstrip()}\n"


def _quoted(text: str) -> str:
    """Return a text as a Dockerfile reads it in double quotes, where `$` and backslashes count."""
    if not text.isprintable():
        raise UsageError(f"{text!r} cannot be written into a Dockerfile as a label: is USER or LOGNAME set to that?")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _variable(what: str, host: str, name: str, hint: str) -> Variable:
    return Variable(f"{what}_{_short(host, name)}", hint)


def _short(host: str, name: str) -> str:
    """Return what tells the images of all hosts apart in names that take neither dots nor colons."""
    return sha256(f"{host}/{full_name(name)}".encode()).hexdigest()[:6]
