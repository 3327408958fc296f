"""Services of a Compose file as containers of a lab: names, networks, modes, ports, and what has no meaning here."""

import pytest
import yaml
from support.composed import definition, lab

from dockerlab import modes
from dockerlab.compose.options import Options
from dockerlab.errors import DefinitionError
from dockerlab.lab.shown import check_line
from dockerlab.provision import as_compose
from dockerlab.reach import asked, worlds
from dockerlab.reach.asked import Ends


def services(directory, text, rest="", **more):
    """Return the containers of services that are written without their head."""
    body = "".join(f"  {line}\n" for line in text.splitlines())
    return lab(directory, f"services:\n{body}{rest}", **more).containers


def test_names(tmp_path):
    """A container is called after project, service and number, or as the file says; its service's name is an alias."""
    found = services(tmp_path, "web: {image: a}\ndb: {image: b, container_name: postgres}")
    assert list(found) == ["shop-web-1", "postgres"]
    assert {name: list(spec.networks) for name, spec in found.items()} == {name: ["shop_default"] for name in found}
    assert found["postgres"].networks["shop_default"].aliases == ("db",)


@pytest.mark.parametrize(("said", "count"), [("scale: 3", 3), ("deploy: {replicas: 2}", 2), ("scale: 0", 0)])
def test_several_of_one_service(tmp_path, said, count):
    """Replicas are numbered from 1, each with the service's name as an alias."""
    found = services(tmp_path, f"web: {{image: a, {said}}}\nx: {{image: b}}")
    assert list(found) == [*(f"shop-web-{number}" for number in range(1, count + 1)), "shop-x-1"]


def test_a_service_is_asked_for_by_its_name(tmp_path):
    """Where a pair is asked for, a service's name means its containers."""
    found = lab(tmp_path, "services:\n  web: {image: a, scale: 2}\n  db: {image: b}\n")
    rows = asked.asked(worlds.offline(found), Ends("web", "db", "ping")).rows
    assert [(cell.source, cell.to) for cell, _ in rows] == [("shop-web-1", "shop-db-1"), ("shop-web-2", "shop-db-1")]
    assert found.services == ("web", "db")
    assert found.called("shop-db-1") == ()


def test_networks(tmp_path):
    """Networks go by the project's name, their own, or as they are outside; those that nobody uses are not made."""
    text = """services:
  web:
    image: a
    networks: {front: {priority: 1}, named: , outside: {aliases: [w], mac_address: '02:42:ac:11:00:03'}}
networks:
  front: {driver: bridge, internal: yes, enable_ipv6: false, driver_opts: {com.docker.network.bridge.name: br9}}
  named: {name: its-own, labels: [a=b, c]}
  outside: {external: true}
  unused: {external: {name: old}}
"""
    found = lab(tmp_path, text)
    assert list(found.networks) == ["shop_front", "its-own", "outside"]
    assert found.networks["shop_front"].internal
    assert found.networks["its-own"].labels == {"a": "b", "c": ""}
    assert found.networks["outside"].external
    # By priority, then by key: so Compose gives them to the engine.
    web = found.containers["shop-web-1"]
    assert list(web.networks) == ["shop_front", "its-own", "outside"]
    assert (web.networks["outside"].aliases, web.networks["outside"].mac_address) == (("web", "w"), "02:42:ac:11:00:03")


def test_the_default_network_has_an_entry_of_its_own(tmp_path):
    """`default` is the network of every service that names none; it can be said what it is."""
    pool = "{subnet: 10.9.0.0/24, gateway: 10.9.0.9}"
    rest = f"networks: {{default: {{name: lan, ipam: {{driver: default, config: [{pool}]}}}}}}\n"
    found = lab(tmp_path, f"services:\n  web: {{image: a}}\n{rest}")
    assert list(found.networks) == ["lan"]
    assert [str(pool.gateway) for pool in found.networks["lan"].pools] == ["10.9.0.9"]


@pytest.mark.parametrize(
    ("mode", "gives"),
    [
        ("host", "host"),
        ("none", "none"),
        ("bridge", "bridge"),
        ("default", "bridge"),
        ("'service:web'", "container:shop-web-1"),
        ("'container:shop-web-1'", "container:shop-web-1"),
    ],
)
def test_network_modes(tmp_path, mode, gives):
    """A mode is the engine's, and whoever joins a service joins its first container."""
    found = services(tmp_path, f"web: {{image: a}}\nside: {{image: b, network_mode: {mode}}}")
    assert found["shop-side-1"].network_mode == gives


