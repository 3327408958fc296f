"""What is on the hosts held against the definition, whoever made it."""

from dataclasses import replace
from ipaddress import ip_interface, ip_network

import pytest
from support.lab_hosts import EXAMPLES, NAMES
from support.labs import lab, read, running

from dockerlab.drift import differences
from dockerlab.snapshot import PublishedPort

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


def test_a_network_that_is_not_there():
    """Of a container it is not told that it lacks a place on a network that does not exist: the network is told."""
    definition = lab("""
        networks: {front: {}, back: {}}
        containers: {app: {networks: [front, back]}}
    """)
    engines = running(definition)
    engines["local"].run(("docker", "network", "disconnect", "back", "app"))
    (told,) = differences(definition, engines.snapshots())
    assert str(told).endswith("wants it on back, front; right would be: docker network connect back app")
    engines["local"].run(("docker", "network", "rm", "back"))
    (told,) = differences(definition, engines.snapshots())
    assert told.right == ("docker network create --driver bridge back", "docker network connect back app")


def test_another_command():
    """What a container runs is held against the definition, its entrypoint too, and not where the image decides."""
    definition = lab("""
        containers:
          plain: {}
          web: {command: "httpd -f -p 80"}
          own: {entrypoint: ["/bin/sh", "-c"], command: ["sleep 1d"]}
    """)
    engines = running(definition)
    assert differences(definition, engines.snapshots()) == []
    there = engines["local"].containers
    for name in there:
        there[name] = replace(there[name], command=("true",))
    told = [str(each).partition(";")[0] for each in differences(definition, engines.snapshots())]
    assert told == [
        "local: container web runs `true`, and the lab wants `httpd -f -p 80`",
        "local: container own runs `/bin/sh true`, and the lab wants `/bin/sh -c sleep 1d`",
    ]


def test_a_port_on_one_address_of_the_host():
    """A port that is published on one address alone is another port; two words for all addresses are one."""
    (told,) = changed("web", asked=(PublishedPort("127.0.0.1", 8080, 80, "tcp"),))
    assert "publishes its port 80/tcp on 127.0.0.1 only, and the lab wants it on every address of the host" in told
    assert changed("web", asked=(PublishedPort("::", 8080, 80, "tcp"),)) == []


def test_a_missing_alias():
    """A name that a container lacks on a network is told, and how it gets it without being made anew."""
    definition = lab("networks: {n: {}}\ncontainers: {web: {networks: {n: {aliases: [www, site]}}}}\n")
    engines = running(definition)
    web = engines["local"].containers["web"]
    engines["local"].containers["web"] = replace(web, endpoints={"n": replace(web.endpoints["n"], aliases=("site",))})
    (told,) = differences(definition, engines.snapshots())
    assert str(told) == (
        "local: container web lacks the alias www on n; right would be: docker network disconnect n web; "
        "docker network connect --alias www --alias site n web"
    )
