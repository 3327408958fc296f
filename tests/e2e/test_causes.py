"""Labs that are not as their definition has them, on real engines: what is named, and that its command mends it."""

import csv
import json
from collections import Counter
from io import StringIO

import pytest
from support.lab_hosts import EXAMPLES, write

from dockerlab.students.as_csv import MARK

pytestmark = pytest.mark.usefixtures("emptied")

LAB = """
name: web
hosts: {vm0: }
networks:
  front: {subnet: 172.28.1.0/24}
  back: {}
  vault: {internal: true, subnet: 172.28.3.0/24}
containers:
  web:
    networks: {front: {ip: 172.28.1.10, aliases: [www]}}
    command: "sh -c 'httpd -f -p 80 -h /www'"
    ports: ["8080:80"]
  both: {networks: [front, back]}
  hidden: {networks: [vault]}
  plain: {}
"""
RUN = "docker run --detach --interactive --tty --name"
WEB = "--network front --ip 172.28.1.10 --network-alias www"
HTTPD = "dockerlab/node sh -c 'httpd -f -p 80 -h /www'"


@pytest.fixture
def emptied(lab):
    """Empty the hosts in the end of what was typed by hand."""
    yield
    lab.empty()


HARM = {
    "off a network": ("docker network disconnect front both", "place", "container both"),
    "one network too many": ("docker network connect back plain", "place", "container plain"),
    "another address": (
        f"docker rm --force web; {RUN} web --network front --ip 172.28.1.77 --network-alias www -p 8080:80 {HTTPD}",
        "place", "container web",
    ),
    "another mode": (f"docker rm --force plain; {RUN} plain --network none dockerlab/node", "place", "container plain"),
    "not internal": (
        (f"docker rm --force hidden; docker network rm vault; docker network create --subnet 172.28.3.0/24 vault; "
        f"{RUN} hidden --network vault dockerlab/node"),
        "network", "network vault",
    ),
    "another option": (
        ("docker network disconnect back both; docker network rm back; "
        "docker network create --opt com.docker.network.driver.mtu=1400 back; docker network connect back both"),
        "network", "network back",
    ),
    "no network": (
        "docker network disconnect front web; docker network disconnect front both; docker network rm front",
        "network", "network front",
    ),
    "stopped": ("docker stop --time 1 web", "container", "container web"),
    "missing": ("docker rm --force hidden", "container", "container hidden"),
    "another command": (
        f"docker rm --force web; {RUN} web {WEB} -p 8080:80 dockerlab/node sh", "command", "container web",
    ),
    "another image": (
        (f"docker tag dockerlab/node other; docker rm --force both; {RUN} both --network front other; "
        "docker network connect back both"),
        "image", "container both",
    ),
    "no port": (f"docker rm --force web; {RUN} web {WEB} {HTTPD}", "port", "container web"),
    "a port on one address": (
        f"docker rm --force web; {RUN} web {WEB} -p 127.0.0.1:8080:80 {HTTPD}", "port", "container web",
    ),
    "no alias": (
        f"docker rm --force web; {RUN} web --network front --ip 172.28.1.10 -p 8080:80 {HTTPD}",
        "alias", "container web",
    ),
}  # fmt: skip


def verified(lab, path):
    """Return the exit code and the report of a lab as it is now."""
    outcome = lab.call("verify", path, "--sandbox", "--format", "json")
    return outcome.rc, outcome.json


def asked(report):
    return Counter((cell["from"], cell["to"], cell["probe"]) for cell in report["cells"])


