"""What a container sees of other file systems: volumes, directories of its host, and memory.

A path of the host is absolute: a lab's hosts are other machines, which know no directory of the definition's file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dockerlab.lab.fields import Name, Strict, Text, TextMap
from dockerlab.lab.problem import shown
from dockerlab.lab.quantities import Size

Propagation = Literal["private", "rprivate", "shared", "rshared", "slave", "rslave"]

PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
IGNORED = ("rw", "consistent", "cached", "delegated")
"""Words of a short form that say what is so anyway."""


class BindOptions(Strict):
    """What is particular to a directory or file of the host."""

    propagation: Propagation | None = Field(
        None, description="whether what is mounted below it shows on the other side", examples=["rslave"]
    )
    create_host_path: bool = Field(
        False,
        description="whether the engine makes the directory where the host has none; `down` leaves it there",
        examples=[True],
    )
    selinux: Literal["z", "Z"] | None = Field(
        None, description="relabelled for several containers (z) or for this one (Z)", examples=["z"]
    )


class VolumeOptions(Strict):
    """What is particular to a volume."""

    nocopy: bool = Field(
        False, description="whether it stays empty instead of getting what the image has there", examples=[True]
    )
    subpath: Text | None = Field(None, description="the directory in it that is meant", examples=["logs"])


class TmpfsOptions(Strict):
    """What is particular to a file system in memory."""

    size: Size | None = Field(None, description="how much it holds", examples=["64m"])
    mode: int | None = Field(None, ge=0, le=0o7777, description="its permissions, as a number", examples=[0o1777])


class Mount(Strict):
    """One mount of a container (Compose's long form); the short one is `SOURCE:TARGET[:ro]`, or only `TARGET`."""

    type: Literal["volume", "bind", "tmpfs"] = Field(
        "volume", description="a volume, a path of the host, or memory", examples=["bind"]
    )
    source: Text | None = Field(
        None,
        description="a name from `volumes`, or an absolute path of the host; a volume without one goes with the "
        "container",
        examples=["/srv/www"],
    )
    target: Text = Field(pattern="^/", description="where the container sees it", examples=["/www"])
    read_only: bool = Field(False, description="whether nothing inside can change it", examples=[True])
    consistency: Text | None = Field(None, description="accepted as in Compose; without effect", examples=["cached"])
    bind: BindOptions = Field(
        default_factory=BindOptions, description="more on a path of the host", examples=[{"propagation": "rslave"}]
    )
    volume: VolumeOptions = Field(
        default_factory=VolumeOptions, description="more on a volume", examples=[{"nocopy": True}]
    )
    tmpfs: TmpfsOptions = Field(default_factory=TmpfsOptions, description="more on memory", examples=[{"size": "64m"}])

    @property
    def legacy(self) -> bool:
        """Tell whether only `--volume` can say it: SELinux labels, and a path that the engine is to make."""
        return self.type == "bind" and (self.bind.selinux is not None or self.bind.create_host_path)

    @property
    def text(self) -> str:
        """Return the value of `--volume` or `--mount`."""
        if self.legacy:
            words = [word for word in (self.bind.selinux, self.bind.propagation) if word]
            return ":".join([str(self.source), self.target, ",".join(["ro" if self.read_only else "rw", *words])])
        fields = [f"type={self.type}", *([f"source={self.source}"] if self.source else []), f"target={self.target}"]
        fields += ["readonly"] if self.read_only else []
        fields += [f"bind-propagation={self.bind.propagation}"] if self.bind.propagation else []
        fields += ["volume-nocopy"] if self.volume.nocopy else []
        fields += [f"volume-subpath={self.volume.subpath}"] if self.volume.subpath else []
        fields += [f"tmpfs-size={self.tmpfs.size}"] if self.tmpfs.size else []
        fields += [f"tmpfs-mode={self.tmpfs.mode:o}"] if self.tmpfs.mode is not None else []
        return csv_line(fields)


class Volume(Strict):
    """A volume of the lab: made on each host whose containers use it, and gone with `down`, with all that is in it."""

    driver: Text = Field("local", description="who keeps it", examples=["local"])
    driver_opts: TextMap = Field(
        default_factory=dict,
        description="options of the driver (`docker volume create --opt`)",
        examples=[{"type": "tmpfs", "device": "tmpfs"}],
    )
    labels: TextMap = Field(
        default_factory=dict, description="labels beside those of dockerlab", examples=[{"course": "networks"}]
    )
    name: Name | None = Field(None, description="what the engine calls it; without it, the key", examples=["site-data"])
    external: bool = Field(
        False, description="there already: neither made nor removed, and refused where it is missing", examples=[True]
    )


def csv_line(fields: list[str]) -> str:
    """Return fields in one line, quoted where the engine's command line reads them as CSV (Go's encoding/csv)."""
    quoted = ('"' + f.replace('"', '""') + '"' if any(c in f for c in '",\n\r') or f[:1] == " " else f for f in fields)
    return ",".join(quoted)


def _mount(value: Any) -> Any:
    """Return Compose's short form as the long one that it stands for."""
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    if len(parts) > 3 or "" in parts:
        raise ValueError(f"{shown(value)} is no mount: write SOURCE:TARGET, SOURCE:TARGET:ro, or only TARGET")
    source, target = (parts[0], parts[1]) if len(parts) > 1 else (None, parts[0])
    path = source is not None and source[0] in "/.~"
    entry: dict[str, Any] = {"type": "bind" if path else "volume", "source": source, "target": target}
    for word in parts[2].split(",") if len(parts) > 2 else ():
        if word == "ro":
            entry["read_only"] = True
        elif word in PROPAGATIONS and path:
            entry.setdefault("bind", {})["propagation"] = word
        elif word in ("z", "Z") and path:
            entry.setdefault("bind", {})["selinux"] = word
        elif word == "nocopy" and not path:
            entry["volume"] = {"nocopy": True}
        elif word not in IGNORED:
            raise ValueError(f"{shown(word)} is no option of such a mount: known are ro, rw, nocopy, z, Z and rslave")
    return entry


MountLine = Annotated[Mount, BeforeValidator(_mount, json_schema_input_type=str | Mount)]
VolumeEntry = Annotated[
    Volume, BeforeValidator(lambda value: {} if value is None else value, json_schema_input_type=Volume | None)
]
