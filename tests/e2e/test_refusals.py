"""What a host cannot give: refused before anything is made where it can be known, else named and rolled back."""

from __future__ import annotations

import pytest
from support.faults import docker_replaced
from support.lab_hosts import write

HOSTS = """\
name: demo
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
"""

FULL = """
mount -t tmpfs -o size=64k tmpfs /var/lib/docker/containers
dd if=/dev/zero of=/var/lib/docker/containers/filler bs=4k 2>/dev/null || true
"""


def finish(process, seconds=900):
    """Return the exit code and what was said of a run that may take minutes."""
    with process:
        _, said = process.communicate(timeout=seconds)
    return process.returncode, said


def test_subnets_that_are_taken(lab, tmp_path):
    """Subnets of docker0, of the host's own LAN and of another lab are refused, each culprit named."""
    text = (
        HOSTS.replace("demo", "other")
        + """\
networks: {theirs: {subnet: 172.31.0.0/16}}
containers: {there: {host: vm0, networks: [theirs]}}
"""
    )
    other = write(tmp_path, text, "other.yaml")
    assert lab.call("up", other, "--sandbox", "--no-verify").rc == 0
    before = {host: lab.found(host) for host in lab.names}
    path = write(tmp_path, HOSTS + """\
networks:
  na: {subnet: 172.17.5.0/24}
  nb: {subnet: 192.168.22.128/25}
  nc: {subnet: 172.31.4.0/24}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [na, nb, nc]}
  far: {host: vm1, image: dockerlab/node}
""")  # fmt: skip
    outcome = lab.call("up", path, "--sandbox")
    assert outcome.rc == 4
    assert "nothing was created, because it would fail:" in outcome.stderr
    assert "vm0: subnet 172.17.5.0/24 of network na overlaps with network bridge (172.17.0.0/16)" in outcome.stderr
    own = "overlaps with the host's own network 192.168.22.0/24 on eth0"
    assert f"vm0: subnet 192.168.22.128/25 of network nb {own}" in outcome.stderr
    assert "vm0: subnet 172.31.4.0/24 of network nc overlaps with network theirs (172.31.0.0/16)" in outcome.stderr
    assert {host: lab.found(host) for host in lab.names} == before
    lab.down("other")


def test_addresses_of_a_lan_that_two_hosts_give_out(lab, tmp_path):
    """A LAN across hosts whose engines would give out the same addresses is a mistake in the definition."""
    path = write(tmp_path, HOSTS + """\
networks: {lan: {driver: macvlan, subnet: 192.168.22.0/24, parent: eth0.50}}
containers:
  a: {host: vm0, image: dockerlab/node, networks: [lan]}
  b: {host: vm1, image: dockerlab/node, networks: [lan]}
""")  # fmt: skip
    outcome = lab.call("up", path, "--sandbox")
    assert outcome.rc == 2
    assert f"{path}:5:" in outcome.stderr
    assert f"{path}:6:" in outcome.stderr
    told = "needs a fixed address: lan is on vm0 and vm1, whose engines give out its addresses without knowing of each"
    assert outcome.stderr.count(told) == 2
    assert lab.left() == []


def test_a_full_disk(lab, tmp_path):
    """A full disk is named with its host and what to do, all that was made goes again, and later it succeeds."""
    for host in lab.names:
        lab.need_node(host)
    path = write(tmp_path, HOSTS + """\
networks: {front: {subnet: 172.31.1.0/24}}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [front]}
  far: {host: vm1, image: dockerlab/node}
""")  # fmt: skip
    lab.sh("vm0", FULL)
    try:
        outcome = lab.call("up", path, "--sandbox", "--ttl", "1h")
    finally:
        lab.sh("vm0", "umount /var/lib/docker/containers")
    assert outcome.rc == 4
    assert "container web on vm0 failed" in outcome.stderr
    assert "no space left on device" in outcome.stderr
    assert "A disk of vm0 is full: 'df -h' shows which one" in outcome.stderr
    assert outcome.stderr.endswith("everything that this run had created was removed again\n")
    assert lab.left() == []
    lab.up(path)
    lab.down("demo")


def test_no_subnets_left(lab, tmp_path):
    """When the engine has no subnet left, that is the named cause, with the ways out, and nothing stays."""
    networks = "".join(f"  n{number:02}: {{}}\n" for number in range(40))
    path = write(tmp_path, "name: demo\nhosts: {vm0: ssh://root@192.168.22.61}\n"
                 f"networks:\n{networks}containers: {{web: {{host: vm0, networks: [n00]}}}}\n")  # fmt: skip
    lab.need_node("vm0")
    outcome = lab.call("up", path, "--sandbox")
    assert outcome.rc == 4
    assert "The engine of vm0 has about 31 subnets to give to networks that name none" in outcome.stderr
    assert "give the lab's networks a `subnet`" in outcome.stderr
    assert outcome.stderr.endswith("everything that this run had created was removed again\n")
    assert lab.left() == []


MISCOUNT = """
if [ "$1 $2" = "network rm" ] && [ "$(cat /run/docker.pid)" = {engine} ]; then
    echo "Error response from daemon: error while removing network: network n id $3 has active endpoints" >&2
    exit 1
fi
exec /run/docker.real "$@"
"""


