"""The engine's settings file: read, changed, kept, put back byte for byte; its programs run for real, in a folder."""

import base64
import json
import os
import subprocess
from dataclasses import replace

import pytest
from support.labs import lab, plan_up, running, who
from support.machinery import program_said
from support.pretend import Engines

from dockerlab import plan, render, survey
from dockerlab.daemon import DaemonFile, Kept, change, commands, look
from dockerlab.daemon.settings import leaving, read
from dockerlab.errors import ConflictError, HostError, UsageError
from dockerlab.hosts.fake import FakeHost
from dockerlab.identity import Identity
from dockerlab.lab.lint import misleading
from dockerlab.provision.restarts import allowed, restarted
from dockerlab.provision.up import Wish
from dockerlab.reach import matrix, worlds
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, LABEL_RUN
from dockerlab.survey import Seen
from dockerlab.verify import promises

ME = Identity("demo", "teacher@desk", "0")
BASE = "hosts: {vm0: {daemon: {bip: 192.168.1.5/24, mtu: 1300}}}\ncontainers: {aa: {}, bb: {}}\n"
STRANGE = b'{"mtu": 9000,\r\n\t"insecure-registries": ["\xc3\xa4"]}\n\n \n'


def daemon(text):
    return lab(f"hosts: {{vm0: {{daemon: {text}}}}}\ncontainers: {{aa: {{}}}}\n").daemons["vm0"]


def seen(engines):
    return Seen(engines.snapshots(), engines.facts())


def test_the_shortest_forms():
    """A host is a text, nothing, or a mapping; a section has keys of daemon.json in the engine's own form."""
    made = lab(
        "hosts: {a: ssh://u@h, b: , c: {daemon: {fixed-cidr: 192.168.1.5/25, bip: 192.168.1.5/24, dns: [1.1.1.1], "
        "default-address-pools: [{base: 10.0.0.5/8, size: 24}], userland-proxy: false}}, d: {address: local}}\n"
        "containers: {aa: {host: a}}\n"
    )
    assert made.addresses == {"a": "ssh://u@h", "b": None, "c": None, "d": "local"}
    assert made.daemons["c"].settings() == {
        "bip": "192.168.1.5/24",
        "fixed-cidr": "192.168.1.0/25",
        "dns": ["1.1.1.1"],
        "default-address-pools": [{"base": "10.0.0.0/8", "size": 24}],
        "userland-proxy": False,
    }
    assert list(made.daemons) == ["c"]


def test_without_effect():
    """IPv6 of docker0 without `ipv6` is pointed out: the engine reads it and does nothing."""
    made = lab(
        'hosts: {a: {daemon: {fixed-cidr-v6: "fd00::/64", default-gateway-v6: "fd01::1"}}}\ncontainers: {aa: }\n'
    )
    assert [problem.path[-1] for problem in misleading(made)] == ["fixed-cidr-v6", "default-gateway-v6"]


@pytest.mark.parametrize(
    ("section", "networks", "told"),
    [
        ("{mtu: 1400}", "front: ", "front has 1500 bytes"),
        ("{mtu: 1400}", "front: , back: ", "front and back have 1500 bytes"),
        ("{mtu: 1400}", "front: {driver_opts: {com.docker.network.driver.mtu: 1400}}", ""),
        ("{mtu: 1400, default-network-opts: {bridge: {com.docker.network.driver.mtu: '1400'}}}", "front: ", ""),
        ("{icc: false}", "front: ", ""),
    ],
)
def test_an_mtu_that_is_docker0s_alone(section, networks, told):
    """The engine gives `mtu` to docker0 alone: networks of the host that say none of their own are pointed out."""
    names = [each.partition(":")[0].strip() for each in networks.split(", ")]
    made = lab(
        f"hosts: {{a: {{daemon: {section}}}, b: }}\nnetworks: {{{networks}, far: }}\n"
        f"containers: {{aa: {{host: a, networks: [{', '.join(names)}]}}, bb: {{host: b, networks: [far]}}}}\n"
    )
    found = [(problem.path, problem.message) for problem in misleading(made)]
    assert [path for path, _ in found] == ([("hosts", "a", "daemon", "mtu")] if told else [])
    assert all(told in message for _, message in found)


