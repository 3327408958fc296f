"""What is left: on this machine after a class, and on the hosts of its places at the end of its lesson."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path

from dockerlab.sandbox.cgroups import pids_of
from dockerlab.sandbox.place.limits import groups

LIST = r"""
PATH=/usr/sbin:/usr/bin:/sbin:/bin
each() { sed "s/^/$1 /"; }
docker ps --all --format '{{.Names}}' | each container
docker network ls --format '{{.Name}}' | each network
docker volume ls --format '{{.Name}}' | each volume
ls /sys/class/net | each link
{
    sed -n 's/.* \(net:\[[0-9]*\]\) .* nsfs .*/\1/p' /proc/self/mountinfo
    for process in /proc/[0-9]*; do readlink "$process/ns/net"; done
} 2>/dev/null | sort -u | each namespace
cut -d ' ' -f 5 /proc/self/mountinfo | each mount
iptables-save | grep '^-' | each rule
find /tmp /run/lock /run/dockerlab -mindepth 1 2>/dev/null | each file
"""
"""Lists what is on a host. A namespace is one that a process is in or that is mounted."""


def here() -> Counter:
    """Return what there is on this machine, of which nothing may be more: mounts, links, groups, processes, files."""
    there = Counter()
    there.update(f"here mount {line.split()[4]}" for line in Path("/proc/self/mountinfo").read_text().splitlines())
    there.update(f"here link {each.name}" for each in Path("/sys/class/net").iterdir())
    there.update(f"here group {each}" for each, _, _ in os.walk("/sys/fs/cgroup") if "dockerlab" in each)
    there.update(f"here file {each}" for each in Path("/run").glob("dockerlab*/**/*") if not each.is_socket())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        if words[0] and int(process.name) != os.getpid():
            there[f"here process {b' '.join(words)[:80].decode(errors='replace')}"] += 1
    return there


def on_hosts(names) -> Counter:
    """Return what there is on the hosts of these places, and which programs run there."""
    there = Counter()
    for name in names:
        group = next(group for group in groups(name) if group.exists())
        pids = {pid for file in group.glob("**/cgroup.procs") for pid in pids_of(file)}
        for pid in pids:
            try:
                status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            except (OSError, ValueError):
                continue  # it has ended meanwhile
            there[f"{name} process {status['Name']}"] += 1
            own = status["NSpid"].split()
            if own[-1] == "1" and len(own) == 3:  # this machine's, the place's, and the host's own
                enter = ["nsenter", f"--target={pid}", "--mount", "--net", "--pid", "sh", "-s"]
                text = subprocess.run(enter, input=LIST, capture_output=True, text=True, check=True, timeout=120).stdout
                there.update(f"{name} {line}" for line in text.splitlines() if not line.startswith("namespace"))
    return there
