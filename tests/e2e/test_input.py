"""What strangers write: mistakes, values that look like code, host keys that nobody knows."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from support.lab_hosts import EXAMPLES, ROOT, write

from dockerlab import sandbox
from dockerlab.sandbox.layout import STORAGE

MISTAKES = ROOT / "tests/errors/ten-mistakes.yaml"
CANARY = Path("/tmp/canary")

NASTY = [
    "$(touch /tmp/canary)",
    "`touch /tmp/canary`",
    "; touch /tmp/canary",
    "a'b\"c\\d",
    "two\nlines",
    "--privileged",
    "-v/:/host",
    " spaces  and\ttabs ",
    "*",
    "ünïcödé ☃ 漢字",
    "${HOME}",
    "# not a comment",
    "",
    "\ue000" + "0\ue001",
    "left \u202e right \u2066 \u200b \u2028",
    "-",
    "--",
    "&& touch /tmp/canary || true",
    "'\"'$(touch /tmp/canary)'\"'",
]


def test_ten_mistakes(lab):
    """A definition with ten mistakes gives ten lines that say where, exit code 2, and no host is touched."""
    outcome = lab.call("up", MISTAKES, "--sandbox")
    assert (outcome.rc, outcome.stdout) == (2, "")
    lines = outcome.stderr.removeprefix("dockerlab: ").splitlines()
    assert len(lines) == 10
    where = [re.match(rf"{re.escape(str(MISTAKES))}:(\d+):(\d+): \S+: ", line) for line in lines]
    assert all(where)
    assert len({match[0] for match in where}) == 10
    assert lab.left() == []


def shown(lab, host, name):
    """Return a container's command, environment and labels, as its engine tells them."""
    config = lab.inspect(host, name)["Config"]
    return config["Cmd"], config["Env"], config["Labels"]


@pytest.mark.parametrize("way", ["up", "local", "render"])
def test_values_arrive_as_they_are(lab, tmp_path, way):
    """Values that look like shell code, flags or templates' marks reach the container unchanged, and nothing runs."""
    nasty = [word for word in NASTY if way != "render" or "\ue000" not in word]
    environment = {f"E{number}": word for number, word in enumerate(nasty)}
    labels = {f"l{number}": word for number, word in enumerate(nasty)}
    command = ["sh", "-c", "sleep 9999", *nasty]
    box = {"host": "vm0", "image": "dockerlab/node", "command": command, "environment": environment, "labels": labels}
    hosts = {"vm0": "ssh://root@192.168.22.61"}
    title = "; touch /tmp/canary\ntouch /tmp/canary"
    path = write(tmp_path, json.dumps({"name": "nasty", "title": title, "hosts": hosts, "containers": {"box": box}}))
    if way == "up":
        lab.up(path)
    elif way == "local":
        lab.need_node("vm0")
        path = write(tmp_path, path.read_text().replace("ssh://root@192.168.22.61", "local"))
        # The docker command of this very machine, without SSH, and with the engine of vm0.
        pid = sandbox.inside_argv("vm0", [])[1].removeprefix("--target=")
        socket = f"unix:///proc/{pid}/root/run/docker.sock"
        made = lab.call("up", path, "--no-verify", DOCKER_HOST=socket)
        assert made.rc == 0, made.stderr
    else:
        lab.need_node("vm0")
        lab.sh("vm0", lab.call("render", path).stdout)
    words, variables, marks = shown(lab, "vm0", "box")
    assert words == command
    assert set(variables) >= {f"{name}={value}" for name, value in environment.items()}
    assert {name: marks[name] for name in labels} == labels
    assert not lab.inspect("vm0", "box")["HostConfig"]["Privileged"]
    assert lab.inspect("vm0", "box")["Mounts"] == []
    assert not CANARY.exists()
    assert {lab.run(host, "test", "-e", str(CANARY)).returncode for host in lab.names} == {1}
    assert lab.run("vm0", "docker", "exec", "box", "test", "-e", str(CANARY)).returncode == 1
    lab.down("nasty")


SECRET = 'hunter2 it\'s "$(touch /tmp/canary)"\nof two lines'


