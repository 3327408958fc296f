"""What machines may say of themselves, in few words: links, routes, settings of the kernel and of the engine."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

from dockerlab.daemon import Effective
from dockerlab.facts import GOSSIP, Facts
from dockerlab.kernel.model import BRIDGE_NF, IP6_FORWARD, IP_FORWARD, Link, Listener
from dockerlab.kernel.routes import Hop, Route
from dockerlab.kernel.rules import UNREAD, Chain, Ruleset

FLAGS = {"ip_forward": IP_FORWARD, "ip6_forward": IP6_FORWARD, "bridge_nf": BRIDGE_NF}


def nic(name, *addresses, mac="", up=True):
    """Return an interface of a host with some addresses."""
    return Link(0, name, mac=mac, mtu=1500, up=up, addresses=tuple(map(ip_interface, addresses)))


def way(destination, via, device):
    """Return a route of a host: the default route where no destination is named, on-link where no router is."""
    via = ip_address(via) if via is not None else None
    everywhere = "::/0" if via is not None and via.version == 6 else "0.0.0.0/0"
    return Route(ip_network(destination or everywhere), hops=(Hop(device, via),), text=f"{destination} dev {device}")


def altered(facts, **changes):
    """Return facts of which some are others, each by its name: of the kernel, of the engine's settings, or of the rest.

    None stands for what could not be read.
    """
    ground = facts.ground
    sysctls, settings, more = dict(ground.sysctls), {}, {}
    for name, value in changes.items():
        if name in FLAGS:
            sysctls = {path: text for path, text in sysctls.items() if path != FLAGS[name]}
            sysctls |= {FLAGS[name]: str(int(value))} if value is not None else {}
        elif name == "nics":
            ground = replace(ground, links=tuple(value))
        elif name == "routes":
            ground = replace(ground, routes=tuple(value))
        elif name == "forward_policy":
            chain = Chain("ip", "filter", "FORWARD", hook="forward", policy=value or UNREAD)
            ground = replace(ground, ruleset=Ruleset((chain,)))
        elif name == "gossip":
            ground = replace(ground, deaf="", listeners=(Listener("tcp", "0.0.0.0", GOSSIP),) if value else ())
        else:
            (settings if name in Effective.__dataclass_fields__ else more)[name] = value
    return replace(facts, ground=replace(ground, sysctls=sysctls), settings=replace(facts.settings, **settings), **more)


def facts_of(host, **told):
    """Return the facts of a machine of which only these could be read."""
    return altered(Facts(host), **told)
