"""What not every kernel can show: networks that want a dummy interface or ipvlan."""

from __future__ import annotations

from support.mechanisms import Case

CASES = (
    Case(
        "same-dummy", "here", "there", now="timeout",
        gone={"vm0": "inside there ip link set eth0 arp off; forget here"},
        back={"vm0": "inside there ip link set eth0 arp on"},
        also=("there",),
        cause=("vm0", "link", ".*"),
    ),
    Case(
        "ipvlan-own-host", "child", "vm0",
        gone={"vm0": "ip link add link eth0 name hostside type ipvlan mode l2; ip link set hostside up; "
                     "ip addr add 192.168.22.250/32 dev hostside; ip route add 192.168.22.200/32 dev hostside"},
        back={"vm0": "ip link del hostside"},
        also=("child",),
        cause=("vm0", "link|address|route", ".*"),
    ),
    Case(
        "same-ipvlan", "low1", "low2", now="timeout",
        gone={"vm0": "inside low2 ip link set eth0 down"},
        back={"vm0": "inside low2 ip link set eth0 up; inside low2 ip route replace default dev eth0"},
        also=("low2",),
        cause=("vm0", "link", ".*"),
    ),
    Case(
        "ipvlan-flag", "shy1", "shy2", engines=(23, 99),
        gone={"vm0": "inside shy1 ip link set eth0 type ipvlan mode l2 bridge; forget shy1 shy2"},
        back={"vm0": "inside shy1 ip link set eth0 type ipvlan mode l2 private; forget shy1 shy2"},
        cause=("vm0", "link|network", ".*"),
    ),
)  # fmt: skip


def unable(machines):
    """Return why the kernel cannot run the lab, or nothing."""
    for kind, parent in (("dummy", ""), ("ipvlan", "link eth0")):
        made = machines.run("vm0", "sh", "-c", f"ip link add {parent} name trial type {kind} && ip link del trial")
        if made.returncode:
            return f"this kernel makes no {kind} interface (scripts/kernel runs one that does): {made.stderr.strip()}"
    return ""
