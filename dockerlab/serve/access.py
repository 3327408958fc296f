"""Who may see the page: whoever shows the token, also on this machine, which others may use as well. Pure."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from dockerlab.errors import UsageError

COOKIE = "dockerlab"
SHORTEST_TOKEN = 16
ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - nothing is bound here

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
    """What a request has to show. `given` tells that the user has chosen the token, and need not be told it."""

    token: str
    given: bool = False

    def allows(self, cookies: str, query: str | None) -> bool:
        """Tell whether the cookies of a request, or the token in its address, are enough.

        A browser sends the cookies of all programs on this machine, whatever their ports; some write them as no
        standard has it. Only ours are looked at.
        """
        shown = [query] if query is not None else _ours(cookies)
        wanted = self.token.encode()
        return any(secrets.compare_digest(each.encode("utf-8", "surrogateescape"), wanted) for each in shown)

    def address(self, listen: str, port: int, own_name: str) -> str:
        """Return the page's address for a browser, with a token that was made by chance, and none that was given.

        Where it listens on all addresses, it is the one of `own_name`, this machine.
        """
        name = own_name if listen in ANYWHERE else listen
        name = f"[{name}]" if ":" in name else name
        return f"http://{name}:{port}/" + ("" if self.given else f"?token={self.token}")


def _ours(cookies: str) -> list[str]:
    pairs = (pair.strip().partition("=") for pair in cookies.split(";"))
    return [value for name, _, value in pairs if name == COOKIE]


def access(given: str | None) -> Access:
    """Return what the page asks for: a token, the given one or a new one.

    Raises UsageError for a token that can be guessed.
    """
    if given is not None and not re.fullmatch(rf"[\w.~-]{{{SHORTEST_TOKEN},200}}", given, re.ASCII):
        raise UsageError(
            f"DOCKERLAB_SERVE_TOKEN: {SHORTEST_TOKEN} to 200 letters, digits and .~_- "
            "(or leave it out: one is made by chance)"
        )
    return Access(secrets.token_urlsafe(24)) if given is None else Access(given, given=True)
