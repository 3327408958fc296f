"""What changed from engine to engine, by name: the only place, beside the modes and what imagines, with numbers in it.

Each boundary is the first release that has the change, looked up in moby's history (`git tag --contains`), with the
issue or commit that made it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, overload

Backend = Literal["iptables", "nftables"]
Version = tuple[int, int, int]

OLDEST: tuple[int, int] = (20, 10)
"""The oldest engine that anything here is claimed of."""
DEFAULT = "28.5"
"""The engine that a lab is imagined on where none is named."""
LAST = 999
"""The release of a line that `28.5` means: its last."""
OBSERVED = {
    "iptables": frozenset({(20, 10), (25, 0), (26, 1), (27, 5), (28, 5), (29, 8)}),
    "nftables": frozenset({(29, 8)}),
}
"""The lines of which a real engine's rules were held against the imagined ones; of the others moby's source tells."""

SINCE: Mapping[str, Version] = {
    "annotations": (24, 0, 0),  # API 1.43
    "start_interval": (25, 0, 0),  # API 1.44, moby #40894
    "mac_address": (25, 0, 0),  # API 1.44, moby #45905: before, only the network of `docker run` could have one
    "subpath": (26, 0, 0),  # API 1.45, moby #45687
    "endpoint_sysctls": (27, 0, 0),  # API 1.46, moby #47686
    "gw_priority": (28, 0, 0),  # API 1.48, moby 5b752fab32
    "interface_name": (28, 0, 0),  # moby #49155
    "enable_ipv4": (28, 0, 0),  # API 1.48, moby #48271
    # Of the engine's own settings, by the file's names: the first release whose `daemon/config` has them.
    "default-network-opts": (24, 0, 0),
    "ip6tables": (27, 0, 0),  # before, it was refused unless experimental features were on
    "bip6": (28, 0, 0),
    "host-gateway-ips": (28, 0, 0),
    "ip-forward-no-drop": (28, 0, 0),
    "allow-direct-routing": (28, 2, 0),
    "bridge-accept-fwmark": (29, 0, 0),
    "firewall-backend": (29, 0, 0),
}
"""The words of a definition that some engines do not know, each with the first release of the engine that does, and of
its command line (docker/cli) too; all others came before 20.10."""


def since(word: str) -> str:
    """Return the first release that knows a word, such as `28.0`."""
    return ".".join(map(str, SINCE[word][:2]))


def numbers(text: str) -> Version:
    """Return the numbers of `28.5.2+dfsg4`; the last release of its line for `28.5`, all zero for no version at all."""
    found = re.match(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", text)
    return (int(found[1]), int(found[2]), int(found[3]) if found[3] else LAST) if found else (0, 0, 0)


class Change:
    """Something that is so from one release on, or up to one: asked of an engine by its name."""

    def __init__(self, ask: Callable[[Engine], bool]) -> None:
        self.ask = ask
        self.name = ask.__name__
        self.__doc__ = ask.__doc__

    @overload
    def __get__(self, engine: None, owner: type[Engine]) -> Change: ...

    @overload
    def __get__(self, engine: Engine, owner: type[Engine]) -> bool: ...

    def __get__(self, engine: Engine | None, owner: type[Engine]) -> Change | bool:
        """Return what the engine's version says, or what the engine is held at."""
        if engine is None:
            return self
        return dict(engine.held).get(self.name, self.ask(engine)) if engine.held else self.ask(engine)


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine of a version, with those of its settings that decide which rules it writes.

    `proxy` is `userland-proxy`; `ip6tables` None leaves it to the version. `direct` is `allow-direct-routing`,
    `forwards` is `ip-forward`. A version of zeros is one that is not known: it has nothing that came later. `held` are
    changes that it is held at, whatever its version: what another engine would do in this one's place.
    """

    version: Version = (0, 0, 0)
    backend: Backend = "iptables"
    proxy: bool = True
    iptables: bool = True
    ip6tables: bool | None = None
    direct: bool = False
    forwards: bool = True
    held: tuple[tuple[str, bool], ...] = ()

    def __str__(self) -> str:
        words = [str(number) for number in self.version if number != LAST]
        return ".".join(words) + (" with nftables" if self.backend == "nftables" else "")

    @property
    def line(self) -> tuple[int, int]:
        """Return major and minor version."""
        return self.version[:2]

    @property
    def known(self) -> bool:
        """Tell whether the version could be read."""
        return self.version > (0, 0, 0)

    @property
    def observed(self) -> bool:
        """Tell whether rules of an engine of this line were held against what is imagined of it."""
        return self.line in OBSERVED[self.backend]

    @property
    def doubt(self) -> str:
        """Return a sentence for people where nobody observed an engine of this line, else an empty text."""
        if self.observed or not self.known:
            return ""
        newest = max(OBSERVED[self.backend])
        if self.line > newest:
            told = f"it is newer than {newest[0]}.{newest[1]}, the newest engine that was ever held against it"
            return f"what engine {self} makes is imagined as if nothing had changed since: {told}"
        return (
            f"what engine {self} makes is imagined by its source alone: no engine of its line was ever held against it"
        )

    @property
    def supported(self) -> bool:
        """Tell whether it is new enough for dockerlab."""
        return self.line >= OLDEST

    def knows(self, word: str) -> bool:
        """Tell whether it knows a word of a definition; one whose version cannot be read is taken to."""
        return not self.known or self.version >= SINCE.get(word, (0, 0, 0))

    # The firewall

    @property
    def filters(self) -> frozenset[int]:
        """Return the IP versions for which it keeps rules."""
        ipv6 = self.filters_ipv6 if self.ip6tables is None else self.ip6tables
        return frozenset(version for version, kept in ((4, self.iptables), (6, ipv6)) if kept)

    @Change
    def filters_ipv6(self) -> bool:
        """Tell whether it keeps rules for IPv6 by itself (27.0.1, moby #47747)."""
        return self.version >= (27, 0, 0)

    @Change
    def own_chain(self) -> bool:
        """Tell whether its rules are in DOCKER-FORWARD (28.0.1, moby #49518), not straight in FORWARD."""
        return self.version >= (28, 0, 1)

    @Change
    def bridge_sets(self) -> bool:
        """Tell whether FORWARD asks a set for the bridges' subnets: 28.0.0 alone (moby #48724, undone by #49530)."""
        return self.version[:3] == (28, 0, 0)

    @Change
    def closes_ports(self) -> bool:
        """Tell whether a bridge in gateway mode nat is closed to other machines by itself (28.0.0, moby #48724)."""
        return self.version >= (28, 0, 0)

    @Change
    def accepts_outgoing(self) -> bool:
        """Tell whether one rule accepts what comes from a bridge, to wherever it goes (28.0.0, moby #48724)."""
        return self.version >= (28, 0, 0)

    @Change
    def drops_past_bridge(self) -> bool:
        """Tell whether raw PREROUTING drops what comes for a container past its bridge (28.2.0, moby #49832)."""
        return self.version >= (28, 2, 0)

    @Change
    def drops_direct_ports(self) -> bool:
        """Tell whether it drops there what comes for a published port of a container: 28.0 and 28.1 (moby #49325)."""
        return (28, 0, 0) <= self.version < (28, 2, 0)

    @Change
    def guards_loopback(self) -> bool:
        """Tell whether ports published on 127.0.0.1 are closed to other machines (28.0.0, moby #49325)."""
        return self.version >= (28, 0, 0)

    @Change
    def stages(self) -> bool:
        """Tell whether bridges are kept apart by the two ISOLATION chains (up to 28; gone in 29.0.0, moby #49981)."""
        return self.version < (29, 0, 0)

    @Change
    def stages_end(self) -> bool:
        """Tell whether those chains end with RETURN (up to 27; moby bd30a51ea7)."""
        return self.version < (28, 0, 0)

    @Change
    def stages_without_subnet(self) -> bool:
        """Tell whether they are kept apart for IPv6 also where they have none (up to 28.0.0; moby 8cc4d1d4a2b6)."""
        return self.version <= (28, 0, 0)

    @Change
    def routes_between(self) -> bool:
        """Tell whether other bridges may come into one in mode routed (28.0.0, moby #48526, 0546d9084f)."""
        return self.version >= (28, 0, 0)

    @Change
    def pings_routed(self) -> bool:
        """Tell whether pings may come into a bridge in mode routed (28.0.0, moby 6634fc5136)."""
        return self.version >= (28, 0, 0)

    @Change
    def returns(self) -> bool:
        """Tell whether what comes from a bridge is kept from DNAT for docker-proxy (up to 28; moby #49981)."""
        return self.version < (29, 0, 0)

    @Change
    def returns_routed(self) -> bool:
        """Tell whether that is so in gateway mode routed too (from 28.0.0 on, moby 0546d9084f)."""
        return self.version >= (28, 0, 0)

    @Change
    def returns_routed_always(self) -> bool:
        """Tell whether it is so there without docker-proxy as well (28.0.0 and 28.0.1; moby 4d8cff7bd4)."""
        return (28, 0, 0) <= self.version < (28, 0, 2)

    @Change
    def always_hairpins(self) -> bool:
        """Tell whether who calls its own published port is masqueraded beside docker-proxy too (up to 27).

        From 28.0.0 on only without it (moby bf251c33d0).
        """
        return self.version < (28, 0, 0)

    @Change
    def spares_link_local(self) -> bool:
        """Tell whether what comes from a link-local address is left to docker-proxy (28.0.0, moby 7ca9e9b496)."""
        return self.version >= (28, 0, 0)

    @Change
    def narrow_internal(self) -> bool:
        """Tell whether an internal bridge lets IPv6 of any address pass from port to port (24.0.6, moby b7d1e98ae7)."""
        return self.version >= (24, 0, 6)

    @property
    def internal_chain(self) -> bool:
        """Tell whether internal networks have chain DOCKER-INTERNAL, in place of the ISOLATION chains."""
        return not self.stages

    @Change
    def jumps_at_start(self) -> bool:
        """Tell whether nat has its jumps before there is any network of that IP version (28.0.0, moby bd30a51ea7)."""
        return self.version >= (28, 0, 0)

    @Change
    def user_chain_ends(self) -> bool:
        """Tell whether DOCKER-USER ends with RETURN (up to 28.2.1; moby dc519a0f18)."""
        return self.version < (28, 2, 2)

    @Change
    def user_chain_ipv6(self) -> bool:
        """Tell whether DOCKER-USER is there for IPv6 as well (25.0.0, moby a5f45b47a3)."""
        return self.version >= (25, 0, 0)

    @Change
    def knows_nftables(self) -> bool:
        """Tell whether it can write its rules for nftables itself (29.0.0, `firewall-backend`, moby #50357)."""
        return self.version >= (29, 0, 0)

    @Change
    def swarm_feature(self) -> bool:
        """Tell whether a feature lets it into a Swarm beside the nftables backend (29.6.0, moby 280a23a32d)."""
        return self.version >= (29, 6, 0)

    @Change
    def sums_sctp(self) -> bool:
        """Tell whether it has the checksums of SCTP filled in (up to 27; moby 8be292a7bb)."""
        return self.version < (28, 0, 0)

    @Change
    def bpf(self) -> bool:
        """Tell whether it finds an overlay's packets by BPF, not by u32 (23.0.3, moby 98cbcb8003)."""
        return self.version >= (23, 0, 3)

    @Change
    def accepts_encrypted(self) -> bool:
        """Tell whether it lets an overlay's encrypted packets in by a rule (up to 24; moby 1e195acee4)."""
        return self.version < (25, 0, 0)

    @Change
    def peers_untold(self) -> bool:
        """Tell whether it is not known if a neighbour's published port is open with icc off and without docker-proxy.

        It is closed up to 29.8.0, the last that was observed; moby #53723 opens it in a later release of 29.
        """
        return self.version > (29, 8, 0)

    # What the options of a network mean

    @Change
    def gateway_modes(self) -> bool:
        """Tell whether it knows gateway modes `nat` and `routed` (27.0.1, moby #47871)."""
        return self.version >= (27, 0, 0)

    @Change
    def unprotected(self) -> bool:
        """Tell whether it knows gateway mode `nat-unprotected` (28.0.0, moby #48724)."""
        return self.version >= (28, 0, 0)

    @Change
    def isolated(self) -> bool:
        """Tell whether it knows gateway mode `isolated` (28.0.0, moby #49262)."""
        return self.version >= (28, 0, 0)

    @Change
    def trusts_interfaces(self) -> bool:
        """Tell whether it knows `trusted_host_interfaces` and `allow-direct-routing` (28.2.0, moby #49832)."""
        return self.version >= (28, 2, 0)

    @Change
    def source_option(self) -> bool:
        """Tell whether `com.docker.network.host_ipv6` is known (25.0.0, moby 808120e5b8); `host_ipv4` always was."""
        return self.version >= (25, 0, 0)

    @Change
    def ipvlan_flags(self) -> bool:
        """Tell whether it knows `ipvlan_flag` and mode l3s (23.0.0, moby f70a9788c5); before, it ignores them."""
        return self.version >= (23, 0, 0)

    # Addresses and routes

    @Change
    def internal_route(self) -> bool:
        """Tell whether an internal bridge gives a default route (up to 24; moby #46603)."""
        return self.version < (25, 0, 0)

    @Change
    def internal_address(self) -> bool:
        """Tell whether an internal bridge has an IPv4 address on the host.

        Not so in 25.0.0 to 25.0.3 (moby #47329, c761353e7c).
        """
        return not (25, 0, 0) <= self.version < (25, 0, 4)

    @Change
    def parentless_route(self) -> bool:
        """Tell whether macvlan and ipvlan without a parent give a default route (up to 26.0.0; moby dc2755273e)."""
        return self.version < (26, 0, 1)

    @Change
    def guesses_gateway(self) -> bool:
        """Tell whether macvlan and ipvlan give a default route where no gateway is named (up to 28; moby #50929)."""
        return self.version < (29, 0, 0)

    @Change
    def gateway_priorities(self) -> bool:
        """Tell whether an endpoint's `gw-priority` decides before all else (28.0.0, moby 5b752fab32)."""
        return self.version >= (28, 0, 0)

    @Change
    def routes_by_version(self) -> bool:
        """Tell whether IPv4 and IPv6 may have their default route by different networks (28.0.0, moby #48576).

        A device route, as mode l3 of ipvlan gives it, competes from then on as well (#49130).
        """
        return self.version >= (28, 0, 0)

    @Change
    def dual_stack_first(self) -> bool:
        """Tell whether a network that gives both default routes beats priorities: 28.0 to 29.4.0 (moby e30a6fa93b)."""
        return (28, 0, 0) <= self.version < (29, 4, 1)

    @Change
    def routed_always_open(self) -> bool:
        """Tell whether a port is open on routed networks that do not give the default route (29.0.0, moby #50140)."""
        return self.version >= (29, 0, 0)

    @Change
    def ipv6_on_lo(self) -> bool:
        """Tell whether containers have ::1 without any IPv6 network (26.0.0; before, IPv6 was off there)."""
        return self.version >= (26, 0, 0)

    @Change
    def link_local_gateway(self) -> bool:
        """Tell whether a bridge with IPv6 has the address fe80::1 too (up to 26; moby aa3a86c038)."""
        return self.version < (27, 0, 0)

    # MAC addresses

    @property
    def mac_by_address(self) -> bool:
        """Tell whether the MAC address that it makes follows from the IPv4 address (up to 27; moby #48808)."""
        return self.known and self.version < (28, 0, 0)

    @property
    def keeps_made_mac(self) -> bool:
        """Tell whether it notes a MAC address of its own as if it had been told (25.0.0 to 25.0.2; moby #47304)."""
        return (25, 0, 0) <= self.version < (25, 0, 3)

    # Name servers, the API, and the engine's settings

    def refuses_command(self, client: Version) -> bool:
        """Tell whether it speaks no version of the API that a docker command of that version does.

        From 29.0 to 29.2 it wants API 1.44, which came with 25.0, then 1.40 (moby #52067), which came with 19.03.
        """
        oldest = (25, 0, 0) if self.version < (29, 3, 0) else (19, 3, 0)
        return self.version >= (29, 0, 0) and client < oldest

    @Change
    def asks_through_host(self) -> bool:
        """Tell whether the servers that the host uses are asked from the host's namespace (28.0.0, d29767431c)."""
        return self.version >= (28, 0, 0)

    @Change
    def ipv6_by_itself(self) -> bool:
        """Tell whether docker0's IPv6 needs no `fixed-cidr-v6` (28.0.0, moby #48319)."""
        return self.version >= (28, 0, 0)

    @Change
    def range_is_subnet(self) -> bool:
        """Tell whether `fixed-cidr` alone is docker0's subnet (28.0.0; observed: 20.10 no, 28.5 yes)."""
        return self.version >= (28, 0, 0)


CHANGES: dict[str, Change] = {name: value for name, value in vars(Engine).items() if isinstance(value, Change)}
"""Everything that changed from engine to engine, by its name."""

BOUNDARIES: tuple[Version, ...] = (
    (23, 0, 0), (23, 0, 3), (24, 0, 6), (25, 0, 0), (25, 0, 4), (26, 0, 0), (26, 0, 1), (27, 0, 0), (28, 0, 0),
    (28, 0, 1), (28, 0, 2), (28, 2, 0), (28, 2, 2), (29, 0, 0), (29, 4, 1), (29, 6, 0), (29, 8, 1),
)  # fmt: skip
"""The releases with which something changed."""


def differing(one: Engine, other: Engine) -> list[str]:
    """Return the names of the changes that two engines do not agree on."""
    return [name for name in CHANGES if getattr(one, name) is not getattr(other, name)]


def release(name: str, one: Engine, other: Engine) -> Version | None:
    """Return the first release between two engines that has something otherwise than the older of them."""
    older, newer = sorted((one.version, other.version))
    before = CHANGES[name].ask(Engine(older))
    between = (each for each in BOUNDARIES if older < each <= newer)
    return next((each for each in between if CHANGES[name].ask(Engine(each)) is not before), None)


def holding(engine: Engine, names: Iterable[str], like: Engine) -> Engine:
    """Return an engine that does some things as another one does them."""
    return replace(engine, held=tuple((name, bool(getattr(like, name))) for name in names))


def named(text: str) -> Engine:
    """Return the engine that `28.5`, `29.1.3`, or `29.8-nftables` (with that firewall backend) means.

    Raises ValueError for what names none, or a backend that its version has not.
    """
    found = re.fullmatch(r"(\d{1,4}\.\d{1,4}(?:\.\d{1,4})?)(?:[-+~][\w.+~-]*?)??(?:[-+](nftables|iptables))?", text)
    if found is None:
        raise ValueError("write a version of the Docker engine, such as 20.10 or 28.5, or 29.8-nftables")
    engine = Engine(numbers(found[1]), "nftables" if found[2] == "nftables" else "iptables")
    if engine.backend == "nftables" and not engine.knows_nftables:
        raise ValueError("an engine knows the firewall backend nftables from 29.0 on")
    return engine
