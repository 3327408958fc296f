"""The commands and the fingerprints of single objects."""

import pytest
from support.labs import lab, who

from dockerlab.identity import Identity, current
from dockerlab.plan import build, receipts

BASE = """
networks: {a: {subnet: 172.28.1.0/24}, b: {subnet: 172.28.2.0/24}}
containers:
  c: {image: x:1, networks: [a, b]}
"""


def fingerprint(text=BASE, **identity):
    made = lab(text)
    return build.container(made, "c", Identity("demo", **{"owner": "o", "run": "r", **identity}), {}).fingerprint


def test_fingerprint_is_of_the_definition():
    """The same definition has the same fingerprint, whoever builds it, whenever, wherever."""
    assert fingerprint() == fingerprint(owner="somebody@else", run="ffff", instance="student7")
    assert len(fingerprint()) == 12


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x:1", "x:2"),
        ("[a, b]", "[b, a]"),
        ("[a, b]", "[a]"),
        ("[a, b]", "{a: {}, b: {ip: 172.28.2.9}}"),
        ("[a, b]", "{a: {}, b: {aliases: [z]}}"),
        ("image: x:1", "image: x:1, command: sleep 1"),
        ("image: x:1", "image: x:1, labels: {a: b}"),
        ("image: x:1", "image: x:1, ports: ['80:80']"),
    ],
)
def test_fingerprint_changes(old, new):
    """Whatever changes in a container's definition changes its fingerprint."""
    assert fingerprint() != fingerprint(BASE.replace(old, new))


def test_fingerprint_has_what_it_builds_on():
    """A container on a changed network, or beside a changed owner, is another container."""
    made = lab(BASE)
    one = build.container(made, "c", who(made), {"a": "1"}).fingerprint
    assert one != build.container(made, "c", who(made), {"a": "2"}).fingerprint


def test_values_do_not_run_together():
    """Two definitions whose words differ only in where they are split have different fingerprints."""
    split = [fingerprint(BASE.replace("x:1", f"x:1, command: {words}")) for words in ("[a b]", "[a, b]", "['a b ']")]
    assert len(set(split)) == 3


def test_labels():
    """Every object says whose it is, in which run, and what it was made from; an instance only where there is one."""
    labels = Identity("demo", "o", "r").labels("f")
    assert labels == {
        "dockerlab.lab": "demo",
        "dockerlab.owner": "o",
        "dockerlab.run": "r",
        "dockerlab.fingerprint": "f",
    }
    assert Identity("demo", "o", "r", "s1").labels("f") == labels | {"dockerlab.instance": "s1"}


def test_current_identity():
    """Who acts now is a user at a machine, and every run has a name of its own."""
    one, two = current("demo"), current("demo", "s1")
    assert one.owner == two.owner
    assert one.run != two.run
    assert "@" in one.owner
    assert (one.lab, one.instance, two.instance) == ("demo", None, "s1")


def test_receipt():
    """A receipt is an empty volume with the lab's labels; the one that undoes it names it."""
    note = receipts.receipt("vm0", "swarm", Identity("demo", "o", "r"))
    assert note.create[0].resolve({})[:3] == ("docker", "volume", "create")
    assert "dockerlab.receipt=swarm" in note.create[0].argv
    assert note.undo[0].resolve({}) == ("docker", "volume", "rm", "dockerlab-swarm")


def test_first_network_is_where_it_starts():
    """`docker run` joins the first network, and every further one is connected, with its own addresses and names."""
    made = lab("""
        networks: {a: {subnet: 172.28.1.0/24}, b: {subnet: 172.28.2.0/24}, c: {}}
        containers:
          box: {networks: {b: {ip: 172.28.2.9}, a: {ip: 172.28.1.9, aliases: [x, y]}, c: {}}}
        """)
    run, *more = build.container(made, "box", who(made), {}).create
    words = run.resolve({})
    assert words[words.index("--network") : words.index("--network") + 4] == ("--network", "b", "--ip", "172.28.2.9")
    assert [command.resolve({})[3:] for command in more] == [
        ("--ip", "172.28.1.9", "--alias", "x", "--alias", "y", "a", "box"),
        ("c", "box"),
    ]


def test_entrypoint_words():
    """The entrypoint's further words go ahead of the command's, and a word may look like a flag."""
    made = lab("containers: {box: {image: i, entrypoint: [sh, -c], command: ['--name', x]}}")
    (run,) = build.container(made, "box", who(made), {}).create
    assert run.resolve({})[-6:] == ("--entrypoint", "sh", "i", "-c", "--name", "x")
