"""The engine's own settings on a host: /etc/docker/daemon.json changed for a lab, and put back after it.

state     what the file is now, and what dockerlab keeps beside it of the file before
effective what the engine runs with, by the file and its command line. Pure
settings  from the file and a definition's section to the file that is wanted, and the difference between them. Pure
stopped   whose containers a restart of the engine would stop. Pure
refusals  what would not work on this host, or would harm somebody, before anything is touched. Pure
commands  the commands that change the file and put it back, each with the engine's restart
"""

from dockerlab.daemon.effective import Effective, effective
from dockerlab.daemon.settings import Change, change
from dockerlab.daemon.state import SETTINGS, DaemonFile, Kept, look, parse
from dockerlab.daemon.stopped import running

__all__ = [
    "SETTINGS",
    "Change",
    "DaemonFile",
    "Effective",
    "Kept",
    "change",
    "effective",
    "look",
    "parse",
    "running",
]
