"""The JSON Schema accepts what the loader accepts."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from dockerlab import modes
from dockerlab.lab.document import parse
from dockerlab.lab.loader import load, loads
from dockerlab.lab.schema import schema

ROOT = Path(__file__).parent.parent.parent
FILES = sorted([*ROOT.glob("examples/*.yaml"), *ROOT.glob("labs/*/lab.yaml")])

RIGHT = {
    "short": "name: x\ncontainers: {a: , b: {}}\nnetworks: {n: }\nvars:\nhosts: {vm0: }\n",
    "lists": "name: x\nnetworks: {n: }\ncontainers: {a: {networks: [n], "
    "environment: [A=1, B], dns: [1.1.1.1], command: [sh, 5]}}\n",
    "texts": "name: x\ncontainers: {a: {environment: {A: 1, B: true, C: 1.5}, "
    "dns: 1.1.1.1, command: sh, cap_add: NET_RAW}}\n",
    "ports": 'name: x\ncontainers: {a: {ports: [80, "81:81", "[::1]:82:82/udp", {target: "83", published: 84}], '
    'expose: ["80"]}}\n',
    "templates": 'name: x\nvars: {v: 80, b: true, h: local, t: tcp, ip: 10.0.0.2, f: [1]}\ntitle: "{{ v }}"\n'
    'networks: {n: {internal: "{{ b }}", subnet: "10.0.0.0/{{ 24 }}"}, o: {driver: overlay, attachable: "{{ b }}"}}\n'
    'containers: {a: {host: "{{ h }}", expose: ["{{ v }}"], image: "{{ h }}", networks: {n: {ip: "{{ ip }}"}}, '
    'ports: [{target: "{{ v }}", protocol: "{{ t }}"}]}}\n',
    "drivers": "name: x\nnetworks:\n  a: {driver: macvlan, parent: eth0}\n"
    "  b: {driver: bridge, subnet: [10.0.0.0/24, 'fd00::/64']}\n"
    "  c: {ipam: {config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.1, "
    "aux_addresses: {r: 10.1.0.9}}]}, enable_ipv6: false}\n"
    "containers: {a: {networks: {b: {ipv4_address: 10.0.0.2, ipv6_address: 'fd00::2', aliases: x}}}}\n",
    "replicas": "name: x\nvars: {n: 2}\nnetworks: {n: {replicas: 2}}\n"
    'containers: {a: {replicas: "{{ n }}"}, b: {replicas: 2}}\n',
    "booleans": "name: x\nnetworks: {a: {internal: 'true'}, b: {internal: True}}\ncontainers: {a: }\n",
    "outside": "name: x\ncontainers: {a: }\noutside: {w: 1.1.1.1, v: {address: 1.1.1.2, ports: [80]}}\n",
}

WRONG = {
    "unknown key": "name: x\ncontainer: {}\n",
    "key of a container": "name: x\ncontainers: {a: {imagee: x}}\n",
    "key of another driver": "name: x\nnetworks: {a: {driver: bridge, parent: eth0}}\ncontainers: {a: }\n",
    "key of the default driver": "name: x\nnetworks: {a: {parent: eth0}}\ncontainers: {a: }\n",
    "driver": "name: x\nnetworks: {a: {driver: macvlam}}\ncontainers: {a: }\n",
    "no name": "containers: {a: }\n",
    "name": "name: A b\ncontainers: {a: }\n",
    "boolean": "name: x\nnetworks: {a: {internal: yes}}\ncontainers: {a: }\n",
    "number": "name: x\ncontainers: {a: {expose: [70000]}}\n",
    "key name": "name: x\ncontainers: {'a b': }\n",
    "replicas": "name: x\ncontainers: {a: {replicas: 501}}\n",
}


@pytest.fixture(scope="module")
def validator():
    made = schema(modes.network_types())
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("name", RIGHT)
def test_accepts(validator, name):
    """What the loader takes, in every form, the schema takes."""
    loads(RIGHT[name], networks=modes.network_types(), checks=[modes.check])
    validator.validate(parse(RIGHT[name], name).data)


@pytest.mark.parametrize("name", WRONG)
def test_refuses(validator, name):
    """Mistakes that an editor can show are found by the schema."""
    assert not validator.is_valid(parse(WRONG[name], name).data)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_packaged(validator, path):
    """Every packaged example and lab is right by the loader and by the schema."""
    load(path, networks=modes.network_types(), checks=[modes.check])
    validator.validate(parse(path.read_text(encoding="utf-8"), str(path)).data)


def test_shape():
    """The schema names its dialect, closes the definition, and defines nothing that it does not use."""
    made = schema(modes.network_types())
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["additionalProperties"] is False
    assert "$id" not in made
    assert "Lab" not in made["$defs"]
    assert made["$defs"]["Container"]["additionalProperties"] is False
