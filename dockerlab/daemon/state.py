"""What the engine's settings are on a host, and what dockerlab keeps beside them: read in one round trip."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from dockerlab.errors import HostError
from dockerlab.gate import short
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity
from dockerlab.plain import one_line
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, LABEL_RUN

PATH = "/etc/docker/daemon.json"
WHOSE = (LABEL_LAB, LABEL_INSTANCE, LABEL_OWNER)

SETTINGS = r"""
read -r pid </var/run/docker.pid
words=$(tr '\0' '\n' <"/proc/$pid/cmdline") file=/etc/docker/daemon.json last=
while IFS= read -r word; do
    [ "$last" = --config-file ] && file=$word
    case $word in --config-file=*) file=${word#*=} ;; esac
    last=$word
done <<END
$words
END
[ ! -e "$file" ] || file=$(readlink -f "$file")
kept=$file.dockerlab folder=${file%/*}
echo "id $(id -u)"
[ "$file" = /etc/docker/daemon.json ] || echo "file $(printf %s "$file" | base64 | tr -d '\n')"
if [ -r "$file" ]; then echo "text $(stat -c %a "$file") $(base64 <"$file" | tr -d '\n')"
elif [ -e "$file" ] || { [ -d "$folder" ] && [ ! -x "$folder" ]; }; then echo "hidden yes"
fi
[ ! -r "$kept" ] || echo "kept $(base64 <"$kept" | tr -d '\n')"
[ "$file" -nt "$kept" ] && echo "due yes"
echo "flags $(printf %s "$words" | base64 | tr -d '\n')"
"""
"""What a script says of the engine's settings: the file that it really reads, and the words of its command line.

It starts few programs, for the facts of every machine are waited for with it.
"""

LOOK = (
    'PATH="$PATH:/usr/sbin:/sbin"'
    + SETTINGS
    + r"""
addresses=$(ip -o address show dev docker0 | sed -n 's/.* inet6\{0,1\} \([^ ]*\) .* scope global .*/\1/p')
echo "docker0 "$addresses
echo end
"""
)
"""Reads only. It is a constant: nothing of a definition ever becomes part of it."""


@dataclass(frozen=True)
class Kept:
    """What stands in the file beside daemon.json: whose change it is, and what the host was before.

    `original` is the file's content, None where there was none. `wrote` are the digests of what dockerlab has written
    since, `bridge` the addresses that docker0 had.
    """

    labels: Mapping[str, str]
    original: bytes | None
    mode: str = "644"
    bridge: tuple[str, ...] = ()
    wrote: frozenset[str] = frozenset()

    def belongs(self, identity: Identity) -> bool:
        """Tell whether the change is this lab's, this instance's and this owner's."""
        mine = header(identity)
        return all(self.labels.get(label) == mine.get(label) for label in WHOSE)


@dataclass(frozen=True)
class DaemonFile:
    """The engine's settings file on one host.

    `text` is None where there is no file; `due` tells that the engine may not have read the file since dockerlab wrote
    it. `flags` are the words of the engine's command line, `bridge` are docker0's addresses. `hidden` tells that there
    is, or may be, a file that the login cannot read.
    """

    host: str
    path: str = PATH
    text: bytes | None = None
    mode: str = "644"
    kept: Kept | None = None
    due: bool = False
    flags: tuple[str, ...] = ()
    bridge: tuple[str, ...] = ()
    root: bool = True
    hidden: bool = False

    @property
    def digest(self) -> str:
        """Return what tells this content from another: its SHA-256, or `absent`."""
        return digest(self.text)

    @property
    def edited(self) -> bool:
        """Tell whether somebody else has changed the file since dockerlab wrote it."""
        return self.kept is not None and self.digest not in {*self.kept.wrote, digest(self.kept.original)}


def digest(text: bytes | None) -> str:
    """Return the SHA-256 of a file's content, `absent` for no file."""
    return "absent" if text is None else sha256(text).hexdigest()


def header(identity: Identity) -> dict[str, str]:
    """Return the labels of a change as they stand in the kept file, a line each: without what would break a line."""
    labels = {LABEL_LAB: identity.lab, LABEL_OWNER: identity.owner, LABEL_RUN: identity.run}
    if identity.instance is not None:
        labels[LABEL_INSTANCE] = identity.instance
    return {label: one_line(value) for label, value in labels.items()}


def look(host: Host) -> DaemonFile:
    """Return the engine's settings on a host; raises HostError when they cannot be read."""
    result = host.run(["sh", "-s"], input=LOOK.encode(), timeout=30)
    said = short(host.name, "its shell", result.stdout)
    if not said.rstrip().endswith("end"):
        raise HostError(host.name, f"could not read the engine's settings: {result.error or 'no output'}")
    return parse(host.name, said)


def parse(host: str, text: str) -> DaemonFile:
    """Return what a script says that has SETTINGS in it; raises HostError for what is not of its form."""
    said = {key: value for key, _, value in (line.partition(" ") for line in text.splitlines())}
    try:
        mode, _, content = said.get("text", "").partition(" ")
        return DaemonFile(
            host,
            path=_decoded(said["file"]).decode() if "file" in said else PATH,
            text=_decoded(content) if "text" in said else None,
            mode=mode or "644",
            kept=_kept(_decoded(said["kept"])) if "kept" in said else None,
            due="due" in said and "kept" in said,
            flags=tuple(_decoded(said["flags"]).decode(errors="replace").split("\n")),
            bridge=tuple(said.get("docker0", "").split()),
            root=said["id"] == "0",
            hidden="hidden" in said,
        )
    except (LookupError, ValueError, binascii.Error) as error:
        raise HostError(host, f"what it says of the engine's settings cannot be understood: {error}") from error


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _kept(content: bytes) -> Kept:
    """Return what a kept file says; raises ValueError for one that dockerlab did not write."""
    head, blank, original = content.partition(b"\n\n")
    lines = list(_lines(head.decode(errors="replace")))
    about = dict(lines)
    if not blank or not {"lab", "owner", "mode"} <= about.keys():
        raise ValueError("the file beside daemon.json that ends in .dockerlab is not one that dockerlab wrote")
    labels = {LABEL_LAB: about["lab"], LABEL_OWNER: about["owner"], LABEL_RUN: about.get("run", "")}
    if about.get("instance"):
        labels[LABEL_INSTANCE] = about["instance"]
    return Kept(
        labels,
        None if about["mode"] == "absent" else original,
        "644" if about["mode"] == "absent" else about["mode"],
        tuple(about.get("docker0", "").split()),
        frozenset(value for key, value in lines if key == "wrote"),
    )


def _lines(head: str) -> Iterator[tuple[str, str]]:
    for line in head.splitlines():
        key, _, value = line.partition(" ")
        yield key, value
