"""Changes of a host's iptables: rules of every target, chains and sets of somebody's own, policies, what is gone."""

from __future__ import annotations

from e2e.differential.conditions import DOUBTFUL, address, link, matches, protocol
from e2e.differential.site import Change

REJECTS = (
    "", " --reject-with icmp-host-unreachable", " --reject-with icmp-net-unreachable",
    " --reject-with icmp-admin-prohibited", " --reject-with icmp-host-prohibited",
    " --reject-with icmp-port-unreachable",
)  # fmt: skip


def change(site, name, table, chain, words, *, top=None, **more):
    """Return the change that one rule makes: at the top of its chain or at its end."""
    top = site.likely(80) if top is None else top
    tool = more.pop("tool", "iptables")
    return Change(
        name, site.host,
        f"{tool} -w -t {table} -{'I' if top else 'A'} {chain} {words}",
        f"{tool} -w -t {table} -D {chain} {words}",
        more.pop("kind", "rule"), more.pop("where", rf"{table} {chain} \d+"), **more,
    )  # fmt: skip


def filter_rule(site):
    """Return a rule of table filter."""
    chain = site.choose("INPUT", "FORWARD", "FORWARD", "OUTPUT", "DOCKER-USER", "DOCKER-USER")
    words = matches(site, chain)
    target = site.choose("DROP", "DROP", "DROP", "REJECT" + site.choose(*REJECTS), "ACCEPT", "ACCEPT", "RETURN")
    if "-p tcp" in words and "REJECT" in target and site.likely(50):
        target = "REJECT --reject-with tcp-reset"
    return change(site, "filter-rule", "filter", chain, f"{words} -j {target}")


def doubtful_rule(site):
    """Return a rule of which nobody can say whether it applies."""
    chain = site.choose("INPUT", "FORWARD", "DOCKER-USER")
    words = f"{address(site, chain)} {site.choose(*DOUBTFUL)} -j {site.choose('DROP', 'ACCEPT')}"
    return change(site, "doubtful-rule", "filter", chain, words, certain=False)


def policy(site):
    """Return INPUT's or OUTPUT's policy changed, as firewalls do it."""
    chain = site.choose("INPUT", "INPUT", "OUTPUT")
    let = [
        f"{chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", f"{chain} -p tcp --dport 22 -j ACCEPT",
        f"{chain} -{'i' if chain == 'INPUT' else 'o'} lo -j ACCEPT", f"{chain} -p icmp -j ACCEPT",
    ][: site.choose(0, 2, 3, 4)]  # fmt: skip
    do = [f"iptables -w -A {rule}" for rule in let] + [f"iptables -w -P {chain} DROP"]
    undo = [f"iptables -w -P {chain} ACCEPT"] + [f"iptables -w -D {rule}" for rule in let]
    return Change("policy", site.host, "\n".join(do), "\n".join(undo), "policy", f"filter {chain} policy")


def forward_policy(site):
    """Return FORWARD's policy changed: it belongs to the ground, which the definition takes from the host."""
    script = "iptables -w -P FORWARD {}"
    return Change("forward-policy", site.host, script.format("ACCEPT"), script.format("DROP"), "none")


def user_chain(site):
    """Return a chain of somebody's own, with rules that return from it, and a jump or a goto to it."""
    chain = site.choose("INPUT", "FORWARD", "DOCKER-USER", "OUTPUT")
    rules = [f"-A theirs {matches(site, chain)} -j RETURN"] * site.likely(70)
    rules.append(f"-A theirs {matches(site, chain)} -j {site.choose('DROP', 'REJECT', 'ACCEPT', 'deeper')}")
    rules += [f"-A theirs -j {site.choose('DROP', 'RETURN', 'RETURN')}"] * site.likely(40)
    jump = f"{chain} {matches(site, chain) if site.likely(30) else ''} -{site.choose('j', 'j', 'g')} theirs"
    do = ["-N theirs", "-N deeper", "-A deeper -p tcp -j DROP", *rules, f"-I {jump}"]
    undo = [f"-D {jump}", "-F theirs", "-F deeper", "-X theirs", "-X deeper"]
    script = ["\n".join(f"iptables -w {words}" for words in each) for each in (do, undo)]
    return Change("user-chain", site.host, *script, "rule", rf"filter ({chain}|theirs|deeper) \d+")


