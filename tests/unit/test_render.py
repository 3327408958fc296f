"""No value of a definition ever becomes a second argument, a flag or shell code."""

import json
import os
import shlex
import shutil
import subprocess
from textwrap import dedent

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.labs import lab, plan_up, running, who
from support.pretend import Engines

from dockerlab import modes, plan, render
from dockerlab.command import HANDOVER, Command, Part, Variable, exports
from dockerlab.errors import DefinitionError
from dockerlab.lab.loader import loads
from dockerlab.plain import for_file
from dockerlab.plan.swarm import TOKEN
from dockerlab.provision import scripts
from dockerlab.provision.images import NODE_SCRIPT

NASTY = [
    "$(touch canary)",
    "`touch canary`",
    "; touch canary #",
    "' ; touch canary ; '",
    '" ; touch canary ; "',
    "\ntouch canary\n",
    "--privileged",
    "a # b",
    "{{ name }} {% raw %}",
    "\\",
    "trailing \\\n",
    "\ue0000\ue001",
    "",
    " ",
    "~/*?[a]{b,c}!x",
    "ünïcödé 網路 🦆",
]
SHOW = r'printf "%s\0" "${A-unset}" "${B_1-unset}" "${_c-unset}"'
# What the definition's reader lets through: see lab.document.UNPRINTABLE.
PRINTABLE = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\t\n")
TEXT = st.sampled_from(NASTY) | st.text(PRINTABLE, max_size=20)
KEY = st.text(PRINTABLE, min_size=1, max_size=8).filter(lambda key: key != "<<" and "{{" not in key and "{%" not in key)
VALUE = TEXT.filter(lambda text: "{{" not in text and "{%" not in text)
SLOW = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Return a function that gives the argument vectors with which a script calls `docker`."""
    folder = tmp_path_factory.mktemp("shell")
    docker = folder / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\nprintf "%s\\0" "$@" >>"$RECORD"\nprintf "\\001\\0" >>"$RECORD"\necho "token 1"\n')
    docker.chmod(0o755)

    def run(script, **environment):
        (folder / "record").write_bytes(b"")
        where = folder / "cwd"
        where.mkdir()
        path = f"{docker.parent}:/usr/bin:/bin"
        variables = {"PATH": path, "RECORD": str(folder / "record"), **environment}
        done = subprocess.run(
            ["/bin/sh", "-s"], input=os.fsencode(script), cwd=where, env=variables, capture_output=True, check=False
        )
        left = list(where.iterdir())
        shutil.rmtree(where)
        assert left == [], "a value became code"
        calls = (folder / "record").read_bytes().decode().split("\1\0")[:-1]
        return [tuple(call.split("\0")[:-1]) for call in calls], done

    return run


def test_template_lines():
    """Each line is one part with its reason; a first line that is only a comment explains the whole."""
    made = render.command(
        """
# Make {{ name }}
docker thing
  --flag {{ value }} --other  # because of {{ value }}
{% if absent %}
  --never  # no
{% endif %}
  {{ name }}
