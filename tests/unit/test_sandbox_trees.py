"""Files of a host opened from outside: what its root has made of links leads nowhere but within it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dockerlab.sandbox.trees import followed, opened


@pytest.fixture
def pid(tmp_path):
    """Give a process whose root is a directory, with a socket in it."""
    if os.geteuid() != 0:
        pytest.skip("a root of its own needs root")
    (tmp_path / "run" / "deep").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(tmp_path / "run" / "deep" / "real.sock"))
        program = "import os, sys; os.chroot(sys.argv[1]); print(flush=True); sys.stdin.read()"
        argv = [sys.executable, "-c", program, str(tmp_path)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            yield process.pid
            process.stdin.close()


@pytest.mark.parametrize(
    "target",
    [
        "deep/real.sock",
        "/run/deep/real.sock",
        "../run/./deep/real.sock",
        "../../../../run/deep/real.sock",
        "/run/other",
    ],
)
def test_links(pid, tmp_path, target):
    """A link, absolute, relative, to another one, or above the root, is followed within the process's own root."""
    (tmp_path / "run" / "docker.sock").symlink_to(target)
    (tmp_path / "run" / "other").symlink_to("../run/deep/real.sock")
    with followed(pid, "run", "docker.sock") as found, opened(pid, "run", "deep", "real.sock") as real:
        assert os.fstat(found).st_ino == os.fstat(real).st_ino


def test_links_out(pid, tmp_path):
    """A link to a file of this machine's is one to nothing, one in a circle an error; no descriptor is left."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for target in (str(tmp_path / "run" / "deep" / "real.sock"), "/etc/passwd", "docker.sock", "nothing"):
        link = tmp_path / "run" / "docker.sock"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        with pytest.raises(OSError, match=r"No such file|Too many levels"), followed(pid, "run", "docker.sock"):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