def set_rule(site):
    """Return a rule that asks a set of ipset."""
    if "ipset" not in site.tools:
        return None
    (box, network), port = site.box(), site.port()
    kind, members, direction = site.choose(
        ("hash:ip", (f"$(address_of {box} {network})", "192.168.22.62"), site.choose("src", "dst")),
        ("hash:net", (f"$(subnet_of {network})", "203.0.113.0/24"), site.choose("src", "dst")),
        ("hash:ip,port", (f"$(address_of {box} {network}),tcp:{port}",), "dst,dst"),
        ("hash:net,iface", (f"$(subnet_of {network}),$(bridge_of {network})",), "src,src"),
        ("hash:net,port", (f"$(subnet_of {network}),icmp:8/0", f"$(subnet_of {network}),tcp:{port}"), "dst,dst"),
    )  # fmt: skip
    chain = site.choose("FORWARD", "DOCKER-USER", "INPUT")
    more = "-p tcp " if kind == "hash:ip,port" else ""
    negated = "! " * site.likely(15)
    rule = f"{chain} {more}-m set {negated}--match-set theirs {direction} -j {site.choose('DROP', 'REJECT')}"
    do = [f"ipset create theirs {kind}", *(f"ipset add theirs {each}" for each in members), f"iptables -w -I {rule}"]
    undo = f"iptables -w -D {rule}\nipset destroy theirs"
    return Change("set-rule", site.host, "\n".join(do), undo, "rule", rf"filter {chain} \d+")


def translation(site):
    """Return a rule of table nat."""
    (box, network), port = site.box(), site.port()
    chain = site.choose("PREROUTING", "PREROUTING", "OUTPUT", "POSTROUTING", "POSTROUTING")
    to = f"$(address_of {box} {network})"
    if chain == "POSTROUTING":
        words = f"{site.choose('-s', '-d')} {site.address()} {site.choose('', link(site, chain))}"
        target = site.choose("MASQUERADE", "MASQUERADE", f"SNAT --to-source {site.own}", "ACCEPT", "RETURN")
    else:
        words = site.choose(f"-p tcp --dport {port}", f"-d {site.address()} -p tcp", f"-d {site.address()} -p icmp",
                            "-d 203.0.113.10", "-m addrtype --dst-type LOCAL -p tcp")  # fmt: skip
        targets = [f"DNAT --to-destination {to}", "ACCEPT", "RETURN", "REDIRECT"]
        if "-p tcp" in words:
            targets += [f"DNAT --to-destination {to}:80", "REDIRECT --to-ports 80", f"REDIRECT --to-ports {port}"]
        target = site.choose(*targets)
        if "-d 203" in words and site.likely(30):
            words, target = "-d 203.0.113.0/24", "NETMAP --to 192.168.22.0/24"
    return change(site, "translation", "nat", chain, f"{words} -j {target}", top=site.likely(75))


def mangled(site):
    """Return a mark, or another alteration of a packet, and a rule that heeds it."""
    chain = site.choose("PREROUTING", "PREROUTING", "FORWARD", "OUTPUT")
    heeds = {"PREROUTING": "FORWARD", "FORWARD": "FORWARD", "OUTPUT": "OUTPUT"}[chain]
    write, match = site.choose(
        ("MARK --set-xmark 0x20/0xffffffff", "-m mark --mark 0x20"),
        ("MARK --set-mark 0x20", "-m mark --mark 0x20/0xf0"),
        ("MARK --or-mark 0x3", "-m mark --mark 0x1/0x1"), ("CONNMARK --set-mark 0x7", "-m connmark --mark 0x7"),
        ("DSCP --set-dscp 8", "-m dscp --dscp 8"), ("TTL --ttl-set 33", "-m ttl --ttl-lt 34"),
        ("TTL --ttl-inc 60", "-m ttl --ttl-gt 70"), ("TOS --set-tos 0x10", "-m tos --tos 0x10"),
    )  # fmt: skip
    rules = [f"mangle -{{}} {chain} {matches(site, chain)} -j {write}",
             f"filter -{{}} {heeds} {match} -j {site.choose('DROP', 'REJECT')}"]  # fmt: skip
    do, undo = ("\n".join(f"iptables -w -t {rule.format(flag)}" for rule in rules) for flag in "ID")
    return Change("mangled", site.host, do, undo, "rule", rf"(mangle {chain}|filter {heeds}) \d+")


