"""What the prediction costs: seconds of one core and memory, against the number of cells. No host is touched."""

from __future__ import annotations

import gc
import resource
import time

from bench.common import Conditions, Group, Row
from dockerlab import modes
from dockerlab.lab.loader import loads
from dockerlab.reach import matrix, worlds


def definition(containers: int, hosts: int) -> str:
    """Return a lab with ten bridge networks on each host and its containers spread over them."""
    numbers = range(containers)
    lines = ["name: large", "hosts:"]
    lines += [f"  h{host}: ssh://192.0.2.{host + 1}" for host in range(hosts)]
    lines += ["networks:"]
    lines += [f"  n{host}-{n}: {{subnet: 10.{host}.{n}.0/24}}" for host in range(hosts) for n in range(10)]
    lines += ["containers:"]
    lines += [f"  c{n}: {{host: h{n % hosts}, networks: [n{n % hosts}-{n // hosts % 10}]}}" for n in numbers]
    return "\n".join(lines)


def group(containers: int = 1000, hosts: int = 10) -> Group:
    """Return the rows for growing labs; every cell is an address, a published port or a name."""
    gc.disable()  # as the command line does
    rows = []
    for size in (containers // share for share in (8, 4, 2, 1)):
        lab = loads(definition(size, hosts), networks=modes.network_types())
        world = worlds.offline(lab)
        began = time.process_time()
        cells = len(matrix(world))
        seconds = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        stages = {"seconds": [seconds], "cells": [float(cells)], "µs a cell": [seconds / cells * 1e6], "MiB": [peak]}
        rows.append(Row(f"{size} containers on {hosts} hosts", stages))
    return Group(
        "the model",
        rows,
        "The prediction of a matrix, on one core, without any host.",
        ratios=False,
        conditions=Conditions.now(),
    )
