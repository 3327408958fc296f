"""What is wrong with a definition in any mode: beyond its structure, before any host is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from dockerlab.errors import UsageError
from dockerlab.hosts.address import LOCAL, parse_address
from dockerlab.lab.addresses import fixed_addresses, network_addresses, overlaps
from dockerlab.lab.daemon_rules import daemons
from dockerlab.lab.ground_rules import grounds, insides
from dockerlab.lab.model import Address, Lab
from dockerlab.lab.naming import names
from dockerlab.lab.ports import Port
from dockerlab.lab.problem import KeyPath, Problem, meant, shown
from dockerlab.lab.process_rules import processes
from dockerlab.snapshot import full_name

Claim = tuple[str, int | None, str, int]
"""A port of a host: the host, the number, the protocol, the IP version."""

LABEL_PREFIX = "dockerlab."

WORD = r"(PASSWORD|PASSWD|PASS|PASSPHRASE|SECRET|TOKEN|APIKEY|API[_-]KEY|PRIVATE[_-]KEY|ACCESS[_-]KEY)"
SECRET = re.compile(rf"(^|_){WORD}(_|$)", re.IGNORECASE)
OPTION = re.compile(rf"^(-[\w-]*?-|\w*_)?{WORD}=.", re.IGNORECASE)
LOGIN = re.compile(r"://[^\s:@/]*:[^\s@/]+@")
"""What a secret looks like: the name of a variable, `--password=…`, and `scheme://user:password@host`."""

SWITCH = re.compile(r"true|false|yes|no|on|off|enabled?|disabled?|[01]", re.IGNORECASE)
"""Values by which something is switched on or off, whatever it is called."""

OPEN = "a secret for everybody who sees the file, or the processes of the host"
DOCKERS = re.compile(r"PATH|HOME|IFS|ENV|GODEBUG|(BASH|DOCKER|LD)_.*")


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
    anywhere: dict[Claim, str] = {}
    everywhere: dict[Claim, str] = {}
    exactly: dict[tuple[Claim, Address], str] = {}
    for name, spec in lab.containers.items():
        host = lab.host_of(name)
        for index, port in enumerate(spec.ports):
            if port.published is None or spec.network_mode == "host":
                continue
            address = None if port.host_ip is None or port.host_ip.is_unspecified else port.host_ip
            other = None
            for claim in _claims(host, port):
                if address is None:
                    other = other or anywhere.get(claim)
                    everywhere.setdefault(claim, name)
                else:
                    other = other or everywhere.get(claim) or exactly.get((claim, address))
                    exactly.setdefault((claim, address), name)
                anywhere.setdefault(claim, name)
            if other is not None:
                what = f"{port.published}/{port.protocol}"
                message = f"{other} publishes {what} on host {host} already: choose another port of the host"
                yield Problem(("containers", name, "ports", index), message)


def _claims(host: str, port: Port) -> list[Claim]:
    """Return what a published port takes of a host: without an address, that of both IP versions."""
    versions = (4, 6) if port.host_ip is None else (port.host_ip.version,)
    return [(host, port.published, port.protocol, version) for version in versions]


def own_labels(lab: Lab) -> Iterable[Problem]:
    """Yield every label that would speak over those by which a lab's objects are known as its own."""
    for section, entries in (("networks", lab.networks), ("volumes", lab.volumes), ("containers", lab.containers)):
        for name, spec in entries.items():
            for key in spec.labels:
                if key.startswith(LABEL_PREFIX):
                    message = f"labels that begin with {LABEL_PREFIX} say whose an object is: choose another name"
                    yield Problem((section, name, "labels", key), message, of_key=True)


def images(lab: Lab) -> Iterable[Problem]:
    """Yield what is wrong with the images to build: what they are made of, and what is expected of them."""
    names: dict[str, str] = {}
    for name, spec in lab.images.items():
        path: KeyPath = ("images", name)
        if full_name(name) in names:
            yield Problem(path, f"this is {names[full_name(name)]} once more: each image has one entry", of_key=True)
        names.setdefault(full_name(name), name)
        if bool(spec.steps) == (spec.dockerfile is not None):
            yield Problem(path, "write either `steps` or a `dockerfile`: what is to be done on top of `from`")
        for index, container in enumerate(spec.expect.unchanged_by):
            there = lab.containers.get(container)
            if there is None or lab.built(there.image) != name:
                known = [each for each, other in lab.containers.items() if lab.built(other.image) == name]
                message = f"{shown(container)} is no container of this image: {meant(container, known)}"
                yield Problem((*path, "expect", "unchanged_by", index), message)


def addresses(lab: Lab) -> Iterable[Problem]:
    """Yield every address of a host that is none, or that holds a password."""
    for name, where in lab.addresses.items():
        if where is not None and where != LOCAL:
            try:
                parse_address(where)
            except UsageError as error:
                yield Problem(("hosts", name, "address"), str(error))


def handed_over(lab: Lab) -> Iterable[Problem]:
    """Yield every variable without a value that cannot be handed over: the docker command itself would heed it."""
    for name, spec in lab.containers.items():
        for key in spec.handed_over:
            path = ("containers", name, "environment", key)
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
                message = (
                    f"{shown(key)} is no name of a variable: only one of letters, digits and `_` may have no value"
                )
                yield Problem(path, message, of_key=True)
            elif DOCKERS.fullmatch(key):
                yield Problem(path, f"{key} is for the docker command itself, too: give it a value here", of_key=True)


def warnings(lab: Lab) -> Iterable[Problem]:
    """Yield what is better not done though it works: a secret where others can read it."""
    for name, value in lab.vars.items():
        if SECRET.search(name) and value not in (None, ""):
            advice = f"leave it out, write `environment: {{{name.upper()}: }}` without a value at the container, and"
            yield Problem(("vars", name), f"{OPEN}: {advice} export {name.upper()} before `up`")
    for name, spec in lab.containers.items():
        path: KeyPath = ("containers", name)
        for key, value in spec.environment.items():
            if value and (_secret(key, value) or LOGIN.search(value)):
                advice = f"write `{key}:` without a value, and export {key} before `up`"
                yield Problem((*path, "environment", key), f"{OPEN}: {advice}")
        for section, words in zip(("entrypoint", "command"), spec.words, strict=True):
            if any(LOGIN.search(word) or OPTION.search(word) for word in words):
                advice = "let the program read it from a variable that stands in `environment` without a value"
                yield Problem((*path, section), f"{OPEN}: {advice}")


def _secret(key: str, value: str) -> bool:
    """Tell whether a variable holds a secret by its name; a switch is none, nor is the path of a file with one."""
    file = key.upper().endswith("_FILE") and value.startswith("/")
    return SECRET.search(key) is not None and not file and not SWITCH.fullmatch(value)


def absent(lab: Lab, environment: Mapping[str, str]) -> Iterable[Problem]:
    """Yield every variable that a container is to get from an environment that does not have it."""
    for name, spec in lab.containers.items():
        for key in spec.handed_over:
            if key not in environment and key not in lab.given.get(name, {}):
                message = f"{key} is not in the environment of this call: the container starts without it"
                yield Problem(("containers", name, "environment", key), message)


CHECKS: tuple[Callable[[Lab], Iterable[Problem]], ...] = (
    not_empty,
    distinct_names,
    published_ports,
    own_labels,
    images,
    addresses,
    handed_over,
    network_addresses,
    fixed_addresses,
    overlaps,
    daemons,
    names,
    processes,
    grounds,
    insides,
)
