"""Up, down and status of the sandbox as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dockerlab.errors import SandboxError, UsageError
from dockerlab.sandbox import boundary, host, network, preflight, processes
from dockerlab.sandbox.layout import (
    DIRECTORY,
    IDENTITY,
    KNOWN_HOSTS,
    MAX_HOSTS,
    OUTSIDE,
    OUTSIDE_NS,
    ROUTER,
    ROUTER_NS,
    STORAGE,
    SWITCH_NS,
    SandboxState,
    host_name,
    inode,
    place_users,
)
from dockerlab.sandbox.lock import locked
from dockerlab.sandbox.record import Record, read, write
from dockerlab.sandbox.removal import remains, remove_all

Report = Callable[[str], None]

BEGIN_SECONDS = 15.0
"""After these a host without a process of its own has ended: on a busy machine its first one may take some to begin."""
READY_SECONDS = 120.0
"""In these both of its services answer: four hosts that begin side by side on a busy machine have taken 45."""
RECOVERY_SECONDS = 8.0


def up(hosts: int = 2, rootfs: Path | None = None, report: Report = lambda _: None) -> SandboxState:
    """Bring the sandbox up with at least that many hosts and return it; a healthy one is used as it is.

    Remains of an interrupted run are cleaned first; a host that does not live is built again, empty.
    With `rootfs`, the hosts run the programs of that root file system, which is only read. In a place, the hosts are
    behind a boundary where this machine can have one; where it cannot, `report` is told. Raises UsageError for an
    impossible number of hosts and SandboxError, after cleaning up, when the sandbox cannot be had.
    """
    if not 1 <= hosts <= MAX_HOSTS:
        raise UsageError(f"the sandbox has from 1 to {MAX_HOSTS} hosts, not {hosts}")
    preflight.require_linux_and_root()
    wanted = rootfs.resolve() if rootfs else None
    with locked(report):
        # Nobody else builds now: what bears the mark and is not in a namespace yet was started by an interrupted run.
        processes.kill(processes.strays())
        record = _usable(wanted)
        if record is None:
            preflight.check(wanted)
            _clean(report)
            record = _found(wanted, report)
        return _populate(record, hosts, report)


def down(report: Report = lambda _: None) -> list[str]:
    """Remove everything of the sandbox, whatever state it is in, and return what was removed, one line each."""
    preflight.require_linux_and_root()
    with locked(report):
        removed = remove_all()
    for line in removed:
        report(f"removed {line}")
    return removed


def status() -> SandboxState | None:
    """Return the sandbox with what of each host is alive, or None where there is none.

    Raises SandboxError when there are only remains of an interrupted run.
    """
    preflight.require_linux_and_root()
    record = read()
    if record is None:
        if left := remains():
            raise SandboxError(
                f"the sandbox is being built, or an interrupted run left this: {', '.join(left)}. "
                "`dockerlab sandbox up` cleans that and goes on, `dockerlab sandbox down` only cleans"
            )
        return None
    return _state(record, processes.scan())


def root_in_use() -> Path | None:
    """Return the root file system that the hosts of the sandbox run on, None for this machine's own or no sandbox."""
    preflight.require_linux_and_root()
    record = read()
    return Path(record.rootfs) if record is not None and record.rootfs else None


def _usable(rootfs: Path | None) -> Record | None:
    """Return the record of a sandbox that is up and can be used, or None; raises SandboxError if it must not be."""
    record = read()
    if record is None or not _network_is_whole():
        return None
    if record.rootfs != (str(rootfs) if rootfs else None):
        raise SandboxError(
            f"a sandbox on the root file system {record.rootfs or '/'} is up, and {rootfs or '/'} is wanted: "
            "take it down first with `dockerlab sandbox down`"
        )
    return record


def _clean(report: Report) -> None:
    if left := remains():
        report(f"cleaning up what is left of an earlier sandbox: {', '.join(left)}")
        remove_all()


