"""All other words of `docker run`: which an engine keeps where, and what of it is not the default."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dockerlab.discover import secrets
from dockerlab.discover.entry import Entry, Json
from dockerlab.discover.places import Surroundings
from dockerlab.lab.giving_way import words_in
from dockerlab.snapshot import ContainerState

HEX = re.compile(r"[0-9a-f]{64}")
"""The name of a volume that nobody named."""
SHM = 67_108_864
SHARES = 1024


@dataclass(frozen=True)
class Seen:
    """A container, all that its engine says of it, what its image gives, and what it stands among."""

    container: ContainerState
    detail: Json
    image: Json
    around: Surroundings

    @property
    def config(self) -> Json:
        """Return what it was told of itself."""
        return self.detail.get("Config") or {}

    @property
    def host(self) -> Json:
        """Return what it was told of the host."""
        return self.detail.get("HostConfig") or {}

    def differs(self, key: str) -> Any:
        """Return a word of its own that is not the image's, None where it is or there is none."""
        value = self.config.get(key)
        return value if value not in (None, "", [], {}) and value != self.image.get(key) else None


Reader = Callable[[Seen], Any]


def _of(key: str, *defaults: Any) -> Reader:
    """Return what reads a word about the host, None where it is a default."""

    def read(seen: Seen) -> Any:
        value = seen.host.get(key)
        return None if value in (None, "", 0, False, [], {}, *defaults) else value

    return read


def _size(key: str, *defaults: int) -> Reader:
    def read(seen: Seen) -> str | None:
        value = seen.host.get(key)
        return size(int(value)) if value and value not in defaults else None

    return read


def size(number: int) -> str:
    """Return a number of bytes as one writes it: in the largest unit of which it is a whole number."""
    for unit, power in (("g", 30), ("m", 20), ("k", 10)):
        if number > 0 and number % (1 << power) == 0:
            return f"{number >> power}{unit}"
    return str(number)


