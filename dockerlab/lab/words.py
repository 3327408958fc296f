"""The words of `docker run`, one row each: the key of a definition, the flag, its reason, and which engines know it.

Who writes commands, who reads what an engine shows of a container, and who refuses an engine that is too old go by
these rows and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockerlab.lab import given, shown
from dockerlab.lab.container import Container
from dockerlab.lab.given import Given
from dockerlab.lab.shown import Read, Shown


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


WORDS: tuple[Word, ...] = (
    Word(
        "hostname", "--hostname", "its own name for itself", given.one("hostname"),
        shown=shown.config("Hostname"), own=True
    ),
    Word(
        "domainname", "--domainname", "the domain of its name for itself", given.one("domainname"),
        shown=shown.config("Domainname"), own=True,
    ),
    Word("mac_address", "--mac-address", "its MAC address on its first network", given.mac),
    Word("user", "--user", "not root inside", given.one("user"), shown=shown.config("User"), own=True),
    Word(
        "working_dir", "--workdir", "where its process begins", given.one("working_dir"),
        shown=shown.config("WorkingDir"),
        own=True,
    ),
    Word("ports", "--publish", "dropped with a warning: host mode has nothing to translate", given.ports(host=True)),
    Word(
        "ports", "--publish", "a port of the host that leads to a port of the container (DNAT)", given.ports(host=False)
    ),
    Word(
        "dns", "--dns", "the DNS server for names that Docker does not know", given.every("dns"),
        shown=shown.host("Dns"), own=True
    ),
    Word(
        "dns_search", "--dns-search", "tried behind a name without a dot", given.every("dns_search"),
        shown=shown.host("DnsSearch"), own=True,
    ),
    Word(
        "dns_opt", "--dns-option", "an option of the resolver", given.every("dns_opt"),
        shown=shown.host("DnsOptions"), own=True
    ),
    Word(
        "extra_hosts", "--add-host", "a line of /etc/hosts", given.pairs("extra_hosts", ":"),
        shown=shown.host("ExtraHosts")
    ),
    Word(
        "cap_add", "--cap-add", "a right that containers do not have by default", given.every("cap_add"),
        shown=lambda there: given.bare(shown.host("CapAdd")(there)), wanted=lambda spec: given.bare(spec.cap_add),
    ),
    Word(
        "cap_drop", "--cap-drop", "a default right taken away", given.every("cap_drop"),
        shown=lambda there: given.bare(shown.host("CapDrop")(there)), wanted=lambda spec: given.bare(spec.cap_drop),
    ),
    Word(
        "sysctls", "--sysctl", "a kernel setting of its network namespace", given.pairs("sysctls"),
        shown=shown.host("Sysctls")
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
        "volumes", "--mount", "what it sees of other file systems", given.written(legacy=False),
        shown=shown.mounted, wanted=given.mounts,
    ),
    Word(
        "volumes", "--volume", "a path of the host; one that is not there is made, and stays",
        given.written(legacy=True),
    ),
    Word(
        "tmpfs", "--tmpfs", "a directory in memory: gone when it stops", given.every("tmpfs"),
        shown=shown.host("Tmpfs"),
        wanted=lambda spec: [given.tmpfs(each) for each in spec.tmpfs],
    ),
    Word(
        "restart", "--restart", "when the engine starts it again", given.one("restart"), shown=shown.restart,
        wanted=lambda spec: [each for each in given.one("restart")(spec) if each != "no"],
    ),
    Word("healthcheck", "--no-healthcheck", "the image's own is taken away",
         lambda spec: (True,) if spec.healthcheck is not None and spec.healthcheck.off else (),
        shown=shown.check_off, own=True),
    Word(
        "healthcheck", "--health-cmd", "well is where this ends with 0", given.check("line"),
        shown=shown.check_line, own=True
    ),
    Word(
        "healthcheck", "--health-interval", "between two looks", given.check("interval"),
        shown=shown.check("Interval"), wanted=given.check_time("interval"), own=True,
    ),
    Word(
        "healthcheck", "--health-timeout", "how long a look may take", given.check("timeout"),
        shown=shown.check("Timeout"), wanted=given.check_time("timeout"), own=True,
    ),
    Word(
        "healthcheck", "--health-retries", "how many looks have to fail", given.check("retries"),
        shown=shown.check("Retries"), own=True,
    ),
    Word(
        "healthcheck", "--health-start-period", "while it starts, a failure does not count",
        given.check("start_period"),
        shown=shown.check("StartPeriod"), wanted=given.check_time("start_period"), own=True,
    ),
    Word(
        "healthcheck", "--health-start-interval", "between two looks while it starts", given.check("start_interval"),
        "start_interval", shown.check("StartInterval"), given.check_time("start_interval"), own=True,
    ),
    Word(
        "init", "--init", "process 1 collects what its children leave", given.one("init"),
        shown=shown.host("Init"), own=True
    ),
    Word(
        "privileged", "--privileged", "it may do what the host's root may", given.one("privileged"),
        shown=shown.host("Privileged"),
    ),
    Word(
        "read_only", "--read-only", "its own file system cannot be changed", given.one("read_only"),
        shown=shown.host("ReadonlyRootfs"),
    ),
    Word(
        "devices", "--device", "a device of the host", given.every("devices"), shown=shown.devices,
        wanted=lambda spec: [given.device(each) for each in spec.devices],
    ),
    Word(
        "device_cgroup_rules", "--device-cgroup-rule", "a kind of devices that it may use",
        given.every("device_cgroup_rules"), shown=shown.host("DeviceCgroupRules"),
    ),
    Word(
        "security_opt", "--security-opt", "a setting of the kernel's security modules", given.every("security_opt"),
        shown=lambda there: given.security(shown.host("SecurityOpt")(there)),
        wanted=lambda spec: given.security(spec.security_opt),
    ),
    Word(
        "group_add", "--group-add", "a further group of its user", given.every("group_add"),
        shown=shown.host("GroupAdd")
    ),
    Word("pid", "--pid", "whose processes it sees", given.one("pid")),
    Word("ipc", "--ipc", "with whom it shares memory", given.one("ipc")),
    Word("uts", "--uts", "it has the host's name", given.one("uts"), shown=shown.host("UTSMode")),
    Word(
        "userns_mode", "--userns", "without a user namespace of its own", given.one("userns_mode"),
        shown=shown.host("UsernsMode"),
    ),
    Word(
        "cgroup", "--cgroupns", "whose control groups it sees", given.one("cgroup"),
        shown=shown.host("CgroupnsMode"), own=True
    ),
    Word(
        "cgroup_parent", "--cgroup-parent", "the control group above its own", given.one("cgroup_parent"),
        shown=shown.host("CgroupParent"),
    ),
    Word(
        "stop_signal", "--stop-signal", "the signal that ends it", given.one("stop_signal"),
        shown=shown.config("StopSignal"),
        own=True,
    ),
    Word(
        "stop_grace_period", "--stop-timeout", "how many seconds it has to end before it is killed", given.stop,
        shown=shown.config("StopTimeout"), own=True,
    ),
    Word(
        "ulimits", "--ulimit", "a limit of its processes",
        lambda spec: [f"{name}={limit.soft}:{limit.hard}" for name, limit in spec.ulimits.items()],
        shown=shown.ulimits, own=True,
    ),
    Word(
        "mem_limit", "--memory", "how much memory it gets at most", given.one("mem_limit"), shown=shown.host("Memory"),
        wanted=given.in_bytes("mem_limit"),
    ),
    Word(
        "mem_reservation", "--memory-reservation", "what it is pressed down to where memory is short",
        given.one("mem_reservation"), shown=shown.host("MemoryReservation"), wanted=given.in_bytes("mem_reservation"),
    ),
    Word(
        "memswap_limit", "--memory-swap", "memory and swap together", given.one("memswap_limit"),
        shown=shown.host("MemorySwap"), wanted=given.in_bytes("memswap_limit"), own=True,
    ),
    Word(
        "shm_size", "--shm-size", "how much /dev/shm holds", given.one("shm_size"), shown=shown.host("ShmSize"),
        wanted=given.in_bytes("shm_size"), own=True,
    ),
    Word(
        "cpus", "--cpus", "how much of the processors it gets", given.one("cpus"), shown=shown.host("NanoCpus"),
        wanted=lambda spec: () if spec.cpus is None else (round(spec.cpus * 10**9),),
    ),
    Word(
        "cpu_shares", "--cpu-shares", "its weight where processors are short", given.one("cpu_shares"),
        shown=shown.host("CpuShares"),
    ),
    Word(
        "cpuset", "--cpuset-cpus", "the processors that it runs on", given.one("cpuset"),
        shown=shown.host("CpusetCpus"),
    ),
    Word(
        "pids_limit", "--pids-limit", "how many processes it may have", given.one("pids_limit"),
        shown=shown.host("PidsLimit"), own=True,
    ),
    Word(
        "oom_score_adj", "--oom-score-adj", "how early the kernel kills it for memory", given.one("oom_score_adj"),
        shown=shown.host("OomScoreAdj"), own=True,
    ),
    Word("oom_kill_disable", "--oom-kill-disable", "the kernel spares it then", given.one("oom_kill_disable"),
        shown=shown.host("OomKillDisable"), own=True),
    Word(
        "logging", "--log-driver", "where the engine writes what it says",
        lambda spec: [driver] if (driver := given.logged(spec).driver) else [],
        shown=lambda there: shown.listed((there.get("HostConfig", {}).get("LogConfig") or {}).get("Type")), own=True,
    ),
    Word(
        "logging", "--log-opt", "an option of that",
        lambda spec: [f"{name}={value}" for name, value in given.logged(spec).options.items()],
        shown=lambda there: shown.listed((there.get("HostConfig", {}).get("LogConfig") or {}).get("Config")), own=True,
    ),
    Word(
        "runtime", "--runtime", "the engine's program that starts it", given.one("runtime"),
        shown=shown.host("Runtime",
    ),
        own=True),
    Word(
        "annotations", "--annotation", "a note for the runtime", given.pairs("annotations"), "annotations",
        shown.host("Annotations"),
    ),
)  # fmt: skip
"""Every flag of `docker run` that a definition has a key for, in the order in which they are written."""
