"""A file of an export as a table of text: every digit as it is written. Pure.

CSV, also packed with gzip, and Parquet. Names of columns are in lower case, because tools between
the vendor and us change their case. A Parquet number that is a binary float becomes the shortest
decimal that stands for it, which is what the vendor's own CSV shows.
"""

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any, Final

import msgspec
import polars as pl

from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.file_text import decoded, unpacked
from openai_costs.sources.parquet_tables import PARQUET_FAULTS, first_line, parquet_table
from openai_costs.sources.text_rows import text_rows

ENDINGS: Final = (".csv", ".csv.gz", ".parquet")
"""What the name of a file of rows ends in."""

_QUOTED: Final = re.compile(rb'"[^"]*"')

_NO_COMMAS: Final = {";": "semicolons", "\t": "tabs"}
AGAIN: Final = "Copy it again, or have it exported again."


def is_table(name: str) -> bool:
    """Return whether the name of a file is that of a file of rows."""
    return name.lower().endswith(ENDINGS)


def without_format(name: str) -> str:
    """Return the name of a file of rows without the ending that is its format."""
    found = re.search(r"(?i)\.(?:csv|csv\.gz|parquet)$", name)
    return name[: found.start()] if found else name


def text_table(name: str, content: bytes) -> pl.DataFrame:
    """Return a file's rows as text, in the order of the file; an empty cell is null.

    Args:
        name: The file, for messages; its ending is its format.
        content: Its bytes.

    Raises:
        FileRefused: It does not have the format of its ending, or two columns have one name.
    """
    plain, body = unpacked(name, content)
    is_parquet = plain.lower().endswith(".parquet")
    frame = parquet_table(name, body) if is_parquet else _csv(name, plain, body)
    frame = pl.DataFrame([_text_or_refusal(name, column) for column in frame])
    frame.columns = _heads(name, frame.columns)
    return frame.select(pl.when(pl.all() != "").then(pl.all()))


def row_place(name: str, row: int) -> str:
    """Return how a message names a row; the first below the names of the columns is row 1."""
    return f"{name}, row {row + 1:,}"


def _heads(name: str, written: Iterable[str]) -> list[str]:
    """Return the names of columns in lower case, where no other column has that name already."""
    heads = list(map(str.strip, written))
    if twice := sorted({head for head in heads if heads.count(head) > 1}):
        raise FileRefused(name, f"has more than one column {', '.join(twice)}", AGAIN)
    taken = {head for head in heads if head == head.lower()}
    for place, head in enumerate(heads):
        if head.lower() not in taken:
            heads[place] = head.lower()
            taken.add(heads[place])
    return heads


def _csv(name: str, plain: str, body: bytes) -> pl.DataFrame:
    if not decoded(name, body).strip():
        raise FileRefused(name, "is empty: not even the names of columns are there", AGAIN)
    heads = _csv_heads(name, body)
    try:
        found = pl.read_csv(io.BytesIO(body), infer_schema=False)
    except pl.exceptions.PolarsError as broken:
        for _ in text_rows(plain, body):  # finds the line, and raises
            pass
        raise FileRefused(name, f"is not CSV ({first_line(broken)})", AGAIN) from None
    if len(heads) != found.width:
        raise FileRefused(name, "is not CSV (a quote in its first line is not in pairs)", AGAIN)
    _refuse_short_rows(name, found, body)
    found.columns = heads
    return found


def _csv_heads(name: str, body: bytes) -> list[str]:
    """Return the names of a CSV's columns: Polars renames one that is there twice.

    Python's reader refuses what Polars takes for a part of a name: a line that ends in CR alone.
    Rows behind a quote that does not end would be a part of a name too.
    """
    try:
        heads = next(_rows(body, lines_end_in="\n"))
    except csv.Error:
        why = "has lines that end in CR alone, as `CSV (Macintosh)` of Excel writes them"
        raise FileRefused(name, why, "Save it as `CSV UTF-8`.") from None
    others = [one for sign, one in _NO_COMMAS.items() if len(heads) == 1 and sign in heads[0]]
    if others:
        why = f"has {others[0]} between its columns, in place of a comma"
        raise FileRefused(name, why, "Have it exported with commas.")
    if any("\n" in head for head in heads):
        why = "has a name of a column that goes on in the next line: a quote may not end"
        raise FileRefused(name, why, AGAIN)
    return _heads(name, [head.strip() or f"column_{n}" for n, head in enumerate(heads)])


