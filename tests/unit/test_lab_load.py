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
from dockerlab.lab.check import absent, warnings
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


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("environment: {PASSWORD: hunter2, COMPASS: n, EMPTY_TOKEN: '', API_KEY: }", ["environment.PASSWORD"]),
        ("environment: {DB_TOKEN: '{{ v }}'}", ["environment.DB_TOKEN"]),
        ("environment: {SECRET_STORE: 'true', DB_PASSWORD_FILE: /run/secrets/db, USE_TOKEN: 'off'}", []),
        (
            "environment: {SECRET_STORE: hunter2, DB_PASSWORD_FILE: hunter2}",
            ["environment.SECRET_STORE", "environment.DB_PASSWORD_FILE"],
        ),
        ("environment: {URL: 'amqp://me:hunter2@host/', SITE: 'http://host:80/a@b'}", ["environment.URL"]),
        ("command: mysqld --root-password=hunter2", ["command"]),
        ("command: [sh, -c, 'curl ftp://me:hunter2@host/']", ["command"]),
        ("entrypoint: [env, TOKEN=hunter2]", ["entrypoint"]),
        ("command: passwd --password-file /x", []),
    ],
)
def test_secret_is_warned_of(text, places):
    """A password that stands in the file or comes by `--set` is warned of where it is used, without repeating it."""
    found = list(warnings(lab(f"vars: {{v: }}\ncontainers: {{a: {{{text}}}}}", v="hunter2")))
    assert [dotted(problem.path[2:]) for problem in found] == places
    assert all("export" in problem.message or "variable" in problem.message for problem in found)
    assert not any("hunter2" in problem.message for problem in found)


def test_secret_variable_is_warned_of():
    """A variable of the file whose name says that it is secret is warned of unless it is empty."""
    text = "vars: {token: x, db_password: , secret: ''}\ncontainers: {a: {}}"
    assert [problem.path for problem in warnings(lab(text))] == [("vars", "token")]


def test_variables_without_a_value():
    """As in Compose, a variable without a value is taken from outside; one with an empty value is empty."""
    for text in ("{A: , B: '', C: 1}", "[A, B=, C=1]"):
        spec = lab(f"containers: {{a: {{environment: {text}, labels: [x]}}}}").containers["a"]
        assert spec.environment == {"A": None, "B": "", "C": "1"}
        assert spec.handed_over == ("A",)
        assert spec.labels == {"x": ""}


def test_variables_that_are_not_there():
    """What a container is to get from an environment that lacks it is told, and nothing else."""
    made = lab("containers: {a: {environment: [A, B, C=1]}}")
    assert [problem.path[-1] for problem in absent(made, {"B": ""})] == ["A"]


@pytest.mark.parametrize("name", ["DOCKER_HOST", "PATH", "LD_PRELOAD", "a b", "1A", "A$(id)", "BASH_ENV"])
def test_variables_that_cannot_be_handed_over(name):
    """What the docker command or a shell would take for itself needs a value; with one, any name will do."""
    with pytest.raises(DefinitionError, match=r"lab.yaml:2:32: containers.a.environment") as caught:
        loads(
            f"name: x\ncontainers: {{a: {{environment: {{{name!r}: }}}}}}", "lab.yaml", networks=modes.network_types()
        )
    assert len(caught.value.problems) == 1
    assert lab(f"containers: {{a: {{environment: {{{name!r}: x}}}}}}").containers["a"].environment == {name: "x"}


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("80:80", "80:81", True),
        ("80:80", "80:80/udp", False),
        ("1.1.1.1:80:80", "1.1.1.2:80:80", False),
        ("1.1.1.1:80:80", "1.1.1.1:80:81", True),
        ("1.1.1.1:80:80", "80:80", True),
        ("80:80", "[::1]:80:80", True),
        ("0.0.0.0:80:80", "[::]:80:80", False),
        ("0.0.0.0:80:80", "1.1.1.1:80:80", True),
        ("[::1]:80:80", "[::]:80:80", True),
        ("1.1.1.1:80:80", "[::]:80:80", False),
    ],
)
def test_published_twice(one, other, clash):
    """Two ports are one when number, protocol, and an address of the host are the same."""
    text = f"containers: {{a: {{ports: ['{one}']}}, b: {{ports: ['{other}']}}}}"
    if clash:
        with pytest.raises(DefinitionError, match=r"containers.b.ports\[0\]: a publishes 80/tcp on host local already"):
            lab(text)
    else:
        assert len(lab(text).containers) == 2


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
            "environment": st.sampled_from([{"A": 1}, {"A": None}, {"A b": 1}, ["A=1"], ["A"], [1], None, "A=1"]),
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
