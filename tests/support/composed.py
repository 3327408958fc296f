"""Compose files of a test's own, as labs; and what Compose's own program says of them, where there is one."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from dockerlab import modes
from dockerlab.compose.options import Options


def definition(directory, text, *, environment=None, **more):
    """Return the definition of a project `shop` in a directory; further keywords are options."""
    path = directory / "compose.yaml"
    path.write_text(text)
    return modes.definition(path, options=Options(project="shop", environment=environment or {}, **more))


def lab(directory, text, **more):
    """Return the lab of it."""
    return definition(directory, text, **more).lab


def program():
    """Return the command line of Docker Compose 2, None where there is none: on the PATH, or in an engine's root."""
    root = os.environ.get("DOCKERLAB_ROOTFS")
    plugin = Path(root or "/") / "usr/libexec/docker/cli-plugins/docker-compose"
    if plugin.is_file():
        return [str(plugin)]
    found = shutil.which("docker-compose")
    return [found] if found is not None else None


def config(command, *files, project="shop", profiles=(), environment=None):
    """Return what Compose itself makes of files; raises CalledProcessError where it refuses them."""
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    named = [word for file in files for word in ("-f", str(file))]
    call = [*command, "-p", project, *chosen, *named, "config", "--format", "json"]
    told = subprocess.run(
        call, check=True, capture_output=True, env={"PATH": os.environ["PATH"], **(environment or {})}
    )
    return json.loads(told.stdout)
