"""What `inspect`, `--show-changes` and `watch` say, held against what the hosts' own commands print."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter

from support.lab_hosts import EXAMPLES, wait_for

TABLES = ("nat", "filter", "raw")

EVERYTHING = r"""
PATH=/usr/sbin:/usr/bin:/sbin:/bin
for table in nat filter raw; do iptables -t $table -S | sed "s/^/rule $table /"; done
ip -o addr show | awk '$4 !~ /^fe80/ {print "address", $4, "dev", $2}'
ip -o link show | awk '{sub(/[@:].*/, "", $2); print "link", $2}'
for port in /sys/class/net/*/brif/*; do
    [ -e "$port" ] && echo "port ${port##*/} $(basename $(readlink -f $port/bridge))"
done
ip -4 route show | sed 's/ linkdown//; s/ *$//; s/^/route /'
"""
"""What there is on a host, a line each, by none of our own means; link-local addresses come when they please."""


def test_every_mode(lab, tmp_path):
    """Each mode as `inspect` shows it is as ip, bridge, iptables and docker show it; and `up` told every change."""
    lab.skip_without_driver("mixed")
    before = {host: _everything(lab, host) for host in lab.names}
    told = tmp_path / "changes.jsonl"
    up = lab.call("up", EXAMPLES / "mixed.yaml", "--sandbox", "--no-verify", "--show-changes", "--changes", told)
    assert up.rc == 0, up.stderr
    assert up.stdout == ""
    episodes = [json.loads(line) for line in told.read_text().splitlines()]
    for host in lab.names:
        assert _sum(episodes, host) == _everything(lab, host) - before[host], host
    _causes(episodes, up.stderr)

    seen = lab.call("inspect", EXAMPLES / "mixed.yaml", "--sandbox", "--format", "json").json["hosts"]
    assert {name: (host["unread"], host["missing"]) for name, host in seen.items()} == dict.fromkeys(seen, ([], []))
    for host in lab.names:
        containers = {each["name"]: each for each in seen[host]["containers"]}
        for container in containers.values():
            _inside(lab, host, container)
        _bridges(lab, host, seen[host])
        _rules(lab, host, seen[host])
    _particular(lab, seen)

    one = lab.call("inspect", "mixed", "web", "--sandbox")
    assert one.rc == 0
    assert "docker-proxy, process" in one.stdout
    assert "cable to veth" in one.stdout
    by_hand = lab.call("inspect", "mixed", "wide0", "--sandbox", "--raw").stdout
    assert lab.run("vm0", "iptables", "-t", "nat", "-nL", "--line-numbers").stdout in by_hand
    assert "[root@vm0 ~]# docker network inspect wide\n" in by_hand
    lab.down("mixed")


def test_ipvlan(lab):
    """An ipvlan child shows its mode, the parent's MAC address, and the parent, as ip does."""
    lab.skip_without_driver("ipvlan")
    assert lab.call("up", EXAMPLES / "ipvlan.yaml", "--sandbox", "--no-verify").rc == 0
    seen = lab.call("inspect", "ipvlan", "--sandbox", "--format", "json").json["hosts"]["vm0"]
    (left,) = seen["containers"]
    _inside(lab, "vm0", left)
    (interface,) = left["interfaces"]
    assert (interface["kind"], interface["info"]["mode"], interface["network"]) == ("ipvlan", "l2", "ipvlan50")
    (parent, *_) = interface["way"]
    assert (parent["role"], parent["link"]["name"]) == ("parent", "eth0.50")
    assert parent["link"]["mac"] == interface["mac"]
    lab.down("ipvlan")


