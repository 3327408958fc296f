"""From what the program on a host printed to a `Machine`; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dockerlab.engine.convert import to_container, to_network
from dockerlab.machinery import firewall
from dockerlab.machinery.model import Forward, Link, Listener, Machine, Namespace, Proxy

Json = Mapping[str, Any]
FAMILIES = {"iptables": 4, "ip6tables": 6}
WHAT = {
    "addresses": "interfaces and addresses",
    "routes": "routes",
    "routes6": "routes of IPv6",
    "fdb": "where the VXLAN sends",
}
INFO = ("id", "port", "mode", "flags", "protocol")
"""What is kept of what a kind of link adds; `id` is the number of a VXLAN or a VLAN."""


def machine(host: str, seen: Json) -> Machine:
    """Return what a look saw; raises AttributeError, LookupError, TypeError or ValueError for what is none."""
    containers = tuple(sorted((to_container(c) for c in _lines(seen["containers"])), key=lambda c: c.name))
    networks = (to_network(entry, containers) for entry in _lines(seen["networks"]))
    engine = _first(seen["engine"])
    rules = [firewall.read(said["out"], FAMILIES[name]) for name, said in seen["rules"].items() if _ok(said)]
    return Machine(
        host=host,
        root=seen["uid"] == 0,
        kernel=seen["kernel"],
        engine=engine.get("ServerVersion") or "",
        backend=_backend(engine),
        listed=_ok(seen["containers"]) and _ok(seen["networks"]),
        containers=containers,
        networks=tuple(sorted(networks, key=lambda network: network.name)),
        namespaces=tuple(_namespace(each, seen["owners"]) for each in seen["namespaces"]),
        firewall=firewall.together(rules),
        proxies=tuple(proxy for each in seen["proxies"] if (proxy := _proxy(each)) is not None),
        resolvers={identity: said["text"] for identity, said in seen["resolvers"].items() if "text" in said},
        settings={name: said["text"].strip() for name, said in seen["settings"].items() if "text" in said},
        unread=tuple(_unread(seen)),
    )


def _unread(seen: Json) -> Iterator[str]:
    """Yield a sentence for each thing that could not be seen, with the reason."""
    for what in ("engine", "containers", "networks"):
        if not _ok(seen[what]):
            yield f"what the engine knows ({what}): {_reason(seen[what])}"
    for name, said in seen["rules"].items():
        if not _ok(said):
            yield f"the firewall's rules ({name}-save): {_reason(said)}"
        elif said["err"]:
            yield f"some of the firewall's rules: {' '.join(said['err'].split())}"
    backend = _backend(_first(seen["engine"]))
    if not backend.startswith("iptables") and backend:
        yield (
            f"Docker's own rules: this engine keeps them in {backend}, which is not understood here "
            "('nft list ruleset' on the host, as root, shows them)"
        )
    # Without root it is the same with every container: said once.
    inside = [reason for path, reason in seen["unread"].items() if path.endswith("/ns/net")]
    yield from (f"{path}: {reason}" for path, reason in seen["unread"].items() if not path.endswith("/ns/net"))
    names = [said["error"] for said in seen["resolvers"].values() if "error" in said]
    for what, reasons in (("network namespaces", inside), ("resolv.conf", names)):
        if reasons:
            yield f"the {what} of {len(reasons)} container{'s' if len(reasons) > 1 else ''}: {reasons[0]}"
    if seen["unseen"]:
        yield f"which process listens where: {seen['unseen']} processes cannot be looked into (root is needed)"


def _backend(engine: Json) -> str:
    """Return what the engine keeps its rules with; one that does not say so is too old for anything but iptables."""
    driver = (engine.get("FirewallBackend") or {}).get("Driver")
    return driver or ("iptables" if engine.get("ServerVersion") else "")


def _ok(said: Json) -> bool:
    return bool(said["rc"] == 0)


def _reason(said: Json) -> str:
    """Return why a command failed, in one line."""
    words = " ".join((said["err"] or said["out"]).split()) or "it gave no reason"
    return f"`{' '.join(said['argv'][:3])}` failed (exit code {said['rc']}): {words[:300]}"


def _lines(said: Json) -> list[Any]:
    """Return one object for each line of JSON."""
    return [json.loads(line) for line in said["out"].splitlines() if line.startswith("{")]


def _first(said: Json) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(_lines(said)), {})
    return found


def _namespace(seen: Json, owners: list[Any]) -> Namespace:
    said = seen["said"]
    held: dict[int, list[tuple[int, str]]] = {}
    for owner in owners:
        held.setdefault(owner["inode"], []).append((owner["pid"], owner["name"]))
    return Namespace(
        id=seen["id"],
        host=seen["host"],
        paths=tuple(seen["paths"]),
        containers=tuple(seen["containers"]),
        links=tuple(_link(entry) for entry in _list(said["addresses"]) if entry),
        routes=tuple(_route(entry) for name in ("routes", "routes6") for entry in _list(said[name])),
        forwards=tuple(
            Forward(entry["mac"], entry["ifname"], entry["dst"])
            for entry in (_list(said["fdb"]) if "fdb" in said else ())
            if "dst" in entry
        ),
        listeners=tuple(
            Listener(s["protocol"], s["address"], s["port"], tuple(held.get(s["inode"], ()))) for s in seen["sockets"]
        ),
        deaf=seen["deaf"],
        unread=tuple(f"{WHAT[what]}: {_reason(answer)}" for what, answer in said.items() if not _ok(answer)),
    )


def _list(said: Json) -> list[Any]:
    """Return what `ip -json` printed: nothing at all stands for an empty list, and so does what has failed."""
    found: list[Any] = json.loads(said["out"] or "[]") if _ok(said) else []
    return found


def _link(entry: Json) -> Link:
    about = entry.get("linkinfo") or {}
    data = about.get("info_data") or {}
    return Link(
        index=entry["ifindex"],
        name=entry["ifname"],
        kind=about.get("info_kind", ""),
        mac=entry.get("address", "") if entry.get("link_type") == "ether" else "",
        mtu=entry["mtu"],
        state=entry.get("operstate", ""),
        peer=entry.get("link_index") or 0,
        away="link_index" in entry,
        master=entry.get("master", ""),
        addresses=tuple(f"{a['local']}/{a['prefixlen']}" for a in entry.get("addr_info", ()) if "local" in a),
        info={key: _spelled(value) for key, value in data.items() if key in INFO}
        | ({"parent": entry["link"]} if entry.get("link") else {}),
    )


def _spelled(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _route(entry: Json) -> str:
    """Return a route as `ip route` prints it, without what changes by itself."""
    kind = entry.get("type", "unicast")
    words = [*([] if kind == "unicast" else [kind]), entry["dst"]]
    words += [part for hop in (entry, *entry.get("nexthops", ())) for part in _hop(hop)]
    for key, word in (("protocol", "proto"), ("scope", "scope"), ("prefsrc", "src"), ("metric", "metric")):
        words += [word, str(entry[key])] if key in entry else []
    return " ".join(words)


def _hop(entry: Json) -> Iterator[str]:
    via = entry.get("via") or {}
    gateway = entry.get("gateway") or via.get("host")
    if gateway:
        yield from ("via", gateway)
    if "dev" in entry:
        yield from ("dev", entry["dev"])


def _proxy(seen: Json) -> Proxy | None:
    """Return a docker-proxy by its arguments; None for one whose arguments are not those that we know."""
    words = [word.lstrip("-") for word in seen["argv"]]
    flags = {name: value for word, value in zip(words, [*words[1:], ""], strict=True) for name in (word,)}
    try:
        return Proxy(
            pid=seen["pid"],
            protocol=flags["proto"],
            address=flags["host-ip"],
            port=int(flags["host-port"]),
            to=flags["container-ip"],
            to_port=int(flags["container-port"]),
        )
    except (LookupError, ValueError):
        return None
