"""What a container is plugged into, by the kind of its network, and what that is called."""

from __future__ import annotations

from dockerlab.graph.model import GroupKind, LinkKind
from dockerlab.lab.model import Network
from dockerlab.lab.ports import Port
from dockerlab.modes.bridge import DEFAULT
from dockerlab.modes.parent import ParentNetwork
from dockerlab.snapshot import GATEWAY_BRIDGE


def parent(spec: Network) -> str | None:
    """Return the parent interface of a network that has one, or None."""
    return spec.parent_interface if isinstance(spec, ParentNetwork) else None


def kind_of(name: str, spec: Network) -> tuple[GroupKind, str]:
    """Return what the containers of a network are drawn together by."""
    if spec.driver == "overlay":
        return "overlay", ""
    if isinstance(spec, ParentNetwork):
        return ("parent", spec.parent_interface) if spec.parent_interface else ("dummy", name)
    return "bridge", name


def socket(host: str, network: str, spec: Network) -> tuple[str, LinkKind]:
    """Return what a container on a network is plugged into, and by what kind of cable."""
    kind, name = kind_of(network, spec)
    if kind == "overlay":
        return f"overlay:{network}", "overlay"
    if kind == "parent":
        return f"nic:{host}/{name}", "macvlan" if spec.driver == "macvlan" else "ipvlan"
    return f"bridge:{host}/{name}", "veth"


def bridge_name(network: str) -> str:
    """Return what a bridge is called: the engine's own by their interface, others by their network."""
    return {DEFAULT: "docker0", GATEWAY_BRIDGE: GATEWAY_BRIDGE}.get(network, f"bridge {network}")


def port_text(name: str, port: Port) -> str:
    """Return a published port with the container and the port that it leads to."""
    left, _, right = str(port).rpartition(":")
    return f"{left or 'any'} → {name}:{right}"
