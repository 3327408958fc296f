"""What `check` says, recorded: of what is not made yet, of what is made wrong, of what was removed in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.classroom import Classroom

from dockerlab.cli.exercise.words import Level

GOLDEN = Path(__file__).parents[1] / "golden" / "exercises"
VM0, VM1 = "dockerlab sandbox ssh vm0 docker", "dockerlab sandbox ssh vm1 docker"
RUN = "run --detach --interactive --tty"
README = "as the README says"

WAYS = {
    "01": [
        f"{VM0} {RUN} --name centos-v1 dockerlab/node",
        f"{VM0} {RUN} --name centos_v2 alpine",
        f"{VM0} rm --force centos_v2",
        README,
        f"{VM0} stop centos_v1",
    ],
    "03": [
        README,
        f"{VM0} {RUN} --name stray --publish 8080:80 dockerlab/node",
        f"{VM0} {RUN} --name nginx --publish 8080:80 dockerlab/node",
        f"{VM0} stop stray",
        f"{VM0} {RUN} --name nginx --publish 127.0.0.1:8080:80 dockerlab/node httpd -f -p 8080 -h /www",
    ],
    "05": [
        f"{VM0} network create --driver macvlan --subnet 192.168.22.0/24 --opt parent=eth0 macvlan50",
        f"{VM1} network create --driver bridge --subnet 192.168.23.0/24 macvlan50",
        f"{VM1} {RUN} --name centos_vm1_v1 --network macvlan50 dockerlab/node",
    ],
    "08": [
        f"{VM0} {RUN} --name client dockerlab/node",
        f"{VM0} {RUN} --name nginx-web1 --publish 80:81 dockerlab/node httpd -f -p 80 -h /www",
        f"{VM0} rm --force nginx-web1",
        README,
        README,
        f"{VM0} rm --force nginx-web1",
    ],
    "11": [
        f"{VM0} network create --internal --subnet 172.28.1.0/24 front",
        f"{VM0} {RUN} --name web --network front --ip 172.28.1.20 dockerlab/node",
        f"{VM0} rm --force web",
        f"{VM0} network rm front",
        README,
        f"{VM0} network disconnect front web",
    ],
}
"""By exercise: what is typed, one thing after the other; after each of them `check` is asked."""


@pytest.mark.parametrize("number", WAYS)
def test_transcript(number, golden):
    """Each check says what is wrong of what the step asks, in the order in which it can be put right, and no more."""
    room = Classroom(number)
    lines = ["$ dockerlab exercise check", *_checked(room)]
    for typed in WAYS[number]:
        if typed == README:
            lines += ["", f"# {README}, step {room.here.step + 1}"]
            room.does()
        else:
            refused = room.types(typed)
            lines += ["", f"$ {typed}", *([refused] if refused else [])]
        lines += ["$ dockerlab exercise check --how", *_checked(room, Level.HOW)]
    golden(GOLDEN / f"{number}.txt", "\n".join(lines) + "\n")


def _checked(room, much=Level.WHAT):
    """Return what `check` says, and go on where nothing is left but a question, or what no pretended host tells."""
    said = room.check(much=much)[1].splitlines()
    bad = [n for n, line in enumerate(said) if line.startswith("FAIL")]
    if bad and all(said[n + 1].strip().startswith("not answered") for n in bad):
        room.here = room.here.model_copy(update={"step": room.here.step + 1})
    return said