def test_a_mode_that_is_a_network(tmp_path):
    """A network of the engine can stand for a mode: one of the project, or one of elsewhere."""
    text = """services:
  a: {image: a, network_mode: shop_front}
  b: {image: b, network_mode: elsewhere}
networks: {front: }
"""
    found = lab(tmp_path, text)
    assert {name: (list(spec.networks), spec.network_mode) for name, spec in found.containers.items()} == {
        "shop-a-1": (["shop_front"], None),
        "shop-b-1": (["elsewhere"], None),
    }
    assert [name for name, network in found.networks.items() if network.external] == ["elsewhere"]


def test_the_engines_own_networks_are_modes(tmp_path):
    """An external network that is the engine's own, as `host`, is a mode of the container."""
    text = "services:\n  a: {image: a, networks: [h]}\nnetworks: {h: {external: true, name: host}}\n"
    found = lab(tmp_path, text)
    assert (found.containers["shop-a-1"].network_mode, dict(found.networks)) == ("host", {})


def test_who_joins_nobody_is_left_out(tmp_path):
    """A service in the namespace of one that is not there is left out, and a note says so."""
    text = """services:
  web: {image: a}
  off: {image: b, profiles: [x]}
  one: {image: c, network_mode: 'service:off'}
  two: {image: d, network_mode: 'container:vpn'}
"""
    found = definition(tmp_path, text)
    assert list(found.lab.containers) == ["shop-web-1"]
    assert [note for note in found.notes if "namespace" in note] == [
        "left out: it is in the network namespace of off, and that is not there (one)",
        "left out: it is in the network namespace of vpn, which is not of this project (two)",
    ]


PORTS = [
    ("80", [(None, None, 80, "tcp")]),
    ("8080:80", [(None, 8080, 80, "tcp")]),
    ("'3000-3001'", [(None, None, 3000, "tcp"), (None, None, 3001, "tcp")]),
    ("'9090-9091:8080-8081'", [(None, 9090, 8080, "tcp"), (None, 9091, 8081, "tcp")]),
    ("'8000-8009:80'", [(None, None, 80, "tcp")]),
    ("'127.0.0.1:8001:8001'", [("127.0.0.1", 8001, 8001, "tcp")]),
    ("'127.0.0.1::82'", [("127.0.0.1", None, 82, "tcp")]),
    ("'[::1]:83:83'", [("::1", 83, 83, "tcp")]),
    ("'6060:6060/UDP'", [(None, 6060, 6060, "udp")]),
    ("':8080:81'", [(None, 8080, 81, "tcp")]),
    (
        "{target: 80, published: '8080', host_ip: 127.0.0.1, protocol: tcp, mode: host, name: w}",
        [("127.0.0.1", 8080, 80, "tcp")],
    ),
    ("{target: 80}", [(None, None, 80, "tcp")]),
]


@pytest.mark.parametrize(("said", "gives"), PORTS)
def test_ports(tmp_path, said, gives):
    """The short syntax with its ranges, and the long one, publish what Compose publishes."""
    web = services(tmp_path, f"web: {{image: a, ports: [{said}]}}")["shop-web-1"]
    assert [(p.host_ip and str(p.host_ip), p.published, p.target, p.protocol) for p in web.ports] == gives


@pytest.mark.parametrize("said", ["'80:x'", "'90-80'", "'1-3:1-2'", "70000", "''", "a:b:c:d"])
def test_what_is_no_port(tmp_path, said):
    """What publishes nothing is an error in its place."""
    with pytest.raises(DefinitionError) as caught:
        services(tmp_path, f"web: {{image: a, ports: [{said}]}}")
    assert "compose.yaml:2:27: services.web.ports[0]: " in str(caught.value)


