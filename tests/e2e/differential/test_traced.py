"""The rules of walks against the kernels' own tracing, on real engines; `scripts/differential --trace` has more."""

from __future__ import annotations

import pytest
from e2e.differential import compare, traced

LAB = """\
name: traced
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks:
  front: {subnet: [172.31.1.0/24, "fd00:31::/64"], enable_ipv6: true}
  back: {subnet: 172.31.2.0/24}
  vault: {subnet: 172.31.3.0/24, internal: true}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [front], ports: ["8080:80"], command: httpd -f -p 80}
  both: {host: vm0, image: dockerlab/node, networks: [front, vault]}
  db: {host: vm0, image: dockerlab/node, networks: [back], ports: ["127.0.0.1:8081:80"], command: httpd -f -p 80}
"""


@pytest.mark.usefixtures("lab")
def test_every_packet_meets_the_rules_of_its_walk():
    """Each packet of a lab, of IPv6 as well, meets the rules of its walk, in their order, on its way and back."""
    with compare.session() as opened:
        result = traced.compare(LAB, opened)
    assert result.clean, result.told()
    assert result.packets > 40
    assert result.rules > 2 * result.packets
    assert len(result.no_claim) < 0.03 * result.packets
