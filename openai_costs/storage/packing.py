"""What a kept file holds: a manifest that describes a complete read, and a member for each part.

A compressed archive that ordinary tools open. Not here: which files there are (archive.py).
"""

import io
import tarfile
from collections.abc import Mapping
from datetime import date, datetime

import msgspec
import zstandard

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.unreadable import UNREADABLE

ZSTD_LEVEL = 3
"""Measured on cost pages: level 3 shrinks 11x at 420 MB/s; level 6, 15x at 160 MB/s."""


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
    content = io.BytesIO()
    described = msgspec.json.format(msgspec.json.encode(manifest))
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in (("manifest", described), *bodies.items()):
            member = tarfile.TarInfo(f"{name}.json")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(content.getvalue())


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


def _members(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        return {
            member.name.removesuffix(".json"): found.read()
            for member in tar
            if (found := tar.extractfile(member)) is not None
        }
