"""The commands that make and remove each object of a lab: pure, from the definition alone."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from dockerlab import modes, render
from dockerlab.command import Command, Variable, exports
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.lab.places import at_once, flags, on_run
from dockerlab.lab.words import words_of
from dockerlab.modes.base import LABELS
from dockerlab.snapshot import LABEL_EXPIRES, LABEL_RECEIPT

RUN_HEAD = """
# Start container {{ name }}
docker run
  --detach --interactive --tty  # in the background, with a terminal: a shell as main process then stays
  --name {{ name }}  # what the definition, the other commands and DNS call it
"""

RUN_TAIL = (
    """\
{% for word, value in words %}
{% if value is true %}
  {{ word.flag }}  # {{ word.why }}
{% else %}
  {{ word.flag }} {{ value }}  # {{ word.why }}
{% endif %}
{% endfor %}
"""
    + LABELS
    + """\
{% if entrypoint %}
  --entrypoint {{ entrypoint[0] }}  # instead of the image's own
{% endif %}
  {{ spec.image }}
{% for word in entrypoint[1:] %}
  {{ word }}
{% endfor %}
{% for word in command %}
  {{ word }}
{% endfor %}
"""
)

REMOVE_CONTAINER = """
# Remove container {{ name }}
docker rm
  --force  # whether it runs or not
  --volumes  # with what its image declared as anonymous volumes
  {{ id or name }}
"""

RECEIPT = (
    """
# Note on the host that this lab changed its {{ what }}, so that `down` can undo it without any file
docker volume create
"""
    + LABELS
    + """\
  {{ name }}
"""
)

VOLUME = (
    """
# Create volume {{ name }}: what is in it outlives its containers, and goes with the lab
docker volume create
{% if volume.driver != "local" %}
  --driver {{ volume.driver }}  # who keeps it
{% endif %}
{% for key, value in volume.driver_opts.items() %}
  --opt {{ key }}={{ value }}  # an option of the driver
{% endfor %}
"""
    + LABELS
    + """\
  {{ name }}
"""
)

REMOVE_VOLUME = """
# Remove volume {{ name }}, with all that is in it
docker volume rm {{ name }}
"""

LEASE = (
    """
# Note on the host how long the lab is wanted: a label of a container could not be changed later
docker volume create
"""
    + LABELS
    + """\
  {{ name }}
"""
)

REMOVE_RECEIPT = """
# The note is no longer needed
docker volume rm {{ name }}
"""

WAIT_HEALTHY = """
# Wait until container {{ name }} is well, by its healthcheck
sh -c {{ script }} wait {{ name }}
"""
WAIT_COMPLETED = """
# Wait until container {{ name }} has done its work
sh -c {{ script }} wait {{ name }}
"""
HEALTHY = """\
while :; do
  is=$(docker inspect --format '{{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' "$1") || exit 1
  case $is in
    "running healthy") exit 0 ;;
    "running starting" | "created "*) sleep 1 ;;
    *) echo "$1 is not well: $is" >&2; exit 1 ;;
  esac
done"""
COMPLETED = """\
rc=$(docker wait "$1") || exit 1
test "$rc" = 0 || { echo "$1 ended with exit code $rc" >&2; exit 1; }"""
"""How a container is waited for; the engine has no command for the first."""

SWARM_INIT = """
# Make a Swarm, which keeps the addresses and names of overlay networks
docker swarm init
  --advertise-addr {{ address }}  # where the other hosts find this one
"""

SWARM_INVITATION = """
# Read what another host has to show to join
docker swarm join-token --quiet worker
"""

SWARM_JOIN = """
# Join the Swarm of {{ manager }}
docker swarm join
  --token {{ token }}  # proves that the manager invited this host
{% if own %}
  --advertise-addr {{ own }}  # where the other hosts find this one
{% endif %}
  {{ address }}:2377
"""

SWARM_LEAVE = """
# Leave the Swarm that the lab made
docker swarm leave
  --force  # also as its last manager
"""

NODE_FORGET = """
# Let the Swarm forget a machine that has left it: until then its containers count, and hold their networks
docker node rm
  --force  # whatever the Swarm believes of it
  {{ node }}
"""

NETWORK_DETACH = """
# Take off network {{ name }} what container {{ endpoint }} has left there: it is gone, and its record holds the network
docker network disconnect
  --force  # there is no container to ask any more; the engine finds the record by its name
  {{ id }}
  {{ endpoint }}