def _rows(body: bytes, lines_end_in: str = "") -> Iterator[list[str]]:
    """Yield the rows that are not empty; by default a line may end in CR, LF or both."""
    csv.field_size_limit(sys.maxsize)
    text = io.TextIOWrapper(io.BytesIO(body), "utf-8-sig", newline=lines_end_in)
    return filter(None, csv.reader(text))


def _refuse_short_rows(name: str, table: pl.DataFrame, body: bytes) -> None:
    """Refuse a row that ends before its last column: Polars fills it up, and an amount may be cut.

    A file that is being written ends in such a row.
    """
    wide, separators = table.width, _QUOTED.sub(b"", body).count(b",")
    if separators == (table.height + 1) * (wide - 1):
        return
    for number, cells in enumerate(_rows(body)):
        if len(cells) < wide:
            why = f"has {len(cells)} cells under {wide} columns: the file may not be whole"
            raise FileRefused(row_place(name, number - 1), why, AGAIN)


def _text_or_refusal(name: str, values: pl.Series) -> pl.Series:
    try:
        return _text(values)
    except (*PARQUET_FAULTS, msgspec.MsgspecError) as broken:
        place = next(_rows_without_text(name, values), name)
        why = f"cannot be written as text: it is {values.dtype} ({first_line(broken)})"
        remedy = "Leave the column out of the export, or have it exported as text."
        raise FileRefused(f"{place}, {values.name}", why, remedy) from None


def _rows_without_text(name: str, values: pl.Series) -> Iterator[str]:
    """Yield the places of bytes that are no text."""
    if values.dtype == pl.Binary:
        for row, one in enumerate(values):
            try:
                (one or b"").decode()
            except UnicodeDecodeError:
                yield row_place(name, row)


def _text(values: pl.Series) -> pl.Series:
    """Return a column as text: instants in ISO form and UTC, what is nested as JSON."""
    kind = values.dtype
    if kind == pl.String:
        return values.str.strip_chars()
    if isinstance(kind, pl.Datetime):
        utc = values.dt.convert_time_zone(str(UTC)) if kind.time_zone else values
        return utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    if kind == pl.Duration:
        return values.dt.to_string()
    if kind.is_nested() or isinstance(kind, pl.Map):
        return pl.Series(values.name, list(map(_json, values.to_list())), dtype=pl.String)
    return values.cast(pl.String)


def _json(value: Any) -> str | None:  # noqa: ANN401 - whatever the file nests
    if value is None:
        return None
    return msgspec.json.encode(_pairs(value), order="sorted", enc_hook=str).decode()


def _pairs(value: Any) -> Any:  # noqa: ANN401 - whatever the file nests
    """Return a list of `{"key": ..., "value": ...}` as an object; any other value as it is."""
    is_list = isinstance(value, list) and bool(value)
    if is_list and all(isinstance(one, dict) and set(one) == {"key", "value"} for one in value):
        return {str(one["key"]): one["value"] for one in value}
    return value


def members(text: str | None) -> dict[str, str]:
    """Return an object that a cell holds as JSON; empty where it holds none."""
    if not text or not text.lstrip().startswith(("{", "[")):
        return {}
    try:
        found = _pairs(msgspec.json.decode(text))
    except UNREADABLE:
        return {}
    return dict(_named(found)) if isinstance(found, dict) else {}


def _named(nested: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in nested.items():
        if value is not None and value != "":
            yield name, value if isinstance(value, str) else msgspec.json.encode(value).decode()
