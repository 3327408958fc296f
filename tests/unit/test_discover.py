"""From what engines say to a definition: what is in it, what is not, and that it loads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engines import container, identity, network, snapshot

from dockerlab import modes
from dockerlab.discover.definition import discovered
from dockerlab.discover.renaming import renamed
from dockerlab.discover.spot import listening
from dockerlab.discover.wanted import Wanted
from dockerlab.discover.words import READERS
from dockerlab.errors import UsageError
from dockerlab.kernel.model import Listener, Machine, Namespace
from dockerlab.lab.container import Container
from dockerlab.lab.giving_way import line_of, words_in
from dockerlab.lab.loader import loads
from dockerlab.lab.words import WORDS
from dockerlab.survey import Seen

LAN = {"driver": "macvlan", "subnet": "192.168.22.0/24", "gateway": "192.168.22.1", "Options": {"parent": "eth0"}}


def found(*snapshots, wanted=None, listening=None):
    """Return what is discovered, and hold that its text says the same."""
    books = {each.host: each for each in snapshots}
    result = discovered(books, dict.fromkeys(books), wanted or Wanted(), listening)
    assert loads(result.text, networks=modes.network_types(), checks=[modes.check]) == result.lab, result.text
    return result


def one(**told):
    """Return what is said of a single container, as the keys of a definition."""
    detail = container("web", **told)
    lab = found(snapshot("vm0", [detail], [network("front"), network("back", subnet="172.28.1.0/24")])).lab
    return lab.containers["web"].model_dump(exclude_defaults=True)


def test_what_is_the_default_is_left_out():
    """Of a container that was run with nothing but its name, nothing is written."""
    result = found(snapshot("vm0", [container("web", {"bridge": {}})]))
    assert result.text.splitlines()[-1] == "  web:"


@pytest.mark.parametrize(
    ("entrypoint", "command", "runs"),
    [
        (["entry"], ["sh"], ((), ())),
        (["entry"], ["httpd", "-f"], ((), ("httpd", "-f"))),
        (["sleep"], ["1d"], (("sleep",), ("1d",))),
        (None, ["sleep", "1d"], (("sleep",), ("1d",))),
        (["entry"], None, (("entry",), ())),
    ],
)
def test_entrypoint_and_command(entrypoint, command, runs):
    """What runs is what ran, by Docker's rule that a new entrypoint takes the image's command away."""
    detail = container("web", config={"Entrypoint": entrypoint, "Cmd": command})
    lab = found(snapshot("vm0", [detail], image={"Entrypoint": ["entry"]})).lab
    assert lab.containers["web"].words == runs


def test_what_the_image_says_is_left_out():
    """Variables, labels, user and directory are written where they are not the image's own."""
    told = one(
        config={
            "Env": ["PATH=/usr/bin:/bin", "TZ=Europe/Zurich"], "Labels": {"vendor": "shop", "role": "web"},
            "User": "nobody", "WorkingDir": "/srv",
        }
    )  # fmt: skip
    assert told == {
        "environment": {"TZ": "Europe/Zurich"}, "labels": {"role": "web"}, "user": "nobody", "working_dir": "/srv",
    }  # fmt: skip


def test_secrets_are_asked_for():
    """No value that may be a secret is in the definition, wherever it stood; its variable is asked for by name."""
    detail = container(
        "db", {"front": {"address": "172.18.0.2"}}, image="postgres:16",
        config={
            "Env": ["POSTGRES_PASSWORD=hunter2", "my.odd=hunter2", "SEED=hunter2"],
            "Labels": {"backup.token": "hunter2", "note": "see https://me:hunter2@host/"},
            "Cmd": ["server", "--password", "hunter2"],
            "Healthcheck": {"Test": ["CMD-SHELL", "probe --password=hunter2"], "Interval": 30_000_000_000},
        },
        host={"LogConfig": {"Type": "splunk", "Config": {"splunk-token": "hunter2"}}},
    )  # fmt: skip
    volume = {"Name": "data", "Driver": "local", "Options": {"o": "username=me,password=hunter2"}}
    detail["HostConfig"]["Binds"] = ["data:/data"]
    detail["Mounts"] = [{"Type": "volume", "Name": "data", "Destination": "/data", "RW": True}]
    result = found(snapshot("vm0", [detail], [network("front", Options={"secret": "hunter2"})], volumes=[volume]))
    assert "hunter2" not in result.text
    assert result.lab.containers["db"].environment == {"POSTGRES_PASSWORD": None, "SEED": None}
    assert result.lab.containers["db"].words[1] == ("server", "--password", "CHANGE-ME")
    assert "the variable my.odd" in result.text


