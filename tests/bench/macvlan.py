"""The example macvlan on two hosts over SSH: made, looked at, and taken down again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from bench.common import OURS, Contender, Group, Seconds, compete, timed
from bench.stage import TOP, Stage, clean

IMAGE = "dockerlab/node"
CREATE = (
    "docker network create --driver macvlan --subnet 192.168.22.0/24 --gateway 192.168.22.1 --opt parent=eth0.50 lan"
)
RUN = f"docker run --detach --name {{name}} --network lan --ip {{address}} {IMAGE}"
PING = "docker exec {name} ping -c 1 -W 2 {address}"
PYINFRA = "pyinfra"
EVERY = "ssh, shared connection, every cell at once"
GATEWAY = "192.168.22.1"
REMOVE = "docker rm --force {name}"
DELETE = "docker network rm lan"
WAIT = 'for pid in $pids; do wait "$pid"; done; pids=\n'
"""A failure of what runs in the background is one of the script."""

ENDS = {"vm0": ("left", "192.168.22.200"), "vm1": ("right", "192.168.22.201")}


def group(stage: Stage, rounds: int) -> Group:
    """Return what each way took; only dockerlab asks more than two cells."""
    contenders = [
        Contender(OURS, lambda: _ours(stage), note="every cell"),
        Contender("ssh, a connection a command", _script(stage, "plain", _plain(stage))),
        Contender("ssh, shared connection, hosts in turn", _script(stage, "turn", _shared(stage, parallel=False))),
        Contender("ssh, shared connection, hosts at once", _script(stage, "once", _shared(stage, parallel=True))),
        Contender(
            EVERY,
            _script(stage, "every", _shared(stage, parallel=True, ask=lambda host: every_cell(stage, host))),
            note="every cell; who has not answered after a second is silent",
        ),
        _ansible(stage),
        _pyinfra(stage),
        _compose(stage),
    ]
    text = (
        "`up`, verify and `down` of `examples/macvlan.yaml`; the others make the same, and ping two cells. `verify` is "
        "every cell asked once more, which the total is without."
    )
    return compete("macvlan on two hosts over SSH", contenders, rounds, text, clean=lambda: clean(stage))


def _ours(stage: Stage) -> Seconds:
    up, verify, down = (
        timed(stage.dockerlab(each, str(TOP / "examples/macvlan.yaml"))) for each in ("up", "verify", "down")
    )
    return {"total": up.seconds + down.seconds, "verify": verify.seconds}


def made(host: str) -> list[str]:
    """Return the commands that make a host's part."""
    name, address = ENDS[host]
    return [CREATE, RUN.format(name=name, address=address)]


def asked(host: str) -> str:
    """Return the command that pings the other end."""
    other = next(address for each, (_, address) in ENDS.items() if each != host)
    return PING.format(name=ENDS[host][0], address=other)


def every_cell(stage: Stage, host: str) -> str:
    """Return a shell's line that asks all that dockerlab asks from a host and its container, all of it at once.

    It prints a line for each cell, and fails where the containers do not reach each other: that it would have to see.
    """
    own, address = ENDS[host]
    other, beyond = next(end for each, end in ENDS.items() if each != host)
    hosts = {each.name: each.address for each in stage.state.hosts}
    afar = next(where for name, where in hosts.items() if name != host)
    inside = {f"ping -c 1 -W 1 {target}" for target in (hosts[host], afar, GATEWAY)}
    asked = [f"docker exec {own} {each}" for each in sorted(inside)]
    asked += [f"docker exec {own} timeout 1 nslookup {other}"]
    asked += [f"ping -c 1 -W 1 {target}" for target in (address, beyond, afar, GATEWAY)]
    told = " ".join(f"{{ {each} >/dev/null 2>&1 && echo {number} yes || echo {number} no; }} &" for number, each in
                    enumerate(asked))  # fmt: skip
    return f"{told} docker exec {own} ping -c 1 -W 1 {beyond}; pinged=$?; wait; exit $pinged"


def unmade(host: str) -> list[str]:
    """Return the commands that remove a host's part."""
    return [REMOVE.format(name=ENDS[host][0]), DELETE]


def _script(stage: Stage, name: str, text: str) -> Callable[[], Seconds]:
    path = stage.work / f"{name}.sh"
    path.write_text(text)
    return lambda: {"total": timed(["sh", str(path)]).seconds}


def _plain(stage: Stage) -> str:
    steps = [(host, command) for host in ENDS for command in made(host)]
    steps += [(host, asked(host)) for host in ENDS]
    steps += [(host, command) for host in ENDS for command in unmade(host)]
    return "set -e\n" + "".join(f"{stage.ssh()} {host} {command} >/dev/null\n" for host, command in steps)


