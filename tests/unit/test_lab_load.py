"""What a right definition becomes."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import jsonschema
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dockerlab import modes
from dockerlab.errors import DefinitionError
from dockerlab.lab.check import warnings
from dockerlab.lab.document import parse, resolve
from dockerlab.lab.loader import loads
from dockerlab.lab.model import Lab, Network
from dockerlab.lab.problem import dotted, meant
from dockerlab.lab.schema import schema
from dockerlab.lab.template import render
from dockerlab.modes.macvlan import MacvlanNetwork


def lab(text: str, **overrides: str) -> Lab:
    return loads(f"name: x\n{text}", networks=modes.network_types(), checks=[modes.check], overrides=overrides)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("5", 5), ("-5", -5), ("0", 0),
        ("0x1f", 31), ("0o17", 15), ("1.5", 1.5), ("yes", "yes"), ("on", "on"), ("True", "True"), ("22:22", "22:22"),
        ("0123", "0123"), ("1.10", "1.10"), ("1e3", "1e3"), ("+5", "+5"), ("1_000", "1_000"), ("-0", "-0"),
        ("2024-01-01", "2024-01-01"), (".inf", ".inf"), ("=", "="), ("9" * 19, "9" * 19),
    ],
)  # fmt: skip
def test_scalar(text, value):
    """A plain scalar is a number, boolean or nothing only where YAML 1.2 says so and nothing of it would be lost."""
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_text_keeps_its_form():
    """Where text is wanted, a number stays as it was written."""
    found = lab("containers: {a: {environment: {A: 1.10, B: 0123, C: 7, D: true, E: yes, F: 1e3}, image: 1.20}}")
    assert found.containers["a"].environment == {
        "A": "1.10",
        "B": "0123",
        "C": "7",
        "D": "true",
        "E": "yes",
        "F": "1e3",
    }
    assert found.containers["a"].image == "1.20"


def test_positions():
    """Every key and value has the line and column at which it begins."""
    document = parse("name: x\ncontainers:\n  a:\n    ports: [80, 81]\n", "f")
    assert document.keys["containers", "a", "ports"] == (4, 5)
    assert document.values["containers", "a", "ports", 1] == (4, 17)


def test_merge_keys():
    """`<<` fills in what an entry does not say itself, and of several sources the first counts."""
    text = "vars: {d: &d {user: d, hostname: d}}\ncontainers:\n"
    text += "  a: &a {user: a, image: a}\n  b: {<<: [*a, *d], image: b}\n"
    spec = lab(text).containers["b"]
    assert (spec.user, spec.image, spec.hostname) == ("a", "b", "d")


def test_networks_are_instances_of_their_mode():
    """A network keeps its mode's class and the keys that only this mode knows."""
    found = lab("networks: {m: {driver: macvlan, parent: eth0.50}, b: }\ncontainers: {a: {networks: [m]}}")
    assert type(found.networks["m"]) is MacvlanNetwork
    assert found.networks["m"].parent == "eth0.50"
    assert type(found.networks["b"]) is modes.network_types()["bridge"]


def test_templates():
    """Templates see `vars`, and `--set` overrides them; what comes out is converted where a number is wanted."""
    text = (
        'vars: {port: 80, on: true, image: centos, list: [a, b]}\ntitle: "{{ list[1] }}{{ list|length }}"\n'
        'networks: {n: {internal: "{{ on }}"}}\n'
        'containers: {a: {image: "{{ image }}:{{ port + 1 }}", expose: ["{{ port }}"], ports: ["{{ port }}"]}}\n'
    )
    found = lab(text)
    assert found.title == "b2"
    assert found.networks["n"].internal is True
    assert found.containers["a"].image == "centos:81"
    assert found.containers["a"].expose == (80,)
    again = lab(text, port="90", image="1.10", on="false")
    assert again.containers["a"].image == "1.10:91"
    assert again.containers["a"].ports[0].target == 90
    assert again.networks["n"].internal is False


def test_template_never_changes_the_structure():
    """What a template gives is one value, however much it looks like YAML."""
    spec = lab('vars: {v: "a, b]}"}\ncontainers: {a: {user: "{{ v }}", hostname: "{{ v }}"}}', v="x\ny: {}").containers[
        "a"
    ]
    assert spec.user == "x\ny: {}"


