"""Every mistake in a definition is told with its place, in words that are recorded beside it."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from dockerlab import modes
from dockerlab.errors import DefinitionError, UsageError
from dockerlab.lab.loader import load, loads

ERRORS = Path(__file__).parent.parent / "errors"

BOMBS = {
    "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)),
    "merges": "a: &a {x: 1}\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [{','.join([f'*{chr(97 + i)}'] * 9)}]}}\n" for i in range(9)),
    "aliases of itself": "a: &a [*a, *a]\n",
    "merges of itself": "a: &a {<<: [*a, *a]}\n",
    "nested lists": "[" * 100_000,
    "nested mappings": "{a: " * 100_000,
    "nested blocks": "".join(" " * i + "a:\n" for i in range(1_000)),
    "nested dashes": "- " * 100_000,
    "many values": "name: [" + "a," * 400_000 + "]",
    "size": "x" * 100_000_000,
    "a line break escape": 'name: "\\UFFFFFFFF"',
    "a directive": "%YAML 1." + "9" * 5_000 + "\n---\n",
    "an integer": "name: " + "9" * 5_000,
    "a float": "name: 1." + "9" * 5_000 + "e99999",
    "replicas": "name: x\ncontainers:\n"
    + "".join(f"  c{i}: {{replicas: 500, cap_add: [{'a,' * 100}]}}\n" for i in range(20)),
    "template output": f"name: x\nvars: {{v: {'x' * 60_000}}}\ncontainers:\n  c: {{replicas: 500, cap_add: ["
    + '"{{ v }}",' * 1_000
    + "]}\n",
    "templates": "name: x\ncontainers:\n  c: {cap_add: ["
    + ",".join(f'"{{{{ {i} }}}}"' for i in range(40_000))
    + "]}\n",
    "a variable": f'name: x\nvars: {{v: {"x" * 500_000}}}\ncontainers: {{c: {{user: "{"{{ v }}" * 500}"}}}}\n',
    "product": 'name: x\ncontainers: {c: {user: "{{ 10**10 * 9 ** 99999999 }}"}}\n',
    "text product": "name: x\ncontainers: {c: {user: \"{{ ('a' * 99999999) * 99999999 }}\"}}\n",
    "replace": "name: x\ncontainers: {c: {user: \"{{ 'aaaaaaaaaa'"
    + "|replace('a', 'aaaaaaaaaaaaaaaaaaaa')" * 50
    + ' }}"}}\n',
    "deep expression": 'name: x\ncontainers: {c: {user: "{{ ' + "(" * 1_500 + "1" + ")" * 1_500 + ' }}"}}\n',
    "deep sign": 'name: x\ncontainers: {c: {user: "{{ ' + "-" * 1_500 + '1 }}"}}\n',
    "deep attribute": 'name: x\nvars: {a: 1}\ncontainers: {c: {user: "{{ a' + ".a" * 400 + ' }}"}}\n',
    "a number too long to write": f'name: x\nvars: {{v: "{"9" * 4_000}"}}\n'
    'containers: {c: {user: "{{ v|int * v|int }}"}}\n',
    "unknown networks": "name: x\nnetworks: {"
    + "".join(f"network{i}: ," for i in range(900))
    + "}\ncontainers: {"
    + "".join(f"c{i}: {{networks: [networkx{i}]}}," for i in range(9_000))
    + "}\n",
    "unknown keys": "name: x\ncontainers: {" + "".join(f"c{i}: {{imag{i}: x}}," for i in range(20_000)) + "}\n",
    "unknown drivers": "name: x\nnetworks: {" + "".join(f"c{i}: {{driver: d{i}}}," for i in range(20_000)) + "}\n",
    "unknown variables": "name: x\nvars: {"
    + "".join(f"variable{i}: 1," for i in range(1_000))
    + "}\ncontainers: {"
    + "".join(f'c{i}: {{user: "{{{{ variabl{i} }}}}"}},' for i in range(10_000))
    + "}\n",
    "same addresses": "name: x\nnetworks: {n: {subnet: 10.0.0.0/24}}\ncontainers: {"
    + "".join(f"c{i}: {{networks: {{n: {{ip: 10.0.0.2}}}}}}," for i in range(9_000))
    + "}\n",
    "same ports": "name: x\ncontainers: {" + "".join(f'c{i}: {{ports: ["80:80"]}},' for i in range(9_000)) + "}\n",
    "subnets of one network": "name: x\nnetworks: {n: {subnet: ["
    + "".join(f"10.{i // 256}.{i % 256}.0/24," for i in range(5_000))
    + "]}}\ncontainers: {c: {networks: [n]}}\n",
    "hosts and networks": "name: x\nhosts: {"
    + "".join(f"n{i}: ," for i in range(9_000))
    + "}\nnetworks: {"
    + "".join(f"m{i}: ," for i in range(9_000))
    + "}\ncontainers: {c: {host: n0}}\n",
    "ports at different addresses": "name: x\ncontainers: {a: {ports: ["
    + "".join(f"'1.{i // 65536}.{i // 256 % 256}.{i % 256}:80:80'," for i in range(30_000))
    + "'80:80']}}\n",
    "tags": "name: x\n" + "".join(f"a{i}: !!x x\n" for i in range(40_000)),
    "a long pattern": f"name: x\ncontainers: {{c: }}\nexpect: [{{to: '{'*a' * 100_000}', reachable: true}}]\n",
    "an infinite number": 'name: x\ncontainers: {c: {user: "{{ 1e999 }}"}}\n',
    "centre": 'name: x\nvars: {v: a}\ncontainers: {c: {user: "{{ v|center(999999999) }}"}}\n',
    "format": "name: x\ncontainers: {c: {user: \"{{ '%999999999d' % 5 }}\"}}\n",
    "nested loops": 'name: x\ncontainers: {c: {user: "' + "{% for a in range(999) %}" * 9 + '"}}\n',
    "variables of variables": 'name: x\nvars: {a: "{{ b }}{{ b }}", b: "{{ a }}{{ a }}"}\n'
    'containers: {c: {user: "{{ a }}"}}\n',
    "deep choice": 'name: x\nvars: {a: 1}\ncontainers: {c: {user: "{{ ' + "a if a else " * 300 + 'a }}"}}\n',
    "chain of joiners": "name: x\ncontainers: {c0: ,"
    + "".join(f'c{i + 1}: {{network_mode: "container:c{i}"}},' for i in range(5_000))
    + "}\n",
}


def problems(text: str, **options: object) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        loads(text, "lab.yaml", networks=modes.network_types(), checks=[modes.check], **options)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", sorted(ERRORS.glob("*.yaml")), ids=lambda path: path.stem)
def test_message(path, golden, monkeypatch):
    """Each wrong definition gives exactly the messages that are recorded for it."""
    monkeypatch.chdir(path.parent)
    with pytest.raises(DefinitionError) as caught:
        load(Path(path.name), networks=modes.network_types(), checks=[modes.check])
    golden(path.with_suffix(".txt"), f"{caught.value}\n")


def test_ten_mistakes_are_ten_messages():
    """Ten mistakes of different kinds are all told at once, each with another line."""
    told = problems((ERRORS / "ten-mistakes.yaml").read_text())
    assert len(told) == 10
    assert len({line.split(":")[1] for line in told}) == 10


HOSTILE = [
    *("aliases", "merges", "nested lists", "size", "template output", "many values"),
    *("hosts and networks", "ports at different addresses"),
]
MEMORY = 400 << 20
SECONDS = 60
"""Many, as a processor that is shared by many counts more for the same work; a bomb would take hours."""


def bounded():
    """Take memory and processor time from this process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


