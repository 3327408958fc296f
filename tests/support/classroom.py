"""An exercise on pretended engines: somebody types Docker's commands, and is told what `check` says."""

import re
import shlex

from dockerlab.cli.exercise import words
from dockerlab.exercise import course, loader, progress
from dockerlab.hosts.fake import FakeHost
from dockerlab.survey import Seen
from support.judged import judged
from support.labs import plan_up
from support.pretend import Engines
from support.pretend_images import Refused
from support.worlds import pretended

TYPED = re.compile(r"dockerlab sandbox ssh (vm\d) (docker .*)")
TOKEN = re.compile(r"\$\(.*?join-token.*?\)")
MAKING = ("run", "rm", "start", "stop", "restart", "network", "swarm")
"""What of Docker's commands makes or removes something; the others only show."""


class Classroom:
    """One exercise, from its beginning; `here` is where its person stands."""

    def __init__(self, number):
        self.folder = loader.load(loader.find(number))
        self.engines = Engines(self.folder.lab.hosts)
        self.here = progress.Progress(id=self.folder.id, folder=self.folder.path, started="2026-01-01")
        if self.folder.exercise.begin == "made":
            self.engines.carry_out(plan_up(self.folder.lab, self.engines))

    def does(self, step=None):
        """Type the commands of the current step's README that make something, in its order."""
        number = self.here.step if step is None else step
        for block in self.folder.sections[number].blocks:
            if not block.fails:
                self.types(*block.commands)

    def types(self, *lines):
        """Type command lines as they stand in a README; return what the engine says where it refuses, as a real one."""
        refused = []
        for line in lines:
            found = TYPED.fullmatch(TOKEN.sub("SWMTKN-1-worker", line))
            argv = shlex.split(found[2]) if found is not None else []
            if argv[1:2] and argv[1] in MAKING and argv[2:3] not in (["ls"], ["inspect"]) and "--rm" not in argv:
                try:
                    self.engines[found[1]].run(tuple(argv))
                except Refused as reason:
                    refused.append(str(reason))
        return "\n".join(refused)

    def check(self, *answers, much=words.Level.WHAT):
        """Return the verdict of `check` and what it says, and go on to the next step where it passes."""
        self.here = self.here.answered(words.questions(self.folder, self.here), answers)
        machines = pretended(self.folder.lab, self.engines).fabric.net.machines
        seen = Seen(self.engines.snapshots(), self.engines.facts(), machines)
        hosts = {name: FakeHost(name, self._answer(name)) for name in self.engines}
        found = course.judged(self.folder, self.here, hosts, seen, lambda lab, *_: judged(lab, self.engines))
        self.here = self.here.kept(each.about for each in found.outcomes if each.verdict != "fail")
        said = "\n".join(words.of_check(self.here, found, much))
        if found.verdict == "pass":
            self.here = self.here.model_copy(update={"step": self.here.step + 1, "answers": {}})
        return found.verdict, said

    def _answer(self, host):
        """Return what answers the commands of looks on a host, by what its engine has."""

        def answer(argv, _given):
            line = " ".join(argv)
            engine = self.engines[host]
            inside = next((c for c in engine.containers.values() if f"--target={c.pid} " in line or c.id in argv), None)
            own = inside if inside is None else self._owner(engine, inside)
            return self._inside(line, own) if own is not None else self._on(line, engine)

        return answer

    def _owner(self, engine, state):
        kind, _, joined = state.network_mode.partition(":")
        owner = next((c for c in engine.containers.values() if c.id == joined), None) if kind == "container" else state
        return owner if owner is not None and owner.started <= state.started else None

    def _inside(self, line, state):
        places = [(f"eth{n}", place) for n, place in enumerate(state.endpoints.values())]
        if line.endswith("resolv.conf"):
            own = any(name != "bridge" for name in state.endpoints)
            return "nameserver 127.0.0.11\n" if own else "nameserver 192.168.22.1\n"
        if "address show" in line:
            return "".join(f"{n}: {name} inet {place.addresses[0]} brd 172.17.255.255 scope global {name}\n"
                           for n, (name, place) in enumerate(places, 10))  # fmt: skip
        if "route show" in line:
            gates = [(name, place.gateway) for name, place in places if place.gateway][:1]
            return "".join(f"default via {gateway} dev {name}\n" for name, gateway in gates)
        if "link show" in line:
            kind = "macvlan mode bridge" if "macvlan" in str(state.network_mode) else "veth"
            return "".join(f"{n}: {name}@if{n + 1}: <UP> mtu 1500 link/ether {self._mac(place)} brd ff {kind}\n"
                           for n, (name, place) in enumerate(places, 10))  # fmt: skip
        return (1, b"", b"nothing is known of that here")

    def _mac(self, place):
        return place.mac or "02:42:" + ":".join(f"{n:02x}" for n in place.addresses[0].ip.packed)

    def _on(self, line, engine):
        on_docker0 = [c for c in engine.containers.values() if c.running and "bridge" in c.endpoints]
        if "link show master docker0" in line:
            return "".join(f"{n}: veth{n}@if2: <UP> master docker0 state UP\n" for n, _ in enumerate(on_docker0))
        if "-t nat -S DOCKER" in line:
            rules = (
                f"-A DOCKER ! -i docker0 -p tcp -m tcp --dport {port.host_port} -j DNAT "
                f"--to-destination {c.endpoints['bridge'].addresses[0].ip}:{port.container_port}\n"
                for c in on_docker0
                for port in c.published
            )
            return "-N DOCKER\n" + "".join(rules)
        if "link show eth0.50" in line:
            return "3: eth0.50@eth0: <UP> mtu 1500 state UP\n"
        return (1, b"", b"nothing is known of that here")
