"""What works but misleads is pointed out, with its place; what is fine is not."""

import pytest
from support.labs import lab

from dockerlab import modes
from dockerlab.lab.lint import LINTS

TWO = "hosts: {vm0: 'ssh://10.0.0.5', vm1: 'ssh://10.0.0.6'}\n"


def warned(text):
    definition = lab(text)
    return [problem.path for each in (*LINTS, modes.lint) for problem in each(definition)]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (
            "networks: {n: {internal: true}}\ncontainers: {a: {networks: [n], ports: ['80:80']}}",
            ("containers", "a", "ports"),
        ),
        (
            "networks: {n: {driver: macvlan, parent: eth0}}\ncontainers: {a: {networks: [n], ports: ['80:80']}}",
            ("containers", "a", "ports"),
        ),
        ("containers: {a: {network_mode: host, ports: ['80:80']}}", ("containers", "a", "ports")),
        ("containers: {a: {network_mode: none, ports: ['80:80']}}", ("containers", "a", "ports")),
        ("containers: {a: {command: ping b}, b: {}}", ("containers", "a")),
        ("containers: {a: {environment: {URL: 'http://b:80/'}}, b: {}}", ("containers", "a")),
        (
            "networks: {n: {driver_opts: {com.docker.network.bridge.enable_ic: x}}}\ncontainers: {a: {networks: [n]}}",
            ("networks", "n", "driver_opts", "com.docker.network.bridge.enable_ic"),
        ),
        (
            TWO + "networks: {n: {subnet: 10.9.0.0/24}}\n"
            "containers: {a: {host: vm0, networks: [n]}, b: {host: vm1, networks: [n]}}",
            ("networks", "n"),
        ),
        (
            TWO + "networks: {n: {subnet: 10.0.0.0/24}}\ncontainers: {a: {host: vm0, networks: [n]}}",
            ("networks", "n"),
        ),
    ],
)
def test_misleading(text, path):
    """Each kind of misleading definition is pointed out once, at its place."""
    assert warned(text) == [path]


def test_a_name_in_the_hosts_file_is_known():
    """A name that the definition itself puts into /etc/hosts is no name that docker0 would have to know."""
    assert warned("containers: {a: {command: ping b, extra_hosts: {b: 172.17.0.3}}, b: {}}") == []


def test_nothing_misleading():
    """An ordinary definition gives no warning."""
    assert (
        warned(
            "networks: {n: {}}\ncontainers: {a: {networks: [n], ports: ['80:80'], command: ping b}, b: {networks: [n]}}"
        )
        == []
    )
