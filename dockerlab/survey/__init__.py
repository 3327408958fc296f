"""What is on the hosts now: the engines' objects, the machines' facts, what is inside the containers' namespaces.

asking    all hosts asked at once, also where some do not answer
hosts     what a look at all hosts brings
facts     what a machine is like beneath its engine
inside    what is in containers' network namespaces
run_in    a command in a container
"""

from dockerlab.survey.asking import Answers, ask_all, on_each
from dockerlab.survey.hosts import Seen, look, look_again, look_where_told, settings, survey

__all__ = ["Answers", "Seen", "ask_all", "look", "look_again", "look_where_told", "on_each", "settings", "survey"]
