"""What others made on hosts: discovered, verified and explained as it stands, and made again from its definition."""

from __future__ import annotations

import time

import pytest
from support.lab_hosts import cells, wait_for

from dockerlab import modes

RUN = "docker run --detach --interactive --tty"
BY_HAND = {
    "vm0": f"""
docker network create front
docker network create --internal --subnet 172.28.5.0/24 vault
docker network create --driver macvlan --subnet 192.168.22.0/24 --gateway 192.168.22.1 --opt parent=eth0 lan
{RUN} --name web --network front --network-alias shop --publish 8080:80 --env DB_PASSWORD=hunter2 --env TZ=UTC \
    --restart unless-stopped dockerlab/node httpd -f -p 80 -h /www
docker network connect vault web
{RUN} --name side --network container:web dockerlab/node
{RUN} --name db --network vault --ip 172.28.5.9 --mac-address 02:42:ac:1c:05:77 dockerlab/node httpd -f -p 5432 -h /www
{RUN} --name near --network lan --ip 192.168.22.200 dockerlab/node
{RUN} --name vm1 --network host dockerlab/node httpd -f -p 8000 -h /www
docker run --name done --network front dockerlab/node true
""",
    "vm1": f"""
docker network create --driver macvlan --subnet 192.168.22.0/24 --gateway 192.168.22.1 --opt parent=eth0 lan
{RUN} --name web dockerlab/node
{RUN} --name far --network lan dockerlab/node
""",
}
"""What somebody has typed: names that both hosts have, or that is a host's, and a LAN over both."""

EVERYTHING = r"""
PATH=/usr/sbin:/usr/bin:/sbin:/bin
docker ps --all --quiet --no-trunc
docker ps --all --quiet | xargs docker inspect --format '{{.Id}} {{.State.StartedAt}} {{.RestartCount}}'
docker network ls --quiet --no-trunc
docker images --all --quiet
docker volume ls --quiet
ip -o link | cut -d' ' -f2
iptables-save | grep -v '^[#:]'
find /etc /home /opt /root /srv /tmp /var/tmp -type f -printf '%p %s %T@\n' 2>/dev/null
"""


