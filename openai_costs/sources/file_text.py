"""The bytes of a file as text: without its packing, and decoded. Pure."""

import gzip
import io
import zlib
from typing import Final, Protocol

import zstandard

from openai_costs.kernel.errors import FileRefused

MOST_BYTES: Final = 4 * 1024**3
"""What a file may unpack to: a packed megabyte can hold a gigabyte, and takes all memory."""

_AT_ONCE: Final = 16 * 1024**2
_SMALLER: Final = "Split it into smaller files."


class _Unpacking(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def unpacked(name: str, content: bytes) -> tuple[str, bytes]:
    """Return a file's name without `.gz` or `.zst`, and its bytes without the packing.

    Raises:
        FileRefused: It is not packed as its name says, or unpacks to more than memory may take.
    """
    plain, _, packing = name.rpartition(".")
    try:
        if packing.lower() == "gz":
            return plain, _whole(name, gzip.GzipFile(fileobj=io.BytesIO(content)))
        if packing.lower() in ("zst", "zstd"):
            reader = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
            return plain, _whole(name, reader)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as broken:
        why = f"is not whole, or not packed as .{packing} says ({broken})"
        raise FileRefused(name, why, "Copy it again.") from None
    except MemoryError:
        raise FileRefused(name, "unpacks to more than there is memory", _SMALLER) from None
    return name, content


def _whole(name: str, unpacking: _Unpacking) -> bytes:
    whole = bytearray()
    while part := unpacking.read(_AT_ONCE):
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
