"""`dockerlab verify`: probe and compare."""

from __future__ import annotations

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.finishing import finish
from dockerlab.cli.places import HERE, Places, placed


@placed
def verify(
    lab: o.LabArgument,
    settings: o.SetOption = None,
    where: Places = HERE,
    student: o.StudentOption = None,
    subnets: o.SubnetsOption = None,
    prober: o.ProberOption = o.ProberChoice.AUTO,
    as_is: o.AsIsOption = False,
    why: o.WhyOption = False,
    form: o.FormatOption = o.Format.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Probe every cell of the matrix and hold it against what is expected."""
    if student is not None:
        from dockerlab.verify import on_hosts

        with of_class.instance_of(lab, settings, student, where, subnets) as (instance, session):
            report = on_hosts.verify(instance.lab, session.hosts, prober.value, student, as_is=as_is)
            finish(report, form, output, why=why)
    definition = loading.load_lab(lab, settings)
    with where.open(definition.addresses) as session:
        from dockerlab.verify import on_hosts  # while the hosts are connected to

        finish(on_hosts.verify(definition, session.hosts, prober.value, as_is=as_is), form, output, why=why)
