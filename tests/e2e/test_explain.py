"""`explain --live` on real engines: the route, the neighbour, the wires and the rules that counted one probe."""

from __future__ import annotations

import re

from support.lab_hosts import write

LAB = """\
name: shop
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks:
  front: {subnet: 172.31.1.0/24, driver_opts: {com.docker.network.bridge.name: front0}}
  back: {subnet: 172.31.2.0/24}
containers:
  web:
    {host: vm0, image: dockerlab/node, networks: {front: {ip: 172.31.1.10}}, ports: ["80:80"], command: httpd -f -p 80}
  app: {host: vm0, image: dockerlab/node, networks: {front: {ip: 172.31.1.11}}}
  db: {host: vm0, image: dockerlab/node, networks: {back: {ip: 172.31.2.10}}}
"""


def live(lab, path, source, to, probe):
    """Return what `explain --live` says of a pair."""
    told = lab.call("explain", path, source, to, "--probe", probe, "--live", "--sandbox")
    assert told.rc == 0, told.stderr
    return told.stdout


def counted(text, host):
    """Return the rules of a host that counted packets, as the text names them: table, count, rule."""
    lines = text.partition(f"on {host}: the firewall rules that counted packets meanwhile\n")[2].splitlines()
    found = (re.fullmatch(r" +(\w+) +\+(\d+) +(-A .*)", line) for line in lines)
    return [(each[1], int(each[2]), each[3]) for each in found if each]


def test_live(lab, tmp_path):
    """A published port is counted by the DNAT rule that the host really has, on that host and on no other."""
    path = write(tmp_path, LAB)
    lab.up(path)
    text = live(lab, path, "vm1", "vm0", "tcp/80")
    assert "observed: reachable" in text, text
    assert re.search(r"in vm1: ip route get 192\.168\.22\.61\n +192\.168\.22\.61 dev eth0", text)
    assert re.search(r"eth0 of web leads to veth\w+ on vm0, a port of front0", text)
    (dnat,) = [rule for table, _, rule in counted(text, "vm0") if table == "nat" and "DNAT" in rule]
    assert dnat in lab.sh("vm0", "iptables -t nat -S DOCKER")
    assert not [rule for table, _, rule in counted(text, "vm1") if table == "nat" and "DNAT" in rule]
    lab.down("shop")


def test_live_shows_where_it_dies(lab, tmp_path):
    """What isolation drops is counted by the very rule that drops it; with those rules gone the same pair is reachable.

    On 20.10 there are two, the second one for the reply; on 28.5 three drop the request, one after the other.
    """
    path = write(tmp_path, LAB)
    lab.up(path)
    dropping = []
    while "observed: unreachable" in (text := live(lab, path, "app", "db", "ping")):
        ((table, rule),) = [(table, rule) for table, _, rule in counted(text, "vm0") if rule.endswith("-j DROP")]
        dropping.append((table, rule.split()[1]))
        lab.sh("vm0", f"iptables -t {table} {rule.replace('-A ', '-D ', 1)}")
    assert "observed: reachable" in text
    stage = ("filter", "DOCKER-ISOLATION-STAGE-2")
    on_28 = [("raw", "PREROUTING"), stage, ("filter", "DOCKER")]
    assert dropping == ([stage, stage] if lab.engine == "machine" else on_28)
    lab.down("shop")
