"""Who may see the page: a token where others can reach it, and no other site's name for this machine. Pure."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address

from dockerlab.errors import UsageError

COOKIE = "dockerlab"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
SHORTEST_TOKEN = 16

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer: the page loads nothing but itself, runs nothing but its own program, and stands in no frame."""


@dataclass(frozen=True)
class Access:
    """What a request has to show; without a token, the name under which it asks has to be this machine's own."""

    token: str | None

    def named_rightly(self, host: str) -> bool:
        """Tell whether a request may ask under this name (its `Host`).

        Another site may give its own name the address 127.0.0.1, and so have a browser here read the page for it.
        """
        return self.token is not None or re.sub(r":[0-9]+$", "", host) in LOOPBACK_NAMES

    def allows(self, cookies: str, query: str | None) -> bool:
        """Tell whether the cookies of a request, or the token in its address, are enough."""
        if self.token is None:
            return True
        try:
            found = SimpleCookie(cookies).get(COOKIE)
        except CookieError:
            found = None
        shown = query if query is not None else found.value if found is not None else ""
        return secrets.compare_digest(shown.encode("utf-8", "surrogateescape"), self.token.encode())


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address to listen on."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def access(host: str, given: str | None) -> Access:
    """Return what the page asks for on an address: on any but the loopback a token, the given one or a new one.

    Raises UsageError for a token that can be guessed.
    """
    if given is not None and not re.fullmatch(rf"[\w.~-]{{{SHORTEST_TOKEN},200}}", given, re.ASCII):
        raise UsageError(
            f"DOCKERLAB_SERVE_TOKEN: {SHORTEST_TOKEN} to 200 letters, digits and .~_- "
            "(or leave it out: one is made by chance)"
        )
    if given is None and not is_loopback(host):
        return Access(secrets.token_urlsafe(24))
    return Access(given)
