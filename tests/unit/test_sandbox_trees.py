"""Files of a host opened from outside: what its root has made of links leads nowhere but within it."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dockerlab.sandbox import host
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


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        (HEAD + b'{"Version": "28.5.2"}', "28.5.2"),
        (HEAD + b"[1]", None),
        (HEAD + b"null", None),
        (HEAD + b"{}", None),
        (HEAD + b"[" * 50_000, None),
        (HEAD + b"\xff", None),
        (b"Welcome!\r\n", None),
        (b"", None),
    ],
)
def test_what_an_engine_says_of_itself(pid, tmp_path, said, version):
    """Whatever answers in the place of a host's engine is the version that it says, or no engine that is there."""
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.bind(str(tmp_path / "run" / "docker.sock"))
        waiting.listen()

        def answer():
            with waiting.accept()[0] as way:
                way.recv(4096)
                way.sendall(said)

        threading.Thread(target=answer).start()
        assert host.engine_version(pid) == version


def test_an_engine_that_says_a_byte_now_and_then(pid, tmp_path, monkeypatch):
    """It has one time for all that it says, not for each byte."""
    monkeypatch.setattr(host, "PATIENCE", 0.4)
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.bind(str(tmp_path / "run" / "docker.sock"))
        waiting.listen()

        def answer():
            with waiting.accept()[0] as way:
                try:
                    for _ in range(100):
                        way.sendall(b"H")
                        time.sleep(0.1)
                except OSError:
                    return  # it was cut off

        telling = threading.Thread(target=answer)
        telling.start()
        began = time.monotonic()
        assert host.engine_version(pid) is None
        assert time.monotonic() - began < 3
        telling.join()
