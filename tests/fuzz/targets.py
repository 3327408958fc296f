"""What may come in, and what has to hold of it: one function of bytes for each target.

A function returns when all is as it should be, and raises anything else. It needs no fuzzer: `scripts/fuzz` looks for
inputs that make it raise, `tests/unit/test_fuzz.py` gives it the inputs that were found.
"""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from support.labs import plan_up, who
from support.pretend import Engines

from dockerlab import modes, render
from dockerlab.compose.load import load as composed
from dockerlab.compose.options import Options
from dockerlab.doctor import condition
from dockerlab.doctor.examine import judge
from dockerlab.doctor.look import Patient
from dockerlab.engine.convert import Answers, to_snapshot
from dockerlab.errors import DefinitionError, EngineError, HostError, UsageError
from dockerlab.hosts.address import SshOptions, parse_address
from dockerlab.hosts.inventory_file import read_inventory
from dockerlab.hosts.sshconfig import route
from dockerlab.kernel import ipset, iptables, nft
from dockerlab.kernel.model import Machine
from dockerlab.lab.check import absent, warnings
from dockerlab.lab.lint import LINTS
from dockerlab.lab.loader import loads, read
from dockerlab.lab.template import MAX_OUTPUT
from dockerlab.lab.template import render as fill
from dockerlab.lab.texts import decoded
from dockerlab.machinery import naming, sentences
from dockerlab.machinery.names import Names
from dockerlab.plain import printable
from dockerlab.probe import parse, wire
from dockerlab.probe.base import Cell, Observation, Place
from dockerlab.provision import as_compose
from dockerlab.provision.images import NODE_SCRIPT
from dockerlab.provision.scripts import of
from dockerlab.report import findings
from dockerlab.snapshot import Snapshot
from dockerlab.survey import bare, facts, send
from dockerlab.survey import parse as kernels

CORPUS = Path(__file__).parent / "corpus"

HERE = Place("vm0", "a", 1, "a")


def loader(data: bytes) -> None:
    """Bytes are a Lab whose warnings can be placed, or DefinitionError with every problem in its place."""
    try:
        found = read(decoded(data, "f"), "f", networks=modes.network_types(), checks=[modes.check])
    except DefinitionError as error:
        return _located(error)
    problems = [*warnings(found.lab), *absent(found.lab, {})]
    problems += [problem for each in (*LINTS, modes.lint) for problem in each(found.lab)]
    assert all(_printable(str(problem)) for problem in found.locate(problems))
    return None


def compose(data: bytes) -> None:
    """Bytes are a Compose file, and a lab that can be written as one again, or an error with every problem's place.

    What includes or extends other files finds its own directory alone, which holds it.
    """
    options = Options(project="p", environment={"A": "one", "EMPTY": ""})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "compose.yaml"
        path.write_bytes(data)
        try:
            found = composed([path], options, networks=modes.network_types(), checks=[modes.check])
        except DefinitionError as error:
            _located(error)
            return
        except UsageError as error:
            _told(error)
            return
        assert all(_printable(note) for note in found.notes)
        path.write_text(as_compose.of(found.lab), encoding="utf-8")
        again = modes.definition(path, options=options).lab
    assert again.containers.keys() == found.lab.containers.keys()
    assert again.networks.keys() == found.lab.networks.keys()


def template(data: bytes) -> None:
    """An expression gives a text of bounded length, or a ValueError that says why not."""
    try:
        result = fill(data.decode(errors="replace"), {"a": 1, "x": "text", "n": None, "l": [1, "2"], "m": {"k": "v"}})
    except ValueError as error:
        return _told(error)
    assert len(result) <= MAX_OUTPUT
    return None


def renderer(data: bytes) -> None:
    """A definition with these values is refused with places, or its script's commands are exactly what was meant."""
    try:
        made = loads(_definition(data), networks=modes.network_types(), checks=[modes.check])
    except DefinitionError as error:
        return _located(error)
    steps = plan_up(made, Engines(made.hosts)).ordered()
    commands = [command for step in steps for command in (*step.commands, *step.undo)]
    for command in commands:
        assert tuple(shlex.split(command.told())) == command.argv
    typed = [word for step in steps for command in step.commands for word in command.argv]
    script = of(made, who(made)).replace(NODE_SCRIPT.rstrip(), "")
    assert _words(script) == _words("set -eu", *typed)
    return None


