"""Labs for tests: from text to a checked definition, and on to one that pretended engines run."""

from textwrap import dedent

from dockerlab import modes
from dockerlab.ground.present import Beneath
from dockerlab.identity import Identity
from dockerlab.imagined import ground
from dockerlab.lab.loader import load, loads
from dockerlab.plan.bringing_up import Situation, up
from support.pretend import Engines


def read(path):
    """Return the checked definition in a file."""
    return load(path, networks=modes.network_types(), checks=[modes.check])


def lab(text, **overrides):
    """Return the checked definition in a text; `name` need not be given."""
    body = dedent(text)
    head = "" if body.lstrip().startswith("name:") or "\nname:" in body else "name: demo\n"
    return loads(head + body, networks=modes.network_types(), checks=[modes.check], overrides=overrides)


def who(definition, owner="teacher@desk", run="0", instance=None):
    """Return a fixed identity."""
    return Identity(definition.name, owner, run, instance)


def plan_up(definition, engines, identity=None, images=None):
    """Return the plan of `up` on pretended engines as they are."""
    situation = Situation(engines.snapshots(), engines.addresses(), engines.files(), beneath(definition))
    return up(definition, identity or who(definition), situation, images)


def beneath(definition):
    """Return what there is of hosts that nobody has changed yet."""
    bare = ground.made_up(definition)
    return {host: Beneath(bare[host].ground) for host in definition.grounds}


def running(definition, identity=None):
    """Return engines on which a lab was brought up."""
    engines = Engines(definition.hosts)
    engines.carry_out(plan_up(definition, engines, identity))
    return engines