"""

HELD = "has active endpoints"
STILL_USED = ("in use by task", HELD)
"""What an engine says of a network whose last container is gone, but not yet for the Swarm or for its own books."""

TOKEN = Variable(
    "DOCKERLAB_SWARM_TOKEN", "set it to what 'docker swarm join-token --quiet worker' prints on the manager"
)


@dataclass(frozen=True)
class Built:
    """The commands that make an object, those that undo them, and the fingerprint of what is made."""

    create: tuple[Command, ...]
    undo: tuple[Command, ...]
    fingerprint: str


def network(lab: Lab, name: str, host: str, identity: Identity | None) -> Built:
    """Return how a network of the lab is made on a host; without an identity, as one types it, without our labels."""
    spec = lab.networks[name]
    mode = modes.for_driver(spec.driver)
    context = {"name": name, "network": spec, "own_labels": spec.labels}
    fingerprint = fingerprint_of(render.command(mode.create, host, **context, labels={}))
    create = render.command(mode.create, host, **context, labels=identity.labels(fingerprint) if identity else {})
    return Built((create,), (remove_network(mode.remove, host, name),), fingerprint)


def volume(lab: Lab, name: str, host: str, identity: Identity | None) -> Built:
    """Return how a volume of the lab is made on a host."""
    spec = lab.volumes[name]
    context = {"name": name, "volume": spec, "own_labels": spec.labels}
    fingerprint = fingerprint_of(render.command(VOLUME, host, **context, labels={}))
    create = render.command(VOLUME, host, **context, labels=identity.labels(fingerprint) if identity else {})
    return Built((create,), (render.command(REMOVE_VOLUME, host, name=name),), fingerprint)


def remove_network(template: str, host: str, name: str, network_id: str | None = None) -> Command:
    """Return the removal of a network, which may have to wait until its last container is gone for everybody."""
    return replace(render.command(template, host, name=name, id=network_id), waits_for=STILL_USED)


def detach(host: str, name: str, network_id: str, endpoint: str) -> Command:
    """Return how an endpoint whose container is gone is taken off a network."""
    return render.command(NETWORK_DETACH, host, name=name, id=network_id, endpoint=endpoint)


def container(lab: Lab, name: str, identity: Identity | None, needs: Mapping[str, str]) -> Built:
    """Return how a container is made on its host: `docker run`, then one `docker network connect` per further network.

    Without an identity it is as one types it, without our labels. `needs` are the fingerprints of what it builds on; it
    is another container when they are.
    """
    spec, host = lab.containers[name], lab.host_of(name)
    mode = modes.for_container(lab, spec)
    entrypoint, words = spec.words
    place = spec.place(spec.mode)
    context: dict[str, Any] = {
        "name": name,
        "spec": spec,
        "mode": spec.mode,
        "network": lab.networks.get(spec.mode) if spec.network_mode is None else None,
        "joined": on_run(spec.mode, place),
        "said": tuple(flags(place, "run")),
        "at_once": [at_once(other, spec.networks[other]) for other in spec.at_once],
        "words": tuple(words_of(spec)),
        "entrypoint": entrypoint,
        "command": words,
        "own_labels": spec.labels,
    }
    later = (other for other in spec.networks if other != spec.mode and other not in spec.at_once)
    further = tuple(connect(lab, name, other) for other in later)
    template = RUN_HEAD + mode.run + RUN_TAIL
    plain = render.command(template, host, **context, labels={})
    fingerprint = fingerprint_of(plain, *further, *needs.values())
    waits = tuple(wait(lab, other, what.condition) for other, what in spec.depends_on.items())
    run = render.command(template, host, **context, labels=identity.labels(fingerprint) if identity else {})
    if spec.handed_over:
        values = ChainMap(dict(lab.given.get(name, {})), os.environ)
        run = replace(run, takes=spec.handed_over, feeds=partial(exports, spec.handed_over, values))
    before = tuple(each for each in waits if each is not None)
    return Built((*before, run, *further), (render.command(REMOVE_CONTAINER, host, name=name, id=None),), fingerprint)


def connect(lab: Lab, name: str, network: str) -> Command:
    """Return how a container that is there is put on one of its networks; `bridge` is docker0."""
    driver = lab.networks[network].driver if network in lab.networks else network
    said = tuple(flags(lab.containers[name].place(network), "connect"))
    return render.command(modes.for_driver(driver).connect, lab.host_of(name), name=name, mode=network, said=said)


def wait(lab: Lab, name: str, condition: str) -> Command | None:
    """Return how a container is waited for until it is well, or has ended; None where it only has to be made."""
    template = {"service_healthy": WAIT_HEALTHY, "service_completed_successfully": WAIT_COMPLETED}.get(condition)
    if template is None:
        return None
    script = HEALTHY if template is WAIT_HEALTHY else COMPLETED
    return render.command(template, lab.host_of(name), name=name, script=script)


def receipt(host: str, what: str, identity: Identity) -> Built:
    """Return the empty volume that notes a change of the host which is neither a container nor a network."""
    name = receipt_name(what)
    labels = identity.labels("-") | {LABEL_RECEIPT: what}
    create = render.command(RECEIPT, host, name=name, what=what, labels=labels, own_labels={})
    return Built((create,), (render.command(REMOVE_RECEIPT, host, name=name),), "-")


def lease(host: str, identity: Identity, until: str) -> Command:
    """Return how the empty volume is made that says until when the lab is wanted.

    Its name is that of the run, so that the new lease of a lab is there before the old one goes.
    """
    instance = "" if identity.instance is None else f".{identity.instance}"
    labels = identity.labels("-") | {LABEL_RECEIPT: "lease", LABEL_EXPIRES: until}
    name = f"dockerlab-lease-{identity.lab}{instance}-{identity.run}"
    return render.command(LEASE, host, name=name, labels=labels, own_labels={})


def receipt_name(what: str) -> str:
    """Return the name of the receipt for one kind of change; a host has at most one of each."""
    return f"dockerlab-{what}"


def fingerprint_of(*made_of: Command | str) -> str:
    """Return what tells whether an object has changed: twelve digits that stand for all that it is made of."""
    lines = (each.shell() if isinstance(each, Command) else each for each in made_of)
    return sha256("\n".join(lines).encode()).hexdigest()[:12]