def test_an_engine_that_has_lost_count(lab, tmp_path):
    """An engine that keeps a network though nobody is on it is restarted, where it may be and nothing else runs."""
    path = write(tmp_path, HOSTS + """\
networks: {n: {subnet: 172.31.1.0/24}}
containers: {web: {host: vm0, image: dockerlab/node, networks: [n]}}
""")  # fmt: skip
    assert lab.call("up", path, "--sandbox", "--no-verify").rc == 0
    engine = lab.sh("vm0", "cat /run/docker.pid").strip()
    with docker_replaced(lab, "vm0", MISCOUNT.format(engine=engine)):
        lab.down(path)
    assert lab.sh("vm0", "cat /run/docker.pid").strip() != engine


@pytest.mark.slow
def test_two_hundred_containers(lab, tmp_path):
    """200 containers come up on one host, a failure among new ones takes only these away, and all of them go."""
    text = "name: demo\nhosts: {vm0: ssh://root@192.168.22.61}\nnetworks: {n: {subnet: 172.31.0.0/16}}\ncontainers:\n"
    text += "".join(f"  c{number:03}: {{host: vm0, networks: [n]}}\n" for number in range(200))
    path = write(tmp_path, text)
    rc, said = finish(lab.start("up", path, "--sandbox", "--no-verify"))
    assert rc == 0, said
    before = lab.ids()
    assert len(before) == 200
    more = "".join(f"  new{n}: {{host: vm0, networks: [n]}}\n" for n in range(20))
    write(tmp_path, text + more + '  bad: {host: vm0, sysctls: {net.nonsense: "1"}}\n')
    rc, said = finish(lab.start("up", path, "--sandbox", "--no-verify"))
    assert rc == 4
    assert "container bad on vm0 failed" in said
    assert said.endswith("everything that this run had created was removed again\n")
    assert lab.ids() == before
    rc, said = finish(lab.start("down", "demo", "--sandbox"))
    assert (rc, said.splitlines()[-1]) == (0, "demo: 201 removed")
    assert lab.left() == []


def test_what_is_left_is_told(lab, tmp_path):
    """On a failure, a host that went away meanwhile is named with what may be left there, and the command for it."""
    for host in lab.names:
        lab.need_node(host)
    path = write(tmp_path, HOSTS + """\
containers:
  far: {host: vm1, image: dockerlab/node}
  web: {host: vm0, image: dockerlab/node, sysctls: {net.nonsense: "1"}}
""")  # fmt: skip
    outcome = lab.call("up", path, "--sandbox", "--keep-failed")
    assert outcome.rc == 4
    assert f"left is what follows; 'dockerlab down {path} --sandbox' removes it:\n" in outcome.stderr
    assert outcome.stderr.endswith("  container web on vm0\n  container far on vm1\n") or outcome.stderr.endswith(
        "  container web on vm0\n"
    )
    lab.down(path)


def test_a_missing_image_costs_nothing(lab, tmp_path):
    """A changed definition whose image cannot be had leaves the lab that is there as it is."""
    text = (
        HOSTS
        + """\
networks: {front: {subnet: 172.31.1.0/24}}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [front]}
  far: {host: vm1, image: dockerlab/node}
"""
    )
    path = write(tmp_path, text)
    lab.up(path)
    before = lab.ids()
    write(tmp_path, text.replace("172.31.1", "172.31.9").replace("vm1, image: dockerlab/node", "vm1, image: no/such"))
    outcome = lab.call("up", path, "--sandbox")
    assert outcome.rc == 4
    assert "no/such" in outcome.stderr
    assert lab.ids() == before
    assert lab.inspect("vm0", "front")["IPAM"]["Config"][0]["Subnet"] == "172.31.1.0/24"
    lab.down(path)


def test_mode_l3_beside_a_bridge(lab, tmp_path):
    """Up to 27 the engine does not start a container with two ways out; that is said, with the place, before."""
    before = {host: lab.found(host) for host in lab.names}
    path = write(tmp_path, HOSTS + """\
networks:
  aaa: {driver: ipvlan, parent: eth0, ipvlan_mode: l3, subnet: 10.9.4.0/24}
  bbb: {subnet: 172.28.1.0/24}
containers:
  both: {host: vm0, image: dockerlab/node, networks: [aaa, bbb]}
  peer: {host: vm0, image: dockerlab/node, networks: [bbb]}
""")  # fmt: skip
    engine = int(lab.docker("vm0", "version", "--format", "{{.Server.Version}}").partition(".")[0])
    outcome = lab.call("up", path, "--sandbox", "--no-verify")
    told = "vm0: container both is on aaa, whose mode l3 gives a default route, and on bbb" in outcome.stderr
    assert told is (engine < 28)
    if outcome.rc == 0:
        lab.down("demo")
    else:
        assert outcome.rc == 4
        assert told or "ipvlan" in outcome.stderr.lower(), "a kernel without it is the only other reason"
    assert {host: lab.found(host) for host in lab.names} == before