def test_ports_of_who_joins_another(tmp_path):
    """Who is in another's network namespace publishes nothing: that is refused in its place, with where it belongs."""
    text = "vpn: {image: a}\napp: {image: b, network_mode: 'service:vpn', ports: ['8080:80']}"
    with pytest.raises(DefinitionError) as caught:
        services(tmp_path, text)
    assert "compose.yaml:3:55: services.app.ports: " in str(caught.value)
    assert "write `ports` at shop-vpn-1" in str(caught.value)


def test_exposed_ports(tmp_path):
    """TCP ports that are exposed are listened on; ranges are all their ports, and UDP is not probed."""
    web = services(tmp_path, "web: {image: a, expose: [9000, '9100-9101/tcp', 53/udp]}")["shop-web-1"]
    assert web.expose == (9000, 9100, 9101)


def test_names_for_hosts(tmp_path):
    """Lines of /etc/hosts in all their forms."""
    found = definition(
        tmp_path, "services:\n  web: {image: a, extra_hosts: ['a:1.2.3.4', 'b=::1', 'c:[::2]', 'a:5.6.7.8']}\n"
    )
    assert found.lab.containers["shop-web-1"].extra_hosts == {"a": "1.2.3.4", "b": "::1", "c": "::2"}
    assert any("several addresses" in note for note in found.notes)


def test_profiles(tmp_path):
    """Without its profile a service is left out and nobody waits for it; `*` means all profiles."""
    text = """services:
  web: {image: a, depends_on: [debug]}
  debug: {image: b, profiles: [debug, all]}
"""
    found = definition(tmp_path, text)
    assert list(found.lab.containers) == ["shop-web-1"]
    assert "left out, for the profile debug, all is not on (--profile) (debug)" in found.notes
    for profile in ("debug", "all", "*"):
        assert len(lab(tmp_path, text, profiles=(profile,)).containers) == 2
    assert len(lab(tmp_path, text, environment={"COMPOSE_PROFILES": "x,debug"}).containers) == 2


def test_no_service_is_on(tmp_path):
    """Where every service has a profile, the error names them."""
    with pytest.raises(DefinitionError, match="choose with --profile, of a, b"):
        lab(tmp_path, "services:\n  one: {image: x, profiles: [b, a]}\n")


def test_how_it_runs(tmp_path):
    """What says nothing of networks is passed on: who is waited for, health, limits, volumes, secrets."""
    (tmp_path / "key").write_text("x")
    text = """services:
  web:
    image: a
    depends_on: {db: {condition: service_healthy, restart: true}, gone: {condition: service_started, required: false}}
    deploy: {resources: {limits: {cpus: '0.5', memory: 64M}}, restart_policy: {condition: on-failure, max_attempts: 3}}
    volumes: ['data:/data:ro', './conf:/conf', '/anonymous', {type: tmpfs, target: /tmp}]
    secrets: [key, {source: key, target: other}]
    configs: [{source: c, target: /etc/c}]
    pid: 'service:db'
    user: 1000
    stop_grace_period: 1m30s
  db:
    image: b
    healthcheck: {test: 'pg_isready', interval: 5s, retries: 3}
volumes: {data: }
secrets: {key: {file: ./key}}
configs: {c: {file: ./key}}
"""
    found = lab(tmp_path, text)
    web = found.containers["shop-web-1"]
    assert {name: what.condition for name, what in web.depends_on.items()} == {"shop-db-1": "service_healthy"}
    assert (web.cpus, web.mem_limit, web.restart, web.pid) == (0.5, "64M", "on-failure:3", "container:shop-db-1")
    assert [(m.type, m.source, m.target, m.read_only) for m in web.volumes] == [
        ("volume", "shop_data", "/data", True),
        ("bind", str(tmp_path / "conf"), "/conf", False),
        ("volume", None, "/anonymous", False),
        ("tmpfs", None, "/tmp", False),
        ("bind", str(tmp_path / "key"), "/run/secrets/key", True),
        ("bind", str(tmp_path / "key"), "/run/secrets/other", True),
        ("bind", str(tmp_path / "key"), "/etc/c", True),
    ]
    assert list(found.volumes) == ["shop_data"]
    assert found.containers["shop-db-1"].healthcheck.line == "pg_isready"


