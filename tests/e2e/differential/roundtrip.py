"""One lab on real engines: brought up, discovered, taken down, and brought up from what was discovered."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from e2e.differential.compare import parse, remains, running

from dockerlab.daemon.commands import revive
from dockerlab.discover.spot import on_the_spot
from dockerlab.errors import DockerlabError
from dockerlab.imagined.networks import DEFAULTS, wanted_options
from dockerlab.verify import on_hosts
from dockerlab.verify import on_the_spot as judging


@dataclass
class Trip:
    """What came of one lab."""

    cells: int = 0
    differing: list = field(default_factory=list)
    """What the definition that was discovered says otherwise, a line each."""
    cells_differing: list = field(default_factory=list)
    """Cells that are otherwise in the lab that was made from it."""
    unlike: list = field(default_factory=list)
    """Cells that were seen otherwise than was predicted on the spot."""
    refused: str = ""
    revived: list = field(default_factory=list)
    """Hosts whose engine was restarted, for it kept the port of an earlier Swarm's gossip."""
    seconds: float = 0.0
    text: str = ""

    @property
    def clean(self):
        return not (self.differing or self.cells_differing or self.unlike or self.refused)

    def told(self):
        """Return what is not as it should be, a line each."""
        lines = (self.refused, *self.differing, *self.cells_differing, *self.unlike)
        return "\n       ".join(filter(None, map(str, lines)))


def travel(lab, opened):
    """Return what came of a lab there and back on the hosts of a session."""
    trip, started = Trip(), time.monotonic()
    try:
        definition = parse(lab)
        trip.revived += hearing(opened)
        with running(definition, opened):
            there = seen(on_hosts.verify_new(definition, opened.hosts))
            spot = on_the_spot(opened.hosts, dict.fromkeys(opened.hosts))
            trip.text = spot.found.text
            report = judging.verify(spot, opened.hosts)
            trip.cells = len(report.cells)
            trip.unlike = [
                f"{one.cell}: {one.expected} {one.observed}" for one in report.cells if one.verdict == "fail"
            ]
        back = parse(trip.text)
        trip.differing = sorted(difference(normal(definition), normal(back)))
        trip.revived += hearing(opened)
        with running(back, opened):
            again = seen(on_hosts.verify_new(back, opened.hosts))
        trip.cells_differing = sorted(difference(there, again))
        left = remains(opened)
        if left:
            trip.refused = f"left behind: {left}"
    except DockerlabError as error:
        trip.refused = f"{type(error).__name__}: {error}"
    trip.seconds = time.monotonic() - started
    return trip


def hearing(opened):
    """Restart the engines that are in no Swarm and keep the port of one's gossip; return on which hosts.

    One of 20.10 does where its word that it leaves is not out within a second, and `up` of an overlay refuses it then.
    """
    deaf = {name for name, host in opened.hosts.items() if not until_free(host)}
    for name in sorted(deaf):
        command = revive(name)
        result = opened.hosts[name].run(command.argv, input=command.given(), timeout=120)
        assert result.ok, result.error
    return sorted(deaf)


def until_free(host, patience=3):
    """Tell whether the port of a Swarm's gossip is free, or will be within some seconds."""
    end = time.monotonic() + patience
    while host.run(["ss", "-Hltn", "sport = :7946"]).stdout:
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def difference(one, other):
    """Yield a line for each key under which two mappings have something else."""
    for key in sorted(one.keys() | other.keys(), key=str):
        if one.get(key) != other.get(key):
            yield f"{key}: {one.get(key)} | {other.get(key)}"


def seen(report):
    """Return how often each kind of cell was seen in which way; an address that the engine chose is any address."""
    places = {(name, str(a)): net for name, at in report.world.people.addresses.items() for net, a in at}
    found = {}
    for one in report.cells:
        cell = one.cell
        if cell.to not in report.world.lab.outside:
            named = cell.target if cell.probe == "dns" else places.get((cell.to, cell.target), "")
            found.setdefault((cell.source, cell.to, cell.probe, named), Counter())[one.observed.state] += 1
    return found


def normal(lab):
    """Return what a definition says by paths, with what it means where it says nothing."""
    found = {("hosts",): sorted(lab.hosts)}
    for name, network in lab.networks.items():
        options = {key: value for key, value in wanted_options(network).items() if DEFAULTS.get(key) != value}
        pools = sorted((str(p.subnet), str(p.gateway), str(p.ip_range)) for p in network.pools)
        said = {"driver": network.driver, "pools": pools, "internal": network.internal, "ipv6": network.ipv6}
        found |= {("networks", name, key): value for key, value in (said | {"options": options}).items()}
    for name, spec in lab.containers.items():
        entrypoint, command = spec.words
        said = {
            "image": spec.image.removesuffix(":latest"),
            "host": lab.host_of(name),
            "runs": (*entrypoint, *command),
            "hostname": spec.hostname,
            "mode": spec.mode,
            "places": {n: (str(p.ip), str(p.ip6), tuple(sorted(p.aliases))) for n, p in spec.networks.items()},
            "ports": sorted(map(str, spec.ports)) if spec.mode != "host" else [],
            "listens": spec.listens,
            "environment": spec.environment,
            "rest": (spec.user, spec.dns, spec.dns_search, spec.extra_hosts, spec.cap_add, spec.cap_drop, spec.sysctls),
        }
        found |= {("containers", name, key): value for key, value in said.items()}
    return found
