"""`dockerlab quiz`: predict cells of the matrix before they are shown."""

from __future__ import annotations

import secrets
import shlex
import sys
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli.output import say, write
from dockerlab.cli.output import tell as show
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.lab.model import Lab
    from dockerlab.quiz.answers import Answered
    from dockerlab.quiz.questions import Question
    from dockerlab.versions import Engine


class QuizFormat(str, Enum):
    """How a quiz is held."""

    TEXT = "text"
    JSON = "json"


@placed
def quiz(
    lab: o.LabArgument,
    number: Annotated[int, typer.Option("--questions", "-n", min=1, max=1000, help="How many cells are asked.")] = 10,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed asks the same; else one by chance.")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Ask about the lab as it is on its hosts now, not as expected.")
    ] = False,
    engine: Annotated[str, typer.Option("--engine", help="Without --verify: the engine's version.")] = o.ENGINE,
    settings: o.SetOption = None,
    where: Places = HERE,
    form: Annotated[QuizFormat, typer.Option("--format", help="What is on standard output.")] = QuizFormat.TEXT,
    output: o.OutputOption = None,
) -> None:
    """Ask who reaches whom before it is shown, and explain each wrong answer; exit code 1 when there is one."""
    from dockerlab.quiz import answers
    from dockerlab.quiz.questions import choose

    definition = loading.load_lab(lab, settings, where)
    imagined = o.checked_engine(engine)
    known = _observed(definition, where) if verify else _predicted(definition, imagined)
    chosen_by = secrets.randbelow(1_000_000) if seed is None else seed
    chosen = choose(known, number, chosen_by)
    if not chosen:
        raise UsageError(f"{definition.name}: no cell could be told" + ("; is the lab up?" if verify else ""))
    machine = form is QuizFormat.JSON or output is not None
    tell = say if machine else _print
    tell(f"{definition.name}: {len(chosen)} questions, seed {chosen_by}. Answer y or n; q ends it.")
    tell(f"'dockerlab graph {shlex.quote(lab)}' draws the lab.")
    marked = ask(chosen, sys.stdin.readline, tell, patient=sys.stdin.isatty())
    tell(f"\n{answers.score(marked)}")
    if machine:
        write(answers.as_json(definition.name, chosen_by, marked), output)
    raise typer.Exit(0 if all(each.right for each in marked) else 1)


def ask(
    chosen: list[Question], read: Callable[[], str], say: Callable[[str], None], *, patient: bool
) -> list[Answered]:
    """Ask each question and return it with its answer; what is no answer is asked again of a `patient` reader.

    After the end of the input, or a `q`, the other questions are without an answer, and not explained.
    """
    from dockerlab.checks.answers import meaning
    from dockerlab.quiz.answers import Answered, explained

    marked: list[Answered] = []
    for number, question in enumerate(chosen, 1):
        say(f"\n{number}. {question.text} [y/n]")
        line = read()
        while patient and line and meaning(line) is None and line.strip().lower() != "q":
            say("  y for yes, n for no, q to end")
            line = read()
        if not line or line.strip().lower() == "q":
            return [*marked, *(Answered(rest, None) for rest in chosen[number - 1 :])]
        marked.append(Answered(question, meaning(line)))
        for told in explained(marked[-1]):
            say(told)
    return marked


def _predicted(definition: Lab, engine: Engine) -> list[Question]:
    from dockerlab.quiz.questions import predicted
    from dockerlab.reach import asked, worlds

    return predicted(asked.expected(worlds.offline(definition, engine)).rows)


def _observed(definition: Lab, where: Places) -> list[Question]:
    from dockerlab.quiz.questions import observed
    from dockerlab.verify import on_hosts

    with where.open(definition.addresses) as session:
        report = on_hosts.verify(definition, session.hosts)
    for error in report.silent.values():
        say(str(error))
    return observed(report.cells)


def _print(line: str) -> None:
    show(f"{line}\n")
    sys.stdout.flush()
