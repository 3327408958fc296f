"""Several Compose files as one project: laid over each other, extended, included."""

import pytest
from support.composed import definition, lab

from dockerlab import modes
from dockerlab.compose.options import Options
from dockerlab.errors import DefinitionError, UsageError

BASE = """services:
  web:
    image: nginx
    command: [a, b]
    ports: ['8080:80']
    environment: {A: 1, B: 1}
    networks: {front: {aliases: [www]}}
    cap_add: [NET_ADMIN]
networks:
  front: {ipam: {config: [{subnet: 10.9.0.0/24}]}}
"""


def over(directory, text, base=BASE):
    """Return the web container of a base with one file laid over it."""
    (directory / "over.yaml").write_text(text)
    return lab(directory, base, files=(directory / "over.yaml",)).containers["shop-web-1"]


def test_one_file_over_another(tmp_path):
    """Mappings are merged, lists added up, command lines and single values replaced; nothing comes twice."""
    web = over(
        tmp_path,
        """services:
  web:
    image: caddy
    command: [c]
    ports: ['8080:80', '8443:443']
    environment: [B=2, C=3]
    networks: {front: {ipv4_address: 10.9.0.9}}
    cap_add: [NET_ADMIN, NET_RAW]
""",
    )
    assert (web.image, web.command, web.cap_add) == ("caddy", ("c",), ("NET_ADMIN", "NET_RAW"))
    assert [(port.published, port.target) for port in web.ports] == [(8080, 80), (8443, 443)]
    assert web.environment == {"A": "1", "B": "2", "C": "3"}
    place = web.networks["shop_front"]
    assert (str(place.ip), place.aliases) == ("10.9.0.9", ("web", "www"))


@pytest.mark.parametrize("text", ["", "# to be filled in\n"])
def test_a_file_that_says_nothing(tmp_path, text):
    """One of several files may be empty, also one that is included; a project of nothing but that is none."""
    (tmp_path / "more.yaml").write_text(text)
    assert over(tmp_path, text).image == "nginx"
    assert lab(tmp_path, "include: [more.yaml]\n" + BASE).containers["shop-web-1"].image == "nginx"
    with pytest.raises(DefinitionError):
        lab(tmp_path, "include: [more.yaml]\n")
    with pytest.raises(DefinitionError, match="not a mapping"):
        over(tmp_path, "---\n")


def test_reset_and_override(tmp_path):
    """`!reset` takes a value away, and `!override` puts one in its place without merging."""
    web = over(
        tmp_path,
        "services:\n  web:\n    ports: !override ['9090:80']\n    cap_add: !reset []\n    environment: !reset null\n",
    )
    assert [port.published for port in web.ports] == [9090]
    assert (web.cap_add, web.environment) == ((), {})


def test_a_tag_that_is_none_of_compose(tmp_path):
    """Other tags are refused in their place."""
    with pytest.raises(DefinitionError) as caught:
        lab(tmp_path, "services:\n  web: {image: !python/object x}\n")
    assert "compose.yaml:2:16: the tag '!python/object'" in str(caught.value)


def test_extends_in_one_file(tmp_path):
    """A service begins with what it extends, by way of several, and says the rest itself."""
    text = """services:
  base: {image: nginx, networks: [front], profiles: [never]}
  middle: {extends: base, labels: {role: m}}
  web: {extends: {service: middle}, labels: {own: 1}, profiles: !reset null}
networks: {front: }
"""
    web = lab(tmp_path, text).containers["shop-web-1"]
    assert (web.image, web.labels, list(web.networks)) == ("nginx", {"role": "m", "own": "1"}, ["shop_front"])


