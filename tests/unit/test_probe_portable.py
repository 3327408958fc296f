"""The portable prober: its script, its fallback, and what it does not claim."""

from __future__ import annotations

import re
import subprocess

import pytest

from dockerlab.errors import TransportError
from dockerlab.hosts.fake import FakeHost
from dockerlab.probe.base import Behind, Cell, Observation, Place
from dockerlab.probe.portable import PortableProber, call, identify, read_output, script

A = Place("vm0", "a", 11, "aa")
B = Place("vm0", "b", 12, "bb")
TWIN = Place("vm1", "twin", 13, "cc")
JOINED = Place("vm0", "joined", 12, "dd", shares="bb")

ANSWERED = "64 bytes from it: time=0.5 ms\n1 packets transmitted, 1 received"
LOST = "1 packets transmitted, 0 received"


class Answers(FakeHost):
    """A host whose commands are answered by a function from the arguments to what each ping prints, or an error."""

    def __init__(self, answer):
        super().__init__("vm0", self.printed)
        self.answer, self.ran = answer, []

    def converse(self, argv, *, timeout):
        assert timeout > 0
        self.ran.append(list(argv))
        return super().converse(argv, timeout=timeout)

    def printed(self, argv, given):
        text = self.answer(list(argv))
        if not text:
            return 126, "", "no sh here"
        mark = re.search(r"mark='?(\S+?)'?\n", given.decode()).group(1)
        numbers = re.findall(r"^ping_to (\d+)", given.decode(), re.MULTILINE)
        blocks = [("hosts", ""), *((number, text) for number in numbers)]
        return "".join(f"{mark} {number}\n{said}\n{mark} end\n" for number, said in blocks)


def ping(number=1, source=A, target=B, address="10.0.0.2"):
    return Cell(number, source, target, address, "ping")


def test_one_command_for_each_source():
    """All cells of a source are probed in one go."""
    host = Answers(lambda _: ANSWERED)
    seen = PortableProber({"vm0": host}, "lab").observe([ping(1), ping(2, target=None), ping(3, B, A, "10.0.0.1")])
    assert {one.state for one in seen.values()} == {"reachable"}
    assert sorted(host.ran) == [["docker", "exec", "-i", one, "sh", "-s"] for one in ("aa", "bb")]


def test_a_helper_probes_what_the_container_cannot():
    """A container without a shell or ping is probed from a labelled helper in its network, without a pull."""
    host = Answers(lambda argv: ANSWERED if argv[1] == "run" else None)
    seen = PortableProber({"vm0": host}, "lab").observe([ping()])
    assert seen[1].state == "reachable"
    helper = " ".join(host.ran[1])
    assert "--rm" in helper
    assert "--pull never" in helper
    assert "--label dockerlab.lab=lab --network container:aa" in helper


def test_a_host_probes_by_itself_then_by_a_helper_in_host_mode():
    """The host is a source like any other."""
    host = Answers(lambda argv: ANSWERED if argv[0] == "docker" else "sh: ping: not found")
    seen = PortableProber({"vm0": host}, "lab").observe([ping(source=Place("vm0", None, 1))])
    assert seen[1].state == "reachable"
    assert host.ran[0] == ["sh", "-s"]
    assert "--network host" in " ".join(host.ran[1])


def test_what_neither_can_test_is_unknown_with_both_reasons():
    """Nothing that could not be tested counts as unreachable."""
    seen = PortableProber({"vm0": Answers(lambda _: None)}, "lab").observe([ping()])
    assert seen[1].state == "unknown"
    assert seen[1].detail.count("no sh here") == 2


def test_no_helper_where_none_is_wanted():
    """Without leave no container is made, and what a container cannot tell by itself is unknown."""
    host = Answers(lambda argv: ANSWERED if argv[1] == "run" else None)
    seen = PortableProber({"vm0": host}, "lab", helper=False).observe([ping()])
    assert seen[1].state == "unknown"
    assert "--allow-helper" in seen[1].detail
    assert [argv[1] for argv in host.ran] == ["exec"]


def test_a_lost_host_makes_its_cells_unknown():
    """The transport's failure says nothing about the lab's network."""

    def lost(_):
        raise TransportError("vm0", "the connection was lost")

    seen = PortableProber({"vm0": Answers(lost)}, "lab").observe([ping()])
    assert (seen[1].state, "connection was lost" in seen[1].detail) == ("unknown", True)


