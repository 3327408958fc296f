"""Where passwords come from, and where they do not go."""

import io
import sys
import types

import pytest

from dockerlab.errors import UsageError
from dockerlab.hosts.address import SshOptions, parse_address
from dockerlab.hosts.passwords import VARIABLE, Prompt, from_environment, from_keyring


def test_environment():
    """The password is taken out of the environment, so that no program started from here inherits it."""
    environment = {VARIABLE: "hush", "PATH": "/bin"}
    assert from_environment(environment) == "hush"
    assert environment == {"PATH": "/bin"}
    assert from_environment(environment) is None
    assert from_environment({VARIABLE: ""}) is None


def keyring(monkeypatch, get):
    module = types.ModuleType("keyring")
    module.get_password = get
    module.__spec__ = types.SimpleNamespace(name="keyring")
    monkeypatch.setitem(sys.modules, "keyring", module)


def test_keyring(monkeypatch):
    """The keyring is asked for a host's user under dockerlab's own name."""
    keyring(monkeypatch, lambda service, who: f"{service}:{who}")
    assert from_keyring("root@vm0") == "dockerlab:root@vm0"


def test_keyring_that_is_locked(monkeypatch):
    """A keyring that cannot be read is told by the kind of its error, whose words could hold anything."""

    def get(_service, _who):
        raise RuntimeError("secret text")

    keyring(monkeypatch, get)
    with pytest.raises(OSError, match=r"the keyring cannot be read: RuntimeError$"):
        from_keyring("root@vm0")


def test_no_prompt_without_a_terminal(monkeypatch):
    """Without a terminal nobody is asked, so nothing ever waits unseen."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("typed\n"))
    assert Prompt()("root@vm0") is None


def test_not_in_texts():
    """Neither the options nor an address show a password."""
    assert "hush" not in repr(SshOptions(password="hush", ask=lambda _who: "hush"))
    with pytest.raises(UsageError, match=VARIABLE) as error:
        parse_address("ssh://root:hush@vm0")
    assert "hush" not in str(error.value)