def test_extends_from_another_file(tmp_path):
    """What is extended from elsewhere has its relative paths from there."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "base.yaml").write_text("services:\n  base: {image: nginx, env_file: [x.env]}\n")
    (tmp_path / "lib" / "x.env").write_text("A=there\n")
    found = lab(tmp_path, "services:\n  web: {extends: {file: lib/base.yaml, service: base}}\n")
    assert found.given == {"shop-web-1": {"A": "there"}}


@pytest.mark.parametrize(
    ("extends", "said"),
    [
        ("web", "web extends itself"),
        ("wep", "no service 'wep': did you mean web?"),
        ("{service: x, file: none.yaml}", "none.yaml: cannot be read: No such file"),
        ("{file: none.yaml}", "`service` is missing"),
        ("{service: x, file: 'https://example.com/x'}", "is fetched from elsewhere"),
    ],
)
def test_what_cannot_be_extended(tmp_path, extends, said):
    """A circle, a service or file that is not there, and what is on no disk, are told where they are named."""
    with pytest.raises(DefinitionError) as caught:
        lab(tmp_path, f"services:\n  web:\n    image: nginx\n    extends: {extends}\n")
    assert "compose.yaml:4:" in str(caught.value)
    assert said in str(caught.value)


def test_include(tmp_path):
    """What is included has its own directory and its own `.env`, and lies beside what the file itself says."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "compose.yaml").write_text(
        "services:\n  db: {image: 'postgres:$TAG', networks: [back], env_file: db.env}\nnetworks: {back: }\n"
    )
    (tmp_path / "db" / ".env").write_text("TAG=16\n")
    (tmp_path / "db" / "db.env").write_text("A=1\n")
    text = "include: [db/compose.yaml]\nservices:\n  web: {image: nginx, networks: [back], depends_on: [db]}\n"
    found = lab(tmp_path, text)
    db = found.containers["shop-db-1"]
    assert (db.image, found.given, list(found.networks)) == ("postgres:16", {"shop-db-1": {"A": "1"}}, ["shop_back"])
    assert list(found.containers["shop-web-1"].depends_on) == ["shop-db-1"]


def test_include_in_its_long_form(tmp_path):
    """Several paths are laid over each other; the directory and the variables can be others."""
    (tmp_path / "a.yaml").write_text("services:\n  db: {image: 'one:$TAG', env_file: x.env}\n")
    (tmp_path / "b.yaml").write_text("services:\n  db: {hostname: b}\n")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "x.env").write_text("A=else\n")
    (tmp_path / "v").write_text("TAG=2\n")
    text = "include:\n  - {path: [a.yaml, b.yaml], project_directory: else, env_file: v}\nservices: {}\n"
    found = lab(tmp_path, text)
    db = found.containers["shop-db-1"]
    assert (db.image, db.hostname, found.given) == ("one:2", "b", {"shop-db-1": {"A": "else"}})


def test_what_cannot_be_included(tmp_path):
    """A file that includes itself, one that is not there, and another service of the same name are errors."""
    (tmp_path / "self.yaml").write_text("include: [self.yaml]\nservices:\n  db: {image: b}\n")
    text = "include: [self.yaml, none.yaml, {}]\nservices:\n  db: {image: a}\n"
    with pytest.raises(DefinitionError) as caught:
        lab(tmp_path, text)
    said = str(caught.value)
    assert "self.yaml:1:11: include[0]: includes itself" in said
    assert "compose.yaml:1:22: include[1]: " in said
    assert "compose.yaml:1:33: include[2]: `path` is missing" in said
    assert "compose.yaml:3:3: services.db: an included file has another 'db'" in said


def test_anchors_and_extension_fields(tmp_path):
    """Anchors, merge keys and `x-` fields are what YAML and Compose make of them; `version` says nothing."""
    text = """version: "3.9"
x-base: &base
  image: nginx
  restart: always
services:
  web:
    <<: *base
    x-mine: 1
"""
    found = definition(tmp_path, text)
    assert (found.lab.containers["shop-web-1"].restart, found.notes) == ("always", ())