def duration(number: int) -> str:
    """Return nanoseconds as one writes them."""
    for unit, length in (("h", 3600 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if number % length == 0:
            return f"{number // length}{unit}"
    return f"{number}ns"


def _restart(seen: Seen) -> str | None:
    policy = seen.host.get("RestartPolicy") or {}
    name, most = str(policy.get("Name") or "no"), policy.get("MaximumRetryCount") or 0
    return None if name == "no" else f"{name}:{most}" if name == "on-failure" and most else name


def _volumes(seen: Seen) -> list[Any] | None:
    found: list[Any] = [str(bind) for bind in seen.host.get("Binds") or ()]
    by_image = seen.image.get("Volumes") or {}
    mounted = {str(bind).split(":")[1] for bind in found if ":" in str(bind)}
    for mount in seen.host.get("Mounts") or ():
        kind, source, target = mount.get("Type"), mount.get("Source") or "", mount.get("Target") or ""
        if kind in ("bind", "volume"):
            found.append(":".join(filter(None, (source, target, "ro" if mount.get("ReadOnly") else ""))))
            mounted.add(target)
    found += [path for path in sorted(seen.config.get("Volumes") or {}) if path not in by_image and path not in mounted]
    return found or None


def _tmpfs(seen: Seen) -> list[str] | None:
    told = seen.host.get("Tmpfs") or {}
    more = [m.get("Target") for m in seen.host.get("Mounts") or () if m.get("Type") == "tmpfs"]
    return [f"{path}:{how}" if how else path for path, how in sorted(told.items())] + more or None


def _devices(seen: Seen) -> list[str] | None:
    found = []
    for each in seen.host.get("Devices") or ():
        here, inside, may = each.get("PathOnHost"), each.get("PathInContainer"), each.get("CgroupPermissions")
        parts = [here] if (inside, may) == (here, "rwm") else [here, inside] if may == "rwm" else [here, inside, may]
        found.append(":".join(map(str, parts)))
    return found or None


def _limits(seen: Seen) -> dict[str, Any] | None:
    told = seen.host.get("Ulimits") or ()
    return {
        each["Name"]: each["Soft"] if each["Soft"] == each["Hard"] else {"soft": each["Soft"], "hard": each["Hard"]}
        for each in told
    } or None


def _healthcheck(seen: Seen) -> dict[str, Any] | None:
    told = seen.differs("Healthcheck")
    if not told:
        return None
    test = [str(word) for word in told.get("Test") or ()]
    if test[:1] == ["NONE"]:
        return {"disable": True}
    found: dict[str, Any] = {}
    if test[:1] == ["CMD-SHELL"] and len(test) == 2 and (given := words_in(test[1])):
        test = ["CMD", *given]
    if test:
        clean = secrets.words(test[1:])
        found["test"] = clean[0] if test[0] == "CMD-SHELL" and len(clean) == 1 else [test[0], *clean]
    spans = {"interval": "Interval", "timeout": "Timeout", "start_period": "StartPeriod"}
    found |= {key: duration(told[name]) for key, name in spans.items() if told.get(name)}
    if told.get("StartInterval"):
        found["start_interval"] = duration(told["StartInterval"])
    return found | ({"retries": told["Retries"]} if told.get("Retries") else {})


def _joined(key: str, *defaults: str) -> Reader:
    """Return what reads whose namespace is shared: another container's by its name in the definition."""

    def read(seen: Seen) -> str | None:
        text = str(seen.host.get(key) or "")
        kind, _, word = text.partition(":")
        if text in ("", *defaults):
            return None
        if kind != "container":
            return text
        snapshot = seen.around.snapshot
        owner = next((each for each in snapshot.containers if word in (each.id, each.name)), None)
        return None if owner is None else f"container:{seen.around.names.get((snapshot.host, owner.id), owner.name)}"

    return read


def _logging(seen: Seen) -> dict[str, Any] | None:
    told = seen.host.get("LogConfig") or {}
    options = {
        str(k): str(v) for k, v in sorted((told.get("Config") or {}).items()) if not secrets.revealing(k, str(v))
    }
    driver = str(told.get("Type") or "json-file")
    if driver == "json-file" and not options:
        return None
    return ({"driver": driver} if driver != "json-file" else {}) | ({"options": options} if options else {})


def _swap(seen: Seen) -> str | None:
    """Return memory and swap together; twice the memory is what an engine takes by itself."""
    memory, both = seen.host.get("Memory") or 0, seen.host.get("MemorySwap") or 0
    return None if both in (0, 2 * memory) or not memory else size(both)


def _cpus(seen: Seen) -> float | None:
    told = seen.host.get("NanoCpus") or 0
    return told / 10**9 if told else None


def _stop(seen: Seen) -> str | None:
    told = seen.config.get("StopTimeout")
    return None if told is None else f"{told}s"


def _security(seen: Seen) -> list[str] | None:
    """Return the settings of the kernel's security modules; `--privileged` alone sets `label=disable`."""
    told = [str(each) for each in seen.host.get("SecurityOpt") or ()]
    return [each for each in told if not (seen.host.get("Privileged") and each == "label=disable")] or None


def _annotations(seen: Seen) -> dict[str, str] | None:
    told = seen.host.get("Annotations") or {}
    return {str(k): str(v) for k, v in sorted(told.items()) if not secrets.revealing(k, str(v))} or None


READERS: Mapping[str, Reader] = {
    "domainname": lambda seen: seen.config.get("Domainname") or None,
    "working_dir": lambda seen: seen.differs("WorkingDir"),
    "dns_opt": _of("DnsOptions"),
    "volumes": _volumes,
    "tmpfs": _tmpfs,
    "restart": _restart,
    "healthcheck": _healthcheck,
    "init": _of("Init"),
    "privileged": _of("Privileged"),
    "read_only": _of("ReadonlyRootfs"),
    "devices": _devices,
    "security_opt": _security,
    "group_add": _of("GroupAdd"),
    "pid": _joined("PidMode"),
    "ipc": _joined("IpcMode", "private"),
    "uts": _of("UTSMode"),
    "userns_mode": _of("UsernsMode"),
    "cgroup_parent": _of("CgroupParent"),
    "stop_signal": lambda seen: seen.differs("StopSignal"),
    "stop_grace_period": _stop,
    "ulimits": _limits,
    "mem_limit": _size("Memory"),
    "mem_reservation": _size("MemoryReservation"),
    "memswap_limit": _swap,
    "shm_size": _size("ShmSize", SHM),
    "cpus": _cpus,
    "cpu_shares": _of("CpuShares", SHARES),
    "cpuset": _of("CpusetCpus"),
    "pids_limit": _of("PidsLimit", -1),
    "oom_score_adj": _of("OomScoreAdj"),
    "oom_kill_disable": _of("OomKillDisable"),
    "device_cgroup_rules": _of("DeviceCgroupRules"),
    "logging": _logging,
    "runtime": _of("Runtime", "runc", "io.containerd.runc.v2"),
    "annotations": _annotations,
}
"""What reads each key of a definition from what an engine says (`docker inspect`), None where it is the default."""


def further(entry: Entry, seen: Seen) -> None:
    """Note the other words of a container."""
    for key, read in READERS.items():
        entry.put(key, read(seen))
