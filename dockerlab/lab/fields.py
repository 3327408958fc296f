"""What the keys of a definition may hold: the types that its models are made of, and the short forms of each."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationInfo, field_validator

from dockerlab.lab.problem import shown
from dockerlab.lab.values import LAB_NAME, LONGEST_LAB_NAME, LONGEST_NAME, NAME


def address(value: Any) -> Any:
    """Return the address that a text is; a number is refused, though Python would take it for an address."""
    if value is None or isinstance(value, (IPv4Address, IPv6Address)):
        return value
    try:
        if isinstance(value, str) and "%" not in value:
            return ip_address(value)
    except ValueError:
        pass  # said below
    raise ValueError(f"{shown(value)} is not an IP address: write it as in 192.168.22.200")


def _subnet(value: Any) -> Any:
    """Return the subnet that a text is."""
    if value is None or isinstance(value, (IPv4Network, IPv6Network)):
        return value
    try:
        if isinstance(value, str) and "%" not in value:
            return ip_network(value)
    except ValueError as error:
        if str(error).endswith("has host bits set"):
            raise ValueError(f"{error}: write {ip_network(value, strict=False)}, the subnet that it is in") from None
        raise ValueError(f"{error}: write a subnet as in 192.168.22.0/24") from None
    raise ValueError(f"{shown(value)} is not a subnet: write it as in 192.168.22.0/24")


Address = Annotated[IPv4Address | IPv6Address, BeforeValidator(address, json_schema_input_type=str)]
Subnet = Annotated[IPv4Network | IPv6Network, BeforeValidator(_subnet, json_schema_input_type=str)]

Name = Annotated[str, StringConstraints(pattern=NAME, max_length=LONGEST_NAME)]
"""What the engine accepts as the name of a container or network."""

ContainerName = Annotated[str, StringConstraints(pattern=NAME, max_length=128)]
"""What an engine takes for the name of a container; of one that is longer than 63 characters, DNS knows nothing."""

InterfaceName = Annotated[str, StringConstraints(pattern=r"^[^\s/:%]{1,15}$")]
"""What the kernel takes for the name of an interface (`dev_valid_name` of net/core/dev.c)."""

LabName = Annotated[str, StringConstraints(pattern=LAB_NAME, max_length=LONGEST_LAB_NAME)]


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _text(value: Any) -> Any:
    """Return a YAML number or boolean as the text that the engine is given; leave the rest to pydantic."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _pairs(value: Any) -> Any:
    """Return Compose's list form (`[KEY=VALUE, KEY]`) as the mapping that it stands for."""
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            raise ValueError("a list here holds text of the form KEY=VALUE")
        split = (item.partition("=") for item in value)
        return {key: text for key, _, text in split}
    return value


def _variables(value: Any) -> Any:
    """Return Compose's list form as the mapping that it stands for, in which a `KEY` without `=` has no value."""
    if isinstance(value, list):
        without = [item for item in value if isinstance(item, str) and "=" not in item]
        return {**_pairs(value), **dict.fromkeys(without)}
    return value


def named(value: Any) -> Any:
    """Return `[a, b]` as `{a: {}, b: {}}`, and the empty value of a key as `{}`."""
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value) or len(set(value)) < len(value):
            raise ValueError("a list here holds names of networks, each once")
        return {item: {} for item in value}
    if isinstance(value, Mapping):
        return {key: {} if item is None else item for key, item in value.items()}
    return value


def _words(value: Any) -> Any:
    """Check that a command line in one string can be split into words."""
    if isinstance(value, str):
        try:
            shlex.split(value)
        except ValueError as error:
            raise ValueError(f"{error} in {value!r}: close the quote, or write a list of words") from None
    return value


Text = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int | float | bool)]
TextMap = Annotated[dict[str, Text], BeforeValidator(_pairs, json_schema_input_type=dict[str, Text] | list[str])]
Variables = Annotated[
    dict[str, Text | None], BeforeValidator(_variables, json_schema_input_type=dict[str, Text | None] | list[str])
]
"""Environment variables; one without a value is taken from the environment of whoever brings the lab up."""
Texts = Annotated[tuple[Text, ...], BeforeValidator(_one_or_more, json_schema_input_type=str | list[Text])]
Subnets = Annotated[tuple[Subnet, ...], BeforeValidator(_one_or_more, json_schema_input_type=str | list[Subnet])]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(_one_or_more, json_schema_input_type=str | list[Address])]


Words = Annotated[
    str | tuple[Text, ...] | None, BeforeValidator(_words, json_schema_input_type=str | list[Text] | None)
]
Image = Annotated[
    Text,
    StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._/:@-]*$", max_length=255),
]
"""A reference such as `nginx:1.20`; never something that the command line could take for a flag."""


class Strict(BaseModel):
    """A model that refuses keys it does not know and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _boolean(cls, value: Any, info: ValidationInfo) -> Any:
        """Take only true and false where a field is a boolean: pydantic by itself takes `yes`, `on` and 1 as well."""
        wanted = cls.model_fields[info.field_name or ""].annotation
        if not any(kind is bool or kind is True for kind in (wanted, *get_args(wanted))):
            return value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise ValueError(f"{shown(value)} is neither true nor false")
