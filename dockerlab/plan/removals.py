"""The commands that remove containers and networks, and take off a network what keeps it: no definition is needed."""

from __future__ import annotations

from dataclasses import replace

from dockerlab import render
from dockerlab.command import Command

REMOVE_CONTAINER = """
# Remove container {{ name }}
docker rm
  --force  # whether it runs or not
  --volumes  # with what its image declared as anonymous volumes
  {{ id }}
"""

REMOVE_NETWORK = """
# Remove network {{ name }}
docker network rm {{ id }}
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


def remove_network(host: str, name: str, known_as: str) -> Command:
    """Return the removal of a network, which may have to wait until its last container is gone for everybody.

    `known_as` is its ID, or its name where it has none yet.
    """
    return replace(render.command(REMOVE_NETWORK, host, name=name, id=known_as), waits_for=STILL_USED)


def detach(host: str, name: str, network_id: str, endpoint: str) -> Command:
    """Return how an endpoint whose container is gone is taken off a network."""
    return render.command(NETWORK_DETACH, host, name=name, id=network_id, endpoint=endpoint)
