"""What is made of a Compose file, held against what Docker Compose's own program makes of it, where there is one."""

import pytest
from support.composed import config, program

from dockerlab import modes
from dockerlab.compose.options import Options
from dockerlab.lab.catalog import find, known
from dockerlab.provision import as_compose

COMPOSE = program()
needs_compose = pytest.mark.skipif(COMPOSE is None, reason="no Docker Compose 2 on the PATH or in DOCKERLAB_ROOTFS")

FILES = {
    "compose.yaml": """include: [db/compose.yaml]
x-base: &base {image: 'nginx:${TAG:-1.20}', labels: {a: '$$x', b: "${NO-none}"}}
services:
  web:
    <<: *base
    container_name: front-door
    command: sh -c "echo hi; sleep 1" ; ignored
    ports: ['8080-8081:80-81', '127.0.0.1::82', '[::1]:83:83/udp', {target: 90, published: '9000', host_ip: 0.0.0.0}]
    networks: {front: {ipv4_address: 10.9.0.9, aliases: [www]}, back: {priority: 9}}
    environment: [A=1, 'B=${TAG}', EMPTY=]
    extra_hosts: ['x:1.2.3.4', 'y=::1']
    sysctls: [net.ipv4.ip_forward=1]
    dns: 10.0.0.1
    cap_add: [NET_ADMIN]
  worker: {extends: {service: base, file: lib/base.yaml}, scale: 2, network_mode: 'service:web'}
  debug: {image: debug, profiles: [debug]}
  plain: {image: plain, env_file: [v.env], network_mode: none}
networks:
  front: {driver: bridge, ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.1}]}, internal: true}
  back: {name: '${NET:-behind}', driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}
""",
    "over.yaml": """services:
  web:
    ports: ['8443:443']
    networks: {front: {aliases: [more]}}
    environment: {A: 2, C: '3'}
    cap_add: !override [NET_RAW]
    dns: !reset null
  worker: {command: ["x", "$$HOME"]}
""",
    "lib/base.yaml": "services:\n  base: {image: base, environment: {FROM: base}, cap_drop: [ALL]}\n",
    "db/compose.yaml": "services:\n  db: {image: 'db:$TAG', expose: [5432], networks: [of-db]}\nnetworks: {of-db: }\n",
    "db/.env": "TAG=16\n",
    "v.env": "A='x $y'\nexport B=\"a\\nb\" \nC=${A}-$TAG # said\nD: e\n",
    ".env": "TAG=1.27\n",
}


@pytest.fixture
def project(tmp_path):
    """Return the directory of a project that has something of everything."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def said(told):
    """Return the containers that Compose's own words mean, in what both say of them."""
    networks = {key: network["name"] for key, network in told.get("networks", {}).items()}
    found = {}
    for service, spec in told["services"].items():
        count = spec.get("scale", spec.get("deploy", {}).get("replicas", 1))
        named = spec.get("container_name")
        for number in range(1, count + 1):
            found[named or f"{told['name']}-{service}-{number}"] = {
                "image": spec["image"],
                "mode": spec.get("network_mode", "").partition(":")[0].replace("service", "container"),
                "command": [word.replace("$$", "$") for word in spec.get("command") or ()],
                "environment": {key: value.replace("$$", "$") for key, value in spec.get("environment", {}).items()},
                "labels": {key: value.replace("$$", "$") for key, value in spec.get("labels", {}).items()},
                "hosts": sorted(spec.get("extra_hosts", ())),
                "caps": (spec.get("cap_add", []), spec.get("cap_drop", [])),
                "dns": spec.get("dns", []),
                "sysctls": spec.get("sysctls", {}),
                "ports": sorted(
                    (port.get("host_ip", ""), port.get("published", ""), port["target"], port["protocol"])
                    for port in spec.get("ports", ())
                ),
                "networks": {
                    networks[key]: ((place or {}).get("ipv4_address"), sorted((place or {}).get("aliases", ())))
                    for key, place in spec.get("networks", {}).items()
                },
            }
    return found


