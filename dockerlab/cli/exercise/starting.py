"""`dockerlab exercise list`, `start` and `stop`: which ones there are, how one begins and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import completion, handing
from dockerlab.cli import options as o
from dockerlab.cli.exercise import common, words
from dockerlab.cli.output import say, show, tell
from dockerlab.cli.places import HERE, AcceptOption, Places, placed
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.exercise.model import Folder
    from dockerlab.exercise.progress import Progress
    from dockerlab.provision.reporting import Reporting


def show_list() -> None:
    """List the exercises: ID, title, steps, faults, and how far you are."""
    from dockerlab.exercise import loader, progress

    where = progress.directory()
    on = {name: progress.read(name, where) for name in progress.running(where)}
    rows = []
    for identity, path in loader.exercises().items():
        folder = loader.load(path)
        steps, here = len(folder.exercise.steps), on.get(identity)
        state = "" if here is None else "done" if here.step >= steps else f"step {here.step + 1}"
        state += f", {words.helped(here)}" if here is not None and here.solved else ""
        faults = len(folder.exercise.faults)
        size = f"{steps} steps, {faults} fault{'' if faults == 1 else 's'}"
        rows.append((identity, folder.lab.title, size, state))
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(3)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, (*widths, 0), strict=True)) for row in rows)
    tell("".join(f"{line.rstrip()}\n" for line in lines))


@placed
def start(
    exercise: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="An ID or number from the list, or a folder.", autocompletion=completion.exercises
        ),
    ],
    where: Places = HERE,
    step: Annotated[
        int | None,
        typer.Option("--step", min=1, metavar="N", help="Begin at this step: those before it are done for you."),
    ] = None,
    allow_environment: handing.AllowOption = False,
    verbose: o.VerboseOption = False,
) -> None:
    """Begin an exercise: make its lab (or leave that to you), and show the first task."""
    from dockerlab.cli.progress import reporting
    from dockerlab.exercise import course, loader, lost, progress

    folder, at = loader.load(loader.find(exercise)), progress.directory()
    begun = progress.read(folder.id, at)
    done = _done(folder, step, where, begun)
    if begun is not None:
        progress.same(begun, folder.path)
        say(f"{folder.id} is on since {begun.started}: it goes on where you were")
        if common.lost(begun):
            begun = _set_up_again(folder, begun, reporting(verbose=verbose))
            progress.write(begun, at)
        else:
            _bring_back(folder, begun, reporting(verbose=verbose))
        show(words.of_task(folder, begun))
        return
    handing.ask(folder.lab, lambda: [folder.path / "lab.yaml"], where, allowed=allow_environment)
    if not where.named:
        say(f"the hosts are those of {folder.path / 'lab.yaml'}; with --sandbox they are made in this machine")
    with where.open(folder.lab.addresses) as session:
        made = folder.exercise.begin == "made"
        if not made:
            course.refuse_what_is_there(folder.lab, session.hosts)
        begun = course.new(folder, where.whereabouts(), course.survey(folder, session.hosts))
        progress.write(begun, at)
        make = course.make if made else course.bring_images
        make(folder, session, reporting(verbose=verbose), common.undo(folder))
        lost.retrace(folder, done, session.controller, f"'{common.undo(folder)}'", say)
        begun = begun.model_copy(update={"step": done})
        progress.write(begun, at)
    to_do = "nothing is made yet: that is for you to do" if not done else f"{done} of its steps are done"
    say(f"{folder.id}: {'the lab is up' if made and not done else to_do}")
    show(words.of_task(folder, begun))
    say("\n'dockerlab exercise check' says what holds; hint and solution help, and stop ends it")


def _bring_back(folder: Folder, begun: Progress, reporting: Reporting) -> None:
    """Bring the images again that are not there any more, whoever has removed them."""
    from dockerlab.provision.up import bring_images

    with Places(begun.sandbox, begun.inventory).open(folder.lab.addresses) as session:
        for each in bring_images(folder.lab, session.hosts, session.controller, reporting, common.undo(folder)):
            say(f"{folder.id}: image {each} was not there any more, and is again")


def _done(folder: Folder, step: int | None, where: Places, begun: Progress | None) -> int:
    """Return how many steps are to be done beforehand; raises UsageError where none can be."""
    if step is None:
        return 0
    steps = len(folder.exercise.steps)
    if begun is not None:
        raise UsageError(f"{folder.id} is on since {begun.started}: '{common.undo(folder)}' first, then --step {step}")
    if step > steps:
        raise UsageError(f"--step {step}: {folder.id} has {steps} steps")
    if step > 1 and not where.sandbox:
        raise UsageError(f"--step {step}: the steps' commands are written for the sandbox: add --sandbox")
    return step - 1


def _set_up_again(folder: Folder, begun: Progress, reporting: Reporting) -> Progress:
    """Make in a new sandbox what was in the one that is gone, and return the progress from now on."""
    from dockerlab.exercise import lost

    say(f"{folder.id}: the sandbox that it was begun in is gone; what was there is set up again")
    with Places(sandbox=True).open(folder.lab.addresses) as session:
        return lost.set_up(folder, begun, session, reporting, common.undo(folder), say)


def stop(
    exercise: common.Which = None,
    accept_new_host_keys: AcceptOption = False,
    verbose: o.VerboseOption = False,
) -> None:
    """Take everything away, also what is broken, and prove that nothing is left."""
    from dockerlab.cli.progress import reporting
    from dockerlab.exercise import ending, progress

    folder, here = common.current(exercise)
    where = progress.directory()
    if common.lost(here):
        progress.forget(folder.id, where)
        say(f"{folder.id}: the sandbox is gone, and everything with it")
        return
    with common.hosts_of(folder, here, accept_new_host_keys) as session:
        ended = ending.stop(folder, here, session, reporting(verbose=verbose), _others(folder.id))
    for line in ended.mended:
        say(line)
    say(f"{folder.id}: {ended.removed} removed")
    for line in ended.proof if verbose else ():
        tell(f"{line}\n")
    if ended.left:
        lines = "\n".join(f"  {line}" for line in ended.left)
        say(f"not as it was at the beginning; mend it, and run stop again:\n{lines}")
        raise typer.Exit(4)
    progress.forget(folder.id, where)
    say(f"looked again at {', '.join(session.hosts)}: {LOOKED_AT} are what they were")
    say(f"{folder.id}: nothing is left")


LOOKED_AT = "containers, networks, images, interfaces, routes, iptables rules and settings"


def _others(identity: str) -> frozenset[str]:
    """Return the names of networks, containers and images of the other exercises that are on."""
    from dockerlab.exercise import loader, progress

    where = progress.directory()
    on = [progress.read(name, where) for name in progress.running(where) if name != identity]
    folders = [loader.load(each.folder) for each in on if each is not None]
    return frozenset(
        name for each in folders for name in (*each.lab.networks, *each.lab.containers, *each.images_to_make)
    )
