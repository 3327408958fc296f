"""The sandbox for the tests on real engines: brought up once for each engine, and empty again after each test.

A test that asks for `lab` runs on every engine: the machine's own, and the one in the root file system that
DOCKERLAB_ROOTFS names (`scripts/test` sets it).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lab_hosts import CLEAN, LabHosts

from dockerlab import sandbox

HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the whole folder without root, and run what takes the sandbox down after what uses it."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    if os.geteuid() != 0:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason="the tests on real engines need root: run them with sudo"))
    for item in ours:
        item.add_marker(pytest.mark.e2e)
    items.sort(key=lambda item: item.path == HERE / "test_sandbox.py")


@pytest.fixture(scope="session", params=["machine", "rootfs"])
def lab_hosts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabHosts]:
    """Give the hosts of a sandbox with this engine; every test that uses it runs before the next engine's first one."""
    rootfs = None
    if request.param == "rootfs":
        if not os.environ.get("DOCKERLAB_ROOTFS"):
            pytest.skip(
                "DOCKERLAB_ROOTFS names no root file system with another engine (scripts/engine-root makes one)"
            )
        rootfs = Path(os.environ["DOCKERLAB_ROOTFS"])
    sandbox.down()
    state = sandbox.up(2, rootfs)
    hosts = LabHosts(request.param, state, tmp_path_factory.mktemp("home"))
    hosts.clean = {name: hosts.found(name) for name in hosts.names}
    yield hosts
    sandbox.down()  # also where a test of the sandbox itself has done so already


@pytest.fixture
def lab(lab_hosts: LabHosts) -> Iterator[LabHosts]:
    """Give the hosts, empty; fail the test that does not leave them so, and make them so for the next."""
    yield lab_hosts
    left = lab_hosts.left()
    if left:
        for name in lab_hosts.names:
            lab_hosts.sh(name, CLEAN)
        pytest.fail("the test left or lost something on the hosts:\n  " + "\n  ".join(left))