@contextmanager
def every_command_line():
    """Give a set into which goes every command line of this machine, whose hosts' processes it sees as well."""
    seen, over = set(), Event()

    def look():
        while not over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    thread = Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def secret_box(**more):
    """Return a definition whose container takes two variables from whoever brings it up, one of them not there."""
    environment = {"DB_PASSWORD": None, "ABSENT": None, "PLAIN": "told-to-all"}
    return json.dumps(
        {"name": "vault", "hosts": {"vm0": None}, "containers": {"box": {"environment": environment, **more}}}
    )


def logs_of(lab):
    """Return everything that the hosts' servers have logged."""
    logs = [path for name in lab.names for path in (STORAGE / name / "log").glob("*.log")]
    assert logs
    return "".join(path.read_text(errors="replace") for path in logs)


def test_a_password_from_the_environment(lab, tmp_path):
    """A variable without a value reaches the container, and stands in no output, command line, label or log."""
    path = write(tmp_path, secret_box())
    with every_command_line() as seen:
        made = lab.call(
            "up", path, "--sandbox", "--verbose", "--allow-environment", "--format", "json", DB_PASSWORD=SECRET
        )
    assert made.rc == 0, made.stderr
    assert "ABSENT is not in the environment of this call" in made.stderr
    inside = lab.docker("vm0", "exec", "box", "sh", "-c", 'printf "%s;%s;%s" "$DB_PASSWORD" "${ABSENT-unset}" "$PLAIN"')
    assert inside == f"{SECRET};unset;told-to-all"
    assert any("docker run" in line and "--env DB_PASSWORD" in line and "told-to-all" in line for line in seen)
    state = lab.call("status", "--sandbox", "--format", "json").stdout
    shown_labels = json.dumps(lab.inspect("vm0", "box")["Config"]["Labels"])
    for place in (*seen, made.stdout, made.stderr, state, shown_labels, logs_of(lab)):
        assert "hunter2" not in place
    again = lab.call("up", path, "--sandbox", "--no-verify", "--allow-environment", DB_PASSWORD=SECRET)
    assert again.stderr.endswith("vault: no change: everything is as the definition says\n")
    assert not CANARY.exists()
    assert lab.run("vm0", "test", "-e", str(CANARY)).returncode == 1
    lab.down("vault")


def test_a_password_and_a_failure(lab, tmp_path):
    """What is said of a container that cannot start does not say its password."""
    path = write(tmp_path, secret_box(entrypoint=["/nowhere"]))
    failed = lab.call("up", path, "--sandbox", "--verbose", "--allow-environment", DB_PASSWORD=SECRET)
    assert failed.rc == 4
    assert "--env DB_PASSWORD" in failed.stderr
    assert "hunter2" not in failed.stderr + failed.stdout + logs_of(lab)


def test_a_password_in_a_script(lab, tmp_path):
    """The script of a lab names the variables that it needs, and takes them from the environment that it runs in."""
    script = lab.call("render", write(tmp_path, secret_box()), DB_PASSWORD=SECRET).stdout
    assert "hunter2" not in script
    assert "# needs $DB_PASSWORD: exported, for a container" in script
    lab.need_node("vm0")
    lab.sh("vm0", f"export DB_PASSWORD={shlex.quote(SECRET)}\n{script}")
    assert f"DB_PASSWORD={SECRET}" in shown(lab, "vm0", "box")[1]
    lab.down("vault")


def test_a_password_in_the_file(lab, tmp_path):
    """A password that the file holds is warned of with the remedy; one in an address is refused and not repeated."""
    box = {"environment": {"DB_PASSWORD": "hunter2", "URL": "postgres://me:hunter2@db/x"}, "command": "sleep 99999"}
    path = write(tmp_path, json.dumps({"name": "open", "containers": {"box": box}}))
    said = lab.call("up", path, "--sandbox", "--dry-run").stderr
    assert said.count("a secret for everybody who sees the file, or the processes of the host") == 2
    assert "write `DB_PASSWORD:` without a value, and export DB_PASSWORD before `up`" in said
    assert "hunter2" not in said
    for address in ("ssh://root:hunter2@192.168.22.61", "root:hunter2@vm0", "ssh://root:hun@ter2/@vm0"):
        path = write(tmp_path, json.dumps({"name": "x", "hosts": {"vm0": address}, "containers": {"box": {}}}))
        refused = lab.call("up", path, "--sandbox")
        assert refused.rc == 2
        assert re.match(
            rf"dockerlab: {re.escape(str(path))}:1:\d+: hosts.vm0: .*remove it and use a key", refused.stderr
        )
        assert "ter2" not in refused.stderr


