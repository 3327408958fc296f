"""A class at a time: thirty instances of a lab on two hosts, made, graded, and removed."""

from __future__ import annotations

import json

from bench.common import OURS, Contender, Group, Seconds, compete, timed
from bench.stage import Stage, clean, require

STUDENTS = 30
LABS = ("01", "user-bridge")
"""Two containers on docker0 each; and four, on three networks each, of which ninety are more than an engine's pools."""


def group(stage: Stage, rounds: int, students: int = STUDENTS) -> Group:
    """Return what a class takes: `up` with the grades, the same again, `grade`, and `down` with its second look."""
    contenders = [
        Contender(f"{OURS}, {students} of {name}", lambda name=name: _class(stage, name, students)) for name in LABS
    ]
    text = (
        f"{students} students on two hosts: `up --students` (made and graded), the same again, `grade`, and `down` "
        "(removed, and looked at again)."
    )
    found = compete("a class", contenders, rounds, text, clean=lambda: clean(stage))
    found.ratios = False
    return found


def _class(stage: Stage, name: str, students: int) -> Seconds:
    words = (name, "--students", str(students))
    up, again = timed(stage.dockerlab("up", *words)), timed(stage.dockerlab("up", *words))
    graded = timed(stage.dockerlab("grade", *words, "--format", "json"))
    summaries = [each["summary"] for each in json.loads(graded.output)["students"]]
    down = timed(stage.dockerlab("down", *words))
    require("nothing is left" in down.said, "something is left after down")
    return {
        "up": up.seconds,
        "again": again.seconds,
        "grade": graded.seconds,
        "down": down.seconds,
        "cells": float(sum(summary["pass"] for summary in summaries)),
    }
