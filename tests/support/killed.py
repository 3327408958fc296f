"""A process that is killed right before one of its writing commands: python -m support.killed up|down LAB NUMBER.

It ends with 0 when it has no command of that number. One command runs at a time, so that the numbers walk every
boundary between two of them.
"""

import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path

from dockerlab import modes
from dockerlab.identity import current
from dockerlab.lab.loader import load
from dockerlab.lock import lock_name, locked
from dockerlab.provision.down import Which, plan_down, take_down
from dockerlab.provision.reporting import Silent
from dockerlab.provision.up import Wish, carry_out, plan_up
from dockerlab.session import Whereabouts, open_session

WRITES = ("docker", "tee", "mv", "ip", "iptables", "ip6tables", "nft", "sysctl", "nsenter")


class Dying:
    """A host on which the process ends as if by a power cut; hosts share the `numbers` of their commands."""

    channels = 0
    """What several hosts add up to is at least one command at a time, and then no more."""

    def __init__(self, host, numbers, last):
        self._host, self._numbers, self._last = host, numbers, last
        self.name, self.address = host.name, host.address
        self.resume, self.keep = host.resume, host.keep
        self.converse, self.stream, self.close = host.converse, host.stream, host.close

    def run(self, argv: Sequence[str], **options):
        writes = argv[0] in WRITES or tuple(argv[:3]) == ("sh", "-s", "--")
        if writes and next(self._numbers) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._host.run(argv, **options)


def main(action: str, path: str, last: int) -> None:
    lab = load(Path(path), networks=modes.network_types(), checks=[modes.check])
    with open_session(lab.addresses, Whereabouts(sandbox=True), lambda _line: None) as session:
        numbers = count(1)
        hosts = {name: Dying(host, numbers, last) for name, host in session.hosts.items()}
        with locked(hosts, [lock_name(lab.name)]) as locks:
            if action == "up":
                wish = Wish(until=datetime.now(timezone.utc) + timedelta(hours=1), daemons=True, ground=True)
                plan, _ = plan_up(lab, current(lab.name), hosts, session.controller, wish, locks)
                carry_out(plan, hosts, Silent())
            else:
                removal = plan_down(Which(lab.name), hosts, locks)
                take_down(removal.plan, hosts, Silent())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
