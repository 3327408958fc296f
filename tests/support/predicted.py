"""What a report says beside expected and observed: the kernel's prediction of a cell, and the causes it names."""

from __future__ import annotations

from dockerlab.verify import judge, same_symptom


def causes(report):
    """Return the causes that a report names."""
    return [cause for cause, _ in report.told_causes]


def expect_causes(report, *wanted, only=True):
    """Expect a report to name causes: each a mapping of the fields that it must have, and no other with `only`."""
    fields = ("host", "side", "kind", "where", "text")
    found = [{name: getattr(cause, name) for name in fields} for cause in causes(report)]
    for each in wanted:
        assert any(_is(cause, each) for cause in found), (each, found)
    if only:
        strangers = [cause for cause in found if not any(_is(cause, each) for each in wanted)]
        assert not strangers, strangers


def _is(cause, wanted):
    """Tell whether a cause is a wanted one: its text has to contain the wanted one, all else has to be the same."""
    return wanted.get("text", "") in cause["text"] and wanted.items() - {("text", wanted.get("text"))} <= cause.items()


def expect_predictions(report):
    """Expect every cell of a report to be predicted as it was observed, and none to be without a prediction."""
    wrong = [
        f"{each.cell}: predicted {each.predicted}, observed {each.observed}"
        for each in report.cells
        if each.predicted is None
        or judge(each.predicted, each.observed) == "fail"
        or not same_symptom(each.predicted, each.observed)
    ]
    assert not wrong, "\n".join(wrong)
