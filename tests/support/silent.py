"""A class of which two hosts never end what they are asked, in each of the ways in which that can be."""

# ruff: noqa: ARG002
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from time import sleep

from support.hostile import AGENTS, OF, honest
from support.strangers import Dialogue, Speaker, Stranger, honest_agent, honest_engine

SILENT = ("h1", "h3")


@dataclass
class Hanging(Stranger):
    """A host that never ends what it is asked, where `hangs` says so: of what is run, or of an engine's answer."""

    hangs: Callable[[str], bool] = lambda _: False
    released: Event = field(default_factory=Event)
    asked: Counter[str] = field(default_factory=Counter)

    def stuck(self, what):
        """Count a question, and do not come back from it where it is one that hangs."""
        self.asked[what] += 1
        if self.hangs(what):
            self.asked["waited"] += 1
            self.released.wait(60)

    def run(self, argv, **given):
        self.stuck("look" if argv[0] == "python3" else "shell")
        return super().run(argv, **given)

    def converse(self, argv, **given):
        if argv[0] != "python3":
            self.stuck("exec" if argv[0] == "docker" else "shell")
            return super().converse(argv, **given)
        self.asked["session"] += 1
        right = self.agent

        def say(job, step):
            self.stuck(step)
            return right(job, step)

        return Dialogue(self.name, say, self.released.set if self.hangs("aborted") else lambda: None)

    def resume(self, argv, timeout):
        host = self

        class Slow(Speaker):
            def receive(self, timeout):
                host.stuck("answer")
                return super().receive(timeout)

        self.stuck("connect")
        return Slow(self.engine)


class AtWork(Dialogue):
    """The dialogue with an agent that says so many times, each after a pause in seconds, that it is at work."""

    signs, pause = 0, 0.0

    def receive_line(self):
        if len(self._heard) == 3 and self.signs > 0:  # its program, its job and the word to go
            self.signs -= 1
            sleep(self.pause)
            return b'{"event": "working"}\n'
        return super().receive_line()


def at_work(name, signs, pause):
    """Return an honest host whose agent takes its time, and says so."""

    class Slow(Hanging):
        def converse(self, argv, **given):
            if argv[0] != "python3":
                return super().converse(argv, **given)
            self.asked["session"] += 1
            talk = AtWork(self.name, self.agent, lambda: None)
            talk.signs, talk.pause = signs, pause
            return talk

    return Slow(name, honest_engine(OF[name], name), honest_agent(OF[name], name))


def hosts_of(hangs, released, agent=None):
    """Return a class's hosts, two of which hang where it is said."""
    hosts = {name: honest(name) for name in OF}
    for name in SILENT:
        says = AGENTS[agent](name) if agent else honest_agent(OF[name], name)
        hosts[name] = Hanging(name, honest_engine(OF[name], name), says, hangs=hangs, released=released)
    return hosts


MODES = {
    "the connection": (lambda what: what == "connect", None),
    "the engine": (lambda what: what == "answer", None),
    "the look": (lambda what: what == "look", None),
    "the shell": (lambda what: what == "shell", None),
    "the agent's start": (lambda what: what == "job", None),
    "the agent's cells": (lambda what: what == "go", None),
    "the agent's report": (lambda what: what == "stop", None),
    "the containers": (lambda what: what == "exec", "unable"),
    "everything": (lambda _: True, None),
}
