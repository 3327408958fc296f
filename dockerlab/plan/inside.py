"""What is done inside a container once it runs: routes of its namespace, set from its host, and commands. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace
from hashlib import sha256

from dockerlab import render
from dockerlab.command import Command, Variable
from dockerlab.ground import deeds
from dockerlab.lab.container import Container

PID = """
# Find the network namespace of {{ name }}, by its main process
docker container inspect
  --format {{ pid }}
  {{ name }}
"""

WITHIN = """
# Say to {{ name }} by which way {{ spec.to }} is reached
nsenter
  --net --target {{ process }}  # in its network namespace, with the host's own program and rights
"""

RUN = """
# Run a command in {{ name }}, as the definition says
docker exec {{ name }}
 {% for word in words %} {{ word }}{% endfor %}

"""


def commands(spec: Container, name: str, host: str) -> tuple[Command, ...]:
    """Return the commands that follow when a container runs, in order."""
    found: list[Command] = []
    if spec.routes:
        variable = Variable(f"PID_{sha256(f'{host} {name}'.encode()).hexdigest()[:8]}", f"the main process of {name}")
        asked = render.command(PID, host, name=name, pid="{{.State.Pid}}")
        found.append(replace(asked, stores=variable.name))
        for each in spec.routes:
            within = render.command(WITHIN, host, name=name, spec=each, process=variable)
            (added,) = deeds.route(each).commands(host)
            found.append(replace(within, parts=(*within.parts, *added.parts)))
    for line in spec.after:
        words = shlex.split(line) if isinstance(line, str) else line or ()
        found.append(render.command(RUN, host, name=name, words=words))
    return tuple(found)
