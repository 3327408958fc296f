"""What somebody who is root on a host can put in the place of its programs and of its engine, to forge a pass."""

from __future__ import annotations

import shlex
from contextlib import contextmanager

from support.lab_hosts import wait_for

PROGRAMS = ("python3", "docker", "shell", "sshd")

CABLES = "ip -o link show master docker0 | sed 's/^[0-9]*: //; s/@.*//' >/opt/cables"
UNPLUG = "for each in $(cat /opt/cables); do ip link set $each nomaster; done"
PLUG = "for each in $(cat /opt/cables); do ip link set $each master docker0; done"
MEND = f"{PLUG}\n(sleep 7; {UNPLUG}) >/dev/null 2>&1 &\n"
"""While somebody looks, the lab works."""

ENGINES = {
    "between": "another program answers",
    "after": "another process",
    "changed": "another program answers",
    "preloaded": "it runs code from elsewhere (/opt/more.so)",
    "traced": "somebody holds it by ptrace",
}
"""Engines that are none of the sandbox's, and how that is told."""

PROXY = """
import os, socket, sys, threading
way = socket.socket(socket.AF_UNIX); way.bind("/run/docker.sock"); way.listen(64)
if sys.argv[1] == "after" and os.fork():
    os.set_inheritable(way.fileno(), True)
    os.execvp("dockerd", ["dockerd", *sys.argv[2:]])
def passed(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass
while True:
    client, _ = way.accept()
    engine = socket.socket(socket.AF_UNIX); engine.connect("/run/real.sock")
    for pair in ((client, engine), (engine, client)):
        threading.Thread(target=passed, args=pair, daemon=True).start()
"""

TRACE = """
$| = 1; $call = {"x86_64" => 101, "aarch64" => 117}->{$ARGV[1]};
syscall($call, 0x4206, $ARGV[0] + 0, 0, 0) and die "$!";
print "held\\n";
while (($tid = waitpid(-1, 0x40000000)) > 0) { syscall($call, 7, $tid, 0, ($? >> 8) & 255) }
"""
"""Seizes a process, and lets it run on: in Perl, for a minimal Python has no way to call the kernel."""

STOP = (
    "touch /run/dockerlab/dockerd.stopped; kill $(cat /run/docker.pid); while [ -e /run/docker.pid ]; do sleep .1; done"
)
END = (
    "for p in $(cat /run/forged); do kill $p; done; sleep 1; [ -e /run/docker.pid ] && kill $(cat /run/docker.pid);"
    "while [ -e /run/docker.pid ]; do sleep .1; done; rm -f /run/docker.sock /run/forged /run/dockerlab/dockerd.stopped"
)
AGAIN = "until docker version; do sleep .2; done; docker start centos_v1 centos_v2"


class Forgery:
    """A host on which `sh` runs scripts as root."""

    def __init__(self, sh):
        self._sh = sh

    def sh(self, script):
        done = self._sh(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def broken(self):
        """Tell whether the lab is as it is while nobody looks: no container is plugged into its bridge."""
        return self.sh("ip link show master docker0") == ""

    @contextmanager
    def of(self, which):
        """Break the lab, and have one of the host's programs hide it from whoever runs that."""
        undo = getattr(self, which)()
        self.sh(f"{CABLES}; {UNPLUG}")
        try:
            yield
        finally:
            self.sh(undo)
            wait_for(self.broken, 20)
            self.sh(PLUG)

    def python3(self):
        return self._wrapped("/usr/bin/python3")

    def docker(self):
        return self._wrapped("/usr/bin/docker")

    def _wrapped(self, path):
        script = f'#!/bin/sh\n{MEND}exec {path}.real "$@"\n'
        self.sh(f"mv {path} {path}.real; printf %s {shlex.quote(script)} >{path}; chmod +x {path}")
        return f"mv {path}.real {path}"

    def shell(self):
        script = f'#!/bin/sh\n{MEND}exec /bin/sh "$@"\n'
        self.sh(f"printf %s {shlex.quote(script)} >/opt/shell; chmod +x /opt/shell; cp /etc/passwd /opt/passwd")
        self.sh("sed -i '/^root:/s|[^:]*$|/opt/shell|' /etc/passwd")
        return "cat /opt/passwd >/etc/passwd"

    def sshd(self):
        script = f'#!/bin/sh\n{MEND}exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
        self.sh(f"printf %s {shlex.quote(script)} >/opt/force; chmod +x /opt/force")
        config = "/etc/ssh/sshd_config"
        self.sh(f"cp {config} /opt/config; echo ForceCommand /opt/force >>{config}; kill -HUP $(cat /run/sshd.pid)")
        return f"cat /opt/config >{config}; kill -HUP $(cat /run/sshd.pid)"

    @contextmanager
    def engine(self, which):
        """Put something in the place of the host's engine that says what the engine says."""
        self.sh(f"printf %s {shlex.quote(PROXY)} >/opt/proxy; printf %s {shlex.quote(TRACE)} >/opt/trace")
        getattr(self, f"engine_{which}")()
        try:
            yield
        finally:
            self.sh(END)
            self.sh(AGAIN)

    def _begun(self, script):
        self.sh(f"{STOP}; {script}")
        self.sh(AGAIN)

    def _in_the_background(self, command):
        return f"{command} >/tmp/forged.log 2>&1 </dev/null & echo $! >>/run/forged"

    def engine_between(self):
        real = self._in_the_background("dockerd -H unix:///run/real.sock --cgroup-parent /docker")
        self._begun(f"{real}; rm -f /run/docker.sock; {self._in_the_background('python3 /opt/proxy between')}")

    def engine_after(self):
        words = "python3 /opt/proxy after -H unix:///run/real.sock --cgroup-parent /docker"
        self._begun(f"rm -f /run/docker.sock; {self._in_the_background(words)}")

    def engine_changed(self):
        made = "cp $(command -v dockerd) /opt/dockerd; echo >>/opt/dockerd"
        self._begun(f"{made}; {self._in_the_background('/opt/dockerd --cgroup-parent /docker')}")

    def engine_preloaded(self):
        made = "cp $(ls /usr/lib/*/libm.so.6) /opt/more.so"
        self._begun(f"{made}; {self._in_the_background('env LD_PRELOAD=/opt/more.so dockerd --cgroup-parent /docker')}")

    def engine_traced(self):
        held = self._in_the_background("perl /opt/trace $(cat /run/docker.pid) $(uname -m)")
        self.sh(f"{held}; sleep 1; cat /tmp/forged.log; grep held /tmp/forged.log")