def test_container_mode_by_id():
    """An ID whose namespace is shared becomes a name, over however many steps; one that is gone becomes none."""
    web = container("web", {"front": {"address": "172.18.0.2"}})
    side = container("side", mode=f"container:{web['Id']}")
    third = container("third", mode=f"container:{side['Id']}")
    lost = container("lost", mode=f"container:{identity('gone')}")
    lab = found(snapshot("vm0", [web, side, third, lost], [network("front")])).lab
    assert [lab.containers[name].network_mode for name in ("side", "third", "lost")] == [
        "container:web", "container:web", "none",
    ]  # fmt: skip


def test_an_owner_is_taken_along():
    """With a container that a filter takes comes the one whose network it shares, and that is said."""
    web = container("web", {"front": {}})
    side = container("side", mode=f"container:{web['Id']}")
    result = found(snapshot("vm0", [web, side], [network("front")]), wanted=Wanted(names=("si*",)))
    assert set(result.lab.containers) == {"side", "web"}
    assert "web is taken as well" in "".join(result.notes)


def test_places():
    """Of a place there are the addresses and names that somebody chose; the engine's own are not."""
    web = container(
        "web", {"back": {"fixed": "172.28.1.9", "aliases": ["shop", identity("container web")[:12]]}, "front": {}},
        config={"Hostname": "shop-1"},
    )  # fmt: skip
    told = found(snapshot("vm0", [web], [network("front"), network("back", subnet="172.28.1.0/24")])).lab.containers[
        "web"
    ]
    assert list(told.networks) == ["back", "front"]
    assert str(told.networks["back"].ip) == "172.28.1.9"
    assert told.networks["back"].aliases == ("shop",)
    assert told.hostname == "shop-1"
    assert not told.networks["front"].model_dump(exclude_defaults=True)


@pytest.mark.parametrize(
    ("version", "config", "mac", "written"),
    [
        ("20.10.24", {}, "02:42:ac:1c:01:05", None),
        ("20.10.24", {}, "02:42:ac:1c:01:06", "02:42:ac:1c:01:06"),
        ("28.5.2", {}, "ba:01:13:18:62:39", None),
        ("28.5.2", {"MacAddress": "02:42:ac:99:00:07"}, "02:42:ac:99:00:07", "02:42:ac:99:00:07"),
        ("25.0.1", {"MacAddress": "02:42:ac:1c:01:05"}, "02:42:ac:1c:01:05", None),
    ],
)
def test_mac_addresses(version, config, mac, written):
    """A MAC address is written where somebody has set it, as far as an engine of that version tells."""
    web = container("web", {"back": {"address": "172.28.1.5", "MacAddress": mac}}, config=config)
    lab = found(snapshot("vm0", [web], [network("back", subnet="172.28.1.0/24")], version)).lab
    assert lab.containers["web"].networks["back"].mac_address == written


def test_ports():
    """Ports are written as they were asked for; of a range it is the one that the engine has picked."""
    bindings = {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}], "81/udp": [{"HostIp": "127.0.0.1", "HostPort": "81"}],
        "90/tcp": [{"HostIp": "", "HostPort": "9000-9010"}], "99/tcp": [{"HostIp": "", "HostPort": ""}],
        "70/tcp": [{"HostIp": "0.0.0.0", "HostPort": "70"}, {"HostIp": "::", "HostPort": "70"}],
        "71/tcp": [{"HostIp": "::1", "HostPort": "71"}],
    }  # fmt: skip
    web = container("web", {"bridge": {}}, host={"PortBindings": bindings})
    web["NetworkSettings"]["Ports"] = {"90/tcp": [{"HostIp": "0.0.0.0", "HostPort": "9004"}]}
    ports = found(snapshot("vm0", [web])).lab.containers["web"].ports
    assert list(map(str, ports)) == [
        "70:70/tcp", "[::1]:71:71/tcp", "8080:80/tcp", "127.0.0.1:81:81/udp", "9004:90/tcp", "99/tcp",
    ]  # fmt: skip


