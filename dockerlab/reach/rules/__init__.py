"""Every rule by which a cell is decided, by theme: what reports and `docs/rules/` say of it."""

from dockerlab.reach.rules import firewall, host, names, ports, segments, unseen
from dockerlab.reach.rules.page import Page, Sight

THEMES: tuple[tuple[str, tuple[Page, ...]], ...] = (
    ("On one layer 2", segments.RULES),
    ("The host as a router", host.RULES),
    ("The host's firewall", firewall.RULES),
    ("Ports", ports.RULES),
    ("Names", names.RULES),
    ("No claim", unseen.RULES),
)

RULES: tuple[Page, ...] = tuple(rule for _, rules in THEMES for rule in rules)

__all__ = ["RULES", "THEMES", "Page", "Sight"]
