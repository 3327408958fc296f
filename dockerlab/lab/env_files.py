"""Files of environment variables beside a definition: read with it, and handed over like what has no value in it.

The form is that of `docker run --env-file`: a variable a line, `#` for what is not one; quotes around a whole value are
taken off, as Compose does. No value stands in a definition, a command or a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockerlab.lab.check import DOCKERS
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import Problem, shown

MAX_BYTES = 1_000_000
VARIABLE = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?")


def with_files(lab: Lab, directory: Path) -> tuple[Lab, list[Problem]]:
    """Return a lab whose containers get the variables of their files, and what is wrong with those.

    What `environment` says of a variable counts for more, and of two files the later one.
    """
    problems: list[Problem] = []
    containers = dict(lab.containers)
    given: dict[str, Mapping[str, str]] = {}
    for name, spec in lab.containers.items():
        values: dict[str, str | None] = {}
        for index, path in enumerate(spec.env_file):
            found = _read(directory / path)
            if isinstance(found, str):
                problems.append(Problem(("containers", name, "env_file", index), f"{shown(path)} {found}"))
            else:
                values |= found
        if spec.env_file:
            own = {key: value for key, value in values.items() if key not in spec.environment}
            environment = {**dict.fromkeys(own), **spec.environment}
            containers[name] = spec.model_copy(update={"environment": environment})
            given[name] = {key: value for key, value in own.items() if value is not None}
    if not given:
        return lab, problems
    made = lab.changed(containers=containers)
    made.__dict__["given"] = given
    return made, problems


def _read(path: Path) -> dict[str, str | None] | str:
    """Return the variables of a file, or what is wrong with it."""
    try:
        return dict(_variables(_text(path)))
    except ValueError as error:
        return str(error)


def _text(path: Path) -> str:
    """Return what stands in a file; raises ValueError where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"has more than {MAX_BYTES} bytes: that is no file of variables")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"cannot be read beside the definition: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text: save it as UTF-8") from None


def _variables(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield each variable with its value, None where the file has none; raises ValueError for a line that is none."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = VARIABLE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"has no variable in line {number}: write KEY=VALUE, with letters, digits and `_` in KEY")
        key, value = found[1], found[2]
        if DOCKERS.fullmatch(key):
            raise ValueError(f"names {key} in line {number}, which is for the docker command itself, too: leave it out")
        quoted = value is not None and len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        yield key, value[1:-1] if quoted and value is not None else value
