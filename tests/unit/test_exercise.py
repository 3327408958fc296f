"""Exercises: their files, a person's progress, and the end held against the beginning."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from support.labs import lab

from dockerlab.checks import answers
from dockerlab.checks.looks import parse, stands
from dockerlab.checks.outcome import Outcome
from dockerlab.cli.exercise import breaking, checking, words
from dockerlab.errors import DefinitionError, UsageError
from dockerlab.exercise import hints, loader, progress, sealing
from dockerlab.exercise.course import Checked
from dockerlab.exercise.model import Folder
from dockerlab.exercise.readme import QUESTION, sections
from dockerlab.exercise.remains import Holdings
from dockerlab.exercise.trial import Trial, choose
from dockerlab.faults import FAULTS
from dockerlab.faults.fault import Break
from dockerlab.faults.injury import Act, Injury

README = """\
# 01 · A title

The aim.

```sh
dockerlab exercise start 01
```

## 1 · First

Do this.

```sh
# a comment
ls \\
  -l
# another
true
```

It prints:

```text
## 9 · not a section
```

This fails:

```sh fails
false
```

## 2 · Second

And that.

## Questions

None.
"""

LAB = """
hosts: {vm0: , vm1: }
networks:
  front: {subnet: 172.28.1.0/24}
containers:
  web: {host: vm0, networks: [front]}
  far: {host: vm1}
"""

STEPS = """\
steps:
  - title: First
    checks: [{lab: all}]
  - title: Second
    checks:
      - cells: {from: web, to: far, expected: unreachable}
"""


def loads(text):
    return loader.loads(text, "exercise.yaml", lab(LAB), sections(README)[1][:2])


def mistakes(text):
    """Return the mistakes in an exercise, each as line:column: path: message."""
    with pytest.raises(DefinitionError) as caught:
        loads(text)
    return [str(problem).removeprefix("exercise.yaml:") for problem in caught.value.problems]


def test_the_readme():
    """Sections are steps, `sh` blocks are what is typed, and other blocks are shown."""
    aim, parts = sections(README)
    assert aim == "The aim."
    first, second, questions = parts
    assert (first.number, first.title, second.number, questions.number) == (1, "First", 2, 0)
    assert (
        first.prose
        == "Do this.\n\nIt prints:\n\n    ## 9 · not a section\n\nThis fails:\n\n    # this fails:\n    false"
    )
    assert [(block.commands, block.fails) for block in first.blocks] == [(("ls -l", "true"), False), (("false",), True)]


def test_every_exercise_that_comes_along():
    """Each loads, has a step for every section of its README, and checks by which its faults are seen."""
    known = loader.exercises()
    assert known
    for path in known.values():
        folder = loader.load(path)
        assert len(folder.sections) == len(folder.exercise.steps)
        assert folder.aim
        assert folder.lab.title
        assert all(broken.reason for broken in folder.exercise.faults)


def test_a_readme_asks_what_is_asked():
    """Who has a README alone reads the same questions there, each once, ahead of how they are answered."""
    for path in loader.exercises().values():
        folder, text = loader.load(path), (path / "README.md").read_text(encoding="utf-8")
        asked = [check.ask.question for step in folder.exercise.steps for check in step.checks if check.ask is not None]
        marked = [line.removeprefix(f"{QUESTION} ") for line in text.splitlines() if line.startswith(QUESTION)]
        assert marked == asked, path
        assert not any(QUESTION in section.prose for section in folder.sections), path


def test_a_readme_says_how_it_goes():
    """Who has a README alone reads there how a step is ended, where help is, and how everything goes away again."""
    for path in loader.exercises().values():
        ahead = (path / "README.md").read_text(encoding="utf-8").partition("## 1 · ")[0]
        for word in ("start", "check", "task", "stop", "`hint`|exercise hint", "`solution`|exercise solution"):
            assert any(each in ahead or f"exercise {each}" in ahead for each in word.split("|")), (path, word)


def test_what_a_text_announces_follows():
    """What ends in a colon has something below it: a task shows no commands but those that fail."""
    for folder in map(loader.load, loader.exercises().values()):
        for section in folder.sections:
            parts = [*section.prose.split("\n\n"), ""]
            for part, below in pairwise(parts):
                if part.rstrip().endswith(":"):
                    assert re.match(r" {4}|[-*|]|\d+\. ", below), f"{folder.id} {section.number}: {part}"


def test_no_text_tells_what_the_engine_chooses():
    """No task and no hint names an address of docker0's that an engine gives out: a question may ask for it."""
    for folder in map(loader.load, loader.exercises().values()):
        steps = folder.exercise.steps
        for section, step in zip(folder.sections, steps, strict=True):
            text = "\n".join((section.prose, *step.hints))
            given = set(re.findall(r"\b172\.17\.0\.(?!1\b|0\b)\d+", text))
            assert given <= {"172.17.0.200"}, f"{folder.id} {section.number}: {given}"  # which somebody is to give


