"""What an engine says of containers and networks, in its own words, as far as a test has something to say of them."""

from __future__ import annotations

from hashlib import sha256

from dockerlab.engine.convert import Answers, to_snapshot

IMAGE_ENV = ["PATH=/usr/bin:/bin"]
IMAGE = {"Cmd": ["sh"], "Entrypoint": None, "Env": IMAGE_ENV, "Labels": {"vendor": "shop"}, "User": "", "Volumes": None}


def identity(text):
    """Return the ID that a test's object has by its name."""
    return sha256(text.encode(errors="replace")).hexdigest()


def container(name, networks=None, *, host=None, config=None, mode=None, **state):
    """Return what `docker inspect` prints of a container; `networks` are its endpoints by network.

    It runs unless its `status` is another one; its `image` may be another one than dockerlab's.
    """
    status = state.get("status", "running")
    endpoints = networks or {}
    return {
        "Id": identity(f"container {name}"),
        "Name": f"/{name}",
        "Image": identity("image"),
        "State": {"Running": status == "running", "Status": status, "Pid": 7, "ExitCode": 0},
        "Config": {
            "Hostname": identity(f"container {name}")[:12], "Image": state.get("image", "dockerlab/node"),
            "Cmd": ["sh"], "Entrypoint": None, "Env": IMAGE_ENV, "Labels": {}, "User": "", **(config or {}),
        },
        "HostConfig": {
            "NetworkMode": mode or next(iter(endpoints), "bridge"), "PortBindings": {}, "Memory": 0,
            "RestartPolicy": {"Name": "no"}, "IpcMode": "private", "ShmSize": 67_108_864, "Runtime": "runc",
            "LogConfig": {"Type": "json-file", "Config": {}}, **(host or {}),
        },
        "NetworkSettings": {"Networks": {key: place(key, **each) for key, each in endpoints.items()}, "Ports": {}},
        "Mounts": [],
    }  # fmt: skip


def place(network, address="", fixed="", aliases=(), **more):
    """Return a container's endpoint; with a `fixed` address, somebody has asked for it."""
    return {
        "NetworkID": identity(f"network {network}"), "IPAddress": fixed or address, "IPPrefixLen": 24,
        "IPAMConfig": {"IPv4Address": fixed} if fixed else None, "Aliases": list(aliases), "MacAddress": "", **more,
    }  # fmt: skip


def network(name, driver="bridge", subnet="", gateway="", **more):
    """Return what `docker network inspect` prints of a network."""
    config = {"Subnet": subnet, **({"Gateway": gateway} if gateway else {})}
    return {
        "Id": identity(f"network {name}"), "Name": name, "Driver": driver, "Scope": "local", "Internal": False,
        "EnableIPv6": False, "IPAM": {"Driver": "default", "Config": [config] if subnet else []}, "Options": {},
        "Labels": {}, "Containers": {}, **more,
    }  # fmt: skip


DOCKER0 = network("bridge", subnet="172.17.0.0/16", gateway="172.17.0.1")


def snapshot(host, containers=(), networks=(), version="28.5.2", image=None, volumes=()):
    """Return the books of an engine that has these containers and networks, docker0 among them."""
    config = {**IMAGE, **(image or {})}
    return to_snapshot(
        host,
        Answers(
            version={"Version": version, "ApiVersion": "1.51"}, info={}, containers=list(containers),
            networks=[DOCKER0, *networks], volumes=list(volumes),
            images=[{"Id": identity("image"), "RepoTags": ["dockerlab/node:latest"], "Config": config}],
        ),
    )  # fmt: skip
