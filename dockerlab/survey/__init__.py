"""What is on the hosts now: the engines' objects, the machines' facts, what is inside the containers' namespaces."""

from dockerlab.survey.hosts import Seen, Settings, Survey, look, look_again, on_each, settings, survey

__all__ = ["Seen", "Settings", "Survey", "look", "look_again", "on_each", "settings", "survey"]
