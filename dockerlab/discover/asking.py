"""What a definition is made of, asked of all hosts at once while what makes it is still imported."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from dockerlab import engine
from dockerlab.hosts.base import Host
from dockerlab.hosts.together import begun
from dockerlab.kernel.model import Machine
from dockerlab.snapshot import Snapshot
from dockerlab.survey import send
from dockerlab.survey.asking import Answers, ask_all


@dataclass(frozen=True)
class Asked:
    """What will be known of hosts: what their engines say in every detail, and who listens there."""

    books: Future[Answers[Snapshot]]
    kernels: Future[Answers[Machine]]


def ask(hosts: Mapping[str, Host]) -> Asked:
    """Ask the hosts' engines and kernels, none of which waits for another; no more of these than who listens."""
    return Asked(
        begun(lambda: ask_all(hosts, lambda host: engine.snapshot(host, detail="every")), "engines"),
        begun(lambda: send.kernels(hosts, {}, "listeners"), "listeners"),
    )
