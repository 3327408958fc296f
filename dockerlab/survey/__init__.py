"""What is on the hosts now: the engines' objects, the machines' facts, what is inside the containers' namespaces.

asking    all hosts asked at once, also where some do not answer
hosts     what a look at all hosts brings
facts     what a machine is like beneath its engine's objects
send      the program that reads a host's kernel: sent, and what it saw
bare      what a shell can ask in its place on a host without Python
parse     what it printed, as the kernel's state; `rules` the part of rules
inside    what is in containers' network namespaces
run_in    a command in a container

The program, in `program/`, for any Python from 3.6 on:

look      what there is, with `asking` (commands, files) and `entering` (network namespaces)
spaces    each namespace: what `ip` says, and `sysctls`, `rules` (with `tables`, the list of the kernel), `bound`
processes who listens, and docker-proxies
engine    what the docker command lists, for who has no snapshot
listen    wait until something changed, and look
"""

from dockerlab.survey.asking import IN_A_CLASS, Answers, ask_all, on_each, one_of
from dockerlab.survey.hosts import Seen, ground, look, look_again, look_where_told, settings, survey

__all__ = [
    "IN_A_CLASS",
    "Answers",
    "Seen",
    "ask_all",
    "ground",
    "look",
    "look_again",
    "look_where_told",
    "on_each",
    "one_of",
    "settings",
    "survey",
]