def test_other_keys_are_preserved_and_not_shown():
    """A change keeps the host's own keys, in their order, and its difference shows those alone that change."""
    wanted = change(DaemonFile("vm0", text=STRANGE), daemon("{mtu: 1300, icc: false}"))
    assert list(read(wanted.text).items()) == [("mtu", 1300), ("insecure-registries", ["ä"]), ("icc", False)]
    assert wanted.diff() == [
        "--- vm0:/etc/docker/daemon.json",
        "+++ vm0:/etc/docker/daemon.json (wanted)",
        " {",
        '-  "mtu": 9000',
        '+  "mtu": 1300,',
        '+  "icc": false',
        " }",
    ]


def test_what_is_kept_is_what_a_second_change_begins_with():
    """A section that changes while the lab is up is laid over the host's own settings, not over former ones."""
    kept = Kept(ME.labels(""), b'{"debug": true}')
    wanted = change(DaemonFile("vm0", text=b'{"debug": true, "mtu": 1300}', kept=kept), daemon("{icc: false}"))
    assert read(wanted.text) == {"debug": True, "icc": False}
    assert (wanted.before, wanted.after) == ({"mtu": 1300}, {"icc": False})


@pytest.mark.parametrize(
    ("original", "bridge", "expected"),
    [
        (None, ("172.17.0.1/16",), {"bip": "172.17.0.1/16"}),
        (b'{"debug": true}', ("172.17.0.1/16", "fd00::1/64"), {"debug": True, "bip": "172.17.0.1/16"}),
        (b'{"bip": "10.0.0.1/24"}', ("10.0.0.1/24",), {"bip": "10.0.0.1/24"}),
        (b"{}", ("192.168.1.5/24",), {}),
        (b"{}", (), {}),
    ],
)
def test_docker0_gets_its_address_back(original, bridge, expected):
    """The engine keeps docker0's address by itself, so the former one is named once where the file names none."""
    file = DaemonFile("vm0", text=b"{}", kept=Kept(ME.labels(""), original, bridge=bridge), bridge=("192.168.1.5/24",))
    assert read(leaving(file)) == expected


class Machine:
    """A folder as a host: its commands run here, with an `ip` that knows one docker0."""

    def __init__(self, folder):
        self.path = folder / "docker" / "daemon.json"
        self.path.parent.mkdir()
        tools = folder / "tools"
        tools.mkdir()
        (tools / "ip").write_text(
            '#!/bin/sh\necho "$@" >>"$0.calls"\n'
            '[ "$1" = -6 ] && { echo "3: docker0    inet6 fd00::1/64 scope global \\\\"; exit; }\n'
            'echo "3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0\\\\"\n'
        )
        (tools / "ip").chmod(0o755)
        self.environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
        self.calls = tools / "ip.calls"

    def run(self, command):
        return subprocess.run(
            command.resolve({}), input=command.text.encode() if command.text is not None else b"",
            env=self.environment, capture_output=True, check=False,
        )  # fmt: skip

    def look(self, text=None):
        """Return what the reading program says; it is told of this folder by the engine's command line."""
        script = self.path.parent / "look"
        script.write_text(text)
        return subprocess.run(["sh", script], env=self.environment, capture_output=True, text=True, check=False).stdout


def restarts(command):
    return command.argv[-1] == str(commands.SECONDS)


@pytest.mark.parametrize("original", [STRANGE, b"", b"{}", b"\n\nwrote x\n\n", None], ids=range(5))
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_put_back_byte_for_byte(tmp_path, original, mode):
    """However the file is written, what `up` keeps `down` puts back: every byte and the mode, or no file at all."""
    machine = Machine(tmp_path)
    if original is not None:
        machine.path.write_bytes(original)
        machine.path.chmod(mode)
    file = DaemonFile("vm0", str(machine.path), original)
    wanted = replace(change(replace(file, text=None), daemon("{mtu: 1300}")), path=str(machine.path))
    made = commands.apply(wanted, file, ME)
    assert [restarts(command) for command in made] == [False, False, False, True]
    for command in made[:-1]:
        done = machine.run(command)
        assert done.returncode == 0, done.stderr
    assert machine.path.read_bytes() == wanted.text
    assert machine.path.stat().st_mode & 0o777 == (0o644 if original is None else mode)
    kept = machine.path.with_name("daemon.json.dockerlab")
    assert kept.stat().st_mode == machine.path.stat().st_mode, "it may hold what only root is to read"
    back = commands.restore(
        replace(file, text=wanted.text, kept=Kept(ME.labels(""), original), due=False, bridge=("x",))
    )
    assert machine.run(back[-1]).returncode == 0
    assert (machine.path.read_bytes() if machine.path.exists() else None) == original
    assert original is None or machine.path.stat().st_mode & 0o777 == mode
    assert sorted(each.name for each in machine.path.parent.iterdir()) == ([] if original is None else ["daemon.json"])
    assert "address delete fd00::1/64 dev docker0" in machine.calls.read_text(), "docker0 did not have it before"


