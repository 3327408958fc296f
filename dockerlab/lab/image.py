"""Images that a definition builds: from a base, by shell steps that are committed one by one, or by a Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from dockerlab.lab.container import NODE
from dockerlab.lab.fields import Image, Name, Strict, Text

MAX_STEPS = 100
"""Overlay2 takes 128 layers at most, and the base has some."""

MAX_TEXT = 20_000

BuiltName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,99})?$",
        max_length=128,
    ),
]
"""The name of an image that is built here, with a tag or without; never that of a registry."""


def instructions(text: str) -> Iterator[str]:
    """Yield the lines of a Dockerfile that begin an instruction; a backslash continues the one above."""
    continued = False
    for line in text.splitlines():
        words = line.strip()
        if not words or words.startswith("#"):
            continue  # also between the lines of one instruction
        if not continued:
            yield words
        continued = words.endswith("\\")


REFUSED = {
    "FROM": "`from` says what it is built on, and is put in front: leave FROM out",
    "COPY": "nothing of this machine is sent along, so there is nothing to copy: write the file in a RUN",
    "ADD": "nothing of this machine is sent along, so there is nothing to add: write the file in a RUN",
}


def _dockerfile(text: str) -> str:
    """Check that a Dockerfile has what `docker build` on its text alone can do."""
    for line in instructions(text):
        word = line.split(maxsplit=1)[0].upper()
        if word in REFUSED:
            raise ValueError(f"{word}: {REFUSED[word]}")
    if not any(True for _ in instructions(text)):
        raise ValueError("there is no instruction in it: write one such as RUN, or use `steps`")
    return text


def _step(text: str) -> str:
    if not text.strip():
        raise ValueError("a step is empty: write what a shell in the container is to do, or leave it out")
    return text


def _shares(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d+", value):
        return int(value)
    return value


Step = Annotated[Text, StringConstraints(max_length=MAX_TEXT), AfterValidator(_step)]
Dockerfile = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(_dockerfile)]
Shared = Annotated[
    int | Image,
    BeforeValidator(_shares, json_schema_input_type=int | str),
]


class ImageExpect(Strict):
    """What has to be true of an image's layers on every host that has it."""

    layers: int | None = Field(
        None,
        ge=0,
        le=127,
        description="its layers are all those of `from`, and so many of its own on top",
        examples=[2],
    )
    shares: dict[Image, Shared] = Field(
        default_factory=dict,
        description="what it has in common with another image: all the layers of the image named here and no more, or "
        "so many bytes",
        examples=[{"tools": "dockerlab/node"}],
    )
    unchanged_by: tuple[Name, ...] = Field(
        (),
        description="containers of it that write, of which no write changes a layer of the image",
        examples=[["web"]],
    )


class BuiltImage(Strict):
    """An image that is built on each host that needs it: what it is built on, and either `steps` or a `dockerfile`."""

    base: Image = Field(
        NODE,
        alias="from",
        description="the image that it is built on, which may be another one of `images`",
        examples=["nginx:1.20"],
    )
    steps: tuple[Step, ...] = Field(
        (),
        max_length=MAX_STEPS,
        description="shell commands; each runs in a container of its own, which is then committed as a layer",
        examples=[["echo hello > /www/index.html"]],
    )
    dockerfile: Dockerfile | None = Field(
        None,
        description="a Dockerfile's instructions after FROM, for `docker build`; nothing else is sent along",
        examples=["RUN echo hello > /www/index.html"],
    )
    hosts: tuple[Name, ...] | None = Field(
        None,
        description="where it is built; by itself where containers or other images want it, or on all hosts",
        examples=[["vm0"]],
    )
    expect: ImageExpect = Field(
        default_factory=ImageExpect.model_construct,  # whose validator need not be built for it
        description="what has to be true of its layers",
        examples=[{"layers": 2}],
    )
