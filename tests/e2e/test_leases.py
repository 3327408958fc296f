"""How long labs are wanted: `up --ttl`, `status`, `down --expired`; and whose labs `down --all` takes."""

from __future__ import annotations

import re

from support.lab_hosts import NODE, wait_for, write

LAB = """\
name: {name}
hosts: {{vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}}
networks: {{{name}-net: {{subnet: 172.31.{number}.0/24}}}}
containers:
  {name}-a: {{host: vm0, image: dockerlab/node, networks: [{name}-net]}}
  {name}-b: {{host: vm1, image: dockerlab/node}}
"""


def bring(lab, folder, name, number, *words, user="teacher"):
    """Bring a lab up, forget its definition, and return what was said."""
    path = write(folder, LAB.format(name=name, number=number), f"{name}.yaml")
    outcome = lab.call("up", path, "--sandbox", "--no-verify", *words, USER=user)
    assert outcome.rc == 0, outcome.stderr
    path.unlink()
    return outcome.stderr


def names(lab):
    return {name.split()[1] for name in lab.ids()}


def test_expired(lab, tmp_path):
    """`down --expired` takes the labs whose time is over, all of each and nothing else, by their labels alone."""
    assert re.search(r"short: expires in \d+ min \(2", bring(lab, tmp_path, "short", 1, "--ttl", "10m"))
    assert re.search(r"long: expires in 3 h 5\d min \(2", bring(lab, tmp_path, "long", 2, "--ttl", "4h"))
    bring(lab, tmp_path, "forever", 3)
    bring(lab, tmp_path, "short", 1, "--ttl", "1s")
    stranger = lab.docker("vm0", "run", "--detach", "--name", "stranger", NODE)
    wait_for(lambda: "short: expired " in lab.call("status", "--sandbox").stderr)
    status = lab.call("status", "--sandbox")
    assert "'dockerlab down --expired' removes it" in status.stderr
    assert re.search(r"expires in 3 h 5\d min", status.stdout)
    assert "long" not in status.stderr
    assert lab.down("--expired").endswith("every expired lab: 3 removed\n")
    assert names(lab) == {"long-a", "long-b", "forever-a", "forever-b", "stranger"}
    assert lab.down("--expired") == "every expired lab: nothing to remove on vm0, vm1\n"
    assert lab.down("--all").endswith("every lab: 6 removed\n")
    assert lab.ids() == {"vm0 stranger": stranger}
    lab.docker("vm0", "rm", "--force", "stranger")


def test_another_time(lab, tmp_path):
    """Another time for a lab that is there recreates nothing; `never` ends the lease; a wrong one is refused first."""
    bring(lab, tmp_path, "demo", 1, "--ttl", "4s")
    before = lab.ids()
    said = bring(lab, tmp_path, "demo", 1, "--ttl", "10m")
    assert "demo: no change: everything is as the definition says\n" in said
    assert lab.ids() == before
    rows = lab.call("status", "demo", "--sandbox", "--format", "json").json
    assert [row["kind"] for row in rows].count("lease") == 2
    warned = lab.call("status", "--sandbox").stderr
    assert re.search(r"demo: expires in [89] min; 'dockerlab up --ttl TIME' gives it longer", warned)
    assert "nothing to remove" in lab.down("--expired")
    bring(lab, tmp_path, "demo", 1)
    assert len([row for row in lab.call("status", "--sandbox", "--format", "json").json if row["expires"]]) == 2
    bring(lab, tmp_path, "demo", 1, "--ttl", "never")
    assert not [row for row in lab.call("status", "--sandbox", "--format", "json").json if row["expires"]]
    assert lab.ids() == before
    path = write(tmp_path, LAB.format(name="demo", number=1))
    wrong = lab.call("up", path, "--sandbox", "--ttl", "soon")
    assert (wrong.rc, wrong.stderr) == (2, "dockerlab: --ttl soon: write a time such as 90m, 4h or 2d, or 'never'\n")
    lab.down("demo")


def test_a_failed_up_leaves_no_lease(lab, tmp_path):
    """The lease of an `up` that fails is rolled back with the rest, and an older one stays."""
    text = LAB.format(name="demo", number=1)
    path = write(tmp_path, text.replace("dockerlab/node}", 'dockerlab/node, sysctls: {net.nonsense: "1"}}'))
    outcome = lab.call("up", path, "--sandbox", "--ttl", "1h")
    assert outcome.rc == 4
    assert "everything that this run had created was removed again" in outcome.stderr
    assert {line for host in lab.names for line in lab.found(host) if "lease" in line} == set()


def test_all_of_this_owner(lab, tmp_path):
    """`down --all` takes every lab of this owner, and only those; `--everyone` takes the others' as well."""
    for number, user in ((1, "teacher"), (2, "student"), (3, "teacher")):
        bring(lab, tmp_path, f"lab{number}", number, user=user)
    said = lab.down("--all")
    assert "3 objects belong to somebody else and stay; --everyone removes them too" in said
    assert names(lab) == {"lab2-a", "lab2-b"}
    assert lab.down("--all", "--everyone").endswith("every lab: 3 removed\n")


def test_by_addresses_alone(lab, tmp_path):
    """`down --all` works on hosts that are named by their addresses: no definition, no inventory, no state."""
    bring(lab, tmp_path, "demo", 1)
    ssh = lab.home / ".ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    (ssh / "config").write_text(f"IdentityFile {lab.state.identity_file}\nUserKnownHostsFile {lab.state.known_hosts}\n")
    hosts = [word for host in lab.state.hosts for word in ("--host", f"ssh://root@{host.address}")]
    outcome = lab.call("down", "--all", *hosts)
    (ssh / "config").unlink()
    assert outcome.rc == 0, outcome.stderr
    assert outcome.stderr.endswith("every lab: 3 removed\n")
