"""What a person types on a host to take something out of its kernel, or to put it back.

Every command is quoted for a shell: nothing that a stranger wrote into a rule becomes code. `place` is what comes
before a command that is meant for another network namespace than the host's own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.model import Forward, Link, Namespace, Proxy
from dockerlab.kernel.routes import Neighbour, Route, Selector
from dockerlab.kernel.rules import Backend, Chain, NamedSet, Rule

Words = Sequence[str]

RESTART = "systemctl restart docker"
"""What makes an engine write all its rules anew."""

NOT_TYPED = frozenset({"linkdown", "dead", "pervasive", "offload", "trap", "rt_trap"})
"""What `ip route` prints of a route and does not take."""

_NUMBERED = re.compile(r"^\d+:\s*")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def place(space: Namespace) -> tuple[str, ...]:
    """Return what makes a command run in a namespace: nothing for the host's own."""
    if space.host:
        return ()
    if space.pids:
        return ("nsenter", "--net", "--target", str(space.pids[0]))
    return ("nsenter", f"--net={space.paths[0]}") if space.paths else ()


def typed(where: Words, *words: str) -> str:
    """Return a command as it is typed."""
    return shlex.join((*where, *words))


def both(commands: Iterable[str]) -> str:
    """Return commands that are run one after the other."""
    return " && ".join(command for command in commands if command)


def program(backend: Backend, family: str) -> str:
    """Return the program that keeps rules of iptables: the engine's, or the other one, of one IP version."""
    version = "ip6tables" if family == "ip6" else "iptables"
    return f"{version}-legacy" if backend == "iptables-legacy" else version


def words_of(rule: Rule) -> list[str]:
    """Return a rule of iptables as words, without `-A CHAIN`: only double quotes quote there."""
    found = [re.sub(r"\\(.)", r"\1", m[1]) if m[1] is not None else m[2] for m in _WORD.finditer(rule.text)]
    return found[2:] if found[:1] == ["-A"] else found


def remove_rule(where: Words, chain: Chain, rule: Rule) -> str:
    """Return the command that takes a rule out: by its text, or by its number where another one reads the same."""
    if chain.backend == "nft":
        return typed(where, "nft", "delete", "rule", chain.family, chain.table, chain.name, "handle", str(rule.handle))
    same = sum(each.text == rule.text for each in chain.rules)
    spec = [str(rule.number)] if same > 1 or not _typeable(rule) else words_of(rule)
    return typed(where, *_tables(chain), "-D", chain.name, *spec)


def insert_rule(where: Words, chain: Chain, rule: Rule, gap: int) -> str:
    """Return the command that puts a rule behind the first `gap` rules of its chain."""
    at = ("-A", chain.name) if gap >= len(chain.rules) else ("-I", chain.name, str(gap + 1))
    return typed(where, *_tables(chain), *at, *words_of(rule))


def replace_rule(where: Words, chain: Chain, number: int, rule: Rule) -> str:
    """Return the command that writes another rule in the place of one."""
    return typed(where, *_tables(chain), "-R", chain.name, str(number), *words_of(rule))


def _tables(chain: Chain) -> tuple[str, ...]:
    named = ("-t", chain.table) if chain.table != "filter" else ()
    return (program(chain.backend, chain.family), *named)


def _typeable(rule: Rule) -> bool:
    """Tell whether a rule's text says all of it: of some extensions only the kernel knows what they mean."""
    return (
        rule.text.startswith("-A ")
        and rule.text.isprintable()
        and all(each.module != "unknown" for each in rule.matches)
    )


def policy(where: Words, chain: Chain, wanted: str) -> str:
    """Return the command that gives a base chain a policy."""
    if chain.backend == "nft":
        said = f"{{ policy {wanted.lower()} ; }}"
        return typed(where, "nft", "chain", chain.family, chain.table, chain.name, said)
    return typed(where, *_tables(chain), "-P", chain.name, wanted)


def _ip(version: int) -> tuple[str, ...]:
    return ("ip", "-6") if version == 6 else ("ip",)