def test_listening():
    """What a container listens on without publishing it is asked for as well."""
    web = container("web", {"bridge": {}}, host={"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}})
    lab = found(snapshot("vm0", [web]), listening={"vm0": {web["Id"]: (80, 9000)}}).lab
    assert lab.containers["web"].expose == (9000,)


def test_who_listens():
    """Of a container's namespace the ports for others count; on the host's network its own, and those of who joined."""
    inside = Namespace(1, pids=(7,), listeners=(Listener("tcp", "0.0.0.0", 80), Listener("tcp", "127.0.0.11", 4000)))
    outside = Namespace(
        2, host=True, pids=(8, 9),
        listeners=(
            Listener("tcp", "::", 8000, ((8, "httpd"),)), Listener("tcp", "::", 7001, ((9, "httpd"),)),
            Listener("tcp", "::", 22),
        ),
    )  # fmt: skip
    web, far = container("web", {"front": {}}), container("far", mode="host")
    guest = container("guest", mode=f"container:{far['Id']}")
    far["State"]["Pid"], guest["State"]["Pid"] = 8, 9
    books = {"vm0": snapshot("vm0", [web, far, guest], [network("front")])}
    seen = Seen(books, {}, {"vm0": Machine("vm0", namespaces=(inside, outside))})
    assert listening(seen) == {"vm0": {web["Id"]: (80,), far["Id"]: (7001, 8000), guest["Id"]: (7001,)}}


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ({"subnet": "172.18.0.0/16", "gateway": "172.18.0.1"}, {}),
        ({"subnet": "192.168.16.0/20", "gateway": "192.168.16.1"}, {}),
        ({"subnet": "172.18.0.0/16"}, {"subnet": "172.18.0.0/16"}),
        ({"subnet": "10.1.0.0/24", "gateway": "10.1.0.254"}, {"subnet": "10.1.0.0/24", "gateway": "10.1.0.254"}),
    ],
)
def test_subnets(told, written):
    """A subnet is written where somebody chose it; one that the engine took from its pools is a comment."""
    lab = found(snapshot("vm0", [container("web", {"front": {}})], [network("front", **told)])).lab
    spec = lab.networks["front"].model_dump(exclude_defaults=True)
    assert {key: str(value[0]) for key, value in spec.items()} == written


def test_a_lan_over_two_hosts():
    """A macvlan network of one name, subnet and parent on two hosts is one, with every address on it fixed."""
    first = snapshot("vm0", [container("a", {"lan": {"address": "192.168.22.2"}})], [network("lan", **LAN)])
    second = snapshot("vm1", [container("b", {"lan": {"fixed": "192.168.22.9"}})], [network("lan", **LAN)])
    lab = found(first, second).lab
    assert list(lab.networks) == ["lan"]
    assert lab.hosts_of("lan") == ("vm0", "vm1")
    assert [str(lab.containers[name].networks["lan"].ip) for name in "ab"] == ["192.168.22.2", "192.168.22.9"]


def test_an_overlay_is_one_network():
    """A Swarm's network is one by its ID, and the addresses that the Swarm gave by itself are not written."""
    wide = network("wide", "overlay", "10.0.1.0/24", "10.0.1.1", Scope="swarm", Attachable=True)
    first = snapshot("vm0", [container("a", {"wide": {"fixed": "10.0.1.2"}})], [wide])
    second = snapshot("vm1", [container("b", {"wide": {"fixed": "10.0.1.77"}})], [wide])
    lab = found(first, second).lab
    assert list(lab.networks) == ["wide"]
    assert [str(lab.containers[name].networks["wide"].ip) for name in "ab"] == ["None", "10.0.1.77"]


def test_networks_told_apart():
    """Networks of one name that are not the same have their host's name behind theirs."""
    first = snapshot("vm0", [container("a", {"front": {}})], [network("front", subnet="10.1.0.0/24")])
    second = snapshot("vm1", [container("b", {"front": {}})], [network("front", subnet="10.2.0.0/24")])
    lab = found(first, second).lab
    assert list(lab.networks) == ["front-vm0", "front-vm1"]
    assert list(lab.containers["b"].networks) == ["front-vm1"]


def test_names_told_apart():
    """Containers of one name, or of a host's, have another one, by which they still answer to their own."""
    first = snapshot("vm0", [container("web", {"front": {}}), container("vm1", {"bridge": {}})], [network("front")])
    second = snapshot("vm1", [container("web", {"bridge": {}})])
    result = found(first, second)
    assert list(result.lab.containers) == ["vm1-vm0", "web-vm0", "web-vm1"]
    assert result.lab.containers["web-vm0"].networks["front"].aliases == ("web",)
    books = renamed({"vm0": first, "vm1": second}, result)
    there = books["vm0"].container("web-vm0")
    assert there is not None
    assert (there.known_as, "web" in there.endpoints["front"].aliases) == ("web", True)
    assert books["vm1"].container("web-vm1") is not None


