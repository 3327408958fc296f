"""The words of `docker run`: each row of the table is written, refused by engines that do not know it, and compared."""

from dataclasses import replace

import jsonschema
import pytest
from support.labs import lab, plan_up, running, who
from support.pretend import Engines

from dockerlab import modes, plan
from dockerlab.command import exports
from dockerlab.drift import differences
from dockerlab.errors import ConflictError, DefinitionError
from dockerlab.lab.document import parse
from dockerlab.lab.places import PLACE_WORDS
from dockerlab.lab.quantities import bytes_of, nanoseconds_of
from dockerlab.lab.schema import schema
from dockerlab.lab.words import WORDS
from dockerlab.plan import build
from dockerlab.provision import preflight
from dockerlab.provision.unknown import unknown
from dockerlab.versions import SINCE, Engine, numbers

HOST = "HostConfig"
GIVEN = {
    "--hostname": ("hostname: web1", "web1", {"Config": {"Hostname": "web1"}}),
    "--domainname": ("domainname: lab.example", "lab.example", {"Config": {"Domainname": "lab.example"}}),
    "--mac-address": ('mac_address: "02:42:ac:11:00:0a"', "02:42:ac:11:00:0a", None),
    "--user": ("user: nobody", "nobody", {"Config": {"User": "nobody"}}),
    "--workdir": ("working_dir: /srv", "/srv", {"Config": {"WorkingDir": "/srv"}}),
    "--publish": ('ports: ["8080:80"]', "8080:80/tcp", None),
    "--dns": ("dns: 203.0.113.10", "203.0.113.10", {HOST: {"Dns": ["203.0.113.10"]}}),
    "--dns-search": ("dns_search: lab", "lab", {HOST: {"DnsSearch": ["lab"]}}),
    "--dns-option": ("dns_opt: ndots:1", "ndots:1", {HOST: {"DnsOptions": ["ndots:1"]}}),
    "--add-host": ("extra_hosts: {db: 10.0.0.5}", "db:10.0.0.5", {HOST: {"ExtraHosts": ["db:10.0.0.5"]}}),
    "--cap-add": ("cap_add: NET_ADMIN", "NET_ADMIN", {HOST: {"CapAdd": ["CAP_NET_ADMIN"]}}),
    "--cap-drop": ("cap_drop: NET_RAW", "NET_RAW", {HOST: {"CapDrop": ["NET_RAW"]}}),
    "--sysctl": ("sysctls: {net.x: 1}", "net.x=1", {HOST: {"Sysctls": {"net.x": "1"}}}),
    "--env": ("environment: {A: b c}", "A=b c", None),
    "--mount": (
        "volumes: [/srv/www:/www:ro]", "type=bind,source=/srv/www,target=/www,readonly",
        {"Mounts": [{"Type": "bind", "Source": "/srv/www", "Destination": "/www", "RW": False}]},
    ),
    "--volume": ("volumes: [/srv:/srv:Z]", "/srv:/srv:rw,Z", None),
    "--tmpfs": ("tmpfs: /run:size=1m", "/run:size=1m", {HOST: {"Tmpfs": {"/run": "size=1m"}}}),
    "--restart": (
        "restart: on-failure:3", "on-failure:3",
        {HOST: {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}},
    ),
    "--no-healthcheck": ("healthcheck: {disable: true}", None, {"Config": {"Healthcheck": {"Test": ["NONE"]}}}),
    "--health-cmd": (
        "healthcheck: {test: [CMD, nc, a b]}", "exec nc 'a b'",
        {"Config": {"Healthcheck": {"Test": ["CMD-SHELL", "exec nc 'a b'"]}}},
    ),
    "--health-interval": (
        "healthcheck: {interval: 1m30s}", "1m30s", {"Config": {"Healthcheck": {"Interval": 90 * 10**9}}}
    ),
    "--health-timeout": ("healthcheck: {timeout: 500ms}", "500ms", {"Config": {"Healthcheck": {"Timeout": 5 * 10**8}}}),
    "--health-retries": ("healthcheck: {retries: 2}", "2", {"Config": {"Healthcheck": {"Retries": 2}}}),
    "--health-start-period": (
        "healthcheck: {start_period: 1s}", "1s", {"Config": {"Healthcheck": {"StartPeriod": 10**9}}}
    ),
    "--health-start-interval": (
        "healthcheck: {start_interval: 1s}", "1s", {"Config": {"Healthcheck": {"StartInterval": 10**9}}}
    ),
    "--init": ("init: true", None, {HOST: {"Init": True}}),
    "--privileged": ("privileged: true", None, {HOST: {"Privileged": True}}),
    "--read-only": ("read_only: true", None, {HOST: {"ReadonlyRootfs": True}}),
    "--device": (
        "devices: [/dev/null:r]", "/dev/null:r",
        {HOST: {"Devices": [
            {"PathOnHost": "/dev/null", "PathInContainer": "/dev/null", "CgroupPermissions": "r"}
        ]}},
    ),
    "--device-cgroup-rule": (
        "device_cgroup_rules: c 10:200 rwm", "c 10:200 rwm", {HOST: {"DeviceCgroupRules": ["c 10:200 rwm"]}}
    ),
    "--security-opt": (
        "security_opt: no-new-privileges", "no-new-privileges",
        {HOST: {"SecurityOpt": ["no-new-privileges", "label=disable"]}},
    ),
    "--group-add": ("group_add: [1000]", "1000", {HOST: {"GroupAdd": ["1000"]}}),
    "--pid": ("pid: host", "host", None),
    "--ipc": ("ipc: shareable", "shareable", None),
    "--uts": ("uts: host", "host", {HOST: {"UTSMode": "host"}}),
    "--userns": ("userns_mode: host", "host", {HOST: {"UsernsMode": "host"}}),
    "--cgroupns": ("cgroup: host", "host", {HOST: {"CgroupnsMode": "host"}}),
    "--cgroup-parent": ("cgroup_parent: labs.slice", "labs.slice", {HOST: {"CgroupParent": "labs.slice"}}),
    "--stop-signal": ("stop_signal: SIGINT", "SIGINT", {"Config": {"StopSignal": "SIGINT"}}),
    "--stop-timeout": ("stop_grace_period: 1500ms", "2", {"Config": {"StopTimeout": 2}}),
    "--ulimit": (
        "ulimits: {nofile: 10}", "nofile=10:10", {HOST: {"Ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 10}]}}
    ),
    "--memory": ("mem_limit: 64m", "64m", {HOST: {"Memory": 64 << 20}}),
    "--memory-reservation": ("mem_reservation: 32m", "32m", {HOST: {"MemoryReservation": 32 << 20}}),
    "--memory-swap": ("memswap_limit: -1", "-1", {HOST: {"MemorySwap": -1}}),
    "--shm-size": ("shm_size: 8m", "8m", {HOST: {"ShmSize": 8 << 20}}),
    "--cpus": ("cpus: 0.5", "0.5", {HOST: {"NanoCpus": 5 * 10**8}}),
    "--cpu-shares": ("cpu_shares: 512", "512", {HOST: {"CpuShares": 512}}),
    "--cpuset-cpus": ("cpuset: 0-1", "0-1", {HOST: {"CpusetCpus": "0-1"}}),
    "--pids-limit": ("pids_limit: 100", "100", {HOST: {"PidsLimit": 100}}),
    "--oom-score-adj": ("oom_score_adj: 500", "500", {HOST: {"OomScoreAdj": 500}}),
    "--oom-kill-disable": ("oom_kill_disable: true", None, {HOST: {"OomKillDisable": True}}),
    "--log-driver": ("logging: {driver: local}", "local", {HOST: {"LogConfig": {"Type": "local"}}}),
    "--log-opt": (
        "logging: {options: {max-size: 1m}}", "max-size=1m", {HOST: {"LogConfig": {"Config": {"max-size": "1m"}}}}
    ),
    "--runtime": ("runtime: runc", "runc", {HOST: {"Runtime": "runc"}}),
    "--annotation": ("annotations: {a: b}", "a=b", {HOST: {"Annotations": {"a": "b"}}}),
}  # fmt: skip
"""By each flag: what a definition says, what stands behind the flag, and what an engine shows of it then."""

ROWS = pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{word.key} {word.flag} {word.why[:12]}")


def one(entry):
    """Return a lab of one container of which an entry is said."""
    return lab(f"containers:\n  web:\n    {entry}\n")


@ROWS
def test_written(word):
    """A row's flag is in the command, with its value in one argument and its reason beside it."""
    entry, value, _ = GIVEN[word.flag]
    if word.why.startswith("dropped"):
        entry = f"network_mode: host\n    {entry}"
    if word.why.startswith("from the environment"):
        entry, value = "environment: [A]", "A"
    run = build.container(one(entry), "web", None, {}).create[-1]
    at = run.argv.index(word.flag)
    assert value is None or run.argv[at + 1] == value
    assert next(part.why for part in run.parts if part.arguments[0] == word.flag) == word.why


@ROWS
def test_in_the_schema(word):
    """What the loader takes of a row, an editor takes by the schema."""
    text = f"name: x\ncontainers:\n  web:\n    {GIVEN[word.flag][0]}\n"
    jsonschema.Draft202012Validator(schema(modes.network_types())).validate(parse(text, "x").data)


@ROWS
def test_compared(word):
    """What an engine shows of a row is what is wanted; a container without it is another one, where that shows."""
    entry, _, shown = GIVEN[word.flag]
    spec = one(entry).containers["web"]
    if shown is None:
        return
    there = {"Config": {}, HOST: {}, "Mounts": [], **shown}
    assert word.unlike(spec, there) is None
    assert word.unlike(spec, {"Config": {}, HOST: {}, "Mounts": []}) is not None
    bare = one("image: x").containers["web"]
    assert (word.unlike(bare, there) is None) == word.own


def test_every_word_has_an_engine():
    """Whatever a row names as its beginning is known to the versions."""
    named = {word.since for word in (*WORDS, *PLACE_WORDS) if word.since}
    assert named <= SINCE.keys()


NEW = """\
hosts:
  vm0:
    daemon:
      default-network-opts: {bridge: {com.docker.network.driver.mtu: 1400}}
      ip6tables: true
      bip6: fd00:1::1/64
      host-gateway-ips: [10.0.0.1]
      ip-forward-no-drop: true
      allow-direct-routing: true
      bridge-accept-fwmark: 0x1/0x3
      firewall-backend: nftables
networks:
  front: {subnet: 10.1.0.0/24, enable_ipv4: false}
  back: {}
volumes: {v: {}}
containers:
  web:
    networks:
      front: {gw_priority: 1, interface_name: lan0}
      back: {mac_address: "02:42:ac:11:00:0a", driver_opts: {com.docker.network.endpoint.sysctls: net.x=1}}
    healthcheck: {test: "true", start_interval: 1s}
    annotations: {a: b}
    volumes: [{source: v, target: /v, volume: {subpath: logs}}]
"""


@pytest.mark.parametrize("word", SINCE)
def test_an_engine_before_it_is_refused(word):
    """The release before a word does not know it, and says where it stands and when it came; the first one does."""
    first = SINCE[word]
    before = Engine((first[0] - 1, 9, 9))
    told = list(unknown(lab(NEW), "vm0", before))
    assert any(f"which came with {first[0]}.{first[1]}" in each and word.split("_")[-1] in each for each in told), told
    assert all(each.startswith("<text>:") for each in told)
    assert not any(f"`{word}`" in each for each in unknown(lab(NEW), "vm0", Engine(first)))


def test_an_engine_whose_version_is_unknown_is_not_refused():
    """What cannot be told is no reason to refuse."""
    assert list(unknown(lab(NEW), "vm0", Engine(numbers("")))) == []


@pytest.mark.parametrize(("text", "size"), [("512", 512), ("64m", 64 << 20), ("1.5gb", 3 << 29), ("2 KiB", 2048)])
def test_sizes(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize(("text", "ns"), [("1m30s", 90 * 10**9), ("1.5s", 15 * 10**8), ("100ms", 10**8), ("0", 0)])
def test_durations(text, ns):
    assert nanoseconds_of(text) == ns


PLACES = """\
networks: {aa: {}, bb: {}, cc: {name: real}}
containers:
  web:
    networks:
      aa: {interface_name: lan0, gw_priority: 2, mac_address: "02:42:ac:11:00:0a"}
      bb: {gw_priority: 3, driver_opts: {a: "b,c"}, link_local_ips: 169.254.3.4}
      cc: {mac_address: "02:42:ac:11:00:0b", aliases: [www]}
"""


def test_places():
    """The long form says what no flag of `docker run` can; a MAC address further on is given with it, not later."""
    run, connect = build.container(lab(PLACES), "web", None, {}).create
    networks = [run.argv[at + 1] for at, each in enumerate(run.argv) if each == "--network"]
    assert networks == [
        "name=aa,gw-priority=2,driver-opt=com.docker.network.endpoint.ifname=lan0",
        "name=real,alias=www,mac-address=02:42:ac:11:00:0b",
    ]
    assert connect.argv[-2:] == ("bb", "web")
    assert connect.argv[5:9] == ("--gw-priority", "3", "--driver-opt", "a=b,c")


def test_places_are_as_defined():
    """What was made of places differs in nothing; another priority, name or MAC address is told."""
    definition = lab(PLACES)
    (found,) = running(definition).snapshots().values()
    shown = {"Config": {}, HOST: {}, "Mounts": []}
    web = replace(found.containers[0], shown=shown)
    assert differences(definition, {"local": replace(found, containers=(web,))}) == []
    end = web.endpoints["aa"]
    for changed, words in (
        ({"priority": 0}, "has gw_priority 0 on aa, and the lab wants 2"),
        ({"mac": "02:42:00:00:00:01"}, "has MAC address 02:42:00:00:00:01 on aa"),
        ({"options": {}}, "has options none on aa"),
    ):
        other = replace(web, endpoints={**web.endpoints, "aa": replace(end, **changed)})
        (told,) = differences(definition, {"local": replace(found, containers=(other,))})
        assert words in str(told)


WRONG = {
    "volumes: [./www:/www]": "is no absolute path",
    "volumes: [site:/www]": "no volume 'site'",
    "volumes: [{type: bind, target: /www}]": "a bind has a `source`",
    "volumes: ['/a:/b', '/c:/b']": "/b is mounted twice",
    "volumes: ['/a:/b:rx']": "'rx' is no option of such a mount",
    "depends_on: [db]": "no container 'db'",
    "depends_on: {other: {condition: service_healthy}}": "other has no `healthcheck`",
    "pid: container:db": "no container 'db'",
    "pid: hots": "did you mean host?",
    "ipc: container:other": "write `ipc: shareable` there",
    "restart: sometimes": "is no restart policy",
    "mem_limit: much": "is no size",
    "stop_grace_period: 5": "is no duration",
    "healthcheck: {test: [nc, x]}": "a list begins with CMD",
    "env_file: nowhere.env": "cannot be read beside the definition",
    "networks: {n: {interface_name: LAN0}}": "would write 'LAN0' in lower case",
    "networks: {n: {interface_name: lo}}": "that is the name of its interface on loopback",
    "networks: {n: {}, m: {}}": "no network m",
    "network_mode: host\n    mac_address: '02:42:ac:11:00:0a'": "has no interface of its own",
}


@pytest.mark.parametrize("entry", [each for each, words in WRONG.items() if words])
def test_refused(entry):
    """What the engine would refuse, or never do, is told with its place before anything is made."""
    text = f"networks: {{n: {{}}}}\ncontainers:\n  other: {{}}\n  web:\n    {entry}\n"
    with pytest.raises(DefinitionError) as caught:
        lab(text)
    assert WRONG[entry] in str(caught.value)
    assert "containers.web" in str(caught.value)


def test_circles():
    """Containers that wait for each other are told as the circle that they are."""
    with pytest.raises(DefinitionError, match="these wait for each other"):
        lab("containers: {aa: {depends_on: [bb]}, bb: {pid: 'container:cc'}, cc: {depends_on: {aa: }}}")


VOLUMES = """\
volumes: {site: {labels: {a: b}}, old: {name: kept, external: true}, unused: }
networks: {there: {name: real, external: true}}
containers:
  web: {volumes: [site:/www, old:/old], networks: [there]}
  job: {command: "true"}
  next: {depends_on: {job: {condition: service_completed_successfully}, web: {}}}
"""


def external(definition):
    """Return engines that have what the lab only uses."""
    engines = Engines(definition.hosts)
    engines["local"].run(["docker", "network", "create", "--driver", "bridge", "--subnet", "10.99.0.0/24", "real"])
    engines["local"].run(["docker", "volume", "create", "kept"])
    return engines


def test_volumes_and_external_objects():
    """The lab's volumes are made and go; what is external is used, and neither made nor removed."""
    definition = lab(VOLUMES)
    engines = external(definition)
    wanted = plan_up(definition, engines)
    made = {(step.key.kind, step.key.name) for step in wanted.steps}
    assert ("volume", "site") in made
    assert made.isdisjoint({("volume", "kept"), ("volume", "unused"), ("network", "real")})
    engines.carry_out(wanted)
    assert {step.action for step in plan_up(definition, engines).steps} == {"keep"}
    engines.carry_out(plan.down(engines.snapshots(), definition.name, None))
    (left,) = engines.snapshots().values()
    assert [v.name for v in left.volumes] == ["kept"]
    assert left.network("real") is not None


def test_what_is_external_has_to_be_there():
    """A network or volume that is missing is refused before anything is made, and so is another driver."""
    definition = lab(VOLUMES)
    engines = Engines(definition.hosts)
    with pytest.raises(ConflictError) as caught:
        preflight.check(definition, who(definition), {}, engines.snapshots())
    assert "<text>:3:12: networks.there: network real is not there" in str(caught.value)
    assert "volume kept is not there" in str(caught.value)
    wrong = lab(VOLUMES.replace("external: true}}\ncon", "external: true, driver: macvlan}}\ncon"))
    with pytest.raises(ConflictError, match="has driver bridge, and the lab wants macvlan"):
        preflight.check(wrong, who(wrong), {}, external(wrong).snapshots())


def test_somebody_elses_volume():
    """A volume of that name that is not the lab's is refused: what is in it is not ours."""
    definition = lab(VOLUMES)
    engines = external(definition)
    engines["local"].run(["docker", "volume", "create", "site"])
    with pytest.raises(ConflictError, match="volume site was not made by dockerlab"):
        plan_up(definition, engines)


def test_what_is_waited_for_comes_first():
    """Who is waited for is made before, and its end is waited for by a command on its host."""
    definition = lab(VOLUMES)
    steps = {step.key.name: step for step in plan_up(definition, external(definition)).ordered()}
    order = list(steps)
    assert order.index("job") < order.index("next")
    assert order.index("web") < order.index("next")
    assert [command.argv[0] for command in steps["next"].commands] == ["sh", "docker"]
    assert definition.jobs == {"job"}


def test_a_changed_volume_is_made_anew():
    """Another option renews a volume and the containers on it, in that order."""
    definition = lab(VOLUMES)
    engines = external(definition)
    engines.carry_out(plan_up(definition, engines))
    changed = lab(VOLUMES.replace("labels: {a: b}", "labels: {a: c}"))
    wanted = plan_up(changed, engines)
    names = [(step.key.name, step.action) for step in wanted.ordered() if step.action != "keep"]
    assert names.index(("web", "clear")) < names.index(("site", "clear")) < names.index(("site", "recreate"))
    assert names.index(("site", "recreate")) < names.index(("web", "recreate"))


def test_files_of_the_environment(tmp_path):
    """A file's values are handed over: they stand in no command, and count for less than the definition's own word."""
    (tmp_path / "web.env").write_text("# a note\nTOKEN='s3cret'\nexport LANG=C\nFROM_OUTSIDE\n")
    path = tmp_path / "lab.yaml"
    path.write_text("name: x\ncontainers: {web: {env_file: web.env, environment: {LANG: en}}}\n")
    definition = modes.definition(path).lab
    (run,) = build.container(definition, "web", None, {}).create
    assert "s3cret" not in run.shell()
    assert run.takes == ("TOKEN", "FROM_OUTSIDE")
    assert b"export TOKEN=s3cret\n" in list(run.given())
    assert "LANG=en" in run.argv
    assert list(exports(["A"], {"A": "b"})) == [b"export A=b\n"]


def test_names():
    """An object goes by what the engine calls it, and its place in the file by its key."""
    definition = lab(PLACES)
    assert list(definition.networks) == ["aa", "bb", "real"]
    assert definition.place(("networks", "real")).startswith("<text>:2:")
    assert definition.place(("containers", "web", "networks", "real")).endswith("containers.web.networks.cc")
    with pytest.raises(DefinitionError, match="aa is called same as well"):
        lab("networks: {aa: {name: same}, bb: {name: same}}\ncontainers: {web: {}}")
