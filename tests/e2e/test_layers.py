"""Images in layers on real engines: built, looked at, expected, and gone again, held against docker's own output."""

from __future__ import annotations

import json
import os
import signal

import pytest
from support.lab_hosts import EXAMPLES, wait_for, write

LAYERS = EXAMPLES / "layers.yaml"

SLOW = """\
name: slow
hosts: {{vm0: ssh://root@192.168.22.61}}
images:
  one: {{steps: ["echo 1 > /1"]}}
  two: {{from: one, {how}}}
containers:
  aa: {{image: two}}
"""
STEPS = SLOW.format(how='steps: ["echo 2 > /2", "echo $((40+2)) > /3; sleep 60"]')
DOCKERFILE = SLOW.format(how='dockerfile: "RUN echo 2 > /2\\nRUN echo $((40+2)) > /3; sleep 60\\n"')


@pytest.fixture
def ready(lab):
    """Give the hosts with the node image, and expect no image of a lab in the end."""
    lab.need_node("vm0")
    yield lab
    assert made(lab) == []


def made(lab):
    """Return the IDs of all images that carry a lab's label."""
    return lab.docker("vm0", "images", "--all", "--quiet", "--filter", "label=dockerlab.lab").split()


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def du(lab, path):
    """Return the bytes of all that is below a directory but directories, each once, as docker counts a layer."""
    listed = lab.sh("vm0", f"find '{path}' ! -type d -printf '%i %s\\n' | sort -u")
    return sum(int(line.split()[1]) for line in listed.splitlines())


def test_example(ready, tmp_path):
    """The example: built both ways, as expected, kept by a second up, told as docker tells it, and taken down."""
    report = ready.up(LAYERS)
    assert [(c["rule"], c["subject"], c["verdict"]) for c in report["checks"]] == [
        ("layers", "image web", "pass"),
        ("shares", "image web", "pass"),
        ("writes", "image web", "pass"),
        ("layers", "image tools", "pass"),
        ("shares", "image tools", "pass"),
    ]
    assert "/www/index.html was copied up from layer 2 (19 B there, 25 B now)" in report["checks"][2]["observed"]

    again = ready.call("up", LAYERS, "--sandbox", "--no-verify")
    assert again.stderr == "layers: no change: everything is as the definition says\n"

    found = ready.call("layers", "--lab", LAYERS, "--sandbox", "--format", "json").json["hosts"][0]
    assert found["store"]["driver"] == ready.docker("vm0", "info", "--format", "{{.Driver}}") == "overlay2"
    for image in found["images"]:
        as_docker_tells(ready, image)
    for container in found["containers"]:
        own_layer(ready, container)
    (site,) = (c for c in found["containers"] if c["name"] == "site")
    changed = next(c for c in site["changes"] if c["path"] == "/www/index.html")
    assert (changed["what"], changed["size"], changed["layer"], changed["was"]) == ("C", 25, 2, 19)

    sizes = {layer["chain_id"]: layer["size"] for i in found["images"] for layer in i["layers"]}
    assert found["cost"] == {"apart": sum(i["size"] for i in found["images"]), "together": sum(sizes.values())}
    base = next(i for i in found["images"] if "dockerlab/node:latest" in i["names"])
    assert {s["size"] for s in found["shared"]} == {base["size"]}

    table = ready.call("layers", "web", "site", "--sandbox")
    assert table.rc == 0
    assert "copied up from 19B in layer 2" in table.stdout
    by_hand = ready.call("layers", "--lab", LAYERS, "--sandbox", "--raw", "--format", "json").json["hosts"]["vm0"]
    printed = {" ".join(each["command"]): each["stdout"] for each in by_hand}
    assert all(each["exit_code"] == 0 for each in by_hand)
    assert printed["docker image inspect web:latest"] == ready.run("vm0", "docker", "image", "inspect", "web").stdout
    assert set(printed["docker container diff site"].splitlines()) == {"C /www", "C /www/index.html"}

    # A container starts what the base starts, not the last step; and what a Dockerfile says where it says so.
    assert ready.inspect("vm0", "web")["Config"]["Cmd"] == ready.inspect("vm0", "dockerlab/node")["Config"]["Cmd"]
    assert ready.inspect("vm0", "tools")["Config"]["Cmd"] == ["sh", "-c", "httpd -f -p 80 -h /www"]

    tampered(ready, found)
    strangers(ready)
    converges(ready, tmp_path)
    ready.down("layers")