def test_text_with_other_braces_is_left_alone():
    """Comments and statements of Jinja are no part of the language: a shell's `${#x}` stays as it is."""
    assert lab("containers: {a: {command: 'echo ${#x} {#'}}").containers["a"].command == "echo ${#x} {#"
    assert render("${#x} {{ a }}", {"a": 1}) == "${#x} 1"


def test_replicas():
    """`replicas: N` repeats a container or network N times, counting from 1, with `index` in its templates."""
    found = lab(
        'vars: {n: 3}\nnetworks: {lan: {replicas: 2, subnet: "10.{{ index }}.0.0/24"}}\n'
        'containers:\n  web: {replicas: "{{ n }}", networks: {lan1: {ip: "10.1.0.{{ index + 10 }}"}}}\n'
        '  side: {replicas: 2, network_mode: "container:web{{ index }}"}\n'
    )
    assert list(found.containers) == ["web1", "web2", "web3", "side1", "side2"]
    assert found.containers["web3"].networks["lan1"].ip == ip_address("10.1.0.13")
    assert found.networks["lan2"].subnet == (ip_network("10.2.0.0/24"),)
    assert found.containers["side2"].owner == "web2"


def test_secret_in_the_file_is_warned_of():
    """A password written in the file is warned of, at its key; one that comes from `--set` is not."""
    text = "vars: {db_password: '', v: ''}\n"
    text += "containers: {a: {environment: {PASSWORD: hunter2, DB_TOKEN: '{{ v }}', COMPASS: n}}}"
    found = [problem.path for problem in warnings(lab(text, v="secret"), {"v"})]
    assert found == [("containers", "a", "environment", "PASSWORD")]
    assert [problem.path for problem in warnings(lab("vars: {token: x}\ncontainers: {a: {}}"))] == [("vars", "token")]


def test_checks_get_a_lab_whose_names_resolve():
    """The modes' checks never see a name that leads nowhere, whatever else is wrong."""
    seen: list[Lab] = []
    text = "name: x\ncontainers: {a: {networks: [no]}, b: {network_mode: 'container:a'}, "
    text += "c: {network_mode: 'container:c'}, d: }\n"
    with pytest.raises(DefinitionError):
        loads(text, networks={"bridge": Network}, checks=[lambda lab: seen.append(lab) or ()])
    assert [list(found.containers) for found in seen] == [["d"]]


def test_paths_and_suggestions():
    """Paths are written as people write them, and an unknown word names what may have been meant."""
    assert dotted(("containers", "a b", "ports", 0)) == "containers.'a b'.ports[0]"
    assert meant("vm2", ["vm0", "vm1", "x"]) == "did you mean vm0 or vm1?"
    assert meant("q", ["vm0"]) == "known: vm0"


