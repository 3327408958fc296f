"""Changes of hosts at random: rules of iptables and nftables with every match and target, routes, links, settings.

The addresses are those of tests/e2e/test_walk.py. Each change is a namespace and what a shell is to do there.
"""

from __future__ import annotations

import random

V4 = ["10.1.0.11", "10.1.0.12", "10.2.0.13", "10.1.0.14", "10.2.0.14", "10.3.0.11", "10.3.0.12", "192.168.9.1",
      "192.168.9.2", "192.168.9.31", "10.1.0.1", "10.2.0.1", "10.3.0.1"]  # fmt: skip
V6 = ["fd00:1::11", "fd00:1::12", "fd00:2::13", "fd00:1::14", "fd00:3::11", "fd00:9::1", "fd00:9::2", "fd00:9::31",
      "fd00:1::1", "fd00:2::1", "fd00:3::1"]  # fmt: skip
NETS = {4: ["10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24", "10.0.0.0/8", "192.168.9.0/24"],
        6: ["fd00:1::/64", "fd00:2::/64", "fd00:3::/64", "fd00::/16", "fd00:9::/64"]}  # fmt: skip
PLACES = {4: V4 + NETS[4], 6: V6 + NETS[6]}
DEVICES = ["eth0", "br0", "br1", "lo", "br+", "eth+", "docker0"]
SPACES = ["a"] * 5 + ["b", "b", "c1", "c4", "d1", "m1"]
CHAINS = {
    "raw": ["PREROUTING", "OUTPUT"],
    "mangle": ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
    "nat": ["PREROUTING", "OUTPUT", "POSTROUTING", "POSTROUTING", "PREROUTING", "INPUT"],
    "filter": ["INPUT", "FORWARD", "OUTPUT", "FORWARD"],
}
SETS = (
    "ipset create ips hash:ip; ipset add ips 10.1.0.11; ipset add ips 192.168.9.2; ipset create nets hash:net; "
    "ipset add nets 10.2.0.0/24; ipset add nets 192.168.9.0/24; ipset create ipport hash:ip,port; "
    "ipset add ipport 10.1.0.11,tcp:80; ipset add ipport 10.3.0.11,tcp:8080; "
    "ipset create ports bitmap:port range 0-9000; ipset add ports 80; "
    "ipset create ips6 hash:ip family inet6; ipset add ips6 fd00:1::11; ipset add ips6 fd00:9::2"
)

COMING, GOING = ("PREROUTING", "INPUT", "FORWARD"), ("OUTPUT", "POSTROUTING", "FORWARD")

WHERE = ["a"] * 4 + ["b", "b", "c1", "c3", "c4", "d1", "m1"]
PUBLISHED = "-m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to-destination 10.1.0.11:80"
POLICIES = [
    *[("a", f"iptables -w -P {chain} DROP") for chain in ("FORWARD", "INPUT", "OUTPUT")],
    ("a", "iptables -w -P INPUT DROP; iptables -w -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"),
    ("a", "ip6tables -w -P FORWARD DROP"),
    ("a", "iptables -w -t nat -A POSTROUTING -s 10.1.0.0/24 ! -o br0 -j MASQUERADE"),
    ("a", "; ".join(f"iptables -w -t nat -A {chain} {PUBLISHED}" for chain in ("PREROUTING", "OUTPUT"))),
]