def test_nothing_is_written_over_what_was_not_looked_at(tmp_path):
    """A file that changed since it was looked at is left alone, and the message says what to do."""
    machine = Machine(tmp_path)
    machine.path.write_bytes(b"{}")
    file = DaemonFile("vm0", str(machine.path), None)
    keep, *_ = commands.apply(change(file, daemon("{mtu: 1300}")), file, ME)
    done = machine.run(keep)
    assert done.returncode == 1
    assert b"has changed since it was looked at" in done.stderr
    assert [each.name for each in machine.path.parent.iterdir()] == ["daemon.json"]


def test_what_is_kept_is_read_again(tmp_path):
    """What the programs keep is what a later look finds: whose it is, the original, and that a restart is due."""
    machine = Machine(tmp_path)
    machine.path.write_bytes(STRANGE)
    machine.path.chmod(0o640)
    file = DaemonFile("vm0", str(machine.path), STRANGE)
    owner = replace(ME, owner="o'neil; rm -rf /@desk\n", instance="student01")
    wanted = replace(change(replace(file, text=b"{}"), daemon("{mtu: 1300}")), path=str(machine.path))
    for command in commands.apply(wanted, file, owner)[:-1]:
        assert machine.run(command).returncode == 0

    def answer(_argv, given):
        script = given.decode().replace("file=/etc/docker/daemon.json", "file=" + str(machine.path))
        return machine.look(script)

    found = look(FakeHost("vm0", answer))
    assert found.text == wanted.text
    assert found.kept.original == STRANGE
    assert found.kept.labels == {
        LABEL_LAB: "demo", LABEL_OWNER: "o'neil; rm -rf /@desk ", LABEL_RUN: "0", LABEL_INSTANCE: "student01",
    }  # fmt: skip
    assert found.kept.belongs(owner)
    assert not found.kept.belongs(replace(owner, instance="student02"))
    assert (found.kept.mode, found.kept.bridge) == ("640", ("172.17.0.1/16",))
    assert (found.due, found.edited, found.bridge) == (True, False, ("172.17.0.1/16",))
    os.utime(machine.path.with_name("daemon.json.dockerlab"))
    assert not look(FakeHost("vm0", answer)).due, "the engine has been restarted since"
    machine.path.write_bytes(b"{}")
    assert look(FakeHost("vm0", answer)).edited


@pytest.mark.parametrize(
    "said", ["", "end\n", "file x\nend\n", f"file {base64.b64encode(b'/x').decode()}\nkept eA==\nend\n"]
)
def test_what_is_no_answer(said):
    """What is not what the program prints is an error that names the host."""
    with pytest.raises(HostError, match="vm0: "):
        look(FakeHost("vm0", lambda _argv, _given: said))


def test_first_the_settings_then_all_else():
    """The engine is restarted after the images have come, and before anything is made on its host."""
    definition = lab(BASE.replace("containers:", "networks: {n: }\ncontainers:"))
    order = [step.key.kind for step in plan_up(definition, Engines(definition.hosts)).ordered()]
    assert order[0] == "daemon"
    again = running(definition)
    assert plan_up(definition, again).changes == (), "it does not converge"


def test_another_section_makes_the_containers_again():
    """A restart stops the lab's containers: they go before it and are made after it; a dropped section comes back."""
    engines = running(lab(BASE))
    wanted = plan_up(lab(BASE.replace("1300", "1400")), engines)
    assert {str(step.key): step.action for step in wanted.changes} == {
        "daemon settings on vm0": "recreate",
        "container aa on vm0": "recreate",
        "container bb on vm0": "recreate",
    }
    dropped = plan_up(lab("hosts: {vm0: }\ncontainers: {aa: {}, bb: {}}\n"), engines)
    assert {str(step.key): step.action for step in dropped.changes}["daemon settings on vm0"] == "remove"
    engines.carry_out(dropped)
    assert engines.files()["vm0"] == DaemonFile("vm0")


