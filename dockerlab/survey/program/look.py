"""Read what there is of networks on this host: the program that is sent there.

It changes nothing. Standard library only, and Python 3.6 must run it. What a command or a file does not tell is said
with the error, for "could not be read" is not "nothing".
"""

import json
import os
import sys

from dockerlab.survey.program import engine
from dockerlab.survey.program.asking import Json, text_of
from dockerlab.survey.program.processes import Processes
from dockerlab.survey.program.spaces import namespaces_of


def main() -> "None":
    """Print what this host shows, as one line of JSON; the argument says what is wanted."""
    sys.stdout.write(json.dumps(look(json.loads(sys.argv[2]))) + "\n")


def look(wanted: "Json") -> "Json":
    """Return what this host shows, by where it was read.

    `pids` are processes whose namespaces are looked into, and whose name servers are told; without them the engine is
    asked for its containers, and what it says is there, too. `detail` is `all`, `host` for the host's own namespace
    alone, `ground` for no more of it than a plan needs, or `listeners` for who waits for connections in any namespace
    that has a process: so nobody has to be asked before which these are.
    """
    prepare()
    if wanted["detail"] == "listeners":
        return listeners()
    if wanted["pids"] is None:
        said = engine.engine()
        pids = engine.pids_of(said)
    else:
        pids = wanted["pids"]
        said = {"resolvers": {str(pid): text_of(f"/proc/{pid}/root/etc/resolv.conf") for pid in pids}}
    detail = wanted["detail"]
    inside = [] if detail in ("host", "ground") else pids
    namespaces, unread = namespaces_of(inside, detail)
    processes = Processes(some=detail != "ground")
    sockets = {each["inode"] for space in namespaces for each in space.get("sockets", ())}
    return dict(
        said,
        uid=os.getuid(),
        kernel=os.uname().release,
        namespaces=namespaces,
        unread=unread,
        proxies=processes.proxies(),
        owners=processes.owners(sockets),
        unseen=processes.unseen,
    )


def listeners() -> "Json":
    """Return who waits for connections, and in the host's own namespace also which of the contained processes it is."""
    processes = Processes()
    namespaces, unread = namespaces_of(processes.seen(), "listeners")
    sockets = {each["inode"] for space in namespaces if space["host"] for each in space["sockets"]}
    return {
        "uid": os.getuid(),
        "kernel": os.uname().release,
        "namespaces": namespaces,
        "unread": unread,
        "proxies": [],
        "owners": processes.contained().owners(sockets),
        "unseen": processes.unseen,
    }


def prepare() -> "None":
    """Let commands be found where administrators' programs are, and speak English."""
    path = os.environ.get("PATH", os.defpath)
    if "/usr/sbin" not in path.split(":"):
        os.environ["PATH"] = path + ":/usr/sbin:/sbin"
    os.environ["LC_ALL"] = "C"
