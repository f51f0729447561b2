"""The bytes of a file as text: without its packing, and decoded. Pure."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

import zstandard

from openai_costs.kernel.errors import FileRefused

MOST_BYTES: Final = 4 * 1024**3
"""What a file may unpack to: a packed megabyte can hold a gigabyte, and takes all memory."""

_AT_ONCE: Final = 16 * 1024**2
_PACKED_AT_ONCE: Final = 4 * 1024
"""So much of a .zst file unpacks to some hundred megabytes at most."""

_SMALLER: Final = "Split it into smaller files."


def unpacked(name: str, content: bytes) -> tuple[str, bytes]:
    """Return a file's name without `.gz` or `.zst`, and its bytes without the packing.

    Raises:
        FileRefused: It is not packed as its name says, or unpacks to more than memory may take.
    """
    plain, _, packing = name.rpartition(".")
    try:
        if packing.lower() == "gz":
            return plain, _whole(name, _of_gzip(content))
        if packing.lower() in ("zst", "zstd"):
            return plain, _whole(name, _of_zstd(content))
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as broken:
        why = f"is not whole, or not packed as .{packing} says ({broken})"
        raise FileRefused(name, why, "Copy it again.") from None
    except MemoryError:
        raise FileRefused(name, "unpacks to more than there is memory", _SMALLER) from None
    return name, content


def _of_gzip(content: bytes) -> Iterator[bytes]:
    unpacking = gzip.GzipFile(fileobj=io.BytesIO(content))
    while part := unpacking.read(_AT_ONCE):
        yield part


def _of_zstd(content: bytes) -> Iterator[bytes]:
    """Yield what the frames hold; a reader of the library takes one that is cut for whole."""
    packed, unpacking, is_inside = memoryview(content), zstandard.ZstdDecompressor(), False
    frame = unpacking.decompressobj()
    for start in range(0, len(packed), _PACKED_AT_ONCE):
        rest = bytes(packed[start : start + _PACKED_AT_ONCE])
        while rest:
            yield frame.decompress(rest)
            is_inside, rest = not frame.eof, frame.unused_data
            if frame.eof:
                frame = unpacking.decompressobj()
    if is_inside:
        raise EOFError("it ends inside a frame")


def _whole(name: str, parts: Iterable[bytes]) -> bytes:
    whole = bytearray()
    for part in parts:
        whole += part
        if len(whole) > MOST_BYTES:
            raise FileRefused(name, f"unpacks to more than {MOST_BYTES:,} bytes", _SMALLER)
    return bytes(whole)


def decoded(name: str, content: bytes) -> str:
    """Return a file's text, without the mark that some programs put in front of it.

    Raises:
        FileRefused: It is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = content[: broken.start].count(b"\n") + 1
        raise FileRefused(f"{name}, line {line}", "is not UTF-8", "Save it as UTF-8.") from None
