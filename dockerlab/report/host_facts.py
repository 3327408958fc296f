"""What is known of a report's hosts, as lines of text; what could not be read is said to be so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from dockerlab.topology import HostFacts, Nic, Route
from dockerlab.verify import Report

LABELS = {
    "root": "root on the host",
    "python": "Python",
    "ip_forward": "forwards IPv4",
    "ip6_forward": "forwards IPv6",
    "forward_policy": "policy of FORWARD",
    "bridge_nf": "br_netfilter",
    "userland_proxy": "docker-proxy",
    "dns": "the engine's name servers",
    "settings_read": "the engine's settings were read",
    "settings_of": "lab that changed the engine's settings",
    "nics": "interfaces",
    "kernel_config": "kernel options",
    "missing": "could not be read",
}
"""What facts are called, where their own name says too little."""


def host_facts(report: Report) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each fact with its lines per host; what could not be read is said to be so."""
    hosts = list(report.engines)
    yield "engine", [[report.engines[host] or "could not be read"] for host in hosts]
    yield "prober", [[report.probers.get(host, "") or "none"] for host in hosts]
    if not report.facts:
        return
    known = [report.facts.get(host, HostFacts(host)) for host in hosts]
    for each in fields(HostFacts):
        if each.name != "host":
            label = LABELS.get(each.name, each.name.replace("_", " "))
            yield label, [_value_in_words(each.name, getattr(facts, each.name)) for facts in known]


def _value_in_words(name: str, value: Any) -> list[str]:
    """Return a fact in lines of text."""
    if value is None:
        return ["not known"]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, Mapping):
        return [f"{key}={each}" for key, each in value.items()] or ["not known"]
    if isinstance(value, tuple):
        return [_item(each) for each in value] or ["nothing" if name == "missing" else "none"]
    return [str(value) or "not known"]


def _item(value: Any) -> str:
    if isinstance(value, Nic):
        return " ".join(filter(None, [value.name, *map(str, value.addresses), value.mac, "" if value.up else "(down)"]))
    if isinstance(value, Route):
        via = f" via {value.via}" if value.via is not None else ""
        return f"{value.destination or 'default'}{via} dev {value.device}"
    return str(value)
