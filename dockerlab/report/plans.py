"""What `up` would do or has done, in words."""

from __future__ import annotations

from dockerlab.plan import Plan


def described(plan: Plan) -> str:
    """Return what would be done, an object a line, and the total."""
    objects = [step for step in plan.ordered() if step.action != "clear" and step.key.name != "invite"]
    return "".join(f"{step.action:<9} {step.key}\n" for step in objects) + f"would be: {counts(plan)}\n"


def counts(plan: Plan) -> str:
    """Return in a line how many objects are made, made anew, removed and kept."""
    found = plan.counts()
    if not plan.changes:
        return "no change: everything is as the definition says"
    words = {"create": "created", "recreate": "recreated", "remove": "removed", "keep": "kept"}
    return ", ".join(f"{found[action]} {word}" for action, word in words.items() if found[action])


def settings(plan: Plan) -> list[str]:
    """Return what becomes of the engines' own settings and of the hosts themselves, a text for each engine and host."""
    return [step.why for step in plan.steps if step.key.kind in ("daemon", "receipt") and step.why]
