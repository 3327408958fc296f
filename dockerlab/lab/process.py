"""How a container runs, beside its networks: Compose's keys for what `docker run` takes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from dockerlab.lab.fields import ContainerName, Strict, Text, TextMap, Texts
from dockerlab.lab.giving_way import line_of
from dockerlab.lab.mounts import MountLine
from dockerlab.lab.problem import shown
from dockerlab.lab.quantities import Duration, Size

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]

RESTART = re.compile(r"no|always|unless-stopped|on-failure(:[0-9]{1,6})?")
MAC = r"^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$"
Mac = Annotated[Text, StringConstraints(pattern=MAC)]
"""A MAC address, as in 02:42:ac:11:00:02."""


def _restart(value: Any) -> Any:
    """Return the policy; YAML takes a bare `no` for false."""
    text = "no" if value is False else value
    if text is None or (isinstance(text, str) and RESTART.fullmatch(text)):
        return text
    raise ValueError(
        f"{shown(value)} is no restart policy: write no, always, unless-stopped, on-failure or on-failure:3"
    )


def _test(value: Any) -> Any:
    """Return a healthcheck's line as the list that it stands for."""
    if isinstance(value, str):
        return ["CMD-SHELL", value]
    if isinstance(value, (list, tuple)) and value and value[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise ValueError(f"{shown(value[0])} is no way to look: a list begins with CMD, CMD-SHELL or NONE")
    return value


def _limit(value: Any) -> Any:
    return {"soft": value, "hard": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _dependencies(value: Any) -> Any:
    """Return Compose's list of names as the mapping that it stands for."""
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value) or len(set(value)) < len(value):
            raise ValueError("a list here holds names of containers, each once")
        return {item: {} for item in value}
    if isinstance(value, dict):
        return {key: {} if item is None else item for key, item in value.items()}
    return value


def service(value: Any) -> Any:
    """Return Compose's `service:NAME` as `container:NAME`, which is the engine's word."""
    return (
        f"container:{value.removeprefix('service:')}" if isinstance(value, str) and value[:8] == "service:" else value
    )


def _device(value: Any) -> Any:
    """Return Compose's long form of a device as the short one."""
    if isinstance(value, dict) and set(value) <= {"source", "target", "permissions"} and "source" in value:
        parts = [value["source"], value.get("target", value["source"]), value.get("permissions", "rwm")]
        return ":".join(map(str, parts))
    return value


def _files(value: Any) -> Any:
    """Return paths of files; Compose's long form has the path and says whether it has to be there."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [item["path"] if isinstance(item, dict) and set(item) == {"path"} else item for item in value]
    return value


TestLine = Annotated[tuple[Text, ...], BeforeValidator(_test, json_schema_input_type=str | list[Text])]


class Limit(Strict):
    """A limit of the kernel: what it is, and how far a process may raise it."""

    soft: int = Field(ge=-1, description="what counts at first; -1 is no limit", examples=[1024])
    hard: int = Field(ge=-1, description="how far it may be raised", examples=[4096])


class Healthcheck(Strict):
    """How the engine finds out whether a container is well."""

    test: TestLine = Field(
        (),
        description="a line for the container's shell, or `[CMD, …]` as words, to which a shell gives way (`exec`); "
        "`[NONE]` takes the image's away",
        examples=["nc -z 127.0.0.1 80", ["CMD", "nc", "-z", "127.0.0.1", "80"]],
    )
    interval: Duration | None = Field(None, description="how long it waits between two looks", examples=["30s"])
    timeout: Duration | None = Field(None, description="how long a look may take", examples=["5s"])
    retries: int | None = Field(None, ge=0, description="how many looks have to fail", examples=[3])
    start_period: Duration | None = Field(
        None, description="for how long after the start a failure does not count", examples=["10s"]
    )
    start_interval: Duration | None = Field(
        None, description="how long it waits between two looks during that time", examples=["1s"]
    )
    disable: bool = Field(False, description="takes the image's own away", examples=[True])

    @property
    def off(self) -> bool:
        """Tell whether the image's own is taken away."""
        return self.disable or self.test[:1] == ("NONE",)

    @property
    def line(self) -> str:
        """Return what the container's shell is given, empty where the image's own counts."""
        head, rest = self.test[:1], self.test[1:]
        if self.off or not head:
            return ""
        return " ".join(rest) if head == ("CMD-SHELL",) else line_of(rest) if head == ("CMD",) else ""


class Dependency(Strict):
    """What a container waits for before it is made."""

    condition: Condition = Field(
        "service_started",
        description="made (service_started), well by its healthcheck (service_healthy), or ended with exit code 0",
        examples=["service_healthy"],
    )
    restart: bool = Field(False, description="accepted as in Compose; without effect", examples=[True])
    required: bool = Field(True, description="accepted as in Compose; what is named has to be there", examples=[True])


class Logging(Strict):
    """Where the engine writes what a container says."""

    driver: Text | None = Field(None, description="the driver", examples=["json-file"])
    options: TextMap = Field(default_factory=dict, description="its options", examples=[{"max-size": "1m"}])


Restart = Annotated[Text | None, BeforeValidator(_restart, json_schema_input_type=str | bool | None)]
Limits = dict[Text, Annotated[Limit, BeforeValidator(_limit, json_schema_input_type=int | Limit)]]
Dependencies = Annotated[
    dict[ContainerName, Dependency],
    BeforeValidator(_dependencies, json_schema_input_type=dict[ContainerName, Dependency | None] | list[str]),
]
Joining = Annotated[Text | None, BeforeValidator(service, json_schema_input_type=str | None)]
Devices = tuple[Annotated[Text, BeforeValidator(_device, json_schema_input_type=str | dict[str, str])], ...]


EnvFiles = Annotated[tuple[Text, ...], BeforeValidator(_files, json_schema_input_type=str | list[str | dict[str, Any]])]


class Process(Strict):
    """How a container runs: what it sees, what it may do, how much it gets, and when it starts and ends."""

    domainname: Text | None = Field(None, description="the domain of its name for itself", examples=["lab.example"])
    working_dir: Text | None = Field(None, description="where its process begins", examples=["/srv"])
    env_file: EnvFiles = Field(
        (),
        description="files of environment variables, beside the definition; their values stand in no command",
        examples=["web.env"],
    )
    volumes: tuple[MountLine, ...] = Field(
        (),
        description="volumes, and paths of the host: `SOURCE:TARGET[:ro]`",
        examples=[["site:/www", "/srv/conf:/conf:ro"]],
    )
    tmpfs: Texts = Field((), description="directories in memory", examples=["/run", ["/run:size=64m"]])
    restart: Restart = Field(
        None, description="when the engine starts it again after it has ended", examples=["unless-stopped"]
    )
    depends_on: Dependencies = Field(
        default_factory=dict,
        description="containers that are made before it, and what is waited for",
        examples=[["db"], {"db": {"condition": "service_healthy"}}],
    )
    healthcheck: Healthcheck | None = Field(
        None, description="how the engine finds out whether it is well", examples=[{"test": "nc -z 127.0.0.1 80"}]
    )
    init: bool | None = Field(
        None, description="whether a small init is process 1 and collects what its children leave", examples=[True]
    )
    privileged: bool = Field(False, description="whether it may do what the host's root may", examples=[True])
    read_only: bool = Field(False, description="whether its own file system cannot be changed", examples=[True])
    devices: Devices = Field(
        (), description="devices of the host, `HOST[:CONTAINER[:rwm]]`", examples=[["/dev/net/tun"]]
    )
    security_opt: Texts = Field(
        (), description="settings of the kernel's security modules", examples=[["no-new-privileges"]]
    )
    group_add: Texts = Field((), description="further groups of its user", examples=[["daemon", 1000]])
    pid: Joining = Field(
        None, description="whose processes it sees: host, or container:NAME", examples=["host", "container:web"]
    )
    ipc: Joining = Field(
        None, description="with whom it shares memory: none, private, shareable, host, or container:NAME",
        examples=["shareable"],
    )  # fmt: skip
    uts: Literal["host"] | None = Field(None, description="host: it has the host's name", examples=["host"])
    userns_mode: Literal["host"] | None = Field(
        None, description="host: without the user namespace that the engine gives by its settings", examples=["host"]
    )
    cgroup: Literal["host", "private"] | None = Field(
        None, description="whose control groups it sees", examples=["private"]
    )
    cgroup_parent: Text | None = Field(None, description="the control group above its own", examples=["labs.slice"])
    stop_signal: Text | None = Field(None, description="the signal that ends it", examples=["SIGINT"])
    stop_grace_period: Duration | None = Field(
        None, description="how long it has to end before it is killed", examples=["2s"]
    )
    ulimits: Limits = Field(
        default_factory=dict,
        description="limits of its processes",
        examples=[{"nofile": 1024}, {"nproc": {"soft": 64, "hard": 128}}],
    )
    mem_limit: Size | None = Field(None, description="how much memory it gets at most", examples=["64m"])
    mem_reservation: Size | None = Field(
        None, description="what it is pressed down to where memory is short", examples=["32m"]
    )
    memswap_limit: Size | None = Field(None, description="memory and swap together; -1 is no limit", examples=["128m"])
    shm_size: Size | None = Field(None, description="how much /dev/shm holds", examples=["64m"])
    cpus: float | None = Field(None, gt=0, description="how much of the processors it gets", examples=[0.5])
    cpu_shares: int | None = Field(None, ge=0, description="its weight where processors are short", examples=[512])
    cpuset: Text | None = Field(None, description="the processors that it runs on", examples=["0-1"])
    pids_limit: int | None = Field(None, ge=-1, description="how many processes it may have", examples=[100])
    oom_score_adj: int | None = Field(
        None, ge=-1000, le=1000, description="how early the kernel kills it for memory", examples=[500]
    )
    oom_kill_disable: bool = Field(False, description="whether the kernel spares it then", examples=[True])
    device_cgroup_rules: Texts = Field((), description="kinds of devices that it may use", examples=["c 10:200 rwm"])
    logging: Logging | None = Field(
        None, description="where the engine writes what it says", examples=[{"driver": "json-file"}]
    )
    runtime: Text | None = Field(None, description="the engine's program that starts it", examples=["runc"])
    annotations: TextMap = Field(
        default_factory=dict, description="notes for the runtime", examples=[{"com.example.role": "web"}]
    )