def test_names_that_a_definition_cannot_have():
    """A name that Docker allows and a definition does not is mapped, and that is said."""
    long = "shop_web.1." + "x" * 70
    result = found(snapshot("vm0", [container(long, {"odd net!": {}})], [network("odd net!")]))
    (name,) = result.lab.containers
    assert len(name) <= 63
    assert list(result.lab.networks) == ["odd-net"]
    assert f"called {long} on vm0" in result.text.replace("\n  # ", " ")


def test_what_does_not_run():
    """Containers that have ended are left out and named, unless they are asked for."""
    books = snapshot("vm0", [container("web", {"bridge": {}}), container("old", {"bridge": {}}, status="exited")])
    result = found(books)
    assert list(result.lab.containers) == ["web"]
    assert result.notes == ("vm0: left out, as they do not run (--all takes them): old",)
    assert set(found(books, wanted=Wanted(stopped=True)).lab.containers) == {"old", "web"}


def test_a_network_that_is_gone():
    """A container that has ended on a network that is gone is on none, and that is said."""
    old = container("old", {"front": {}}, status="exited")
    result = found(snapshot("vm0", [old]), wanted=Wanted(stopped=True))
    assert result.lab.containers["old"].network_mode == "none"
    assert "also on network front, which is left out: the network is gone" in result.text


def test_what_contradicts_itself_loads():
    """A container that has ended may want a port or an address that another one has by now: one of them is left out."""
    told = {"host": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}}
    books = snapshot(
        "vm0", [container("a", {"back": {"fixed": "172.28.1.9"}}, **told),
                container("b", {"back": {"fixed": "172.28.1.9"}}, status="exited", **told)],
        [network("back", subnet="172.28.1.0/24")],
    )  # fmt: skip
    result = found(books, wanted=Wanted(stopped=True))
    assert [len(spec.ports) for spec in result.lab.containers.values()] == [1, 0]
    assert result.text.count("left out:") == 2


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Wanted(projects=("shop",)), {"shop-web-1"}),
        (Wanted(labels=("tier",)), {"shop-web-1", "other"}),
        (Wanted(labels=("tier=back",)), {"other"}),
        (Wanted(networks=("shop_*",)), {"shop-web-1"}),
        (Wanted(names=("o*", "nobody")), {"other"}),
        (Wanted(names=("shop*",), labels=("tier=back",)), set()),
    ],
)
def test_filters(wanted, taken):
    """Filters of one kind add to each other, and those of several kinds all have to fit; networks follow."""
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web", "tier": "front"}
    place = {"aliases": ["shop-web-1", "web"]}
    books = snapshot(
        "vm0", [container("shop-web-1", {"shop_default": place}, config={"Labels": labels}),
                container("other", {"bridge": {}}, config={"Labels": {"tier": "back"}})],
        [network("shop_default", Labels=labels), network("spare")],
    )  # fmt: skip
    if not taken:
        with pytest.raises(UsageError, match="none fits"):
            found(books, wanted=wanted)
        return
    result = found(books, wanted=wanted)
    assert set(result.lab.containers) == taken
    assert "spare" not in result.lab.networks
    if "shop-web-1" in taken:
        assert result.lab.containers["shop-web-1"].networks["shop_default"].aliases == ("web",)
        assert result.lab.containers["shop-web-1"].labels == {"tier": "front"}
        assert "made by Docker Compose: project shop, service web" in result.text


EVERY_WORD = {
    "Binds": ["/srv:/srv:ro", "data:/data"], "Tmpfs": {"/run": "size=64m"}, "DnsOptions": ["ndots:2"],
    "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}, "Init": True, "Privileged": True,
    "ReadonlyRootfs": True, "SecurityOpt": ["no-new-privileges"], "GroupAdd": ["daemon"], "UTSMode": "host",
    "Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}],
    "Ulimits": [{"Name": "nofile", "Soft": 64, "Hard": 128}, {"Name": "core", "Soft": 0, "Hard": 0}],
    "Memory": 67_108_864, "MemorySwap": 268_435_456, "MemoryReservation": 1_000_001, "ShmSize": 1 << 20,
    "NanoCpus": 500_000_000, "CpuShares": 512, "CpusetCpus": "0-1", "PidsLimit": 100, "OomScoreAdj": 500,
    "DeviceCgroupRules": ["c 10:200 rwm"], "LogConfig": {"Type": "local", "Config": {"max-size": "1m"}},
    "CapAdd": ["CAP_NET_ADMIN"], "CapDrop": ["NET_RAW"], "Sysctls": {"net.ipv4.ip_forward": "1"},
    "Dns": ["203.0.113.10"], "DnsSearch": ["lab"], "ExtraHosts": ["db:10.0.0.5"], "UsernsMode": "host",
    "CgroupParent": "labs.slice", "Annotations": {"com.example.role": "web"}, "OomKillDisable": True,
}  # fmt: skip
EVERY_SETTING = {
    "Domainname": "lab.example", "User": "nobody", "WorkingDir": "/srv", "StopSignal": "SIGINT", "StopTimeout": 2,
    "Hostname": "shop",
    "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 90_000_000_000, "Timeout": 1_500_000, "Retries": 3},
}  # fmt: skip