def mangle_verdict(site):
    """Return a rule of table mangle or raw that decides by itself."""
    table, chain = site.choose(("mangle", "PREROUTING"), ("mangle", "POSTROUTING"), ("raw", "PREROUTING"),
                               ("raw", "OUTPUT"), ("mangle", "INPUT"))  # fmt: skip
    words = matches(site, chain) if table == "mangle" else address(site, chain)
    target = (
        site.choose("DROP", "ACCEPT") if table == "mangle" else site.choose("DROP", "NOTRACK", "CT --notrack", "ACCEPT")
    )
    if table == "mangle" and chain == "PREROUTING" and site.likely(30):
        target = "TTL --ttl-set 1"
    return change(site, "mangle-verdict" if table == "mangle" else "raw-verdict", table, chain, f"{words} -j {target}")


def forgotten(site):
    """Return rules of Docker's that somebody has deleted or flushed."""
    (box, network), ports = site.box(), site.published()
    scripts = [
        ("iptables -w -F FORWARD", r"filter FORWARD( .*)?"),
        (f'rewrite "/POSTROUTING .* ! -o $(bridge_of {network}) -j MASQUERADE/d"', r"nat POSTROUTING( .*)?"),
        ("iptables -w -t nat -F DOCKER", r"nat DOCKER( .*)?"),
        ("iptables -w -t nat -F POSTROUTING", r"nat POSTROUTING( .*)?"),
        (f'rewrite "/^-A .* -i $(bridge_of {network}) ! -o $(bridge_of {network}) -j ACCEPT/d"', r"filter \S+( .*)?"),
        ('rewrite "/^-A .*ISOLATION-STAGE-2 .* -j DROP/d"', r"filter \S+( .*)?"),
    ]  # fmt: skip
    if ports:
        _, outer, _ = site.choose(*ports)
        scripts.append((f'rewrite "/--dport {outer} -j DNAT/d"', r"nat DOCKER( .*)?"))
    do, where = site.choose(*scripts)
    kept = f"/run/{box}.rules"
    return Change(
        "forgotten", site.host, f"iptables-save > {kept}\n{do}", f"iptables-restore < {kept}\nrm {kept}", "rule", where
    )


def legacy_rule(site):
    """Return a rule in the legacy backend, which stands beside the other one."""
    if "iptables-legacy" not in site.tools:
        return None
    chain = site.choose("INPUT", "FORWARD", "OUTPUT")
    words = f"{site.choose(address, protocol)(site, chain)} -j {site.choose('DROP', 'ACCEPT')}"
    return change(site, "legacy-rule", "filter", chain, words, tool="iptables-legacy", where=rf".*filter {chain} \d+")


def rule6(site):
    """Return a rule for IPv6."""
    chain = site.choose("FORWARD", "INPUT", "OUTPUT")
    words = site.choose("-p ipv6-icmp --icmpv6-type echo-request", "-p tcp", "-s fd00::/16", "-d fd00::/16 -p tcp")
    target = site.choose("DROP", "REJECT", "REJECT --reject-with icmp6-adm-prohibited", "ACCEPT")
    where = rf".*filter {chain} \d+"
    return change(site, "rule6", "filter", chain, f"{words} -j {target}", tool="ip6tables", where=where)
