"""Plans on hosts that are functions: order, concurrency, failure, interruption, rollback."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
from support.labs import lab

from dockerlab.command import Command, Part, Result, Variable
from dockerlab.errors import (
    ConflictError,
    DeadlineExceeded,
    ExecutionError,
    HostError,
    Interrupted,
    TransportError,
)
from dockerlab.hosts.fake import FakeHost
from dockerlab.plan import Key, Plan, Step
from dockerlab.plan.build import wait
from dockerlab.provision import reconcile
from dockerlab.provision.execute import Execution, execute, raise_for
from dockerlab.provision.queue import Queue
from dockerlab.provision.reporting import WhileLocked
from dockerlab.snapshot import Snapshot


class Notes:
    """A reporter that remembers."""

    one_by_one = False

    def __init__(self):
        self.started_steps, self.commands, self.losses, self.ended = [], [], [], {}
        self._lock = threading.Lock()

    def started(self, step):
        with self._lock:
            self.started_steps.append(step.key.name)

    def ran(self, command, result):
        with self._lock:
            self.commands.append((command.host, result.argv, result.rc))

    def lost(self, step, loss):
        with self._lock:
            self.losses.append((step.key.name, loss))

    def finished(self, step, failure):
        self.ended[step.key.name] = failure


def command(*words, host="h", **options):
    return Command(host, (Part(words),), **options)


def step(name, *after, host="h", commands=None, undo=None, action="create"):
    """Return a step that runs `make NAME` and is undone by `undo NAME`."""
    made = (command("make", name, host=host),) if commands is None else commands
    undone = (command("undo", name, host=host),) if undo is None else undo
    return Step(Key(host, "container", name), action, made, undone, frozenset(each.key for each in after))


def host(name="h", failing=(), **options):
    """Return a host on which commands that hold one of some words fail."""

    def respond(argv, _given):
        return (1, "", f"no {argv[1]}") if set(argv) & set(failing) else ""

    return FakeHost(name, respond, **options)


def run(plan, *hosts, **options):
    notes, by_name = Notes(), {each.name: each for each in hosts}
    return execute(plan, by_name, notes, **options), notes, by_name


def test_order():
    """A step runs after all that it waits for, and its commands in their order."""
    a = step("a", commands=(command("a1"), command("a2")))
    b, c = step("b", a), step("c", a)
    d = step("d", b, c)
    done, notes, hosts = run(Plan((d, c, b, a)), host())
    ran = [argv[-1] for argv in hosts["h"].calls]
    assert ran[:2] == ["a1", "a2"]
    assert sorted(ran[2:4]) == ["b", "c"]
    assert ran[4] == "d"
    assert done.complete
    assert done.begun[0].key.name == "a"
    assert notes.ended == dict.fromkeys("abcd")
    raise_for(done)


def test_at_once():
    """Steps that do not wait for each other run at the same time: each is only answered when all have been asked."""
    meeting = threading.Barrier(4, timeout=10)

    def respond(_argv, _given):
        meeting.wait()
        return ""

    hosts = [FakeHost("x", respond, channels=2), FakeHost("y", respond, channels=2)]
    steps = tuple(step(str(n), host="xy"[n % 2]) for n in range(4))
    done, _, _ = run(Plan(steps), *hosts)
    assert done.complete


def test_nothing_new_after_a_failure():
    """After a failure nothing is begun that had not begun: neither what waits for it, nor what waits for a worker."""
    bad = step("bad")
    others = [step(f"o{n}") for n in range(20)]
    done, notes, hosts = run(Plan((bad, step("next", bad), *others)), host(failing=["bad"], channels=1))
    assert [argv[1] for argv in hosts["h"].calls] == ["bad"]
    assert [each.key.name for each in done.begun] == ["bad"]
    assert set(done.failures) == {bad.key}
    assert isinstance(notes.ended["bad"], ExecutionError)
    assert not done.complete


def test_what_runs_comes_to_its_end():
    """What runs beside a failure is waited for and counts as begun."""
    failed = threading.Event()

    def respond(argv, _given):
        if "bad" in argv:
            failed.set()
            return (1, "", "no")
        assert failed.wait(10)
        return ""

    done, notes, _ = run(Plan((step("bad"), step("slow"))), FakeHost("h", respond, channels=2))
    assert {each.key.name for each in done.begun} == {"bad", "slow"}
    assert notes.ended["slow"] is None


def test_keep_going():
    """With keep_going only what depends on the failure is left out, and every failure is told."""
    bad, worse = step("bad"), step("worse")
    plan = Plan((bad, worse, step("next", bad), *(step(f"o{n}") for n in range(5))))
    done, _, hosts = run(plan, host(failing=["bad", "worse"], channels=1), keep_going=True)
    assert {argv[1] for argv in hosts["h"].calls} == {"bad", "worse", "o0", "o1", "o2", "o3", "o4"}
    with pytest.raises(ExecutionError, match=r"(?s)bad.*worse"):
        raise_for(done)


def test_failure_message():
    """A failure names the object, its host, the command as one could paste it, and what the engine said."""
    done, _, _ = run(Plan((step("a b"),)), host(failing=["a b"]))
    with pytest.raises(ExecutionError) as caught:
        raise_for(done)
    assert str(caught.value) == ("container a b on h failed (exit code 1)\n  make 'a b'\n  no a b")


@pytest.mark.parametrize("condition", ["service_healthy", "service_completed_successfully"])
def test_waiting_in_vain(condition):
    """Of who was waited for the reason is told and what became of it, not the script that waits."""
    definition = lab("containers: {db: {healthcheck: {test: [CMD, 'true']}}}")
    made = replace(wait(definition, "db", condition), host="h")
    done, _, _ = run(
        Plan((step("app", commands=(made,)),)), FakeHost("h", lambda *_: (1, "", "db is not well: exited"))
    )
    with pytest.raises(ExecutionError) as caught:
        raise_for(done)
    assert str(caught.value) == f"container app on h failed (exit code 1)\n  {made.why}\n  db is not well: exited"


def test_rest_of_a_failed_step():
    """The commands behind a failed one of the same step do not run."""
    failing = step("x", commands=(command("one", "x"), command("two", "bad"), command("three", "x")))
    done, _, hosts = run(Plan((failing,)), host(failing=["bad"]))
    assert [argv[0] for argv in hosts["h"].calls] == ["one", "two"]
    assert not done.complete


def test_not_yet_is_tried_again():
    """A command whose failure means "not yet" is run again until it works; another failure ends it at once."""
    waiting = step("x", commands=(command("leave", waits_for=("in use by task", "has active endpoints")),))
    answers = iter([(1, "", "network n is in use by task t"), (1, "", "network n has active endpoints"), (0, "", "")])
    patient = FakeHost("h", lambda _argv, _input: next(answers))
    assert run(Plan((waiting,)), patient)[0].complete
    assert len(patient.calls) == 3

    hopeless = FakeHost("h", lambda _argv, _input: (1, "", "no such network"))
    assert not run(Plan((waiting,)), hopeless)[0].complete
    assert len(hopeless.calls) == 1


def test_stored_value():
    """What a command prints is given, stripped, to the commands that ask for it, on whichever host."""
    ask = step("ask", commands=(command("token", stores="T"),))
    use = step("use", ask, host="y", commands=(command("join", Variable("T", "hint"), host="y"),))
    done, _, hosts = run(Plan((use, ask)), FakeHost("h", lambda _a, _i: "  it's a token\n"), host("y"))
    assert done.complete
    assert hosts["y"].calls == [("join", "it's a token")]


def test_feed():
    """A command that wants input is given it, made anew for each run."""
    made = []

    def feed():
        made.append(1)
        return [b"one", b"two"]

    load = step("load", commands=(command("load", feeds=feed),))
    _, _, hosts = run(Plan((load, step("other"))), host(channels=1))
    assert sorted(hosts["h"].inputs) == [b"", b"onetwo"]
    assert made == [1]


def test_broken_host_is_a_failure():
    """A lost connection is a failure of its step, and the others are not begun."""

    def respond(_argv, _given):
        raise TransportError("h", "connection lost")

    done, _, _ = run(Plan((step("a"), step("b"))), FakeHost("h", respond, channels=1))
    (failure,) = done.failures.values()
    assert str(failure) == "h: connection lost"


def test_bug_is_not_hidden():
    """An error that nobody foresaw comes out as it is."""

    def respond(_argv, _given):
        raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        run(Plan((step("a"),)), FakeHost("h", respond))


@pytest.mark.parametrize("broken_off", [True, False])
def test_no_news_after_the_end(monkeypatch, broken_off):
    """What a run that was broken off still loses is not reported: its connections are closed under it."""

    def run(_host, _command, argv, _timeout, *, lost):
        if argv == ("make", "a"):
            running.wait(5)
            if broken_off:
                raise LookupError("a bug")
        else:
            running.set()
            if broken_off:
                over.wait(5)
            lost(TransportError("h", "connection lost"))
        return Result(argv, 0, b"", b"", 0.0)

    monkeypatch.setattr(reconcile, "run", run)
    running, over, notes = threading.Event(), threading.Event(), Notes()
    with pytest.raises(LookupError) if broken_off else nullcontext():
        execute(Plan((step("a"), step("b"))), {"h": host(channels=2)}, notes)
    over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("step"):
            thread.join(5)
    assert [name for name, _ in notes.losses] == ([] if broken_off else ["b"])


@pytest.fixture
def interruptible():
    """Take Ctrl-C as a shell's foreground does: a process begun in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interruption():
    """Ctrl-C lets what runs come to its end and begins nothing new; the error says so and has exit code 130."""

    def respond(_argv, _given):
        if not asked.is_set():
            asked.set()
            time.sleep(0.05)  # the main thread waits by now
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        return ""

    asked = threading.Event()
    first = step("first")
    done, notes, hosts = run(Plan((first, step("second", first), step("third"))), FakeHost("h", respond, channels=1))
    assert len(hosts["h"].calls) == 1
    assert notes.ended == {"first": None}
    assert done.interrupted
    assert not done.failures
    with pytest.raises(Interrupted, match=r"^stopped: what was made is gone$") as caught:
        raise_for(done, "what was made is gone")
    assert caught.value.exit_code == 130


