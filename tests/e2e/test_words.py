"""All that `docker run` says of a container: made on real engines, found again as it is, and taken away."""

import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FIRST = (28, 0)
"""The engine that knows what is said of places in `words-new.yaml`."""


@pytest.fixture
def there(lab):
    """Make what the lab only uses, and take it away again."""
    lab.sh("vm0", "docker network create words-there && docker volume create words-old")
    yield lab
    lab.sh("vm0", "docker network rm words-there; docker volume rm words-old; true")


def version(lab):
    """Return major and minor version of the engine of vm0."""
    said = lab.sh("vm0", "docker version --format '{{.Server.Version}}'")
    return tuple(map(int, said.split(".")[:2]))


def test_most_words(there):
    """What is made is as the definition says: `verify` finds nothing, and `up` has nothing to do a second time."""
    report = there.up(HERE / "words.yaml")
    assert report["causes"] == []
    again = there.call("up", HERE / "words.yaml", "--sandbox")
    assert again.rc == 0, again.stderr
    assert "5 kept" in again.stderr or "created" not in again.stderr
    (web,) = json.loads(there.sh("vm0", "docker inspect web"))
    assert web["NetworkSettings"]["Networks"]["front"]["MacAddress"] == "02:42:ac:1c:33:0a"
    assert web["HostConfig"]["Memory"] == 64 << 20
    there.down(HERE / "words.yaml")
    left = there.sh("vm0", "docker volume ls --quiet; docker network ls --format '{{.Name}}'").split()
    assert {"words-old", "words-there"} <= set(left)
    assert {"site", "front", "words-rear"}.isdisjoint(left)


def test_external_is_not_made(lab):
    """What is to be there and is not is told with its place before anything is made."""
    refused = lab.call("up", HERE / "words.yaml", "--sandbox")
    assert refused.rc != 0
    assert "words.yaml:8:3: networks.there: network words-there is not there" in refused.stderr
    assert "volume words-old is not there" in refused.stderr
    assert "nothing was created" in refused.stderr


def test_places(lab):
    """Priorities, names of interfaces and MAC addresses are predicted, or refused by an engine that is too old."""
    outcome = lab.call("up", HERE / "words-new.yaml", "--sandbox", "--format", "json")
    if version(lab) < FIRST:
        assert outcome.rc != 0
        assert "does not know `gw_priority`, which came with 28.0" in outcome.stderr
        assert "words-new.yaml:12:" in outcome.stderr
        assert "nothing was created" in outcome.stderr
        return
    assert outcome.rc == 0, outcome.stderr + outcome.stdout
    assert outcome.json["causes"] == []
    assert "default via 172.28.54.1 dev right" in lab.sh("vm0", "docker exec both ip route")
    assert "02:42:ac:1c:36:0a" in lab.sh("vm0", "docker exec both ip link show dev right")
    lab.down(HERE / "words-new.yaml")
