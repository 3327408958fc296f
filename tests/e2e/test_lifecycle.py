"""A lab's life between its first `up` and its last `down`: changes, strangers, failures."""

from __future__ import annotations

from support.faults import docker_replaced
from support.lab_hosts import EXAMPLES, NODE, reached, write

HOSTS = """\
name: demo
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
"""

LAB = (
    HOSTS
    + """\
networks:
  front: {subnet: 172.31.1.0/24}
  back: {subnet: 172.31.2.0/24}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [front]}
  both: {host: vm0, image: dockerlab/node, networks: [front, back]}
  store: {host: vm0, image: dockerlab/node, networks: [back]}
  far: {host: vm1, image: dockerlab/node}
"""
)


def up(lab, path):
    """Bring a lab up without its matrix and return what was said."""
    outcome = lab.call("up", path, "--sandbox", "--no-verify")
    assert outcome.rc == 0, outcome.stderr
    return outcome.stderr


def test_a_changed_network(lab, tmp_path):
    """A change of a network renews it and the containers on it, says so, and leaves the others alone."""
    path = write(tmp_path, LAB)
    assert up(lab, path).endswith(" created\n")
    before = lab.ids()
    write(tmp_path, LAB.replace("172.31.1.0/24", "172.31.9.0/24"))
    planned = lab.call("up", path, "--sandbox", "--dry-run").stdout
    assert "recreate  network front on vm0\n" in planned
    assert "keep      network back on vm0\n" in planned
    assert lab.ids() == before
    said = up(lab, path)
    assert said.endswith("demo: 3 recreated, 3 kept\n")
    after = lab.ids()
    assert {name for name in after if after[name] != before[name]} == {"vm0 web", "vm0 both"}
    assert lab.inspect("vm0", "front")["IPAM"]["Config"][0]["Subnet"] == "172.31.9.0/24"
    assert set(lab.inspect("vm0", "both")["NetworkSettings"]["Networks"]) == {"front", "back"}
    lab.up(path)
    lab.down(path)


def test_a_container_that_is_no_longer_wanted(lab, tmp_path):
    """What the definition drops goes, a network of its own with it, and the rest stays as it is."""
    path = write(tmp_path, LAB)
    up(lab, path)
    before = lab.ids()
    kept = [line for line in LAB.splitlines() if not line.strip().startswith(("back:", "both:", "store:"))]
    write(tmp_path, "\n".join(kept) + "\n")
    said = up(lab, path)
    assert {line.split("  ")[0] for line in said.splitlines()[:-1]} == {"removed"}
    assert said.endswith("demo: 3 removed, 3 kept\n")
    assert lab.ids() == {name: before[name] for name in ("vm0 web", "vm1 far")}
    lab.down("demo")


def test_a_container_that_does_not_run(lab, tmp_path):
    """A stopped container, one that somebody removed, and one without its network are made again; no other one is."""
    path = write(tmp_path, LAB)
    up(lab, path)
    before = lab.ids()
    lab.docker("vm0", "stop", "--time", "1", "web")
    lab.docker("vm1", "rm", "--force", "far")
    lab.docker("vm0", "network", "disconnect", "back", "store")
    assert up(lab, path).endswith("demo: 1 created, 2 recreated, 3 kept\n")
    after = lab.ids()
    assert {name for name in after if after[name] != before[name]} == {"vm0 web", "vm0 store", "vm1 far"}
    lab.up(path)
    lab.down("demo")


def test_a_foreign_container_with_our_name(lab, tmp_path):
    """A name that a stranger has is refused before anything is made on any host; the stranger stays as it is."""
    lab.need_node("vm0")
    stranger = lab.docker("vm0", "run", "--detach", "--name", "web", NODE)
    lab.docker("vm0", "network", "create", "back")
    before = {host: lab.found(host) for host in lab.names}
    outcome = lab.call("up", write(tmp_path, LAB), "--sandbox")
    assert outcome.rc == 4
    assert "vm0: container web was not made by dockerlab\n" in outcome.stderr
    assert "vm0: network back was not made by dockerlab\n" in outcome.stderr
    assert "nothing was created" in outcome.stderr
    assert {host: lab.found(host) for host in lab.names} == before
    assert lab.ids() == {"vm0 web": stranger}
    assert lab.down("demo") == "demo: nothing to remove on vm0, vm1\n"
    assert lab.ids() == {"vm0 web": stranger}
    lab.docker("vm0", "rm", "--force", "web")
    lab.docker("vm0", "network", "rm", "back")


