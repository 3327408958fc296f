"""What a definition says of a host itself, laid over the ground that was found: both are what is expected.

After `up` the ground has most of it already; what somebody has taken away since is put in again, so that it is missing.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from dockerlab.ground import objects
from dockerlab.ground.firewall import written_out
from dockerlab.imagined.spaces import Draft, brought, link_local
from dockerlab.kernel.model import Link, Machine
from dockerlab.kernel.routes import Route
from dockerlab.kernel.rules import Ruleset
from dockerlab.lab.ground import Ground, HostInterface


def links(space: Draft, ground: Ground) -> list[Link]:
    """Put addresses and MTUs on the links that are there, and set what is set; return the links that are still to add.

    Those have no number yet.
    """
    new = []
    for name, spec in ground.interfaces.items():
        found = space.link(name)
        if found is not None:
            space.links[space.links.index(found)] = _with(found, spec)
        elif spec.kind is not None:
            made = objects.link(name, spec, space.link(spec.parent or ""))
            own = link_local(made.mac)
            new.append(replace(made, addresses=(*made.addresses, own)) if own is not None else made)
    space.sysctls |= {objects.path_of(name): " ".join(value.split()) for name, value in ground.sysctls.items()}
    return new


def _with(link: Link, spec: HostInterface) -> Link:
    held = (*link.addresses, *(each for each in spec.addresses if each not in link.addresses))
    return replace(link, mtu=spec.mtu or link.mtu, addresses=held)


def ways(space: Draft, ground: Ground) -> None:
    """Add the routes and the rules that choose a table, once all links are there."""
    for spec in ground.routes:
        add(space, objects.route(spec, space.links))
    for rule in ground.rules:
        selector = objects.selector(rule)
        if all(replace(each, text="") != replace(selector, text="") for each in space.selectors):
            space.selectors.append(selector)
    space.selectors.sort(key=lambda each: (each.version, each.priority))


def add(space: Draft, route: Route) -> None:
    """Add a route in the place of the one that is there, as the kernel has one for each destination and metric."""
    place = (route.table, route.destination, route.metric)
    space.routes = [each for each in space.routes if (each.table, each.destination, each.metric) != place]
    space.routes.append(route)


def rules(ruleset: Ruleset, ground: Ground, lab: str) -> Ruleset:
    """Return the rules that an engine has written with those of the definition beside them."""
    firewall = written_out(ground).firewall
    return ruleset if firewall is None else objects.filtered(ruleset, firewall, lab)


def over(machine: Machine, ground: Ground, lab: str) -> Machine:
    """Return a surveyed host as it is once a definition's section is made on it; nothing of it is there yet."""
    space = machine.ground
    draft = Draft(
        space.id, host=True, links=list(space.links), routes=list(space.routes), sysctls=dict(space.sysctls),
        selectors=list(space.selectors),
    )  # fmt: skip
    free = max((link.index for link in space.links), default=1) + 1
    for number, link in enumerate(links(draft, ground), free):
        parent = draft.link(link.info.get("parent", ""))
        draft.links.append(replace(link, index=number, peer=parent.index if parent is not None else 0))
    ways(draft, ground)
    own = [route for link in draft.links for route in brought(link)]
    made = replace(
        space,
        links=tuple(draft.links),
        routes=(*draft.routes, *(route for route in own if _place(route) not in {_place(r) for r in draft.routes})),
        selectors=tuple(draft.selectors),
        sysctls=draft.sysctls,
        ruleset=rules(space.ruleset, ground, lab),
    )
    return replace(machine, namespaces=tuple(made if each is space else each for each in machine.namespaces))


def _place(route: Route) -> Hashable:
    return (route.table, route.destination, route.kind)
