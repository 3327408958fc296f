"""What to do about a step that failed, where more can be told than the engine did."""

from __future__ import annotations

from dockerlab.command import Result
from dockerlab.plan import Key, removals

MISSING_IMAGE = (
    "Get the image {name} onto this machine, from where `up` sends it to {host}, or load it on {host} yourself "
    "(docker save, docker load)."
)

REMEDIES = (
    (
        ("port is already allocated", "address already in use"),
        "Stop what holds the port on {host}, or publish another one in `ports`.",
    ),
    (
        ("no space left on device",),
        (
            "A disk of {host} is full: 'df -h' shows which one, 'docker system df' what the engine takes of it, "
            "'docker system prune' frees what is not in use."
        ),
    ),
    (
        ("in use by task",),
        (
            "A machine that has left the Swarm, or does not answer, still holds it: 'docker node ls' on {host} shows "
            "which one, 'docker node rm --force NODE' forgets it; then repeat."
        ),
    ),
    (
        (removals.HELD,),
        (
            "'docker network inspect {name}' on {host} shows who is still on it. If it shows nobody, the engine has "
            "lost count of its endpoints, as engines before 28.1 may, and only a restart mends that: 'dockerlab down' "
            "with --allow-engine-restart does it where nothing else runs there."
        ),
    ),
    (
        ("all predefined address pools", "non-overlapping ipv4 address pool among the defaults"),
        (
            "The engine of {host} has about 31 subnets to give to networks that name none, and they are all in use: "
            "give the lab's networks a `subnet`, remove networks that nobody needs ('docker network prune'), or widen "
            "`default-address-pools` in daemon.json."
        ),
    ),
)
"""What an engine says when it fails, in small letters, and what to do about it."""


def remedy(key: Key, result: Result) -> str:
    """Return what to do about a failed step, on a line of its own, or nothing."""
    said = result.error.lower()
    if key.kind == "image":
        return "\n  " + MISSING_IMAGE.format(host=key.host, name=key.name)
    known = (text for words, text in REMEDIES if any(word in said for word in words))
    return next(("\n  " + text.format(host=key.host, name=key.name) for text in known), "")
