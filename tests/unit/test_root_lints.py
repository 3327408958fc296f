"""What makes root in a container root on its host is pointed out, with its place; what does not is not."""

import pytest
from support.labs import lab

from dockerlab.lab.root_lints import root_on_the_host


def found(words):
    return [problem.path[2:] for problem in root_on_the_host(lab(f"containers: {{a: {{{words}}}}}"))]


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("privileged: true", [("privileged",)]),
        (
            "cap_add: [SYS_ADMIN, sys_module, CAP_SYS_RAWIO, ALL, NET_ADMIN, SYS_PTRACE]",
            [("cap_add", 0), ("cap_add", 1), ("cap_add", 2), ("cap_add", 3)],
        ),
        ("cap_add: [SYS_PTRACE], pid: host", [("cap_add", 0)]),
        ("cap_add: [CAP_NET_ADMIN], network_mode: host", [("cap_add", 0)]),
        ("volumes: ['/var/run/docker.sock:/run/docker.sock:ro']", [("volumes", 0)]),
        ("volumes: ['/srv:/srv', '/etc/:/host', '/:/all']", [("volumes", 1), ("volumes", 2)]),
        ("devices: [/dev/null, '/dev/sda:/dev/disk']", [("devices", 1)]),
    ],
)
def test_pointed_out(words, paths):
    """Rights, mounts and devices of that kind, in any spelling, alone or with a namespace of the host's."""
    assert found(words) == paths


@pytest.mark.parametrize(
    "words",
    [
        "cap_add: [NET_ADMIN, NET_RAW, SYS_PTRACE, SYS_NICE]",
        "pid: host",
        "network_mode: host",
        "volumes: ['/etc:/host:ro', '/srv/www:/www', '/etc/timezone:/etc/timezone']",
        "devices: [/dev/net/tun]",
    ],
)
def test_not_pointed_out(words):
    """What stays in the container, or lets it only read, is left alone."""
    assert found(words) == []


def test_what_is_said():
    """The host is named, and what the right is enough for."""
    (problem,) = root_on_the_host(lab("hosts: {vm7: local}\ncontainers: {a: {cap_add: [SYS_MODULE]}}"))
    assert problem.message == "that is root on host vm7: it loads code into the host's kernel"