""",
        "vm0",
        name="it",
        value="a b",
        absent=None,
    )
    assert made == Command(
        "vm0",
        (Part(("docker", "thing")), Part(("--flag", "a b", "--other"), "because of a b"), Part(("it",))),
        "Make it",
    )


def test_missing_name():
    """A name that the context does not have is an error, never an empty argument."""
    for template in ("docker {{ nothing }}", "docker {{ nothing or 1 }}", "docker {% if nothing %}x{% endif %}"):
        with pytest.raises(LookupError, match="nothing"):
            render.command(template, "vm0")


def test_variable():
    """A variable stays a variable in the vector, and in a script it fails with its hint where it is not set."""
    made = render.command(
        "docker join --token {{ token }} x{{ word }}y", "vm0", token=Variable("T", "set it"), word="-"
    )
    assert made.argv == ("docker", "join", "--token", Variable("T", "set it"), "x-y")
    assert made.resolve({"T": "a b"}) == ("docker", "join", "--token", "a b", "x-y")
    assert made.shell() == 'docker join --token "${T:?set it}" x-y'


@given(TEXT, TEXT)
@settings(max_examples=150, deadline=None)
def test_values_stay_values(one, two):
    """Whatever two values are, a line with them splits into exactly the intended words."""
    made = render.command("docker run --env {{ one }}={{ two }}  # says {{ one }}\n  {{ two }}", "h", one=one, two=two)
    intended = ("docker", "run", "--env", f"{one}={two}", two)
    assert made.argv == intended
    assert tuple(shlex.split(made.shell())) == intended


def nasty_lab(draw_text, draw_map):
    """Return a definition whose every free value is drawn."""
    return {
        "name": "nasty",
        "title": draw_text(),
        "networks": {"net": {"driver_opts": draw_map(), "labels": draw_map(), "ipam": {"options": draw_map()}}},
        "containers": {
            "box": {
                "environment": draw_map(),
                "labels": draw_map(),
                "sysctls": draw_map(),
                "extra_hosts": draw_map(),
                "hostname": draw_text(),
                "user": draw_text(),
                "dns_search": [draw_text()],
                "cap_add": [draw_text()],
                "cap_drop": [draw_text()],
                "entrypoint": [draw_text(), draw_text()],
                "command": [draw_text(), draw_text()],
                "networks": {"net": {"aliases": [draw_text()]}},
            }
        },
    }


def check_script(made, shell):
    """Hold what `sh` passes to docker against the argument vectors of the plan."""
    steps = plan_up(made, Engines(made.hosts)).ordered()
    intended = [command.resolve({})[1:] for step in steps for command in step.commands]
    calls, done = shell(scripts.of(made, who(made)).replace(NODE_SCRIPT.rstrip(), ""))
    assert (done.returncode, done.stderr) == (0, b"")
    assert calls == intended
    return calls


@given(st.data())
@SLOW
def test_script_gives_the_very_arguments(shell, data):
    """`sh` itself calls docker with the plan's argument vectors, whatever a definition's values are."""
    drawn = nasty_lab(lambda: data.draw(VALUE), lambda: data.draw(st.dictionaries(KEY, VALUE, max_size=2)))
    check_script(lab(yaml.safe_dump(drawn, allow_unicode=True)), shell)


def test_a_script_gives_no_orders(shell):
    """What a terminal would obey, or what turns text, stands in a script as bytes, and arrives as it is."""
    value = "left \u202e right \u2066 \u2028"
    made = lab(yaml.safe_dump(nasty_lab(lambda: value, lambda: {"k": value}), allow_unicode=True))
    assert any(value in word for call in check_script(made, shell) for word in call)
    text = scripts.of(made, who(made))
    assert for_file(text) == text


@pytest.mark.parametrize("value", [text for text in NASTY if "{{" not in text])
def test_nasty_values_in_a_script(shell, value):
    """Every well-known trick arrives as it is, in every place that takes free text."""
    definition = nasty_lab(lambda: value, lambda: {"k": value})
    calls = check_script(lab(yaml.safe_dump(definition, allow_unicode=True)), shell)
    run = calls[1]
    assert f"k={value}" in run
    assert run[-3:] == (value, value, value)


WHOLE = {
    "name": "whole",
    "title": "All there is",
    "hosts": {"vm0": "ssh://root@192.168.22.61"},
    "vars": {"v": "x"},
    "networks": {
        "net": {
            "driver": "bridge", "subnet": "10.1.0.0/24", "gateway": "10.1.0.1", "ip_range": "10.1.0.128/25",
            "driver_opts": {"a": "b"}, "labels": {"c": "d"}, "hosts": ["vm0"], "internal": "true",
        },
        "lan": {
            "driver": "macvlan", "parent": "eth0.50",
            "ipam": {
                "driver": "default", "options": {"e": "f"},
                "config": [{"subnet": "10.2.0.0/24", "gateway": "10.2.0.1", "aux_addresses": {"g": "10.2.0.9"}}],
            },
        },
    },
    "containers": {
        "box": {
            "image": "busybox", "host": "vm0", "command": ["h", "i"], "entrypoint": "j 'k l'", "hostname": "m",
            "user": "n", "environment": {"O": "p", "Q": None}, "ports": ["127.0.0.1:80:80/tcp"], "expose": ["81"],
            "networks": {"net": {"ip": "10.1.0.200", "aliases": ["r"]}, "lan": {"ip": "10.2.0.200"}},
            "dns": ["1.1.1.1"], "dns_search": ["s"], "extra_hosts": {"t": "u"}, "cap_add": ["V"], "cap_drop": ["W"],
            "sysctls": {"x": "y"}, "labels": {"z": "{{ v }}"},
        },
        "side": {"network_mode": "container:box", "replicas": "{{ 1 + 1 }}", "command": "sh -c 'echo {{ index }}'"},
    },
    "expect": [{"from": "box", "to": "side1", "probe": "ping", "reachable": "true", "why": "because"}],
    "outside": {"world": {"address": "203.0.113.10"}},
}  # fmt: skip


def places(value, path=()):
    """Yield the way to every text of a definition, keys among them, and whether it is a key."""
    if isinstance(value, str):
        yield path, False
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(key, str):
            yield (*path, key), True
        yield from places(item, (*path, key))


def with_text(value, path, text, *, of_key):
    """Return the definition with another text at a place."""
    if not path:
        return text
    if of_key and len(path) == 1:
        return {text if key == path[0] else key: item for key, item in value.items()}
    copy = value.copy()
    copy[path[0]] = with_text(value[path[0]], path[1:], text, of_key=of_key)
    return copy


PLACES = list(places(WHOLE))


def check_everything(definition, shell):
    """Hold that a definition is refused with a place, or that each command of up and down is what was meant."""
    try:
        text = json.dumps(definition, ensure_ascii=False)
        made = loads(text, networks=modes.network_types(), checks=[modes.check])
    except DefinitionError as error:
        return [problem.line for problem in error.problems]
    engines = Engines(made.hosts)
    steps = [*plan_up(made, engines).ordered(), *plan.down(running(made).snapshots(), made.name, None).ordered()]
    commands = [command for step in steps for command in (*step.commands, *step.undo)]
    for command in commands:
        assert tuple(shlex.split(command.shell())) == command.argv
    parsed = subprocess.run(["/bin/sh", "-n"], input=os.fsencode(scripts.of(made, who(made))), check=False)
    assert parsed.returncode == 0
    check_script(made, shell)
    return [len(commands)]


def test_the_whole_definition(shell):
    """What the next tests change is a definition with which nothing is wrong."""
    (commands,) = check_everything(WHOLE, shell)
    assert commands > 10
    assert len(PLACES) > 100


EVERYTHING = (
    "; touch canary # $(touch canary) `touch canary` ' \" \\ ~/*?[a]{b,c}!x\ntouch canary\n\ue0000\ue001é網\u2028"
)
WORST = [EVERYTHING, "--privileged", "", "a\0b", "\ud800", "\u202eabc\u2066", "{{ 1e999 }}"]


@pytest.mark.parametrize("value", WORST)
def test_nasty_values_in_every_place(shell, value):
    """In every place for a text, keys among them, a trick is refused with its place or arrives as one argument."""
    for path, of_key in PLACES:
        told = check_everything(with_text(WHOLE, path, value, of_key=of_key), shell)
        assert told
        assert min(told) >= 1


@given(st.sampled_from(PLACES), TEXT | st.text(max_size=20))
@settings(SLOW, max_examples=150)
def test_any_value_in_any_place(shell, place, value):
    """Any text at all, in any place, is refused with its place or arrives as it is."""
    told = check_everything(with_text(WHOLE, place[0], value, of_key=place[1]), shell)
    assert told
    assert min(told) >= 1


@given(st.dictionaries(st.sampled_from(["A", "B_1", "_c"]), TEXT.filter(lambda text: "\0" not in text)))
@settings(max_examples=60, deadline=None)
def test_variables_are_handed_over(environment):
    """A command gets the variables that it takes, whatever is in them, and none of its own beside them."""
    command = Command("h", (Part(("sh", "-c", SHOW)),), takes=("A", "B_1", "_c"))
    assert command.started(command.resolve({})) == ("sh", "-c", HANDOVER, "sh", "sh", "-c", SHOW)
    done = subprocess.run(
        command.started(command.resolve({})), input=b"".join(exports(command.takes, environment)),
        env={"PATH": "/usr/bin:/bin", "A": "the host's own"}, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == b"".join(os.fsencode(f"{environment.get(name, 'unset')}\0") for name in command.takes)


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (r'"x\0y"', {}),
        (r'"x\ud800y"', {}),
        ('"{{ v }}"', {"v": "a\0b"}),
        ('"{{ v }}"', {"v": "a\udcffb"}),
        (r'''"{{ 'a\\0' }}"''', {}),
    ],
)
def test_what_cannot_be_an_argument(text, overrides):
    """A NUL or a half of a character, written or given, is refused with its place before anything is rendered."""
    with pytest.raises(DefinitionError, match=r"unprintable character") as caught:
        lab(f"vars: {{v: ''}}\ncontainers: {{box: {{environment: {{A: {text}}}}}}}", **overrides)
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (3, "containers.box.environment.A")


def test_script_passes_a_stored_value(shell):
    """What one command prints is what a later one is given, through a variable of the script."""
    ask = render.command("docker token", "vm0")
    ask = Command(ask.host, ask.parts, stores="TOKEN")
    use = render.command("docker join {{ token }}", "vm0", token=Variable("TOKEN", "set it"))
    calls, done = shell(render.script("vm0", "t", [ask, use]))
    assert done.returncode == 0
    assert calls == [("token",), ("join", "token 1")]


def test_script_needs_its_variable(shell):
    """A script stops before it does anything wrong when a value is missing, and says how to get it."""
    use = render.command("docker join {{ token }}", "vm0", token=TOKEN)
    calls, done = shell(render.script("vm0", "t", [use], {"X": "y"}))
    assert calls == []
    assert done.returncode != 0
    assert b"DOCKERLAB_SWARM_TOKEN" in done.stderr
    assert b"docker swarm join-token --quiet worker" in done.stderr
    calls, _ = shell(render.script("vm0", "t", [use]), DOCKERLAB_SWARM_TOKEN="it's $x")
    assert calls == [("join", "it's $x")]


def test_script_explains():
    """A script says what each command is for, and beside each flag why it is there; long ones are shortened."""
    made = render.command(
        "# Do\ndocker do\n  --first {{ a }}  # one\n  --long {{ b }}  # two\n  {{ c }}", "vm0", a="1", b="x" * 50, c="n"
    )
    assert render.script("vm0", "A\ntitle", [made], {"V": "a value"}, "# before\n") == dedent(
        f"""\
        #!/bin/sh
        # A title: the part of host vm0
        set -eu
        # needs $V: a value

        # before

        # Do
        #   --first 1  one
        #   --long …   two
        docker do \\
          --first 1 \\
          --long {"x" * 50} \\
          n
        """
    )
