"""In what a container differs from its definition: what it runs, where it is, and what it publishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dockerlab.imagined.networks import listed
from dockerlab.lab.model import Attachment, Container, Lab
from dockerlab.lab.places import IFNAME
from dockerlab.lab.words import WORDS
from dockerlab.modes.bridge import DEFAULT
from dockerlab.snapshot import ContainerState, EndpointState, PublishedPort, Snapshot, full_name, on_the_link

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - an engine's words for every address, to be read and not bound


@dataclass(frozen=True)
class Wrong:
    """One thing of a container that is otherwise; where it leaves or joins `network`, that is all that is to be done.

    `on` are the networks or names that it lacks.
    """

    aspect: Literal["image", "command", "container", "place", "alias", "port"]
    what: str
    network: str = ""
    has_to_leave: bool = False
    has_to_join: bool = False
    on: tuple[str, ...] = ()

    @property
    def mended_by_joining(self) -> bool:
        """Tell whether it need not be made anew."""
        return self.has_to_leave or self.has_to_join


def wrong_container(lab: Lab, name: str, state: ContainerState, snapshot: Snapshot) -> Iterator[Wrong]:
    """Yield everything of a container that is not as the definition has it."""
    spec = lab.containers[name]
    if full_name(state.image) != full_name(spec.image) and not state.image.startswith("sha256:"):
        yield Wrong("image", f"runs image {state.image}, and the lab wants {spec.image}")
    yield from _command(spec, state)
    yield from _settings(spec, state, snapshot)
    wanted = set(spec.networks) or ({DEFAULT} if spec.mode == DEFAULT else set())
    mode = _mode(spec, state, snapshot)
    if not wanted and mode != spec.mode:
        yield Wrong("place", f"is in mode {mode}, and the lab wants {spec.mode}")
        return
    if wanted and mode.startswith(("container:", "host", "none")):
        yield Wrong("place", f"is in mode {mode}, and the lab wants it on {listed(sorted(wanted))}")
        return
    if wanted:
        yield from _places(spec, wanted, state)
    yield from _ports(spec, state)


def _command(spec: Container, state: ContainerState) -> Iterator[Wrong]:
    """Yield that something else is run; what the image itself would run, only the image tells."""
    entrypoint, words = spec.words
    if state.command is None or state.entrypoint is None or not (entrypoint or words):
        return
    runs = (*state.entrypoint, *state.command) if entrypoint else state.command
    if runs != (*entrypoint, *words):
        said = " ".join(runs) or "nothing"
        yield Wrong("command", f"runs `{said}`, and the lab wants `{' '.join((*entrypoint, *words))}`")


def _settings(spec: Container, state: ContainerState, snapshot: Snapshot) -> Iterator[Wrong]:
    """Yield how it runs otherwise; only an inspected container shows that."""
    there = state.shown
    if there is None:
        return
    told: set[str] = set()
    for word in WORDS:
        found = word.unlike(spec, there)
        if found is not None and word.key not in told:
            told.add(word.key)
            has, wanted = (listed(values) or "nothing" for values in found)
            yield Wrong("container", f"has {word.key} {has}, and the lab wants {wanted}")
    for key, shown, by_itself in (("pid", "PidMode", ()), ("ipc", "IpcMode", ("private", "shareable"))):
        value, has = getattr(spec, key), str(there["HostConfig"].get(shown) or "")
        if value is None and has in ("", *by_itself):
            continue
        if _named(has, snapshot) != (value or ""):
            what = f"has {key} {_named(has, snapshot) or 'of its own'}, and the lab wants {value or 'one of its own'}"
            yield Wrong("container", what)


def _named(value: str, snapshot: Snapshot) -> str:
    """Return a value that may be `container:ID` with the container's name instead."""
    kind, _, joined = value.partition(":")
    name = next((c.name for c in snapshot.containers if kind == "container" and c.id == joined), joined)
    return f"{kind}:{name}" if joined else value


