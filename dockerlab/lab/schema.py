"""The JSON Schema of a definition, for editors: what the loader accepts, the schema accepts.

It is made from the models. What pydantic cannot know is added here: templates where a value is not text, `replicas`,
entries without a value, Compose's second names, and which keys a network may have with which driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from dockerlab.lab.loader import SYNONYMS
from dockerlab.lab.model import Lab, Network
from dockerlab.lab.replicas import MAX_REPLICAS

TEMPLATE = {"type": "string", "pattern": r"\{\{"}
MAX_NAME = 63
MAX_CONTAINER_NAME = 128
NARROW = ("pattern", "format", "minLength", "maxLength", "enum", "const")
REPLICAS = {
    "description": "repeats the entry as NAME1, NAME2, …, with `index` in scope of its templates",
    "anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_REPLICAS}, TEMPLATE],
}


def schema(networks: Mapping[str, type[Network]]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a definition whose networks may have the given drivers."""
    types = list(dict.fromkeys(networks.values()))
    references, generated = models_json_schema(
        [(Lab, "validation"), *((model, "validation") for model in types)], ref_template="#/$defs/{model}"
    )
    names = {model: reference["$ref"].removeprefix("#/$defs/") for (model, _), reference in references.items()}
    definitions = {name: _templated(definition) for name, definition in generated["$defs"].items()}
    for name in {"Container", *(names[model] for model in types)}:
        definitions[name]["properties"]["replicas"] = REPLICAS
    for key, second in SYNONYMS.items():
        properties = definitions["Attachment"]["properties"]
        properties[second] = {**properties[key], "title": second, "description": f"Compose's name for `{key}`"}
    root = definitions.pop(names[Lab])
    root["properties"]["networks"]["additionalProperties"] = _by_driver(
        {driver: names[model] for driver, model in networks.items()}, definitions
    )
    containers = root["properties"]["containers"]
    containers["propertyNames"]["maxLength"] = MAX_CONTAINER_NAME
    containers["additionalProperties"] = {"anyOf": [containers["additionalProperties"], {"type": "null"}]}
    root["properties"] = {
        key: value if key in root.get("required", ()) else {"anyOf": [value, {"type": "null"}]}
        for key, value in root["properties"].items()
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "dockerlab lab"}
    used = _reachable(root, definitions)
    return {**root, **head, "$defs": {name: definitions[name] for name in sorted(used)}}


def _by_driver(names: Mapping[str, str], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one network: the definition of its driver's model, bridge's where no driver is given."""
    for name in names.values():
        definitions[name]["properties"]["driver"] = {}  # its value has chosen this definition
    choices: list[dict[str, Any]] = [
        {
            "if": {
                "type": "object",
                "properties": {"driver": {"const": driver}},
                "required": [] if driver == "bridge" else ["driver"],
            },
            "then": {"$ref": f"#/$defs/{name}"},
        }
        for driver, name in names.items()
    ]
    driver = {"description": "the network's driver", "anyOf": [{"enum": list(names)}, TEMPLATE]}
    return {"type": ["object", "null"], "properties": {"driver": driver}, "allOf": choices}


def _templated(value: Any) -> Any:
    """Return a schema in which every value that is not free text may be a template, or the text of that value."""
    if isinstance(value, list):
        return [_templated(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: item if key in ("propertyNames", "default") else _templated(item) for key, item in value.items()}
    kind = result.get("type")
    if kind == "object" and isinstance(names := result.pop("patternProperties", None), dict):
        # pydantic lets every name pass that does not fit: say instead that all have to.
        ((pattern, result["additionalProperties"]),) = names.items()
        result["propertyNames"] = {"pattern": pattern, "maxLength": MAX_NAME}
    # A schema's own keywords stand beside its type; in `properties` the same words may be keys of the definition.
    if kind in ("integer", "number"):
        return _either(result, {"type": "string", "pattern": r"^[0-9]+$|\{\{"})
    if kind == "boolean" or result.get("const") is True:
        return _either(result, {"type": "string", "pattern": r"^([Tt]rue|TRUE|[Ff]alse|FALSE)$|\{\{"})
    if kind == "string" and any(key in result for key in NARROW):
        return _either(result, TEMPLATE)
    return result


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {key: one.pop(key) for key in ("title", "description", "default") if key in one}
    return {**about, "anyOf": [one, other]}


def _reachable(value: Any, definitions: Mapping[str, Any]) -> set[str]:
    """Return the names of the definitions that a schema needs, directly or through others."""
    found: set[str] = set()
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            name = str(item.get("$ref", "")).removeprefix("#/$defs/")
            if name in definitions and name not in found:
                found.add(name)
                waiting.append(definitions[name])
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return found
