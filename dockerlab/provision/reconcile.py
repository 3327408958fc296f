"""Run a command to a certain end: when its connection, its engine or its Swarm is lost, ask what came of it first.

A command that writes is never blindly repeated. After a loss the host is awaited, its engine is asked for the object
that the command makes or removes, and only then it is done, run again, or its half-made object is cleared first.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dockerlab import engine
from dockerlab.command import Command, Result
from dockerlab.errors import (
    ConnectError,
    DeadlineExceeded,
    EngineError,
    HostError,
    HostKeyError,
    TransportError,
)
from dockerlab.hosts.base import Host
from dockerlab.plan.waiting import COMPLETED, HEALTHY
from dockerlab.snapshot import Snapshot

LOOKS = 4
"""How often in a row an object must be missing: what was asked before the loss may still be under way."""

LOSSES = 3
"""How often one command may be lost."""

ENGINE_LOST = (
    "cannot connect to the docker daemon",
    "error during connect",
    "transport is closing",
    "transport: error while dialing",
    "client connection is closing",
)
"""What the docker command says when the engine went away under it; whether it took effect, it cannot say."""

LATE = re.compile(r"([Aa]ttaching to network failed,|[Cc]ould not attach to network) .*: context deadline exceeded")
"""What the engine says when a Swarm's manager did not answer, or did not take a container on, within 20 seconds.

Source: moby #41841.
"""

STAYS = "context deadline exceeded"
"""What the engine says to a host that leaves a Swarm when its part in it did not stop within 15 seconds.

It goes on stopping, and leaves when it is asked again. Source: moby daemon/cluster/noderunner.go (Stop).
"""

ANEW = (
    ("docker", "import"),
    ("docker", "load"),
    ("docker", "pull"),
    ("docker", "swarm", "join-token"),
    ("sh", "-c", HEALTHY),
    ("sh", "-c", COMPLETED),
    ("docker", "image", "inspect"),
    ("docker", "commit"),
    ("env", "DOCKER_BUILDKIT=0", "docker", "build"),
)
"""Commands that leave the same behind however often they run, or more of it that carries the lab's labels."""


Fate = Literal["done", "undone", "half"]
Look = Callable[[Host, Collection[str]], Snapshot]


@dataclass(frozen=True)
class Inquiry:
    """How a lost host is asked: by what, for how many seconds it may be away, and the seconds between two looks."""

    look: Look = engine.snapshot
    back: float = 30.0
    pause: float = 0.5


INQUIRY = Inquiry()


def run(
    host: Host,
    command: Command,
    argv: Sequence[str],
    timeout: float,
    *,
    lost: Callable[[HostError], None] = lambda _loss: None,
    inquiry: Inquiry = INQUIRY,
) -> Result:
    """Return what a command gave, or the success that the host shows after the command was lost.

    `lost` is told of each loss. Raises the loss as HostError where the host did not come back, or where nothing on the
    host can show what came of the command.
    """
    losses = 0
    while True:
        try:
            result = host.run(command.started(argv), input=command.given(), timeout=timeout)
        except HostKeyError:
            raise
        except (TransportError, DeadlineExceeded, ConnectError) as error:
            loss: HostError = error
        else:
            if engine_lost(result):
                loss = EngineError(host.name, f"the engine was lost: {result.error}")
            elif _too_late(argv, result) and losses < LOSSES:
                loss = DeadlineExceeded(host.name, f"the Swarm took too long: {result.error}")
            else:
                # A refusal after a loss may be the trace of the lost command, which was still under way.
                late = losses and not result.ok and _settled(host, argv, loss, inquiry) == "done"
                return _success(argv) if late else result
        losses += 1
        if losses > LOSSES or not certain(argv):
            raise loss
        lost(loss)
        if _settled(host, argv, loss, inquiry) == "done":
            return _success(argv)


def _success(argv: Sequence[str]) -> Result:
    return Result(tuple(argv), 0, b"", b"", 0.0)


def engine_lost(result: Result) -> bool:
    """Tell whether a command failed because its engine went away."""
    return not result.ok and any(words in result.error.lower() for words in ENGINE_LOST)


def _too_late(argv: Sequence[str], result: Result) -> bool:
    leaving = tuple(argv[:3]) == ("docker", "swarm", "leave") and STAYS in result.error
    return not result.ok and (leaving or LATE.search(result.error) is not None)


