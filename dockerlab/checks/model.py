"""The checks of an exercise, as pydantic models: declarations only, there is no code in them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from dockerlab.checks.looks import parse
from dockerlab.lab.fields import Strict, Text, Texts

MAX_PATTERN = 200


class Cells(Strict):
    """Cells of the matrix, by patterns over names (`*` and `?` as in a shell), and what they have to be."""

    source: str = Field("*", alias="from", max_length=MAX_PATTERN, description="a pattern over the names of sources")
    to: str = Field("*", max_length=MAX_PATTERN, description="a pattern over the names of targets")
    probe: str = Field("ping", max_length=MAX_PATTERN, description="ping, tcp/PORT, dns, or * for all")
    expected: Literal["reachable", "unreachable", "expected", "predicted"] = Field(
        "expected",
        description="what they have to be; expected: what the model says of the lab as it is defined; predicted: what "
        "it says of the hosts as they are",
    )


def _place(value: Any) -> Any:
    if isinstance(value, str):
        parse(value)
    return value


Place = Annotated[str, BeforeValidator(_place)]


class Look(Strict):
    """A fact of a host, or of a container's network namespace, and what has to stand in it."""

    on: str = Field(max_length=MAX_PATTERN, description="a host or container", examples=["vm0"])
    at: Place = Field(description="what is looked at", examples=["sysctl net.ipv4.ip_forward", "rules nat POSTROUTING"])
    has: Texts = Field((), description="words that stand together in one line of it", examples=[["MASQUERADE"]])
    lacks: Texts = Field((), description="words that stand together in no line of it", examples=[["-j DROP"]])

    @model_validator(mode="after")
    def _something(self) -> Look:
        if bool(self.has) == bool(self.lacks):
            raise ValueError("write either `has` or `lacks`: what has to stand there, or what must not")
        return self


class Source(Strict):
    """Where the answer to a question stands: what follows a word in a line of a fact, or how many such lines it has."""

    on: str = Field(max_length=MAX_PATTERN, description="a host or container")
    at: Place = Field(description="what is looked at", examples=["links eth0"])
    line: Texts = Field(
        (),
        description="words that stand in the line with the answer; without them it is the first",
        examples=[["default"]],
    )
    after: Text = Field("", description="what stands in front of the answer; without it the whole line is the answer")
    until: Text = Field("", description="what the answer ends in front of, if not a blank", examples=["/"])
    count: bool = Field(False, description="the number of such lines is the answer")


class Way(Strict):
    """A cell of the matrix whose answer is yes where it is reachable now, and else no."""

    source: str = Field(alias="from", max_length=MAX_PATTERN, description="who asks")
    to: str = Field(max_length=MAX_PATTERN, description="who is asked")
    probe: str = Field("ping", max_length=MAX_PATTERN, description="ping, tcp/PORT or dns")


class Ask(Strict):
    """A question that the student answers with `exercise check --answer`."""

    question: Text = Field(description="the question")
    answer: Texts = Field((), description="what is right: any of these, whatever the case and the blanks")
    sealed: Texts = Field((), description="the same, so that nobody reads it: what `dockerlab exercise seal` prints")
    found: Source | None = Field(None, description="where the right answer stands, if it differs from time to time")
    reaches: Way | None = Field(None, description="the cell that is asked about: the answer is yes or no, as it is now")
    wrong: Text = Field("", description="what is said to a wrong answer: a hint, not the answer")

    @model_validator(mode="after")
    def _one(self) -> Ask:
        if sum(map(bool, (self.answer, self.sealed, self.found, self.reaches))) != 1:
            raise ValueError("write one of `answer`, `sealed`, `found`, `reaches`: what is right, or where it is seen")
        return self


class Check(Strict):
    """One check: exactly one of the five kinds, and why it matters."""

    cells: Cells | None = Field(None, description="cells of the matrix")
    lab: Texts = Field((), description="objects of the lab that have to be as it defines them; `all` for every one")
    look: Look | None = Field(None, description="a fact of a host or container")
    ask: Ask | None = Field(None, description="a question")
    inside: Texts = Field(
        (), description="containers whose network namespace has to be as the engine made it; `all` for every one"
    )
    because: Text = Field("", description="why it has to be so, in a sentence")

    @model_validator(mode="after")
    def _one(self) -> Check:
        kinds = (self.cells, self.lab or None, self.look, self.ask, self.inside or None)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("a check is one of `cells`, `lab`, `inside`, `look`, `ask`: write exactly one of them")
        return self
