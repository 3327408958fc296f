"""Compose files on real engines: made by dockerlab, and judged where Docker Compose made them."""

import pytest
from support.lab_hosts import write

PROJECT = """name: shop
services:
  web:
    image: dockerlab/node
    command: httpd -f -p 80 -h /
    ports: ['8080:80']
    networks: [front, back]
  db:
    image: dockerlab/node
    command: httpd -f -p 5432 -h /
    expose: [5432]
    networks: {back: {ipv4_address: 10.9.8.7, aliases: [database]}}
  worker: {image: dockerlab/node, scale: 2, networks: [back]}
  side: {image: dockerlab/node, network_mode: 'service:web'}
networks:
  front:
  back: {internal: true, ipam: {config: [{subnet: 10.9.8.0/24}]}}
"""


def test_a_compose_file_is_a_lab(lab, tmp_path):
    """`up` of a Compose file makes its containers and networks by Compose's names, and every cell passes."""
    path = write(tmp_path, PROJECT, "compose.yaml")
    report = lab.up(path)
    names = {name.partition(" ")[2] for name in lab.ids()}
    assert names == {"shop-web-1", "shop-db-1", "shop-worker-1", "shop-worker-2", "shop-side-1"}
    assert {cell["target"] for cell in report["cells"] if cell["probe"] == "dns"} >= {"web", "db", "database", "worker"}
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert (again.rc, "no change" in again.stderr) == (0, True), again.stderr
    lab.down("shop")


def test_what_compose_made_is_judged_and_left_alone(lab, tmp_path):
    """A project that Docker Compose runs is judged against its file; nothing of it is made, changed or removed."""
    if lab.run("vm0", "docker", "compose", "version").returncode != 0:
        pytest.skip("this engine's hosts have no Docker Compose 2")
    lab.need_node("vm0")
    path = write(tmp_path, PROJECT, "compose.yaml")
    made = lab.run("vm0", "docker", "compose", "-f", "-", "up", "--detach", "--pull", "never", text=PROJECT)
    assert made.returncode == 0, made.stderr
    try:
        before, found = lab.ids(), lab.found("vm0")
        outcome = lab.call("verify", path, "--sandbox", "--format", "json")
        assert outcome.rc == 0, outcome.stderr + outcome.stdout
        assert {**outcome.json["summary"], "pass": 0} == {"pass": 0, "fail": 0, "unknown": 0, "unexplained": 0}
        assert outcome.json["causes"] == []
        assert (lab.ids(), lab.found("vm0")) == (before, found)
        lab.docker("vm0", "network", "disconnect", "shop_back", "shop-db-1")
        cut = lab.call("verify", path, "--sandbox", "--format", "json")
        assert (cut.rc, {cause["where"] for cause in cut.json["causes"]}) == (1, {"container shop-db-1"})
        lab.sh("vm0", "docker network connect --ip 10.9.8.7 --alias db --alias database shop_back shop-db-1")
        found = lab.found("vm0")  # a cable that is plugged in again is a new one
        refused = lab.call("up", path, "--sandbox")
        assert refused.rc == 4, refused.stdout
        assert (lab.ids(), lab.found("vm0")) == (before, found)
    finally:
        lab.run("vm0", "docker", "compose", "-f", "-", "down", "--timeout", "1", text=PROJECT)