def test_kept_after_failure():
    """What is told of the end stands under every cause."""
    failed = Execution([step("b")], {step("b").key: ExecutionError("x")})
    with pytest.raises(ExecutionError, match=r"^x\nleft is this:\n  network n on h$"):
        raise_for(failed, "left is this:", "  network n on h")


def test_threads_end():
    """No thread of a finished run is left behind after its work."""
    before = threading.active_count()
    run(Plan(tuple(step(str(n)) for n in range(30))), host(channels=8))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: 1).result() == 1
    for thread in threading.enumerate():
        if thread.name.startswith("step"):
            thread.join(5)
    assert threading.active_count() <= before


def removal(name, *, on="h", force=("--force",)):
    """Return the step that removes a container."""
    parts = (Part(("docker", "rm", *force)), Part((f"id-{name}",)))
    return Step(Key(on, "container", name, "unmake"), "remove", (Command(on, parts),))


def test_one_command_removes_several():
    """Containers of a host go with one command for three; each is told of, and another kind of removal is its own."""
    steps = [removal(str(n)) for n in range(7)] + [removal("kind", force=()), removal("far", on="g")]
    done, notes, hosts = run(Plan(tuple(steps)), host(channels=1), host("g", channels=1))
    asked = [argv[2:] for argv in hosts["h"].calls]
    assert sorted(len(argv) for argv in asked) == [1, 2, 4, 4]
    removed = [word for argv in asked for word in argv if word.startswith("id-")]
    assert sorted(removed) == sorted(f"id-{each.key.name}" for each in steps if each.key.host == "h")
    assert hosts["g"].calls == [("docker", "rm", "--force", "id-far")]
    assert done.complete
    assert notes.ended == {each.key.name: None for each in steps}
    assert sorted(notes.started_steps) == sorted(each.key.name for each in steps)
    assert len(notes.commands) == 5


