"""What of a host's section a kernel has now, and what stands in its way there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockerlab.ground import firewall, objects
from dockerlab.ground.deeds import VALUES, Deed
from dockerlab.kernel.model import Link, Namespace
from dockerlab.kernel.routes import Route
from dockerlab.kernel.rules import Chain

if TYPE_CHECKING:
    from dockerlab.lab.ground import Ground, HostInterface

THERE = "there"
DOWN = "down"
"""What an interface is that was made and not switched on."""


NOWHERE = Namespace(0)


@dataclass(frozen=True)
class Beneath:
    """A host's own namespace as it is now, and the settings that were asked for, by the names that were given."""

    space: Namespace = NOWHERE
    settings: Mapping[str, str] = field(default_factory=dict)
    unseen: str = ""
    """Why it could not be looked at."""
    ssh: int | None = None
    """The port at which we came in, None where we did not come by SSH."""


def now(deed: Deed, beneath: Beneath) -> str | None:  # noqa: PLR0911 - one for each kind of thing
    """Return what a thing is on a host: its value, or `there`; None where there is none."""
    space, about = beneath.space, deed.about
    match deed.kind:
        case "interface":
            found = space.link(deed.name)
            return None if found is None else THERE if found.up else DOWN
        case "mtu":
            found = space.link(deed.name)
            return str(found.mtu) if found is not None else None
        case "address":
            found = space.link(about["name"])
            return THERE if found is not None and about["held"] in found.addresses else None
        case "setting":
            value = beneath.settings.get(deed.name)
            return None if value is None else " ".join(value.split())
        case "route":
            wanted = objects.route(about["spec"], space.links)
            return THERE if any(_same(wanted, each) for each in space.routes) else None
        case "ip-rule":
            selector = replace(objects.selector(about["spec"]), text="")
            return THERE if any(replace(each, text="") == selector for each in space.selectors) else None
        case "table":
            return THERE if any((c.family, c.table) == ("inet", deed.name) for c in space.ruleset.chains) else None
        case _:
            return _filter(deed, space)


def _same(wanted: Route, there: Route) -> bool:
    hops = {(hop.device, hop.via) for hop in wanted.hops}
    key = (wanted.table, wanted.destination, wanted.metric, wanted.kind)
    same = key == (there.table, there.destination, there.metric, there.kind)
    return same and (wanted.kind != "unicast" or hops == {(hop.device, hop.via) for hop in there.hops})


def _filter(deed: Deed, space: Namespace) -> str | None:
    line, family = deed.about["line"], firewall.FAMILIES[deed.about["program"]]
    if deed.kind == "basis":
        return THERE if _of_table(deed, space) else None
    chains = [c for c in space.ruleset.chains if (c.family, c.table, c.name) == (family, line.table, line.chain)]
    chains = [chain for chain in chains if chain.backend == "iptables"]
    if deed.kind == "policy":
        return chains[0].policy if chains else "ACCEPT"  # a table that nobody has used yet
    if deed.kind == "chain":
        return THERE if chains else None
    return THERE if any(_bears(chain, deed.about["comment"]) for chain in chains) else None


def _of_table(deed: Deed, space: Namespace) -> list[Chain]:
    wanted = (firewall.FAMILIES[deed.about["program"]], deed.about["line"].table)
    return [c for c in space.ruleset.chains if (c.family, c.table) == wanted and c.backend == "iptables"]


def is_removable(deed: Deed, beneath: Beneath, lab: str, own_chains: Collection[str] = ()) -> bool:
    """Tell whether nothing is lost with a thing: a table of iptables goes only with nobody else's rules in it."""
    if deed.kind != "basis":
        return True
    whose = f"{firewall.MARK}:{lab}:"
    chains = _of_table(deed, beneath.space)
    own = all(any(v.startswith(whose) for m in r.matches for v in m.values) for c in chains for r in c.rules)
    return own and all(chain.hook or chain.name in own_chains for chain in chains)


def _bears(chain: Chain, comment: str) -> bool:
    return any(m.option == "--comment" and comment in m.values for rule in chain.rules for m in rule.matches)


def obstacles(ground: Ground, list_of: list[Deed], beneath: Beneath, ours: frozenset[str]) -> Iterator[str]:
    """Yield what keeps a section from being made on a host; `ours` are the keys of what the lab has made there."""
    links = {link.name: link for link in beneath.space.links}
    made = {name for name, spec in ground.interfaces.items() if spec.kind is not None}
    for name, spec in ground.interfaces.items():
        found = links.get(name)
        if spec.kind is None and found is None:
            yield f"there is no interface {name}: it has {', '.join(sorted(links))}; give it a `kind` to make it"
        elif spec.kind is not None and found is not None and not _is_as(found, spec, links):
            yield f"there is an interface {name} already, which is not as the lab has it: choose another name"
        if spec.parent is not None and spec.parent not in links and spec.parent not in made:
            yield f"interface {name} wants parent {spec.parent}, but the interfaces are {', '.join(sorted(links))}"
    for deed in list_of:
        if deed.key in ours:
            continue
        if deed.kind == "route":
            wanted = objects.route(deed.about["spec"], beneath.space.links)
            other = next((each for each in beneath.space.routes if _instead(wanted, each)), None)
            if other is not None:
                yield f"there is another route in the place of `{deed.name}`: {other.text}"
        if deed.kind == "setting" and now(deed, beneath) is None and not any(name in deed.name for name in made):
            yield f"its kernel has no setting {deed.name}"


def _instead(wanted: Route, there: Route) -> bool:
    place = (wanted.table, wanted.destination, wanted.metric)
    return place == (there.table, there.destination, there.metric) and not _same(wanted, there)


def _is_as(found: Link, spec: HostInterface, links: Mapping[str, Link]) -> bool:
    if found.kind != spec.kind:
        return False
    parent = links.get(spec.parent or "")
    return parent is None or found.peer in (0, parent.index)


def is_value(deed: Deed) -> bool:
    """Tell whether a thing is a value that is put back, and none that is taken away."""
    return deed.kind in VALUES