def as_docker_tells(lab, image):
    """Hold an image against docker's history and inspection, and its directories against what is in them."""
    name = image["names"][0]
    told = lines(lab.docker("vm0", "history", "--no-trunc", "--human=false", "--format", "{{json .}}", name))
    steps = list(reversed(image["history"]))
    assert [s["made_by"] for s in steps] == [t["CreatedBy"] for t in told]
    assert [s["comment"] for s in steps] == [t["Comment"] for t in told]
    assert [s["size"] for s in steps] == [int(t["Size"]) for t in told]
    assert [s["image"] or "<missing>" for s in steps] == [t["ID"] for t in told]

    detail = lab.inspect("vm0", name)
    assert [layer["diff_id"] for layer in image["layers"]] == detail["RootFS"]["Layers"]
    assert (image["id"], image["parent"], image["size"]) == (detail["Id"], detail["Parent"], detail["Size"])
    data = detail["GraphDriver"]["Data"]
    assert image["directories"]["upper"] == data["UpperDir"]
    assert ":".join(image["directories"]["lower"]) == data.get("LowerDir", "")
    assert image["directories"]["merged"] == data["MergedDir"]
    for layer in image["layers"]:
        assert du(lab, layer["directory"]) == layer["size"]
        chain = layer["chain_id"].removeprefix("sha256:")
        kept = lab.sh("vm0", f"cat /var/lib/docker/image/overlay2/layerdb/sha256/{chain}/diff")
        assert kept == layer["diff_id"]


def own_layer(lab, container):
    """Hold a container's own layer against docker's list of changes and its directory."""
    told = {tuple(line.split(" ", 1)) for line in lab.docker("vm0", "diff", container["name"]).splitlines()}
    assert {(change["what"], change["path"]) for change in container["changes"]} == told
    data = lab.inspect("vm0", container["name"])["GraphDriver"]["Data"]
    assert container["directories"]["upper"] == data["UpperDir"]
    assert ":".join(container["directories"]["lower"]) == data["LowerDir"]
    assert du(lab, data["UpperDir"]) == container["written"]
    assert sum(c["size"] or 0 for c in container["changes"]) == container["written"]


def tampered(lab, found):
    """A file that somebody changes in a layer's own directory, to other words of the same length, fails the check."""
    web = next(image for image in found["images"] if image["names"] == ["web:latest"])
    lab.sh("vm0", f"sed -i s/hello/HELLO/ '{web['layers'][1]['directory']}/www/index.html'")
    verified = lab.call("verify", LAYERS, "--sandbox", "--format", "json")
    assert verified.rc == 1
    failed = [check for check in verified.json["checks"] if check["verdict"] != "pass"]
    assert [(check["rule"], check["verdict"]) for check in failed] == [("writes", "fail")], failed


def strangers(lab):
    """What somebody makes from a lab's image is theirs: it stays, and the image below it as well, until it is gone."""
    lab.docker("vm0", "run", "--detach", "--name", "guest", "web")
    lab.docker("vm0", "commit", "guest", "mine")
    said = lab.call("down", "layers", "--sandbox")
    assert (said.rc, "image web is kept: container guest is made from it" in said.stderr) == (4, True), said.stderr
    assert {"guest"} == {name.split()[1] for name in lab.ids()}
    assert lab.docker("vm0", "images", "--quiet", "mine")
    assert not lab.docker("vm0", "images", "--quiet", "tools")
    lab.docker("vm0", "rm", "--force", "guest")
    said = lab.call("down", "layers", "--sandbox")
    assert (said.rc, "image web is kept: image mine:latest is built on it" in said.stderr) == (4, True), said.stderr
    lab.docker("vm0", "image", "rm", "--no-prune", "mine")
    lab.down("layers")
    assert made(lab) == []


