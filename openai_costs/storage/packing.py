"""What a kept file holds: a manifest that describes a complete read, and a member for each part.

A compressed archive that ordinary tools open. Not here: which files there are (archive.py).
"""

import io
import re
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final

import msgspec
import zstandard

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.unreadable import UNREADABLE

ZSTD_LEVEL = 3
"""Measured on cost pages: level 3 shrinks 11x at 420 MB/s; level 6, 15x at 160 MB/s."""

_NAME: Final = slice(100)
_SIZE: Final = slice(124, 135)
_TYPE: Final = slice(156, 157)
_PREFIX: Final = slice(345, 500)
"""Where the header of a member has its name, its size, its type, and the front of a long name."""
_END: Final = bytes(tarfile.BLOCKSIZE)
_OCTAL: Final = re.compile(rb"[0-7]{11}")


class Part(msgspec.Struct, frozen=True):
    """How one part of a read was asked for, and what proves it unchanged."""

    path: str
    params: list[tuple[str, str]]
    grouping: list[str]
    sha256: str
    size_bytes: int


class Rewritten(msgspec.Struct, frozen=True):
    """That a kept read is not as it came: when that was, why, and the digests of its parts."""

    at: datetime
    why: str
    before: dict[str, str]
    after: dict[str, str]


class Manifest(msgspec.Struct, frozen=True):
    """The description inside a kept file."""

    provider: str
    connection: str
    dataset: str
    day: date
    read_at: datetime
    parts: dict[str, Part]
    absent: dict[str, str] = {}
    """Parts that the provider refused, and its message."""
    clock_at: datetime | None = None
    server_at: datetime | None = None
    """`read_at` by this machine's clock and by the server's; None where they were not compared."""
    rewritten: list[Rewritten] = []
    """Where names of people were replaced in it, oldest first."""


def packed(manifest: Manifest, bodies: Mapping[str, bytes]) -> bytes:
    """Return the content of a kept file."""
    described = msgspec.json.format(msgspec.json.encode(manifest))
    content = b"".join(_blocks([("manifest", described), *bodies.items()]))
    to_the_record = bytes(-len(content) % tarfile.RECORDSIZE)
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(content + to_the_record)


def unpacked(content: bytes, page: str) -> tuple[Manifest, dict[str, bytes]]:
    """Return what a kept file holds; digests are not compared.

    Args:
        content: The content of the file.
        page: The file, for a person.

    Raises:
        PageRefused: It is damaged.
    """
    try:
        members = _members(zstandard.ZstdDecompressor().decompress(content))
        return msgspec.json.decode(members.pop("manifest"), type=Manifest), members
    except (zstandard.ZstdError, tarfile.TarError, KeyError, *UNREADABLE) as damage:
        raise PageRefused(page, "the file", f"is damaged ({damage})") from None


def _blocks(members: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a tar of members: of each its header and its content in whole blocks, then the end."""
    for name, body in members:
        member = tarfile.TarInfo(f"{name}.json")
        member.size = len(body)
        yield member.tobuf(tarfile.USTAR_FORMAT)
        yield body
        yield bytes(-len(body) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _members(content: bytes) -> dict[str, bytes]:
    """Return the members of a tar.

    `tarfile` takes longer for headers such as ours than it takes to decompress and to decode the
    content. It reads whatever is not as we write it, or ends too early.
    """
    found, start = dict[str, bytes](), 0
    while (header := content[start : start + tarfile.BLOCKSIZE]) != _END:
        first = start + tarfile.BLOCKSIZE
        end = first + int(header[_SIZE], 8) if _is_plain(header) else sys.maxsize
        if end > len(content):
            return _members_of_any(content)
        found[_name(header).removesuffix(".json")] = content[first:end]
        start = end + -end % tarfile.BLOCKSIZE
    return found


def _is_plain(header: bytes) -> bool:
    return header[_TYPE] == tarfile.REGTYPE and bool(_OCTAL.fullmatch(header[_SIZE]))


def _members_of_any(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        return {
            member.name.removesuffix(".json"): found.read()
            for member in tar
            if (found := tar.extractfile(member)) is not None
        }


def _name(header: bytes) -> str:
    front, name = (header[part].partition(b"\0")[0] for part in (_PREFIX, _NAME))
    return (front + b"/" + name if front else name).decode(errors="surrogateescape")