def _shared(stage: Stage, *, parallel: bool, ask: Callable[[str], str] = asked) -> str:
    """Return a script with one connection for each host, every phase on both of them in turn or at once."""
    ssh = stage.ssh("-S", str(stage.work / "%h.sock"))
    phases = [made, lambda host: [ask(host)], unmade]
    end, after = (' & pids="$pids $!"\n', WAIT) if parallel else ("\n", "")
    lines = ["set -e; pids=\n", *(f"{ssh} -fNM {host}{end}" for host in ENDS), after]
    for phase in phases:
        lines += [f"{ssh} {host} '{' && '.join(phase(host))}' >/dev/null{end}" for host in ENDS] + [after]
    lines += [f"{ssh} -O exit {host} 2>/dev/null\n" for host in ENDS]
    return "".join(lines)


def _ansible(stage: Stage) -> Contender:
    program = stage.opponent("ansible-playbook")
    if not program:
        return Contender("Ansible, pipelining", dict, missing="not installed: scripts/bench --install")
    tasks = [("made", made), ("asked", lambda host: [asked(host)]), ("unmade", unmade)]
    variables = {host: {key: phase(host) for key, phase in tasks} for host in ENDS}
    hosts = "".join(
        f"    {host}:\n" + "".join(f"      {key}: {commands!r}\n" for key, commands in variables[host].items())
        for host in ENDS
    )
    (stage.work / "ansible.yaml").write_text(f"all:\n  hosts:\n{hosts}")
    loops = "".join(f'    - raw: "{{{{ item }}}}"\n      loop: "{{{{ {key} }}}}"\n' for key, _ in tasks)
    (stage.work / "play.yaml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{loops}")
    argv = [program, "-i", str(stage.work / "ansible.yaml"), str(stage.work / "play.yaml")]
    options = ["-o ControlMaster=auto", "-o ControlPersist=60s", f"-o ControlPath={stage.work}/%h.ansible"]
    ssh = stage.ssh(*options).partition(" ")[2]
    environment = {"ANSIBLE_PIPELINING": "1", "ANSIBLE_SSH_ARGS": ssh, "HOME": str(stage.work)}

    def run() -> Seconds:
        taken = timed(argv, **environment).seconds
        for host in ENDS:  # every round makes its own connections
            timed(
                ["sh", "-c", f"{stage.ssh('-S', f'{stage.work}/%h.ansible', '-O', 'exit')} {host}"], accepted=(0, 255)
            )
        return {"total": taken}

    return Contender("Ansible, pipelining", run, note="its module raw, which needs no Python on the hosts")


def _pyinfra(stage: Stage) -> Contender:
    program = stage.opponent("pyinfra")
    if not program:
        return Contender(PYINFRA, dict, missing="not installed: scripts/bench --install")
    (stage.work / "inventory.py").write_text(
        "hosts = ["
        + ", ".join(
            f'("{host}", {{"ssh_config_file": "{stage.work}/ssh_config", "ssh_known_hosts_file": '
            f'"{stage.state.known_hosts}", "ssh_key": "{stage.state.identity_file}", "ssh_user": "root", '
            f'"made": {made(host)!r}, "asked": {asked(host)!r}, "unmade": {unmade(host)!r}}})'
            for host in ENDS
        )
        + "]\n"
    )
    (stage.work / "deploy.py").write_text(
        "from pyinfra import host\nfrom pyinfra.operations import server\n"
        "server.shell(name='made', commands=host.data.made)\n"
        "server.shell(name='asked', commands=[host.data.asked])\n"
        "server.shell(name='unmade', commands=host.data.unmade)\n"
    )
    argv = [program, "-y", str(stage.work / "inventory.py"), str(stage.work / "deploy.py")]
    return Contender(PYINFRA, lambda: {"total": timed(argv, HOME=str(stage.work)).seconds})


def _compose(stage: Stage) -> Contender:
    name = "Docker Compose over SSH, hosts at once"
    if not stage.compose:
        return Contender(name, dict, missing=f"not in {stage.root}: scripts/bench --install")
    call = " ".join(stage.compose)
    lines = ["set -e; pids=\n"]
    for host, (container, address) in ENDS.items():
        file = stage.work / f"{host}.compose.yaml"
        file.write_text(
            f"services:\n  {container}:\n    image: {IMAGE}\n    networks: {{lan: {{ipv4_address: {address}}}}}\n"
            "networks:\n  lan:\n    driver: macvlan\n    driver_opts: {parent: eth0.50}\n"
            "    ipam: {config: [{subnet: 192.168.22.0/24, gateway: 192.168.22.1}]}\n"
        )
    address = {host.name: host.address for host in stage.state.hosts}
    for words in ("up -d", "exec -T {name} ping -c 1 -W 2 {other}", "down -t 0"):
        for host, (container, _) in ENDS.items():
            other = next(found for each, (_, found) in ENDS.items() if each != host)
            told = words.format(name=container, other=other)
            where = f"DOCKER_HOST=ssh://root@{address[host]} {call} -p lan -f {stage.work}/{host}.compose.yaml"
            lines.append(f'{where} {told} 2>&1 >/dev/null & pids="$pids $!"\n')
        lines.append(WAIT)
    return Contender(name, lambda: _composed(stage, "".join(lines)))


def _composed(stage: Stage, text: str) -> Seconds:
    path = Path(stage.work / "compose.sh")
    path.write_text(text)
    return {"total": timed([shutil.which("sh") or "sh", str(path)], PATH=stage.path).seconds}