def test_another_lab_has_it_so_already():
    """A second lab that wants what the first one has set takes it as it is, and leaves the rest of it alone."""
    first, second = lab(BASE), lab("name: second\n" + "hosts: {vm0: {daemon: {mtu: 1300}}}\ncontainers: {cc: {}}\n")
    engines = running(first)
    (step,) = [step for step in plan_up(second, engines, who(second)).steps if step.key.kind == "daemon"]
    assert (step.action, step.commands) == ("keep", ())
    assert not plan.down(engines.snapshots(), "second", "teacher@desk", files=engines.files()).steps


def test_networks_of_other_pools_are_made_again():
    """A network that names no subnet is another one when the pools are others."""
    text = "hosts: {vm0: {daemon: {default-address-pools: [{base: 10.66.0.0/16, size: 24}]}}}\n"
    definition = lab(text + "networks: {n: , fixed: {subnet: 10.1.0.0/24}}\ncontainers: {aa: {networks: [n]}}\n")
    engines = running(definition)
    changed = lab(text.replace("10.66", "10.67") + "networks: {n: }\ncontainers: {aa: {networks: [n]}}\n")
    assert {str(step.key): step.action for step in plan_up(changed, engines).changes}["network n on vm0"] == "recreate"


@pytest.mark.parametrize("leave", [True, False])
def test_only_where_it_is_allowed(leave):
    """Without leave nothing is done, and the refusal shows what would be; with it nothing is said."""
    definition = lab(BASE)
    engines = Engines(definition.hosts)
    wish = Wish(daemons=leave)
    if leave:
        allowed(definition, ME, seen(engines), engines.files(), wish)
        return
    with pytest.raises(UsageError, match=r"--allow-daemon-changes:\n--- vm0.*\n(.*\n)+.*bip"):
        allowed(definition, ME, seen(engines), engines.files(), wish)


def test_every_reason_at_once():
    """The refusals of all hosts come together, each with its host."""
    definition = lab("hosts: {a: {daemon: {mtu: 1300}}, b: {daemon: {mtu: 1300}}}\ncontainers: {aa: {host: a}}\n")
    engines = Engines(definition.hosts)
    files = {host: DaemonFile(host, root=False) for host in definition.hosts}
    with pytest.raises(ConflictError, match=r"\n  a: .*root's.*\n  b: .*root's"):
        allowed(definition, ME, seen(engines), files, Wish(daemons=True))


def test_docker0_is_where_it_will_be():
    """What is checked before a lab is made is held against docker0 as it will be, not as it is."""
    definition = lab(BASE)
    engines = Engines(definition.hosts)
    later = restarted(definition, seen(engines), engines.files())
    assert [str(subnet) for subnet in later.snapshots["vm0"].network("bridge").subnets] == ["192.168.1.0/24"]
    assert [str(address) for address in later.facts["vm0"].ground.link("docker0").addresses] == ["192.168.1.5/24"]


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"text": b'{"mtu": 9}'}, "somebody else has changed it since"),
        ({"root": False}, "it is root's, and the login is not"),
        ({}, "a restart of the engine would stop container stranger"),
    ],
)
def test_down_keeps_what_it_must_not_touch(about, words):
    """An edited file, one that cannot be read, and an engine in use by others are left as they are, and named."""
    engines = running(lab(BASE))
    files = {"vm0": replace(engines.files()["vm0"], **about)}
    if not about:
        engines["vm0"].run(["docker", "run", "--name", "stranger", "nginx"])
    removal = plan.down(engines.snapshots(), "demo", "teacher@desk", files=files)
    assert [words in note for note in removal.notes] == [True]
    assert not any(step.key.kind == "daemon" for step in removal.steps)


def test_down_of_an_engine_that_does_not_run():
    """Settings with which the engine does not run are put back all the same: the file tells whose they are."""
    engines = running(lab(BASE))
    (step,) = plan.down({}, "demo", "teacher@desk", files=engines.files()).steps
    assert str(step.key) == "daemon settings on vm0"
    assert plan.down({}, "another", "teacher@desk", files=engines.files()).steps == ()
    assert plan.down({}, None, "student@desk", files=engines.files()).steps == ()


