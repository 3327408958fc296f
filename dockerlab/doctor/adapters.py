"""What wireless networks, hypervisors and clouds do to frames with MAC addresses that they have not given out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dockerlab.doctor.condition import Condition

ROUTE = "or use ipvlan, which keeps the parent's own address (`driver: ipvlan`)"
OVERLAY = "use an overlay network, which needs no foreign address on the wire (`driver: overlay`)"


@dataclass(frozen=True)
class Filter:
    """What stands between an adapter and its LAN."""

    status: Literal["ok", "warning"]
    told: str
    words: str = ""


WIRELESS = Filter(
    "warning",
    "is wireless: an access point takes only frames with the station's own MAC address, so that no container is heard",
    "use a wired interface as `parent`, " + ROUTE,
)

MACHINES = {
    "VMware": Filter(
        "warning",
        "is an adapter of a VMware guest: its switch drops the containers' MAC addresses unless it is told not to",
        "allow promiscuous mode, MAC address changes and forged transmits on its port group, " + ROUTE,
    ),
    "VirtualBox": Filter(
        "warning",
        "is an adapter of a VirtualBox guest: it drops the containers' MAC addresses unless it is told not to",
        "set its promiscuous mode to allow all (VBoxManage modifyvm NAME --nicpromisc1 allow-all), " + ROUTE,
    ),
    "Amazon EC2": Filter("warning", "is on a cloud's network, which carries only addresses that it gave out", OVERLAY),
    "Google Compute Engine": Filter(
        "warning", "is on a cloud's network, which carries only addresses that it gave out", OVERLAY
    ),
    "Microsoft Corporation Virtual Machine": Filter(
        "warning",
        "is an adapter of a Hyper-V guest: its switch drops the containers' MAC addresses unless it is told not to",
        "Set-VMNetworkAdapter -VMName NAME -MacAddressSpoofing On; in Azure there is no such setting: " + OVERLAY,
    ),
    "QEMU": Filter(
        "ok", "is an adapter of a QEMU guest on an ordinary bridge, or on a macvtap that has trustGuestRxFilters=yes"
    ),
}
"""By what the machine's firmware says of its maker."""

CARDS = {
    "vmxnet3": "VMware",
    "ena": "Amazon EC2",
    "gve": "Google Compute Engine",
    "hv_netvsc": "Microsoft Corporation Virtual Machine",
}
"""The maker that a driver gives away."""


def filter_of(condition: Condition, nic: str) -> Filter | None:
    """Return what is known to filter MAC addresses at an interface or, for a VLAN, at the one that it is on."""
    driver = condition.adapters.get(nic) or condition.adapters.get(nic.partition(".")[0])
    if driver is None:
        return None  # no adapter: a veth, a bridge, a bond
    if driver == "wireless":
        return WIRELESS
    known = (maker for maker in MACHINES if maker in condition.machine)
    maker = CARDS.get(driver) or next(known, None)
    return MACHINES[maker] if maker is not None else None