def test_nothing_tells_a_sealed_answer():
    """While a question is open, no other check of its step says the answer, and no task has the number that is it."""
    known = yaml.safe_load((Path(__file__).parents[1] / "e2e" / "answers.yaml").read_text())
    for folder in map(loader.load, loader.exercises().values()):
        for section, step in zip(folder.sections, folder.exercise.steps, strict=True):
            for ask in (check.ask for check in step.checks if check.ask is not None and check.ask.sealed):
                reasons = [check.because for check in step.checks if check.ask is not ask]
                for word in set(known[ask.question]) - {"yes", "no"}:
                    whole = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
                    assert not any(map(whole.search, reasons)), f"{folder.id} {section.number}: {word}"
                    told = word.isdigit() and not whole.search(ask.question) and whole.search(section.prose)
                    assert not told, f"{folder.id} {section.number}: {word}"


def test_what_takes_ten_seconds_is_said():
    """A command that ends a container has a time in each README, and the task says so: an engine waits for ten."""
    ends = re.compile(r"docker (restart|stop)\b")
    found = 0
    for folder in map(loader.load, loader.exercises().values()):
        for section in folder.sections:
            lines = [line for block in section.blocks for line in block.commands if ends.search(line)]
            assert all("-t 1" in line for line in lines)
            assert not lines or "-t 1" in section.prose, f"{folder.id} {section.number}"
            found += len(lines)
    assert found


def test_the_commands_of_a_step():
    """What is to fail is marked, and after the last step there are none."""
    aim, parts = sections(README)
    folder = Folder("01", Path("01"), lab(LAB), loads(STEPS), aim, parts[:2])
    assert hints.commands(folder, 0) == ("ls -l", "true", "# this fails:", "false")
    assert hints.commands(folder, 2) == ()


def test_what_explains_several_checks_is_said_once():
    """Every check has its own reason, and what is known beside that stands below the first one."""
    outcomes = [
        Outcome("a", "fail", "wrong", where=("it says: 0",), beside=("a drop",), how=("vm0: iptables -D",)),
        Outcome("b", "fail", "wrong", where=("it says: 0",), beside=("a drop", "a route"), how=("vm0: iptables -D",)),
    ]

    def told(much, **more):
        return [line.strip() for line in words.of_outcomes(outcomes, much, **more)]

    assert told(words.Level.WHAT, quiet=True) == ["FAIL    a", "FAIL    b"]
    assert told(words.Level.WHAT) == ["FAIL    a", "wrong", "FAIL    b", "wrong"]
    assert told(words.Level.WHY) == [
        "FAIL    a", "wrong", "it says: 0", "a drop", "FAIL    b", "wrong", "a route",
    ]  # fmt: skip
    assert told(words.Level.HOW)[4] == "right would be, on vm0: iptables -D"
    assert len(told(words.Level.HOW)) == 8


def test_what_else_is_so_stands_behind_what_is():
    """How many other cells fail alike is told below the one that it refers to, with the model's reason as well."""
    outcome = Outcome("a", "fail", "x -> y is lost", ("so is one other cell",), ("it says: 0", "x -> y is lost: why"))
    told = [line.strip() for line in words.of_outcomes([outcome], words.Level.WHY)]
    assert told == ["FAIL    a", "x -> y is lost: why", "so is one other cell", "it says: 0"]


