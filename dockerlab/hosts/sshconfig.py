"""From an address and the user's ssh configuration to the hops of a connection."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import paramiko

from dockerlab.errors import UsageError
from dockerlab.hosts.address import Address, SshOptions, parse_address
from dockerlab.hosts.passwords import Ask

USER_CONFIG = "~/.ssh/config"
SYSTEM_CONFIG = "/etc/ssh/ssh_config"
USER_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
IDENTITIES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
CONNECT_TIMEOUT = 10.0
"""Seconds for each phase of a connection."""

MAX_INCLUDES = 16
"""Depth of Include at which OpenSSH gives up too."""


@dataclass(frozen=True)
class Hop:
    """One SSH server on the way to a host, with everything that is needed to log in there.

    `known_as` is the name under which known_hosts lists it; new host keys go to the first of `known_hosts`, where an
    inventory names that only within the folder `record_within`. `hash_names` is what the user's configuration says of
    names there, None for nothing.
    """

    hostname: str
    port: int
    user: str
    known_as: str
    known_hosts: tuple[str, ...]
    accept_new: bool
    identities: tuple[str, ...]
    agent: bool
    only_identities: bool
    timeout: float
    proxy_command: str | None = None
    password: str | None = field(default=None, repr=False)
    ask: Ask | None = field(default=None, repr=False)
    record_within: str | None = None
    hash_names: bool | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.hostname}" + (f":{self.port}" if self.port != 22 else "")


def route(address: Address, options: SshOptions) -> tuple[Hop, ...]:
    """Return the hops to an address, the host itself last, as OpenSSH would go.

    Raises UsageError when the configuration cannot be read or leads in a circle.
    """
    return _route(address, options, load_config(options), jumped=False, seen=())


def load_config(options: SshOptions) -> str:
    """Return the text of the ssh configuration that applies; it is empty where the options leave nothing to it."""
    if options.config_file is None and options.identity_file and options.known_hosts:
        return ""
    path = Path(options.config_file or USER_CONFIG).expanduser()
    if options.config_file is None and not path.exists():
        return ""
    try:
        return "\n".join(_lines(path, depth=0))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the ssh configuration {path}: {error}") from error


def _lines(path: Path, depth: int) -> Iterator[str]:
    """Yield a configuration's lines with the files that it includes, which paramiko passes over."""
    if depth > MAX_INCLUDES:
        raise UsageError(f"{path}: more than {MAX_INCLUDES} levels of Include in the ssh configuration")
    block = "Host *"
    for line in path.read_text(encoding="utf-8").splitlines():
        keyword, _, value = line.strip().replace("=", " ", 1).partition(" ")
        if keyword.lower() in {"host", "match"}:
            block = line
        if keyword.lower() != "include":
            yield line
            continue
        for pattern in value.split():
            # A relative name is one in ~/.ssh; what follows belongs to the block around the Include again.
            full = Path("~/.ssh").expanduser() / Path(pattern.strip('"')).expanduser()
            for included in sorted(Path("/").glob(str(full).lstrip("/"))):
                yield from _lines(included, depth + 1)
                yield block


def _route(
    address: Address, options: SshOptions, config: str, *, jumped: bool, seen: tuple[str, ...]
) -> tuple[Hop, ...]:
    """Return the hops; a host that is reached by way of another needs no jump of its own."""
    if address.host in seen:
        raise UsageError(f"ProxyJump leads in a circle: {' -> '.join((*seen, address.host))}")
    entry = _lookup(address, config)
    hop = _hop(address, options, entry)
    jumps = _jumps(str(entry.get("proxyjump") or "none"))
    if jumped or not jumps:
        return (hop,)
    # The key and the password that the caller names are for the host, as with `ssh -i`.
    there = replace(options, identity_file=None, password=None)
    path = (*seen, address.host)
    hops: tuple[Hop, ...] = ()
    for jump in jumps:
        hops += _route(jump, there, config, jumped=bool(hops), seen=path)
    return (*hops, replace(hop, proxy_command=None))


