"""A lesson: what each student of a class does with exercise 01, again and again until its end, and what was wrong."""

from __future__ import annotations

import asyncio
import random
import re
import time
from dataclasses import dataclass, field

from bench.pupil import Page, Times
from dockerlab.exercise import loader

EXERCISE = loader.load(loader.find("01"))
ON_HOST = "dockerlab sandbox ssh vm0 "
"""What a README has ahead of each command, and a terminal on vm0 needs not."""

ANSWERS = (
    (),
    (r"eth0@if(\d+)",),
    (r"inet (172\.[\d.]+)/16 .* eth0", r"default via ([\d.]+)"),
    (r"PING ([\d.]+) [\s\S]*?\(\1\) at ([0-9a-f:]+)", "no"),
)
"""What a student reads from the screen for each step's questions (the last group of its last match), or knows."""

KEY = (0.08, 0.25)
"""Seconds between two keys: some six a second."""


@dataclass
class Lesson:
    """A class's teacher, when its end is, how long somebody thinks at a command (seconds, from and to), and what came.

    `wrong` are grades that were others than they had to be, or orders that were refused; `done` is what each student
    has done: how many steps, and how many checks.
    """

    teacher: Page
    end: float
    think: tuple[float, float]
    times: Times = field(default_factory=Times)
    wrong: list[str] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Tell whether the lesson has come to its end."""
        return time.monotonic() > self.end


async def play(lesson: Lesson, name: str, page: Page, chance: random.Random) -> None:
    """Be one student: go through the exercise, hand in, be set back by the teacher, and go through it again."""
    await asyncio.sleep(chance.uniform(0, 3))
    lesson.times.page.append(await page.open())
    lesson.steps[name] = lesson.checks[name] = 0
    watching = asyncio.create_task(_watch(lesson, page))
    try:
        async with page.terminal("vm0", lesson.times) as screen:
            while not lesson.over:
                for number, section in enumerate(EXERCISE.sections):
                    await _step(lesson, name, page, screen, number, section, chance)
                    if lesson.over:
                        break
                else:
                    await page.order("hand-in")
                    await set_back(lesson, name)
            await screen.line(f"docker rm --force {' '.join(EXERCISE.lab.containers)}", lambda: chance.uniform(*KEY))
    finally:
        watching.cancel()


async def _step(lesson, name, page, screen, number, section, chance) -> None:  # noqa: PLR0913, PLR0917 - one call
    """Ask for a check too early, do what the section says, and check again."""

    async def think() -> None:
        await asyncio.sleep(min(chance.uniform(*lesson.think), max(0, lesson.end - time.monotonic())))

    await think()
    await check(lesson, name, page, ["1.2.3.4"] * len(ANSWERS[number]), "fail", lesson.times.check)
    said = ""
    for block in section.blocks:
        for command in block.commands:
            if lesson.over:
                return
            await think()
            said += await screen.line(command.replace(ON_HOST, ""), lambda: chance.uniform(*KEY))
    await think()
    found = [_read(pattern, said) for pattern in ANSWERS[number]]
    unread = [pattern for pattern, answer in zip(ANSWERS[number], found, strict=True) if answer is None]
    if unread:  # an answer that nobody gives is not right, and says nothing of the check
        lesson.times.lost.append(f"{name}: {unread} not on the screen: {said[-1500:]!r}")
    if await check(
        lesson, name, page, [each or "" for each in found], "fail" if unread else "pass", lesson.times.check
    ):
        lesson.steps[name] += 1


def _read(pattern: str, said: str) -> str | None:
    """Return what a student reads on the screen, or what he knows; None where it is not there."""
    if "(" not in pattern:
        return pattern
    found = list(re.finditer(pattern, said))
    return found[-1].groups()[-1] if found else None


async def check(lesson: Lesson, name: str, page: Page, answers, wanted: str, times: list[float]) -> bool:
    """Press `check`, and tell whether the verdict is what is wanted (empty: any); it takes until it is on the page."""
    while page.state["busy"] or page.state["looking"]:
        await page.until(lambda state: not state["busy"] and not state["looking"], None)
    attempt = page.state["last"]
    began = time.monotonic()
    error, _ = await page.order("check", answers=answers)
    if error:
        lesson.wrong.append(f"{name}: check refused: {error}")
        return False
    lesson.checks[name] += 1
    state = await page.until(lambda state: state["last"] != attempt and not state["busy"])
    times.append(time.monotonic() - began)
    verdict = state["last"]["verdict"]
    if wanted and verdict != wanted:
        lesson.wrong.append(f"{name}: {state['title']}: {verdict}, not {wanted}, of {answers}: {state['last']['text']}")
    return verdict == wanted


async def _watch(lesson: Lesson, page: Page) -> None:
    """Get the lab's picture and matrix when there are new ones, as the page does; note how long a look takes."""
    before = {"looking": False, "seen": -1}
    since = 0.0
    while True:
        now = await page.until(lambda state, old=before: any(state[key] != old[key] for key in old), None)
        if now["looking"] and not before["looking"]:
            since = time.monotonic()
        elif before["looking"] and not now["looking"]:
            lesson.times.look.append(time.monotonic() - since)
        if now["seen"] != before["seen"]:
            await page.get("lab")
        before = {key: now[key] for key in before}


async def set_back(lesson: Lesson, name: str) -> None:
    """Have the teacher set a student back to the beginning of the exercise."""
    error, seconds = await lesson.teacher.order("reset", to=name, step=0)
    lesson.times.reset.append(seconds)
    if error:
        lesson.wrong.append(f"{name}: reset: {error}")
