"""Published ports without docker-proxy: only NAT serves them."""

from __future__ import annotations

from contextlib import contextmanager

from support.lab_hosts import wait_for
from support.mechanisms import Case

CASES = (
    Case(
        "publish-no-proxy", "db", "vm0", "tcp/8080", engines=(0, 28),
        # Up to 27 the chain stops the answers as well.
        gone={"vm0": 'rewrite "/STAGE-2 -o ($(bridge_of front)|$(bridge_of back)) -j DROP/d"'},
        also=("bridge-isolation",),
        cause=("vm0", "rule", "filter DOCKER.*"),
    ),
    Case(
        "published", "peer", "vm0", "tcp/8080", now="refused",
        # Without the rule dockerd, which keeps the port from others, would take the connection, or keep silent (28).
        gone={"vm0": 'rewrite "s/destination 172.28.1.10:80/destination 172.28.1.10:81/"'},
        also=("publish-no-proxy",),
        cause=("vm0", "rule", "nat DOCKER.*"),
    ),
)  # fmt: skip


@contextmanager
def prepared(machines):
    """Run vm0's engine without docker-proxy."""
    kept = machines.sh("vm0", "cat /etc/docker/daemon.json 2>/dev/null || true")
    try:
        restart(machines, '{"userland-proxy": false}')
        yield
    finally:
        restart(machines, kept)


def restart(machines, settings):
    """Give vm0's engine settings and start it again; its host starts it by itself when it ends."""
    write = "cat > /etc/docker/daemon.json" if settings else "rm -f /etc/docker/daemon.json"
    machines.run("vm0", "sh", "-c", write, text=settings).check_returncode()
    machines.sh("vm0", "pid=$(cat /var/run/docker.pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.1; done")
    wait_for(lambda: machines.run("vm0", "docker", "info").returncode == 0, 20)