def test_a_directory_is_a_project(tmp_path, monkeypatch):
    """A directory stands for its Compose file and the override beside it, or for what COMPOSE_FILE names."""
    project = tmp_path / "My Shop"
    project.mkdir()
    (project / "compose.yaml").write_text("services:\n  web: {image: a}\n")
    (project / "compose.override.yaml").write_text("services:\n  web: {image: b}\n")
    (project / "other.yaml").write_text("services:\n  web: {image: c}\n")
    found = modes.definition(project, options=Options(environment={})).lab
    assert {name: spec.image for name, spec in found.containers.items()} == {"myshop-web-1": "b"}
    one = modes.definition(project / "compose.yaml", options=Options(environment={})).lab
    assert one.containers["myshop-web-1"].image == "a"
    named = modes.definition(project, options=Options(environment={"COMPOSE_FILE": "compose.yaml:other.yaml"})).lab
    assert named.containers["myshop-web-1"].image == "c"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"neither a lab\.yaml nor a Compose file"):
        modes.definition(tmp_path / "empty")


@pytest.mark.parametrize(
    ("text", "options", "environment", "name"),
    [
        ("name: Its-Own\n", {}, {}, "its-own"),
        ("name: own\n", {}, {"COMPOSE_PROJECT_NAME": "env"}, "env"),
        ("name: own\n", {"project": "Call"}, {"COMPOSE_PROJECT_NAME": "env"}, "call"),
        ("name: ${X}-y\n", {}, {"X": "x"}, "x-y"),
        ("", {}, {}, "directory1"),
    ],
)
def test_the_name_of_a_project(tmp_path, text, options, environment, name):
    """The call, the environment, the file's own word and the directory name a project, in this order."""
    directory = tmp_path / "_Directory.1"
    directory.mkdir()
    (directory / "compose.yaml").write_text(f"{text}services:\n  web: {{image: a}}\n")
    found = modes.definition(directory / "compose.yaml", options=Options(environment=environment, **options)).lab
    assert (found.name, list(found.containers)) == (name, [f"{name}-web-1"])


def test_options_of_compose_are_for_compose_files(tmp_path):
    """A definition of our own takes none of them, and a Compose file no --set."""
    (tmp_path / "lab.yaml").write_text("name: a\ncontainers: {b: }\n")
    (tmp_path / "compose.yaml").write_text("services:\n  web: {image: a}\n")
    with pytest.raises(UsageError, match="--profile is for Compose files"):
        modes.definition(tmp_path / "lab.yaml", options=Options(profiles=("x",)))
    with pytest.raises(UsageError, match="--set is for a definition"):
        modes.definition(tmp_path / "compose.yaml", {"a": "b"})


def test_files_without_end(tmp_path):
    """A chain of files that include each other ends."""
    for number in range(300):
        (tmp_path / f"{number}.yaml").write_text(f"include: [{number + 1}.yaml]\n")
    (tmp_path / "300.yaml").write_text("services: {}\n")
    with pytest.raises(DefinitionError, match="more than 200 Compose files"):
        lab(tmp_path, "include: [0.yaml]\nservices:\n  web: {image: a}\n")


WHOLE = "'1-65535'"


@pytest.mark.parametrize(
    "services",
    [
        "\n".join(f"  a{number}: {{image: a, ports: [{WHOLE}]}}" for number in range(4)),
        "\n".join(f"  a{number}: {{image: a, expose: [{WHOLE}]}}" for number in range(4)),
        f"  a: {{image: a, ports: [{', '.join([WHOLE] * 4)}]}}",
        f"  a: {{image: a, expose: [{', '.join([WHOLE] * 4)}]}}",
        f"  a: {{image: a, scale: 4, ports: [{WHOLE}]}}",
    ],
    ids=["services", "exposing services", "one service", "one exposing service", "replicas"],
)
def test_ports_without_end(tmp_path, services):
    """However a short text makes more ports than there are, these are counted for the whole project, and not made."""
    with pytest.raises(DefinitionError, match="more than 65535 ports in all"):
        lab(tmp_path, f"services:\n{services}\n")