def test_what_has_no_meaning_is_named_once(tmp_path):
    """A key that says nothing here is a note that names the services, and never an error."""
    text = """services:
  web: {image: a, develop: {watch: []}, tty: true, links: [db], build: ., post_start: [{command: x}]}
  db: {build: ., tty: true, new_key_of_tomorrow: 1}
"""
    found = definition(tmp_path, text)
    assert found.lab.containers["shop-db-1"].image == "shop-db"
    for note in (
        "tty: says nothing of networks, and is left out (web, db)",
        "develop: for `docker compose watch` alone (web)",
        "new_key_of_tomorrow: not a key that is known here (db)",
    ):
        assert found.notes.count(note) == 1


def test_what_a_container_cannot_have_is_left_out(tmp_path):
    """A value that says nothing of networks and has no word here is a note, with the reason."""
    found = definition(tmp_path, "services:\n  web: {image: a, userns_mode: keep-id, stop_grace_period: soon}\n")
    assert [note.partition(":")[0] for note in found.notes] == [
        "stop_grace_period is left out",
        "userns_mode is left out",
    ]


MISTAKES = """services:
  web:
    image: nginx
    netwroks: [front]
  db:
    networks: [fornt, back]
    depends_on: [wbe]
  off:
    image: a
    network_mode: service:gone
    networks: [front]
  "no name":
    image: b
  text: hello
  side:
    image: c
    container_name: two
    scale: 2
    volumes: [data:/x]
networks:
  front: {ipam: {config: [{subnet: 10.0.0.0/8, gateway: 11.0.0.1}]}}
  back: {driver: carrier-pigeon}
"""


def test_mistakes_are_told_all_at_once_in_their_places(tmp_path):
    """Every mistake of a Compose file has its line and column there, and its own path."""
    with pytest.raises(DefinitionError) as caught:
        lab(tmp_path, MISTAKES)
    said = "\n".join(str(each).removeprefix(f"{tmp_path}/compose.yaml:") for each in caught.value.problems)
    assert (
        said
        == """\
4:5: services.web.netwroks: unknown key 'netwroks': did you mean networks?
5:3: services.db: has neither `image` nor `build`: which image is run?
6:16: services.db.networks[0]: no network 'fornt' in `networks`: did you mean front?
7:18: services.db.depends_on[0]: no service 'wbe': did you mean web?
10:19: services.off.network_mode: `networks` is given as well: a service has either of them
10:19: services.off.network_mode: no service 'gone': known: web, db, off, no name, side
14:9: services.text: a mapping (`key: value`) is wanted here
17:21: services.side.container_name: one name for several containers: leave out container_name, or the replicas
19:15: services.side.volumes[0]: no volume 'data' in `volumes`: there is none"""
    )


def test_the_models_own_checks_are_told_in_the_compose_file(tmp_path):
    """What a lab's checks find wrong stands where the Compose file says it, also in a file that is included."""
    (tmp_path / "db.yaml").write_text(
        "services:\n  db:\n    image: b\n    networks:\n      back:\n        ipv4_address: 10.1.0.5\n"
        "networks: {back: {ipam: {config: [{subnet: 10.9.0.0/24, gateway: 11.0.0.1}]}}}\n"
    )
    text = "include: [db.yaml]\nservices:\n  web: {image: a, ports: ['80:80']}\n  two: {image: a, ports: ['80:81']}\n"
    with pytest.raises(DefinitionError) as caught:
        lab(tmp_path, text)
    said = "\n".join(str(each).removeprefix(f"{tmp_path}/") for each in caught.value.problems)
    assert (
        said
        == """\
compose.yaml:4:27: services.two.ports[0]: shop-web-1 publishes 80/tcp on host local already: \
choose another port of the host
db.yaml:6:23: services.db.networks.back.ipv4_address: 10.1.0.5 is not in 10.9.0.0/24, the subnet of shop_back
db.yaml:7:66: networks.back.ipam.config[0].gateway: gateway 11.0.0.1 is not in 10.9.0.0/24"""
    )


def test_a_driver_that_no_mode_serves(tmp_path):
    """A network of an unknown kind is an error where its driver stands."""
    with pytest.raises(DefinitionError) as caught:
        lab(tmp_path, "services:\n  a: {image: a, networks: [b]}\nnetworks: {b: {driver: weave}}\n")
    assert "compose.yaml:3:24: networks.b.driver: 'weave' is no driver" in str(caught.value)


