"""This machine's engine, where the docker command here would find it: the Docker SDK knows contexts and TLS."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from time import monotonic

from docker import APIClient
from docker.context import ContextAPI
from docker.errors import DockerException
from docker.utils import kwargs_from_env
from requests import RequestException, Timeout
from urllib3.exceptions import HTTPError, ReadTimeoutError

from dockerlab.engine.bounded import PIECE, TIMEOUT, Answer, TooLate, Unanswered, whole
from dockerlab.errors import EngineError

OLDEST_API = "1.24"
"""The API version that the SDK's client starts from; it asks for nothing by itself then."""


class LocalLine:
    """The SDK's client as a line to the engine."""

    def __init__(self, host: str) -> None:
        """Find the engine; raises EngineError where it is another machine's, Unanswered where nothing can be found."""
        try:
            self._client = _found(host)
        except (DockerException, RequestException) as error:
            raise Unanswered(str(error)) from error

    def ask(self, method: str, target: str) -> Answer:
        """Ask without a body and return the whole answer; raises Unanswered."""
        end = monotonic() + TIMEOUT
        url = f"{self._client.base_url}{target}"
        unpacked = {"Accept-Encoding": "identity"}
        try:
            with self._client.request(
                method, url, headers=unpacked, timeout=TIMEOUT, stream=True, allow_redirects=False
            ) as answer:
                pieces = answer.raw.stream(PIECE, decode_content=False)
                return whole(answer.status_code, answer.headers.items(), pieces, end)
        except (Timeout, ReadTimeoutError) as error:
            raise TooLate from error
        except (DockerException, RequestException, HTTPError) as error:
            raise Unanswered(str(error)) from error

    def ask_each(self, targets: Sequence[str]) -> Iterator[Answer]:
        """Yield the whole answer to each of several requests; raises Unanswered."""
        return (self.ask("GET", target) for target in targets)

    def close(self) -> None:
        """Close what is open."""
        self._client.close()


def _found(host: str) -> APIClient:
    """Return a client of the engine that the docker command on this machine would use."""
    environment = kwargs_from_env()
    if environment.get("base_url", "").startswith("ssh://"):
        raise EngineError(host, "DOCKER_HOST leads to another machine by ssh: give that address to the host instead")
    if "base_url" in environment:
        return APIClient(version=OLDEST_API, timeout=TIMEOUT, **environment)
    context = ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT"))
    if context is None:
        return APIClient(version=OLDEST_API, timeout=TIMEOUT)
    return APIClient(version=OLDEST_API, timeout=TIMEOUT, base_url=context.Host, tls=context.TLSConfig or False)
