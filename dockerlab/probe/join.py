"""Join what the agents of all hosts recorded into one observation a cell.

A pure function of the records. An answer alone proves little: the cell's packets must also have arrived in the target's
namespace. Whatever the records cannot tell is unknown, never unreachable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dockerlab.probe.base import (
    HOST_UNREACHABLE,
    REPLY_LOST,
    TIMEOUT,
    WRONG_ANSWERER,
    Cell,
    Observation,
    Place,
    reachable,
    unknown,
    unreachable,
)
from dockerlab.probe.doors import Doors
from dockerlab.probe.meanings import ERRNO_SYMPTOMS, ICMP_MEANINGS, doubted, judge_names
from dockerlab.probe.reported import HostRecords, NamespaceId
from dockerlab.probe.takers import Takers


def join(cells: Sequence[Cell], records: Mapping[str, HostRecords], *, last: bool = False) -> dict[int, Observation]:
    """Return the observation of every cell, by its number, from the records of each host.

    `last` tells that these are connections whose far end is known, and that were given all the time there is.
    """
    evidence = _Evidence(cells, records)
    pings = {cell.number: evidence.ping(cell) for cell in cells if cell.probe == "ping"}
    # Several cells can ask for one address and mean different namespaces: each TCP cell looks at the ping of its own.
    answered = {_meant(c): pings[c.number] for c in cells if c.probe == "ping" and evidence.answered(c)}
    found = dict(pings)
    for cell in cells:
        if cell.probe == "tcp":
            found[cell.number] = evidence.tcp(cell, answered.get(_meant(cell)), last=last)
        elif cell.probe == "dns":
            found[cell.number] = evidence.dns(cell)
    return found


def arrivals(records: Mapping[str, HostRecords]) -> dict[tuple[int, int], set[NamespaceId]]:
    """Return where each try of each cell arrived: only by the mark that its sender drew for it, and told nobody.

    So no host can claim what did not come to it, but of packets that it sent itself.
    """
    sent = {number_of: mark for record in records.values() for number_of, mark in record.marks.items()}
    found: dict[tuple[int, int], set[NamespaceId]] = {}
    for host, record_of in records.items():
        for number, attempt, namespace, mark in record_of.arrivals:
            if sent.get((number, attempt)) == mark:
                found.setdefault((number, attempt), set()).add((host, namespace))
    return found


def _meant(cell: Cell) -> tuple[Place, str, tuple[str, str] | None]:
    """Return what cells have in common that ask the same namespace from the same one by the same address."""
    return (cell.source, cell.address, cell.target.namespace if cell.target is not None else None)


class _Evidence:
    """The records of all hosts, looked at from a cell."""

    def __init__(self, cells: Sequence[Cell], records: Mapping[str, HostRecords]) -> None:
        self.records = records
        self.arrivals = arrivals(records)
        self._anywhere: dict[int, set[NamespaceId]] = {}
        for (number, _), where in self.arrivals.items():
            self._anywhere.setdefault(number, set()).update(where)
        self.names: dict[NamespaceId, str] = {}
        for host, record in records.items():
            for place, found in record.namespaces.items():
                if isinstance(found, int) and (place.container is None or (host, found) not in self.names):
                    self.names[host, found] = str(place)
        self.holders: dict[str, set[NamespaceId | Place]] = {}
        for cell in cells:
            if cell.target is not None and cell.probe != "dns":
                holder = self.namespace(cell.target)
                self.holders.setdefault(cell.address, set()).add(cell.target if isinstance(holder, str) else holder)
        self._full = frozenset(host for host, record in records.items() if record.overflows > 0)
        self.doors = Doors(cells, records, self.namespace)
        self.takers = Takers(records, self.namespace, self.name, self.strange)

    def namespace(self, place: Place) -> NamespaceId | str:
        """Return the identity of a place's namespace, or why it is not known."""
        record = self.records.get(place.host)
        if record is None:
            return f"no agent ran on {place.host}"
        if record.failure is not None:
            return f"the agent on {place.host} failed: {record.failure}"
        found = record.namespaces.get(place, "the agent did not report it")
        return (place.host, found) if isinstance(found, int) else f"{place}: {found}"

    def arrived(self, cell: Cell) -> set[NamespaceId]:
        """Return every namespace in which any try of the cell arrived."""
        return self._anywhere.get(cell.number, set())

    def name(self, namespaces: set[NamespaceId]) -> str:
        """Return the names of namespaces for people."""
        return " and ".join(sorted(self.names.get(one, f"a namespace on {one[0]}") for one in namespaces))

    def not_sent(self, cell: Cell) -> Observation | None:
        """Return the observation of a cell that its source's agent did not or could not send, or None."""
        source = self.namespace(cell.source)
        if isinstance(source, str):
            return unknown(f"not tested: {source}")
        record = self.records[cell.source.host].cells.get(cell.number)
        if record is None:
            return unknown(f"not tested: the agent on {cell.source.host} gave no record of it")
        if record["outcome"] == "untested":
            return unknown(f"not tested: {record['error']}")
        if record["outcome"] == "errno":
            if record["errno"] not in ERRNO_SYMPTOMS:
                return unknown(f"the system error {record['errno']} does not tell whether it is reachable")
            symptom, meaning = ERRNO_SYMPTOMS[record["errno"]]
            return unreachable(symptom, meaning)
        return None

    def answered(self, cell: Cell) -> bool:
        """Tell whether anybody answered the cell."""
        return self.records.get(cell.source.host, HostRecords()).cells.get(cell.number, {}).get("outcome") == "answered"

    def overflowed(self, cell: Cell) -> bool:
        """Tell whether a neighbour table was full on a host of the cell: no other one's word is about it."""
        return cell.source.host in self._full or (cell.target is not None and cell.target.host in self._full)

    def silence(self, cell: Cell, detail: str) -> Observation:
        """Return the observation of a cell that was sent and not answered."""
        if self.overflowed(cell):
            return unknown("no answer, but a neighbour table overflowed meanwhile (net.ipv4.neigh.default.gc_thresh3)")
        return unreachable(TIMEOUT, detail)

    def ping(self, cell: Cell) -> Observation:
        """Return what an echo request and its way tell."""
        early = self.not_sent(cell)
        if early is not None:
            return early
        record = self.records[cell.source.host].cells[cell.number]
        if record["outcome"] == "icmp":
            said = "time exceeded" if record["kind"] != "unreachable" else None
            said = said or ICMP_MEANINGS.get((record["version"], record["code"]), f"unreachable ({record['code']})")
            return unreachable(HOST_UNREACHABLE, f"{record['by']} says: {said}")
        target = None if cell.target is None else self.namespace(cell.target)
        if record["outcome"] == "answered":
            where = self.arrivals.get((cell.number, record["attempt"]), set())
            rtt = record["rtt"]
            seen = self.identity(cell, target, where, rtt) if target else self.beyond(cell, where, rtt)
            return doubted(record) or seen if seen.state == "reachable" else seen
        where = self.arrived(cell)
        if not where:
            return self.silence(cell, "no sign of it at the target" if isinstance(target, tuple) else "")
        if target in where:
            lost = unreachable(REPLY_LOST, f"the request arrived at {cell.target}, its reply did not come back")
            return self.silence(cell, "") if self.overflowed(cell) else lost
        return self.silence(cell, f"the request went to {self.name(where)}, which did not answer")

    def identity(
        self, cell: Cell, target: NamespaceId | str, where: set[NamespaceId], rtt: float | None
    ) -> Observation:
        """Return the observation of an answered echo request, by where it arrived."""
        if isinstance(target, str):
            return unknown(f"answered, but the target cannot be recognised: {target}")
        if not where and self.records[target[0]].missed.get(target[1]) == 0:
            # It listened until after the answer, missed nothing, and nothing came: somebody else has the address.
            return unreachable(WRONG_ANSWERER, f"answered, but nothing came to {cell.target}: somebody else answered")
        if not where:
            return unknown(f"identity not seen: answered, but not by {cell.target}, nor by any namespace of the lab")
        if target not in where:
            return unreachable(WRONG_ANSWERER, f"{self.name(where)} has this address too, and answered")
        return reachable(rtt, witness=_witness(cell, {target}))

    def beyond(self, cell: Cell, where: set[NamespaceId], rtt: float | None) -> Observation:
        """Return the observation of an answered echo request by which nobody of the lab is meant."""
        if self.strange(cell, where):
            return unreachable(WRONG_ANSWERER, f"answered by {self.name(where)}, which does not have this address")
        return reachable(rtt, f"answered by {self.name(where)}" if where else "", _witness(cell, where))

    def strange(self, cell: Cell, where: set[NamespaceId]) -> bool:
        """Tell whether those who got what nobody of the lab is meant by are none that have its address."""
        if cell.bearers is None or not where:
            return False
        return where.isdisjoint(map(self.namespace, cell.bearers))

    def tcp(self, cell: Cell, ping: Observation | None, *, last: bool = False) -> Observation:
        """Return what a connection tells.

        `ping` is the observation of the same source's answered ping to the same address: it tells who has that, where
        the kernels did not tell who took the connection.
        """
        early = self.not_sent(cell)
        if early is not None:
            return early
        record = self.records[cell.source.host].cells[cell.number]
        if record["outcome"] == "silent" or record.get("unheard"):
            unheard = "the first packet was answered, and nothing after it" if "unheard" in record else ""
            return self.silence(cell, unheard)
        if cell.behind is None:
            return self.takers.judge(cell, record) or self.by_ping(cell, record, ping)
        led = next((place.host for place, _ in cell.behind if place.host != cell.source.host), "")
        return self.doors.judge(cell, record, last=last) or reachable(record["rtt"], witness=led)

    def by_ping(self, cell: Cell, record: Mapping[str, Any], ping: Observation | None) -> Observation:
        """Return what is known of an accepted connection from who answers a ping to the same address."""
        if ping is not None and ping.state == "reachable":
            return reachable(record["rtt"], witness=ping.witness)
        if ping is not None:
            return Observation(ping.state, ping.symptom, None, f"connected, but see the ping: {ping.detail}")
        if len(self.holders[cell.address]) > 1:
            return unknown(f"connected, but several namespaces have {cell.address}, and no ping tells which it was")
        return reachable(record["rtt"])

    def dns(self, cell: Cell) -> Observation:
        """Return what the source's resolver said about a name."""
        early = self.not_sent(cell)
        if early is not None:
            record = self.records.get(cell.source.host, HostRecords()).cells.get(cell.number, {})
            server = record.get("server")
            return (
                Observation(early.state, early.symptom, None, f"{early.detail} (name server {server})")
                if server
                else early
            )
        record = self.records[cell.source.host].cells[cell.number]
        server = record["server"]
        if record["outcome"] == "silent":
            return self.silence(cell, f"the name server {server} did not answer")
        return judge_names(cell, record["rcode"], record["addresses"], server, record.get("rtt"))


def _witness(cell: Cell, where: Collection[NamespaceId]) -> str:
    """Return a host other than the source's that saw a cell's packets, empty where there is none."""
    return next((host for host, _ in sorted(where) if host != cell.source.host), "")
