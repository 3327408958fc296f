"""Many containers on one network of one host: made and removed."""

from __future__ import annotations

from collections.abc import Callable

from bench.common import OURS, Contender, Done, Group, Seconds, compete, timed
from bench.stage import OPPONENTS, Stage, clean, lab

IMAGE = "dockerlab/node"
STABLE = "{} containers on Debian's stable engine"
"""The title where the hosts run an engine whose docker command starts in a third of the time."""

AT_ONCE = (1, 2, 4, 8, 40)
"""How many containers at once the engine is asked to make or to remove, where that alone is measured."""

SMALL, LARGE = 10, 100
"""Where the slowest, and then all but the closest opponent are left out: all of it is to take half an hour."""

SDK = """
import sys
from concurrent.futures import ThreadPoolExecutor
import docker
client, count, what, at_once = docker.DockerClient(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
with ThreadPoolExecutor(at_once) as pool:
    if what == "up":
        client.networks.create("sdk")
        run = lambda n: client.containers.run("dockerlab/node", name=f"sdk{n}", detach=True, network="sdk")
        list(pool.map(run, range(count)))
    else:
        list(pool.map(lambda one: one.remove(force=True), client.containers.list()))
        client.networks.get("sdk").remove()
"""


def group(stage: Stage, size: int, rounds: int, title: str = "{} containers") -> Group:
    """Return what each way took to make and to remove that many containers; `again` is a second `up`."""
    (stage.work / f"many{size}.yaml").write_text(lab(size))
    contenders = [Contender(OURS, lambda: _ours(stage, size), note="over SSH"), _compose(stage, size)]
    if size < LARGE:
        contenders += [
            _sdk(stage, size),
            Contender("CLI over one SSH connection, 8 at once", _script(stage, size, at_once=8)),
        ]
    if size <= SMALL:
        name = "CLI over one SSH connection, in sequence"
        contenders.append(Contender(name, _script(stage, size, at_once=1)))
    engine = stage.state.hosts[0].engine or "of an unknown version"
    text = f"{size} containers on one network: `up` without verification, `up` again, and `down`. Engine {engine}."
    return compete(title.format(size), contenders, rounds, text, clean=lambda: clean(stage))


def at_once(stage: Stage, size: int, rounds: int) -> Group:
    """Return what the engine itself takes to make and to remove containers, by how many of them go at once."""
    contenders = [_sdk(stage, size, number) for number in AT_ONCE if number <= size]
    text = f"{size} containers, through the engine's API. Engine {stage.state.hosts[0].engine or 'unknown'}."
    return compete("containers at once", contenders, rounds, text, clean=lambda: clean(stage))


def _ours(stage: Stage, size: int) -> Seconds:
    file = str(stage.work / f"many{size}.yaml")
    up = timed(stage.dockerlab("up", file, "--no-verify"))
    again = timed(stage.dockerlab("up", file, "--no-verify"))
    down = timed(stage.dockerlab("down", file))
    return {"up": up.seconds, "again": again.seconds, "down": down.seconds}


def _compose(stage: Stage, size: int) -> Contender:
    name = "Docker Compose, local socket"
    if not stage.compose:
        return Contender(name, dict, missing=f"not in {stage.root}: scripts/bench --install")
    call = compose_call(stage, size, stage.socket("vm0"))

    def run() -> Seconds:
        up, again = call("up", "-d").seconds, call("up", "-d").seconds
        return {"up": up, "again": again, "down": call("down", "-t", "0").seconds}

    return Contender(name, run)


def compose_call(stage: Stage, size: int, engine: str) -> Callable[..., Done]:
    """Return a function that calls Compose on an engine, with the words that follow its options."""
    file = stage.work / f"many{size}.compose.yaml"
    services = "".join(f"  s{number}: {{image: {IMAGE}, networks: [many]}}\n" for number in range(size))
    file.write_text(f"services:\n{services}networks: {{many: {{}}}}\n")
    return lambda *words: timed(
        [*stage.compose, "-p", "many", "-f", str(file), *words], DOCKER_HOST=engine, PATH=stage.path
    )


def _sdk(stage: Stage, size: int, at_once: int = 4) -> Contender:
    name = f"Docker SDK, {at_once} thread{'s' if at_once > 1 else ''}, local socket"
    python = OPPONENTS / "bin/python"
    if not python.exists():
        return Contender(name, dict, missing="not installed: scripts/bench --install")
    call = [str(python), "-c", SDK, stage.socket("vm0"), str(size)]

    def run() -> Seconds:
        up, down = ([*call, what, str(at_once)] for what in ("up", "down"))
        return {"up": timed(up).seconds, "down": timed(down).seconds}

    return Contender(name, run)


def _script(stage: Stage, size: int, at_once: int) -> Callable[[], Seconds]:
    """Return a run of the docker command for each container, all through one SSH connection."""
    names = f"seq -f cli%g {size} | xargs -P {at_once} -I NAME"
    up = f"docker network create cli && {names} docker run --detach --name NAME --network cli {IMAGE}"
    down = f"{names} docker rm --force NAME && docker network rm cli"
    ssh = [*stage.ssh().split(), "vm0"]
    return lambda: {"up": timed([*ssh, up]).seconds, "down": timed([*ssh, down]).seconds}