def ours(lab):
    """Return the containers of a lab in the same words; the service's name is no alias in Compose's."""
    services = {name: service for service in lab.services for name in lab.called(service)}
    return {
        name: {
            "image": spec.image,
            "mode": (spec.network_mode or "").partition(":")[0],
            "command": list(spec.words[1]),
            "environment": {**spec.environment, **lab.given.get(name, {})},
            "labels": dict(spec.labels),
            "hosts": sorted(f"{host}={address}" for host, address in spec.extra_hosts.items()),
            "caps": (list(spec.cap_add), list(spec.cap_drop)),
            "dns": [str(each) for each in spec.dns],
            "sysctls": dict(spec.sysctls),
            "ports": sorted((str(p.host_ip or ""), str(p.published or ""), p.target, p.protocol) for p in spec.ports),
            "networks": {
                network: (place.ip and str(place.ip), sorted(set(place.aliases) - {services[name]}))
                for network, place in spec.networks.items()
            },
        }
        for name, spec in lab.containers.items()
    }


@needs_compose
@pytest.mark.parametrize("profiles", [(), ("debug",)])
@pytest.mark.parametrize("more", [(), ("over.yaml",)])
def test_the_same_as_compose_makes_of_it(project, more, profiles):
    """Every container has the name, the image, the networks, ports, variables, … that Compose gives it."""
    files = [project / name for name in ("compose.yaml", *more)]
    options = Options(tuple(files[1:]), profiles, "shop", environment={})
    lab = modes.definition(files[0], options=options).lab
    told = config(COMPOSE, *files, profiles=profiles)
    assert ours(lab) == said(told)
    assert set(lab.networks) == {network["name"] for network in told["networks"].values()}


@pytest.mark.parametrize("name", known())
def test_a_lab_as_a_compose_file_is_the_lab(tmp_path, name):
    """What `render --format compose` writes of a host loads as the same containers, and Compose takes it."""
    lab = modes.definition(find(name)).lab
    path = tmp_path / "compose.yaml"
    for host in lab.hosts:
        containers = lab.on_host(host)
        if not containers:
            continue
        path.write_text(as_compose.of(lab, host))
        again = modes.definition(path, options=Options(environment={})).lab
        assert again.containers.keys() == containers.keys()
        for each, spec in containers.items():
            same = (
                "image",
                "environment",
                "ports",
                "expose",
                "dns",
                "cap_add",
                "cap_drop",
                "sysctls",
                "hostname",
                "labels",
            )
            assert {key: getattr(spec, key) for key in same} == {
                key: getattr(again.containers[each], key) for key in same
            }
            assert (spec.words, spec.mode) == (again.containers[each].words, again.containers[each].mode)
            places = again.containers[each].networks
            assert {n: p.addresses for n, p in spec.networks.items()} == {n: p.addresses for n, p in places.items()}
            assert all(set(p.aliases) <= set(places[n].aliases) for n, p in spec.networks.items())
        for network, spec in again.networks.items():
            assert (spec.driver, spec.pools, spec.internal) == (
                lab.networks[network].driver, lab.networks[network].pools, lab.networks[network].internal,
            )  # fmt: skip
        if COMPOSE is not None:
            assert set(said(config(COMPOSE, path, project=lab.name))) == set(containers)


def test_files_of_variables_stay_files(tmp_path):
    """What a lab's file of variables says stands in its Compose file no more than in the lab."""
    (tmp_path / "v.env").write_text("SECRET=x\n")
    (tmp_path / "lab.yaml").write_text(
        "name: a\ncontainers: {b: {env_file: v.env, environment: {OWN: $1, HANDED: }}}\n"
    )
    written = as_compose.of(modes.definition(tmp_path / "lab.yaml").lab)
    (tmp_path / "compose.yaml").write_text(written)
    again = modes.definition(tmp_path / "compose.yaml", options=Options(environment={"HANDED": "y"})).lab
    assert "SECRET" not in written
    assert (again.containers["b"].environment, again.given) == (
        {"SECRET": None, "OWN": "$1", "HANDED": None},
        {"b": {"SECRET": "x"}},
    )
