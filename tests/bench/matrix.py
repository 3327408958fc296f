"""The whole matrix of one bridge, and of two hosts' macvlan containers: every cell asked."""

from __future__ import annotations

import json
import shutil

from bench.common import OURS, Contender, Failed, Group, Seconds, compete, timed
from bench.stage import TOP, Stage, clean, lab, room_for_neighbours
from dockerlab import sandbox

SAMPLE = 40
"""Pairs that the `docker exec` loop asks; the rest is reckoned, as 10,000 of them take ten minutes."""
LARGEST_MININET = 40
INSPECT = "docker inspect --format '{{.State.Pid}} {{.Name}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'"

ACROSS = """\
name: across
hosts: {vm0: , vm1: }
networks:
  lan: {driver: macvlan, subnet: 192.168.22.0/24, gateway: 192.168.22.1, parent: eth0.50}
containers:
  a: {host: vm0, replicas: 20, networks: {lan: {ip: "192.168.22.{{ 100 + index }}"}}}
  b: {host: vm1, replicas: 20, networks: {lan: {ip: "192.168.22.{{ 150 + index }}"}}}
"""


def group(stage: Stage, size: int, rounds: int) -> Group:
    """Return what it takes to ask every cell of that many containers on one bridge."""
    file = stage.work / f"matrix{size}.yaml"
    file.write_text(lab(size))
    timed(stage.dockerlab("up", str(file), "--no-verify"))
    rows = [line.split() for line in stage.inside("vm0", "sh", "-c", f"{INSPECT} $(docker ps -q)").splitlines()]
    names = {name.removeprefix("/"): address for _, name, address in rows}
    job = {"pids": [int(pid) for pid, _, _ in rows], "addresses": list(names.values()), "names": list(names)}
    with room_for_neighbours() as limits:
        limits_note = limits
    contenders = [
        Contender(OURS, lambda: verified(stage, str(file)), note="over SSH, with the limits as they are"),
        Contender("one raw process", lambda: _raw(stage, job), note=limits_note),
        Contender("docker exec for each pair", lambda: _exec(names, size), note=f"reckoned from {SAMPLE} pairs"),
        _mininet(size),
    ]
    text = (
        f"{size} containers on one bridge, all pings and names. `probing` leaves out the start of the program, "
        "the connection and the look at the engine; the others' are without their start as well."
    )
    try:
        return compete(f"matrix of {size} containers", contenders, rounds, text)
    finally:
        timed(stage.dockerlab("down", str(file)))


def across(stage: Stage, rounds: int) -> Group:
    """Return what the matrix of 2 x 20 macvlan containers across two hosts takes."""
    file = stage.work / "across.yaml"
    file.write_text(ACROSS)
    timed(stage.dockerlab("up", str(file), "--no-verify"))
    try:
        contender = Contender(OURS, lambda: verified(stage, str(file)), note="over SSH")
        return compete("matrix of 2 x 20 macvlan containers on two hosts", [contender], rounds)
    finally:
        timed(stage.dockerlab("down", str(file)))
        clean(stage)


def verified(stage: Stage, file: str) -> Seconds:
    """Verify a lab; raises Failed unless every cell passes."""
    done = timed(stage.dockerlab("verify", file, "--format", "json"))
    report = json.loads(done.output)
    return {"probing": report["seconds"], "total": done.seconds, "cells": len(report["cells"]), "MiB": done.mebibytes}


def _raw(stage: Stage, job: dict) -> Seconds:
    """Send every cell from one process, with cold neighbour tables."""
    flush = f"for pid in {' '.join(map(str, job['pids']))}; do nsenter -t $pid -n ip neigh flush all; done"
    stage.inside("vm0", "sh", "-c", flush)
    with room_for_neighbours():
        program = (TOP / "tests/bench/raw.py").read_text()
        found = json.loads(stage.inside("vm0", "python3", "-c", program, text=json.dumps(job)))
    answered = found["pings"] + found["lookups"]
    return {"probing": found["seconds"], "cells": found["cells"], "unanswered": found["cells"] - answered}


def _exec(names: dict[str, str], size: int) -> Seconds:
    """Ping some pairs with `docker exec`, one after the other, inside the host."""
    everybody = [(source, address) for source in names for address in names.values()]
    step = max(1, len(everybody) // SAMPLE)
    some = everybody[::step][:SAMPLE]
    ping = "docker exec {} ping -c 1 -W 1 {} >/dev/null || echo lost\n"
    done = timed(sandbox.inside_argv("vm0", ["sh", "-c", "".join(ping.format(*pair) for pair in some)]))
    share = size * size / len(some)
    return {
        "probing": done.seconds * share,
        "cells": size * size,
        "unanswered": done.output.count("lost") * share,
    }


MININET = """
import sys, time
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo
from mininet.log import setLogLevel
setLogLevel("error")
net = Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
began = time.time()
lost = net.pingAll()
seconds = time.time() - began
net.stop()
print(seconds, lost)
"""


def _mininet(size: int) -> Contender:
    name = "Mininet pingall, Linux bridge"
    if not shutil.which("mn"):
        return Contender(name, dict, missing="not installed: scripts/bench --install")
    if size > LARGEST_MININET:
        return Contender(name, dict, missing=f"left out above {LARGEST_MININET} hosts: it asks them one by one")

    def run() -> Seconds:
        with room_for_neighbours():
            done = timed(["/usr/bin/python3", "-c", MININET, str(size)])
        seconds, lost = done.output.split()[-2:]
        if float(lost):
            raise Failed(f"{lost} % of the pings were lost")
        return {"probing": float(seconds), "cells": size * (size - 1)}

    return Contender(name, run, note="its own hosts, pings alone")
