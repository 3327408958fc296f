"""What is wrong with a definition in any mode: beyond its structure, before any host is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from dockerlab.lab.addresses import fixed_addresses, network_addresses, overlaps
from dockerlab.lab.model import Lab
from dockerlab.lab.ports import Port
from dockerlab.lab.problem import Problem

LABEL_PREFIX = "dockerlab."
SECRET = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PASS|PASSPHRASE|SECRET|TOKEN|APIKEY|API_KEY|PRIVATE_KEY|ACCESS_KEY)(_|$)", re.IGNORECASE
)


def not_empty(lab: Lab) -> Iterable[Problem]:
    """Yield a problem when there is nothing to run."""
    if not lab.containers:
        yield Problem(("containers",), "a lab has at least one container: write containers: {NAME: {image: …}}")


def distinct_names(lab: Lab) -> Iterable[Problem]:
    """Yield the names that mean two things: hosts, containers and outside targets all stand in the matrix."""
    kinds: dict[str, Iterable[str]] = {"host": lab.hosts, "container": lab.containers, "outside target": lab.outside}
    sections = {"host": "hosts", "container": "containers", "outside target": "outside"}
    taken: dict[str, str] = {}
    for kind, entries in kinds.items():
        for name in entries:
            if name in taken:
                message = f"a {taken[name]} is called {name} as well: the matrix could not tell them apart; rename one"
                yield Problem((sections[kind], name), message, of_key=True)
            else:
                taken[name] = kind


def published_ports(lab: Lab) -> Iterable[Problem]:
    """Yield every port that two containers, or one twice, would publish on the same host."""
    taken: dict[tuple[str, int, str], list[tuple[Port, str]]] = {}
    for name, spec in lab.containers.items():
        host = lab.host_of(name)
        for index, port in enumerate(spec.ports):
            if port.published is None or spec.network_mode == "host":
                continue
            others = taken.setdefault((host, port.published, port.protocol), [])
            other = next((owner for known, owner in others if _same_address(known, port)), None)
            if other is not None:
                what = f"{port.published}/{port.protocol}"
                message = f"{other} publishes {what} on host {host} already: choose another port of the host"
                yield Problem(("containers", name, "ports", index), message)
            others.append((port, name))


def own_labels(lab: Lab) -> Iterable[Problem]:
    """Yield every label that would speak over those by which a lab's objects are known as its own."""
    for section, entries in (("networks", lab.networks), ("containers", lab.containers)):
        for name, spec in entries.items():
            for key in spec.labels:
                if key.startswith(LABEL_PREFIX):
                    message = f"labels that begin with {LABEL_PREFIX} say whose an object is: choose another name"
                    yield Problem((section, name, "labels", key), message, of_key=True)


def _same_address(one: Port, other: Port) -> bool:
    first, second = one.host_ip, other.host_ip
    if first is None or second is None:
        return True
    return first.version == second.version and (first == second or first.is_unspecified or second.is_unspecified)


def warnings(lab: Lab, overrides: Collection[str] = ()) -> Iterable[Problem]:
    """Yield what is better not done though it works: a password that stands in the file.

    `overrides` are the variables that were given beside the file.
    """
    advice = "looks like a secret in the file: declare an empty variable in `vars` and give it with --set when needed"
    given = [str(value) for value in lab.vars.values() if value not in (None, "")]
    for name, value in lab.vars.items():
        if SECRET.search(name) and value not in (None, "") and name not in overrides:
            yield Problem(("vars", name), advice)
    for name, spec in lab.containers.items():
        for key, value in spec.environment.items():
            if SECRET.search(key) and value and not any(text in value for text in given):
                yield Problem(("containers", name, "environment", key), advice)


CHECKS: tuple[Callable[[Lab], Iterable[Problem]], ...] = (
    not_empty,
    distinct_names,
    published_ports,
    own_labels,
    network_addresses,
    fixed_addresses,
    overlaps,
)