WORDS = st.sampled_from(
    ["name", "x", "containers", "networks", "hosts", "vars", "vm0", "lan", "driver", "macvlan", "subnet",
     "10.0.0.0/24",
     "ip", "10.0.0.2", "ports", "80:80", "network_mode", "container:x", "replicas", "3", "{{ x }}", "{{ index }}",
     "yes",
     "<<", "host", "none", "ipam", "config", "gateway", "10.0.0.1", "environment", "expose", "command", "outside",
     "", "0x9"]
)  # fmt: skip
TREES = st.recursive(
    WORDS | st.none() | st.integers() | st.booleans() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=30,
)
SECTION = st.dictionaries(WORDS, st.dictionaries(WORDS, TREES, max_size=5) | TREES, max_size=4)
NETWORKS = st.dictionaries(
    st.sampled_from(["lan", "x"]),
    st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "driver": st.sampled_from(["bridge", "macvlan", "overlay", "{{ x }}"]),
            "subnet": st.sampled_from(["10.0.0.0/24", "{{ x }}", 5, ["fd00::/64", "10.0.0.0/24"], []]),
            "internal": st.sampled_from([True, "true", "{{ x }}", "yes", 1, None]),
            "labels": st.sampled_from([{"a": 1}, ["a=1", "b"], [], {"a": None}, "x"]),
            "replicas": st.sampled_from([1, 2, "{{ 2 }}", "2", True, None]),
            "hosts": st.sampled_from([["local"], [], None, "local"]),
        },
    ),
    max_size=2,
)
CONTAINERS = st.dictionaries(
    st.sampled_from(["a", "b", "c-d", "a b", "x" * 64]),
    st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "image": st.sampled_from(["centos", 5, 1.5, True, "{{ x }}", None, "-x"]),
            "host": st.sampled_from(["local", "{{ 'local' }}", None, "vm1"]),
            "command": st.sampled_from(["sh", ["sh", 1, True], [], None, 5, "'", [None]]),
            "networks": st.sampled_from(
                [["lan"], {"lan": None}, {"lan": {"ip": "10.0.0.2"}}, [], ["lan", "lan"], None]
            ),
            "ports": st.lists(
                st.sampled_from([80, "80", "8080:80/udp", {"target": 1}, {"target": "1"}, "{{ 80 }}", True])
            ),
            "expose": st.lists(st.sampled_from([80, "80", "{{ 80 }}", "080", 0, 70_000])),
            "environment": st.sampled_from([{"A": 1}, {"A": None}, ["A=1"], ["A"], [1], None, "A=1"]),
            "dns": st.sampled_from(["1.1.1.1", ["1.1.1.1"], "{{ '1.1.1.1' }}", 5, [5], []]),
            "cap_add": st.sampled_from(["A", ["A", 1], 5, None]),
            "replicas": st.sampled_from([1, 2, "{{ 2 }}", "2", True, None]),
        },
    ),
    min_size=1,
    max_size=3,
)
LIKELY = st.fixed_dictionaries(
    {"name": st.just("x"), "containers": CONTAINERS},
    optional={
        "networks": NETWORKS,
        "vars": st.sampled_from([None, {}, {"x": 1}]),
        "title": st.sampled_from([None, 1, "x"]),
        "hosts": st.sampled_from([None, {"local": None}, {"local": "local", "vm1": 5}, {}]),
    },
)
DEFINITIONS = LIKELY | st.fixed_dictionaries(
    {"name": st.just("x") | TREES},
    optional=dict.fromkeys(("hosts", "networks", "containers", "outside", "vars", "title"), SECTION | TREES),
)


VALIDATOR = jsonschema.Draft202012Validator(schema(modes.network_types()))


def outcome(text: str) -> Lab | DefinitionError:
    try:
        return loads(text, networks=modes.network_types(), checks=[modes.check])
    except DefinitionError as error:
        return error


def total(text: str) -> None:
    """Hold that a text is a Lab or has mistakes that can be printed, each with a place in the text.

    What is a Lab, the JSON Schema takes as well.
    """
    found = outcome(text)
    if isinstance(found, Lab):
        VALIDATOR.validate(parse(text, "f").data)
    if isinstance(found, DefinitionError):
        assert found.problems
        for problem in found.problems:
            assert problem.line >= 1
            assert problem.column >= 1
            assert problem.message
            assert str(problem).replace("\N{LINE SEPARATOR}", "").isprintable()


@given(st.text() | st.text(alphabet="{}[]:,-&*!|>'\"%@`#?<~ \n\tabc0"))
@example("&a [*a]")
@example("? [a]\n: b")
@example("!!binary x: y")
@example('"\\x85": "\\ud800"')
@settings(max_examples=400, deadline=None)
def test_any_text(text):
    """Any text at all is a Lab or a DefinitionError, and soon."""
    total(text)


@given(st.text(alphabet="{}%#()[]|.~*+-/ _'\"ax19,:<>=!ifelsenotinand", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_template(text):
    """Any template gives text or a ValueError that says why not."""
    try:
        result = render(f"{{{{ {text} }}}}", {"a": 1, "x": "text"})
    except ValueError as error:
        result = str(error)
    assert isinstance(result, str)


@given(DEFINITIONS)
@settings(max_examples=400, deadline=None)
def test_any_structure(tree):
    """Anything that is shaped like a definition is a Lab or a DefinitionError as well."""
    total(yaml.safe_dump(tree, sort_keys=False))
