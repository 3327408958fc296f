"""The Docker SDK's client with an engine that is a stranger: whole answers within limits, and nowhere else to go."""

from __future__ import annotations

import io
from time import monotonic
from typing import Any

import requests
from docker import APIClient
from docker.errors import DockerException
from requests import PreparedRequest, Response
from urllib3.exceptions import HTTPError, ReadTimeoutError

from dockerlab.gate import parsed
from dockerlab.gate.text import MOST, values_in

TIMEOUT = 30
"""Seconds in which the engine has to answer a read, from the first byte of the question to the last of the answer."""

LARGEST = 16 * 2**20
"""Bytes of one answer: a thousand containers, of which an engine says four thousand bytes each, have a quarter."""

PIECE = 2**16


class BoundedClient(APIClient):
    """A client that follows no redirect, asks for nothing that is packed, and reads JSON by the gate.

    All answers together may have as many values as the gate lets one text have.

    Raises DockerException, beside what the SDK raises, and ValueError for JSON that the gate does not let in.
    """

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """Send a request and read the whole answer."""
        request.headers["Accept-Encoding"] = "identity"
        end = monotonic() + TIMEOUT
        answer = super().send(request, **{**options, "stream": True, "allow_redirects": False})
        with answer:
            if 300 <= answer.status_code < 400:
                raise DockerException("it sends us to another place, where nobody is asked: is it a Docker engine?")
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise DockerException("it packs its answer, which nobody asked for: is it a Docker engine?")
            whole = _whole(answer, end)
        answer.raw = io.BytesIO(whole)
        return answer

    def _result(self, response: Response, json: bool = False, binary: bool = False) -> Any:
        """Return an answer's content, as the SDK does, but for JSON that is read by the gate."""
        if json:
            self._raise_for_status(response)  # type: ignore[attr-defined]
            self.values = getattr(self, "values", 0) + values_in(response.content)
            if self.values > MOST:
                raise ValueError(f"its answers have more than {MOST} values")
            return parsed(response.content)
        return super()._result(response, json=False, binary=binary)  # type: ignore[misc]


def _whole(answer: Response, end: float) -> bytes:
    """Return the content of an answer; raises DockerException where it is too much, or takes too long."""
    found = bytearray()
    try:
        for piece in answer.raw.stream(PIECE, decode_content=False):
            found += piece
            if len(found) > LARGEST:
                raise DockerException(f"its answer has more than {LARGEST // 2**20} MiB: is it a Docker engine?")
            if monotonic() > end:
                raise DockerException(f"its answer was not whole after {TIMEOUT} s; is the host overloaded?")
    except ReadTimeoutError as error:
        raise requests.ReadTimeout(error) from error
    except HTTPError as error:
        raise requests.ConnectionError(error) from error
    return bytes(found)
