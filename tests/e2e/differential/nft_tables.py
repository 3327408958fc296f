"""Tables of nftables beside Docker's, at priorities before and behind them, with sets, maps and several base chains."""

from __future__ import annotations

from e2e.differential.site import Change


def table(site):
    """Return a table of somebody's own with one or two base chains."""
    if "nft" not in site.tools:
        return None
    family = site.choose("inet", "inet", "ip")
    chains = [base_chain(site, family, *hook) for hook in site.random.sample(HOOKS, site.choose(1, 1, 2))]
    sets = [named_set(site, family)]
    text = "\n".join((f"table {family} theirs {{", *sets, *chains, "}"))
    return Change(
        "nft-table", site.host, f"nft -f - <<END\n{text}\nEND", f"nft delete table {family} theirs",
        "rule|policy", rf"nft {family} theirs (\S+) (\d+|policy)",
    )  # fmt: skip


HOOKS = (("forward", -10), ("forward", 10), ("input", -5), ("input", 50), ("output", 0), ("prerouting", -300),
         ("postrouting", 90))  # fmt: skip


def named_set(site, family):
    """Return a set and a verdict map, which rules may name."""
    (box, network), port = site.box(), site.port()
    one, bridge = f"$(address_of {box} {network})", f"$(bridge_of {network})"
    return (
        f"  set hosts {{ type ipv4_addr; flags interval; elements = {{ {one}, 203.0.113.0/24 }} }}\n"
        f"  set pairs {{ type ipv4_addr . inet_service; elements = {{ {one} . {port} }} }}\n"
        f"  map ways {{ type inet_service : verdict; elements = {{ {port} : drop, 65000 : accept }} }}\n"
        f'  map doors {{ type ifname : verdict; elements = {{ "eth0" : accept, "{bridge}" : jump own }} }}\n'
        f"  chain own {{\n    {rule(site, family, 'forward', deep=True)}\n  }}"
    )  # fmt: skip


def base_chain(site, family, hook, priority):
    """Return a base chain on a hook; its policy is to drop once in a while, behind rules that accept."""
    rules = [rule(site, family, hook) for _ in range(site.choose(1, 1, 2, 3))]
    policy = "accept"
    if site.likely(12) and hook in ("forward", "input"):
        policy, rules = "drop", ["ct state established,related accept", "meta l4proto icmp accept", *rules]
    lines = "".join(f"    {each}\n" for each in rules)
    name = f"on_{hook}_{'before' if priority < 0 else 'after'}"  # a table may have two on one hook
    return f"  chain {name} {{\n    type filter hook {hook} priority {priority}; policy {policy};\n{lines}  }}"


def rule(site, family, hook, *, deep=False):
    """Return a rule as nft reads it; one that is `deep` leads to no other chain."""
    (box, network), port, one = site.box(), site.port(), site.address()
    own = "oifname" if hook in ("output", "postrouting") else "iifname"
    match = site.choose(
        f"ip {site.choose('saddr', 'daddr')} {one}", f"ip {site.choose('saddr', 'daddr')} != {one}",
        f"ip {site.choose('saddr', 'daddr')} @hosts", "ip daddr . tcp dport @pairs", f"tcp dport {port}",
        f"tcp dport {{ {port}, 65000-65010 }}", "meta l4proto icmp", "icmp type echo-request",
        "meta l4proto { icmp, udp }",
        "ip protocol tcp", "tcp flags & (syn | ack) == syn", "ct state new", "ct state established,related",
        "ct state invalid", "ct status dnat", f"meta l4proto tcp ct original proto-dst {port}", "ct direction reply",
        f'{own} "{site.link()}"', f'{own} != "{site.link()}"', f'{own} {{ "eth0", "lo" }}',
        "meta mark 0", "meta mark 0x21",
        "ct mark 0", "ip ttl < 5", "ip dscp cs0", "meta length < 1400", "meta pkttype host", "fib daddr type local",
        f"ether saddr $(mac_of {box} {network})" if hook in ("forward", "input", "prerouting") else "ip ttl > 5",
        "meta skuid 0" if hook == "output" else "meta nfproto ipv4" if family == "inet" else "ip ttl > 5",
        "ip saddr 172.17.0.1-172.31.255.254",
        "udp dport 53",
    )  # fmt: skip
    if hook == "prerouting" and "ct st" in match:
        match = "meta l4proto icmp"  # there is no connection before conntrack's priority
    verdicts = ["drop", "drop", "drop", "counter drop", "accept", "return", "continue"]
    if hook in ("forward", "input", "output"):
        any_version = "icmpx" if family == "inet" else "icmp"
        verdicts += ["reject", f"reject with {any_version} type admin-prohibited", *["jump own"] * (not deep)]
        if "tcp" in match:
            verdicts += ["reject with tcp reset"] * 2
    if site.likely(20) and not deep and hook != "prerouting":
        maps = [
            "tcp dport vmap @ways",
            f"tcp dport vmap {{ {port} : drop }}",
            f"ct state vmap {{ invalid : drop, new : {site.choose('drop', 'accept')} }}",
        ]
        return site.choose(*maps, *(["iifname vmap @doors"] if hook in ("forward", "input") else []))
    return f"{match} {site.choose(*verdicts)}"


def nat_table(site):
    """Return a table that translates, before Docker's or behind it."""
    if "nft" not in site.tools:
        return None
    (box, network), port, one = site.box(), site.port(), site.address()
    hook, priority, words = site.choose(
        ("prerouting", -110, f"tcp dport {port} dnat to $(address_of {box} {network}):80"),
        ("prerouting", -90, f"tcp dport {port} dnat to $(address_of {box} {network}):80"),
        ("prerouting", -110, f"ip daddr {one} tcp dport 80 redirect to :{port}"),
        ("postrouting", 90, f"ip saddr {one} masquerade"),
        ("postrouting", 110, f"ip daddr {one} masquerade"),
        ("output", -110, f"ip daddr 203.0.113.10 tcp dport 80 dnat to $(address_of {box} {network})"),
    )
    text = f"table ip theirs {{\n  chain n {{\n    type nat hook {hook} priority {priority};\n    {words}\n  }}\n}}"
    where = r"nft ip theirs n \d+"
    return Change("nft-nat", site.host, f"nft -f - <<END\n{text}\nEND", "nft delete table ip theirs", "rule", where)


def marking_table(site):
    """Return a table that marks packets, which a rule of iptables heeds, or the routing does."""
    if "nft" not in site.tools:
        return None
    one = site.address()
    text = (f"table inet marks {{\n  chain m {{\n    type filter hook prerouting priority -150;\n"
            f"    ip {site.choose('saddr', 'daddr')} {one} meta mark set 0x44\n  }}\n}}")  # fmt: skip
    heeds, lets = site.choose(
        ("iptables -w -I FORWARD -m mark --mark 0x44 -j DROP", "iptables -w -D FORWARD -m mark --mark 0x44 -j DROP"),
        ("ip route add blackhole default table 144; ip rule add fwmark 0x44 lookup 144",
         "ip rule del fwmark 0x44 lookup 144; ip route flush table 144"),
    )  # fmt: skip
    return Change(
        "nft-mark", site.host, f"nft -f - <<END\n{text}\nEND\n{heeds}", f"{lets}\nnft delete table inet marks",
        "rule|ip-rule|route", r"nft inet marks m \d+|filter FORWARD \d+|table 144|.*(fwmark 0x44|144).*",
    )  # fmt: skip
