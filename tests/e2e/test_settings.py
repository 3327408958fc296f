"""An engine whose settings stand elsewhere than in /etc/docker/daemon.json."""

import json
import tempfile
from pathlib import Path

import pytest
from support.dockerd import Dockerd, missing

from dockerlab import daemon
from dockerlab.hosts.fake import FakeHost
from dockerlab.survey import facts

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(missing() is not None, reason=str(missing()))]

SETTINGS = {"userland-proxy": False, "icc": False}


@pytest.mark.parametrize("flag", ["--config-file={}", "--config-file {}"])
def test_the_file_that_it_was_started_with(flag):
    """What is predicted is what the engine runs with, and what would be changed is the same file."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "engine.json")
        file.write_text(json.dumps(SETTINGS))
        with Dockerd(folder, *flag.format(file).split(), "--dns", "10.0.0.53") as engine:
            host = FakeHost("here", lambda argv, given: engine.inside(argv, given).stdout)
            found, changed = facts.gather(host), daemon.look(host)
            icc = engine.docker(
                "network", "inspect", "bridge", "--format", '{{index .Options "com.docker.network.bridge.enable_icc"}}'
            )
    assert icc.stdout.strip() == b"false", "the engine reads that file"
    assert (found.settings.userland_proxy, found.settings.known, found.settings.dns) == (False, True, ("10.0.0.53",))
    assert (changed.path, changed.text) == (str(file), json.dumps(SETTINGS).encode())
