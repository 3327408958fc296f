"""Published ports: Compose's short and long syntax."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dockerlab.lab.problem import shown


def _number(value: Any) -> Any:
    """Refuse what pydantic by itself takes for a whole number: true, and text such as `010` that may be octal."""
    if isinstance(value, bool) or (isinstance(value, str) and not re.fullmatch(r"[1-9][0-9]{0,9}|0", value)):
        raise ValueError(f"{shown(value)} is not a port: write a whole number from 1 to 65535")
    return value


Number = Annotated[int, Field(ge=1, le=65535)]
PortNumber = Annotated[Number, BeforeValidator(_number, json_schema_input_type=Number)]

SHORT = re.compile(
    r"^(?:(?:\[(?P<ip6>[0-9a-fA-F:.]+)\]|(?P<ip4>\d+(?:\.\d+){3})):)?(?:(?P<published>\d*):)?(?P<target>\d+)(?:/(?P<protocol>\w+))?$"
)


class Port(BaseModel):
    """A port of the host that leads to a port of a container; without `published` the engine picks one."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    target: PortNumber = Field(description="the port of the container", examples=[80])
    published: PortNumber | None = Field(
        None, description="the port of the host; without it the engine picks one", examples=[8080]
    )
    host_ip: IPv4Address | IPv6Address | None = Field(
        None, description="the only address of the host on which it is published; else on all", examples=["127.0.0.1"]
    )
    protocol: Literal["tcp", "udp", "sctp"] = Field("tcp", description="the protocol", examples=["udp"])

    def __str__(self) -> str:
        """Return the value that `docker run --publish` takes."""
        address = (
            "" if self.host_ip is None else f"[{self.host_ip}]" if self.host_ip.version == 6 else str(self.host_ip)
        )
        published = "" if self.published is None else str(self.published)
        prefix = f"{address}:{published}:" if address else f"{published}:" if published else ""
        return f"{prefix}{self.target}/{self.protocol}"


def parse_port(value: Any) -> Any:
    """Return the long form of `[ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL]`; leave anything else to pydantic.

    Raises ValueError for text that is not of that form.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return {"target": value}
    if not isinstance(value, str):
        return value
    found = SHORT.fullmatch(value)
    if found is None:
        raise ValueError(f"{shown(value)} is not a port: write [ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL], as in 8080:80")
    long: dict[str, Any] = {"target": found["target"], "protocol": found["protocol"] or "tcp"}
    if found["published"]:
        long["published"] = found["published"]
    if found["ip4"] or found["ip6"]:
        long["host_ip"] = found["ip4"] or found["ip6"]
    return long


PublishedPort = Annotated[Port, BeforeValidator(parse_port, json_schema_input_type=Port | int | str)]
