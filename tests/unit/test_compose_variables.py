"""Variables of Compose files: where they come from, and what is filled in."""

import pytest
from support.composed import definition, lab

from dockerlab.compose.dotenv import variables_of
from dockerlab.compose.interpolate import substituted
from dockerlab.errors import DefinitionError, UsageError

KNOWN = {"A": "one", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("$A and ${A}", "one and one"),
        ("$$A", "$A"),
        ("${NO:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY-other}", ""),
        ("${A:+set}", "set"),
        ("${EMPTY:+set}", ""),
        ("${EMPTY+set}", "set"),
        ("${NO:-${A}}", "one"),
        ("${NO:-${NO:-deep}}", "deep"),
        ("${A:?has to be}", "one"),
        ("$NO.", "."),
        ("$1 $(date) 5$", "$1 $(date) 5$"),
    ],
)
def test_what_is_filled_in(text, gives):
    """Every form of a variable gives what the Compose specification says."""
    assert substituted(text, KNOWN, lambda _: None) == gives


@pytest.mark.parametrize("text", ["${", "${A", "${1}", "${A!}", "${}"])
def test_what_is_no_variable(text):
    """What begins like a variable and is none is refused."""
    with pytest.raises(ValueError, match="is no variable"):
        substituted(text, KNOWN, lambda _: None)


def test_a_variable_that_has_to_be_set_is_an_error_in_its_place(tmp_path):
    """A variable that is required is told with its own words, and what can be done."""
    with pytest.raises(DefinitionError) as caught:
        lab(tmp_path, "services:\n  web:\n    image: nginx:${TAG:?which one}\n")
    said = "services.web.image: the variable TAG has to be set: which one: export it, or write it to .env"
    assert str(caught.value).endswith(f"compose.yaml:3:12: {said}")


def test_deep_nesting_ends():
    """Defaults in defaults are followed for some levels, not without end."""
    with pytest.raises(ValueError, match="is no variable"):
        substituted("${NO:-" * 40 + "}" * 40, KNOWN, lambda _: None)


def test_what_is_unset_is_named_once(tmp_path):
    """Variables that nobody set are empty, and one note names them all."""
    text = "services:\n  web:\n    image: nginx\n    labels: {a: $X, b: '$X$Y'}\n"
    found = definition(tmp_path, text)
    assert "not set, and empty therefore: X, Y" in found.notes
    assert found.lab.containers["shop-web-1"].labels == {"a": "", "b": ""}


def test_the_environment_wins_over_the_file(tmp_path):
    """A variable of the shell counts before one of `.env`, and both before a default."""
    (tmp_path / ".env").write_text("TAG=file\nPORT=8080\n")
    text = "services:\n  web:\n    image: nginx:${TAG:-x}\n    ports: ['${PORT:-1}:80']\n"
    web = lab(tmp_path, text, environment={"TAG": "shell"}).containers["shop-web-1"]
    assert (web.image, web.ports[0].published) == ("nginx:shell", 8080)


def test_named_files_of_variables_stand_in_for_the_usual_one(tmp_path):
    """With --env-file, `.env` is not read; a file that is not there is an error."""
    (tmp_path / ".env").write_text("TAG=usual\n")
    (tmp_path / "other").write_text("TAG=other\n")
    text = "services:\n  web:\n    image: nginx:$TAG\n"
    assert lab(tmp_path, text, env_files=(tmp_path / "other",)).containers["shop-web-1"].image == "nginx:other"
    with pytest.raises(UsageError, match="no such file of variables"):
        lab(tmp_path, text, env_files=(tmp_path / "none",))


def test_a_file_of_variables(tmp_path):
    """Quotes, comments, `export`, `:` and earlier variables are read as Compose reads them."""
    path = tmp_path / "file"
    path.write_text(
        "# a comment\n"
        "PLAIN=one two # said\n"
        "export EXPORTED=1\n"
        "YAML: two\n"
        "SINGLE='a $PLAIN #b'\n"
        'DOUBLE="x\\n\\"$EXPORTED\\" \\$y"\n'
        "BUILT=${EXPORTED}-$YAML\n"
        'MANY="first\nsecond"\n'
        "HASH=a#b\n"
        "EMPTY=\n"
        "ALONE\n"
    )
    assert variables_of(path, {}) == {
        "PLAIN": "one two",
        "EXPORTED": "1",
        "YAML": "two",
        "SINGLE": "a $PLAIN #b",
        "DOUBLE": 'x\n"1" $y',
        "BUILT": "1-two",
        "MANY": "first\nsecond",
        "HASH": "a#b",
        "EMPTY": "",
        "ALONE": None,
    }


@pytest.mark.parametrize(("text", "where"), [("A=1\n=2\n", ":2:1:"), ("A='1\n", ":1:1:"), ("A B\n", ":1:1:")])
def test_a_line_that_sets_nothing(tmp_path, text, where):
    """What is wrong in a file of variables is told with its place."""
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(DefinitionError) as caught:
        variables_of(path, {})
    assert where in str(caught.value)


def test_environment_of_a_service(tmp_path):
    """A service has what its files say, over that what it says itself; what has no value comes from whoever calls."""
    (tmp_path / "web.env").write_text("A=file\nB=file\n")
    (tmp_path / ".env").write_text("FROM_FILE=x\n")
    text = """services:
  web:
    image: nginx
    env_file: web.env
    environment: [B=own, HANDED, FROM_FILE, NOWHERE]
"""
    found = lab(tmp_path, text, environment={"HANDED": "secret"})
    web = found.containers["shop-web-1"]
    assert web.environment == {"A": None, "B": "own", "HANDED": None, "FROM_FILE": None}
    assert found.given == {"shop-web-1": {"A": "file", "FROM_FILE": "x"}}


def test_a_missing_file_of_variables_is_noted(tmp_path):
    """What networks do not depend on is a note: files of variables are often in nobody's repository."""
    found = definition(tmp_path, "services:\n  web: {image: nginx, env_file: [gone.env]}\n")
    assert found.notes == ("env_file gone.env is not there: the container starts without what it sets (web)",)


def test_the_name_of_the_project_is_a_variable(tmp_path):
    """COMPOSE_PROJECT_NAME is known in the files, as by Compose."""
    web = lab(tmp_path, "services:\n  web: {image: nginx, hostname: '${COMPOSE_PROJECT_NAME}-x'}\n")
    assert web.containers["shop-web-1"].hostname == "shop-x"
