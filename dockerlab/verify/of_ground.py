"""Whether what is amiss in a host's kernel is what the definition says of it, and what puts it back."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.drift import edits
from dockerlab.drift.kernel import Difference
from dockerlab.ground import firewall, objects
from dockerlab.ground.deeds import Deed, deeds
from dockerlab.kernel.model import Link
from dockerlab.kernel.routes import Route, Selector
from dockerlab.kernel.rules import Rule
from dockerlab.lab.ground import GroundRoute
from dockerlab.lab.model import Lab


def said(lab: Lab, difference: Difference) -> str | None:
    """Return the command that puts right what the definition says of a host or of a container's routes.

    None for a difference that is about nothing of the kind. It is told as the lab's then, and not as the host's.
    """
    if difference.how == "foreign":
        return None
    if difference.who != difference.host:
        spec = lab.containers.get(difference.who)
        missing = [each for each in _into(difference) if isinstance(each, Route)]
        known = {_place(each) for each in (spec.routes if spec is not None else ())}
        return difference.undo if any(_at(route) in known for route in missing) else None
    ground = lab.grounds.get(difference.host)
    if ground is None:
        return None
    known_deeds = deeds(firewall.written_out(ground), lab.name)
    found = [deed for deed in known_deeds if any(_is(deed, edit) for edit in difference.edits)]
    if not found or not _is_own(difference, found[0]):
        return None
    commands = [deed.typed(difference.host) for deed in found if deed.make]
    return " && ".join(commands)


def _is_own(difference: Difference, first: Deed) -> bool:
    """Tell whether what is amiss is the thing itself, and not something that it goes along with."""
    kinds = {"link": ("interface", "mtu"), "sysctl": ("setting",), "rule": ("rule", "table")}
    return first.kind in kinds.get(difference.kind, (difference.kind,))


def _into(difference: Difference) -> Iterator[object]:
    for edit in difference.edits:
        if isinstance(edit, (edits.Swap, edits.Rewrite, edits.Readdress)) and edit.into is not None:
            yield edit.into


def _place(spec: GroundRoute) -> tuple[object, ...]:
    return _at(objects.route(spec, ()))


def _at(route: Route) -> tuple[object, ...]:
    return (route.table, route.destination, route.metric)


def _is(deed: Deed, edit: edits.Edit) -> bool:  # noqa: PLR0911 - one for each kind of edit
    """Tell whether an edit puts a thing of the definition's back."""
    about = deed.about
    match edit:
        case edits.Swap(into=Link() as link):
            on = getattr(about.get("spec"), "dev", None) if deed.kind == "route" else about.get("name")
            return on == link.name and deed.kind in ("interface", "mtu", "address", "route")
        case edits.Swap(into=Route() as route):
            return deed.kind == "route" and _place(about["spec"]) == _at(route)
        case edits.Swap(into=Selector() as selector):
            return deed.kind == "ip-rule" and objects.selector(about["spec"]).text == selector.text
        case edits.Turn():
            wanted = {"mtu": "mtu", "up": "interface"}.get(edit.attribute)
            return deed.kind == wanted and deed.name == edit.link
        case edits.Readdress():
            return deed.kind == "address" and (about["name"], about["held"]) == (edit.link, edit.into)
        case edits.Tune():
            return deed.kind == "setting" and objects.path_of(deed.name) == edit.path
        case edits.Resolve():
            key = (edit.chain.family, edit.chain.table, edit.chain.name)
            return deed.kind == "policy" and _chain(deed) == key and deed.value == edit.policy
        case edits.Rewrite(into=Rule() as rule):
            return _is_rule(deed, rule)
    return False


def _chain(deed: Deed) -> tuple[str, str, str]:
    line = deed.about["line"]
    return (firewall.FAMILIES[deed.about["program"]], line.table, line.chain)


def _is_rule(deed: Deed, rule: Rule) -> bool:
    if deed.kind == "table":
        return (rule.family, rule.table) == ("inet", deed.name)
    if deed.kind != "rule" or _chain(deed) != (rule.family, rule.table, rule.chain):
        return False
    return objects.rule(deed.about["program"], deed.about["line"], deed.about["comment"]).text == rule.text