def test_watch(lab):
    """What somebody types on a host is told as it happens, rules made by hand too; Ctrl-C ends it with 130.

    A lab that was typed is inspected by the names in its definition.
    """
    lab.need_node("vm0")
    watching = lab.start("watch", EXAMPLES / "ports.yaml", "--sandbox", "--format", "json")
    assert watching.stderr.readline() == "watching vm0, vm1; Ctrl-C ends it\n"
    lab.docker("vm0", "network", "create", "--subnet", "172.31.7.0/24", "typed")
    bridge = f"br-{lab.inspect('vm0', 'typed')['Id'][:12]}"
    made = _until(watching, "added", "address", f"172.31.7.1/24 dev {bridge}")
    assert {episode["host"] for episode in made} == {"vm0"}
    assert made[0]["cause"] == "docker network create: typed (bridge)"
    rule = ("FORWARD", "-s", "172.31.7.9/32", "-j", "DROP")
    assert lab.run("vm0", "iptables", "-I", *rule).returncode == 0
    by_hand = _until(watching, "added", "rule", f"iptables -t filter -A {' '.join(rule)}")
    assert by_hand[-1]["cause"].startswith("no object of the engine changed: done by hand")
    assert lab.run("vm0", "iptables", "-D", *rule).returncode == 0
    _until(watching, "removed", "rule", f"iptables -t filter -A {' '.join(rule)}")
    lab.docker("vm0", "run", "--detach", "--name", "client", "dockerlab/node")
    ran = _until(watching, "added", "port", f"{_cable(lab, 'client')} master docker0")
    assert any(episode["cause"].startswith("docker run, create or compose: container client") for episode in ran)
    by_name = lab.call("inspect", EXAMPLES / "ports.yaml", "--sandbox", "--format", "json").json["hosts"]["vm0"]
    assert [container["name"] for container in by_name["containers"]] == ["client"]
    assert by_name["missing"] == ["nginx", "admin"]
    _inside(lab, "vm0", by_name["containers"][0])
    lab.docker("vm0", "rm", "--force", "client")
    lab.docker("vm0", "network", "rm", "typed")
    _until(watching, "removed", "link", f"{bridge} (bridge)")
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert re.search(r"watching has ended; something changed (once|\d+ times)", err)
    commands = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; true"
    wait_for(lambda: "dockerlab.survey" not in lab.sh("vm0", commands))
    quiet = lab.call("watch", "nothing", "--sandbox", "--for", "0.5")
    assert (quiet.rc, quiet.stdout) == (0, "")
    once = lab.start("watch", "nothing", "--sandbox", "--once")
    assert once.stderr.readline() == "watching vm0, vm1; Ctrl-C ends it\n"
    assert lab.run("vm1", "iptables", "-I", *rule).returncode == 0
    out, err = once.communicate(timeout=60)
    assert (once.returncode, err) == (0, "watching has ended; something changed once\n")
    assert "+ rule [host] iptables -t filter -A FORWARD -s 172.31.7.9/32 -j DROP" in out
    assert lab.run("vm1", "iptables", "-D", *rule).returncode == 0


def _cable(lab, name):
    """Return the host's end of a container's cable, by the index that ip shows inside."""
    pid = lab.inspect("vm0", name)["State"]["Pid"]
    inside = lab.run("vm0", "nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-o", "link", "show", "eth0").stdout
    index = re.search(r"@if(\d+):", inside)[1]
    return re.search(rf"^{index}: (\w+)@", lab.run("vm0", "ip", "-o", "link").stdout, re.MULTILINE)[1]


def _until(watching, verb, kind, what):
    """Read what is told until it is this, and return the episodes; the test's own time bounds the wait."""
    told = []
    while not told or what not in _what(told[-1], verb, kind, "host"):
        told.append(json.loads(watching.stdout.readline()))
    return told


def _everything(lab, host):
    return Counter(line for line in lab.sh(host, EVERYTHING).splitlines() if " -P " not in line and " -N " not in line)


def _sum(episodes, host):
    """Return what the episodes add up to on a host, in the form of EVERYTHING; what is more is not there twice."""
    total = Counter()
    for episode in episodes:
        for change in episode["changes"] if episode["host"] == host else ():
            line = _line(change)
            if line is not None and change["verb"] in ("added", "removed"):
                total[line] += 1 if change["verb"] == "added" else -1
    assert all(count >= 0 for count in total.values()), total
    return +total


