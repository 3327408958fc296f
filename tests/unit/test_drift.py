"""What is on the hosts held against the definition, whoever made it."""

from dataclasses import replace
from ipaddress import ip_interface, ip_network

import pytest
from support.lab_hosts import EXAMPLES, NAMES
from support.labs import lab, read, running

from dockerlab.drift import differences

DEMO = """
    networks:
      front: {subnet: 172.28.1.0/24, gateway: 172.28.1.1}
      lan: {driver: macvlan, subnet: 10.9.0.0/24, parent: eth0.50}
    containers:
      web: {networks: {front: {ip: 172.28.1.10}}, ports: ["8080:80"]}
      side: {network_mode: "container:web"}
      plain: {}
      child: {networks: {lan: {ip: 10.9.0.5}}}
"""


def snapshots(definition, *, without_labels=True):
    """Return what the engines say of a lab that runs, as if it had been typed: nothing carries our labels."""
    found = running(definition).snapshots()
    if not without_labels:
        return found
    bare = {}
    for host, snapshot in found.items():
        containers = tuple(replace(c, labels={}) for c in snapshot.containers)
        networks = tuple(replace(n, labels={}) for n in snapshot.networks)
        bare[host] = replace(snapshot, containers=containers, networks=networks)
    return bare


def changed(name, kind="containers", **fields):
    """Return what differs once an object of the running demo was changed."""
    definition = lab(DEMO)
    (found,) = snapshots(definition).values()
    objects = tuple(replace(o, **fields) if o.name == name else o for o in getattr(found, kind))
    return [str(d) for d in differences(definition, {"local": replace(found, **{kind: objects})})]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_as_defined(name):
    """What `up` makes differs in nothing, with or without labels."""
    definition = read(EXAMPLES / f"{name}.yaml")
    assert differences(definition, snapshots(definition)) == []
    assert differences(definition, snapshots(definition, without_labels=False)) == []


def test_what_is_missing():
    """Each object that is not there is named with the command that one would type, which has no label."""
    definition = lab(DEMO)
    (found,) = snapshots(definition).values()
    told = differences(definition, {"local": replace(found, containers=(), networks=())})
    assert {(d.kind, d.name, d.how) for d in told} == {
        ("network", "front", "missing"), ("network", "lan", "missing"), ("container", "web", "missing"),
        ("container", "side", "missing"), ("container", "plain", "missing"), ("container", "child", "missing"),
    }  # fmt: skip
    first = next(d for d in told if d.name == "lan")
    assert first.right == ("docker network create --driver macvlan --subnet 10.9.0.0/24 --opt parent=eth0.50 lan",)
    assert all("--label" not in command for d in told for command in d.right)


def test_a_wrong_parent():
    """The parent that a network has and the one that it should have are named, and how it is made anew."""
    (told,) = changed("lan", "networks", options={"parent": "eth0"})
    assert told.startswith("local: network lan has parent eth0, and the lab wants eth0.50; right would be: docker")
    gone, made = "disconnect --force lan child; docker network rm lan; ", "docker network create --driver macvlan"
    assert gone + made in told
    assert told.endswith("lan; docker network connect --ip 10.9.0.5 lan child")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"subnets": (ip_network("172.30.0.0/16"),)}, "has subnet 172.30.0.0/16, and the lab wants 172.28.1.0/24"),
        ({"gateways": ("172.28.1.254",)}, "has gateway 172.28.1.254, and the lab wants 172.28.1.1"),
        ({"internal": True}, "is internal, and the lab wants it not internal"),
        ({"driver": "macvlan"}, "has driver macvlan, and the lab wants bridge"),
        (
            {"options": {"com.docker.network.bridge.enable_icc": "false"}},
            "has enable_icc false, of which the lab says nothing",
        ),
    ],
)
def test_a_network_made_otherwise(fields, said):
    """Subnet, gateway, driver and options that are not the definition's are named, each with both values."""
    (told,) = changed("front", "networks", **fields)
    assert f"network front {said}" in told


def test_a_missing_port():
    """A port that is not published is named with the command that publishes it."""
    (told,) = changed("web", asked=())
    assert "container web does not publish its port 80/tcp as 8080" in told
    assert "docker rm --force web; docker run" in told
    assert "--publish 8080:80/tcp" in told


def test_a_container_in_another_place():
    """Another mode, another network and another address are named."""
    (told,) = changed("side", network_mode="bridge")
    assert "is in mode bridge, and the lab wants container:web" in told
    (told,) = changed("plain", network_mode="host", endpoints={})
    assert "is in mode host, and the lab wants it on bridge" in told
    (told,) = changed("child", endpoints={})
    assert "is on no network, and the lab wants it on lan" in told
    (found,) = snapshots(lab(DEMO)).values()
    endpoint = found.container("web").endpoints["front"]
    moved = {"front": replace(endpoint, addresses=(ip_interface("172.28.1.99/24"),))}
    (told,) = changed("web", endpoints=moved)
    assert "has 172.28.1.99 on front, and the lab wants 172.28.1.10" in told


def test_what_does_not_run():
    """A stopped container wants to be started, and one whose namespace is gone to be restarted."""
    (told,) = changed("plain", running=False, status="exited", exit_code=137)
    assert told.endswith("container plain does not run (exited, exit code 137); right would be: docker start plain")
    (told,) = changed("web", started=5)
    assert told.endswith("right would be: docker restart side")
    (told,) = changed("web", id="another")
    assert "had before it started anew, and so it is cut off; right would be: docker rm --force side; docker" in told
