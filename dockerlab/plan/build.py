"""The commands that make and remove each object of a lab: pure, from the definition alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from dockerlab import modes, render
from dockerlab.command import Command, Variable, exports
from dockerlab.identity import Identity
from dockerlab.lab.model import Attachment, Lab
from dockerlab.modes.base import LABELS
from dockerlab.plan import inside
from dockerlab.snapshot import LABEL_EXPIRES, LABEL_RECEIPT

RUN_HEAD = """
# Start container {{ name }}
docker run
  --detach --interactive --tty  # in the background, with a terminal: a shell as main process then stays
  --name {{ name }}  # what the definition, the other commands and DNS call it
"""

RUN_TAIL = (
    """\
{% if spec.hostname %}
  --hostname {{ spec.hostname }}  # its own name for itself
{% endif %}
{% if spec.user %}
  --user {{ spec.user }}  # not root inside
{% endif %}
{% for port in spec.ports %}
{% if mode == "host" %}
  --publish {{ port }}  # dropped with a warning: host mode has nothing to translate
{% else %}
  --publish {{ port }}  # a port of the host that leads to a port of the container (DNAT)
{% endif %}
{% endfor %}
{% for address in spec.dns %}
  --dns {{ address }}  # the DNS server for names that Docker does not know
{% endfor %}
{% for domain in spec.dns_search %}
  --dns-search {{ domain }}  # tried behind a name without a dot
{% endfor %}
{% for key, value in spec.extra_hosts.items() %}
  --add-host {{ key }}:{{ value }}  # a line of /etc/hosts
{% endfor %}
{% for capability in spec.cap_add %}
  --cap-add {{ capability }}  # a right that containers do not have by default
{% endfor %}
{% for capability in spec.cap_drop %}
  --cap-drop {{ capability }}  # a default right taken away
{% endfor %}
{% for key, value in spec.sysctls.items() %}
  --sysctl {{ key }}={{ value }}  # a kernel setting of its network namespace
{% endfor %}
{% for key, value in spec.environment.items() %}
{% if value is none %}
  --env {{ key }}  # from the environment in which this is run: the value stands in no file and no command
{% else %}
  --env {{ key }}={{ value }}  # read by the processes inside
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
    context: dict[str, Any] = {
        "name": name,
        "spec": spec,
        "mode": spec.mode,
        "network": lab.networks.get(spec.mode) if spec.network_mode is None else None,
        "place": spec.networks.get(spec.mode, Attachment()),
        "entrypoint": entrypoint,
        "command": words,
        "own_labels": spec.labels,
    }
    further = tuple(connect(lab, name, other) for other in spec.networks if other != spec.mode)
    further = (*further, *inside.commands(spec, name, host))
    template = RUN_HEAD + mode.run + RUN_TAIL
    plain = render.command(template, host, **context, labels={})
    fingerprint = fingerprint_of(plain, *further, *needs.values())
    run = render.command(template, host, **context, labels=identity.labels(fingerprint) if identity else {})
    if spec.handed_over:
        run = replace(run, takes=spec.handed_over, feeds=partial(exports, spec.handed_over))
    return Built((run, *further), (render.command(REMOVE_CONTAINER, host, name=name, id=None),), fingerprint)


def connect(lab: Lab, name: str, network: str) -> Command:
    """Return how a container that is there is put on one of its networks; `bridge` is docker0."""
    driver = lab.networks[network].driver if network in lab.networks else network
    place = lab.containers[name].networks.get(network, Attachment())
    return render.command(modes.for_driver(driver).connect, lab.host_of(name), name=name, mode=network, place=place)


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
