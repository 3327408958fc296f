"""Published ports on real engines: a connection counts when somebody behind the host took it, and not before."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from e2e.mechanisms.proxyless import restart
from support.lab_hosts import cells, write

from dockerlab.probe.agents import AgentProber
from dockerlab.probe.base import Behind, Cell, Place
from dockerlab.session import Whereabouts, open_session

DOORS = """\
name: doors
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks: {front: {subnet: 172.31.1.0/24}, back: {subnet: 172.31.2.0/24}}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [front], ports: ["8080:80"], command: "sh -c 'httpd; sleep 999'"}
  curt: {host: vm0, image: dockerlab/node, networks: [front], ports: ["8081:80"], command: nc -ll -p 80 -e true}
  mute: {host: vm0, image: dockerlab/node, networks: [front], ports: ["8082:80"], command: nc -ll -p 80 -e sleep 600}
  peer: {host: vm0, image: dockerlab/node, networks: [front]}
  far: {host: vm0, image: dockerlab/node, networks: [back]}
"""
BY_PROXY, LED_ON = ("web", "peer", "far"), ("vm1",)
"""Who comes to a published port of vm0 by docker-proxy, and by DNAT."""

BEHIND = "refused behind docker-proxy"
IN_WEB = "nsenter --net --target $(docker inspect --format {{.State.Pid}} web) "
TO_PROXY = "pgrep docker-proxy | while read -r p; do grep -aq 8080 /proc/$p/cmdline && echo $p; done | xargs kill -"


@pytest.fixture
def doors(lab, tmp_path):
    """Give a lab whose published ports are served, each in another way, and its definition's path."""
    path = write(tmp_path, DOORS)
    lab.up(path)
    yield path
    lab.down("doors")


def seen(lab, path, port, *words):
    """Return by source what was seen of a published port of vm0: the symptom, or the observation without one."""
    report = lab.call("verify", path, "--sandbox", "--format", "json", *words).json
    found = cells(report, to="vm0", probe=f"tcp/{port}", target="192.168.22.61")
    return {cell["from"]: cell["symptom"] or cell["observed"] for cell in found if cell["from"] in (*BY_PROXY, *LED_ON)}


@contextmanager
def changed(lab, script, undo):
    """Change vm0 for a while."""
    lab.sh("vm0", script)
    try:
        yield
    finally:
        lab.sh("vm0", undo)


def test_whoever_takes_the_connection_is_reachable(lab, doors):
    """A listener that ends the connection at once, or never says a word, took it all the same."""
    for port in (8080, 8081, 8082):
        assert set(seen(lab, doors, port).values()) == {"reachable"}, port


CHANGES = {
    "nobody listens": ("docker exec web killall httpd", "docker exec web httpd -p 80", "refused"),
    "dropped in the container": (
        IN_WEB + "iptables -A INPUT -p tcp --dport 80 -j DROP",
        IN_WEB + "iptables -D INPUT -p tcp --dport 80 -j DROP",
        "timeout",
    ),
    # The host drops what it sends itself, so what its proxy sends; what it forwards is another matter.
    "dropped by OUTPUT": (
        "iptables -I OUTPUT -d 172.31.1.0/24 -p tcp --dport 80 -j DROP",
        "iptables -D OUTPUT -d 172.31.1.0/24 -p tcp --dport 80 -j DROP",
        "reachable",
    ),
    # The container answers the proxy, and the host drops the answer.
    "dropped by INPUT": (
        "iptables -I INPUT -s 172.31.1.0/24 -p tcp --sport 80 -j DROP",
        "iptables -D INPUT -s 172.31.1.0/24 -p tcp --sport 80 -j DROP",
        "reachable",
    ),
    # Its socket goes on to accept.
    "a proxy that stands still": (TO_PROXY + "STOP", TO_PROXY + "CONT", "reachable"),
}
"""What is done on vm0, how that is undone, and what who comes by DNAT then sees."""


def test_a_proxy_that_accepts_for_nobody_does_not_count(lab, doors):
    """Whoever comes by docker-proxy is refused behind it; by DNAT one is as far as the container lets one."""
    found, expected = {}, {}
    for what, (change, undo, led_on) in CHANGES.items():
        expected[what] = dict.fromkeys(BY_PROXY, BEHIND) | dict.fromkeys(LED_ON, led_on)
        with changed(lab, change, undo):
            found[what] = seen(lab, doors, 8080)
    assert found == expected
    assert set(seen(lab, doors, 8080).values()) == {"reachable"}
    lab.sh("vm0", TO_PROXY + "KILL")
    assert seen(lab, doors, 8080) == dict.fromkeys(BY_PROXY, "refused") | dict.fromkeys(LED_ON, "reachable")


@pytest.mark.usefixtures("doors")
def test_the_hosts_own_loopback_comes_by_the_proxy(lab):
    """No rule leads on what goes to 127.0.0.1: the proxy serves it, and is found out when nobody is behind it."""
    state = lab.inspect("vm0", "web")
    web = Place("vm0", "web", state["State"]["Pid"], state["Id"])
    vm0 = Place("vm0", None, 1)
    cell = Cell(0, vm0, vm0, "127.0.0.1", "tcp", 8080, behind=(Behind(web, 80),))
    where = Whereabouts(sandbox=True)
    with open_session({"vm0": None}, where, lambda _: None) as session:
        prober = AgentProber(session.hosts)
        assert prober.observe([cell])[0].state == "reachable"
        with changed(lab, IN_WEB + "iptables -A INPUT -p tcp --dport 80 -j DROP", IN_WEB + "iptables -F INPUT"):
            assert prober.observe([cell])[0].symptom == BEHIND


def test_the_portable_prober_claims_only_what_it_heard(lab, doors):
    """A page that is served proves somebody; of who accepts and says nothing it does not know who that was."""
    found = seen(lab, doors, 8080, "--prober", "portable")
    assert set(found.values()) == {"reachable"}
    found = seen(lab, doors, 8082, "--prober", "portable")
    assert set(found.values()) == {"unknown"}
    with changed(lab, IN_WEB + "iptables -A INPUT -p tcp --dport 80 -j DROP", IN_WEB + "iptables -F INPUT"):
        found = seen(lab, doors, 8080, "--prober", "portable")
    assert {found[name] for name in BY_PROXY} == {"unknown"}
    assert found["vm1"] == "timeout"


@pytest.mark.slow
def test_without_proxy_and_rules_nobody_serves_the_port(lab, doors):
    """The engine keeps the port from others; where its kernel accepts for it, that is silence all the same."""
    lab.down("doors")
    kept = lab.sh("vm0", "cat /etc/docker/daemon.json 2>/dev/null || true")
    try:
        restart(lab, '{"userland-proxy": false, "iptables": false}')
        lab.sh("vm0", "iptables -t nat -F; iptables -F")
        lab.call("up", doors, "--sandbox", "--no-verify")
        found = seen(lab, doors, 8080)
        assert set(found.values()) <= {"timeout", "refused"}, found
    finally:
        restart(lab, kept)
