"""What there is of a lab on its hosts, as one JSON object; `schema` grows when a field changes its meaning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from dockerlab.kernel.model import Link, Listener
from dockerlab.kernel.rules import Rule
from dockerlab.machinery import sentences
from dockerlab.machinery.diff import SETTINGS
from dockerlab.machinery.names import Names
from dockerlab.machinery.strands import Door, Strand
from dockerlab.machinery.view import Bridge, Container, View, told

SCHEMA = 1


def render(lab: str, views: Sequence[View]) -> str:
    """Return the views of all hosts as indented JSON with a newline at its end."""
    hosts = {view.machine.host: _host(view) for view in views}
    return json.dumps({"schema": SCHEMA, "lab": lab, "hosts": hosts}, indent=2, ensure_ascii=False) + "\n"


def _host(view: View) -> dict[str, Any]:
    machine, ground = view.machine, view.machine.ground
    return {
        "engine": machine.engine or None,
        "kernel": machine.kernel.kernel,
        "firewall": machine.backend or None,
        "settings": {path: ground.sysctls[path] for path in SETTINGS if path in ground.sysctls},
        "unread": list(machine.unread),
        "links": [_link(link) for link in ground.links],
        "routes": list(told(ground)),
        "containers": [_container(each, view.names) for each in view.containers],
        "missing": list(view.missing),
        "unsure": list(view.unsure),
        "bridges": [_bridge(each, view.names) for each in view.bridges],
        "rules": _rules(view.rules, view.names),
        "policies": [
            {"family": _family(c.family), "table": c.table, "chain": c.name, "verdict": c.policy or "-"}
            for c in ground.ruleset.chains
        ],
    }


def _family(family: str) -> int | str:
    """Return 4 or 6 for rules of one version of IP, and nft's word for others."""
    return {"ip": 4, "ip6": 6}.get(family, family)


def _container(container: Container, names: Names) -> dict[str, Any]:
    state, home = container.state, container.home
    return {
        "name": state.name,
        "id": state.id,
        "state": state.status,
        "pid": state.pid,
        "network_mode": state.network_mode,
        "namespace": None if home is None else {"id": home.id, "paths": list(home.paths), "host": home.host},
        "shares": container.shares or None,
        "interfaces": [_strand(strand) for strand in container.strands] if home is not None and home.links else None,
        "routes": None if home is None else list(told(home)),
        "resolver": list(container.resolver),
        "listeners": None if home is None or home.deaf else [_listener(each) for each in home.listeners],
        "published": [_door(door, names) for door in container.doors],
        "rules": _rules(container.rules, names),
        "notes": list(container.notes),
    }


def _strand(strand: Strand) -> dict[str, Any]:
    way = [
        {
            "role": hop.role,
            "where": hop.where,
            "link": None if hop.link is None else _link(hop.link),
            "ports": list(hop.ports),
            "peers": [asdict(peer) for peer in hop.peers],
            "note": hop.note,
        }
        for hop in strand.hops
    ]
    return _link(strand.link) | {"network": strand.network or None, "way": way}


def _link(link: Link) -> dict[str, Any]:
    return {
        "name": link.name,
        "index": link.index,
        "kind": link.kind or None,
        "mac": link.mac or None,
        "mtu": link.mtu,
        "state": link.state,
        "addresses": [str(address) for address in link.addresses],
        "bridge": link.master or None,
        "info": dict(link.info),
    }


def _listener(listener: Listener) -> dict[str, Any]:
    holders = [{"pid": pid, "name": name} for pid, name in listener.holders]
    return {"protocol": listener.protocol, "address": listener.address, "port": listener.port, "processes": holders}


def _door(door: Door, names: Names) -> dict[str, Any]:
    return asdict(door.port) | {
        "rules": _rules(door.rules, names),
        "proxies": [{"pid": proxy.pid, "to": proxy.to, "to_port": proxy.to_port} for proxy in door.proxies],
        "listeners": [_listener(listener) for listener in door.listeners],
        "notes": list(door.notes),
    }


def _bridge(bridge: Bridge, names: Names) -> dict[str, Any]:
    return _link(bridge.link) | {
        "network": bridge.network.name,
        "ports": list(bridge.ports),
        "rules": _rules(bridge.rules, names),
    }


def _rules(rules: Iterable[Rule], names: Names) -> list[dict[str, Any]]:
    return [
        {
            "family": _family(rule.family),
            "table": rule.table,
            "chain": rule.chain,
            "number": rule.number,
            "rule": rule.text,
            "does": sentences.does(rule, names),
            "why": sentences.why(rule) or None,
        }
        for rule in rules
    ]