def test_what_somebody_made_by_hand(lab, tmp_path):
    """What others made is verified, explained and drawn without a definition and without a change, and made again."""
    for host in lab.names:
        lab.need_node(host)
        lab.sh(host, BY_HAND[host])
    before, moment = {host: lab.sh(host, EVERYTHING) for host in lab.names}, str(int(time.time()) + 1)
    file = tmp_path / "found.yaml"
    assert lab.call("discover", "--sandbox", "--output", file).rc == 0
    report = lab.call("verify", "--sandbox", "--format", "json").json
    assert {**report["summary"], "pass": 0} == {"pass": 0, "fail": 0, "unknown": 0, "unexplained": 0}
    portable = lab.call("verify", "--sandbox", "--prober", "portable", "--project", "none", "--format", "json")
    assert portable.rc == 2  # nothing is of that project
    portable = lab.call("verify", "--sandbox", "--prober", "portable", "--network", "vault", "--format", "json").json
    assert portable["summary"]["fail"] == 0
    told = lab.call("explain", "near", "db", "--sandbox", "--probe", "tcp/5432")
    assert "unreachable" in told.stdout, told.stderr
    ended = lab.call("explain", "web-vm0", "done", "--sandbox")
    assert ended.rc == 0, ended.stderr
    assert "near" in lab.call("graph", "--sandbox", "--format", "mermaid").stdout
    assert "02:42:ac:1c:05:77" in lab.call("inspect", "--sandbox").stdout
    assert "── web:" not in lab.call("inspect", "db", "--sandbox").stdout
    assert {host: lab.sh(host, EVERYTHING) for host in lab.names} == before
    for host in lab.names:
        made = ["events", "--since", moment, "--until", str(int(time.time())), "--filter", "event=create"]
        assert lab.docker(host, *made) == ""

    text = file.read_text()
    assert "hunter2" not in text
    assert "DB_PASSWORD:\n" in text
    assert "left out, as they do not run (--all takes them): done" in text
    lab.empty()
    again = lab.call("up", file, "--sandbox", "--allow-environment", "--format", "json", DB_PASSWORD="other")
    assert again.rc == 0, again.stderr + again.stdout
    assert _seen(again.json) == _seen(report)
    assert lab.inspect("vm0", "db")["NetworkSettings"]["Networks"]["vault"]["MacAddress"] == "02:42:ac:1c:05:77"
    assert lab.inspect("vm0", "web-vm0")["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    lab.call("down", file, "--sandbox")


def _seen(report):
    """Return how each cell was seen, by its ends; not by addresses, nor by names that no host knew before."""
    return sorted((c["from"], c["to"], c["probe"], c["observed"]) for c in cells(report) if c["probe"] != "dns")


BESIDE = f"""
docker network create front
docker network create back
{RUN} --name web --network front --network-alias shop dockerlab/node
{RUN} --name app --network front dockerlab/node
{RUN} --name lone --network back dockerlab/node
{RUN} --name stranger --network front --network-alias shop --network-alias lone dockerlab/node
"""


def test_a_stranger_with_a_name(lab):
    """Whose name a stranger has on a network is not reached by it: neither beside the stranger nor in its place."""
    lab.need_node("vm0")
    lab.sh("vm0", BESIDE)
    those = [word for name in ("web", "app", "lone") for word in ("--name", name)]
    report = lab.call("verify", "--sandbox", *those, "--format", "json").json
    assert {**report["summary"], "pass": 0} == {"pass": 0, "fail": 0, "unknown": 0, "unexplained": 0}
    told = {
        (c["from"], c["to"], c["target"]): (c["predicted"], c["observed"], c["symptom"])
        for c in cells(report, probe="dns")
    }
    wrong = ("unreachable", "unreachable", "wrong answerer")
    assert (told["app", "web", "shop"], told["app", "lone", "lone"]) == (wrong, wrong)
    assert told["app", "web", "web"] == ("reachable", "reachable", None)
    everybody = lab.call("verify", "--sandbox", "--format", "json").json
    both = [c["observed"] for c in cells(everybody, probe="dns") if (c["from"], c["target"]) == ("app", "shop")]
    assert both == ["reachable", "reachable"]  # of those who are all meant, the name is everybody's
    lab.empty()


COMPOSED = """
name: shop
services:
  web:
    image: dockerlab/node
    command: httpd -f -p 80 -h /www
    ports: ["127.0.0.1:8080:80", "8081:80"]
    networks: {front: {aliases: [shop]}, back: }
    environment: {TZ: Europe/Zurich, API_TOKEN: hunter2}
    volumes: ["data:/data", "/etc/hostname:/seen:ro"]
    restart: unless-stopped
    depends_on: [db]
  db:
    image: dockerlab/node
    command: ["httpd", "-f", "-p", "5432", "-h", "/www"]
    networks: {back: {ipv4_address: 172.28.9.9}}
    healthcheck: {test: [CMD, test, a b, "=", a b], interval: 1s}
    sysctls: {net.ipv4.ip_forward: "0"}
  side: {image: dockerlab/node, network_mode: "service:web"}
  worker: {image: dockerlab/node, networks: [back], deploy: {replicas: 2}, cap_add: [NET_ADMIN], mem_limit: 64m,
    healthcheck: {test: "nc -z db $$PORT || true", interval: 30s}}
  alone: {image: dockerlab/node}
networks:
  front:
  back: {internal: true, ipam: {config: [{subnet: 172.28.9.0/24}]}}
volumes:
  data:
"""


def test_what_compose_made(lab, tmp_path):
    """What Docker Compose made is discovered by its project, and what is made of that has the same matrix."""
    compose = ["docker", "compose", "-f", "-"]
    if lab.run("vm0", "docker", "compose", "version").returncode != 0:
        pytest.skip("there is no Docker Compose on this engine's hosts")
    lab.need_node("vm0")
    lab.sh("vm0", f"{RUN} --name stranger dockerlab/node")
    made = lab.run("vm0", *compose, "up", "--detach", "--pull", "never", text=COMPOSED)
    assert made.returncode == 0, made.stderr
    file = tmp_path / "found.yaml"
    assert lab.call("discover", "--sandbox", "--project", "shop", "--output", file).rc == 0
    report = lab.call("verify", "--sandbox", "--project", "shop", "--format", "json").json
    assert {**report["summary"], "pass": 0} == {"pass": 0, "fail": 0, "unknown": 0, "unexplained": 0}
    text = file.read_text()
    assert "hunter2" not in text
    assert "stranger" not in text
    containers = _containers(file)
    assert containers["shop-db-1"]["healthcheck"]["test"] == ("CMD", "test", "a b", "=", "a b")
    assert containers["shop-worker-1"]["healthcheck"]["test"] == ("CMD-SHELL", "nc -z db $PORT || true")

    gone = lab.run("vm0", *compose, "down", "--timeout", "1", "--volumes", text=COMPOSED)
    assert gone.returncode == 0, gone.stderr
    lab.empty()
    again = lab.call("up", file, "--sandbox", "--allow-environment", "--format", "json", API_TOKEN="other")
    assert again.rc == 0, again.stderr + again.stdout
    assert _seen(again.json) == _seen(report)
    second = tmp_path / "again.yaml"
    assert lab.call("discover", "--sandbox", "--output", second).rc == 0
    wait_for(lambda: lab.inspect("vm0", "shop-db-1")["State"]["Health"]["Status"] == "healthy")
    lab.call("down", file, "--sandbox")
    assert _containers(second) == _containers(file)


def _containers(path):
    """Return what a definition that was discovered says of its containers."""
    return {name: spec.model_dump() for name, spec in modes.definition(path).lab.containers.items()}
