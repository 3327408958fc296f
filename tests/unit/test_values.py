"""Values of a call that are let through as they are: they are what typer's own validators give."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.main import get_command

from dockerlab.cli.values import BUILT, AsGiven, without_checks


class Form(str, Enum):
    TABLE = "table"
    JSON = "json"


def command():
    app = typer.Typer()

    @app.command()
    def call(
        name: Annotated[str | None, typer.Argument()] = None,
        number: Annotated[int, typer.Option()] = 1,
        host: Annotated[list[str] | None, typer.Option()] = None,
        file: Annotated[Path | None, typer.Option()] = None,
        form: Annotated[Form, typer.Option()] = Form.TABLE,
        flag: Annotated[bool, typer.Option("--flag")] = False,
    ) -> tuple[object, ...]:
        return name, number, host, file, form, flag

    return get_command(app)


CALLS = [
    [],
    ["x"],
    ["", "--flag"],
    ["ä ö", "--host", "a", "--host", ""],
    ["--form", "json", "--file", "a/b"],
    ["--number", "3"],
    ["\udcff", "--host", "\udcff"],
]
WRONG = [["--number", "x"], ["--form", "none"], ["--file", "a\0b", "--number", ""]]


@pytest.mark.parametrize("words", CALLS, ids=ascii)
def test_the_same_values(words):
    """A command gets the same values, of the same types, as without."""
    plain, ours = command(), command()
    without_checks(ours.params)
    expected = plain.main(words, standalone_mode=False)
    found = ours.main(words, standalone_mode=False)
    assert found == expected
    assert [type(each) for each in found] == [type(each) for each in expected]


@pytest.mark.parametrize("words", WRONG, ids=ascii)
def test_the_same_errors(words):
    """What is wrong is told in typer's own words."""
    said = []
    for each in (command(), command()):
        if said:
            without_checks(each.params)
        with pytest.raises(Exception, match=r"not|valid|null") as error:
            each.main(words, standalone_mode=False)
        said.append((type(error.value), error.value.format_message()))
    assert said[0] == said[1]


def test_another_typer():
    """Options of a typer that builds its validators otherwise are left alone."""

    class Other:
        pass

    (found,) = without_checks([Other()])
    assert not hasattr(found, BUILT)


def test_in_place():
    """Every option of a command has it, until a value needs more."""
    found = without_checks(command().params)
    assert {type(getattr(each, BUILT)) for each in found} == {AsGiven}
