"""The bytes of a file as text: without its packing, and decoded. Pure."""

import gzip
import zlib

import zstandard

from openai_costs.kernel.errors import FileRefused


def unpacked(name: str, content: bytes) -> tuple[str, bytes]:
    """Return a file's name without `.gz` or `.zst`, and its bytes without the packing."""
    plain, _, packing = name.rpartition(".")
    try:
        if packing.lower() == "gz":
            return plain, gzip.decompress(content)
        if packing.lower() in ("zst", "zstd"):
            reader = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
            return plain, reader.read()
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as broken:
        why = f"is not whole, or not packed as .{packing} says ({broken})"
        raise FileRefused(name, why, "Copy it again.") from None
    return name, content


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
