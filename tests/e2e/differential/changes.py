"""Random changes of the hosts of a lab that is up: drawn from a seed, put in, and taken out to the last letter."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import asdict
from random import Random

from e2e.differential import ground, nft_tables, packet_filters, within
from e2e.differential.site import WORDS, Change, Site

MAKERS = {
    packet_filters.filter_rule: 14,
    packet_filters.policy: 4,
    packet_filters.forward_policy: 1,
    packet_filters.user_chain: 5,
    packet_filters.set_rule: 4,
    packet_filters.translation: 6,
    packet_filters.mangled: 4,
    packet_filters.mangle_verdict: 5,
    packet_filters.forgotten: 4,
    packet_filters.legacy_rule: 2,
    packet_filters.rule6: 2,
    packet_filters.doubtful_rule: 1,
    nft_tables.table: 8,
    nft_tables.nat_table: 2,
    nft_tables.marking_table: 2,
    ground.route: 4,
    ground.cross_route: 3,
    ground.ip_rule: 5,
    ground.marked_way: 2,
    ground.bridge_port: 3,
    ground.bridge_down: 2,
    ground.mtu: 1,
    ground.address: 2,
    ground.shim: 4,
    ground.sysctl: 7,
    ground.neighbour: 2,
    ground.proxy: 2,
    ground.listener: 1,
    within.rule: 3,
    within.policy: 1,
    within.route: 3,
    within.setting: 2,
    within.link: 2,
    within.neighbour: 2,
    within.address: 1,
    within.stopped: 2,
    within.ended: 1,
    within.recreated: 2,
    within.disconnected: 2,
    within.connected: 1,
}
"""Who makes changes, and how often each is asked."""


def from_seed(lab, seed, count, tools):
    """Return `count` changes of a lab, of different makers: always the same for a lab, a seed, a count and tools."""
    random = Random(f"changes {seed}")
    hosts = [host for host in lab["hosts"] if Site(lab, host, random, tools).boxes()]
    found, used = [], set()
    for _ in range(200 if hosts else 0):
        if len(found) == count:
            break
        maker = random.choices([*MAKERS], [*MAKERS.values()])[0]
        change = None if maker in used else maker(Site(lab, random.choice(hosts), random, tools))
        if change is not None:
            used.add(maker)
            found.append(change)
    return found


def tools(hosts):
    """Return which programs that a change may want all hosts have."""
    wanted = ("nft", "ipset", "iptables-legacy")
    return frozenset(tool for tool in wanted if all(run(host, f"command -v {tool}").ok for host in hosts.values()))


def read(line):
    """Return a change as a JSON line has it."""
    return Change(**line)


def written(change):
    """Return a change as plain data."""
    return asdict(change)


def run(host, script):
    """Return what came of a script on a host."""
    return host.run(["sh", "-s"], input=(WORDS + script + "\n").encode(), timeout=60)


class Refused(Exception):
    """A change could not be put in, or its host is not as it was before."""


@contextmanager
def applied(change, hosts, *, cured=False):
    """Put a change in, and take it out; raises Refused where the host does not take it, or is not as it was then.

    With `cured`, somebody else may have taken it out, or a part of it.
    """
    host = hosts[change.host]
    before = state(host) if change.exact else None
    done = run(host, change.do)
    if not done.ok:
        run(host, "set +e\n" + change.undo)
        raise Refused(f"{change.name} on {change.host}: {done.error}\n{change.do}")
    try:
        yield
    finally:
        undone = run(host, ("set +e\n" if cured else "") + change.undo)
        left = difference(before, host) if change.exact else []
    if left or not (undone.ok or cured):
        raise Refused(
            f"{change.name} on {change.host} is not undone: {undone.error} {left}\n{change.do}\n{change.undo}"
        )


STATE = r"""
rules() { awk -v where="$1" '/^\*/ { table = $1 } /^-A/ { print where, table, $0 }
                             /^:/ && $2 != "ACCEPT" { print where, table, $1, $2 }'; }
for save in iptables-save ip6tables-save iptables-legacy-save; do
    if command -v $save >/dev/null; then $save 2>/dev/null | rules $save; fi
done
if command -v ipset >/dev/null; then ipset save; fi
if command -v nft >/dev/null; then
    nft list tables | grep -vE '^table ip6? (raw|mangle|nat|filter|security)$' | while read -r table; do
        nft -s list $table
    done
fi
for version in 4 6; do ip -$version rule; ip -$version route show table all; done
ip -o address show | sed 's/ *valid_lft.*//; s/ tentative//'
ip -o -details link show | grep -oE '^[0-9]+: .* (mtu [0-9]+)|state [A-Z]+|(isolated|hairpin) [a-z]+|<[^>]*>' || true
ip neigh show nud permanent
for name in ip_forward icmp_echo_ignore_all conf; do grep -r . /proc/sys/net/ipv4/$name; done 2>/dev/null
cat /proc/sys/net/bridge/bridge-nf-call-iptables
ss -Hltn | sort
for box in $(docker ps --quiet); do
    echo "$box"
    inside $box sh -c 'iptables-save; ip rule; ip route show table all; ip neigh show nud permanent; ip -o address
                       grep -r . /proc/sys/net/ipv4/conf /proc/sys/net/ipv4/icmp_echo_ignore_all' 2>/dev/null |
        grep -v '^#' | sed 's/\[[0-9]*:[0-9]*\]//; s/ *valid_lft.*//' | grep -vE '^(\*|:|COMMIT)' || true
done
"""


BY_ITSELF = re.compile(r"fe80::|ff00::|^(local|anycast) .*:.* table local")
"""What the kernel adds and removes by itself, a second or two after a link has come up."""
OF_THE_MOMENT = re.compile(r" (nodad|linkdown)\b")
"""What of a line follows from how an address was added, or whether somebody is on a bridge just then."""


def state(host):
    """Return all that a change may touch, as lines; a table without rules is as good as none."""
    result = run(host, STATE)
    if not result.ok:
        raise Refused(f"the state of {host.name} cannot be read: {result.error}")
    return [OF_THE_MOMENT.sub("", line) for line in result.text.splitlines() if not BY_ITSELF.search(line)]


def difference(before, host):
    """Return the lines in which a host is not as it was; links and routes get a moment to come back."""
    deadline = time.monotonic() + 3
    while True:
        now = state(host)
        left = [f"-{line}" for line in before if line not in now] + [f"+{line}" for line in now if line not in before]
        if not left and in_order(now) == in_order(before):
            return []
        if time.monotonic() > deadline:
            return left or ["the same rules in another order"]
        time.sleep(0.2)


def in_order(lines):
    """Return what of a state has an order: the packet filter's rules."""
    return [line for line in lines if "-save " in line]


def numbered(host):
    """Return the rules of a host's iptables by their text, with where each stands: `filter FORWARD 3`."""
    table, counts, found = "", {}, []
    for line in run(host, "iptables-save").text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif match := re.match(r"-A (\S+) ", line):
            place = f"{table} {match[1]}"
            counts[place] = counts.get(place, 0) + 1
            found.append((line, f"{place} {counts[place]}"))
    return found
