"""One change of a host or of what is in it, and what a maker of changes knows of the host."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

WORDS = r"""
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
bridge_of() {
    [ "$1" != bridge ] || { echo docker0; return; }
    echo "br-$(docker network inspect --format '{{.Id}}' "$1" | cut -c 1-12)"
}
pid_of() { docker inspect --format '{{.State.Pid}}' "$1"; }
inside() { name=$1; shift; nsenter --target "$(pid_of "$name")" --net "$@"; }
seen_of() { docker inspect --format "{{(index .NetworkSettings.Networks \"$2\").$3}}" "$1"; }
address_of() { seen_of "$1" "$2" IPAddress; }
mac_of() { seen_of "$1" "$2" MacAddress; }
subnet_of() { docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' "$1"; }
link_of() { inside "$1" ip -o link | grep -i "$(mac_of "$1" "$2")" | sed -n '1s/^[0-9]*: \([^@:]*\).*/\1/p'; }
port_of() {
    ip -o link | sed -n "s/^$(inside "$1" ip -o link show "$(link_of "$1" "$2")" |
        sed 's/^[0-9]*: [^@]*@if\([0-9]*\):.*/\1/'): \([^@:]*\).*/\1/p"
}
keep() {  # what the kernel forgets of a link that goes down: IPv6 addresses, and routes that somebody added
    $2 ip -o -6 address show dev "$1" scope global | sed 's/.* inet6 \([^ ]*\).*/address add \1 nodad/'
    for version in 4 6; do
        $2 ip -$version route show dev "$1" | grep -v 'proto kernel' |
            sed "s/ linkdown//; s/^/-$version route replace /"
    done
}
give_back() { while read -r words; do $2 ip $words dev "$1"; done; }
rewrite() { iptables-save | sed -E "$1" | iptables-restore; }
"""
"""What a change's scripts may call: a network's and a container's names become what they are on the host now."""


ADDRESSES = {"vm0": "192.168.22.61", "vm1": "192.168.22.62"}
"""The addresses of the sandbox's hosts."""


@dataclass(frozen=True)
class Change:
    """What is done to a host, how it is undone, and what it has to be named as where it changes a cell.

    `do` and `undo` are scripts, run on `host` after `WORDS`. `kind` and `where` are regular expressions on the words of
    a cause; kind `none` is a change that no cell may show: no packet of the lab meets it, or it belongs to the ground
    that the definition takes from the host. Without `certain` it holds a condition that cannot be evaluated, so that
    no claim may come of it. What is not `exact` leaves the host as good as before, with other names and numbers.
    """

    name: str
    host: str
    do: str
    undo: str
    kind: str
    where: str = ""
    side: str = "host"
    certain: bool = True
    exact: bool = True

    def names(self, cause):
        """Tell whether a cause of a report is this change."""
        from re import fullmatch  # noqa: PLC0415 - the name is the method's

        found = (cause.host, cause.side) == (self.host, self.side)
        return bool(found and fullmatch(self.kind, cause.kind) and fullmatch(self.where, cause.where))


@dataclass
class Site:
    """One host of a lab, as its definition has it, and a source of chance."""

    lab: dict
    host: str
    random: Random
    tools: frozenset[str]
    """Which of `nft`, `ipset`, `iptables-legacy` the hosts have."""

    def choose(self, *items):
        return self.random.choice(items)

    def likely(self, percent):
        return self.random.randrange(100) < percent

    @property
    def other(self):
        """Return another host of the lab, or None."""
        return next((name for name in self.lab["hosts"] if name != self.host), None)

    @property
    def own(self):
        """Return the host's own address."""
        return ADDRESSES[self.host]

    def networks(self):
        """Return the lab's bridges on this host, docker0 as `bridge`."""
        return sorted({network for _, network in self.boxes()})

    def boxes(self, *drivers):
        """Return the containers of this host that are on a network of a driver (else: a bridge), each with that."""
        wanted = drivers or ("bridge",)
        found = []
        for name, spec in self.lab["containers"].items():
            if spec.get("host", next(iter(self.lab["hosts"]))) != self.host:
                continue
            places = spec.get("networks") or {}
            if not places and spec.get("network_mode", "bridge") == "bridge" and "bridge" in wanted:
                found.append((name, "bridge"))
            found += [(name, n) for n in places if (self.lab["networks"][n] or {}).get("driver", "bridge") in wanted]
        return found

    def unjoined(self):
        """Return the containers on bridges whose network namespace nobody shares: they may stop and start again."""
        joined = {spec.get("network_mode", "").partition(":")[2] for spec in self.lab["containers"].values()}
        return sorted({name for name, _ in self.boxes()} - joined)

    def published(self):
        """Return the ports of this host's containers that are published: the container, the host's port, its own."""
        found = []
        for name, _ in self.boxes():
            for text in self.lab["containers"][name].get("ports", ()):
                *_, outer, inner = str(text).split(":")
                found.append((name, int(outer), int(inner.partition("/")[0])))
        return found

    def box(self):
        """Return a container on a bridge, with the network."""
        return self.choose(*self.boxes())

    def address(self):
        """Return an address that packets of the lab may bear, as a word of a script."""
        box, network = self.box()
        return self.choose(
            *[f"$(address_of {box} {network})"] * 4, f"$(subnet_of {network})", "192.168.22.61", "192.168.22.62",
            "192.168.22.0/24", "203.0.113.10",
        )  # fmt: skip

    def link(self):
        """Return an interface of the host that packets may pass, as a word of a script."""
        return self.choose(*(f"$(bridge_of {network})" for network in self.networks()), "eth0", "eth0")

    def port(self):
        """Return a port that cells ask for, before or behind a translation."""
        ports = [port for _, *both in self.published() for port in both]
        return self.choose(*(ports or [80]), 80)