def test_every_word_of_docker_run():
    """What is written of a container that has every setting is what its engine shows, by the table of all words."""
    web = container("web", {"bridge": {}}, host=EVERY_WORD, config=EVERY_SETTING)
    web["Mounts"] = [
        {"Type": "bind", "Source": "/srv", "Destination": "/srv", "RW": False},
        {"Type": "volume", "Name": "data", "Destination": "/data", "RW": True},
    ]
    books = snapshot("vm0", [web])
    spec = found(books).lab.containers["web"]
    state = books.container("web")
    assert state is not None
    assert state.shown is not None
    unlike = {word.flag: word.unlike(spec, state.shown) for word in WORDS}
    assert not {flag: pair for flag, pair in unlike.items() if pair}
    silent = {
        word.flag for word in WORDS if word.shown is not None and word.shown(state.shown) and not word.values(spec)
    }
    assert silent == {"--runtime"}  # which is the engine's own


ELSEWHERE = {
    "hostname", "user", "ports", "dns", "dns_search", "extra_hosts", "cap_add", "cap_drop", "sysctls", "environment",
    "mac_address", "labels",
}  # fmt: skip
"""The keys that are written beside the table of readers."""
UNTOLD = {"cgroup"}
"""An engine tells whose control groups a container sees, and not whether somebody has asked for that."""


@pytest.mark.parametrize(
    ("test", "written"),
    [
        (["CMD", "nc", "-z", "a b"], ("CMD", "nc", "-z", "a b")),
        (["CMD-SHELL", "exec nc -z 'a b'"], ("CMD", "nc", "-z", "a b")),
        (["CMD-SHELL", "nc -z 'a b'"], ("CMD-SHELL", "nc -z 'a b'")),
        (["CMD-SHELL", "exec nc -z $HOST 80"], ("CMD-SHELL", "exec nc -z $HOST 80")),
        (["CMD-SHELL", "exec nc -z db 80 || exit 1"], ("CMD-SHELL", "exec nc -z db 80 || exit 1")),
        (["CMD-SHELL", "exec 'nc"], ("CMD-SHELL", "exec 'nc")),
        (["CMD-SHELL", "exec -a name nc"], ("CMD-SHELL", "exec -a name nc")),
        (["CMD-SHELL", "exec probe --password hunter2"], ("CMD", "probe", "--password", "CHANGE-ME")),
    ],
)
def test_a_healthcheck_as_it_was(test, written):
    """Words come back as words, whoever handed them to the engine, and a shell's line as that line."""
    assert one(config={"Healthcheck": {"Test": test}})["healthcheck"]["test"] == written


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=20), max_size=4))
def test_words_of_a_healthcheck_come_back(words):
    """Whatever words a healthcheck has, the line that the engine is given for them is read as these words."""
    readable = bool(words) and not words[0].startswith("-")
    assert words_in(line_of(words)) == (tuple(words) if readable else ())


def test_no_word_is_forgotten():
    """Each word of `docker run` that a definition has is read, or is known not to be told."""
    assert {word.key for word in WORDS} - ELSEWHERE - UNTOLD <= set(READERS)
    assert set(READERS) <= set(Container.model_fields)


WILD = st.text(max_size=40) | st.sampled_from(
    ["{{ vars }}", "{% raw", "a: b", "- x", "#", "'", '"', "\x1b[2J", "no", "1e3"]
)


@settings(max_examples=40, deadline=None)
@given(WILD, WILD, WILD, st.lists(WILD, min_size=1, max_size=3), st.dictionaries(WILD, WILD, max_size=3))
def test_strangers_stay_text(name, alias, note, command, labels):
    """Whatever a host says of itself, the definition loads, and has it as text: none of it is YAML or a template."""
    web = container(
        name or "x", {"front": {"aliases": [alias]}}, config={"Cmd": command, "Labels": labels, "Hostname": note},
        host={"Binds": [note], "ExtraHosts": [note], "Sysctls": labels, "SecurityOpt": [alias]},
    )  # fmt: skip
    result = found(snapshot("vm0", [web], [network("front", Labels=labels, Options=labels)]))
    assert len(result.lab.containers) == 1