def _places(spec: Container, wanted: set[str], state: ContainerState) -> Iterator[Wrong]:
    there = set(state.endpoints)
    if there != wanted:
        what = f"is on {listed(sorted(there)) or 'no network'}, and the lab wants it on {listed(sorted(wanted))}"
        for network in sorted(wanted - there):
            yield Wrong("place", what, network, has_to_join=True, on=(network,))
        for network in sorted(there - wanted):
            yield Wrong("place", what, network, has_to_leave=True)
    for network, place in spec.networks.items():
        endpoint = state.endpoints.get(network)
        if endpoint is None:
            continue
        held = {address.ip for address in endpoint.addresses}
        if state.running and not set(place.addresses) <= held:
            has = listed(sorted(held, key=str)) or "no address"
            what = f"has {has} on {network}, and the lab wants {listed(place.addresses)}"
            yield Wrong("place", what, network, has_to_leave=True, has_to_join=True, on=(network,))
        yield from _place(spec.place(network), endpoint, state)
        lacks = tuple(alias for alias in place.aliases if alias not in endpoint.aliases)
        if lacks and state.command is not None:  # a list of containers tells no aliases
            what = f"lacks the alias {listed(lacks)} on {network}"
            yield Wrong("alias", what, network, has_to_leave=True, has_to_join=True, on=lacks)


def _place(place: Attachment, endpoint: EndpointState, state: ContainerState) -> Iterator[Wrong]:
    """Yield what of a place is otherwise beside its addresses and names; a MAC address only `docker run` can give."""
    network = endpoint.network
    if place.mac_address is not None and endpoint.mac and endpoint.mac.lower() != place.mac_address.lower():
        yield Wrong("place", f"has MAC address {endpoint.mac} on {network}, and the lab wants {place.mac_address}")
    if state.shown is None:
        return
    if endpoint.priority != (place.gw_priority or 0):
        what = f"has gw_priority {endpoint.priority} on {network}, and the lab wants {place.gw_priority or 0}"
        yield Wrong("place", what, network, has_to_leave=True, has_to_join=True, on=(network,))
    lacks = tuple(each for each in place.link_local_ips if on_the_link(each) not in endpoint.link_local)
    if lacks:
        what = f"lacks the address {listed(lacks)} on {network}"
        yield Wrong("place", what, network, has_to_leave=True, has_to_join=True, on=(network,))
    wanted = dict(place.driver_opts) | ({IFNAME: place.interface_name} if place.interface_name else {})
    held = {key: value for key, value in endpoint.options.items() if key in wanted or key == IFNAME}
    if held != wanted:
        has, options = (listed(f"{k}={v}" for k, v in sorted(each.items())) or "none" for each in (held, wanted))
        what = f"has options {has} on {network}, and the lab wants {options}"
        yield Wrong("place", what, network, has_to_leave=True, has_to_join=True, on=(network,))


def _ports(spec: Container, state: ContainerState) -> Iterator[Wrong]:
    """Yield what is published otherwise; a container asks for its ports also where nothing can come of it."""
    if spec.mode == "host":
        return
    held = {_port(port) for port in (state.published if state.asked is None else state.asked)}
    wanted = {
        (p.published, p.target, str(p.protocol), _where(str(p.host_ip or "")))
        for p in spec.ports
        if p.published is not None
    }
    for published, target, protocol, where in sorted(wanted - held, key=str):
        there = next((port for port in held if port[:3] == (published, target, protocol)), None)
        if there is not None:
            what = f"publishes its port {target}/{protocol} {_at(there[3])}, and the lab wants it {_at(where)}"
        else:
            what = f"does not publish its port {target}/{protocol} as {published}"
        yield Wrong("port", what)
    same = {port[:3] for port in wanted}
    for published, target, protocol, _ in sorted(held - wanted):
        automatic = any(port.published is None and port.target == target for port in spec.ports)
        if not automatic and (published, target, protocol) not in same:
            yield Wrong("port", f"publishes its port {target}/{protocol} as {published}, of which the lab says nothing")


def _port(port: PublishedPort) -> tuple[int, int, str, str]:
    return (port.host_port, port.container_port, port.protocol, _where(port.host_ip))


def _where(address: str) -> str:
    return "" if address in EVERYWHERE else address


def _at(address: str) -> str:
    return f"on {address} only" if address else "on every address of the host"


def _mode(spec: Container, state: ContainerState, snapshot: Snapshot) -> str:
    """Return a container's network mode, with the name of the container that it joins instead of its ID.

    One that is gone is taken for its owner of old, whether there is a new one or not: that it is cut off is told apart.
    """
    kind, _, joined = state.network_mode.partition(":")
    if kind != "container":
        return state.network_mode
    there = (c.name for c in snapshot.containers if joined in (c.id, c.name))
    return f"container:{next(there, spec.owner or joined[:12])}"
