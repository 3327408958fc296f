"""What looks like a secret is never written: a definition is read, shared and committed.

Of a variable, its value is written only where both its name and the value are of a kind that holds no secret; all
others are asked for by name. In what has to be written, such as a command, what looks like a secret is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from dockerlab.lab.check import LOGIN

REPLACED = "CHANGE-ME"
"""Stands where a secret stood."""

NAMED = re.compile(
    r"pass|pwd|secret|token|credential|private|api_?-?key|access_?-?key|webhook|licen[cs]e"
    r"|(^|[_.-])(key|pw|pin|auth|salt|otp|cert|psk|dsn|jwt|cookie|session|signature|community|user)s?([_.-]|$)"
    r"|(Key|Pw|Auth)([A-Z_.-]|$)",
)
LOOSE = re.compile(NAMED.pattern, re.IGNORECASE)
"""The names of what may be a secret, in any notation: `DB_PASSWORD`, `apiKey`, `--auth-token`."""

VALUE = re.compile(
    r"-----BEGIN|\beyJ[\w-]{8,}\.|\b(gh[pousr]_|github_pat_|glpat-|xox[a-z]-|sk-|pk_|rk_|AKIA|ASIA|AIza|npm_|hvs\.)\w"
    r"|\$(2[aby]|5|6|argon2\w*|pbkdf2[\w-]*)\$"
)
"""What some secrets begin with: keys, tokens of well-known services, hashes of passwords."""

RANDOM = re.compile(r"(?=\S*[0-9])(?=\S*[A-Za-z])[A-Za-z0-9+/=_-]{20,}")
"""Letters and digits without a word among them."""

HARMLESS = re.compile(
    r"(TZ|LANG|LANGUAGE|LC_\w+|TERM|PATH|HOME|SHELL|EDITOR|PAGER|DEBUG|VERBOSE|MODE|ROLE|STAGE|NODE_ENV|DEBIAN_FRONTEND"
    r"|PYTHON\w+|GO(GC|MAXPROCS|DEBUG)|JAVA_HOME"
    r"|(\w+_)?(HOST|HOSTS|HOSTNAME|PORT|PORTS|ADDR|ADDRESS|DIR|DIRECTORY|FILE|LEVEL|ENV|MODE|TIMEOUT|INTERVAL|WORKERS"
    r"|THREADS|VERSION|FORMAT|ENABLED|DISABLED|TIMEZONE|LOCALE|ENCODING|CHARSET|REGION|ZONE|UID|GID|PUID|PGID|UMASK))"
)
"""The names of variables that hold no secret."""
PLAIN = re.compile(r"true|false|yes|no|on|off|enabled?|disabled?|[0-9]{1,5}", re.IGNORECASE)
"""Values that are none, whatever they are called."""
QUIET = re.compile(r"[\w ./:,@+*-]{0,200}")

NAMING = re.compile(r"(?<![\w.-])(?P<name>-{0,2}[A-Za-z_][\w.-]*)(?P<between>[\"']?\s*[=:]\s*|\s+)(?=\S)")
"""A name and what stands between it and its value: `--password=`, `token: `, `"key": `, or a blank."""
VALUED = re.compile(r"\"[^\"]*\"?|'[^']*'?|[^\s;&|\"']+")
"""A value: up to the next quote, blank, or sign of a shell."""
FLAG = re.compile(r"--?[A-Za-z]")
CREDENTIALS = {"-u", "--user", "--proxy-user"}
"""Options that take `user:password`."""
MYSQL = re.compile(r"(.*/)?(mysql|mariadb)\w*")


def harmless(name: str, value: str) -> bool:
    """Tell whether the value of a variable may be written."""
    if LOOSE.search(name) or VALUE.search(value) or LOGIN.search(value) or not QUIET.fullmatch(value):
        return False
    if PLAIN.fullmatch(value):
        return True
    return HARMLESS.fullmatch(name) is not None and not any(map(_random, re.split(r"[/:,. ]", value)))


def revealing(name: str, value: str) -> bool:
    """Tell whether what an object is marked with, such as a label, may hold a secret."""
    return bool(value) and (LOOSE.search(name) is not None or cleaned(value) != value)


def words(line: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a command; `CHANGE-ME` stands for each that looks like a secret."""
    found: list[str] = []
    for number, word in enumerate(line):
        before = line[number - 1] if number else ""
        found.append(_word(word, before, mysql=bool(line) and MYSQL.fullmatch(line[0]) is not None))
    return tuple(found)


def _word(word: str, before: str, *, mysql: bool) -> str:
    if before in CREDENTIALS and ":" in word:
        return f"{word.partition(':')[0]}:{REPLACED}"
    if FLAG.match(before) and "=" not in before and LOOSE.search(before.lstrip("-")) and not _elsewhere(word):
        return REPLACED
    if mysql and re.fullmatch(r"-p\S+", word):
        return f"-p{REPLACED}"
    return cleaned(word)


def cleaned(text: str) -> str:
    """Return a text in which `CHANGE-ME` stands for each part that looks like a secret."""
    if VALUE.search(text) or _random(text):
        return REPLACED
    text = LOGIN.sub(lambda found: f"{found[0].rpartition(':')[0]}:{REPLACED}@", text)
    found, done = "", 0
    for naming in NAMING.finditer(text):
        value = VALUED.match(text, naming.end())
        if naming.start() < done or value is None:
            continue
        told = _told(naming["name"], naming["between"], value[0])
        if told is not None:
            found += text[done : naming.end()] + told
            done = value.end()
    return found + text[done:]


def _told(name: str, between: str, value: str) -> str | None:
    """Return what is written for the value behind a name, None where that is the value itself."""
    bare = value.strip("\"'")
    named = "=" in between or ":" in between or name.startswith("-")
    if named and LOOSE.search(name.lstrip("-")) and not _elsewhere(bare):
        return REPLACED
    if name in CREDENTIALS and ":" in bare:
        return f"{bare.partition(':')[0]}:{REPLACED}"
    return REPLACED if VALUE.search(bare) or any(map(_random, re.split("[,:@/]", bare))) else None


def _elsewhere(value: str) -> bool:
    """Tell whether a value says where a secret is, and is none itself: a file, a variable, the next option."""
    return not value or value.startswith(("/", "./", "$", "-")) or value == REPLACED


def _random(text: str) -> bool:
    """Tell whether a text looks as if a machine had drawn it: long, and letters and digits take turns in it."""
    if not RANDOM.fullmatch(text) or text.startswith("/"):
        return False
    turns = sum(a.isdigit() != b.isdigit() for a, b in pairwise(text))
    cases = sum(a.islower() and b.isupper() for a, b in pairwise(text))
    return turns + cases >= len(text) // 8