@pytest.mark.parametrize("value", ["-x", "$(id)", "a;id", "a b", "a\nb", "", None])
def test_a_value_never_becomes_code_or_an_option(value):
    """A name that is none is not tested; an address that is none is a mistake of the caller's."""
    with pytest.raises(ValueError, match="does not appear to be"):
        call(Cell(1, A, B, value or "x", "ping"))
    seen = PortableProber({"vm0": Answers(lambda _: LOST)}, "lab").observe([Cell(1, A, B, "", "dns", name=value)])
    assert seen[1].state == "unknown"


def test_the_script_is_sh_and_prints_each_cell_between_its_marks(tmp_path):
    """The real sh runs it with a ping of the test's own, and the output reads back."""
    tool = tmp_path / "ping"
    tool.write_text("#!/bin/sh\necho '1 packets transmitted, 1 received'\necho \"for $6\"\n")
    tool.chmod(0o755)
    cells = [ping(number, address=f"10.0.0.{number}") for number in range(1, 40)]
    text = script([call(cell) for cell in cells], "@@mark")
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-s"], input=text.encode(), capture_output=True, check=True, env=path)
    assert done.stderr == b""
    seen = read_output(cells, done.stdout.decode(), "@@mark", "missing")
    assert {one.state for one in seen.values()} == {"reachable"}
    assert len(seen) == 39


def test_output_that_ends_early_leaves_the_rest_unknown():
    """Cells without a block between marks were not tested."""
    seen = read_output([ping(1), ping(2)], f"@@m 1\n{ANSWERED}\n@@m end\n@@m 2\nPING", "@@m", "it ended early")
    assert [seen[1].state, seen[2]] == ["reachable", Observation("unknown", detail="it ended early")]


def test_an_answer_from_an_address_of_several_is_unknown():
    """Ping cannot tell two namespaces with one address apart; silence still is silence."""
    answered, silent = Observation("reachable"), Observation("unreachable", "timeout")
    assert identify(ping(), answered, {B, TWIN}).state == "unknown"
    assert "twin on vm1" in identify(ping(), answered, {B, TWIN}).detail
    assert identify(ping(), silent, {B, TWIN}) is silent
    assert identify(ping(), answered, {B}).state == "reachable"


def test_places_that_share_a_namespace_are_not_several():
    """A container in another's network has its addresses by right."""
    assert identify(ping(), Observation("reachable"), {B, JOINED}).state == "reachable"


def test_a_source_that_has_the_address_itself_answers_itself():
    """The kernel never sends a packet to its own address out, so who answered is known."""
    answered = Observation("reachable")
    assert identify(ping(source=B, target=B), answered, {B, TWIN}).state == "reachable"
    assert identify(ping(source=TWIN, target=B), answered, {B, TWIN}).symptom == "wrong answerer"


@pytest.mark.parametrize(
    ("printed", "state"),
    [
        ("10.0.0.2 (10.0.0.2:80) open\nheard 1", "reachable"),
        ("10.0.0.2 (10.0.0.2:80) open\nheard 0", "unknown"),
        ("10.0.0.2 (10.0.0.2:80) open\nheard ", "unknown"),
        ("nc: 10.0.0.2 (10.0.0.2:80): Connection refused", "unreachable"),
    ],
)
def test_a_published_port_has_to_say_something(printed, state):
    """A docker-proxy accepts also for nobody: only what is said there proves that somebody was behind it."""
    cell = Cell(1, A, Place("vm0", None, 1), "10.0.0.2", "tcp", 8080, behind=(Behind(B, 80),))
    assert read_output([cell], f"@@m 1\n{printed}\n@@m end\n", "@@m", "missing")[1].state == state
    plain = Cell(1, A, B, "10.0.0.2", "tcp", 80)
    opened = "10.0.0.2 (10.0.0.2:80) open"
    assert read_output([plain], f"@@m 1\n{opened}\n@@m end\n", "@@m", "missing")[1].state == "reachable"


@pytest.mark.parametrize(("server", "state"), [("echo hello", "reachable"), ("exec sleep 9", "unknown")])
def test_the_script_asks_whom_it_reaches(tmp_path, server, state):
    """The real sh asks through an nc of the test's own, and lets go of one that never ends."""
    tool = tmp_path / "nc"
    tool.write_text(f"#!/bin/sh\ncase $* in *-z*) echo '10.0.0.2 80 open' >&2; exit ;; esac\n{server}\n")
    tool.chmod(0o755)
    cell = Cell(1, A, Place("vm0", None, 1), "10.0.0.2", "tcp", 8080, behind=(Behind(B, 80),))
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    text = script([call(cell)], "@@mark").encode()
    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, check=True, env=path, timeout=8)
    assert read_output([cell], done.stdout.decode(), "@@mark", "missing")[1].state == state