def route(where: Words, verb: str, way: Route) -> str:
    """Return the command that deletes, adds or replaces a route."""
    words = [word for word in way.text.split() if word not in NOT_TYPED] or list(_route_words(way))
    return typed(where, *_ip(way.version), "route", verb, *words)


def _route_words(way: Route) -> Iterable[str]:
    yield from ([] if way.kind == "unicast" else [way.kind])
    yield "default" if way.destination.prefixlen == 0 else str(way.destination)
    several = len(way.hops) > 1
    for hop in way.hops:
        yield from (["nexthop"] if several else [])
        yield from (["via", str(hop.via)] if hop.via is not None else [])
        yield from (["dev", hop.device] if hop.device else [])
    yield from (["table", way.table] if way.table != "main" else [])
    yield from (["src", str(way.source)] if way.source is not None else [])
    yield from (["metric", str(way.metric)] if way.metric else [])


def selector(where: Words, verb: str, rule: Selector) -> str:
    """Return the command that deletes or adds a rule of `ip rule`."""
    words = [word for word in _NUMBERED.sub("", rule.text).split() if not word.startswith("[")]
    return typed(where, *_ip(rule.version), "rule", verb, "pref", str(rule.priority), *words)


def link(where: Words, name: str, *words: str) -> str:
    """Return the command that changes a link."""
    return typed(where, "ip", "link", "set", name, *words)


def remove_link(where: Words, gone: Link) -> str:
    """Return the command that takes a link away; a card cannot be taken away, and is put down."""
    return typed(where, "ip", "link", "del", gone.name) if gone.kind else link(where, gone.name, "down")


def port(where: Words, name: str, *words: str) -> str:
    """Return the command that changes how a bridge treats one of its ports."""
    return typed(where, "bridge", "link", "set", "dev", name, *words)


def address(where: Words, verb: str, held: IpInterface, name: str) -> str:
    """Return the command that puts an address on a link, or takes it off; engines ask nobody whether it is a double."""
    at_once = ("nodad",) if (verb, held.version) == ("add", 6) else ()
    return typed(where, *_ip(held.version), "address", verb, str(held), "dev", name, *at_once)


def neighbour(where: Words, verb: str, entry: Neighbour) -> str:
    """Return the command that deletes or adds a neighbour entry."""
    proxy = ("proxy",) if entry.proxy else ()
    mac = ("lladdr", entry.mac, "nud", "permanent") if entry.mac and verb != "del" else ()
    return typed(where, *_ip(entry.address.version), "neighbour", verb, *proxy, str(entry.address), *mac, "dev",
                 entry.device)  # fmt: skip


def forward(where: Words, verb: str, entry: Forward) -> str:
    """Return the command that lets a VXLAN send the frames for a MAC address to a host, or no longer."""
    return typed(where, "bridge", "fdb", verb, entry.mac, "dev", entry.device, "dst", entry.to, "self", "permanent")


def sysctl(where: Words, path: str, value: str) -> str:
    """Return the command that sets a setting; its path is in slashes where a name in it has a dot."""
    return typed(where, "sysctl", "-w", f"{setting(path)}={value}")


def setting(path: str) -> str:
    """Return a setting's name as `sysctl` prints it, in slashes where a name in it has a dot."""
    return path if "." in path and "/" in path else path.replace("/", ".")


def restart(name: str) -> str:
    """Return the command that starts a container anew."""
    return typed((), "docker", "restart", name)


def kill(pid: int) -> str:
    """Return the command that ends a process."""
    return typed((), "kill", str(pid))


def proxy_words(proxy: Proxy) -> str:
    """Return a docker-proxy in words."""
    return f"docker-proxy {proxy.protocol} {proxy.address or '*'}:{proxy.port} to {proxy.to}:{proxy.to_port}"


def member(where: Words, group: NamedSet, each: Sequence[str], *, add: bool) -> str:
    """Return the command that puts a member into a set, or takes it out."""
    if not group.table:
        return typed(where, "ipset", "add" if add else "del", group.name, ",".join(each))
    said = f"{{ {' . '.join(each)} }}"
    return typed(where, "nft", "add" if add else "delete", "element", group.family, group.table, group.name, said)
