"""What is wrong with what a definition says of a host itself, or of what is done inside a container once it runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from dockerlab.lab.filter_lines import filter_line
from dockerlab.lab.ground import Firewall, Ground, GroundRoute, GroundRule, HostInterface
from dockerlab.lab.model import Container, Lab
from dockerlab.lab.problem import KeyPath, Problem, meant

MODES = {"macvlan": ("bridge", "private", "vepa", "passthru"), "ipvlan": ("l2", "l3", "l3s")}
GATES = ("via", "dev", "source")


def grounds(lab: Lab) -> Iterable[Problem]:
    """Yield what is wrong with what is said of the hosts themselves."""
    for host, ground in lab.grounds.items():
        path: KeyPath = ("hosts", host)
        yield from _interfaces(ground, (*path, "interfaces"))
        yield from _routes(ground.routes, (*path, "routes"))
        yield from _rules(ground, (*path, "rules"))
        if ground.firewall is not None:
            yield from _firewall(ground.firewall, (*path, "firewall"))


def insides(lab: Lab) -> Iterable[Problem]:
    """Yield what is wrong with containers' routes, and with the commands that are run inside."""
    for name, spec in lab.containers.items():
        path: KeyPath = ("containers", name)
        yield from _routes(spec.routes, (*path, "routes"))
        if spec.routes and (home := _home(lab, name, spec)):
            yield Problem((*path, "routes"), f"in mode {spec.mode} it has no routes of its own: write them at {home}")
        for index, line in enumerate(spec.after):
            if not (shlex.split(line) if isinstance(line, str) else line):
                yield Problem((*path, "after", index), "a command is missing: write one as in touch /tmp/ready")


def _home(lab: Lab, name: str, spec: Container) -> str:
    """Return where the routes of a container are that has none of its own, empty for one that has."""
    return spec.owner or (f"hosts.{lab.host_of(name)}" if spec.mode == "host" else "")


def _interfaces(ground: Ground, path: KeyPath) -> Iterator[Problem]:
    known: list[str] = []
    made = {name for name, spec in ground.interfaces.items() if spec.kind is not None}
    for name, spec in ground.interfaces.items():
        for key, message in _interface(spec):
            yield Problem((*path, name, key) if key else (*path, name), message)
        if spec.parent in made and spec.parent not in known:
            yield Problem((*path, name, "parent"), f"{spec.parent} has to stand before what is made on it")
        known.append(name)


def _interface(spec: HostInterface) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with an interface: the key, empty for all of it, and why."""
    if spec.kind is None:
        if spec.parent is not None or spec.mode is not None or spec.id is not None:
            yield "", "`kind` is missing: say what is to be made, such as macvlan, or leave parent, mode and id out"
        elif not spec.addresses and spec.mtu is None:
            yield "", "nothing is said of it: give it `addresses` or an `mtu`, or a `kind` to make it"
        return
    if spec.kind == "dummy" and spec.parent is not None:
        yield "parent", "a dummy is made on nothing: leave it out"
    if spec.kind != "dummy" and spec.parent is None:
        yield "", f"`parent` is missing: the interface that the {spec.kind} is made on"
    if (spec.kind == "vlan") != (spec.id is not None):
        yield ("", "`id` is missing: the number of the VLAN") if spec.kind == "vlan" else ("id", "only a vlan has it")
    if spec.mode is not None and spec.mode not in MODES.get(spec.kind, ()):
        known = ", ".join(MODES.get(spec.kind, ())) or "it has none"
        yield "mode", f"{spec.mode} is no mode of {spec.kind}: {known}"


def _routes(routes: Sequence[GroundRoute], path: KeyPath) -> Iterator[Problem]:
    taken = set()
    for index, spec in enumerate(routes):
        at = (*path, index)
        if spec.kind == "unicast" and spec.via is None and spec.dev is None:
            yield Problem(at, "by which way? write `via` and a router, or `dev` and an interface")
        if spec.kind != "unicast" and any(getattr(spec, key) is not None for key in GATES):
            yield Problem(at, f"what is {spec.kind} is sent nowhere: leave via, dev and src out")
        for key in ("via", "source"):
            address = getattr(spec, key)
            if address is not None and address.version != spec.version:
                yield Problem(at, f"{address} is of IPv{address.version}, and the route of IPv{spec.version}")
        place = (spec.version, spec.to, spec.table, spec.metric)
        if place in taken:
            yield Problem(at, f"there is one to {spec.to} above: give one of them another table or `metric`")
        taken.add(place)


def _rules(ground: Ground, path: KeyPath) -> Iterator[Problem]:
    seen: list[GroundRule] = []
    for index, spec in enumerate(ground.rules):
        if (spec.table is None) == (spec.kind is None):
            yield Problem((*path, index), "say either which `table` is looked into, or what becomes of such packets")
        if spec.source is not None and spec.to is not None and spec.source.version != spec.to.version:
            yield Problem((*path, index), f"{spec.source} and {spec.to} are of different IP versions")
        if spec in seen:
            yield Problem((*path, index), "this rule stands above already")
        seen.append(spec)


def _firewall(firewall: Firewall, path: KeyPath) -> Iterator[Problem]:
    if firewall.allow and firewall.preset is None:
        yield Problem((*path, "allow"), "without a preset nothing is denied: write an `iptables` line to let it in")
    for program in ("iptables", "ip6tables"):
        lines: Sequence[str] = getattr(firewall, program)
        for index, text in enumerate(lines):
            if text in lines[:index]:
                yield Problem((*path, program, index), "this line stands above already")
        if firewall.preset != "ufw" and (wrong := _locked_out(lines)) is not None:
            message = "nobody could come in to undo this: write an -A INPUT line before it that accepts port 22"
            yield Problem((*path, program, wrong), message)
    for name, chain in firewall.nft.items():
        for index, rule in enumerate(chain.rules):
            words = rule.split()
            for verb, target in pairwise(words):
                if verb in ("jump", "goto") and target not in firewall.nft and target != "{":
                    message = f"no chain {target}: {meant(target, firewall.nft)}"
                    yield Problem((*path, "nft", name, "rules", index), message)


def _locked_out(lines: Sequence[str]) -> int | None:
    """Return the number of a line that drops what comes in, where no line lets ssh in."""
    read = [filter_line(text) for text in lines]
    own = [line for line in read if line.table == "filter" and line.chain == "INPUT"]
    drops = [n for n, line in enumerate(read) if line in own and line.verb == "-P" and line.words == ("DROP",)]
    opens = any("ACCEPT" in line.words and {"22", "ssh"} & set(line.words) for line in own)
    return drops[0] if drops and not opens else None