def test_each_for_itself():
    """Where each step is to be seen for itself, no command does several, with the lock as without."""
    notes, there = Notes(), host(channels=1)
    notes.one_by_one = True
    held = SimpleNamespace(confirm=lambda _host: None)
    execute(Plan(tuple(removal(str(n)) for n in range(4))), {"h": there}, WhileLocked(notes, held))
    assert [len(argv) for argv in there.calls] == [4] * 4


@pytest.mark.parametrize("slow", [False, True])
def test_where_one_command_did_not_remove_all(monkeypatch, slow):
    """Each removal is tried for itself then: what is gone counts as removed, and the others fail for their reasons."""
    asked = []

    def run(_host, _command, argv, _timeout, **_lost):
        asked.append(len(argv))
        if len(argv) > 4 and slow:
            raise DeadlineExceeded("h", "it did not end in time")
        stuck = "id-stuck" in argv
        told = b"Error: container is stuck" if stuck else b"Error: No such container"
        return Result(argv, 1, b"", told, 0.0)

    monkeypatch.setattr(reconcile, "run", run)
    steps = [removal("a"), removal("stuck"), removal("b")]
    notes = Notes()
    done = execute(Plan(tuple(steps)), {"h": host(channels=1)}, notes, keep_going=True)
    assert asked == [6, 4, 4, 4]
    assert set(done.failures) == {steps[1].key}
    assert "container stuck on h failed" in str(notes.ended["stuck"])
    assert notes.ended["a"] is None
    assert notes.ended["b"] is None
    assert sorted(notes.started_steps) == ["a", "b", "stuck"]


