"""What the engine of this host says of its containers and networks, by its own command.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import json

from dockerlab.survey.program.asking import Json, run, text_of, together

CONTAINER = (
    '{"Id":{{json .Id}},"Name":{{json .Name}},"State":{{json .State}},"ResolvConfPath":{{json .ResolvConfPath}},'
    '"HostConfig":{"NetworkMode":{{json .HostConfig.NetworkMode}},"PortBindings":{{json .HostConfig.PortBindings}}},'
    '"Config":{"Image":{{json .Config.Image}},"Labels":{{json .Config.Labels}}},'
    '"NetworkSettings":{{json .NetworkSettings}}}'
)
"""A container without its environment and its command, which may hold secrets."""
ENGINE = ("ServerVersion", "FirewallBackend")


def engine() -> "Json":
    """Return what the engine says, by what it was asked."""
    about, containers, networks = together([engine_of, containers_of, networks_of])
    resolvers = {c["Id"]: text_of(c["ResolvConfPath"]) for c in parsed(containers) if c["ResolvConfPath"]}
    return {"engine": about, "containers": containers, "networks": networks, "resolvers": resolvers}


def pids_of(said: "Json") -> "list[int]":
    """Return the processes of the containers that run."""
    return [c["State"]["Pid"] for c in parsed(said["containers"]) if c["State"].get("Pid")]


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
