"""What is known of a report's hosts, as lines of text; what could not be read is said to be so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from dockerlab.facts import Facts
from dockerlab.kernel.model import BRIDGE_NF, IP6_FORWARD, IP_FORWARD, Link
from dockerlab.kernel.routes import Route
from dockerlab.verify import Report

Told = str | bool | Iterable[str] | None

ROWS: Mapping[str, Callable[[Facts], Told]] = {
    "interfaces": lambda facts: map(_link, facts.ground.links),
    "routes": lambda facts: map(_route, facts.ground.ways),
    "root on the host": lambda facts: facts.root,
    "Python": lambda facts: facts.python,
    "forwards IPv4": lambda facts: facts.ground.on(IP_FORWARD),
    "forwards IPv6": lambda facts: facts.ground.on(IP6_FORWARD),
    "policy of FORWARD": lambda facts: facts.ground.forward_policy,
    "br_netfilter": lambda facts: facts.ground.on(BRIDGE_NF),
    "docker-proxy": lambda facts: facts.settings.userland_proxy,
    "iptables": lambda facts: facts.settings.iptables,
    "ip6tables": lambda facts: facts.settings.ip6tables,
    "direct routing": lambda facts: facts.settings.direct_routing,
    "live restore": lambda facts: facts.settings.live_restore,
    "the engine's name servers": lambda facts: facts.settings.dns,
    "the engine's settings were read": lambda facts: facts.settings.known,
    "lab that changed the engine's settings": lambda facts: facts.settings.changed_by,
    "firewall": lambda facts: facts.settings.backend or facts.firewall,
    "nameservers": lambda facts: facts.nameservers,
    "kernel options": lambda facts: [f"{key}={each}" for key, each in facts.kernel_config.items()] or None,
    "kernel": lambda facts: facts.kernel,
    "architecture": lambda facts: facts.architecture,
    "gossip": lambda facts: facts.gossip,
    "could not be read": lambda facts: facts.missing or ["nothing"],
}
"""What is told of a host, and what it is called."""


def host_facts(report: Report) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each fact with its lines per host; what could not be read is said to be so."""
    hosts = list(report.engines)
    yield "engine", [[report.engines[host] or "could not be read"] for host in hosts]
    yield "prober", [[report.probers[host]] for host in hosts]
    if not report.facts:
        return
    known = [report.facts.get(host, Facts(host)) for host in hosts]
    for label, of in ROWS.items():
        yield label, [_in_words(of(facts)) for facts in known]


def _in_words(value: Told) -> list[str]:
    """Return a fact in lines of text."""
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if value is None or isinstance(value, str):
        return [value or "not known"]
    return list(value) or ["none"]


def _link(link: Link) -> str:
    return " ".join(filter(None, [link.name, *map(str, link.addresses), link.mac, "" if link.up else "(down)"]))


def _route(route: Route) -> str:
    hop = route.hops[0]
    via = f" via {hop.via}" if hop.via is not None else ""
    return f"{route.destination if route.destination.prefixlen else 'default'}{via} dev {hop.device}"