def _found(rootfs: Path | None, report: Report) -> Record:
    """Build the network and the keys for hosts to come, and return the record of a sandbox without hosts."""
    tagging = preflight.kernel_tags()
    report("building the switch, the router and the outside" + ("" if tagging else " (no 802.1Q: VLAN 50 is a bridge)"))
    DIRECTORY.mkdir(parents=True, mode=0o700)
    DIRECTORY.chmod(0o700)
    STORAGE.mkdir(parents=True, mode=0o700)
    try:
        host.make_key(IDENTITY, "dockerlab sandbox")
        network.build(tagging=tagging)
        users = _bounded(rootfs or Path("/"), report)
    except BaseException:
        remove_all()
        raise
    return Record(str(rootfs) if rootfs else None, tagging, users=users)


def _bounded(below: Path, report: Report) -> int | None:
    """Build the boundary of hosts in a place, and return its first user ID; None outside, and where none can be."""
    users = place_users()
    if users is None:
        return None
    try:
        boundary.build(users, below)
    except SandboxError as error:
        report(f"no boundary around the hosts: whoever is root in one is root on this machine: {error}")
        boundary.dismiss()
        return None
    return users


def _populate(record: Record, count: int, report: Report) -> SandboxState:
    """Build the hosts that are missing or do not live, record them, and return the whole sandbox."""
    names = list(dict.fromkeys([*record.hosts, *(host_name(index) for index in range(count))]))
    state = _state(replace(record, hosts=tuple(names)), _recover(record, report))
    # A host that lives without being recorded belongs to an interrupted run.
    missing = [found.name for found in state.hosts if not found.alive or found.name not in record.hosts]
    if not missing:
        return state
    try:
        for name in missing:
            report(f"starting {name}")
            host.remove(name)
            network.connect(name, tagging=record.tagging, confined=record.users is not None)
            host.prepare(name, record.users)
        host.publish_keys(names)
        for name in missing:
            host.launch(name, Path(record.rootfs) if record.rootfs else None, record.users)
        record = replace(record, hosts=tuple(names))
        state = _wait(record, missing, READY_SECONDS)
    except BaseException:
        if record.hosts and set(record.hosts) - set(missing):
            for name in missing:
                host.remove(name)
        else:
            remove_all()
        raise
    write(record)
    for name in missing:
        report(f"{name} is ready: Docker {state.host(name).engine} at {state.host(name).address}")
    return state


def _recover(record: Record, report: Report) -> list[processes.Process]:
    """Give a recorded host whose services alone are down the time to start them again; return the processes then."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    told: set[str] = set()
    while True:
        table = processes.scan()
        down_now = [h.name for h in _state(record, table).hosts if h.namespace and not h.alive]
        if not down_now or time.monotonic() > deadline:
            return table
        for name in down_now:
            if name not in told:
                report(f"waiting for the services of {name}")
                host.release(name, table)
                told.add(name)
        time.sleep(0.05)


def _wait(record: Record, names: Sequence[str], seconds: float) -> SandboxState:
    """Return the sandbox once those hosts live; raises SandboxError, with what their logs say, when one does not."""
    begin = time.monotonic()
    while True:
        state = _state(record, processes.scan())
        waiting = [found for found in state.hosts if found.name in names and not found.alive]
        if not waiting:
            return state
        passed = time.monotonic() - begin
        dead = [found for found in waiting if not found.namespace] if passed > BEGIN_SECONDS else []
        for found in dead or (waiting if passed > seconds else []):
            what = "ended at once" if dead else f"was not ready within {seconds:.0f} s"
            raise SandboxError(f"{found.name} {what}. The end of its logs:\n{host.last_words(found.name)}")
        time.sleep(0.05)


def _state(record: Record, table: list[processes.Process]) -> SandboxState:
    return SandboxState(
        directory=DIRECTORY,
        hosts=tuple(host.examine(name, table) for name in record.hosts),
        identity_file=IDENTITY,
        known_hosts=KNOWN_HOSTS,
        router=str(ROUTER),
        outside=str(OUTSIDE),
        rootfs=Path(record.rootfs) if record.rootfs else None,
    )


def _network_is_whole() -> bool:
    around = (SWITCH_NS, ROUTER_NS, OUTSIDE_NS)
    return all(inode(name) for name in around) and network.links_in() and network.serves(processes.scan())
