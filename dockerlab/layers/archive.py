"""What is in tar archives: the digests of files, and layers held against the directories that they were unpacked to."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import IO, Protocol, cast

CHUNK = 2**20
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
"""How a layer's archive says that a file below is gone, and all that is in a directory below (OCI image layers)."""
GONE = "gone"
"""A whiteout, in either form: the file `.wh.NAME` in an archive, a device 0:0 of that name in a directory."""

Contents = Mapping[str, str]
"""What is at each path that is no directory: the digest of a file, where a link leads, which device, or `GONE`."""


class Readable(Protocol):
    """Something that is read from its beginning to its end."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, fewer at the end."""
        ...


def digests_in(archive: Iterable[bytes]) -> frozenset[str]:
    """Return the digest of every file in a tar archive, which is read only once; raises tarfile.TarError."""
    return frozenset(_digest(content) for content in _files(archive))


def layers_in(archive: Iterable[bytes]) -> dict[str, Contents]:
    """Return what is in each layer that an archive has packed, by the digest that it has unpacked, its diff ID.

    Raises tarfile.TarError, also where a layer is packed in a form that cannot be read here.
    """
    found: dict[str, Contents] = {}
    for content in _files(archive):
        magic = content.peek(len(ZSTD))
        if magic.startswith(ZSTD):
            raise tarfile.CompressionError("a layer is packed by zstd, which is not read here")
        plain = _Hashed(gzip.GzipFile(fileobj=content) if magic.startswith(GZIP) else content)
        try:
            contents = contents_of(plain)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
            continue  # a manifest or a configuration; a layer that is broken has no digest that anybody asks for
        found[plain.rest()] = contents
    return found


def contents_of(archive: Readable) -> Contents:
    """Return what is in a tar archive; of a file with several names each has its digest. Raises tarfile.TarError."""
    found: dict[str, str] = {}
    with tarfile.open(fileobj=cast("IO[bytes]", archive), mode="r|") as members:
        for member in members:
            path = member.name.removeprefix("./")
            above, _, name = path.rpartition("/")
            if member.isdir() or name == OPAQUE:
                continue
            if name.startswith(WHITEOUT):
                found[f"{above}/{name[len(WHITEOUT) :]}".removeprefix("/")] = GONE
            elif member.islnk():
                found[path] = found.get(member.linkname.removeprefix("./"), f"a name of {member.linkname}")
            elif member.issym():
                found[path] = f"-> {member.linkname}"
            elif member.ischr() and (member.devmajor, member.devminor) == (0, 0):
                found[path] = GONE
            elif member.isfile():
                content = members.extractfile(member)
                found[path] = _digest(content) if content is not None else ""
            else:
                found[path] = f"{member.type.decode()} {member.devmajor}:{member.devminor}"
    return found


def chunks(archive: Iterable[bytes]) -> io.BufferedReader:
    """Return what comes in chunks as a file that is read once."""
    return io.BufferedReader(_Chunks(archive))


def _files(archive: Iterable[bytes]) -> Iterator[io.BufferedReader]:
    with tarfile.open(fileobj=chunks(archive), mode="r|") as members:
        for member in members:
            content = members.extractfile(member) if member.isfile() else None
            if content is not None:
                yield cast("io.BufferedReader", content)  # whose `peek` the type does not tell


def _digest(content: Readable) -> str:
    digest = sha256()
    while piece := content.read(CHUNK):
        digest.update(piece)
    return f"sha256:{digest.hexdigest()}"


class _Hashed:
    """A file that is read once, and the digest of all that was in it."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._digest = sha256()

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, fewer at the end."""
        piece = self._source.read(size)
        self._digest.update(piece)
        return piece

    def rest(self) -> str:
        """Read what is left, and return the digest of the whole."""
        while self.read(CHUNK):
            pass
        return f"sha256:{self._digest.hexdigest()}"


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read some bytes, 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