def lines(data: bytes) -> None:
    """Whatever two values are put into a template's line, they are two arguments, and a reason is one comment."""
    one, _, two = data.decode(errors="replace").replace("\0", "").partition("\n")
    made = render.command("docker {{ a }} --x={{ b }}  # is {{ a }}\n  {{ b }}  # {{ b }}", "h", a=one, b=two)
    assert made.argv == ("docker", one, f"--x={two}", two)
    assert _words(render.script("h", two, [made])) == _words("set -eu", *made.argv)


def ping(data: bytes) -> None:
    """Whatever ping and nc print is an observation; "unreachable" always says by what."""
    text = data.decode(errors="replace")
    _observed(parse.parse_ping(text))
    _observed(parse.parse_nc(text))


def nslookup(data: bytes) -> None:
    """Whatever nslookup prints, and whatever a hosts file holds, is an observation."""
    text, _, hosts = data.decode(errors="replace").partition("\f")
    for expected in ((), ("10.1.0.2",), ("fd00::2",)):
        cell = Cell(number=1, source=HERE, target=None, address="", probe="dns", name="web", expected=expected)
        _observed(parse.parse_nslookup(text, cell, hosts))


def packets(data: bytes) -> None:
    """Whatever comes over the wire is a packet of ours or is not; it never stops the agent."""
    nonce = b"n" * wire.NONCE_SIZE
    for family, kind in ((4, wire.TYPE_A), (6, wire.TYPE_AAAA)):
        wire.read_icmp(wire.strip_ip_header(data, family), family, nonce)
        wire.read_dns(data, int.from_bytes(data[:2], "big"), kind)
    wire.read_resolv_conf(data.decode(errors="replace"))


def machine(data: bytes) -> None:
    """Whatever a machine says of its links, routes and settings becomes facts, or HostError with the host's name."""
    text = data.decode(errors="replace")
    try:
        facts.parse("vm0", text)
        bare.machine("vm0", text)
    except HostError as error:
        _told(error, "vm0: ")
    except RecursionError:
        pass  # the standard library's affair


def engine(data: bytes) -> None:
    """Whatever JSON an engine answers becomes a snapshot, or EngineError with the host's name."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return  # the SDK's affair
    said = said if isinstance(said, dict) else {"containers": said}
    parts = ("version", "info", "containers", "networks", "volumes", "images")
    default = ({}, {}, [], [], [], [])
    try:
        to_snapshot("vm0", Answers(*(said.get(part, empty) for part, empty in zip(parts, default, strict=True))))
    except EngineError as error:
        _told(error, "vm0: ")


def inventory(data: bytes) -> None:
    """A file is an inventory, or UsageError or DefinitionError that says what is wrong with it."""
    try:
        _with_file(data, read_inventory)
    except UsageError as error:
        _told(error)


def address(data: bytes) -> None:
    """A text is an address, whose parts are words, or UsageError."""
    text = data.decode(errors="replace")
    try:
        found = parse_address(text)
    except UsageError as error:
        _told(error)
    else:
        assert parse_address(f"ssh://{found}" if found.port else str(found)) == found
        assert len(shlex.split(found.host)) == 1


def sshconfig(data: bytes) -> None:
    """An ssh configuration gives hops, or UsageError."""
    text = data.lower()
    if any(word in text for word in (b"exec", b"include", b"canonical")):
        return  # what runs programs, reads other files and asks name servers is nothing for a fuzzer

    def routes(path: Path) -> None:
        options = SshOptions(config_file=str(path))
        assert route(parse_address("vm0"), options)
        assert route(parse_address("ssh://me@vm1:2222"), options)

    try:
        _with_file(data, routes)
    except UsageError as error:
        _told(error)


def rules(data: bytes) -> None:
    """Whatever iptables-save prints is rules, each one a sentence for a terminal, or a ValueError."""
    try:
        found = iptables.read(data.decode(errors="replace"), "ip")
    except ValueError as error:
        return _told(error)
    nobody = Names({}, {})
    for rule in found.rules():
        sentence = printable(sentences.does(rule, nobody))
        assert sentence.endswith(".")
        assert isinstance(sentences.why(rule), str)
        assert isinstance(naming.places(rule) | naming.interfaces(rule), set)
    assert all(sentences.policy(chain) for chain in found.chains)
    return None


def saved(data: bytes) -> None:
    """Whatever iptables-save prints is a ruleset that is the same when it was written and read again, or ValueError."""
    try:
        found = iptables.read(data.decode(errors="replace"), "ip")
    except ValueError as error:
        return _told(error)
    assert iptables.read(iptables.write(found), "ip").chains == found.chains
    return None


def nftables(data: bytes) -> None:
    """Whatever JSON nft prints is a ruleset in which every rule has a text, or ValueError."""
    try:
        found = nft.read(json.loads(data))
    except RecursionError:
        return None  # the standard library's affair
    except ValueError as error:
        return _told(error)
    assert all(isinstance(rule.text, str) for rule in found.rules())
    assert isinstance(nft.write(found), str)
    return None


def sets(data: bytes) -> None:
    """Whatever ipset prints is sets, or ValueError."""
    try:
        ipset.read(data.decode(errors="replace"))
    except ValueError as error:
        _told(error)


def survey(data: bytes) -> None:
    """Whatever a host prints for the survey's program is its kernel's state, or HostError with the host's name."""
    try:
        found = send.read("vm0", data, kernels.machine, Machine)
    except HostError as error:
        return _told(error, "vm0: ")
    assert found.host == "vm0"
    assert all(isinstance(rule.text, str) for space in found.namespaces for rule in space.ruleset.rules())
    return None


