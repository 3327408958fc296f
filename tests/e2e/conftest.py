"""The sandbox for the tests on real engines: brought up once for each engine, and empty again after each test.

A test that asks for `lab` runs on every engine: the machine's own, and the one in the root file system that
DOCKERLAB_ROOTFS names (`scripts/test` sets it). Workers with a machine of their own each (scripts/apart) may share the
tests out; what is in one file and of one engine stays together.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import Browser
from support.lab_hosts import LabHosts

from dockerlab import sandbox

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the whole folder without root, and name what one worker does in one go."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    if os.geteuid() != 0:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason="the tests on real engines need root: run them with sudo"))
    for item in ours:
        item.add_marker(pytest.mark.e2e)
        values = item.callspec.params if hasattr(item, "callspec") else {}
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {values.get('lab_hosts')}"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Begin no test on real engines after the time that DOCKERLAB_UNTIL names (seconds since 1970): say so instead.

    A run that is cut off by whoever waits for it tells nothing at all; one that ends by itself tells what it found.
    """
    until = os.environ.get("DOCKERLAB_UNTIL")
    if until and time.time() > float(until):
        pytest.skip("NOT RUN: the time that this run was given is over (DOCKERLAB_UNTIL)")


@pytest.fixture(scope="session", params=["machine", "rootfs"])
def lab_hosts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabHosts | None]:
    """Give the hosts of a sandbox with this engine; every test that uses it runs before the next engine's first one.

    With `no engine`, for tests that take a sandbox up and down themselves, there is none.
    """
    if request.param == "no engine":
        yield None
        return
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
    sandbox.down()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Give a browser without a window."""
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def lab(lab_hosts: LabHosts) -> Iterator[LabHosts]:
    """Give the hosts, empty; fail the test that does not leave them so, and make them so for the next."""
    yield lab_hosts
    left = lab_hosts.left()
    if left:
        lab_hosts.heal()
        pytest.fail("the test left or lost something on the hosts:\n  " + "\n  ".join(left))
    lab_hosts.renew_deaf()
    lab_hosts.forget_swarms()
