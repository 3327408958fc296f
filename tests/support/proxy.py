"""A class's server, and a proxy with TLS before it, set as the documentation says."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from contextlib import ExitStack

from dockerlab.classroom.app import application
from dockerlab.serve.door import Door
from dockerlab.serve.server import listening, serving
from support.class_places import Places, room
from support.lab_hosts import ROOT, wait_for

PROGRAMS = ("nginx", "openssl")
WHOLE = """
pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    {location}
  }}
}}
"""


def missing():
    """Return the programs of the proxy that are not here."""
    return [each for each in PROGRAMS if shutil.which(each, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]


class Class:
    """A class on this machine alone, served where `on` listens."""

    def __init__(self, folder, on=None):
        self.stack, door = ExitStack(), Door()
        on = on or listening("127.0.0.1", 0)
        self.port = on.getsockname()[1]
        self.room = room(folder, Places(folder))
        make = serving(lambda ending: application(self.room, ending, door.trust), on, door, sockets=True)
        self.stack.enter_context(make)

    def link(self, begin, who):
        return f"{begin}s/{who}/?token={self.room.enrolled.tokens[who]}"


class Proxy:
    """nginx with TLS, whose part for the class is what the documentation has, for another port."""

    def __init__(self, folder, to):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/classroom.md").read_text(), re.DOTALL)
        assert "127.0.0.1:8643" in block
        location = block.replace("127.0.0.1:8643", f"127.0.0.1:{to}")
        self.conf = folder / "nginx.conf"
        self.conf.write_text(WHOLE.format(folder=folder, port=self.port, location=location))
        request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        request += ["-addext", "subjectAltName=DNS:localhost"]
        self.certificate = str(folder / "cert.pem")
        files = ["-keyout", str(folder / "key.pem"), "-out", self.certificate]
        subprocess.run([*request, *files], check=True, capture_output=True)
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", str(self.conf), "-g", "daemon off;"])
        wait_for(self.answers)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def answers(self):
        assert self.process is not None
        assert self.process.poll() is None, "nginx has ended"
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0
