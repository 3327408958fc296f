"""One case a file: the commands that make it, those that remove it, and who reaches whom, held against recordings."""

from itertools import groupby
from pathlib import Path

import pytest
from support.labs import read, running, who
from support.pretend import identifier
from support.worlds import pretended

from dockerlab import modes, plan
from dockerlab.ground.present import Beneath
from dockerlab.provision import scripts
from dockerlab.reach import matrix

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
CASES = {str(path.relative_to(HERE).with_suffix("")): path for path in sorted(HERE.glob("*/*.yaml"))}
CASES |= {f"examples/{path.stem}": path for path in sorted(EXAMPLES.glob("*.yaml"))}
MARKS = {True: "yes", False: "no", None: "?"}


def shown(cell, expected):
    """Return a cell as a line: prediction, question, symptom, rule and reason."""
    target = "" if cell.target == cell.to else f" {cell.target or '-'}"
    holder = f" @{cell.holder}" if cell.holder not in (None, cell.to) else ""
    answers = f" = {', '.join(cell.answers)}" if cell.answers else ""
    symptom = f" ({expected.symptom})" if expected.symptom else ""
    question = f"{cell.to}{target}{holder} {cell.probe}{answers}"
    return f"  {MARKS[expected.reachable]:<4}{question}{symptom} [{expected.rule}]\n      {expected.because(cell)}\n"


@pytest.mark.parametrize("case", CASES)
def test_case(case, golden):
    """The rendered script, the commands of `down`, and every predicted cell are what was read and recorded."""
    lab = read(CASES[case])
    recorded = HERE / case
    golden(recorded.with_name(f"{recorded.name}.up.sh"), scripts.of(lab, who(lab)))

    engines = running(lab)
    kernels = pretended(lab, engines).fabric.net.machines
    beneath = {host: Beneath(kernels[host].ground) for host in lab.grounds}
    removal = plan.down(engines.snapshots(), lab.name, "teacher@desk", files=engines.files(), beneath=beneath)
    lines = [
        f"{command.host}: {command.shell()}".replace(identifier(command.host, step.key.name), f"ID-of-{step.key.name}")
        for step in removal.ordered()
        for command in step.commands
    ]
    golden(recorded.with_name(f"{recorded.name}.down.txt"), "\n".join([*lines, *removal.notes]) + "\n")

    cells = matrix(pretended(lab, engines))
    by_source = groupby(cells, key=lambda pair: pair[0].source)
    text = "\n".join(f"{source}\n" + "".join(shown(*pair) for pair in group) for source, group in by_source)
    golden(recorded.with_name(f"{recorded.name}.matrix.txt"), text)


def test_cases_cover_every_mode():
    """Every mode has a folder of cases, every recording belongs to a case, and all examples are there."""
    assert {mode.name for mode in modes.all_modes()} <= {case.partition("/")[0] for case in CASES}
    recorded = {str(path.relative_to(HERE)) for path in HERE.glob("*/*") if path.suffix in (".sh", ".txt")}
    assert recorded == {f"{case}{ending}" for case in CASES for ending in (".up.sh", ".down.txt", ".matrix.txt")}
    assert len(list(EXAMPLES.glob("*.yaml"))) >= 9
