"""The words of `docker run`, one row each: the key of a definition, the flag, its reason, and which engines know it.

Who writes commands, who reads what an engine shows of a container, and who refuses an engine that is too old go by
these rows and no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockerlab.lab.container import Container
from dockerlab.lab.process import Healthcheck, Logging
from dockerlab.lab.quantities import bytes_of, nanoseconds_of

Shown = Mapping[str, Any]
"""What `docker inspect` prints of one container: `Config`, `HostConfig` and `Mounts` count here."""
Given = Callable[[Container], Iterable[object]]
Read = Callable[[Shown], Iterable[object]]


@dataclass(frozen=True)
class Word:
    """One flag of `docker run`.

    `given` are its values in the order in which they are written, one for each time that it is; True is the flag alone.
    `why` is its reason. `since` is its name in `versions.SINCE`, empty where every engine knows it.

    `shown` is what an engine shows of it, in the words of `wanted`, which by default are the values themselves; None
    where it shows nothing. `own` is what it shows where nobody has said anything: an image, or the engine's settings,
    may have said so, and then it counts only where the definition says otherwise.
    """

    key: str
    flag: str
    why: str
    given: Given
    since: str = ""
    shown: Read | None = None
    wanted: Given | None = None
    own: bool = False

    def values(self, spec: Container) -> tuple[object, ...]:
        """Return what is written of a container, a value for each time that the flag is."""
        return tuple(self.given(spec))

    def unlike(self, spec: Container, there: Shown) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Return what an engine shows and what is wanted where the two differ, in any order; else None."""
        if self.shown is None:
            return None
        wanted = sorted(str(value) for value in (self.wanted or self.given)(spec))
        has = sorted(str(value) for value in self.shown(there))
        if has == wanted or (self.own and not wanted):
            return None
        return tuple(has), tuple(wanted)


def words_of(spec: Container) -> Iterator[tuple[Word, object]]:
    """Yield what is written of a container, flag by flag."""
    for word in WORDS:
        for value in word.values(spec):
            yield word, value


def _one(key: str) -> Given:
    """Return how the value of a key is given, once or not at all."""

    def given(spec: Container) -> Iterable[object]:
        value = getattr(spec, key)
        return () if value is None or value is False else (value,)

    return given


def _all(key: str) -> Given:
    """Return how each of a key's values is given."""

    def given(spec: Container) -> Iterable[object]:
        values: Sequence[object] = getattr(spec, key)
        return values

    return given


def _pairs(key: str, between: str = "=") -> Given:
    """Return how each pair of a key's mapping is given."""

    def given(spec: Container) -> Iterable[object]:
        pairs: Mapping[str, object] = getattr(spec, key)
        return tuple(f"{name}{between}{value}" for name, value in pairs.items())

    return given


def _size(key: str) -> Given:
    """Return a size in bytes, as an engine shows it."""

    def wanted(spec: Container) -> Iterable[object]:
        value: str | None = getattr(spec, key)
        return () if value is None else (bytes_of(value),)

    return wanted


def _config(key: str) -> Read:
    """Return how a value of `Config` is read; what is empty is not there."""
    return lambda there: _listed(there.get("Config", {}).get(key))


def _host(key: str, *but: object) -> Read:
    """Return how a value of `HostConfig` is read; what is empty, or one of `but`, is not there."""
    return lambda there: [each for each in _listed(there.get("HostConfig", {}).get(key)) if each not in but]


def _listed(value: Any) -> list[object]:
    if isinstance(value, dict):
        return [f"{name}={text}" for name, text in value.items()]
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value] if value else []


def _health(key: str) -> Given:
    """Return how one key of the healthcheck is given."""

    def given(spec: Container) -> Iterable[object]:
        check = spec.healthcheck or Healthcheck()
        value = None if check.off else getattr(check, key)
        return () if value is None or value == "" else (value,)

    return given


def _health_time(key: str) -> Given:
    """Return a time of the healthcheck in nanoseconds, as an engine shows it."""
    return lambda spec: [nanoseconds_of(str(value)) for value in _health(key)(spec)]


def _health_shown(key: str) -> Read:
    """Return how one value of the healthcheck is read."""
    return lambda there: _listed((there.get("Config", {}).get("Healthcheck") or {}).get(key))


def _health_line(there: Shown) -> Iterable[object]:
    test = (there.get("Config", {}).get("Healthcheck") or {}).get("Test") or []
    return test[1:] if test[:1] == ["CMD-SHELL"] else ()