def test_a_name_that_is_taken_meanwhile(lab, tmp_path):
    """A stranger that takes a name after it was looked at makes `up` fail, and is not rolled back with our own."""
    script = f"""
case "$*" in *"--name web "*) mkdir /run/at.web 2>/dev/null && /run/docker.real run --detach --name web {NODE} ;; esac
exec /run/docker.real "$@"
"""
    lab.need_node("vm0")
    with docker_replaced(lab, "vm0", script):
        outcome = lab.call("up", write(tmp_path, LAB), "--sandbox", "--no-verify")
    assert outcome.rc == 4
    assert 'The container name "/web" is already in use' in outcome.stderr
    assert lab.ids().keys() == {"vm0 web"}
    assert "dockerlab.lab" not in lab.inspect("vm0", "web")["Config"]["Labels"]
    lab.docker("vm0", "rm", "--force", "web")


def test_another_owners_lab(lab, tmp_path):
    """A lab of the same name by somebody else is refused, its owner shown; `down` leaves it, `--everyone` does not."""
    path = write(tmp_path, LAB)
    up(lab, path)
    before = lab.ids()
    outcome = lab.call("up", path, "--sandbox", USER="student")
    assert outcome.rc == 4
    assert "vm0: container web is of lab demo, made by teacher@" in outcome.stderr
    taken = lab.call("down", "demo", "--sandbox", USER="student")
    assert taken.rc == 0
    assert "6 objects belong to somebody else and stay; --everyone removes them too" in taken.stderr
    assert "teacher@" in lab.call("status", "demo", "--sandbox", USER="student").stdout
    assert lab.ids() == before
    assert lab.call("down", "demo", "--sandbox", "--everyone", USER="student").rc == 0


def test_a_stranger_on_our_network(lab, tmp_path):
    """At `down` a network with somebody else's container stays, is named with the way out, and the exit code is 4."""
    up(lab, write(tmp_path, LAB))
    stranger = lab.docker("vm0", "run", "--detach", "--name", "guest", "--network", "front", NODE)
    outcome = lab.call("down", "demo", "--sandbox")
    assert outcome.rc == 4
    assert "vm0: network front is kept: guest is attached and not the lab's" in outcome.stderr
    assert "docker network disconnect front guest" in outcome.stderr
    assert lab.ids() == {"vm0 guest": stranger}
    assert "network front" in lab.found("vm0")
    assert "network back" not in lab.found("vm0")
    lab.docker("vm0", "network", "disconnect", "front", "guest")
    assert "demo: 1 removed\n" in lab.down("demo")
    lab.docker("vm0", "rm", "--force", "guest")


def test_the_definition_is_gone(lab, tmp_path):
    """Without the file, `down NAME` removes that lab and no other, and `down --all` the rest."""
    first = write(tmp_path, LAB)
    second = write(tmp_path, LAB.replace("name: demo", "name: other").replace("web", "web2").replace("far", "far2")
                   .replace("both", "both2").replace("store", "store2").replace("front", "front2")
                   .replace("back", "back2").replace("172.31", "172.30"), "other.yaml")  # fmt: skip
    up(lab, first)
    up(lab, second)
    first.unlink()
    second.unlink()
    assert lab.down("demo").endswith("demo: 6 removed\n")
    assert set(lab.ids()) == {"vm0 web2", "vm0 both2", "vm0 store2", "vm1 far2"}
    assert lab.down("--all").endswith("every lab: 6 removed\n")


def test_interfaces_that_were_there(lab):
    """`down` leaves an interface that a lab only used: eth0.50 is the same one as before, and up."""
    before = [lab.sh(host, "cat /sys/class/net/eth0.50/ifindex") for host in lab.names]
    lab.up(EXAMPLES / "macvlan.yaml")
    lab.down("macvlan")
    assert [lab.sh(host, "cat /sys/class/net/eth0.50/ifindex") for host in lab.names] == before
    assert {lab.sh(host, "cat /sys/class/net/eth0.50/operstate") for host in lab.names} == {"up\n"}


def test_interfaces_that_a_driver_made(lab, tmp_path):
    """A VLAN interface that is not there is made by the driver with its network, is a real one, and goes with it."""
    lab.skip_without_link("link", "eth0", "type", "vlan", "id", "60")
    path = write(tmp_path, HOSTS + """\
networks:
  tagged: {driver: macvlan, parent: eth0.60, subnet: 10.9.6.0/24, gateway: 10.9.6.1}
containers:
  here: {host: vm0, image: dockerlab/node, networks: {tagged: {ip: 10.9.6.10}}}
  there: {host: vm0, image: dockerlab/node, networks: {tagged: {ip: 10.9.6.11}}}
""")  # fmt: skip
    report = lab.call("up", path, "--sandbox", "--format", "json").json
    assert reached(report, "ping")["here"] == {"there"}
    assert "vlan protocol 802.1Q id 60 " in lab.sh("vm0", "ip -details link show eth0.60")
    lab.down("demo")
    assert "link eth0.60" not in lab.found("vm0")


