"""Probe with the programs that containers have: ping, nc and nslookup, where the agent cannot run.

One command for each source runs all its probes, in the container itself or, for what that cannot tell, in a helper
container that joins its network. Whoever holds an address answers a ping to it: where several namespaces of the lab do,
the answer proves nothing, and the cell is unknown. A docker-proxy accepts also where nobody is behind it: a connection
to a published port is unknown unless something is said there when it is asked for a page.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_address

from dockerlab.command import Result
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.hosts.guests import allow
from dockerlab.probe.base import WRONG_ANSWERER, Cell, Observation, Place, unknown, unreachable
from dockerlab.probe.parse import parse_nc, parse_nslookup, parse_ping
from dockerlab.snapshot import LABEL_LAB

AT_ONCE = 16
"""Probes of one source that run at once; many more lose answers to the load alone."""

SOURCES_AT_ONCE = 4
"""Sources of one host that probe at once, for the same reason."""

START = 30.0
"""Seconds in which a script of probes has to begin."""

SECONDS_A_WAVE = 15.0
"""How long the slowest probe takes: a name server that never answers."""

IMAGE = "dockerlab/node"

NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")

NO_HELPER = "a container that helps would be asked with --allow-helper"

HEARD = re.compile(r"^heard +1$", re.MULTILINE)

FUNCTIONS = """\
LC_ALL=C
export LC_ALL
say() { printf '%s %s\\n%s\\n%s end\\n' "$mark" "$1" "$2" "$mark"; }
ping_to() {
    for try in 1 2 3; do
        out=$(ping -c 1 -W 1 "$2" 2>&1 </dev/null) && break
    done
    say "$1" "$out"
}
connect_to() {
    out=$(nc -n -z -v -w 2 "$2" "$3" 2>&1 </dev/null)
    case $out in  # a small busybox has no -z, but can run a program once it is connected
        *"invalid option"* | *"unrecognized option"* | *Usage:*)
            out=$(nc -w 2 "$2" "$3" -e sh -c 'echo open >&2' 2>&1 </dev/null) ;;
    esac
    case ${4-}$out in
        led*open* | led*succeeded*) out="$out
