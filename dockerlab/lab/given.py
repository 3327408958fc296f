"""How the keys of a container are given to `docker run`, and what an engine should show of them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from dockerlab.lab.container import Container
from dockerlab.lab.process import Healthcheck, Logging
from dockerlab.lab.quantities import bytes_of, nanoseconds_of

Given = Callable[[Container], Iterable[object]]
"""From a container to the values of one flag, or of one thing that an engine shows."""


def one(key: str) -> Given:
    """Return how the value of a key is given, once or not at all."""

    def given(spec: Container) -> Iterable[object]:
        value = getattr(spec, key)
        return () if value is None or value is False else (value,)

    return given


def every(key: str) -> Given:
    """Return how each of a key's values is given."""

    def given(spec: Container) -> Iterable[object]:
        values: Sequence[object] = getattr(spec, key)
        return values

    return given


def pairs(key: str, between: str = "=") -> Given:
    """Return how each pair of a key's mapping is given."""

    def given(spec: Container) -> Iterable[object]:
        pairs: Mapping[str, object] = getattr(spec, key)
        return tuple(f"{name}{between}{value}" for name, value in pairs.items())

    return given


def in_bytes(key: str) -> Given:
    """Return a size in bytes, as an engine shows it."""

    def wanted(spec: Container) -> Iterable[object]:
        value: str | None = getattr(spec, key)
        return () if value is None else (bytes_of(value),)

    return wanted


def check(key: str) -> Given:
    """Return how one key of the healthcheck is given."""

    def given(spec: Container) -> Iterable[object]:
        check = spec.healthcheck or Healthcheck()
        value = None if check.off else getattr(check, key)
        return () if value is None or value == "" else (value,)

    return given


def check_time(key: str) -> Given:
    """Return a time of the healthcheck in nanoseconds, as an engine shows it."""
    return lambda spec: [nanoseconds_of(str(value)) for value in check(key)(spec)]


def mounts(spec: Container) -> Iterable[object]:
    """Return the mounts as `_mounted` reads them."""
    own = (each for each in spec.volumes if each.source is not None or each.type == "tmpfs")
    return [f"{each.type} {each.target.rstrip('/')} {each.source or ''} {not each.read_only}" for each in own]


def written(*, legacy: bool) -> Given:
    """Return the mounts that `--volume` or `--mount` can say."""
    return lambda spec: [each.text for each in spec.volumes if each.legacy == legacy]


def ports(*, host: bool) -> Given:
    """Return how published ports are given, in host mode or in all others."""
    return lambda spec: spec.ports if (spec.mode == "host") == host else ()


def mac(spec: Container) -> Iterable[object]:
    """Return the MAC address on the first network, once or not at all."""
    mac = spec.place(spec.mode).mac_address
    return () if mac is None else (mac,)


def logged(spec: Container) -> Logging:
    """Return where the engine writes what a container says."""
    return spec.logging or Logging()


def stop(spec: Container) -> Iterable[object]:
    """Return the seconds of the stop's grace, rounded up: the engine knows none of less."""
    grace = spec.stop_grace_period
    return () if grace is None else (-(-nanoseconds_of(grace) // 10**9),)


def device(text: str) -> str:
    """Return a device with all three parts, as an engine shows it."""
    parts = text.split(":")
    if len(parts) == 2 and set(parts[1]) <= set("rwm"):
        parts = [parts[0], parts[0], parts[1]]
    return ":".join([*parts, *[parts[0], "rwm"][len(parts) - 1 :]])


def tmpfs(text: str) -> str:
    """Return a directory in memory as an engine shows it: the path, and its options."""
    path, _, options = text.partition(":")
    return f"{path}={options}"


def bare(rights: Iterable[object]) -> Iterable[object]:
    """Return rights without the `CAP_` that some engines put before them."""
    return [str(right).upper().removeprefix("CAP_") for right in rights]


def security(options: Iterable[object]) -> Iterable[object]:
    """Return options as they were given: an engine shows a profile's text, and adds one by itself."""
    return [each for each in options if not str(each).startswith(("seccomp", "label"))]