def test_find():
    """An exercise is found by its ID, its number, or its folder; another word tells what there is."""
    known = loader.exercises()
    name = next(iter(known))
    assert loader.find(name) == loader.find(name[:2]) == loader.find(str(int(name[:2]))) == known[name]
    assert loader.find(str(known[name])) == known[name]
    with pytest.raises(UsageError, match=r"there is no such exercise: known: 01-"):
        loader.find("nonsense")


def test_a_right_exercise():
    """What is right is loaded with its defaults."""
    exercise = loads(STEPS)
    assert exercise.begin == "made"
    assert exercise.steps[1].checks[0].cells.source == "web"


def with_check(check):
    return STEPS.replace("lab: all", check)


WHOLE = STEPS + "intact: [{lab: all}]\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (STEPS.replace("Second", "Secnd"), "4:12: steps[1].title", "the README.md has no section `## 2 · Secnd`"),
        (
            STEPS.replace("web", "wbe"),
            "6:23: steps[1].checks[0].cells.from",
            "nobody asks as wbe: did you mean web?",
        ),
        (with_check("lab: [wen]"), "3:21: steps[0].checks[0].lab[0]", "no wen in the lab: did you mean web?"),
        (
            with_check("look: {on: vm0, at: sysctl, has: x}"),
            "3:35: steps[0].checks[0].look.at",
            "'sysctl': behind `sysctl` belong 1 words (a kernel setting, such as net.ipv4.ip_forward)",
        ),
        (
            with_check('look: {on: vm0, at: "rules nat -F", has: x}'),
            "3:35: steps[0].checks[0].look.at",
            "'-F' has no place behind `rules`: use letters, digits and _ . : / @ -",
        ),
        (
            with_check("look: {on: vm9, at: routes, has: x}"),
            "3:26: steps[0].checks[0].look.on",
            "no host or container vm9 in the lab: did you mean vm0 or vm1?",
        ),
        (
            with_check("look: {on: vm0, at: routes}"),
            "3:21: steps[0].checks[0].look",
            "write either `has` or `lacks`: what has to stand there, or what must not",
        ),
        (
            with_check("lab: all, cells: {from: web}"),
            "3:14: steps[0].checks[0]",
            "a check is one of `cells`, `lab`, `inside`, `look`, `ask`: write exactly one of them",
        ),
        (
            STEPS.replace("[{lab: all}]", "[]"),
            "3:13: steps[0].checks",
            "a step without checks is never done: write at least one",
        ),
        (STEPS + "falts: []\n", "7:1: falts", "unknown key 'falts': did you mean faults?"),
        (
            WHOLE + "faults: [{fault: icc-of, on: front}]\n",
            "8:18: faults[0].fault",
            "icc-of is no fault: did you mean icc-off?",
        ),
        (
            WHOLE + "faults: [{fault: icc-off, on: web}]\n",
            "8:31: faults[0].on",
            "icc-off on web: the lab has no network web; it has front, bridge",
        ),
        (
            WHOLE + "faults: [{fault: wrong-subnet, on: front}]\n",
            "8:10: faults[0]",
            "`using` is missing: the wrong subnet, such as 172.28.9.0/24",
        ),
        (
            STEPS + "faults: [{fault: icc-off, on: front}]\n",
            "7:9: faults",
            "faults want `intact`: the checks by which one sees that something is broken",
        ),
    ],
)
def test_a_wrong_exercise(text, place, said):
    """Each mistake has its place and says what would be right."""
    assert mistakes(text) == [f"{place}: {said}"]


def test_looks():
    """What is looked at is one of a few facts, and a word in it is never a flag."""
    assert parse("rules nat POSTROUTING")[1] == ("nat", "POSTROUTING")
    for wrong in ("", "rm /", "links -4", "rules nat", "rules nut POSTROUTING", "routes default", "sysctl --all"):
        with pytest.raises(ValueError, match=r"."):
            parse(wrong)


