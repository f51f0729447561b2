"""Small pictures and tables for asset pages, in Markdown that Dagster draws without a click. Pure.

Not here: what an asset shows of itself (preview.py of the question, outputs/publish/preview.py).
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from openai_costs.kernel.visible_text import visible

MOST_CHARACTERS: Final = 1_000
"""Markdown shorter than this is drawn on Dagster's asset page; longer hides behind a click."""

MOST_BARS: Final = 21
"""Three weeks: as many bars as fit into `MOST_CHARACTERS` beside two sentences."""

MOST_ROWS: Final = 5
LONGEST_NAME: Final = 40
_MARKUP: Final = re.compile(r"[\\`*_\[\]<>&~]")
_HEIGHT: Final = 40
_PITCH: Final = 10
_ROW: Final = 12
_FULL_WIDTH: Final = 200
_BLUE: Final = "#4f6bed"
_PALE: Final = "#9db0f5"
_RED: Final = "#b3261e"


def bars(amounts: Sequence[Decimal], title: str) -> str:
    """Return one bar per day, the tallest for the largest amount; a day below zero has none."""
    return _image(title, _size(amounts), _path(_BLUE, _columns(amounts, _top(amounts))))


def bars_with_line(amounts: Sequence[Decimal], line: Sequence[Decimal], title: str) -> str:
    """Return one bar per day and a line over them, on one scale."""
    top = _top([*amounts, *line])
    points = (
        f"{_PITCH * i + _PITCH // 2 - 1},{_HEIGHT - height}"
        for i, height in enumerate(_heights(line, top))
    )
    drawn = f"<path fill='none' stroke='{_RED}' d='M{'L'.join(points)}'/>"
    return _image(title, _size(amounts), _path(_PALE, _columns(amounts, top)) + drawn)


def rows_of_bars(rows: Sequence[tuple[Decimal, str]], title: str) -> str:
    """Return one horizontal bar per (percentage, colour); full width is 100 %, and 0 has none."""
    drawn = "".join(
        _path(colour, f"M0,{_ROW * i}h{length}v9h-{length}z")
        for i, (percent, colour) in enumerate(rows)
        if (length := _length(percent))
    )
    return _image(title, f"{_FULL_WIDTH} {_ROW * len(rows)}", drawn)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """Return a table whose last `numbers` columns are flush right; no cell can break it."""
    rules = ["---"] * (len(heads) - numbers) + ["---:"] * numbers
    lines = [_line(heads), f"|{'|'.join(rules)}|", *map(_line, rows)]
    return "\n".join(lines)


def short_name(name: str) -> str:
    """Return a name that leaves room for the rest of its row."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Return a text as Markdown shows it: no image, link or tag of a name, and on one line."""
    words = " ".join(visible(text).replace("|", "/").split())
    return _MARKUP.sub(r"\\\g<0>", words)


def _image(title: str, size: str, drawn: str) -> str:
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {size}' width='300'>{drawn}</svg>"
    # An apostrophe does not end a link in Markdown, and is one character instead of three.
    address = quote(svg, safe=":/=,'")
    return f"![{title}](data:image/svg+xml,{address})"


def _path(colour: str, outline: str) -> str:
    return f"<path fill='{colour}' d='{outline}'/>"


def _size(amounts: Sequence[Decimal]) -> str:
    return f"{_PITCH * len(amounts)} {_HEIGHT}"


def _columns(amounts: Sequence[Decimal], top: Decimal) -> str:
    return "".join(
        f"M{_PITCH * i},{_HEIGHT}v-{height}h{_PITCH - 1}v{height}z"
        for i, height in enumerate(_heights(amounts, top))
        if height
    )


def _heights(amounts: Sequence[Decimal], top: Decimal) -> list[int]:
    return [round(max(amount, Decimal(0)) * _HEIGHT / top) for amount in amounts]


def _top(amounts: Sequence[Decimal]) -> Decimal:
    return max([*amounts, Decimal(1)])


def _length(percent: Decimal) -> int:
    return min(_FULL_WIDTH, max(0, round(percent * _FULL_WIDTH / 100)))
