"""What is discovered of a lab is its definition, and makes it again; `scripts/differential --discover` has more."""

from __future__ import annotations

import pytest
from e2e.differential import compare, labs, roundtrip

SEED, COUNT = 16, 2


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("number", range(COUNT))
def test_a_random_lab_comes_back(number):
    """A random lab is discovered as it is defined, seen as is predicted on the spot, and has the same matrix again."""
    with compare.session() as opened:
        trip = roundtrip.travel(labs.from_seed(SEED, COUNT, compare.links(opened))[number], opened)
    assert trip.clean, f"{trip.told()}\n{trip.text}"
    assert trip.cells