def test_words_that_stand_in_a_line():
    """Words are found whole, and all in one line."""
    lines = ["-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", "-A POSTROUTING -j RETURN"]
    assert stands(("-s 172.17.0.0/16", "MASQUERADE"), lines) == lines[0]
    assert stands(("-s 172.17.0.0", "MASQUERADE"), lines) is None
    assert stands(("MASQUERADE", "RETURN"), lines) is None


def begun(**more):
    injury = Injury(
        broken=Break(fault="ip-forward-off", on="vm0"), undo=(Act(host="vm0", argv=("sysctl", "-w", "x=1")),), wide=True
    )
    trial = Trial(injuries=(injury,), seed="monday")
    return progress.Progress(id="02-outside", folder=Path("/x"), started="2026-01-01T00:00:00", trial=trial, **more)


def test_progress_is_kept(tmp_path):
    """What is written is read again as it was, also what it takes to mend a fault, and can be forgotten."""
    here = begun(sandbox=True, step=2, before={"vm0": Holdings(containers=frozenset({"a"}), policy="DROP")})
    progress.write(here, tmp_path)
    assert progress.read("02-outside", tmp_path) == here
    assert progress.running(tmp_path) == ["02-outside"]
    assert progress.current(None, tmp_path) == progress.current("2", tmp_path) == here
    progress.forget("02-outside", tmp_path)
    assert progress.read("02-outside", tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_which_exercise(tmp_path):
    """Where several are on, one has to be named; where none is, it is said how to begin."""
    with pytest.raises(UsageError, match=r"no exercise is on: `dockerlab exercise start ID` begins one"):
        progress.current(None, tmp_path)
    for name in ("02-outside", "05-macvlan"):
        progress.write(begun().model_copy(update={"id": name}), tmp_path)
    with pytest.raises(UsageError, match="2 exercises are on, say which: 02-outside, 05-macvlan"):
        progress.current(None, tmp_path)
    assert progress.current("5", tmp_path).id == "05-macvlan"
    with pytest.raises(UsageError, match="the exercise 7 is not on"):
        progress.current("7", tmp_path)


def test_a_folder_that_begins_with_a_dot(tmp_path):
    """An exercise in a folder such as .hid is on like any other; what a crash left half written is not."""
    progress.write(begun().model_copy(update={"id": ".hid"}), tmp_path)
    (tmp_path / "..hid.x1y2").touch()
    assert progress.running(tmp_path) == [".hid"]
    assert progress.current(".hid", tmp_path).id == progress.current("ex/.hid", tmp_path).id == ".hid"


def test_two_folders_of_one_name(tmp_path):
    """An exercise does not go on where another one of its name stands: that is refused, with where the other one is."""
    here = begun().model_copy(update={"id": "lab", "folder": tmp_path / "ex" / "lab"})
    progress.same(here, tmp_path / "ex" / "lab")
    with pytest.raises(UsageError, match=f"the one in {tmp_path}/ex/lab: stop it first"):
        progress.same(here, tmp_path / "ex2" / "lab")


def test_a_progress_that_is_none(tmp_path):
    """A file that somebody has changed is named, with what to do."""
    (tmp_path / "02-outside.json").write_text('{"id": 3}')
    with pytest.raises(UsageError, match=r"02-outside\.json: not the progress of an exercise"):
        progress.read("02-outside", tmp_path)


def test_where_progress_is():
    """It is in the user's own state directory; a relative XDG_STATE_HOME counts for nothing, as the standard says."""
    assert progress.directory({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/dockerlab/exercises")
    for elsewhere in ("", "relative"):
        found = progress.directory({"XDG_STATE_HOME": elsewhere, "HOME": "/h"})
        assert found == Path("/h/.local/state/dockerlab/exercises")


def test_a_seed_chooses():
    """The same seed gives the same fault, and many seeds give each of them."""
    breaks = [Break(fault=name, on="x") for name in list(FAULTS)[:5]]
    here = lab(LAB)
    assert choose(breaks, here, "monday-anna") == choose(breaks, here, "monday-anna")
    assert {choose(breaks, here, f"monday-{number}")[0].fault for number in range(50)} == {b.fault for b in breaks}
    with pytest.raises(UsageError, match="has no faults"):
        choose([], here, "monday")


def test_several_faults():
    """Of several, none touches what another one does; where so many do not go together, it is said how many do."""
    breaks = [
        Break(fault="icc-off", on="front"),
        Break(fault="link-down", on="web"),  # on front
        Break(fault="link-down", on="far"),
        Break(fault="ip-forward-off", on="vm0"),
        Break(fault="forward-drop", on="vm0"),
    ]
    here = lab(LAB)
    for number in range(20):
        names = {str(each) for each in choose(breaks, here, f"seed {number}", 2)}
        assert len(names) == 2
        assert names != {"icc-off on front", "link-down on web"}
    assert len(choose(breaks, here, "x", 4)) == 4
    with pytest.raises(UsageError, match="do not go together; at most 4: --faults 4"):
        choose(breaks, here, "x", 5)


def test_perhaps_nothing():
    """Where it may be nothing, some seeds stand for a healthy lab, and the others for what they stand for anyway."""
    breaks, here = [Break(fault="link-down", on="web")], lab(LAB)
    found = [choose(breaks, here, f"seed {number}", maybe=True) for number in range(60)]
    assert 5 < sum(each == () for each in found) < 40
    assert {each for each in found if each} == {choose(breaks, here, "any")}


def test_what_is_broken_is_sealed(tmp_path):
    """No word of a fault stands in the file of where somebody is, and its length does not tell how many there are."""
    for here in (begun(), begun().model_copy(update={"trial": Trial(maybe=True, seed="monday")})):
        progress.write(here, tmp_path)
        text = (tmp_path / "02-outside.json").read_text()
        assert not any(word in text for word in ("ip-forward", "sysctl", "monday", "injur", "vm0", "maybe"))
        assert progress.read("02-outside", tmp_path) == here
        assert len(json.loads(text)["trial"]) == 4 * -(-(sealing.ROOM + sealing.SALT) // 3)
    (tmp_path / "02-outside.json").write_text(text.replace('"trial": "', '"trial": "AAAA'))
    with pytest.raises(UsageError, match="it was changed since it was written"):
        progress.read("02-outside", tmp_path)


def found_of(*verdicts, signs=()):
    """Return what a check found, by the verdicts of its outcomes."""
    return Checked(tuple(Outcome(f"cell {n}", v, "iptables -D is the answer") for n, v in enumerate(verdicts)), signs)


def test_a_fault_is_not_given_away():
    """Of what is broken, `check` by itself says no more than what no longer holds; asked, it says why."""
    here = begun()
    assert list(words.of_check(here, found_of("pass", "fail"), words.Level.WHAT)) == [
        "pass    cell 0",
        "FAIL    cell 1",
    ]
    assert "iptables" in "".join(words.of_check(here, found_of("pass", "fail"), words.Level.WHY))


def test_what_says_more():
    """A check promises no command where it has none: for a question, there is where to look."""
    here = begun().without_trial()
    asked = Checked((Outcome("a question", "fail", "not answered yet", ("the first line",)),))
    missing = Checked((Outcome("a lab", "fail", "web does not exist", how=("vm0: docker run web",)),))
    levels = (words.Level.WHAT, words.Level.WHY, words.Level.HOW)
    assert [words.further(here, asked, much) for much in levels] == [
        "'dockerlab exercise hint' helps, and 'check --why' says where to look", "", "",
    ]  # fmt: skip
    for state, found in ((here, missing), (begun(), found_of("fail"))):
        assert ["--how" in words.further(state, found, much) for much in levels] == [True, True, False]


def test_each_of_two_causes():
    """Once nothing is to be seen of two faults, each is told to be repaired, or still there, for itself."""
    here = begun()
    two = here.model_copy(update={"trial": Trial(injuries=here.trial.injuries * 2)})
    signs = ((Outcome("x", "pass"),), (Outcome("y", "fail", "is 0"),))
    told = list(words.of_check(two, found_of("pass", signs=signs), words.Level.WHAT))
    assert told == [
        "pass    cell 0",
        "pass    the cause is repaired: the host did not forward",
        "FAIL    the cause: what one sees of it is gone, the cause is not",
    ]


@pytest.mark.parametrize(
    ("trial", "verdicts", "code", "said"),
    [
        (Trial(maybe=True), ["pass"], 0, ""),
        (Trial(maybe=True), ["fail"], 1, "nothing was broken on purpose; but by now it is not as it should be"),
        (begun().trial, ["fail"], 1, "that is not so: something is broken"),
        (None, ["pass"], 2, "nothing was to be found"),
    ],
)
def test_nothing_is_broken(trial, verdicts, code, said, capsys):
    """To say that nothing is broken is right where it is so, and only there."""
    assert checking.claimed(begun().model_copy(update={"trial": trial}), found_of(*verdicts)) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (1, "one step of the exercise is not done yet: it goes on once this is found"),
        (3, "3 steps of the exercise are not done yet: they go on once this is found"),
    ],
)
def test_a_fault_in_the_middle(steps, told):
    """Who breaks something ahead of the last step is told what becomes of the others."""
    assert breaking.later(steps) == told


def test_that_a_solution_was_seen():
    """It is told for what the solution was shown, and nothing where it was not."""
    assert words.helped(begun()) == ""
    assert words.helped(begun(solved={"step 2", "a fault"})) == "what to type was shown for a fault, step 2"


def test_answers_in_clear():
    """No answer stands in clear in an exercise that comes along, and each sealed one opens by the tests' own."""
    known = yaml.safe_load((Path(__file__).parents[1] / "e2e" / "answers.yaml").read_text())
    asked = [
        check.ask
        for path in loader.exercises().values()
        for step in loader.load(path).exercise.steps
        for check in step.checks
        if check.ask is not None
    ]
    assert not [ask.question for ask in asked if ask.answer]
    sealed = {ask.question: ask.sealed for ask in asked if ask.sealed}
    assert sealed.keys() == known.keys()
    for question, seals in sealed.items():
        assert [answers.seal(question, answer) for answer in known[question]] == list(seals)
        assert answers.opens(question, known[question][0].upper(), seals)
        assert not answers.opens(question, "something else", [seal for seal in seals if question not in YES_OR_NO])


YES_OR_NO = (
    "Does alone reach neighbour with the cable alone?",
    "Does `docker network ls` on vm1 show wide by now (yes or no)?",
)


def test_a_sealed_yes_or_no():
    """Yes and no are taken in any form, and what is neither is no wrong answer."""
    seals = [answers.seal("Does it?", "no")]
    assert [answers.opens("Does it?", word, seals) for word in ("n", "NO", "y", "perhaps")] == [True, True, False, None]


BY_LOOKS = {"The policy", "A door to the namespace", "Address and route", "What the firewall has to allow", "A Swarm"}
"""Steps whose looks hold for nothing that was there before: what they see is made by hand, in that very step."""


def test_every_step_wants_something():
    """Each step asks a question, makes an object for the first time, or changes what a step before had looked at."""
    for path in loader.exercises().values():
        exercise, made, seen = loader.load(path).exercise, set(), {}
        for step in exercise.steps:
            asks = any(check.ask is not None for check in step.checks)
            names = {name for check in step.checks for name in check.lab} if exercise.begin == "empty" else set()
            looks = {(c.look.on, c.look.at): (c.look.has, c.look.lacks) for c in step.checks if c.look is not None}
            turned = {place for place, what in looks.items() if seen.get(place, what) != what}
            assert asks or names - made or turned or step.title in BY_LOOKS, f"{path.name}: {step.title}"
            made, seen = made | names, {**seen, **looks}


def test_nine_answers_are_not_typed_again():
    """Answers go to the questions that are open; those that were right stay, and all of them may be given anew."""
    questions = ["a", "b", "c"]
    here = begun().answered(questions, ["1", "2", "3"]).kept(["a", "c"])
    assert here.answers == {"a": "1", "c": "3"}
    assert here.answered(questions, ["5"]).answers == {"a": "1", "b": "5", "c": "3"}
    assert here.answered(questions, ["7", "8", "9"]).answers == {"a": "7", "b": "8", "c": "9"}
    with pytest.raises(UsageError, match="2 answers, and of this step's 3 questions, 1 is open"):
        here.answered(questions, ["5", "6"])
