"""The Swarm that overlay networks need: made where there is none, and noted, so that `down` leaves what was made."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from dockerlab import modes, render
from dockerlab.command import Command, Variable
from dockerlab.errors import ConflictError
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab, Network
from dockerlab.plan.leaving import SWARM_LEAVE
from dockerlab.plan.receipts import receipt
from dockerlab.plan.steps import Key, Step
from dockerlab.snapshot import Snapshot

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

TOKEN = Variable(
    "DOCKERLAB_SWARM_TOKEN", "set it to what 'docker swarm join-token --quiet worker' prints on the manager"
)


def swarm_steps(
    lab: Lab, identity: Identity, snapshots: Mapping[str, Snapshot], addresses: Mapping[str, str | None]
) -> list[Step]:
    """Return the steps after which every host with an overlay network is in one Swarm; none where no host has one.

    Raises ConflictError when hosts are in Swarms that do not fit together.
    """
    hosts = _hosts(lab)
    if not hosts:
        return []
    states = {host: snapshots.get(host, Snapshot(host)).swarm for host in hosts}
    active = [host for host in hosts if states[host].state == "active"]
    managers = [host for host in active if states[host].manager]
    if active and not managers:
        raise ConflictError(
            f"{active[0]}: is in a Swarm whose manager is not a host of this lab; add the manager to `hosts`, "
            f"or run 'docker swarm leave' on {active[0]}"
        )
    clusters = {states[host].cluster_id for host in active if states[host].cluster_id}
    if len(clusters) > 1:
        raise ConflictError(
            f"{' and '.join(active)} are in different Swarms; run 'docker swarm leave' on all but one of them"
        )
    manager = managers[0] if managers else hosts[0]
    steps = [Step(Key(manager, "swarm", "manager"), "keep")] if managers else _init(manager, identity, addresses)
    joining = [host for host in hosts if host != manager and host not in active]
    if joining:
        invitation = _storing(render.command(SWARM_INVITATION, manager), TOKEN.name)
        steps.append(Step(Key(manager, "swarm", "invite"), "keep", (invitation,), after=_keys(steps)))
    for host in joining:
        steps += _join(host, manager, identity, addresses, _keys(steps[:2] if managers else steps[:3]))
    return steps


def _hosts(lab: Lab) -> list[str]:
    swarm_wide = [n for n, spec in lab.networks.items() if _is_made_wide(spec)]
    wanted = {host for name in swarm_wide for host in lab.hosts_of(name)}
    return [host for host in lab.hosts if host in wanted]


def _is_made_wide(spec: Network) -> bool:
    return not spec.external and modes.for_driver(spec.driver).scope == "swarm"


def _init(manager: str, identity: Identity, addresses: Mapping[str, str | None]) -> list[Step]:
    note = receipt(manager, "swarm", identity)
    init = render.command(SWARM_INIT, manager, address=_address(manager, addresses))
    leave = render.command(SWARM_LEAVE, manager)
    noted = Step(Key(manager, "receipt", "swarm"), "create", note.create, note.undo)
    return [noted, Step(Key(manager, "swarm", "init"), "create", (init,), (leave,), frozenset({noted.key}))]


def _join(
    host: str, manager: str, identity: Identity, addresses: Mapping[str, str | None], after: frozenset[Key]
) -> list[Step]:
    note = receipt(host, "swarm", identity)
    join = render.command(
        SWARM_JOIN,
        host,
        manager=manager,
        token=TOKEN,
        own=addresses.get(host) if _is_ip(addresses.get(host)) else None,
        address=addresses.get(manager) or f"{manager}",
    )
    leave = render.command(SWARM_LEAVE, host)
    noted = Step(Key(host, "receipt", "swarm"), "create", note.create, note.undo)
    return [noted, Step(Key(host, "swarm", "join"), "create", (join,), (leave,), after | {noted.key})]


def _address(host: str, addresses: Mapping[str, str | None]) -> str | Variable:
    """Return the address to advertise; a script whose writer has not seen the host asks for it."""
    known = addresses.get(host)
    if known is not None and _is_ip(known):
        return known
    return Variable("DOCKERLAB_ADDRESS", f"set it to the address at which the other hosts reach {host}")


def _is_ip(text: str | None) -> bool:
    try:
        ip_address(text or "")
    except ValueError:
        return False
    return True


def _storing(command: Command, name: str) -> Command:
    return Command(command.host, command.parts, command.why, stores=name)


def _keys(steps: list[Step]) -> frozenset[Key]:
    return frozenset(step.key for step in steps)
