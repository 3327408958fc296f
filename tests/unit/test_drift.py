"""What is on the hosts held against the definition, whoever made it."""

from dataclasses import replace
from ipaddress import ip_interface, ip_network

import pytest
from support.lab_hosts import EXAMPLES, NAMES
from support.labs import lab, read, running
from support.worlds import pretended

from dockerlab.drift import differences
from dockerlab.kernel.model import Listener
from dockerlab.snapshot import PublishedPort, SwarmState

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


def test_a_forgotten_gateway():
    """A network on the hosts' LAN that was made without a gateway is told to have none."""
    definition = lab(DEMO.replace("subnet: 10.9.0.0/24", "subnet: 10.9.0.0/24, gateway: 10.9.0.1"))
    (found,) = snapshots(definition).values()
    networks = tuple(replace(each, gateways=()) if each.name == "lan" else each for each in found.networks)
    (told,) = differences(definition, {"local": replace(found, networks=networks)})
    assert told.what == "has no gateway, and the lab wants 10.9.0.1"


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


SPREAD = """
    hosts: {vm0: , vm1: }
    networks: {wide: {driver: overlay, subnet: 10.50.0.0/24}}
    containers:
      centos8: {host: vm0}
      centos9: {host: vm0}
      left: {host: vm0, networks: {wide: {ip: 10.50.0.10}}}
      right: {host: vm1, networks: {wide: {ip: 10.50.0.11}}}
"""


def spread(*typed, host="vm0"):
    """Return what differs once commands were typed on a host of the running lab."""
    definition = lab(SPREAD)
    engines = running(definition)
    for line in typed:
        engines[host].run(("docker", *line.split()))
    return {d.name: d for d in differences(definition, engines.snapshots())}


def test_a_name_that_may_have_been_meant():
    """A name that is nearly the same is told of the one that it is nearest to, and not of another number."""
    run = "run --detach --name"
    told = spread("rm --force centos8", "rm --force centos9", f"{run} centos-8 dockerlab/node")
    assert told["centos8"].what == "does not exist (there is one called centos-8)"
    assert told["centos9"].what == "does not exist"
    told = spread("rm --force centos8", f"{run} centos7 dockerlab/node")
    assert told["centos8"].what == "does not exist"


def test_a_container_on_another_host():
    """One of its name on another host is told; it goes first where the Swarm would not give its address twice."""
    run = "run --detach --name"
    told = spread("rm --force centos8")
    assert told["centos8"].before == ()
    told = spread("rm --force right", host="vm1")
    assert told["right"].what == "does not exist"
    definition = lab(SPREAD)
    engines = running(definition)
    engines["vm1"].run(("docker", "rm", "--force", "right"))
    engines["vm0"].run(tuple(f"docker {run} right --network wide --ip 10.50.0.11 dockerlab/node".split()))
    (told,) = differences(definition, engines.snapshots())
    assert told.what == "does not exist (there is one on vm0)"
    assert told.typed[0] == "vm0: docker rm --force right"
    assert told.typed[1].startswith("vm1: docker run")
    assert str(told).endswith(f"right would be: on {'; '.join(told.typed).replace('vm1: ', '')}")


def test_a_network_that_no_container_may_join():
    """A Swarm's network that only services may join is not as the lab wants it."""
    definition = lab(SPREAD)
    found = running(definition).snapshots()
    shut = {
        host: replace(
            each, networks=tuple(replace(n, attachable=n.attachable and n.name != "wide") for n in each.networks)
        )
        for host, each in found.items()
    }
    told = {d.name: d for d in differences(definition, shut)}
    assert told["wide"].what == "is not attachable: containers that no service started cannot join it"
    assert any("--attachable wide" in line for line in told["wide"].right)


def test_an_engine_that_has_left_the_swarm():
    """What joins it again is typed on the manager, which knows the token."""
    definition = lab(SPREAD)
    found = running(definition).snapshots()
    alone = replace(found["vm1"], networks=(), swarm=SwarmState())
    told = next(d for d in differences(definition, {**found, "vm1": alone}) if d.name == "wide")
    assert told.typed == ("vm0: docker swarm join-token worker  # prints what is to be typed on vm1",)
    nobody = {host: replace(each, networks=(), swarm=SwarmState()) for host, each in found.items()}
    assert [d.typed for d in differences(definition, nobody) if d.name == "wide"] == [(), ()]


def test_what_stopped_with_its_engine():
    """An engine makes docker0's network anew whenever it starts; who was on it is started, and not made anew."""
    definition = lab(DEMO)
    (found,) = snapshots(definition).values()
    detail = {"NetworkSettings": {"Networks": {"bridge": {"NetworkID": "of old"}, "front": {"NetworkID": "of old"}}}}
    halted = [replace(c, running=False, status="exited", detail=detail) for c in found.containers if c.name == "plain"]
    others = [c for c in found.containers if c.name != "plain"]
    (told,) = differences(definition, {"local": replace(found, containers=(*others, *halted))})
    assert told.right[0].startswith("docker rm --force plain"), "one of its networks is another one by now"
    del detail["NetworkSettings"]["Networks"]["front"]
    (told,) = differences(definition, {"local": replace(found, containers=(*others, *halted))})
    assert told.right == ("docker start plain",)


def test_who_joined_one_that_is_made_anew():
    """A container that stopped, and whose owner is another one by now, cannot be started, and it is said why."""
    definition = lab(DEMO)
    (found,) = snapshots(definition).values()
    fields = {"web": {"id": "another"}, "side": {"running": False, "status": "exited", "exit_code": 143}}
    containers = tuple(replace(c, **fields.get(c.name, {})) for c in found.containers)
    (told,) = differences(definition, {"local": replace(found, containers=containers)})
    assert told.what == (
        "does not run (exited, exit code 143), and cannot be started: the web that it had joined is gone, "
        "and there is a new one"
    )
    assert [line.split(" --")[0] for line in told.right] == ["docker rm", "docker run"]


def test_a_port_that_a_container_in_host_mode_holds():
    """Who listens on a port of the host is named as the container that it is, and is stopped first."""
    definition = lab("""
        containers:
          web: {network_mode: host, command: httpd -f -p 8080, expose: [8080]}
          second: {network_mode: host, command: httpd -f -p 8081, expose: [8081]}
    """)
    (found,) = running(definition).snapshots().values()
    second = found.container("second")
    web = replace(found.container("web"), running=False, status="exited", exit_code=137)
    (machine,) = pretended(definition, running(definition)).fabric.net.machines.values()
    for pid, holder in ((second.pid, "container second"), (1, "httpd")):
        ground = replace(machine.ground, listeners=(Listener("tcp", "0.0.0.0", 8080, ((pid, "httpd"),)),))
        spaces = tuple(ground if each.host else each for each in machine.namespaces)
        kernel = {"local": replace(machine, namespaces=spaces)}
        (told,) = differences(definition, {"local": replace(found, containers=(web, second))}, kernel)
        assert f"; {holder} holds port 8080 of local" in told.what
    assert told.right == ()


def test_a_place_by_the_command_that_was_meant():
    """Somebody who learns is told the command that makes a container as it should be; else it joins and leaves."""
    definition = lab(DEMO)
    engines = running(definition)
    engines["local"].run(("docker", "network", "disconnect", "front", "web"))
    (told,) = differences(definition, engines.snapshots())
    assert told.right == ("docker network connect --ip 172.28.1.10 front web",)
    (told,) = differences(definition, engines.snapshots(), afresh=True)
    assert told.right[0] == "docker rm --force web"
    assert "--network front --ip 172.28.1.10" in told.right[1]