def test_every_kind_of_cause(lab, tmp_path):
    """What is otherwise is the only cause, explains each cell that did not pass, and its command mends it."""
    path = write(tmp_path, LAB)
    whole = lab.up(path)
    assert whole["causes"] == []
    for words, (script, kind, where) in HARM.items():
        lab.sh("vm0", script)
        rc, report = verified(lab, path)
        assert [(c["side"], c["kind"], c["where"]) for c in report["causes"]] == [("lab", kind, where)], words
        assert rc == 1, words
        assert asked(report) == asked(whole), words
        astray = [cell for cell in report["cells"] if cell["verdict"] != "pass" and cell["cause"] is None]
        assert astray == [], words
        assert report["summary"]["unexplained"] == 0
        lab.sh("vm0", report["causes"][0]["undo"])
        rc, report = verified(lab, path)
        assert (rc, report["causes"]) == (0, []), words
        assert {cell["verdict"] for cell in report["cells"]} == {"pass"}, words
    lab.docker("vm0", "image", "rm", "other")


def test_a_stopped_container(lab, tmp_path):
    """It is told once; what it would ask is unknown, and its dead published port is a failure and no pass."""
    path = write(tmp_path, LAB)
    lab.up(path)
    lab.docker("vm0", "stop", "--time", "1", "web")
    _, report = verified(lab, path)
    own = [cell for cell in report["cells"] if cell["from"] == "web"]
    assert own
    assert {(cell["observed"], cell["verdict"]) for cell in own} == {("unknown", "unknown")}
    dead = [cell for cell in report["cells"] if cell["probe"] == "tcp/8080" and cell["from"] != "web"]
    assert dead
    assert {(cell["observed"], cell["verdict"]) for cell in dead if cell["expected"] == "reachable"} == {
        ("unreachable", "fail")
    }
    table = lab.call("verify", path, "--sandbox").stdout
    assert table.count("does not run") == 1
    assert "right would be: docker start web" in table


def test_hosts_as_they_are(lab, tmp_path):
    """A rule that is meant so makes a lab fail, with its cause, and pass where hosts are taken as they are."""
    path = write(tmp_path, LAB)
    lab.up(path)
    lab.sh("vm0", "iptables -I INPUT -p icmp -j DROP; docker network disconnect front both")
    rc, report = verified(lab, path)
    assert (rc, {cause["side"] for cause in report["causes"]}) == (1, {"lab", "host"})
    as_it_is = lab.call("verify", path, "--sandbox", "--as-is", "--format", "json")
    assert (as_it_is.rc, as_it_is.json["causes"], as_it_is.json["summary"]["fail"]) == (0, [], 0)
    assert any("--as-is" in note for note in as_it_is.json["notes"])
    lab.sh("vm0", "iptables -D INPUT -p icmp -j DROP")


CASE_24 = """
name: inside
networks: {n: {internal: true}}
containers:
  web: {networks: [n], command: "httpd -f -p 80 -h /www", ports: ["8080:80"]}
  peer: {networks: [n]}
"""
CASE_25 = """
name: nameless
networks: {n: {}}
containers: {one: {}, two: {}, far: {networks: [n]}}
"""


def test_a_port_of_an_internal_network(lab, tmp_path):
    """A port that is published from an internal network alone leads nowhere, as expected; that is no cause."""
    report = lab.up(write(tmp_path, CASE_24))
    assert report["causes"] == []
    asked_from_outside = [c for c in report["cells"] if c["probe"] == "tcp/8080" and c["from"] == "peer"]
    assert {(c["expected"], c["observed"]) for c in asked_from_outside} <= {("unreachable", "unreachable")}
    inside = next(c for c in report["cells"] if (c["from"], c["to"], c["probe"]) == ("peer", "web", "tcp/80"))
    assert inside["observed"] == "reachable"


def test_no_names_on_docker0(lab, tmp_path):
    """On docker0 no container has a name."""
    report = lab.up(write(tmp_path, CASE_25))
    names = [c for c in report["cells"] if c["probe"] == "dns"]
    assert {(c["from"], c["to"]) for c in names} >= {("one", "two"), ("two", "one"), ("far", "one")}
    assert {(c["expected"], c["observed"]) for c in names} == {("unreachable", "unreachable")}
    assert report["causes"] == []