def test_long_names(tmp_path):
    """A project's long name is cut for the lab alone; a name that DNS cannot hold is not asked for."""
    (tmp_path / "compose.yaml").write_text(
        f"name: {'a' * 50}\nservices:\n  {'s' * 30}: {{image: a}}\n  b: {{image: b}}\n"
    )
    found = modes.definition(tmp_path / "compose.yaml", options=Options(environment={}))
    rows = asked.asked(worlds.offline(found.lab), Ends("b", "s" * 30, "dns")).rows
    assert (len(found.lab.name), len(next(iter(found.lab.containers)))) == (40, 83)
    assert [cell.target for cell, _ in rows] == ["s" * 30]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("networks: [{front: {}}]", "a mapping"),
        ("networks: front", "a mapping"),
        ("ports: {a: b}", "a list"),
        ("environment: 5", "a mapping"),
        ("volumes: x", "a list"),
        ("scale: many", "'many' is no number of containers"),
        ("scale: -1", "-1 is no number of containers"),
        ("expose: [x]", "'x' is not a port"),
        ("env_file: [{}]", "`path` is missing"),
        ("secrets: [none]", "no 'none' in `secrets`"),
    ],
)
def test_values_of_another_kind(tmp_path, said, told):
    """What has the form of nothing that Compose knows is an error in its place, and nothing falls over it."""
    with pytest.raises(DefinitionError) as caught:
        services(tmp_path, f"web: {{image: a, {said}}}")
    assert "compose.yaml:2:" in str(caught.value)
    assert told in str(caught.value)


def test_networks_of_a_stack(tmp_path):
    """An overlay network that is said to be closed to containers is open: they could not be on it else."""
    text = "services:\n  a: {image: a, networks: [b]}\nnetworks: {b: {driver: overlay, attachable: false}}\n"
    assert lab(tmp_path, text).networks["shop_b"].attachable


def test_an_anchor_that_is_defined_anew(tmp_path):
    """YAML lets an anchor be defined again: from there on it means the new value."""
    text = "services:\n  a: {image: &i one}\n  b: {image: &i two}\n  c: {image: *i}\n"
    assert [spec.image for spec in lab(tmp_path, text).containers.values()] == ["one", "two", "two"]


def test_a_healthcheck_that_compose_gave_is_the_files(tmp_path):
    """Compose hands the engine the words of a healthcheck, and dockerlab a line: both are what the file says."""
    found = lab(tmp_path, "services:\n  web: {image: a, healthcheck: {test: [CMD, nc, -z, 'a b']}}\n")
    web = found.containers["shop-web-1"]
    for test in (["CMD", "nc", "-z", "a b"], ["CMD-SHELL", "exec nc -z 'a b'"]):
        assert list(check_line({"Config": {"Healthcheck": {"Test": test}}})) == [web.healthcheck.line]
    assert yaml.safe_load(as_compose.of(found))["services"]["shop-web-1"]["healthcheck"] == {
        "test": ["CMD", "nc", "-z", "a b"]
    }


def test_a_search_list_of_nothing(tmp_path):
    """An empty domain to search is none: the engine's command line takes no empty one."""
    web = services(tmp_path, "web: {image: a, dns_search: '', dns: ['', 10.0.0.1]}")["shop-web-1"]
    assert (web.dns_search, [str(each) for each in web.dns]) == ((), ["10.0.0.1"])


def test_fixed_addresses_on_a_network_of_elsewhere(tmp_path):
    """An external network says no subnet: its containers have their fixed addresses all the same."""
    text = """services:
  plain: {image: a}
  a: {image: a, networks: {lan: {ipv4_address: 172.18.1.5}}}
  b: {image: b, networks: {lan: {ipv4_address: 172.18.2.6}}}
networks: {lan: {external: true}}
"""
    found = lab(tmp_path, text)
    rows = asked.expected(worlds.offline(found)).rows
    assert {cell.target for cell, _ in rows if cell.to == "shop-b-1" and cell.probe == "ping"} == {"172.18.2.6"}
    reached = {(cell.source, expected.reachable) for cell, expected in rows if cell.target == "172.18.2.6"}
    assert reached >= {("shop-a-1", True), ("shop-plain-1", False)}
