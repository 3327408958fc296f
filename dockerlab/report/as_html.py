"""A report as one page that needs nothing else: the picture, the matrix, the commands, the facts of the hosts.

The page works from a file without any network, and its policy lets it load and run nothing but what is in it. Values
reach it in two ways: escaped by the template, or as JSON, of which the page's program makes text and nothing else.
"""

from __future__ import annotations

import json
import shlex
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from dockerlab.command import Command, Variable
from dockerlab.graph import svg
from dockerlab.graph.describe import describe
from dockerlab.graph.verdicts import nodes, strands
from dockerlab.plain import for_terminal
from dockerlab.report.as_json import WORDS
from dockerlab.report.causes import by_side
from dockerlab.report.cells import data
from dockerlab.report.host_facts import host_facts
from dockerlab.report.strands import asked
from dockerlab.verify import Judged, Report

FOLDER = Path(__file__).with_name("html")

FEW = 20
"""So many verdicts may be over the picture at first; of more, only those that are not as expected."""

AMISS = 500
"""So many cells that are not as expected stand in a table of their own; the matrix has them all."""

OUTCOMES = {
    "pass": "Every cell is as expected.",
    "fail": "Not every cell is as expected.",
    "unknown": "Not every cell could be told.",
}
OTHERWISE = "The lab is not as its definition has it."


def render(report: Report, commands: Mapping[str, Sequence[Command]] | None = None) -> str:
    """Return the report as an HTML document; `commands` are those of each host, with their reasons."""
    style, script = (FOLDER / "page.css").read_text(encoding="utf-8"), (FOLDER / "page.js").read_text(encoding="utf-8")
    amiss = [judged for judged in report.cells if judged.verdict != "pass" and judged.cause is None]
    outcome = {0: "pass", 1: "fail"}.get(report.exit_code, "unknown")
    drawing = _drawing(report)
    document = data(report.cells, report.world, drawing.nodes)
    page: str = (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            policy=policy([script], [style, svg.style()]),
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            data=Markup(_json(document)),  # noqa: S704 - safe in a script
            picture=drawing.markup,
            shown=drawing.shown,
            summary=", ".join(f"{count} {verdict}" for verdict, count in report.summary().items()),
            outcome=outcome,
            outcome_words=OUTCOMES[outcome] if outcome != "fail" or report.summary()["fail"] else OTHERWISE,
            amiss=[_row(judged) for judged in amiss[:AMISS]],
            amiss_total=len(amiss),
            causes=list(by_side(report)),
            commands={host: [_command(each) for each in all_of] for host, all_of in (commands or {}).items()},
            facts=list(host_facts(report)),
        )
    )
    return for_terminal(page)


@dataclass(frozen=True)
class _Drawing:
    """The picture as it stands in the page; `nodes` are its nodes by the names of the matrix."""

    markup: Markup | None = None
    nodes: Mapping[str, str] = field(default_factory=dict)
    shown: str = "none"
    """Which of the verdicts over it are shown at first."""


def _drawing(report: Report) -> _Drawing:
    """Return the picture with the verdicts over it, or nothing where it is not known what was verified."""
    if report.world is None:
        return _Drawing()
    picture = describe(report.world, imagined=False)
    over = strands(picture, asked(report.cells))
    markup = Markup(svg.render(picture, over))  # noqa: S704 - every value is escaped there
    return _Drawing(markup, nodes(picture), "all" if len(over) <= FEW else "amiss")


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html.j2"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Return the page's Content Security Policy: the scripts and styles in it, by their hashes, and nothing else."""

    def allowed(texts: Sequence[str]) -> str:
        return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts) or "'none'"

    return (
        f"default-src 'none'; script-src {allowed(scripts)}; style-src {allowed(styles)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _json(document: Any) -> str:
    """Return JSON in which nothing can end the script element that it stands in."""
    text = for_terminal(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
    return text.translate({ord(character): f"\\u{ord(character):04x}" for character in "<>&"})


def _row(judged: Judged) -> dict[str, str]:
    """Return what the table says of a cell that is not as expected."""
    cell, expected, observed = judged.cell, judged.expected, judged.observed
    return {
        "verdict": judged.verdict,
        "source": cell.source,
        "to": cell.to,
        "target": cell.target,
        "probe": cell.probe,
        "expected": _with(WORDS[expected.reachable], expected.symptom),
        "observed": _with(observed.state, observed.symptom),
        "detail": observed.detail,
        "because": judged.because,
        "rule": expected.rule,
    }


def _with(word: str, symptom: str | None) -> str:
    return f"{word} ({symptom})" if symptom else word


def _command(command: Command) -> dict[str, Any]:
    """Return a command as the template shows it: its reason, and its arguments in lines, each with its own reason."""
    lines: list[dict[str, str]] = []
    for part in command.parts:
        text = " ".join(a.shell() if isinstance(a, Variable) else shlex.quote(a) for a in part.arguments)
        if len(lines) > 1 and not part.why and not lines[-1]["why"]:
            lines[-1]["text"] += f" {text}"
        else:
            lines.append({"text": text, "why": part.why})
    return {"why": command.why, "parts": lines}
