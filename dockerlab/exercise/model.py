"""What an exercise.yaml says, as pydantic models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from dockerlab.checks.model import Check
from dockerlab.exercise.readme import Section
from dockerlab.faults.fault import Break
from dockerlab.lab.fields import Strict, Text, Texts
from dockerlab.lab.model import Lab

MAX_STEPS = 50
MAX_CHECKS = 100


class Step(Strict):
    """One step: its task and its commands stand in the section `## N · TITLE` of the README."""

    title: Text = Field(description="the title of the README's section", examples=["Two containers on docker0"])
    checks: tuple[Check, ...] = Field(
        (), max_length=MAX_CHECKS, description="what has to hold once the step is done, at least one"
    )
    hints: Texts = Field((), description="help, each more concrete than the one before")


class Exercise(Strict):
    """One exercise. What is to be built is in the lab.yaml beside it, what is to be read in the README.md."""

    begin: Literal["made", "empty"] = Field(
        "made", description="what `start` makes: the whole lab, or nothing but its images, so that it is typed along"
    )
    steps: tuple[Step, ...] = Field(max_length=MAX_STEPS, description="the way through it, at least one")
    intact: tuple[Check, ...] = Field(
        (), max_length=MAX_CHECKS, description="what holds while nothing is broken; a fault makes some of it fail"
    )
    faults: tuple[Break, ...] = Field((), max_length=MAX_CHECKS, description="what `exercise fault` may break")
    engines: Texts = Field(
        (), description="further engines on which the labs' test does it, beside the machine's own", examples=[["28.5"]]
    )


@dataclass(frozen=True)
class Folder:
    """An exercise with all that its folder holds; `id` is the folder's name."""

    id: str
    path: Path
    lab: Lab
    exercise: Exercise
    aim: str
    sections: tuple[Section, ...]

    @property
    def images_to_make(self) -> frozenset[str]:
        """Return the names of images that a step asks for and the lab does not: somebody makes them by hand."""
        looks = [check.look for step in self.exercise.steps for check in step.checks if check.look is not None]
        asked = {word for look in looks if look.at == "images" for word in (*look.has, *look.lacks)}
        return frozenset(asked - {f"{name}:latest" for name in _images(self.lab)} - _images(self.lab))


def _images(lab: Lab) -> set[str]:
    return {*lab.images, *(name for host in lab.hosts for name in lab.images_needed(host))}
