"""How long a program takes to say a word."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.common import Contender, Group, compete, timed
from bench.stage import TOP, Stage

EXAMPLE = str(TOP / "examples/macvlan.yaml")
COMPLETION = {"_DOCKERLAB_COMPLETE": "complete_bash", "COMP_WORDS": "dockerlab up --", "COMP_CWORD": "2"}


def group(stage: Stage, rounds: int, roots: Mapping[str, Path]) -> Group:
    """Return what the start of each program takes; `roots` are the root file systems that have a docker command."""
    ours = stage.program("dockerlab")
    contenders = [
        Contender("dockerlab --help", lambda: {"start": timed([ours, "--help"]).seconds}),
        Contender("dockerlab, completing an option", lambda: {"start": timed([ours], **COMPLETION).seconds}),
        Contender("dockerlab render", lambda: {"start": timed([ours, "render", EXAMPLE]).seconds}),
        Contender(
            "dockerlab explain --offline", lambda: {"start": timed([ours, "explain", EXAMPLE, "--offline"]).seconds}
        ),
    ]
    contenders += [_docker(name, root) for name, root in roots.items()]
    contenders += [
        _other(stage, *words) for words in (("ansible", "--version"), ("pyinfra", "--version"), ("mn", "--version"))
    ]
    if stage.compose:
        contenders.append(
            Contender("docker compose version", lambda: {"start": timed([*stage.compose, "version"]).seconds})
        )
    return compete("start", contenders, rounds)


def _docker(name: str, root: Path) -> Contender:
    call = ["chroot", str(root), "docker", "--version"]
    return Contender(f"docker --version, {name}", lambda: {"start": timed(call).seconds})


def _other(stage: Stage, name: str, *words: str) -> Contender:
    program = stage.opponent(name)
    if not program:
        return Contender(" ".join([name, *words]), dict, missing="not installed: scripts/bench --install")
    return Contender(" ".join([name, *words]), lambda: {"start": timed([program, *words]).seconds})
