"""The commands that remedies consist of, in the form that a host understands."""

from __future__ import annotations

from dockerlab.doctor.condition import Condition
from dockerlab.facts import Facts
from dockerlab.finding import Argv, Remedy

INSTALL = {
    "apt-get": ("apt-get", "install"),
    "dnf": ("dnf", "install"),
    "yum": ("yum", "install"),
    "zypper": ("zypper", "install"),
    "apk": ("apk", "add"),
    "pacman": ("pacman", "-S"),
}
NAMES = {
    ("apt-get", "docker"): "docker.io",
    ("dnf", "docker"): "moby-engine",
    ("dnf", "iproute2"): "iproute",
    ("yum", "iproute2"): "iproute",
    ("pacman", "python3"): "python",
}
"""What a package is called where its name is another one."""


def as_root(facts: Facts | None, *argv: str) -> Argv:
    """Return a command that needs root, with sudo for somebody else."""
    return ("sudo", *argv) if facts is not None and facts.root is False else argv


def install(facts: Facts | None, condition: Condition, *packages: str) -> Remedy:
    """Return how packages are installed there; the machine's package manager decides what they are called."""
    manager = condition.packages
    if manager not in INSTALL or (manager == "yum" and "docker" in packages):
        return Remedy(words=f"install {' and '.join(packages)} with the machine's package manager")
    names = (NAMES.get((manager, package), package) for package in packages)
    return Remedy((as_root(facts, *INSTALL[manager], *names),))


def setting(facts: Facts | None, condition: Condition, name: str, value: str, before: str) -> Remedy:
    """Return how a setting of the kernel is changed, and changed back."""
    return Remedy((_write(facts, condition, name, value),), undo=(_write(facts, condition, name, before),))


def _write(facts: Facts | None, condition: Condition, name: str, value: str) -> Argv:
    if "sysctl" in condition.programs:
        return as_root(facts, "sysctl", "-w", f"{name}={value}")
    path = "/proc/sys/" + name.replace(".", "/")
    return as_root(facts, "sh", "-c", f"echo {value} >{path}")


def start_engine(facts: Facts | None, condition: Condition) -> Argv:
    """Return the command that starts the engine."""
    if condition.services == "sandbox":
        return ("rm", "-f", "/run/dockerlab/dockerd.stopped")
    return _service(facts, condition, "start")


def restart_engine(facts: Facts | None, condition: Condition) -> Argv:
    """Return the command that restarts the engine."""
    if condition.services == "sandbox":
        return ("sh", "-c", "kill $(cat /var/run/docker.pid)")
    return _service(facts, condition, "restart")


def _service(facts: Facts | None, condition: Condition, verb: str) -> Argv:
    if condition.services == "systemd":
        return as_root(facts, "systemctl", verb, "docker")
    return as_root(facts, "service", "docker", verb)