def test_a_published_port_that_is_taken(lab, tmp_path):
    """A port that a container or a process of the host has: the error says which and what to do; nothing is left."""
    path = write(tmp_path, HOSTS + """\
containers:
  web: {host: vm0, image: dockerlab/node, command: httpd -f -p 80, ports: ["8080:80"]}
  far: {host: vm1, image: dockerlab/node}
""")  # fmt: skip
    lab.need_node("vm0")
    lab.docker("vm0", "run", "--detach", "--name", "holder", "--publish", "8080:80", NODE)
    foreseen = lab.call("up", path, "--sandbox")
    assert foreseen.rc == 4
    assert foreseen.stderr.endswith("\n  vm0: port 8080 of web is taken by container holder\n")
    lab.docker("vm0", "rm", "--force", "holder")
    lab.docker("vm0", "run", "--detach", "--name", "holder", "--network", "host", NODE, "httpd", "-f", "-p", "8080")
    failed = lab.call("up", path, "--sandbox")
    assert failed.rc == 4
    assert "container web on vm0 failed" in failed.stderr
    assert "8080" in failed.stderr
    assert "Stop what holds the port on vm0, or publish another one in `ports`." in failed.stderr
    assert "everything that this run had created was removed again" in failed.stderr
    lab.docker("vm0", "rm", "--force", "holder")
    assert lab.left() == []
    lab.up(path)
    lab.down("demo")


def test_keep_failed(lab, tmp_path):
    """With `--keep-failed` what was made before the failure stays to be looked at, and `down` removes it."""
    path = write(tmp_path, HOSTS + """\
networks: {front: {subnet: 172.31.1.0/24}}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [front], sysctls: {net.nonsense: "1"}}
""")  # fmt: skip
    outcome = lab.call("up", path, "--sandbox", "--keep-failed")
    assert outcome.rc == 4
    assert f"left is what follows; 'dockerlab down {path} --sandbox' removes it:\n" in outcome.stderr
    assert outcome.stderr.endswith("  container web on vm0\n  network front on vm0\n")
    assert "network front" in lab.found("vm0")
    lab.down("demo")


def test_a_container_that_ends_at_once(lab, tmp_path):
    """A container that ends by itself fails to answer, what it would ask is unknown; its last words are shown."""
    path = write(tmp_path, HOSTS + """\
containers:
  web: {host: vm0, image: dockerlab/node}
  dead: {host: vm0, image: dockerlab/node, command: [sh, -c, "echo no such file; exit 7"]}
""")  # fmt: skip
    outcome = lab.call("up", path, "--sandbox", "--format", "json")
    assert outcome.rc == 1
    assert "vm0: container dead has ended (exit code 7); check its `command`. It said last:\n  no such file\n" in (
        outcome.stderr
    )
    report = outcome.json
    assert [(cause["side"], cause["where"]) for cause in report["causes"]] == [("lab", "container dead")]
    assert report["summary"]["unexplained"] == 0
    assert {cell["to"] for cell in report["cells"] if cell["verdict"] == "fail"} == {"dead"}
    unknown = [cell for cell in report["cells"] if cell["verdict"] == "unknown"]
    assert {cell["detail"] for cell in unknown} == {"dead does not run (exited, exit code 7)"}
    assert {cell["from"] for cell in report["cells"] if cell["to"] == "dead"} == {"web", "vm0", "vm1"}
    lab.down("demo")


def test_a_host_that_does_not_answer_at_down(lab, tmp_path):
    """`down` cleans the hosts that it reaches, names the other and says so by its exit code; later it does the rest."""
    up(lab, write(tmp_path, LAB))
    lab.sh("vm1", "iptables -I INPUT -p tcp --dport 22 -j REJECT")
    outcome = lab.call("down", tmp_path / "lab.yaml", "--sandbox")
    assert outcome.rc == 4
    assert "vm1: by the definition it may still have container far" in outcome.stderr
    assert "not cleaned; run down again when it answers" in outcome.stderr
    assert set(lab.ids()) == {"vm1 far"}
    assert "network front" not in lab.found("vm0")
    outcome = lab.call("down", "demo", "--sandbox")
    assert outcome.rc == 4
    assert "vm1: it is not known whether it has anything" in outcome.stderr
    lab.sh("vm1", "iptables -D INPUT -p tcp --dport 22 -j REJECT")
    assert "demo: 1 removed\n" in lab.down("demo")


def test_a_host_that_does_not_answer_at_up(lab, tmp_path):
    """A host that cannot be reached at `up` is named, and nothing is made on the others."""
    lab.sh("vm1", "iptables -I INPUT -p tcp --dport 22 -j REJECT")
    outcome = lab.call("up", write(tmp_path, LAB), "--sandbox")
    lab.sh("vm1", "iptables -D INPUT -p tcp --dport 22 -j REJECT")
    assert outcome.rc == 4
    assert "vm1: " in outcome.stderr
    assert lab.left() == []