@pytest.mark.parametrize("name", HOSTILE)
def test_bomb_in_bounds(name, tmp_path):
    """The command itself refuses a bomb within bounds of memory and processor time that the kernel keeps."""
    path = tmp_path / "lab.yaml"
    path.write_text(BOMBS[name])
    done = subprocess.run(
        [sys.executable, "-m", "dockerlab", "render", path],
        capture_output=True, text=True, check=False, preexec_fn=bounded,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr[-2_000:]
    assert done.stderr.startswith(f"dockerlab: {path}:")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", BOMBS)
def test_bomb(name):
    """A definition that would grow without bound, or that trips a parser, is refused within seconds, with a place."""
    told = problems(BOMBS[name])
    assert all(line.startswith("lab.yaml:") for line in told)
    assert sum(map(len, told)) < 4_000_000


def test_unknown_override():
    """`--set` of a variable that the definition does not have is refused, with those that it has."""
    with pytest.raises(UsageError, match=r"--set imag: .*did you mean image"):
        loads(
            "name: x\nvars: {image: a}\ncontainers: {a: {}}\n", networks=modes.network_types(), overrides={"imag": "b"}
        )


def test_wrong_entry_does_not_blame_its_users():
    """A container on a network that is wrong itself gets no message of its own."""
    text = "name: x\nnetworks: {n: {subnett: 10.0.0.0/24}}\ncontainers: {a: {networks: {n: {ip: 10.0.0.2}}}}\n"
    assert problems(text) == ["lab.yaml:2:16: networks.n.subnett: unknown key 'subnett': did you mean subnet?"]


def test_wrong_entry_does_not_hide_other_mistakes():
    """Beside a container that is wrong, contradictions between the others are found."""
    text = 'name: x\ncontainers: {a: {x: 1}, b: {ports: ["80:80"]}, c: {ports: ["80:80"]}, d: {host: vm1}}\n'
    assert [line.split(": ")[1] for line in problems(text)] == [
        "containers.a.x",
        "containers.c.ports[0]",
        "containers.d.host",
    ]


def test_mistake_in_an_alias_is_told_where_it_stands():
    """What is wrong in an anchored value is shown once, at the anchor, however many entries use it."""
    text = "name: x\nvars: {}\ncontainers:\n  a: &a {imag: x}\n  b: *a\n  c: {<<: *a}\n"
    assert [line.split(": ")[0] for line in problems(text)] == ["lab.yaml:4:10"]


def test_unreadable_file(tmp_path):
    """A file that is not there, or is a directory, is a wrong call and not a wrong definition."""
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            load(path, networks=modes.network_types())


def test_file_too_big(tmp_path):
    """Of a file that is far too big, no more is read than is needed to say so."""
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(DefinitionError, match="larger than 1024 KiB"):
        load(path, networks=modes.network_types())


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ssh://root:hunter2@vm0", "ssh://root:***@vm0"),
        ("ssh://root:hun/t@er2@vm0:22", "ssh://root:***@vm0:22"),
        ("root:hunter2@vm0", "root:***@vm0"),
        ("ssh://:hunter2@vm0", "ssh://:***@vm0"),
        ("ssh://a@b:hunter2@vm0", "ssh://a@b:***@vm0"),
    ],
)
def test_password_in_an_address(address, shown):
    """A password in a host's address is refused with its place and the remedy, and is not repeated."""
    (told,) = problems(f"name: x\nhosts: {{vm0: '{address}'}}\ncontainers: {{a: }}\n")
    assert told.startswith(f"lab.yaml:2:14: hosts.vm0: '{shown}': a password in an address")
    assert "ssh-copy-id" in told


def test_byte_order_mark(tmp_path):
    """A byte order mark, as Windows editors write it, does not move the first line's columns."""
    path = tmp_path / "lab.yaml"
    path.write_bytes(b"\xef\xbb\xbfnam: x\ncontainers: {a: {}}\n")
    with pytest.raises(DefinitionError, match=r"lab.yaml:1:1: nam: unknown key 'nam': did you mean name\?"):
        load(path, networks=modes.network_types())