def test_settings_are_asked_of_every_host():
    """Hosts that do not say their settings are told apart from those that do."""
    hosts = {
        "vm0": FakeHost("vm0", lambda _argv, _given: "nothing"),
        "vm1": FakeHost("vm1", lambda *_: (1, "", "away")),
    }
    found = survey.settings(hosts)
    assert (found.answers, list(found.failures)) == ({}, ["vm0", "vm1"])


def test_the_script_shows_what_is_written():
    """A script shows the file as a here-document, and a shell reads it as it is meant."""
    definition = lab(BASE)
    commands_ = [c for step in plan_up(definition, Engines(definition.hosts)).ordered() for c in step.commands]
    (write,) = [command for command in commands_ if command.argv[0] == "tee"]
    shown = render.script("vm0", "demo", [replace(write, parts=render.command("cat", "vm0").parts)])
    done = subprocess.run(["sh"], input=shown, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"bip": "192.168.1.5/24", "mtu": 1300}


ETH0 = {
    "ifindex": 5,
    "ifname": "eth0",
    "flags": ["UP"],
    "mtu": 1500,
    "addr_info": [{"local": "192.168.1.2", "prefixlen": 24}],
}
ROUTE = {"dst": "default", "gateway": "192.168.1.5", "dev": "eth0"}
INSIDE = json.dumps(
    program_said(
        {pid: {"address": [ETH0], "route": [ROUTE]} for pid in (1000, 1001)}, resolver="nameserver 192.168.22.1\n"
    )
)


RULES = ("bip", "mtu", "dns")


@pytest.mark.parametrize(
    ("answer", "verdicts"),
    [
        (INSIDE, {"bip": "pass", "mtu": "fail", "dns": "fail"}),
        ((1, "", "nsenter: cannot open /proc/1000/ns/net: Permission denied"), dict.fromkeys(RULES, "unknown")),
    ],
)
def test_promises(answer, verdicts):
    """What a container has decides; where it cannot be read the verdict is unknown, and says why."""
    definition = lab(
        BASE.replace("mtu: 1300", "mtu: 1300, dns: [1.1.1.1]").replace(", bb: {}", ", own: {dns: 9.9.9.9}")
    )
    engines = running(definition)
    found = promises.promises(definition, seen(engines), {"vm0": FakeHost("vm0", lambda *_: answer)})
    of_aa = {check.rule: check.verdict for check in found if check.subject == "container aa"}
    assert of_aa == verdicts
    assert not any(check.rule == "dns" for check in found if check.subject == "container own"), "it has its own servers"
    assert all(check.because and check.observed for check in found)
    assert {check.verdict for check in found if check.subject == "docker0"} == {"pass"}


@pytest.mark.parametrize(
    ("icc", "proxy", "reachable"), [(False, False, False), (False, True, True), (True, False, True)]
)
def test_a_published_port_from_its_own_bridge(icc, proxy, reachable):
    """Without docker-proxy a connection to a published port comes back to docker0, where icc may be off (observed)."""
    wanted = f"{{icc: {icc}, userland-proxy: {proxy}}}".lower()
    text = f'hosts: {{vm0: {{daemon: {wanted}}}}}\ncontainers: {{web: {{ports: ["8080:80"]}}, side: {{}}}}\n'
    cells = matrix(worlds.offline(lab(text)))
    (told,) = [e.reachable for c, e in cells if (c.source, c.to, c.probe) == ("side", "vm0", "tcp/8080")]
    assert told is reachable


def test_promises_of_the_engine():
    """Pools, icc and live-restore are held against what the engine says of itself."""
    definition = lab(
        "hosts: {vm0: {daemon: {icc: false, live-restore: true, default-address-pools: "
        "[{base: 10.66.0.0/16, size: 24}]}}}\n"
        "networks: {n: , fixed: {subnet: 10.1.0.0/24}}\ncontainers: {aa: {networks: [n]}}\n"
    )
    engines = running(definition)
    found = promises.promises(definition, seen(engines), {"vm0": FakeHost("vm0", lambda *_: "")})
    assert {(check.subject, check.rule): check.verdict for check in found} == {
        ("docker0", "icc"): "pass",
        ("engine", "live-restore"): "fail",
        ("network n", "default-address-pools"): "fail",
    }
