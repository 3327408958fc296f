"""Where a host is, as the user writes it, and how to log in there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from dockerlab.errors import UsageError
from dockerlab.hosts.passwords import VARIABLE, Ask

LOCAL = "local"
"""The address of the machine that dockerlab itself runs on."""

WRITE = "write ssh://[user@]host[:port], an alias from ~/.ssh/config, or local"

# Host and user can become words of a ProxyCommand, so nothing that splits or quotes words may be in them.
HOST = re.compile(r"[\w.:%][\w.:%-]*")
LOGIN = re.compile(r"(\w+://[^:/]*|(?!\w+://)[^:/]*):.*@", re.DOTALL)
"""`[scheme://]user:password@`: the password may hold any character, an `@` or a slash too."""

USER = re.compile(r"[\w.+@][\w.+@-]*(\\[\w.+@][\w.+@-]*)?")
"""A login, or `DOMAIN\\login`: a backslash at the end would quote what follows it in a ProxyCommand."""


@dataclass(frozen=True)
class SshOptions:
    """What applies to every SSH connection of a run, whatever the host.

    `identity_file` replaces the agent and every other key; `known_hosts` replaces every other list of host keys.
    With both, the user's ssh configuration is not read, unless `config_file` names one. Times are in seconds.
    `record_within` is the only folder in which new host keys are written to `known_hosts`, where a file chose that.
    `password` is for every host but not for jump hosts; `ask` gives a password where one is needed.
    """

    identity_file: str | None = None
    known_hosts: str | None = None
    accept_new_host_keys: bool = False
    connect_timeout: float | None = None
    config_file: str | None = None
    password: str | None = field(default=None, repr=False)
    ask: Ask | None = field(default=None, repr=False)
    record_within: str | None = None


@dataclass(frozen=True)
class Address:
    """Where an SSH server is; `host` may be an alias, and what is None is left to the ssh configuration."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if self.port and ":" in self.host else self.host
        return f"{user}{host}:{self.port}" if self.port else f"{user}{host}"


def parse_address(where: str) -> Address:
    """Return the SSH address that a URL or an alias means; raises UsageError with what would be right."""
    if LOGIN.match(where):
        raise UsageError(
            f"{_shown(where)}: a password in an address can be read by everyone who sees the file; "
            f"remove it and use a key (ssh-copy-id) or the ssh agent; else answer the prompt, set {VARIABLE}, "
            "or keep it in the keyring"
        )
    address = _from_url(where) if "://" in where else _from_alias(where)
    if not HOST.fullmatch(address.host):
        raise UsageError(f"{_shown(where)}: {address.host!r} is no host name or address; {WRITE}")
    if address.user is not None and not USER.fullmatch(address.user):
        raise UsageError(f"{_shown(where)}: {address.user!r} is no user name; {WRITE}")
    return address


def _from_url(where: str) -> Address:
    """Read `ssh://[user@]host[:port]`."""
    try:
        url = urlsplit(where)
        port = url.port
    except ValueError as error:
        raise UsageError(f"{_shown(where)}: {error}; {WRITE}") from error
    if port == 0:
        raise UsageError(f"{_shown(where)}: there is no port 0; {WRITE}")
    if url.scheme != "ssh":
        raise UsageError(f"{_shown(where)}: {url.scheme}:// is not supported; {WRITE}")
    if url.path not in {"", "/"} or url.query or url.fragment:
        raise UsageError(f"{_shown(where)}: nothing may follow the host and port; {WRITE}")
    return Address(_host(url), url.username or None, port)


def _host(url: SplitResult) -> str:
    """Return the host of a URL as written: unlike `url.hostname`, an alias keeps its capital letters."""
    host = url.netloc.rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _from_alias(where: str) -> Address:
    """Read `[user@]alias`, where a colon can only belong to an IPv6 address."""
    user, at, host = where.rpartition("@")
    if host.count(":") == 1:
        raise UsageError(f"{_shown(where)}: a port needs the form ssh://{where}")
    return Address(host, user if at else None)


def _shown(where: str) -> str:
    """Return an address for a message, without its password."""
    return repr(LOGIN.sub(r"\1:***@", where, count=1))
