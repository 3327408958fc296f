"""A class whose places are this machine: a shell on a PTY is a student's host, and a script is `dockerlab`."""

import json

from dockerlab.classroom import keeping
from dockerlab.classroom.room import Room
from dockerlab.classroom.shown import shown
from dockerlab.exercise import loader
from support.offline import observed

STUDENTS = (("s01-ada", "Ada Lovelace"), ("s02-bob", "Bob <b>bold</b>"))


def progress(step, hints):
    return {
        "schema": 2, "id": "01-default-bridge", "folder": "/nowhere", "sandbox": True, "step": step, "hints": hints,
        "started": "2027-01-31T18:00:00+00:00",
    }  # fmt: skip


class Places:
    """Where the students are, by place; `says` is what the next check says, and how it ends."""

    def __init__(self, folder):
        self.folder = folder
        self.steps, self.hints = {}, {}
        self.says = ("FAIL    centos_v1\n        container centos_v1 does not exist", 1)
        self.commands = []
        self.sees = json.dumps(shown(observed(loader.load(loader.find("01")).lab, wrong={1})))

    def enter(self, name, command):
        self.commands.append((name, list(command)))
        if command[0] == "sh":
            text = json.dumps(progress(self.steps.get(name, 0), self.hints.get(name, 0)))
            return ["printf", "%s", text]
        if "dockerlab.classroom.entry" in command:
            return ["env", "-i", f"HOME={self.folder}", "TERM=xterm", f"PS1={name}$ ", "bash", "--norc", "--noprofile"]
        if "dockerlab.classroom.looking" in command:
            return ["printf", "%s\n", "a note", self.sees]
        if "hint" in command:
            self.hints[name] = self.hints.get(name, 0) + 1
            return ["true"]
        text, code = self.says
        if code == 0:
            self.steps[name] = self.steps.get(name, 0) + 1
        return ["sh", "-c", 'printf "%s\n" "$1"; exit "$2"', "sh", text, str(code)]


def room(folder, places, unconfined=lambda _: None):
    exercise = loader.load(loader.find("01"))
    enrolled = keeping.enrol(folder / "class", exercise.id, STUDENTS)
    return Room(exercise, enrolled, folder / "class", places.enter, unconfined)