def _lookup(address: Address, config: str) -> Mapping[str, object]:
    """Return what the configuration says of an address; the address's own user and port come first, as on ssh's line.

    So they are also what `%r` and `%p` stand for.
    """
    first = f"User {address.user}\n" * (address.user is not None) + f"Port {address.port}\n" * (
        address.port is not None
    )
    try:
        return paramiko.SSHConfig.from_text(f"Host *\n{first}Host *\n{config}").lookup(address.host)
    except (paramiko.CouldNotCanonicalize, paramiko.ConfigParseError, ValueError) as error:  # of a quote left open
        raise UsageError(f"the ssh configuration of {address.host} cannot be read: {error}") from error


def _jumps(value: str) -> tuple[Address, ...]:
    """Return the addresses in a ProxyJump: `[user@]host[:port]`, or URLs, with commas between."""
    if value.lower() == "none":
        return ()
    parts = (part.strip() for part in value.split(","))
    return tuple(parse_address(part if "://" in part else f"ssh://{part}") for part in parts)


def _hop(address: Address, options: SshOptions, entry: Mapping[str, object]) -> Hop:
    """Return the last hop of an address; what the options say wins over the configuration."""
    hostname = str(entry.get("hostname") or address.host)
    port = _number(entry, "port", 22)
    alias = str(entry.get("hostkeyalias") or hostname)
    only = _words(entry.get("identitiesonly")) == ("yes",)
    listed = entry.get("identityfile")
    configured = tuple(str(i) for i in listed) if isinstance(listed, list) else _words(listed)
    return Hop(
        hostname=hostname,
        port=port,
        user=str(entry.get("user") or getpass.getuser()),
        known_as=alias if port == 22 or entry.get("hostkeyalias") else f"[{alias}]:{port}",
        known_hosts=_known_hosts(options, entry),
        accept_new=options.accept_new_host_keys
        or str(entry.get("stricthostkeychecking", "")).lower() in {"no", "off", "accept-new"},
        identities=_expanded((options.identity_file,) if options.identity_file else configured or IDENTITIES),
        agent=not options.identity_file and str(entry.get("identityagent", "")).lower() != "none",
        only_identities=only or options.identity_file is not None,
        timeout=options.connect_timeout or float(_number(entry, "connecttimeout", 0)) or CONNECT_TIMEOUT,
        proxy_command=_proxy_command(entry),
        password=options.password,
        ask=options.ask,
        record_within=options.record_within,
        hash_names=_yes(entry.get("hashknownhosts")),
    )


def hashes_names(hop: Hop, system: str = SYSTEM_CONFIG) -> bool:
    """Tell whether names in known_hosts are to be hashed: what the user's configuration says, or else the system's.

    Raises UsageError where that one cannot be read.
    """
    if hop.hash_names is not None or not Path(system).exists():
        return bool(hop.hash_names)
    address = Address(hop.hostname, hop.user, hop.port)
    return bool(_yes(_lookup(address, load_config(SshOptions(config_file=system))).get("hashknownhosts")))


def _yes(value: object) -> bool | None:
    return None if value is None else str(value).lower() == "yes"


def _known_hosts(options: SshOptions, entry: Mapping[str, object]) -> tuple[str, ...]:
    """Return the files with host keys, the one for new keys first."""
    if options.known_hosts:
        return _expanded((options.known_hosts,))
    user = _words(entry.get("userknownhostsfile")) or USER_KNOWN_HOSTS
    system = _words(entry.get("globalknownhostsfile")) or SYSTEM_KNOWN_HOSTS
    return _expanded(name for name in (*user, *system) if name.lower() != "none")


def _proxy_command(entry: Mapping[str, object]) -> str | None:
    """Return the ProxyCommand without the shell's `exec`, as there is no shell."""
    command = str(entry.get("proxycommand") or "none")
    return None if command.lower() == "none" else re.sub(r"^exec\s+", "", command)


def _number(entry: Mapping[str, object], key: str, default: int) -> int:
    """Return a number of the configuration; raises UsageError for anything else."""
    value = str(entry.get(key) or default)
    if not value.isdigit():
        raise UsageError(f"{key} {value!r} in the ssh configuration is not a number")
    return int(value)


def _words(value: object) -> tuple[str, ...]:
    """Return the words of a value that may be missing."""
    return tuple(str(value).split()) if value is not None else ()


def _expanded(paths: Iterator[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths with `~` replaced."""
    return tuple(str(Path(path.strip('"')).expanduser()) for path in paths)