def certain(argv: Sequence[str]) -> bool:
    """Tell whether the engine can show what came of a command, or the command may simply run again."""
    return _anew(argv) or fate(argv, Snapshot("")) is not None


def _anew(argv: Sequence[str]) -> bool:
    return any(tuple(argv[: len(words)]) == words for words in ANEW)


def _settled(host: Host, argv: Sequence[str], loss: HostError, inquiry: Inquiry) -> Fate:
    """Return what came of a lost command once the host answers again; clears what is half made.

    Raises the loss, with why the host could not be asked, when that takes too long.
    """
    deadline = time.monotonic() + inquiry.back
    missing = 0
    while True:
        try:
            if _anew(argv):
                inquiry.look(host, ())  # only to see that the engine is back
                return "undone"
            seen = inquiry.look(host, names(argv))
            found = fate(argv, seen)
            missing += found != "done"
            if found == "done":
                return "done"
            if found == "half" and missing >= LOOKS:
                _clear_half(host, argv, seen)
                return "undone"
            if missing >= LOOKS:
                return "undone"
        except HostKeyError:
            raise
        except HostError as error:
            missing = 0
            if time.monotonic() > deadline:
                why = f"{loss}; it did not come back within {inquiry.back:.0f} s ({error})"
                raise type(loss)(host.name, why.removeprefix(f"{host.name}: ")) from loss
        time.sleep(inquiry.pause)


def _clear_half(host: Host, argv: Sequence[str], seen: Snapshot) -> None:
    """Remove the very container that a lost `docker run` made and did not start."""
    made = seen.container(argv[argv.index("--name") + 1])
    if made is not None:
        host.run(("docker", "rm", "--force", "--volumes", made.id), timeout=60)


def names(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the objects that a command is about, as far as they have to be read in detail."""
    if tuple(argv[:2]) == ("docker", "run"):
        return (argv[argv.index("--name") + 1],)
    return tuple(argv[-2:])


def fate(argv: Sequence[str], seen: Snapshot) -> Fate | None:
    """Return what came of a command by what exists now; None for a command of which the engine shows no trace."""
    match tuple(argv[:3]):
        case ("docker", "run", _):
            return _of_run(argv, seen)
        case ("docker", "rm", _) | ("docker", "network" | "image" | "volume", "rm"):
            done = _known(argv[1], seen).isdisjoint(argv[3:])
        case ("docker", "network", "create"):
            done = any(n.name == argv[-1] and _labelled(argv, n.labels) for n in seen.networks)
        case ("docker", "network", "connect"):
            joined = seen.container(argv[-1])
            done = joined is not None and argv[-2] in joined.endpoints
        case ("docker", "volume", "create"):
            done = any(v.name == argv[-1] and _labelled(argv, v.labels) for v in seen.volumes)
        case ("docker", "swarm", "init" | "join"):
            done = seen.swarm.state == "active"
        case ("docker", "swarm", "leave"):
            done = seen.swarm.state == "inactive"
        case ("docker", "node", "rm"):
            done = argv[-1] not in seen.swarm.nodes
        case _:
            return None
    return "done" if done else "undone"


def _known(noun: str, seen: Snapshot) -> set[str]:
    """Return what the objects are called that `docker NOUN rm`, or plain `docker rm`, removes."""
    if noun == "image":
        return {key for image in seen.image_states for key in (image.id, *image.names)}
    if noun == "volume":
        return {volume.name for volume in seen.volumes}
    objects = seen.networks if noun == "network" else seen.containers
    return {key for each in objects for key in (each.id, each.name)}


def _of_run(argv: Sequence[str], seen: Snapshot) -> Fate:
    """Return what came of a `docker run`: a container of its labels that never started is half made.

    So is one that is not in the background, whose exit code nobody has seen: it is a step of an image.
    """
    made = seen.container(argv[argv.index("--name") + 1])
    if made is None or not _labelled(argv, made.labels):
        return "undone"
    return "half" if made.status == "created" or "--detach" not in argv else "done"


def _labelled(argv: Sequence[str], labels: Mapping[str, str]) -> bool:
    """Tell whether an object has every label of ours that a command gives, its run and its fingerprint among them."""
    pairs = (argv[at + 1].partition("=") for at, word in enumerate(argv[:-1]) if word == "--label")
    own = {key: value for key, _, value in pairs if key.startswith("dockerlab.")}
    return bool(own) and own.items() <= labels.items()
