"""The faults that are another definition: the lab is brought up as that has it, with the lab's own labels."""

from __future__ import annotations

from ipaddress import ip_network

from dockerlab.faults.fault import Break, Fault
from dockerlab.lab.model import Container, Lab, Network
from dockerlab.snapshot import ICC


def _network(lab: Lab, broken: Break, **changes: object) -> Lab:
    spec: Network = lab.networks[broken.on].model_copy(update=changes)
    return lab.altered(networks={**lab.networks, broken.on: spec})


def _container(lab: Lab, broken: Break, **changes: object) -> Lab:
    spec: Container = lab.containers[broken.on].model_copy(update=changes)
    return lab.altered(containers={**lab.containers, broken.on: spec})


def _parent(lab: Lab, broken: Break) -> Lab:
    return _network(lab, broken, parent=broken.using)


def _no_icc(lab: Lab, broken: Break) -> Lab:
    options = {**lab.networks[broken.on].driver_opts, ICC: "false"}
    return _network(lab, broken, driver_opts=options)


def _internal(lab: Lab, broken: Break) -> Lab:
    return _network(lab, broken, internal=True)


def _subnet(lab: Lab, broken: Break) -> Lab:
    """Return the lab with the network on another subnet, and its containers at the same place in it."""
    subnet = ip_network(broken.using)
    moved = _network(lab, broken, subnet=(subnet,), gateway=(), ip_range=())
    old = lab.networks[broken.on].pools[0].subnet
    containers = dict(moved.containers)
    for name, spec in lab.containers.items():
        place = spec.networks.get(broken.on)
        if place is not None and place.ip is not None:
            address = subnet.network_address + (int(place.ip) - int(old.network_address))
            networks = {**spec.networks, broken.on: place.model_copy(update={"ip": address})}
            containers[name] = spec.model_copy(update={"networks": networks})
    return moved.altered(containers=containers)


def _no_ports(lab: Lab, broken: Break) -> Lab:
    return _container(lab, broken, ports=(), expose=lab.containers[broken.on].listens)


def _no_network(lab: Lab, broken: Break) -> Lab:
    return _container(lab, broken, networks={}, network_mode="bridge")


ALTERED = (
    Fault(
        "wrong-parent",
        "the network had the wrong parent interface",
        "The network's containers are on another LAN than they should be: whom they take for neighbours is not there.",
        "network",
        alter=_parent,
        needs="the wrong parent, such as eth0",
    ),
    Fault(
        "icc-off",
        "inter-container communication was off on the network",
        "Containers of the network do not reach each other; the host and the outside they reach as before.",
        "network",
        alter=_no_icc,
    ),
    Fault(
        "internal",
        "the network was internal",
        "No container of the network reaches anybody beyond the host: there is no way out and no masquerading.",
        "network",
        alter=_internal,
    ),
    Fault(
        "wrong-subnet",
        "the network had another subnet",
        "The network's containers have other addresses than the lab says: who asks for those is answered by nobody. "
        "Whoever has such an address beyond the host is not reached any more, but looked for on the bridge.",
        "network",
        alter=_subnet,
        needs="the wrong subnet, such as 172.28.9.0/24",
    ),
    Fault(
        "missing-dnat",
        "the container did not publish its port",
        "There is no rule of DNAT and no docker-proxy for it: a connection to the host's port is refused. At its own "
        "address the container answers as before.",
        "container",
        alter=_no_ports,
    ),
    Fault(
        "wrong-network",
        "the container was on docker0 instead of its network",
        "The container is not where the others look for it: it has another address and no name, and nothing passes "
        "from bridge to bridge.",
        "container",
        alter=_no_network,
    ),
)
