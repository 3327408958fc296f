"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from dockerlab.lab.fields import Strict, Text
from dockerlab.lab.model import Lab

About = Literal["host", "network", "container"]


class Break(Strict):
    """One fault at one place, as an exercise asks for it."""

    fault: str = Field(max_length=40, description="the fault's name", examples=["ip-forward-off"])
    on: str = Field(max_length=63, description="the host, network or container that is broken", examples=["vm0"])
    at: str | None = Field(
        None, max_length=63, description="for a network: the host on which; else the first that has it"
    )
    using: Text = Field(
        "",
        max_length=100,
        description="what the fault needs to know: a wrong parent, subnet, address, or another container",
        examples=["eth0"],
    )
    reason: Text = Field("", description="words that the reason of a failing check then has; held by the labs' test")

    def __str__(self) -> str:
        more = "".join(f" {word} {value}" for word, value in (("at", self.at), ("using", self.using)) if value)
        return f"{self.fault} on {self.on}{more}"


@dataclass(frozen=True)
class Sign:
    """A fact by which it is known that a cause is repaired: what is looked at, and words that stand there, or do not.

    `{name}` in it is one of the values that the templates of the fault are filled in with.
    """

    at: str
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One way to break a lab.

    `changes` says which cells change and why, `title` what was wrong, for afterwards. `inject` and `undo` are templates
    of commands, whose values `target` knows; they run on the host or, with `inside`, in the container's network
    namespace. By the `signs` it is known that the cause is repaired, and not only what is seen of it; of one `inside`
    it also is a sign that the namespace is as the engine made it. `wide` tells that more than the lab's own is touched.
    A fault with `alter` has no commands: it is the lab as another definition has
    it, and its sign is that the lab is as its own has it.
    """

    name: str
    title: str
    changes: str
    about: About
    inject: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    inside: bool = False
    signs: tuple[Sign, ...] = ()
    wide: bool = False
    needs: str = ""
    """What `using` has to be; empty where the fault needs nothing."""
    alter: Callable[[Lab, Break], Lab] | None = None
