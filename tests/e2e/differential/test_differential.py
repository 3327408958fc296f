"""The model against real engines: random labs from a fixed seed, and every lab on which the two once disagreed.

`scripts/differential` runs many more; what disagrees there becomes a case in `cases`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from e2e.differential import compare, labs

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
SEED, COUNT = 28, 10


def agree(lab):
    """Fail with every cell on which model and engines disagree, and with the lab."""
    text = lab if isinstance(lab, str) else labs.text_of(lab)
    with compare.session() as opened:
        outcome = compare.compare(text, opened)
    assert outcome.cells or outcome.refused
    wrong = [compare.shown(cell) for cell in (*outcome.mismatches, *outcome.unknown)]
    assert outcome.clean, "\n".join([outcome.refused, *wrong, text])


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_lab_that_once_disagreed_agrees(case):
    """A lab on which model and engine once disagreed comes up, agrees in every cell, and is gone after."""
    agree(case.read_text())


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("number", range(COUNT))
def test_a_random_lab_agrees(number):
    """A random lab over two hosts comes up, agrees with the model in every cell, symptom included, and is gone."""
    with compare.session() as opened:
        links = compare.links(opened)
    agree(labs.from_seed(SEED, COUNT, links)[number])
