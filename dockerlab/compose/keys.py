"""What becomes of each key of a service: one table."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.lab.container import Container

MADE = (
    "container_name", "cpus", "deploy", "depends_on", "dns", "environment", "env_file", "expose", "extends",
    "extra_hosts", "healthcheck", "image", "network_mode", "networks", "ports", "profiles", "scale", "sysctls", "volumes",
    "secrets", "configs", "labels", "links", "build",
)  # fmt: skip
"""Keys that have a function of their own."""

PASSED: Mapping[str, str] = {
    key: key
    for key in (
        "annotations", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "command", "cpu_shares", "cpuset", "devices",
        "device_cgroup_rules", "dns_opt", "dns_search", "domainname", "entrypoint", "group_add", "hostname", "init", "ipc",
        "logging", "mac_address", "mem_limit", "mem_reservation", "memswap_limit", "oom_kill_disable", "oom_score_adj",
        "pid", "pids_limit", "privileged", "read_only", "restart", "runtime", "security_opt", "shm_size", "stop_grace_period",
        "stop_signal", "tmpfs", "ulimits", "user", "userns_mode", "uts", "working_dir",
    )
}  # fmt: skip
"""Keys of a service, and a container's that say the same in the same words."""

NOTED: Mapping[str, str] = {
    "credential_spec": "for Windows alone",
    "develop": "for `docker compose watch` alone",
    "external_links": "names of containers of elsewhere: they are not known here",
    "isolation": "for Windows alone",
    "models": "AI models are no containers",
    "post_start": "commands that Compose runs itself once a container runs: they are not run",
    "pre_stop": "commands that Compose runs itself before a container stops: they are not run",
    "provider": "Compose's own plugins are not asked",
    "volumes_from": "volumes of other containers are not mounted",
}
"""Keys without a meaning here, and why."""

WITHOUT = (
    "attach", "blkio_config", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime",
    "gpus", "label_file", "mem_swappiness", "platform", "pull_policy", "pull_refresh_after", "stdin_open", "storage_opt",
    "tty", "use_api_socket",
)  # fmt: skip
"""Keys that say nothing of networks, and that no container here gets."""

KNOWN = (*MADE, *PASSED, *NOTED, *WITHOUT)


def ours(key: str) -> str | None:
    """Return the key of a container under which a definition has what a service's key says; None where it has none."""
    found = PASSED.get(key, key)
    return found if found in Container.model_fields else None