def test_a_host_lost_under_one_command():
    """It is waited for once, and every step that the command was to do has failed by it."""

    def respond(_argv, _given):
        raise HostError("h", "it did not come back")

    steps = [removal("a"), removal("b")]
    done, notes, hosts = run(Plan(tuple(steps)), FakeHost("h", respond, channels=1), keep_going=True)
    assert len(hosts["h"].calls) == 1
    assert {key.name: str(failure) for key, failure in done.failures.items()} == {
        "a": "h: it did not come back",
        "b": "h: it did not come back",
    }
    assert set(notes.ended) == {"a", "b"}


def test_an_engine_lost_under_one_command(monkeypatch):
    """A loss is told, and whoever made the plan hears of the restart, also where several went with one command."""
    inquiry = reconcile.Inquiry(look=lambda _host, _names: Snapshot("h"))
    monkeypatch.setattr(reconcile, "run", partial(reconcile.run, inquiry=inquiry))
    answers = iter([(1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.")])
    there = FakeHost("h", lambda _argv, _given: next(answers), channels=1)
    done, notes, _ = run(Plan((removal("a"), removal("b"))), there)
    assert done.complete
    assert done.restarted == {"h"}
    assert [name for name, _ in notes.losses] == ["a"]


def test_no_removal_without_the_lock():
    """Where a step may not begin, the command for several does not run either."""

    class Refusing(Notes):
        def started(self, step):
            super().started(step)
            raise ConflictError("the lock is somebody else's")

    theirs, there = Refusing(), host()
    done = execute(Plan((removal("a"), removal("b"))), {"h": there}, theirs, keep_going=True)
    assert there.calls == []
    assert {str(failure) for failure in done.failures.values()} == {"the lock is somebody else's"}
    assert len(done.failures) == 2


def test_a_host_has_as_many_under_way_as_it_has_channels():
    """What waits for a channel of one host has not begun, and keeps nothing of another host from beginning."""
    queue = Queue({"h": host(channels=2), "g": host("g", channels=1)})
    steps = [step(f"h{n}") for n in range(4)] + [step("g0", host="g")]
    for each in steps:
        queue.add(each)
    begun = list(queue.begin())
    assert begun == [[steps[0]], [steps[1]], [steps[4]]]
    assert list(queue.begin()) == []
    queue.ended(begun[1])
    assert list(queue.begin()) == [[steps[2]]]


def test_removals_count_one_by_one():
    """Of eight channels, three commands take nine containers: no tenth begins before some are gone."""
    queue = Queue({"h": host(channels=8)})
    for number in range(20):
        queue.add(removal(str(number)))
    begun = list(queue.begin())
    assert [len(steps) for steps in begun] == [3, 3, 3]
    queue.ended(begun[0])
    assert [len(steps) for steps in queue.begin()] == [3]
