"""What is said about a machine that cannot hold the sandbox."""

from __future__ import annotations

import pytest

from dockerlab.sandbox.preflight import HOST_PROGRAMS, missing, root_problems, route_problems


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ({"dst": "192.168.22.0/24", "dev": "wlan0"}, "ip route delete 192.168.22.0/24 dev wlan0"),
        ({"dst": "192.168.0.0/16", "gateway": "10.0.0.1", "dev": "tun0"}, "192.168.0.0/16 via 10.0.0.1 dev tun0"),
        ({"dst": "192.168.22.62", "dev": "lo"}, "route 192.168.22.62 dev lo claims 192.168.22.0/24"),
        ({"dst": "203.0.113.10", "dev": "eth0", "table": "7"}, "claims 203.0.113.0/24"),
        ({"dst": "192.168.16.0/20", "type": "unreachable"}, "route 192.168.16.0/20 claims"),
    ],
)
def test_a_claiming_route_is_named_with_its_remedy(route, said):
    """Any overlap counts, wherever it points, and the message holds what to delete."""
    (problem,) = route_problems([route])
    assert said in problem


@pytest.mark.parametrize(
    "route",
    [
        {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"},
        {"dst": "128.0.0.0/1", "gateway": "10.8.0.1", "dev": "tun0"},
        {"dst": "192.168.23.0/24", "dev": "eth0"},
        {"dst": "10.0.0.0/8", "dev": "eth0"},
        {"dst": "192.168.22.0/24", "dev": "dockerlab-ctl"},
        {"dst": "192.168.22.255", "dev": "eth0", "type": "broadcast"},
    ],
)
def test_other_routes_are_no_problem(route):
    """Default routes, a VPN's halves of the world, neighbours and the sandbox's own link claim nothing."""
    assert route_problems([route]) == []


def test_missing_programs_come_with_the_line_that_installs_them(tmp_path):
    """A root file system without programs: each is listed, with one command for that very root file system."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").touch()
    (tmp_path / "usr/sbin").mkdir(parents=True)
    for program in HOST_PROGRAMS.keys() - {"sshd", "ping"}:
        (tmp_path / "usr/sbin" / program).symlink_to("/etc/alternatives/nowhere-outside")
    (problem,) = root_problems(tmp_path)
    assert problem == (
        f"missing programs in {tmp_path}: sshd, ping; "
        f"install them: chroot {tmp_path} apt-get install iputils-ping openssh-server"
    )


def test_a_directory_that_is_no_root_file_system(tmp_path):
    """A directory without etc/passwd is refused as such, and not for each program that it lacks."""
    (problem,) = root_problems(tmp_path)
    assert "is not a root file system" in problem


def test_nothing_is_missing_where_all_is_there(tmp_path):
    """Programs are found in any of the usual directories."""
    (tmp_path / "usr/local/bin").mkdir(parents=True)
    (tmp_path / "usr/local/bin/ip").touch()
    assert missing({"ip": "iproute2", "bridge": "iproute2"}, tmp_path) == {"bridge": "iproute2"}
