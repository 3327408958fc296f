"""Read what there is of Docker's networks on this host: the program that is sent there.

It changes nothing. Standard library only, and Python 3.6 must run it. What a command or a file does not tell is said
with the error, for "could not be read" is not "nothing".
"""

import json
import os
import sys
from functools import partial

from dockerlab.machinery.asking import Json, run, text_of, together
from dockerlab.machinery.processes import Processes
from dockerlab.machinery.spaces import namespaces_of

RULES = {"iptables": ["iptables-save"], "ip6tables": ["ip6tables-save"]}
SETTINGS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/bridge/bridge-nf-call-iptables")
CONTAINER = (
    '{"Id":{{json .Id}},"Name":{{json .Name}},"State":{{json .State}},"ResolvConfPath":{{json .ResolvConfPath}},'
    '"HostConfig":{"NetworkMode":{{json .HostConfig.NetworkMode}},"PortBindings":{{json .HostConfig.PortBindings}}},'
    '"Config":{"Image":{{json .Config.Image}},"Labels":{{json .Config.Labels}}},'
    '"NetworkSettings":{{json .NetworkSettings}}}'
)
"""A container without its environment and its command, which may hold secrets."""
ENGINE = ("ServerVersion", "FirewallBackend")


def main() -> "None":
    """Print what this host shows, as one line of JSON."""
    sys.stdout.write(json.dumps(look()) + "\n")


def look() -> "Json":
    """Return what this host shows, by where it was read."""
    prepare()
    questions = [partial(run, argv) for argv in RULES.values()]
    engine, containers, networks, *rules = together([engine_of, containers_of, networks_of, *questions])
    namespaces, unread = namespaces_of(parsed(containers))
    processes = Processes()
    owners = processes.owners({each["inode"] for space in namespaces for each in space["sockets"]})
    return {
        "uid": os.getuid(),
        "kernel": os.uname().release,
        "engine": engine,
        "containers": containers,
        "networks": networks,
        "namespaces": namespaces,
        "unread": unread,
        "rules": dict(zip(RULES, rules)),
        "settings": {name: text_of("/proc/sys/" + name) for name in SETTINGS},
        "resolvers": {c["Id"]: text_of(c["ResolvConfPath"]) for c in parsed(containers) if c["ResolvConfPath"]},
        "proxies": processes.proxies(),
        "owners": owners,
        "unseen": processes.unseen,
    }


def prepare() -> "None":
    """Let commands be found where administrators' programs are, and speak English."""
    path = os.environ.get("PATH", os.defpath)
    if "/usr/sbin" not in path.split(":"):
        os.environ["PATH"] = path + ":/usr/sbin:/sbin"
    os.environ["LC_ALL"] = "C"


def engine_of() -> "Json":
    """Return what is wanted of `docker info`; all of it would be long."""
    said = run(["docker", "info", "--format", "{{json .}}"])
    try:
        whole = json.loads(said["out"])
        said["out"] = json.dumps({name: whole.get(name) for name in ENGINE})
    except ValueError:
        said["rc"] = said["rc"] or 1
    return said


def containers_of() -> "Json":
    """Return every container, one a line."""
    return listed(["docker", "ps", "--all", "--quiet", "--no-trunc"], ["docker", "inspect"], CONTAINER)


def networks_of() -> "Json":
    """Return every network, one a line."""
    listing = ["docker", "network", "ls", "--quiet", "--no-trunc"]
    return listed(listing, ["docker", "network", "inspect"], "{{json .}}")


def listed(listing: "list[str]", inspecting: "list[str]", form: "str") -> "Json":
    """Return the details of all objects that a listing names, one JSON object a line."""
    names = run(listing)
    identities = names["out"].split()
    if names["rc"] or not identities:
        return names
    details = run([*inspecting, "--format", form, *identities])
    # What has gone since it was listed is no failure.
    gone = "no such" in details["err"].lower() or "not found" in details["err"].lower()
    return dict(details, rc=0, err="") if gone else details


def parsed(said: "Json") -> "list[Json]":
    """Return the objects of a listing."""
    return [json.loads(line) for line in said["out"].splitlines() if line.startswith("{")]
