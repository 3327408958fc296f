"""What a student may have at hand and shall not read in passing: closed to the eye, opened by the program.

It is no secret: whoever reads this file can open what it has closed. It keeps an answer from standing there in words.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import zlib
from hashlib import shake_256

ROOM = 2048
"""Bytes: what is closed is filled up to a multiple of it, so that its length tells nothing."""
SALT = 8


def close(text: str) -> str:
    """Return a text closed to the eye, each time another one."""
    packed = zlib.compress(text.encode())
    padded = packed + bytes(-len(packed) % ROOM)
    salt = secrets.token_bytes(SALT)
    return base64.b64encode(salt + _mixed(padded, salt)).decode()


def reopen(closed: str) -> str:
    """Return the text that was closed; raises ValueError where it is none."""
    try:
        raw = base64.b64decode(closed, validate=True)
        return zlib.decompressobj().decompress(_mixed(raw[SALT:], raw[:SALT])).decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        raise ValueError("it was changed since it was written") from None


def _mixed(data: bytes, salt: bytes) -> bytes:
    """Return bytes laid over a stream that the salt gives; twice is as before."""
    stream = shake_256(b"dockerlab exercise" + salt).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, stream, strict=True))