class Changes:
    """Changes from one seed; `macs` are MAC addresses that frames may come from."""

    def __init__(self, chance: random.Random, macs: list[str]) -> None:
        self.chance, self.macs = chance, macs
        self.count = 0

    def next(self) -> tuple[str, str]:
        """Return a namespace and a change of it; not every one is accepted by the kernel."""
        return self.chance.choice([self.iptables] * 6 + [self.nft] * 4 + [self.other] * 6)()

    def _not(self, text: str) -> str:
        return f"! {text}" if self.chance.random() < 0.25 else text

    def _one(self, *choices: str) -> str:
        return self.chance.choice(choices)

    def _matches(self, version: int, table: str, chain: str) -> list[str]:
        """Return one of every condition that a rule may have there."""
        icmp, places = {4: "icmp", 6: "ipv6-icmp"}[version], PLACES[version]
        place, port = self.chance.choice(places), self._one("80", "8080", "1:1023", "8080:", "90", "8000:8100")
        found = [self._not(f"-s {place}"), self._not(f"-d {self.chance.choice(places)}")] * 3
        found += [self._not(f"-i {self.chance.choice(DEVICES)}")] * 2 * (chain in COMING)
        found += [self._not(f"-o {self.chance.choice(DEVICES)}")] * 2 * (chain in GOING)
        flags = self._one("SYN,ACK SYN,ACK", "SYN,ACK,RST RST", "ALL SYN", "ALL ACK", "FIN,SYN,RST,ACK SYN")
        found += [
            self._not(f"-p {self._one('tcp', icmp, 'udp')}"),
            f"-p tcp {self._not(f'--dport {port}')}",
            f"-p tcp {self._not(f'--sport {port}')}",
            f"-p tcp {self._not('--syn')}",
            f"-p tcp {self._not(f'--tcp-flags {flags}')}",
            f"-p tcp -m multiport {self._not(self._one('--dports 80,90', '--sports 8080', '--ports 80:90,8080'))}",
            f"-p icmp {self._not('--icmp-type ' + self._one('8', '0', '3', '3/3', 'any'))}"
            if version == 4
            else f"-p ipv6-icmp {self._not('--icmpv6-type ' + self._one('128', '129', '1', '135', '136'))}",
            f"-m addrtype {self._not(self._one('--dst-type LOCAL', '--dst-type UNICAST', '--src-type LOCAL'))}",
            f"-m mark {self._not('--mark ' + self._one('0x1', '0x0', '0x1/0x1', '0x2/0x3'))}",
            f"-m connmark {self._not('--mark ' + self._one('0x1', '0x0', '0x1/0x1'))}",
            f"-m length {self._not('--length ' + self._one('0:70', '60', '84', '41:59', '100:'))}",
            f"-m {self._one('ttl --ttl-', '') or 'ttl --ttl-'}{self._one('eq 64', 'eq 63', 'lt 64', 'gt 63')}"
            if version == 4
            else f"-m hl --hl-{self._one('eq 64', 'eq 63', 'lt 64', 'gt 63')}",
            "-m comment --comment hello",
            f"-m pkttype {self._not('--pkt-type ' + self._one('unicast', 'broadcast', 'multicast'))}",
            f"-m tos {self._not('--tos ' + self._one('0x10', '0x00/0xff'))}",
            f"-m dscp {self._not('--dscp ' + self._one('0', '10'))}",
            "-m limit --limit 1/second",
        ]
        found += self._tracked(places)
        range_ = {4: "10.1.0.11-10.1.0.12", 6: "fd00:1::11-fd00:1::12"}[version]
        found.append(f"-m iprange {self._not(self._one('--src-range', '--dst-range') + ' ' + range_)}")
        sets = {4: ("ips src", "ips dst", "nets src", "ipport dst,dst", "ports dst"), 6: ("ips6 src", "ports dst")}
        found.append(f"-m set {self._not('--match-set ' + self.chance.choice(sets[version]))}")
        if chain in ("OUTPUT", "POSTROUTING"):
            found.append(f"-m owner {self._not(self._one('--uid-owner 0', '--uid-owner 1000', '--socket-exists'))}")
        if chain in COMING:
            found.append(f"-m mac {self._not('--mac-source ' + self.chance.choice(self.macs))}")
            physical = "--physdev-is-bridged" if chain == "FORWARD" else "--physdev-is-in"
            found.append(f"-m physdev {self._one(physical, '--physdev-in vc1eth0', '--physdev-in v+')}")
        if chain == "PREROUTING" and table in ("raw", "mangle"):
            found.append(f"-m rpfilter {self._one('', '--loose', '--invert', '--validmark')}")
        return found

    def _tracked(self, places: list[str]) -> list[str]:
        """Return conditions of connection tracking."""
        states = ("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED", "DNAT", "SNAT", "NEW,RELATED")
        ends = ("--ctorigsrc", "--ctorigdst", "--ctreplsrc", "--ctrepldst")
        return [
            f"-m conntrack {self._not('--ctstate ' + self._one(*states))}",
            f"-m conntrack {self._not(self._one(*ends) + ' ' + self.chance.choice(places))}",
            f"-m conntrack --ctproto tcp --ctorigdstport {self._one('80', '8080')}",
            f"-m conntrack --ctdir {self._one('ORIGINAL', 'REPLY')}",
            f"-m conntrack {self._not('--ctstatus ' + self._one('SEEN_REPLY', 'DNAT', 'SNAT', 'CONFIRMED'))}",
            f"-m state --state {self._one('NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED')}",
        ]

    def _match(self, version: int, table: str, chain: str) -> str:
        count = self.chance.choice([1, 1, 1, 2, 2, 3])
        return " ".join(self.chance.choice(self._matches(version, table, chain)) for _ in range(count))

    def _target(self, version: int, table: str, chain: str) -> str:
        place = self.chance.choice(V4 if version == 4 else V6)
        spelled = f"[{place}]" if version == 6 else place
        if table == "nat" and chain in ("PREROUTING", "OUTPUT"):
            ported = f"DNAT --to-destination {spelled}:{self._one('80', '8080', '90')}"
            near = f"NETMAP --to {NETS[version][0]}"
            choices = (f"DNAT --to-destination {place}", ported, "REDIRECT", "REDIRECT --to-ports 8080", "ACCEPT", near)
            return self._one(*choices)
        if table == "nat":
            hidden = ["MASQUERADE", "MASQUERADE"] * (chain == "POSTROUTING")
            return self._one(f"SNAT --to-source {place}", "ACCEPT", *hidden)
        choices = ["ACCEPT", "ACCEPT", "DROP", "DROP", "RETURN", "LOG"]
        choices += ["CT --notrack"] * 2 * (table == "raw")
        hops = "TTL --ttl-set 65" if version == 4 else "HL --hl-set 65"
        changes = ["MARK --set-mark 0x1", "MARK --set-xmark 0x2/0x3", "MARK --or-mark 0x1", "CONNMARK --set-mark 0x1"]
        changes += ["CONNMARK --save-mark", "CONNMARK --restore-mark", hops, "DSCP --set-dscp 10", "TOS --set-tos 0x10"]
        choices += changes * 2 * (table == "mangle")
        reasons = {
            4: ("icmp-host-unreachable", "icmp-net-unreachable", "icmp-admin-prohibited", "icmp-host-prohibited"),
            6: ("icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-no-route"),
        }[version]
        rejects = ["REJECT", "REJECT", *(f"REJECT --reject-with {reason}" for reason in reasons)]
        return self._one(*choices, *rejects * (table == "filter"))

    def iptables(self) -> tuple[str, str]:
        """Return a rule of iptables, perhaps in a chain of its own."""
        version, space = self.chance.choice([4, 4, 4, 6]), self.chance.choice(SPACES)
        table = self.chance.choice(["filter"] * 4 + ["nat"] * 3 + ["mangle"] * 2 + ["raw"])
        chain = self.chance.choice(CHAINS[table])
        legacy = "-legacy" if self.chance.random() < 0.08 else ""
        tool = f"{'iptables' if version == 4 else 'ip6tables'}{legacy} -w -t {table}"
        first, target, jump = "", self._target(version, table, chain), "-j"
        if self.chance.random() < 0.25 and table != "raw":
            self.count += 1
            own = f"U{self.count}"
            first = f"{tool} -N {own}; "
            for _ in range(self.chance.choice([1, 2, 3])):
                match = self._match(version, table, chain)
                first += f"{tool} -A {own} {match} -j {self._target(version, table, chain)}; "
            target, jump = own, self._one("-j", "-j", "-g")
        match = self._match(version, table, chain) if self.chance.random() < 0.92 else ""
        return space, f"{first}{tool} -{self._one('A', 'A', 'I')} {chain} {match} {jump} {target}"

    def _condition(self, hook: str, family: str) -> str:
        version = self.chance.choice([4, 4, 6]) if family == "inet" else 4
        ip, places = {4: "ip", 6: "ip6"}[version], PLACES[version]
        found = [
            f"{ip} saddr {self.chance.choice(places)}",
            f"{ip} daddr {self._one('', '!= ')}{self.chance.choice(places)}",
            f"{ip} saddr {{ {places[0]}, {self.chance.choice(places[1:10])} }}",
            *("tcp dport 80", "tcp dport { 80, 8080 }", "tcp dport != 80", "tcp sport 80-90", "meta l4proto tcp"),
            *("icmp type echo-request", "icmp type echo-reply", "ct state new", "ct state established,related"),
            *(
                "ct state invalid",
                "ct status dnat",
                "ct direction reply",
                "meta mark 1",
                "meta mark & 1 == 1",
                "ct mark 1",
            ),
            *(
                "fib daddr type local",
                "fib saddr type local",
                "tcp flags & (syn|ack) == syn",
                "tcp flags syn",
                "ip ttl 63",
            ),
            *("meta length 60", f"ct original ip daddr {self.chance.choice(V4)}", "limit rate 1/second", "th dport 80"),
            *("meta pkttype host", "meta skuid 0"),
        ]
        if hook in ("prerouting", "input", "forward"):
            found.append(f"iifname {self._one('', '!= ')}{self._one('eth0', 'br0', 'br1', 'br*')}")
            found.append(f"ether saddr {self.chance.choice(self.macs)}")
        if hook in ("output", "postrouting", "forward"):
            found.append(f"oifname {self._one('', '!= ')}{self._one('eth0', 'br0', 'br1', 'br*')}")
        return " ".join(self.chance.choice(found) for _ in range(self.chance.choice([1, 1, 2])))

    def nft(self) -> tuple[str, str]:
        """Return a table of nftables with a base chain."""
        self.count += 1
        space, family = self.chance.choice(SPACES), self._one("inet", "inet", "ip")
        hook = self._one("prerouting", "input", "forward", "forward", "output", "postrouting")
        kind, priority = "filter", self.chance.choice([-310, -250, -150, -10, 0, 0, 10, 60])
        policy = "drop" if self.chance.random() < 0.1 else "accept"
        if self.chance.random() < 0.25 and hook != "forward":
            kind, priority, policy = "nat", -100 if hook in ("prerouting", "output") else 100, "accept"
        rules = [self._statement(hook, family, kind, priority) for _ in range(self.chance.choice([1, 2, 3]))]
        side = (
            "" if kind == "nat" else f"chain u {{\n{self._condition(hook, family)} {self._one('drop', 'accept')}\n}}\n"
        )
        chain = f"chain c {{\ntype {kind} hook {hook} priority {priority}; policy {policy};\n" + "\n".join(rules)
        return space, f"nft -f - <<'END'\ntable {family} t{self.count} {{\n{side}{chain}\n}}\n}}\nEND"

    def _statement(self, hook: str, family: str, kind: str, priority: int) -> str:
        match = self._condition(hook, family)
        to = "ip to" if family == "inet" else "to"
        if kind == "nat":
            if hook in ("prerouting", "output"):
                place = self.chance.choice(V4)
                verdict = self._one(f"dnat {to} {place}", "redirect", "accept", f"dnat {to} {place}:80")
                return f"tcp dport {{ 80, 8080 }} {verdict}" if ":80" in verdict else f"{match} {verdict}"
            source = f"snat {to} {self.chance.choice(V4)}"
            return f"{match} {source if hook == 'input' else self._one('masquerade', source, 'accept')}"
        if self.chance.random() < 0.1:
            return self._one(
                "tcp dport vmap { 80 : drop, 8080 : accept }", "meta l4proto vmap { tcp : accept, icmp : jump u }"
            )
        choices = ["accept", "drop", "drop", "return", "counter", "log", "jump u", "goto u", "meta mark set 1"]
        choices += ["ct mark set 1", "meta mark set ct mark", "ct mark set meta mark", 'drop comment "hi"']
        if hook in ("input", "forward", "output"):
            icmp = "icmpx type host-unreachable" if family == "inet" else "icmp type net-unreachable"
            choices += ["reject", f"reject with {icmp}"]
        choices += ["notrack"] * (hook in ("prerouting", "output") and priority < -200)
        return f"{match} {self._one(*choices)}"

    def other(self) -> tuple[str, str]:
        """Return a change of routes, rules of routing, links, neighbours, settings or policies."""
        return self.chance.choice(self.chance.choice([self._routes(), self._settings(), self._links(), POLICIES]))

    def _routes(self) -> list[tuple[str, str]]:
        space, place, net = self.chance.choice(WHERE), self.chance.choice(V4), self.chance.choice(NETS[4][:3])
        place6, bad = self.chance.choice(PLACES[6]), self._one("blackhole", "unreachable", "prohibit")
        wishes = (
            "iif br0",
            "iif eth0",
            "oif eth0",
            "fwmark 1",
            "not fwmark 1",
            "ipproto tcp",
            "ipproto icmp",
            "iif lo",
        )
        wish = self._one(*wishes, "ipproto tcp dport 80", "not from 10.0.0.0/8", f"from {place}", f"to {net}")
        does = self._one("lookup 100", "lookup 100", bad, "lookup main suppress_prefixlength 0", "goto 32766")
        to = self._one("via 192.168.9.2", "via 192.168.9.1", "via 10.1.0.1", "dev eth0", "via 10.1.0.14")
        table = f"ip route add {self._one('default', net)} {to} table 100"
        source, last = self._one("10.1.0.1", "192.168.9.1"), self._one("1", "2", "31", "77")
        return [
            ("a", f"ip route add {self._one(bad, 'throw')} {self._one(net, place)} metric {self._one('5', '500')}"),
            (space, f"ip route replace {bad} {place}"),
            (space, f"ip -6 route add {bad} {place6} metric 5"),
            (space, f"ip rule add {wish} {does} pref {self._one('10', '100', '40000')}; {table}"),
            (space, f"ip rule add {wish} {does} pref {self._one('10', '100', '40000')}; {table}"),
            (space, f"ip -6 rule add {self._one('from', 'to')} {place6} {self._one(bad, 'lookup 100')} pref 10"),
            ("c1", f"ip route add 10.2.0.0/24 via 10.1.0.{self._one('14', '12', '99')}"),
            ("c4", self._one("sysctl -qw net.ipv4.ip_forward=1", "ip route replace default via 10.2.0.1")),
            (space, f"ip route add 10.3.0.0/24 via 192.168.9.{last} src {source}"),
            (space, "ip route add local 10.77.0.0/24 dev lo"),
            ("a", "ip route del 10.1.0.0/24 dev br0"),
            ("c1", "ip route del default"),
            ("a", "ip route add 10.3.0.0/24 nexthop via 192.168.9.2 nexthop via 192.168.9.31"),
        ]

    def _settings(self) -> list[tuple[str, str]]:
        space, router, device = self.chance.choice(WHERE), self._one("a", "b"), self._one("eth0", "br0", "br1")
        conf = f"sysctl -qw net.ipv4.conf.{self._one('all', device)}"
        switch = self._one("arp_filter", "proxy_arp", "accept_local", "route_localnet", "src_valid_mark")
        return [
            (space, f"{conf}.rp_filter={self._one('1', '1', '2')}"),
            (space, f"{conf}.arp_ignore={self._one('1', '2', '8')}"),
            (space, f"{conf}.arp_announce={self._one('1', '2')}"),
            (space, f"{conf}.{switch}=1"),
            (router, f"sysctl -qw net.ipv4.conf.{device}.forwarding=0"),
            (router, self._one("sysctl -qw net.ipv4.ip_forward=0", "sysctl -qw net.ipv6.conf.all.forwarding=0")),
            (space, "sysctl -qw net.ipv4.icmp_echo_ignore_all=1"),
            ("a", f"sysctl -qw net.bridge.bridge-nf-call-{self._one('iptables', 'ip6tables')}=0"),
        ]

    def _links(self) -> list[tuple[str, str]]:
        space, device = self.chance.choice(WHERE), self._one("eth0", "br0", "br1")
        own = self._one("10.3.0.11/32", "10.1.0.77/24", "192.168.9.77/24", "10.1.0.12/32")
        wrong = f"ip neigh replace {self.chance.choice(V4)} lladdr 02:00:00:00:00:99"
        shim = "ip link add link eth0 name shim type macvlan mode bridge; ip addr add 192.168.9.3/32 dev shim"
        return [
            (space, f"ip addr add {own} dev {self._one('lo', device)}"),
            ("a", f"ip link set {self._one('br0', 'br1', 'eth0', 'vc1eth0', 'vc4eth1')} down"),
            (self._one("c1", "c4", "d1"), "ip link set eth0 down"),
            ("a", "bridge link set dev vc1eth0 isolated on; bridge link set dev vc2eth0 isolated on"),
            ("a", f"bridge link set dev vc1eth0 {self._one('hairpin on', 'state 0')}"),
            (space, f"{wrong} dev {self._one('eth0', 'br0')} nud permanent"),
            ("a", f"ip neigh add proxy {self._one('10.3.0.11', '10.2.0.13', '192.168.9.99')} dev {device}"),
            ("a", f"{shim}; ip link set shim up; ip route add 192.168.9.31/32 dev shim"),
        ]
