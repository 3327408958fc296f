"""A class whose places are this machine: a shell on a PTY is a student's host, and a script is `dockerlab`."""

import json

from dockerlab.classroom import keeping
from dockerlab.classroom.room import Room
from dockerlab.classroom.shown import shown
from dockerlab.exercise import loader
from dockerlab.exercise.progress import Progress
from dockerlab.exercise.trial import Trial
from dockerlab.faults.injury import Injury
from dockerlab.students.roster import Roster, Student
from support.offline import observed

STUDENTS = Roster((Student(1, "s01-ada", "Ada Lovelace"), Student(2, "s02-bob", "Bob <b>bold</b>")))


FOLDER = loader.load(loader.find("01"))


def progress(**more):
    return Progress(
        id=FOLDER.id, folder=FOLDER.path, sandbox=True, started="2027-01-31T18:00:00+00:00", **more
    ).model_dump_json(by_alias=True)


class Places:
    """Where the students are, by place; `says` is what the next check says, and how it ends."""

    def __init__(self, folder):
        self.folder = folder
        self.steps, self.hints, self.trials = {}, {}, {}
        self.refuses = ""
        self.says = ("FAIL    centos_v1\n        container centos_v1 does not exist", 1)
        self.commands = []
        self.sees = json.dumps(shown(observed(FOLDER.lab, wrong={1})))

    def enter(self, name, command):
        self.commands.append((name, list(command)))
        if command[0] == "sh":
            text = progress(step=self.steps.get(name, 0), hints=self.hints.get(name, 0), trial=self.trials.get(name))
            return ["printf", "%s", text]
        if "dockerlab.classroom.entry" in command:
            return ["env", "-i", f"HOME={self.folder}", "TERM=xterm", f"PS1={name}$ ", "bash", "--norc", "--noprofile"]
        if {"dockerlab.classroom.looking", "dockerlab.classroom.plain"} & set(command):
            return ["printf", "%s\n", "a note", self.sees]
        if "hint" in command:
            self.hints[name] = self.hints.get(name, 0) + 1
            return ["true"]
        if "exercise" in command and command[command.index("exercise") + 1] in ("fault", "stop", "start"):
            return self._upset(name, command[command.index("exercise") + 1 :])
        text, code = self.says
        if code == 0 and name in self.trials:
            if not self.trials[name].maybe or "--healthy" in command:
                del self.trials[name]
        elif code == 0:
            self.steps[name] = self.steps.get(name, 0) + 1
        return ["sh", "-c", 'printf "%s\n" "$1"; exit "$2"', "sh", text, str(code)]

    def _upset(self, name, command):
        if self.refuses:
            return ["sh", "-c", 'echo "$1"; exit 2', "sh", self.refuses]
        if command[0] == "fault" and "--remove" not in command:
            injuries = () if "--maybe" in command else (Injury(broken=FOLDER.exercise.faults[0]),)
            self.trials[name] = Trial(injuries=injuries, maybe="--maybe" in command)
        else:
            self.trials.pop(name, None)
        for word in command:
            if word.startswith("--step="):
                self.steps[name] = int(word.removeprefix("--step=")) - 1
        return ["true"]


def room(folder, places, unconfined=lambda _: None, lab=FOLDER, students=STUDENTS):
    enrolled = keeping.enrol(folder / "class", lab.id, students)
    return Room(lab, enrolled, folder / "class", places.enter, unconfined)
