"""What a definition says of a host itself, laid over the ground that was found: both are what is expected.

After `up` the ground has most of it already; what somebody has taken away since is put in again, so that it is missing.
"""

from __future__ import annotations

from dataclasses import replace

from dockerlab.ground import objects
from dockerlab.ground.firewall import written_out
from dockerlab.imagined.spaces import Draft, link_local
from dockerlab.kernel.model import Link
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