def _health_off(there: Shown) -> Iterable[object]:
    test = (there.get("Config", {}).get("Healthcheck") or {}).get("Test") or []
    return (True,) if test == ["NONE"] else ()


def _restart(there: Shown) -> Iterable[object]:
    policy = there.get("HostConfig", {}).get("RestartPolicy") or {}
    name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return () if name == "no" else (f"{name}:{most}" if most else name,)


def _device(text: str) -> str:
    """Return a device with all three parts, as an engine shows it."""
    parts = text.split(":")
    if len(parts) == 2 and set(parts[1]) <= set("rwm"):
        parts = [parts[0], parts[0], parts[1]]
    return ":".join([*parts, *[parts[0], "rwm"][len(parts) - 1 :]])


def _devices(there: Shown) -> Iterable[object]:
    found = there.get("HostConfig", {}).get("Devices") or ()
    return [":".join((d["PathOnHost"], d["PathInContainer"], d["CgroupPermissions"])) for d in found]


def _ulimits(there: Shown) -> Iterable[object]:
    found = there.get("HostConfig", {}).get("Ulimits") or ()
    return [f"{each['Name']}={each['Soft']}:{each['Hard']}" for each in found]


def _tmpfs(text: str) -> str:
    path, _, options = text.partition(":")
    return f"{path}={options}"


def _mounted(there: Shown) -> Iterable[object]:
    """Return the mounts with a source, and those in memory: kind, target, source, and whether it can be written to.

    A volume without a name of its own has one of 64 digits: it is not told from one that the image has asked for.
    """
    found = []
    for each in there.get("Mounts") or ():
        source = each.get("Source") if each["Type"] == "bind" else each.get("Name") or ""
        if each["Type"] != "volume" or not re.fullmatch("[0-9a-f]{64}", source):
            found.append(f"{each['Type']} {each['Destination']} {source} {each['RW']}")
    return found


def _mounts(spec: Container) -> Iterable[object]:
    """Return the mounts as `_mounted` reads them."""
    own = (each for each in spec.volumes if each.source is not None or each.type == "tmpfs")
    return [f"{each.type} {each.target.rstrip('/')} {each.source or ''} {not each.read_only}" for each in own]


def _bare(rights: Iterable[object]) -> Iterable[object]:
    """Return rights without the `CAP_` that some engines put before them."""
    return [str(right).upper().removeprefix("CAP_") for right in rights]


def _security(options: Iterable[object]) -> Iterable[object]:
    """Return options as they were given: an engine shows a profile's text, and adds one by itself."""
    return [each for each in options if not str(each).startswith(("seccomp", "label"))]


def _written(*, legacy: bool) -> Given:
    """Return the mounts that `--volume` or `--mount` can say."""
    return lambda spec: [each.text for each in spec.volumes if each.legacy == legacy]


def _ports(*, host: bool) -> Given:
    return lambda spec: spec.ports if (spec.mode == "host") == host else ()


def _mac(spec: Container) -> Iterable[object]:
    mac = spec.place(spec.mode).mac_address
    return () if mac is None else (mac,)


def _log(spec: Container) -> Logging:
    return spec.logging or Logging()


