"""What runs on a host, read over SSH: its definition, and what `docker inspect` says of the same containers."""

from __future__ import annotations

from bench.common import OURS, Contender, Group, compete, timed
from bench.many import IMAGE
from bench.stage import Stage, clean

SIZE = 200
TITLE = "{} containers discovered over SSH"
INSPECT = "docker inspect over a shared SSH connection"

MAKE = r"""
for number in 0 1 2; do docker network create "net$number"; done >/dev/null
docker network create --subnet 172.30.0.0/20 fixed >/dev/null
one() {
    number=$1 address=172.30.$(($1 / 250 + 1)).$(($1 % 250 + 2))
    case $((number % 5)) in
        0) set -- --network net0 --publish "$((20000 + number)):80" ;;
        1) set -- --network net1 --env TZ=UTC --env DB_HOST=db --env DB_PASSWORD=hunter2 ;;
        2) set -- --network fixed --ip "$address" --volume "data$number:/data" ;;
        3) set -- --network net2 --network-alias shop --restart unless-stopped ;;
        4) set -- ;;
    esac
    docker run --detach --name "c$number" "$@" IMAGE >/dev/null
}
if [ "${1:-}" ]; then one "$1"; else seq SIZE | xargs -P 4 -n 1 sh "$0"; fi
"""
"""A script of a host that makes the containers: on bridges with ports, variables, addresses and volumes, or on none."""


def group(stage: Stage, rounds: int, size: int = SIZE) -> Group:
    """Return what it takes to read what runs on a host: as a definition, and by the docker command there."""
    home = stage.work / "home"
    (home / ".ssh").mkdir(parents=True, exist_ok=True)
    (home / ".ssh/config").write_text((stage.work / "ssh_config").read_text())
    control = str(stage.work / "control")
    shared = [*stage.ssh("-S", control).split(), "vm0"]
    ours = [stage.program("dockerlab"), "discover", "--host", "vm0"]
    _make(stage, size)
    timed([*stage.ssh("-M", "-S", control, "-o", "ControlPersist=yes", "-fN").split(), "vm0"])
    try:
        names = timed([*shared, "docker ps --quiet"]).output.split()
        inspect = [*shared, " ".join(["docker inspect", *names])]
        timed(inspect), timed(ours, HOME=str(home))  # what is read from a disk once is read now
        contenders = [
            Contender(OURS, lambda: {"total": timed(ours, HOME=str(home)).seconds}, note="a connection of its own"),
            Contender(INSPECT, lambda: {"total": timed(inspect).seconds}),
        ]
        engine = stage.state.hosts[0].engine or "of an unknown version"
        text = f"`discover` on a host with {len(names)} containers, of which each says it all. Engine {engine}."
        return compete(TITLE.format(size), contenders, rounds, text)
    finally:
        timed([*stage.ssh("-S", control, "-O", "exit").split(), "vm0"])
        clean(stage)


def _make(stage: Stage, size: int) -> None:
    text = MAKE.replace("IMAGE", IMAGE).replace("SIZE", str(size))
    stage.inside("vm0", "sh", "-c", "cat >/tmp/make && sh -e /tmp/make", text=text)
