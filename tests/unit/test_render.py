"""No value of a definition ever becomes a second argument, a flag or shell code."""

import os
import shlex
import shutil
import subprocess
from textwrap import dedent

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from support.labs import lab, plan_up, who
from support.pretend import Engines

from dockerlab import build, render, scripts
from dockerlab.command import Command, Part, Variable
from dockerlab.errors import DefinitionError
from dockerlab.images import NODE_SCRIPT

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
    with pytest.raises(UndefinedError):
        render.command("docker {{ nothing }}", "vm0")


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


def check_script(definition, shell):
    """Hold what `sh` passes to docker against the argument vectors of the plan."""
    made = lab(yaml.safe_dump(definition, allow_unicode=True))
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
    check_script(nasty_lab(lambda: data.draw(VALUE), lambda: data.draw(st.dictionaries(KEY, VALUE, max_size=2))), shell)


@pytest.mark.parametrize("value", [text for text in NASTY if "{{" not in text])
def test_nasty_values_in_a_script(shell, value):
    """Every well-known trick arrives as it is, in every place that takes free text."""
    calls = check_script(nasty_lab(lambda: value, lambda: {"k": value}), shell)
    run = calls[1]
    assert f"k={value}" in run
    assert run[-3:] == (value, value, value)


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
    use = render.command("docker join {{ token }}", "vm0", token=build.TOKEN)
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