def converges(lab, tmp_path):
    """A changed step builds its image anew, and what is built on it; the old ones go; a foreign name is refused."""
    lab.docker("vm0", "tag", "dockerlab/node", "web")
    refused = lab.call("up", LAYERS, "--sandbox", "--no-verify")
    assert refused.rc == 4
    assert "image web was not made by dockerlab" in refused.stderr
    lab.docker("vm0", "image", "rm", "web")
    first = write(tmp_path, LAYERS.read_text().replace("rm /bin/vi", "rm /bin/tee"))
    assert lab.call("up", first, "--sandbox", "--no-verify").rc == 0
    before = set(made(lab))
    site = lab.ids()["vm0 site"]
    changed = lab.call("up", LAYERS, "--sandbox", "--no-verify")
    assert changed.stderr.endswith("layers: 2 recreated, 3 kept\n"), changed.stderr
    assert lab.ids()["vm0 site"] != site
    assert len(set(made(lab)) & before) == len(before) - 2  # the two layers of web
    assert len(made(lab)) == len(before)


@pytest.mark.parametrize("text", [STEPS, DOCKERFILE], ids=["steps", "dockerfile"])
def test_killed_while_building(ready, tmp_path, text):
    """Killed in the middle of a step, `down` alone leaves no container and no image."""
    path = write(tmp_path, text)
    process = ready.start("up", path, "--sandbox", "--no-verify")
    try:
        wait_for(lambda: "sleep 60" in ready.docker("vm0", "ps", "--no-trunc"), 90)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    ready.down("slow")
    wait_for(lambda: made(ready) == [] and ready.docker("vm0", "ps", "--all", "--quiet") == "", 15)


def test_failing_step(ready, tmp_path):
    """A step that fails says which and why, and everything that was built for it is gone again."""
    path = write(tmp_path, STEPS.replace("sleep 60", "cat /missing; exit 7"))
    failed = ready.call("up", path, "--sandbox", "--no-verify")
    assert failed.rc == 4
    assert "built image two on vm0 failed (exit code 7)" in failed.stderr
    assert "can't open '/missing'" in failed.stderr
    assert "everything that this run had created was removed again" in failed.stderr


KEPT_BY_CONTAINERD = """
echo '{"features": {"containerd-snapshotter": true}}' >/etc/docker/daemon.json
"""
RESTART = """
old=$(cat /run/docker.pid)
kill "$old"
for _ in $(seq 300); do
    sleep 0.1
    [ "$(cat /run/docker.pid)" != "$old" ] && docker version && exit 0
done >/dev/null 2>&1
exit 1
"""


@pytest.mark.parametrize("lab_hosts", ["rootfs"], indirect=True)
def test_kept_by_containerd(lab):
    """Images that containerd keeps: all expectations hold, each layer has its directory, and a changed one fails."""
    try:
        lab.sh("vm0", "mkdir -p /etc/docker" + KEPT_BY_CONTAINERD + RESTART)
        if "containerd" not in lab.docker("vm0", "info", "--format", "{{.DriverStatus}}"):
            pytest.skip("this engine does not keep images in containerd")
        assert [check["verdict"] for check in lab.up(LAYERS)["checks"]] == ["pass"] * 5
        found = lab.call("layers", "--lab", LAYERS, "--sandbox", "--format", "json").json["hosts"][0]
        assert found["store"]["containerd"] is True
        (site,) = (each for each in found["containers"] if each["name"] == "site")
        changed = next(each for each in site["changes"] if each["path"] == "/www/index.html")
        assert (changed["size"], changed["layer"], changed["was"]) == (25, 2, 19)
        root = lab.sh("vm0", f"cat /proc/{lab.inspect('vm0', 'site')['State']['Pid']}/mountinfo")
        assert f"upperdir={site['directories']['upper']}," in root
        assert f"lowerdir={':'.join(site['directories']['lower'])}," in root
        tampered(lab, found)
        lab.down("layers")
    finally:
        lab.empty()
        lab.sh("vm0", "docker image rm dockerlab/node; rm /etc/docker/daemon.json" + RESTART)
