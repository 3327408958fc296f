"""Somebody who works through an exercise."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from dockerlab.cli.app import app
from dockerlab.errors import DockerlabError
from support.lab_hosts import LabHosts, Outcome


@dataclass(frozen=True)
class Student:
    """Somebody at a terminal: calls of `dockerlab exercise`, in this process, and shell commands beside it."""

    lab: LabHosts
    state: Path

    def call(self, *words):
        """Return what a call of `dockerlab exercise` gives, as `LabHosts.call` does."""
        # Whoever runs the tests may have set COLUMNS: lines are looked for as they are, not folded to its width.
        variables = {**self.lab.environment(XDG_STATE_HOME=str(self.state)), "COLUMNS": None}
        done = CliRunner().invoke(app, ["exercise", *map(str, words)], env=variables)
        error = done.exception
        if isinstance(error, DockerlabError):
            return Outcome(error.exit_code, done.stdout, f"{done.stderr}{error}")
        if error is not None and not isinstance(error, SystemExit):
            raise error
        return Outcome(done.exit_code, done.stdout, done.stderr)

    def types(self, text):
        """Run commands as a shell does that stops at the first one that fails."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", "-eu", "-c", text], env=self.lab.environment(PATH=path, XDG_STATE_HOME=str(self.state)),
            cwd=self.lab.home, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def does(self, text):
        done = self.types(text)
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"

    def passes(self, *words):
        said = self.call("check", *words)
        assert said.rc == 0, said.stdout + said.stderr
        return said
