"""Which file a lab's name stands for: a path, or one of the examples and labs that come along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dockerlab.errors import DefinitionError, UsageError
from dockerlab.lab.problem import meant

PACKAGE = Path(__file__).parent.parent


def find(lab: str) -> Path:
    """Return the definition of `lab`: a path, the name of an example (`macvlan`), or of a lab (`05-macvlan`, `05`).

    A directory stands for the `lab.yaml` in it. Raises UsageError, with what there is, when nothing is found.
    """
    path = Path(lab)
    if path.is_dir() and (path / "lab.yaml").is_file():
        return path / "lab.yaml"
    known = _packaged()
    if path.exists() and not (path.is_dir() and lab in known):
        return path
    if lab in known:
        return known[lab]
    numbered = [name for name in known if lab.isdigit() and name.startswith(f"{lab}-")]
    if len(numbered) == 1:
        return known[numbered[0]]
    raise UsageError(f"{lab}: no such file, and no packaged lab of that name: {meant(lab, known)}")


def names() -> list[tuple[str, str]]:
    """Return the name and the title of every packaged example and lab, examples first."""
    return [(name, _title(path)) for name, path in _packaged().items()]


def known() -> list[str]:
    """Return the name of every packaged example and lab, examples first; none of them is read."""
    return list(_packaged())


def data_directory(kind: str) -> Path:
    """Return where `examples` or `labs` are: in the installed package, or at the top of a checkout."""
    installed = PACKAGE / "_data" / kind
    return installed if installed.is_dir() else PACKAGE.parent / kind


def _packaged() -> dict[str, Path]:
    return dict((*_examples(), *_labs()))


def _examples() -> Iterator[tuple[str, Path]]:
    for path in sorted(data_directory("examples").glob("*.yaml")):
        yield path.stem, path


def _labs() -> Iterator[tuple[str, Path]]:
    for path in sorted(data_directory("labs").glob("*/lab.yaml")):
        yield path.parent.name, path


def _title(path: Path) -> str:
    from dockerlab.lab.document import parse  # noqa: PLC0415 - to find a file, none is read

    try:
        return str(parse(path.read_text(encoding="utf-8"), str(path)).data.get("title") or "")
    except DefinitionError as error:
        return f"(cannot be read: {error.problems[0]})"
