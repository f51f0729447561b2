"""The month as bars, as a PNG without any text: what mail programs show, Outlook too. Pure."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from openai_costs.outputs.report.month_days import MonthDay

SIZE: Final = (560, 120)
"""Width and height that it is shown in; the picture has twice as many pixels, for sharp screens."""
_SCALE: Final = 2
_BASE: Final = 4
"""The height of the line that the bars stand on."""
_BACKGROUND, _LINE, _BEFORE, _NOW, _PROVISIONAL, _MISSING = range(6)
_PALETTE: Final = ("ffffff", "d0d5dd", "d0d5dd", "175cd3", "84adff", "d92d20")
"""White, grey, the month before, the month, its provisional days, a missing day."""


class Bar(NamedTuple):
    """A rectangle in pixels from the top left, and its colour of the palette."""

    x: int
    y: int
    width: int
    height: int
    color: int


def picture(days: Sequence[MonthDay]) -> bytes:
    """Return the picture of a month: a bar a day, that of the month before behind it.

    Args:
        days: The days of the month, at least one.
    """
    width, height = (_SCALE * side for side in SIZE)
    return png(width, height, list(bars(days, width, height)))


def bars(days: Sequence[MonthDay], width: int, height: int) -> Iterator[Bar]:
    """Yield the bars of a month, those in front last.

    Args:
        days: The days of the month.
        width: Of the picture.
        height: Of the picture.
    """
    most = max([1, *(value for one in days for value in (one.cents, one.before) if value)])
    slot, room = width // len(days), height - _BASE
    for i, one in enumerate(days):
        x = i * slot
        before = room * max(0, one.before or 0) // most
        yield Bar(x + 1, room - before, slot - 2, before, _BEFORE)
        now = room * max(0, one.cents or 0) // most
        color = _PROVISIONAL if one.is_provisional else _NOW
        yield Bar(x + slot // 4, room - now, slot // 2, now, color)
    yield Bar(0, room, width, _BASE, _LINE)
    last = max((i for i, one in enumerate(days) if one.cents is not None), default=-1)
    for i, one in enumerate(days[:last]):
        if one.cents is None:
            yield Bar(i * slot + 1, room, slot - 2, _BASE, _MISSING)


def png(width: int, height: int, drawn: Sequence[Bar]) -> bytes:
    """Return a PNG of rectangles: https://www.w3.org/TR/png-3/, with a palette.

    Args:
        width: In pixels.
        height: In pixels.
        drawn: The rectangles, those in front last.
    """
    lines = [bytearray([_BACKGROUND]) * width for _ in range(height)]
    for bar in drawn:
        for line in lines[bar.y : bar.y + bar.height]:
            line[bar.x : bar.x + bar.width] = bytes([bar.color]) * bar.width
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines), 9)
    parts = ((b"IHDR", header), (b"PLTE", bytes.fromhex("".join(_PALETTE))), (b"IDAT", pixels))
    chunks = (_chunk(name, content) for name, content in (*parts, (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