def _line(change):
    """Return what a change of a host is in EVERYTHING, or None for what is not there."""
    words = change["what"].split()
    is_ipv6 = words[0] == "ip6tables" or words[0].startswith("fe80:") or (change["kind"] == "route" and ":" in words[0])
    if change["where"] != "host" or is_ipv6 or words[0] == "multicast":
        return None
    spelled = {
        "rule": lambda: f"{words[2]} {' '.join(words[3:])}",
        "link": lambda: words[0],
        "port": lambda: f"{words[0]} {words[2]}",
        "address": lambda: change["what"],
        "route": lambda: change["what"],
    }
    return f"{change['kind']} {spelled[change['kind']]()}" if change["kind"] in spelled else None


def _causes(episodes, told):
    """Expect a cause of every change, and no failure; what was written is what was shown."""
    commands = [episode for episode in episodes if episode["command"]]
    assert [episode for episode in episodes if episode["failure"] is not None or not episode["cause"]] == []
    assert all(change["why"] for episode in episodes for change in episode["changes"]), [
        change for episode in episodes for change in episode["changes"] if not change["why"]
    ]
    web = next(episode for episode in commands if "--name web" in episode["command"])
    # The Swarm's own bridge comes in the background, and may come while this command runs.
    plugged = [c["what"] for c in web["changes"] if (c["verb"], c["kind"], c["where"]) == ("added", "port", "host")]
    assert len([port for port in plugged if "docker_gwbridge" not in port]) == 1, plugged
    assert "docker-proxy tcp 0.0.0.0:8080 -> 172.30.0.2:80" in _what(web, "added", "proxy", "host")
    alone = next(episode for episode in commands if "--name alone" in episode["command"])
    assert {change["kind"] for change in alone["changes"] if not change["minor"]} == {"container", "namespace"}
    assert "\nvm0 # docker run" in told


def _what(episode, verb, kind, where):
    wanted = (verb, kind, where)
    return {c["what"] for c in episode["changes"] if (c["verb"], c["kind"], c["where"]) == wanted and not c["minor"]}


def _inside(lab, host, container):
    """Hold a container's namespace against what ip prints in it, and what the kernel says it is."""
    pid = lab.inspect(host, container["name"])["State"]["Pid"]
    assert container["pid"] == pid
    net = lab.run(host, "readlink", f"/proc/{pid}/ns/net").stdout
    assert net == f"net:[{container['namespace']['id']}]\n"
    enter = ("nsenter", f"--net=/proc/{pid}/ns/net")
    links = {}
    for line in lab.run(host, *enter, "ip", "-o", "link").stdout.splitlines():
        name, _, peer = line.split()[1].rstrip(":").partition("@if")
        links[name] = (re.search(r"mtu (\d+)", line)[1], re.search(r"link/\w+ (\S+)", line)[1], peer)
    addresses = {(w[1], w[3]) for w in map(str.split, lab.run(host, *enter, "ip", "-o", "addr").stdout.splitlines())}
    found = container["interfaces"]
    assert {(i["name"], str(i["mtu"]), i["mac"]) for i in found} == {
        (name, mtu, mac) for name, (mtu, mac, _) in links.items() if name != "lo"
    }
    assert {(i["name"], a) for i in found for a in i["addresses"]} == {a for a in addresses if a[0] != "lo"}
    printed = lab.run(host, *enter, "ip", "-4", "route").stdout
    routes = [line.replace(" linkdown", "").strip() for line in printed.splitlines()]
    assert [route for route in container["routes"] if ":" not in route and "multicast" not in route] == routes
    resolver = lab.docker(host, "exec", container["name"], "cat", "/etc/resolv.conf").splitlines()
    assert container["resolver"] == [line for line in resolver if line and not line.startswith("#")]
    if container["namespace"]["host"]:
        return
    everywhere = "; ".join(f"nsenter --net={path} ip -o link" for path in _netns(lab, host))
    ends = lab.sh(host, f"PATH=/usr/sbin:/usr/bin:/sbin:/bin; {everywhere}; ip -o link")
    for interface in found:
        first = interface["way"][0]["link"]  # the other end of the cable, or the parent
        assert str(first["index"]) == links[interface["name"]][2]
        assert re.search(rf"^{first['index']}: {re.escape(first['name'])}[@:]", ends, re.MULTILINE)


