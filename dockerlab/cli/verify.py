"""`dockerlab verify`: probe and compare."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.finishing import finish
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.cli.unnamed import NOTHING, Unnamed, unnamed
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.students.roster import Student
    from dockerlab.verify import Report


@placed
@unnamed
def verify(
    lab: o.LabOrHosts = None,
    settings: o.SetOption = None,
    where: Places = HERE,
    student: o.StudentOption = None,
    students: o.AmongOption = None,
    subnets: o.SubnetsOption = None,
    prober: o.ProberOption = o.ProberChoice.AUTO,
    as_is: o.AsIsOption = False,
    what: Unnamed = NOTHING,
    helper: o.HelperOption = False,
    why: o.WhyOption = False,
    form: o.FormatOption = o.Format.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Probe every cell of the matrix and hold it against what is expected.

    Without LAB it is the matrix of what runs on the hosts that are named, held against what is predicted of them.
    """
    what.refuse_with(lab)
    if lab is None:
        if student is not None or students is not None or settings:
            raise UsageError("--student, --students and --set go with a LAB: name it")
        with what.found(where) as (spot, session):
            from dockerlab.verify import on_the_spot

            finish(on_the_spot.verify(spot, session.hosts, prober.value, helper=helper), form, output, why=why)
    else:
        _defined(
            lab,
            settings,
            where,
            of_class.among(student, students),
            subnets,
            prober,
            known=students is not None,
            as_is=as_is,
            show=partial(finish, form=form, output=output, why=why),
        )


def _defined(
    lab: str,
    settings: o.SetOption,
    where: Places,
    student: Student | None,
    subnets: str | None,
    prober: o.ProberChoice,
    *,
    known: bool,
    as_is: bool,
    show: Callable[[Report], None],
) -> None:
    """Verify a lab that has a definition."""
    if student is not None:
        from dockerlab.verify import on_hosts

        with of_class.instance_of(lab, settings, student, where, subnets, known=known) as (instance, session):
            report = on_hosts.verify(instance.lab, session.hosts, prober.value, student.id, as_is=as_is)
            show(report)
    definition = loading.load_lab(lab, settings, where)
    with where.open(definition.addresses) as session:
        from dockerlab.verify import on_hosts  # while the hosts are connected to

        show(on_hosts.verify(definition, session.hosts, prober.value, as_is=as_is))
