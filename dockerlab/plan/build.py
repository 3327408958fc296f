"""The commands that make a lab's networks and containers: pure, from the definition alone."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from dockerlab import modes, render
from dockerlab.command import Command, exports
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.lab.places import at_once, flags, on_run
from dockerlab.lab.words import words_of
from dockerlab.modes.base import LABELS
from dockerlab.plan import inside
from dockerlab.plan.built import Built, fingerprint_of
from dockerlab.plan.removals import REMOVE_CONTAINER, remove_network
from dockerlab.plan.waiting import COMPLETED, HEALTHY, WAIT_COMPLETED, WAIT_HEALTHY

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


def network(lab: Lab, name: str, host: str, identity: Identity | None) -> Built:
    """Return how a network of the lab is made on a host; without an identity, as one types it, without our labels."""
    spec = lab.networks[name]
    mode = modes.for_driver(spec.driver)
    context = {"name": name, "network": spec, "own_labels": spec.labels}
    fingerprint = fingerprint_of(render.command(mode.create, host, **context, labels={}))
    create = render.command(mode.create, host, **context, labels=identity.labels(fingerprint) if identity else {})
    return Built((create,), (remove_network(host, name, name),), fingerprint)


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
    further = (*further, *inside.commands(spec, name, host))
    template = RUN_HEAD + mode.run + RUN_TAIL
    plain = render.command(template, host, **context, labels={})
    fingerprint = fingerprint_of(plain, *further, *needs.values())
    waits = tuple(wait(lab, other, what.condition) for other, what in spec.depends_on.items())
    run = render.command(template, host, **context, labels=identity.labels(fingerprint) if identity else {})
    if spec.handed_over:
        values = ChainMap(dict(lab.given.get(name, {})), os.environ)
        run = replace(run, takes=spec.handed_over, feeds=partial(exports, spec.handed_over, values))
    before = tuple(each for each in waits if each is not None)
    return Built((*before, run, *further), (render.command(REMOVE_CONTAINER, host, name=name, id=name),), fingerprint)


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
