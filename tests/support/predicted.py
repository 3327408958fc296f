"""What a report says beside expected and observed: the kernel's prediction of a cell, and the causes it names.

The one place that knows whether reports have them already.
"""

from __future__ import annotations

PREDICTS = False
"""Whether `verify` predicts by a walk through the hosts' kernels, and names causes."""


def predicts():
    """Tell whether reports have predictions and causes."""
    return PREDICTS


def prediction(judged):
    """Return what the hosts' kernels were predicted to do in a cell, or None where nothing was predicted."""
    return judged.predicted if PREDICTS else None


def causes(report):
    """Return the causes that a report names."""
    return report.causes if PREDICTS else ()


def expect_causes(report, *wanted, only=True):
    """Expect a report to name causes: each a mapping of the fields that it must have, and no other with `only`."""
    if not PREDICTS:
        return
    found = [{name: getattr(cause, name) for name in ("host", "side", "kind", "where")} for cause in report.causes]
    for each in wanted:
        assert any(each.items() <= cause.items() for cause in found), (each, found)
    if only:
        strangers = [cause for cause in found if not any(each.items() <= cause.items() for each in wanted)]
        assert not strangers, strangers


def expect_predictions(report):
    """Expect every cell of a report to be predicted as it was observed, and none to be without a prediction."""
    from dockerlab.verify import judge, same_symptom  # noqa: PLC0415 - the one user

    if not PREDICTS:
        return
    wrong = [
        f"{each.cell}: predicted {each.predicted}, observed {each.observed}"
        for each in report.cells
        if each.predicted is None
        or judge(each.predicted, each.observed) == "fail"
        or not same_symptom(each.predicted, each.observed)
    ]
    assert not wrong, "\n".join(wrong)
