"""`dockerlab exercise seal`: what stands in an exercise.yaml for an answer, so that nobody reads it."""

from __future__ import annotations

from typing import Annotated

import typer

from dockerlab.cli.output import write


def seal(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question, word for word.")],
    answers: Annotated[list[str], typer.Argument(metavar="ANSWER\u2026", help="Every answer that is right.")],
) -> None:
    """Print the line `sealed:` for a question of your own exercise; case and further blanks make no difference."""
    from dockerlab.checks import answers as sealing

    seals = dict.fromkeys(sealing.seal(question, answer) for answer in answers)
    write(f"sealed: [{', '.join(seals)}]\n", None)