heard $(answer_of "$2" "$3")" ;;
    esac
    say "$1" "$out"
}
answer_of() {  # how many bytes come back, 0 or 1; not every nc ends by itself
    printf 'GET / HTTP/1.0\r\n\r\n' | {
        exec 3<&0
        nc -w 2 "$1" "$2" <&3 2>/dev/null &
        nc=$!
        { sleep 3; kill $nc; } >/dev/null 2>&1 &
        wait $nc
        kill $! 2>/dev/null
    } | head -c 1 | wc -c
}
look_up() { say "$1" "$(nslookup -timeout=2 -retry=1 "$2" 2>&1 </dev/null)"; }
say hosts "$(cat /etc/hosts 2>/dev/null)"
"""
"""The probes as functions of sh; their arguments are a cell's number and its quoted values. What is said at once is who
/etc/hosts knows, by which it is known as well that there is a shell."""


class PortableProber:
    """Probe from inside the containers, through `docker exec` and, where needed, `docker run`.

    `held` tells who is known to hold an address, beside the cells' targets: who it was that answered cannot be seen.
    Without `helper`, no container is made: what the containers' own programs cannot tell is unknown.
    """

    name = "portable"

    def __init__(
        self,
        hosts: Mapping[str, Host],
        lab: str,
        image: str = IMAGE,
        held: Mapping[str, Collection[Place]] | None = None,
        *,
        helper: bool = True,
    ) -> None:
        self._hosts = hosts
        self._lab = lab
        self._image = image
        self._held = held or {}
        self._helper = helper

    def observe(self, cells: Sequence[Cell]) -> dict[int, Observation]:
        """Probe every cell and return one observation for each cell's number; a lost host makes its cells unknown."""
        sources: dict[str, dict[Place, list[Cell]]] = {}
        for cell in cells:
            sources.setdefault(cell.source.host, {}).setdefault(cell.source, []).append(cell)
        if not sources:
            return {}
        holders = {address: set(places) for address, places in self._held.items()}
        for cell in cells:
            if cell.target is not None and cell.probe != "dns":
                holders.setdefault(cell.address, set()).add(cell.target)
        found: dict[int, Observation] = {}
        with ThreadPoolExecutor(len(sources)) as pool:
            for observations in pool.map(self._observe_host, sources, sources.values()):
                found.update(observations)
        return {cell.number: identify(cell, found[cell.number], holders.get(cell.address, set())) for cell in cells}

    def _observe_host(self, host: str, sources: Mapping[Place, Sequence[Cell]]) -> dict[int, Observation]:
        """Probe from every source on one host; those in one namespace in turn, as each hears the others' replies."""
        namespaces: dict[tuple[str, str], list[Place]] = {}
        for source in sources:
            namespaces.setdefault(source.namespace, []).append(source)

        def in_turn(places: Sequence[Place]) -> list[dict[int, Observation]]:
            return [self._observe_source(place, sources[place]) for place in places]

        found: dict[int, Observation] = {}
        with ThreadPoolExecutor(min(SOURCES_AT_ONCE, self._hosts[host].channels)) as pool:
            for several in pool.map(in_turn, namespaces.values()):
                for observations in several:
                    found.update(observations)
        return found

    def _observe_source(self, source: Place, cells: Sequence[Cell]) -> dict[int, Observation]:
        """Probe from one source by its own means, then by a helper's what those could not tell."""
        inside = ("docker", "exec", "-i", source.container_id, "sh", "-s")
        found = self._run(source.host, inside if source.container else ("sh", "-s"), cells)
        rest = [cell for cell in cells if found[cell.number].state == "unknown"]
        if rest and not self._helper:
            for cell in rest:
                found[cell.number] = unknown(f"{found[cell.number].detail}; {NO_HELPER}")
        elif rest:
            network = f"container:{source.container_id}" if source.container else "host"
            helper = ["docker", "run", "--rm", "-i", "--pull", "never", "--label", f"{LABEL_LAB}={self._lab}"]
            helper += ["--network", network, "--cap-add", "NET_RAW", "--entrypoint", "sh", self._image, "-s"]
            second = self._run(source.host, helper, rest)
            for cell in rest:
                first = found[cell.number]
                found[cell.number] = second[cell.number]
                if second[cell.number].state == "unknown":
                    found[cell.number] = unknown(f"{first.detail}; by a helper: {second[cell.number].detail}")
        return found

    def _run(self, host: str, argv: Sequence[str], cells: Sequence[Cell]) -> dict[int, Observation]:
        """Run one script of probes and read its output."""
        calls = {cell.number: call(cell) for cell in cells if askable(cell)}
        found = {cell.number: unknown(f"not tested: {cell.name!r} is no name for nslookup") for cell in cells}
        mark = f"@@{secrets.token_hex(8)}"
        quiet = SECONDS_A_WAVE * (1 + len(calls) // AT_ONCE)
        asked = [cell for cell in cells if cell.number in calls]
        try:
            result = ran(self._hosts[host], argv, script(calls.values(), mark), quiet)
        except HostError as error:
            return found | {cell.number: unknown(f"not tested: {error}") for cell in asked}
        reason = f"not tested: {result.error or 'the script of probes ended early'}".splitlines()[0]
        return found | read_output(asked, result.text, mark, reason)


def ran(host: Host, argv: Sequence[str], text: str, quiet: float) -> Result:
    """Return what a script of probes gave: a line at once, and the rest within `quiet` seconds; raises HostError."""
    talk = host.converse(argv, timeout=START + quiet)
    talk.send(text.encode())
    first = talk.receive_line()
    allow(host, quiet)
    rest = talk.finish()
    return replace(rest, stdout=first + rest.stdout)


def script(calls: Iterable[Sequence[str]], mark: str) -> str:
    """Return the script that makes all calls; what it prints about each is between lines that begin with `mark`."""
    lines = [f"mark={shlex.quote(mark)}", FUNCTIONS]
    for count, words in enumerate(calls, 1):
        lines.append(f"{shlex.join(words)} &")
        if count % AT_ONCE == 0:
            lines.append("wait")
    return "\n".join([*lines, "wait", ""])


def askable(cell: Cell) -> bool:
    """Tell whether the cell's name is one that nslookup can take for nothing else; other probes have no name."""
    return cell.probe != "dns" or NAME.fullmatch(cell.name or "") is not None


def call(cell: Cell) -> tuple[str, ...]:
    """Return the call of the function that probes an askable cell; raises ValueError for an address that is none."""
    number = str(cell.number)
    if cell.probe == "dns":
        return "look_up", number, f"{cell.name}."  # the dot keeps search domains out of it
    address = str(ip_address(cell.address))
    if cell.probe == "ping":
        return "ping_to", number, address
    return "connect_to", number, address, str(cell.port), *(("led",) if cell.behind is not None else ())


def read_output(cells: Sequence[Cell], text: str, mark: str, reason: str) -> dict[int, Observation]:
    """Return the observation of every cell from the script's output; `reason` says why one may be missing there."""
    blocks = dict(
        re.findall(rf"^{re.escape(mark)} (\w+)\n(.*?)\n{re.escape(mark)} end$", text, re.DOTALL | re.MULTILINE)
    )
    found = {}
    for cell in cells:
        block = blocks.get(str(cell.number))
        if block is None:
            found[cell.number] = unknown(reason)
        elif cell.probe == "ping":
            found[cell.number] = parse_ping(block)
        elif cell.probe == "tcp":
            found[cell.number] = taken(cell, parse_nc(block), block)
        else:
            found[cell.number] = parse_nslookup(block, cell, blocks.get("hosts", ""))
    return found


def taken(cell: Cell, seen: Observation, text: str) -> Observation:
    """Return the observation of a connection, corrected by whether somebody behind a published port spoke."""
    if seen.state != "reachable" or cell.behind is None or HEARD.search(text):
        return seen
    return unknown(
        f"accepted, but nothing was said: whether {cell.target} led it on to anybody cannot be told from here"
    )


def identify(cell: Cell, seen: Observation, holders: set[Place]) -> Observation:
    """Return the observation, corrected by who can have answered: `holders` are the targets with the cell's address."""
    if seen.state != "reachable" or cell.target is None or cell.probe == "dns":
        return seen
    others = sorted(str(place) for place in holders if place.namespace != cell.target.namespace)
    if not others or cell.source.namespace == cell.target.namespace:
        return seen
    if any(place.namespace == cell.source.namespace for place in holders):
        return unreachable(WRONG_ANSWERER, f"the source has {cell.address} itself, and answered")
    return unknown(f"answered, but {' and '.join(others)} may have done so: {cell.address} is theirs too")
