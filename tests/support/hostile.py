"""A class of six, and what a hostile engine, agent or survey says in each mode."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

from dockerlab.engine import bounded
from dockerlab.hosts.attending import TIMES
from dockerlab.students.as_json import document
from dockerlab.students.course import arranged
from dockerlab.students.grading import grade
from dockerlab.students.roster import one
from dockerlab.students.subnets import Source
from support.labs import lab
from support.strangers import Stranger, honest_agent, honest_engine

LAB = lab("""
    hosts: {h: local}
    networks: {net: {subnet: 172.31.1.0/24}}
    containers:
      web: {image: dockerlab/node, networks: {net: {ip: 172.31.1.10}}, command: "httpd -f"}
      peer: {image: dockerlab/node, networks: {net: {ip: 172.31.1.11}}}
""")
ON_TWO_HOSTS = """
hosts: {h0: local, h1: "ssh://far"}
networks: {net: {subnet: 172.31.1.0/24, hosts: [h0]}, far: {subnet: 172.31.2.0/24, hosts: [h1]}}
containers:
  web: {host: h0, image: dockerlab/node, networks: {net: {ip: 172.31.1.10}}}
  peer: {host: h0, image: dockerlab/node, networks: {net: {ip: 172.31.1.11}}}
  away: {host: h1, image: dockerlab/node, networks: {far: {ip: 172.31.2.10}}}
"""
TWO_HOSTS = lab(ON_TWO_HOSTS)
NAMES = [f"h{number}" for number in range(6)]
COURSE, _ = arranged(LAB, [one(f"s0{number}") for number in range(1, 7)], NAMES, Source())
OF = {next(iter(each.lab.hosts)): each.lab for each in COURSE.instances}

DEEP = b"[" * 200_000 + b"]" * 200_000
VERSION = {"Version": "28.5.2", "ApiVersion": "1.51"}


def honest(name):
    return Stranger(name, honest_engine(OF[name], name), honest_agent(OF[name], name))


def answering(path, answer):
    """Return what makes an engine of an honest one that gives another answer to a path."""

    def made(name):
        right = honest_engine(OF[name], name)
        return lambda asked: answer if asked.endswith(path) else right(asked)

    return made


def raw(body, head=b""):
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


ENGINES = {
    "noapi": answering("/version", {}),
    "list": answering("/version", []),
    "nullver": answering("/version", {"ApiVersion": None}),
    "longver": answering("/version", {**VERSION, "Version": f"{'9' * 5000}.1.1"}),
    "badver": answering("/version", {"ApiVersion": "../../x"}),
    "deepjson": answering("/version", raw(DEEP)),
    "infolist": answering("/info", [1]),
    "intlist": answering("/containers/json", [1, 2]),
    "nothing": answering("/networks", None),
    "numbers": answering("/images/json", [{"Id": 3}]),
    "labels": answering("/containers/json", [{"Id": "x", "Names": ["/x"], "Labels": {"dockerlab.lab": ["demo"]}}]),
    "half": answering("/info", raw(b'{"DockerRootDir": "\\ud800"}')),
    "infinite": answering("/info", raw(b'{"Swarm": {"x": Infinity}}')),
    "redirect": answering("/version", b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:8443/secret\r\n"
                                      b"Content-Length: 0\r\n\r\n"),
    "redirect to a socket": answering("/version", b"HTTP/1.1 302 Found\r\nLocation: http+unix://x\r\n"
                                                  b"Content-Length: 0\r\n\r\n"),
    "gzip": answering("/info", raw(gzip.compress(b" " * 2**26), b"Content-Encoding: gzip\r\n")),
    "big": answering("/info", raw(b" " * (bounded.LARGEST + 1))),
    "many": answering("/info", raw(b"[" + b"{}," * 2**20 + b"{}]")),
    "no HTTP": answering("/version", b"Welcome!\r\n"),
}  # fmt: skip


def reporting(**other):
    """Return what makes an agent of an honest one whose report has something else in it."""

    def made(name):
        right = honest_agent(OF[name], name)
        return lambda job, step: {**right(job, step), **(other if step == "stop" else {})}

    return made


def starting(said):
    return lambda name: lambda job, step: said if step == "job" else honest_agent(OF[name], name)(job, step)


def in_records(**other):
    def made(name):
        right = honest_agent(OF[name], name)

        def say(job, step):
            said = right(job, step)
            return {**said, "cells": [{**each, **other} for each in said["cells"]]} if step == "stop" else said

        return say

    return made


AGENTS = {
    "noevent": starting({}),
    "list": starting([1]),
    "deep": starting(DEEP + b"\n"),
    "kernlist": starting({"event": "ready", "kernel": [1], "places": {}}),
    "noplaces": starting({"event": "ready", "kernel": "x", "places": {}}),
    "notready": starting({"event": "x", "reason": "I would rather not"}),
    "unable": starting({"event": "failed", "reason": "the agent needs root"}),
    "nocells": reporting(cells=None),
    "badarr": reporting(arrivals=[1]),
    "others": reporting(arrivals=[[0, 0, 4711, "mark of 0"]]),
    "others' cells": reporting(cells=[{"number": 10**6, "outcome": "silent", "server": ""}]),
    "nooutcome": in_records(outcome=None),
    "rttlist": in_records(rtt=[1]),
    "markless": in_records(marks=[["x"]]),
    "no address": in_records(addresses=["x"]),
    "overstr": reporting(overflows="x"),
    "overflow": reporting(overflows=5),
    "numbers": reporting(numbers=list(range(10**4))),
    "knocks": reporting(knocks=[[1, 2]]),
    "delivered": reporting(delivered=[[4711, 5000]]),
    "began": in_records(began="x"),
}

LOOKS = {
    "noevent": b"{}",
    "deep": DEEP,
    "list": b"[1]",
    "other types": json.dumps({
        "uid": 0, "kernel": [1], "namespaces": [], "unread": {}, "proxies": [], "owners": [], "unseen": 0,
    }).encode(),
}  # fmt: skip


def graded(hosts, left_out=(), times=TIMES):
    """Return the grades of a class as JSON's values, by the host of each student."""
    kept = tuple(each for each in COURSE.instances if not left_out or next(iter(each.lab.hosts)) not in left_out)
    there = {name: hosts[name] for name in OF if name not in left_out}
    found = grade(replace(COURSE, instances=kept), there, times=times)
    return {each.hosts[0]: document(each) for each in found}
