"""Exercises walked on pretended engines: in another order, with strays, with what is forgotten or wrong."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from support.classroom import Classroom
from support.worlds import pretended

from dockerlab.cli.exercise.words import Level
from dockerlab.exercise import loader
from dockerlab.reach import matrix

VM0, VM1 = "dockerlab sandbox ssh vm0 docker", "dockerlab sandbox ssh vm1 docker"
RUN = "run --detach --interactive --tty"


def failures(said):
    """Return the lines of what is not as it should be, each with what is said below it."""
    parts, lines = [], said.splitlines()
    for line in lines:
        if not line.startswith(" "):
            parts.append([])
        parts[-1].append(line.strip())
    return [part for part in parts if not part[0].startswith("pass")]


def test_01_with_a_mistyped_container():
    """The address that a container has is right, whatever has taken the first one, and the first one is wrong."""
    room = Classroom("1")
    room.types(f"{VM0} {RUN} --name centos-v1 dockerlab/node")
    verdict, said = room.check()
    assert verdict == "fail"
    assert "vm0: container centos_v1 does not exist (there is one called centos-v1)" in said
    room.does()
    assert room.check()[0] == "pass"
    assert room.check("10")[0] == "fail"
    assert room.check("11")[0] == "pass"
    assert failures(room.check("172.17.0.2", "172.17.0.1")[1]) == [
        ["FAIL    Which address has centos_v1 (without the /16)?", "'172.17.0.2' is not right"],
    ]
    assert room.check("172.17.0.3/16")[0] == "pass"


def test_01_asks_in_every_step():
    """No step passes by a check alone that holds before anything was done."""
    room = Classroom("1")
    room.does()
    assert room.check()[0] == "pass"
    for _ in range(2):
        verdict, said = room.check()
        assert (verdict, "not answered yet" in said) == ("fail", True)
        room.here = room.here.model_copy(update={"step": room.here.step + 1})
    assert "not answered yet" in room.check()[1]


def test_03_in_another_order():
    """The rule leads to where the container is, whichever was started first."""
    room = Classroom("3")
    room.types(f"{VM1} {RUN} --name remote dockerlab/node")
    said = room.check()[1]
    assert "vm0: container client does not exist" in said
    room.does(1)  # the server, before the client
    room.types(f"{VM0} {RUN} --name client dockerlab/node")
    room.here = room.here.model_copy(update={"step": 1})
    assert failures(room.check("172.17.0.3:80")[1]) == [
        ["FAIL    Where does the rule send what comes for port 8080 (ADDRESS:PORT)?", "'172.17.0.3:80' is not right"],
    ]
    assert room.check("172.17.0.2:80")[0] == "pass"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "--publish 8080:80 dockerlab/node",
            "runs `nothing`, and the lab wants `httpd -f -p 80 -h /www`",
        ),
        (
            "--publish 8080:80 dockerlab/node httpd -p 8080",
            "runs `httpd -p 8080`, and the lab wants `httpd -f -p 80 -h /www`",
        ),
        ("--publish 8080:80 nginx httpd -f -p 80 -h /www", "runs image nginx, and the lab wants dockerlab/node"),
        (
            "--publish 127.0.0.1:8080:80 dockerlab/node httpd -f -p 80 -h /www",
            "publishes its port 80/tcp on 127.0.0.1 only, and the lab wants it on every address of the host",
        ),
        ("dockerlab/node httpd -f -p 80 -h /www", "does not publish its port 80/tcp as 8080"),
        (
            "--publish 8081:80 dockerlab/node httpd -f -p 80 -h /www",
            "does not publish its port 80/tcp as 8080, and publishes its port 80/tcp as 8081",
        ),
    ],
)
def test_03_with_something_wrong(typed, said):
    """Another command, image, port or address is told in its step, and again in the next one."""
    room = Classroom("3")
    room.does()
    assert room.check()[0] == "pass"
    room.types(f"{VM0} {RUN} --name nginx {typed}")
    (_, *told), *_ = failures(room.check()[1])
    assert len(told) == 1
    assert told[0].startswith(f"vm0: container nginx {said}")
    assert "docker" not in told[0].replace("dockerlab", "")
    room.here = room.here.model_copy(update={"step": 2})
    first = failures(room.check()[1])[0]
    assert first == ["FAIL    what the steps before have made is as it was", *told]
    assert "right would be, on vm0: docker rm --force nginx" in room.check(much=Level.HOW)[1]


def test_03_where_another_container_has_the_port():
    """Who holds the port is named, and what is printed then works."""
    room = Classroom("3")
    room.does()
    room.check()
    room.types(f"{VM0} {RUN} --name nginx2 --publish 8080:80 dockerlab/node httpd -f -p 80 -h /www")
    assert "already allocated" in room.types(
        f"{VM0} {RUN} --name nginx --publish 8080:80 dockerlab/node httpd -f -p 80 -h /www"
    )
    said = room.check(much=Level.HOW)[1]
    assert (
        "vm0: container nginx does not exist (there is one called nginx2); container nginx2 holds port 8080 of vm0"
        in (said)
    )
    remedies(room, said)
    assert "FAIL    as the lab" not in room.check()[1]


def remedies(room, said):
    """Type what is printed as right, in its order; none of it may be refused."""
    lines = [line.partition(" on ")[2] for line in said.splitlines() if line.strip().startswith("right would be, on ")]
    assert lines, said
    for line in lines:
        host, _, command = line.partition(": ")
        assert room.types(f"dockerlab sandbox ssh {host} {command}") == "", line


def test_08_in_another_order():
    """Which container has the first address makes no difference, and there is always a way on."""
    room = Classroom("8")
    room.types(
        f"{VM0} {RUN} --name client dockerlab/node",
        f"{VM1} {RUN} --name remote dockerlab/node",
        f"{VM0} {RUN} --name nginx-web1 --publish 81:80 dockerlab/node httpd -f -p 80 -h /www",
    )
    assert room.check()[0] == "pass"
    room.does()
    assert len(failures(room.check("172.17.0.2", "3")[1])) == 2
    assert room.check("172.17.0.3", "two")[0] == "pass"


def test_08_counts_what_is_there():
    """A number is counted on the host: what was right before everything was removed is wrong afterwards."""
    room = Classroom("8")
    room.does()
    room.check()
    room.does()
    room.types(*(f"{VM0} rm --force {name}" for name in ("php-server", "nginx-web1", "client")))
    wrong = [told[:2] for told in failures(room.check("172.17.0.2", "2")[1])]
    assert ["FAIL    How many ports has docker0 on vm0, with php-server?", "'2' is not right"] in wrong


def test_08_without_its_owner():
    """That the owner is gone is told first, and nothing is printed that wants it before it is there again."""
    room = Classroom("8")
    room.does()
    room.check()
    room.does()
    room.types(f"{VM0} rm --force nginx-web1")
    said = room.check("172.17.0.2", "2", much=Level.HOW)[1]
    first, second, *_ = failures(said)
    assert first[:2] == [
        "FAIL    what the steps before have made is as it was", "vm0: container nginx-web1 does not exist",
    ]  # fmt: skip
    assert second[1] == (
        "vm0: container php-server is in the network namespace that nginx-web1 had, "
        "and nginx-web1 does not exist any more"
    )
    assert "container:nginx-web1" not in said
    remedies(room, said)
    there = room.engines["vm0"].containers
    there["nginx-web1"] = replace(there["nginx-web1"], id="another")
    said = room.check(much=Level.HOW)[1]
    assert "before it started anew, and so it is cut off" in said
    remedies(room, said)
    there["php-server"] = replace(there["php-server"], network_mode="container:another")
    assert room.check("172.17.0.2", "2")[0] == "pass"


def test_11_with_a_forgotten_alias():
    """What was forgotten is named, and nothing is said of what the steps behind will ask for."""
    room = Classroom("11")
    room.does()
    room.types(f"{VM0} rm --force web", f"{VM0} {RUN} --name web --network front --ip 172.28.1.10 dockerlab/node")
    verdict, said = room.check("127.0.0.11", much=Level.HOW)
    assert verdict == "fail"
    assert failures(said)[0][:2] == [
        "FAIL    as the lab defines it: front, web, app", "vm0: container web lacks the alias www on front",
    ]  # fmt: skip
    assert not {"back", "db", "vault"} & set(said.split())
    remedies(room, said)
    assert room.check()[0] == "pass"


def test_11_ahead_of_its_steps():
    """Who does more than a step asks for is not told to undo it."""
    room = Classroom("11")
    for step in (0, 1, 2):
        room.does(step)
    assert room.check("127.0.0.11")[0] == "pass"
    assert room.check("no")[0] == "pass"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("network create --subnet 172.28.9.0/24 front", "network front has subnet 172.28.9.0/24, and the lab wants"),
        ("network create --subnet 172.28.1.0/24 frnt", "network front does not exist"),
        ("network create --internal --subnet 172.28.1.0/24 front", "network front is internal, and the lab wants"),
    ],
)
def test_11_with_a_wrong_network(typed, said):
    """Another name, subnet or flag is told of the network, before its containers; what is printed puts it right."""
    room = Classroom("11")
    room.types(f"{VM0} {typed}")
    run = [line for line in room.folder.sections[0].blocks[0].commands if " run " in line]
    room.types(*run)
    told = failures(room.check("127.0.0.11")[1])[0]
    assert told[1].startswith(f"vm0: {said}")
    for _ in range(3):
        verdict, text = room.check("127.0.0.11", much=Level.HOW)
        if verdict == "pass":
            break
        remedies(room, text)
    assert verdict == "pass", text


def test_12_takes_y_and_n():
    """Yes and no are taken in any form, what was right is kept, and what is neither is not called wrong."""
    room = Classroom("12")
    room.check("side", "bare", "one")
    assert room.here.step == 1
    verdict, said = room.check("y", "N", "no", "j", "perhaps", "n", "yes", "n", "n")
    assert verdict == "fail"
    assert [told[1] for told in failures(said)] == ["'perhaps' is not understood: answer y or n", "'n' is not right"]
    assert room.check("y", "y")[0] == "pass"


def test_all_is_removed_at_the_end():
    """After the last step, what was made and is gone is told."""
    room = Classroom("12")
    room.here = room.here.model_copy(update={"step": 3})
    room.types(f"{VM0} rm --force side")
    verdict, said = room.check()
    assert (verdict, "vm0: container side does not exist" in said) == ("fail", True)


def test_11_as_its_readme_says():
    """Step after step passes with its own commands, and nothing is said of what a later one asks for."""
    room = Classroom("11")
    for answers in (["127.0.0.11"], ["n"], ["one"], ["y"], ["y", "yes"]):
        verdict, said = room.check()
        assert (verdict, "FAIL" in said) == ("fail", True)
        room.does()
        verdict, said = room.check(*answers)
        assert not failures(said.replace("UNKNOWN vm0, rules", "pass"))
        room.here = room.here.model_copy(update={"step": room.here.step + (verdict != "pass"), "answers": {}})
    assert room.here.step == 5


def test_03_on_one_address_only():
    """A port that is published on 127.0.0.1 only is expected as the lab has it, and what there is of it is said."""
    room = Classroom("3")
    room.does()
    room.types(f"{VM0} {RUN} --name nginx --publish 127.0.0.1:8080:80 dockerlab/node httpd -f -p 80 -h /www")
    room.here = room.here.model_copy(update={"step": 2})
    said = room.check(much=Level.WHY)[1]
    assert "by the model it should be reachable: vm0 publishes port 8080" in said
    rows = matrix(pretended(room.folder.lab, room.engines))
    (told,) = [told.because(cell) for cell, told in rows if (cell.source, cell.probe) == ("client", "tcp/8080")]
    assert told == "port 8080 is bound to 127.0.0.1: only vm0 itself can connect to that"


def test_03_without_a_port():
    """A container that was made without its port publishes none, and nothing else is said of why nobody answers."""
    room = Classroom("3")
    room.does()
    room.types(f"{VM0} {RUN} --name nginx dockerlab/node httpd -f -p 80 -h /www")
    rows = matrix(pretended(room.folder.lab, room.engines))
    (told,) = [told.because(cell) for cell, told in rows if (cell.source, cell.probe) == ("client", "tcp/8080")]
    assert told == "nginx was made without publishing port 8080"


VALUES = ("--name", "--ip", "--network", "--network-alias", "--subnet", "--gateway", "--driver")
ASIDE = {"bridge"}
"""What one need not say of a container: where it is anyway."""


def wanted(line):
    """Yield what somebody has to know to type a command that makes something: names, addresses, image, options."""
    argv = shlex.split(line)[5:]
    yield from (argv[at + 1] for at, word in enumerate(argv) if word in VALUES)
    yield from (argv[at + 1].partition("=")[2] for at, word in enumerate(argv) if word == "--opt")
    yield from (part for at, word in enumerate(argv) if word == "--publish" for part in argv[at + 1].split(":"))
    if argv[0] == "run":
        image = argv.index("dockerlab/node")
        yield from (argv[image], " ".join(argv[image + 1 :]))
    else:
        yield argv[-1]


STEPS = [
    pytest.param(folder, step, id=f"{folder.id}-{step + 1}")
    for folder in (loader.load(path) for path in loader.exercises().values())
    if folder.exercise.begin == "empty"
    for step in range(len(folder.sections))
]


@pytest.mark.parametrize(("folder", "step"), STEPS)
def test_a_task_says_all_that_is_to_be_made(folder, step):
    """Somebody who has read the tasks, and no command, knows every name, address, image and option that is asked."""
    told = " ".join(" ".join([folder.aim, *(each.prose for each in folder.sections[: step + 1])]).split())
    for block in folder.sections[step].blocks:
        for line in block.commands if not block.fails else ():
            if " docker run --detach" in line or " docker network create " in line:
                for word in set(wanted(line)) - ASIDE - {""}:
                    assert word.removeprefix("container:") in told, f"{word!r}, of {line}"