CODE = [
    ("{name: x, containers: {a: !!python/object/apply:os.system ['touch /tmp/canary']}}", "tags are not allowed"),
    ("{name: x, title: \"{{ ''.__class__ }}\", containers: {a: }}", "is not allowed"),
    ('{name: x, title: "{{ range(10**9) }}", containers: {a: }}', "is not allowed"),
    ("{name: x, title: \"{{ 'a' * 999999999 }}\", containers: {a: }}", "`*` is for numbers"),
    ('{name: "$(touch /tmp/canary)", containers: {a: }}', "is no name"),
    ('{name: x, containers: {"--privileged": }}', "is no name"),
    ('{name: x, containers: {"a;touch /tmp/canary": }}', "is no name"),
    ('{name: x, containers: {a: {image: "--privileged"}}}', "is no image"),
    ('{name: x, containers: {a: {network_mode: "host --privileged"}}}', "is no network_mode"),
    ('{name: x, hosts: {h: "-oProxyCommand=touch /tmp/canary"}, containers: {a: }}', "is no host name"),
    ('{name: x, containers: {a: {user: "a\\0b"}}}', "unprintable"),
    ("{name: x, containers: {a: {environment: {DOCKER_HOST: }}}}", "for the docker command itself"),
]


@pytest.mark.parametrize(("text", "said"), CODE)
def test_what_is_code_is_refused(lab, tmp_path, text, said):
    """What looks like a flag, code or a Python object where a name belongs is refused with its place; nothing runs."""
    path = write(tmp_path, text)
    refused = lab.call("up", path, "--sandbox")
    assert refused.rc == 2
    assert refused.stderr.startswith(f"dockerlab: {path}:1:")
    assert said in refused.stderr
    assert not CANARY.exists()
    assert lab.left() == []


def test_values_stay_as_they_are(lab, tmp_path):
    """A lab whose values look like code is found unchanged by the next `up`."""
    box = {"image": "dockerlab/node", "environment": {f"E{n}": word for n, word in enumerate(NASTY)}}
    path = write(tmp_path, json.dumps({"name": "nasty", "containers": {"box": box}}))
    lab.up(path)
    before = lab.ids()
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert again.stderr == "nasty: no change: everything is as the definition says\n"
    assert lab.ids() == before
    lab.down("nasty")


def test_an_unknown_host_key(lab, tmp_path):
    """A host whose key nobody knows is refused with its fingerprint and the way to accept; nothing is made anywhere."""
    known = tmp_path / "known_hosts"
    mine, other = (lab.state.host(name).address for name in lab.names)
    keys = lab.state.known_hosts.read_text().splitlines()
    known.write_text("".join(f"{line}\n" for line in keys if line.startswith(f"{mine} ")))
    inventory = lab.inventory(tmp_path, *lab.names, known_hosts=known)
    path = EXAMPLES / "macvlan.yaml"
    refused = lab.call("up", path, "--inventory", inventory)
    assert refused.rc == 4
    shown_key = lab.sh("vm1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert shown_key in refused.stderr
    assert "vm1" in refused.stderr
    assert other in refused.stderr
    assert "--accept-new-host-keys" in refused.stderr
    assert lab.left() == []
    accepted = lab.call("up", path, "--inventory", inventory, "--accept-new-host-keys", "--no-verify")
    assert accepted.rc == 0, accepted.stderr
    assert other in known.read_text()
    assert lab.call("down", path, "--inventory", inventory).rc == 0