def test_grades_of_labs_that_are_otherwise(lab, tmp_path):
    """Who took a container off a network, deleted one, or made one that is not internal fails for that reason."""
    roster = write(tmp_path, "name\nAda\nBob\nEve\nMax\n", "class.csv")
    words = (EXAMPLES / "user-bridge.yaml", "--sandbox", "--students", roster)
    assert lab.call("up", *words).rc == 0
    lab.sh("vm0", "docker network disconnect s01-ada-front s01-ada-both")
    lab.sh(
        "vm1",
        "subnet=$(docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' s02-bob-vault); "
        "docker network disconnect s02-bob-vault s02-bob-hidden; docker network rm s02-bob-vault; "
        "docker network create --subnet $subnet s02-bob-vault; "
        "docker network connect s02-bob-vault s02-bob-hidden",
    )
    lab.sh(
        "vm0",
        "for c in $(docker ps --quiet --filter network=s03-eve-front); do docker network disconnect s03-eve-front $c; "
        "done; docker network rm s03-eve-front",
    )
    graded = lab.call("grade", *words, "--format", "json")
    assert graded.rc == 1
    students = graded.json["students"]
    assert [s["verdict"] for s in students] == ["fail", "fail", "fail", "pass"]
    assert [[c["where"] for c in s["causes"]] for s in students] == [
        ["container s01-ada-both"], ["network s02-bob-vault"], ["network s03-eve-front"], [],
    ]  # fmt: skip
    assert len({sum(s["summary"].values()) for s in students}) == 1
    assert all(s["not_charged"] == 0 for s in students)
    rows = list(csv.DictReader(StringIO(lab.call("grade", *words, "--format", "csv").stdout.removeprefix(MARK))))
    assert "both is on back, and the lab wants it on back, front" in rows[0]["problem"].replace("s01-ada-", "")
    assert rows[1]["problem"] == "network vault is not internal, and the lab wants it internal"
    assert rows[2]["problem"] == "network front does not exist"
    assert int(rows[0]["percent"]) < 100
    assert int(rows[2]["percent"]) < 100
    for student in students:
        for cause in student["causes"]:
            lab.sh(cause["host"], cause["undo"])
    again = lab.call("grade", *words, "--format", "json")
    assert [s["verdict"] for s in again.json["students"]] == ["pass"] * 4
    assert again.rc == 0


@pytest.mark.parametrize("harm", ["iptables -P INPUT DROP", "iptables -A INPUT -j DROP"])
def test_a_host_is_charged_to_nobody(lab, tmp_path, harm):
    """A host that drops what comes for it is told of once above the students, who pass; its command mends it."""
    roster = write(tmp_path, "name\nAda\nBob\nEve\n", "class.csv")
    words = (EXAMPLES / "ports.yaml", "--sandbox", "--students", roster)
    assert lab.call("up", *words).rc == 0
    opened = "-p tcp --dport 22 -j ACCEPT", "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
    try:
        lab.sh("vm0", "; ".join([*(f"iptables -A INPUT {rule}" for rule in opened), harm]))
        graded = lab.call("grade", *words, "--format", "json")
        assert {s["id"]: s["verdict"] for s in graded.json["students"]} == {
            "s01-ada": "pass", "s02-bob": "pass", "s03-eve": "pass",
        }  # fmt: skip
        (cause,) = graded.json["causes"]
        assert (cause["host"], cause["side"]) == ("vm0", "host")
        assert cause["where"] == ("filter INPUT policy" if "-P" in harm else "filter INPUT 3")
        # Beside them are those that fail as they should, but in silence.
        assert cause["cells"] >= sum(s["not_charged"] for s in graded.json["students"]) > 0
        table = lab.call("grade", *words).stdout
        assert table.startswith(f"vm0: {cause['text']}")
        assert "not charged to the students" in " ".join(table.split())
        lab.sh("vm0", cause["undo"])
        again = json.loads(lab.call("grade", *words, "--format", "json").stdout)
        assert (again["causes"], [s["not_charged"] for s in again["students"]]) == ([], [0, 0, 0])
    finally:
        lab.run("vm0", "iptables", "-P", "INPUT", "ACCEPT")
        lab.run("vm0", "iptables", "-F", "INPUT")