def doctor(data: bytes) -> None:
    """Whatever a machine says to a doctor is judged, and told in lines for a terminal."""
    text = data.decode(errors="replace")
    told = condition.parse(text, 1_700_000_000.0, 1_700_000_001.0)
    try:
        machine = facts.parse("vm0", text)
    except HostError:
        return
    found = list(judge(Patient("vm0", "vm0", machine, told, Snapshot("vm0", engine_version="28.5.2"))))
    assert {finding.status for finding in found} <= {"ok", "warning", "problem", "unknown"}
    assert all(_printable(line) for line in findings.table(found, 100).split("\n"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        loader, compose, template, renderer, lines, ping, nslookup, packets, machine, engine, inventory, address,
        sshconfig, rules, saved, nftables, sets, survey, doctor,
    )
}  # fmt: skip


BYTES = re.compile(r"\$\(printf '((?:\\[0-7]{3})+)'\)")
"""How a script for a shell writes bytes."""


def _told(error: Exception, beginning: str = "") -> None:
    """Hold that an error says something, and begins with that."""
    assert str(error).startswith(beginning)
    assert len(str(error)) > len(beginning)


def _located(error: DefinitionError) -> None:
    """Hold that every problem has a place and a text for a terminal."""
    assert error.problems
    for problem in error.problems:
        assert (problem.line, problem.column) >= (1, 1)
        assert problem.message
        assert _printable(str(problem))


def _words(script: str, *further: str) -> list[str]:
    """Return a script's words and further ones; where a line goes on, shlex gives a line break and a shell nothing.

    What a script writes as bytes, for a terminal would obey it, is what it stands for.
    """
    words = (word for word in (*shlex.split(script, comments=True), *further) if word != "\n")
    return [BYTES.sub(lambda found: _meant(found[1]), word) for word in words]


def _meant(octal: str) -> str:
    return bytes(int(each, 8) for each in octal.split("\\")[1:]).decode(errors="replace")


def _printable(text: str) -> bool:
    """Tell whether a message can be shown on a terminal as it is."""
    return all(char.isprintable() or char == "\N{LINE SEPARATOR}" for char in text)


def _observed(seen: Observation) -> None:
    assert seen.state in ("reachable", "unreachable", "unknown")
    assert (seen.symptom is not None) == (seen.state == "unreachable")


def _with_file(data: bytes, use: Callable[[Path], object]) -> None:
    """Call a function with a file that has the data in it, for as long as it takes."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        use(Path(file.name))


def _definition(data: bytes) -> str:
    """Return a definition with pieces of the data, which form feeds separate, in every place for free text."""
    pieces = cycle(data.decode(errors="surrogateescape").split("\f"))
    text, pair = (lambda: next(pieces)), (lambda: {next(pieces): next(pieces)})
    box = {
        "image": "busybox", "hostname": text(), "user": text(), "command": [text(), text()], "entrypoint": [text()],
        "environment": pair(), "labels": pair(), "sysctls": pair(), "extra_hosts": pair(), "dns_search": [text()],
        "cap_add": [text()], "cap_drop": [text()], "networks": {"net": {"aliases": [text()]}, "two": {}},
    }  # fmt: skip
    net = {"driver_opts": pair(), "labels": pair(), "ipam": {"driver": text(), "options": pair()}}
    lab = {"name": "nasty", "title": text(), "networks": {"net": net, "two": {}}, "containers": {"box": box}}
    return json.dumps(lab, ensure_ascii=False)