def _stop(spec: Container) -> Iterable[object]:
    """Return the seconds of the stop's grace, rounded up: the engine knows none of less."""
    grace = spec.stop_grace_period
    return () if grace is None else (-(-nanoseconds_of(grace) // 10**9),)


WORDS: tuple[Word, ...] = (
    Word(
        "hostname", "--hostname", "its own name for itself", _one("hostname"), shown=_config("Hostname"), own=True
    ),
    Word(
        "domainname", "--domainname", "the domain of its name for itself", _one("domainname"),
        shown=_config("Domainname"), own=True,
    ),
    Word("mac_address", "--mac-address", "its MAC address on its first network", _mac),
    Word("user", "--user", "not root inside", _one("user"), shown=_config("User"), own=True),
    Word(
        "working_dir", "--workdir", "where its process begins", _one("working_dir"), shown=_config("WorkingDir"),
        own=True,
    ),
    Word("ports", "--publish", "dropped with a warning: host mode has nothing to translate", _ports(host=True)),
    Word(
        "ports", "--publish", "a port of the host that leads to a port of the container (DNAT)", _ports(host=False)
    ),
    Word(
        "dns", "--dns", "the DNS server for names that Docker does not know", _all("dns"), shown=_host("Dns"), own=True
    ),
    Word(
        "dns_search", "--dns-search", "tried behind a name without a dot", _all("dns_search"),
        shown=_host("DnsSearch"), own=True,
    ),
    Word(
        "dns_opt", "--dns-option", "an option of the resolver", _all("dns_opt"), shown=_host("DnsOptions"), own=True
    ),
    Word(
        "extra_hosts", "--add-host", "a line of /etc/hosts", _pairs("extra_hosts", ":"), shown=_host("ExtraHosts")
    ),
    Word(
        "cap_add", "--cap-add", "a right that containers do not have by default", _all("cap_add"),
        shown=lambda there: _bare(_host("CapAdd")(there)), wanted=lambda spec: _bare(spec.cap_add),
    ),
    Word(
        "cap_drop", "--cap-drop", "a default right taken away", _all("cap_drop"),
        shown=lambda there: _bare(_host("CapDrop")(there)), wanted=lambda spec: _bare(spec.cap_drop),
    ),
    Word(
        "sysctls", "--sysctl", "a kernel setting of its network namespace", _pairs("sysctls"), shown=_host("Sysctls")
    ),
    Word(
        "environment", "--env",
        "from the environment in which this is run: the value stands in no file and no command",
        lambda spec: spec.handed_over,
    ),
    Word(
        "environment", "--env", "read by the processes inside",
        lambda spec: [f"{name}={value}" for name, value in spec.environment.items() if value is not None],
    ),
    Word(
        "volumes", "--mount", "what it sees of other file systems", _written(legacy=False),
        shown=_mounted, wanted=_mounts,
    ),
    Word("volumes", "--volume", "a path of the host; one that is not there is made, and stays", _written(legacy=True)),
    Word(
        "tmpfs", "--tmpfs", "a directory in memory: gone when it stops", _all("tmpfs"), shown=_host("Tmpfs"),
        wanted=lambda spec: [_tmpfs(each) for each in spec.tmpfs],
    ),
    Word(
        "restart", "--restart", "when the engine starts it again", _one("restart"), shown=_restart,
        wanted=lambda spec: [each for each in _one("restart")(spec) if each != "no"],
    ),
    Word("healthcheck", "--no-healthcheck", "the image's own is taken away",
         lambda spec: (True,) if spec.healthcheck is not None and spec.healthcheck.off else (),
         shown=_health_off, own=True),
    Word(
        "healthcheck", "--health-cmd", "well is where this ends with 0", _health("line"), shown=_health_line, own=True
    ),
    Word(
        "healthcheck", "--health-interval", "between two looks", _health("interval"),
        shown=_health_shown("Interval"), wanted=_health_time("interval"), own=True,
    ),
    Word(
        "healthcheck", "--health-timeout", "how long a look may take", _health("timeout"),
        shown=_health_shown("Timeout"), wanted=_health_time("timeout"), own=True,
    ),
    Word(
        "healthcheck", "--health-retries", "how many looks have to fail", _health("retries"),
        shown=_health_shown("Retries"), own=True,
    ),
    Word(
        "healthcheck", "--health-start-period", "while it starts, a failure does not count", _health("start_period"),
        shown=_health_shown("StartPeriod"), wanted=_health_time("start_period"), own=True,
    ),
    Word(
        "healthcheck", "--health-start-interval", "between two looks while it starts", _health("start_interval"),
        "start_interval", _health_shown("StartInterval"), _health_time("start_interval"), own=True,
    ),
    Word(
        "init", "--init", "process 1 collects what its children leave", _one("init"), shown=_host("Init"), own=True
    ),
    Word(
        "privileged", "--privileged", "it may do what the host's root may", _one("privileged"),
        shown=_host("Privileged"),
    ),
    Word(
        "read_only", "--read-only", "its own file system cannot be changed", _one("read_only"),
        shown=_host("ReadonlyRootfs"),
    ),
    Word(
        "devices", "--device", "a device of the host", _all("devices"), shown=_devices,
        wanted=lambda spec: [_device(each) for each in spec.devices],
    ),
    Word(
        "device_cgroup_rules", "--device-cgroup-rule", "a kind of devices that it may use",
        _all("device_cgroup_rules"), shown=_host("DeviceCgroupRules"),
    ),
    Word(
        "security_opt", "--security-opt", "a setting of the kernel's security modules", _all("security_opt"),
        shown=lambda there: _security(_host("SecurityOpt")(there)), wanted=lambda spec: _security(spec.security_opt),
    ),
    Word(
        "group_add", "--group-add", "a further group of its user", _all("group_add"), shown=_host("GroupAdd")
    ),
    Word("pid", "--pid", "whose processes it sees", _one("pid")),
    Word("ipc", "--ipc", "with whom it shares memory", _one("ipc")),
    Word("uts", "--uts", "it has the host's name", _one("uts"), shown=_host("UTSMode")),
    Word(
        "userns_mode", "--userns", "without a user namespace of its own", _one("userns_mode"),
        shown=_host("UsernsMode"),
    ),
    Word(
        "cgroup", "--cgroupns", "whose control groups it sees", _one("cgroup"), shown=_host("CgroupnsMode"), own=True
    ),
    Word(
        "cgroup_parent", "--cgroup-parent", "the control group above its own", _one("cgroup_parent"),
        shown=_host("CgroupParent"),
    ),
    Word(
        "stop_signal", "--stop-signal", "the signal that ends it", _one("stop_signal"), shown=_config("StopSignal"),
        own=True,
    ),
    Word(
        "stop_grace_period", "--stop-timeout", "how many seconds it has to end before it is killed", _stop,
        shown=_config("StopTimeout"), own=True,
    ),
    Word(
        "ulimits", "--ulimit", "a limit of its processes",
        lambda spec: [f"{name}={limit.soft}:{limit.hard}" for name, limit in spec.ulimits.items()],
        shown=_ulimits, own=True,
    ),
    Word(
        "mem_limit", "--memory", "how much memory it gets at most", _one("mem_limit"), shown=_host("Memory"),
        wanted=_size("mem_limit"),
    ),
    Word(
        "mem_reservation", "--memory-reservation", "what it is pressed down to where memory is short",
        _one("mem_reservation"), shown=_host("MemoryReservation"), wanted=_size("mem_reservation"),
    ),
    Word(
        "memswap_limit", "--memory-swap", "memory and swap together", _one("memswap_limit"),
        shown=_host("MemorySwap"), wanted=_size("memswap_limit"), own=True,
    ),
    Word(
        "shm_size", "--shm-size", "how much /dev/shm holds", _one("shm_size"), shown=_host("ShmSize"),
        wanted=_size("shm_size"), own=True,
    ),
    Word(
        "cpus", "--cpus", "how much of the processors it gets", _one("cpus"), shown=_host("NanoCpus"),
        wanted=lambda spec: () if spec.cpus is None else (round(spec.cpus * 10**9),),
    ),
    Word(
        "cpu_shares", "--cpu-shares", "its weight where processors are short", _one("cpu_shares"),
        shown=_host("CpuShares"),
    ),
    Word("cpuset", "--cpuset-cpus", "the processors that it runs on", _one("cpuset"), shown=_host("CpusetCpus")),
    Word(
        "pids_limit", "--pids-limit", "how many processes it may have", _one("pids_limit"),
        shown=_host("PidsLimit"), own=True,
    ),
    Word(
        "oom_score_adj", "--oom-score-adj", "how early the kernel kills it for memory", _one("oom_score_adj"),
        shown=_host("OomScoreAdj"), own=True,
    ),
    Word("oom_kill_disable", "--oom-kill-disable", "the kernel spares it then", _one("oom_kill_disable"),
         shown=_host("OomKillDisable"), own=True),
    Word(
        "logging", "--log-driver", "where the engine writes what it says",
        lambda spec: [driver] if (driver := _log(spec).driver) else [],
        shown=lambda there: _listed((there.get("HostConfig", {}).get("LogConfig") or {}).get("Type")), own=True,
    ),
    Word(
        "logging", "--log-opt", "an option of that",
        lambda spec: [f"{name}={value}" for name, value in _log(spec).options.items()],
        shown=lambda there: _listed((there.get("HostConfig", {}).get("LogConfig") or {}).get("Config")), own=True,
    ),
    Word("runtime", "--runtime", "the engine's program that starts it", _one("runtime"), shown=_host("Runtime"),
         own=True),
    Word(
        "annotations", "--annotation", "a note for the runtime", _pairs("annotations"), "annotations",
        _host("Annotations"),
    ),
)  # fmt: skip
"""Every flag of `docker run` that a definition has a key for, in the order in which they are written."""