def _netns(lab, host):
    return lab.sh(host, "ls -d /var/run/docker/netns/*").split()


def _bridges(lab, host, seen):
    """Hold the bridges against what the kernel shows of their ports in /sys."""
    for bridge in seen["bridges"]:
        assert set(bridge["ports"]) == set(lab.sh(host, f"ls /sys/class/net/{bridge['name']}/brif").split())
    on = {i["network"] for c in seen["containers"] if not c["namespace"]["host"] for i in c["interfaces"]}
    assert {b["network"] for b in seen["bridges"]} == on - {"lan50", "wide"}


def _rules(lab, host, seen):
    """Hold the rules against `iptables -S`: each is there under its number, and of nat and filter none is missing."""
    shown = [rule for part in (seen, *seen["containers"], *seen["bridges"]) for rule in part["rules"]]
    listed = {}
    for table in TABLES:
        for line in lab.run(host, "iptables", "-t", table, "-S").stdout.splitlines():
            if line.startswith("-A "):
                listed.setdefault((table, line.split()[1]), []).append(line)
    for rule in shown:
        if rule["family"] == 4:
            assert listed[rule["table"], rule["chain"]][rule["number"] - 1] == rule["rule"]
            assert rule["does"].endswith(".")
            assert rule["why"], rule["rule"]
    everything = {line for (table, _), lines in listed.items() if table != "raw" for line in lines}
    assert everything == {rule["rule"] for rule in shown if rule["family"] == 4 and rule["table"] != "raw"}


def _particular(lab, seen):
    """Expect what makes each mode what it is."""
    found = {c["name"]: c for host in seen.values() for c in host["containers"]}
    assert found["alone"]["interfaces"] == []
    assert found["bare"]["shares"] == "host"
    assert found["side"]["shares"] == "web"
    assert found["side"]["namespace"] == found["web"]["namespace"]
    assert _roles(found["plain0"]) == [["cable", "bridge", "uplink"]]
    assert _roles(found["lan0"]) == [["parent"]]
    assert found["lan0"]["interfaces"][0]["way"][0]["link"]["name"] == "eth0.50"
    assert _roles(found["wide0"]) == [["cable", "bridge", "vxlan"], ["cable", "bridge", "uplink"]]
    (tunnel,) = (hop for hop in found["wide0"]["interfaces"][0]["way"] if hop["role"] == "vxlan")
    path = f"/var/run/docker/netns/{tunnel['where']}"
    fdb = lab.run("vm0", "nsenter", f"--net={path}", "bridge", "fdb", "show").stdout
    peers = {(peer["mac"], peer["to"]) for peer in tunnel["peers"]}
    assert peers == set(re.findall(r"^(\S+) dev vxlan0 dst (\S+)", fdb, re.MULTILINE))
    assert found["wide1"]["interfaces"][0]["mac"] in {peer["mac"] for peer in tunnel["peers"]}
    details = lab.run("vm0", "nsenter", f"--net={path}", "ip", "-d", "link", "show", "vxlan0").stdout
    assert tunnel["link"]["info"]["id"] == re.search(r"vxlan id (\d+)", details)[1]
    (door, *_) = (each for each in found["web"]["published"] if each["host_ip"] == "0.0.0.0")
    assert [rule["chain"] for rule in door["rules"]] == ["DOCKER"]
    (proxy,) = door["proxies"]
    words = lab.sh("vm0", f"tr '\\0' ' ' </proc/{proxy['pid']}/cmdline")
    assert "docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.30.0.2" in words
    processes = [process for each in door["listeners"] for process in each["processes"]]
    assert processes == [{"pid": found["web"]["pid"], "name": "httpd"}]


def _roles(container):
    return [[hop["role"] for hop in interface["way"]] for interface in container["interfaces"]]
