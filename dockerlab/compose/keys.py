"""What becomes of each key of a service: one table."""

from __future__ import annotations

from collections.abc import Mapping

MADE = (
    "build", "configs", "container_name", "cpus", "depends_on", "deploy", "dns", "dns_search", "env_file",
    "environment", "expose", "extends", "extra_hosts", "image", "ipc", "labels", "links", "mem_limit",
    "mem_reservation", "network_mode", "networks", "pid", "pids_limit", "ports", "profiles", "restart", "scale",
    "secrets", "sysctls", "volumes",
)  # fmt: skip
"""Keys that have a function of their own."""

PASSED = (
    "annotations", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "command", "cpu_shares", "cpuset", "devices",
    "device_cgroup_rules", "dns_opt", "domainname", "entrypoint", "group_add", "healthcheck",
    "hostname", "init", "logging", "mac_address", "memswap_limit", "oom_kill_disable", "oom_score_adj",
    "privileged", "read_only", "runtime", "security_opt", "shm_size", "stop_grace_period", "stop_signal", "tmpfs",
    "ulimits", "user", "userns_mode", "uts", "working_dir",
)  # fmt: skip
"""Keys that a container here has too, and that say the same in the same words."""

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
    "attach", "blkio_config", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period",
    "cpu_rt_runtime", "gpus", "label_file", "mem_swappiness", "platform", "pull_policy", "pull_refresh_after",
    "stdin_open", "storage_opt", "tty", "use_api_socket",
)  # fmt: skip
"""Keys that say nothing of networks, and that no container here gets."""

KNOWN = (*MADE, *PASSED, *NOTED, *WITHOUT)
