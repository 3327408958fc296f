"""A class at a time on real engines: up, graded, served and down, each student for themselves."""

from __future__ import annotations

import csv
import json
import signal
import urllib.request
from io import StringIO

import pytest
from support.lab_hosts import EXAMPLES, wait_for, write

from dockerlab.students.as_csv import MARK

CLASS = """
name: web
networks: {net: {}}
containers:
  web: {networks: {net: {ip: , aliases: [www]}}, command: "sh -c 'httpd -p 80 -h /www; sleep 1d'", ports: ["8080:80"]}
  client: {networks: [net]}
"""
ROSTER = 'name;group\nAda Lovelace;A\n"=1+1; rm -rf / $(id)";B\n张三;"<b>B</b>"\n'
ADA, EVIL, THREE = "s01-ada-lovelace", "s02-1-1-rm-rf-id", "s03"


@pytest.fixture
def roster(tmp_path):
    return write(tmp_path, ROSTER, "class.csv")


def test_a_class(lab, tmp_path, roster):
    """One failure stops nobody, what is broken is found at its student, and nothing is left in the end."""
    path = write(tmp_path, CLASS)
    words = (path, "--sandbox", "--students", roster)
    lab.need_node("vm1")
    lab.docker("vm1", "run", "--detach", "--name", f"{EVIL}-web", "dockerlab/node")

    first = lab.call("up", *words)
    assert first.rc == 4, first.stderr
    assert f"container {EVIL}-web was not made by dockerlab" in first.stderr
    assert "2 of 3 instances are up" in first.stderr
    assert "3 students: 2 pass, 1 not to be graded" in first.stdout
    lab.docker("vm1", "rm", "--force", f"{EVIL}-web")

    second = lab.call("up", *words, "--format", "json")
    assert second.rc == 0, second.stderr + second.stdout
    assert [each["verdict"] for each in second.json["students"]] == ["pass"] * 3
    assert [each["hosts"] for each in second.json["students"]] == [["vm0"], ["vm1"], ["vm0"]]
    assert set(lab.ids()) == {f"{host} {student}-{c}" for student, host in
                              ((ADA, "vm0"), (EVIL, "vm1"), (THREE, "vm0")) for c in ("web", "client")}  # fmt: skip

    subnets = {lab.inspect("vm0", f"{student}-net")["IPAM"]["Config"][0]["Subnet"] for student in (ADA, THREE)}
    assert subnets == {"198.18.0.0/24", "198.18.2.0/24"}
    for name in ("web", "www", f"{THREE}-web"):
        assert "1 packets received" in lab.docker("vm0", "exec", f"{THREE}-client", "ping", "-c", "1", name)
    assert ":20030->80" in lab.docker("vm0", "ps", "--filter", f"name={THREE}-web", "--format", "{{.Ports}}")

    listed = lab.call("status", "web", "--sandbox", "--students", roster)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["ID", ADA, EVIL, THREE]
    assert listed.stdout.count("2 of 2 run") == 3

    lab.docker("vm0", "exec", f"{THREE}-web", "sh", "-c", "kill $(pidof httpd)")
    graded = lab.call("grade", *words, "--format", "csv")
    rows = list(csv.DictReader(StringIO(graded.stdout.removeprefix(MARK)), delimiter=";"))
    assert (graded.rc, [row["verdict"] for row in rows]) == (1, ["pass", "pass", "fail"])
    assert rows[1]["name"].startswith("'=1+1")
    assert "unreachable (refused" in rows[2]["problem"]
    drop = ("DOCKER-USER", "-p", "icmp", "-j", "DROP")
    lab.run("vm0", "iptables", "-I", *drop)
    page = lab.call("grade", *words, "--format", "html").stdout
    lab.run("vm0", "iptables", "-D", *drop)
    assert f"-A {' '.join(drop)}" in page, "grade names causes as verify does"
    alone = lab.call("verify", path, "--sandbox", "--student", THREE, "--format", "json")
    assert (alone.rc, alone.json["instance"]) == (1, THREE)
    nobody = lab.call("verify", path, "--sandbox", "--student", "s13")
    assert (nobody.rc, nobody.stdout) == (2, "")
    assert "--student s13: nothing of it is on vm0, vm1, where a class is; " in " ".join(nobody.stderr.split())
    explained = lab.call("explain", path, "client", "web", "--probe", "tcp/80", "--sandbox", "--student", THREE)
    assert f"{THREE}-client -> {THREE}-web" in explained.stdout

    served(lab, words)

    part = lab.call("down", "web", "--sandbox", "--students", "1")
    assert f"stay: {ADA}, {EVIL}, {THREE}" in part.stderr
    rest = lab.call("down", "--all", "--sandbox")
    assert rest.rc == 0, rest.stderr
    assert "removed 6 containers, 3 networks" in rest.stderr
    assert "looked again: nothing is left on vm0, vm1" in rest.stderr


def served(lab, words):
    """Serve the class, see the failure and its repair on the page, and end it by Ctrl-C."""
    program = lab.start("serve", *words, "--port", "0", "--every", "0.5")
    try:
        line = program.stderr.readline()
        assert "the page is at http://127.0.0.1:" in line
        address, _, token = line.split("at ")[1].split()[0].partition("?token=")
        request = urllib.request.Request(f"{address}board", headers={"Cookie": f"dockerlab={token}"})

        def verdict():
            with urllib.request.urlopen(request, timeout=5) as answer:
                return [each.get("verdict") for each in json.load(answer)["students"]]

        wait_for(lambda: verdict() == ["pass", "pass", "fail"], 60)
        lab.docker("vm0", "exec", f"{THREE}-web", "httpd", "-p", "80", "-h", "/www")
        wait_for(lambda: verdict() == ["pass"] * 3, 60)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
        assert (program.returncode, said.splitlines()[-1]) == (0, "the page has ended")
    finally:
        program.kill()
        program.communicate()


def test_a_shared_lan(lab):
    """On a LAN all students are on the one network that its parent may have, which goes with the last of them."""
    lab.skip_without_driver("macvlan")
    words = (EXAMPLES / "macvlan.yaml", "--sandbox", "--students")
    outcome = lab.call("up", *words, "2", "--format", "json")
    assert outcome.rc == 0, outcome.stderr + outcome.stdout
    assert sum("class-macvlan50" in each for host in lab.names for each in lab.found(host)) == 2
    assert "28: 192.168.22.255 is the broadcast address" in lab.call("up", *words, "28").stderr
    lab.down("macvlan", "--students", "1")
    assert "removed 2 containers, 2 networks" in lab.down("macvlan", "--students", "2")
