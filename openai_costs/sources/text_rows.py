"""Files that settings name, as rows of text with the place of each. Pure.

CSV, JSON lines, JSON and Parquet, also packed with gzip or zstd. Numbers stay as they are written;
what is nested is reached by a dotted name. Not here: what a column means, where files are.
"""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import polars as pl
import polars.selectors as cs

from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.redaction import has_address
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.file_text import decoded, unpacked
from openai_costs.sources.parquet_tables import PARQUET_FAULTS, first_line, parquet_table

JSON_LINES = ("jsonl", "ndjson", "log")
"""Object stores are often filled with `.log` files, which hold an object on each line."""


class TextRow(NamedTuple):
    """A row of a file.

    Args:
        place: The file and the line.
        cells: Its cells by column; None where a cell is empty.
        fault: Why its cells cannot be used; empty when they can.
        is_cut: Whether a line of CSV ends before the last column that has a name.
    """

    place: str
    cells: Mapping[str, str | None]
    fault: str = ""
    is_cut: bool = False


SetAside = Callable[[FileRefused], None]
"""Takes the reason why one row cannot be used; to refuse the whole file, it raises it."""


def refuse(row: FileRefused) -> None:
    """Refuse a file for the sake of one row.

    Raises:
        FileRefused: Always.
    """
    raise row


def text_rows(  # noqa: PLR0913 - what a file says about itself
    name: str,
    content: bytes,
    records: str = "",
    set_aside: SetAside = refuse,
    *,
    separator: str | None = None,
    with_faults: bool = False,
) -> Iterator[TextRow]:
    """Yield the rows of a file.

    Args:
        name: The file's name: its extension is the format.
        content: Its bytes.
        records: JSON only: the dotted path from a whole object to its list of records.
        set_aside: Takes each row that cannot be read.
        separator: What separates the cells of a CSV; by default a comma, in a TSV a tab.
        with_faults: Whether a CSV row with too many cells is yielded with its fault instead of
            refusing the file.

    Raises:
        FileRefused: It does not have the format of its extension, or that is unknown.
    """
    inner, plain = unpacked(name, content)
    kind = inner.rsplit(".", 1)[-1].lower()
    if kind == "parquet":
        yield from _parquet(name, plain)
    elif kind in JSON_LINES:
        yield from _json_lines(name, decoded(name, plain), records, set_aside)
    elif kind == "json":
        yield from _json(name, decoded(name, plain), records, set_aside)
    elif kind in ("csv", "tsv"):
        usual = "\t" if kind == "tsv" else ","
        for row in _csv(name, decoded(name, plain), separator or usual):
            if row.fault and not with_faults:
                set_aside(FileRefused(row.place, row.fault, "Quote a cell that contains a comma."))
            else:
                yield row
    else:
        remedy = (
            "Give the file one of the endings .csv, .tsv, .json, .jsonl, .ndjson, .log or "
            ".parquet, and .gz or .zst behind it where it is packed."
        )
        raise FileRefused(name, f"its ending .{kind} is of no kind that can be read", remedy)


def _csv(name: str, text: str, delimiter: str) -> Iterator[TextRow]:
    csv.field_size_limit(sys.maxsize)  # a cell may hold a whole prompt
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begun = 1
    try:
        heads = [head.strip() for head in next(reader, [])]
        _refuse_heads(name, heads)
        last = max((number for number, head in enumerate(heads, 1) if head), default=0)
        begun = reader.line_num + 1
        for cells in reader:
            # A quoted cell may hold line breaks: a record stands where it begins.
            place, begun = f"{name}, line {begun}", reader.line_num + 1
            if len(cells) > len(heads):
                fault = f"has {len(cells)} cells under {len(heads)} columns"
                yield TextRow(place, {str(n): cell for n, cell in enumerate(cells)}, fault)
            elif any(cell.strip() for cell in cells):
                padded = [*cells, *[""] * (len(heads) - len(cells))]
                found = {h: c.strip() or None for h, c in zip(heads, padded, strict=True)}
                yield TextRow(place, found, is_cut=len(cells) < last)
    except csv.Error as broken:
        place = f"{name}, line {begun}"
        raise FileRefused(place, f"is not CSV ({broken})", "Fix the quotes of that line.") from None


def _refuse_heads(name: str, heads: list[str]) -> None:
    """Refuse a first line that does not name the columns; nothing of it is repeated."""
    place = f"{name}, line 1"
    if any(map(has_address, heads)):
        why = "contains an e-mail address instead of the names of the columns"
        raise FileRefused(place, why, "Add a first line with names such as email,name,team.")
    if twice := sorted({head for head in heads if head and heads.count(head) > 1}):
        why = f"has more than one column {', '.join(twice)}"
        raise FileRefused(place, why, "Give every column a name of its own.")


def _json_lines(name: str, text: str, records: str, set_aside: SetAside) -> Iterator[TextRow]:
    # Not splitlines(): a prompt may hold characters that Unicode calls the end of a line.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield from _objects(f"{name}, line {number}", line, records, set_aside)


def _json(name: str, text: str, records: str, set_aside: SetAside) -> Iterator[TextRow]:
    """Yield the records of one value; of several, an object on each line, as JSON lines."""
    try:
        whole = _DECODER.decode(text)
    except UNREADABLE:
        yield from _json_lines(name, text, records, set_aside)
    else:
        yield from _below(name, whole, records, set_aside)


_DECODER = msgspec.json.Decoder(Any, float_hook=str)


def _objects(place: str, text: str, records: str, set_aside: SetAside) -> Iterator[TextRow]:
    try:
        whole = _DECODER.decode(text)
    except UNREADABLE as broken:
        why, remedy = f"is not a JSON object ({broken})", "Write one whole object on each line."
        set_aside(FileRefused(place, why, remedy))
    else:
        yield from _below(place, whole, records, set_aside)


def _below(place: str, whole: object, records: str, set_aside: SetAside) -> Iterator[TextRow]:
    """Yield the records of a JSON value: of a list each, of an object what `records` leads to."""
    found = _followed([whole], records.split(".") if records else ())
    is_one = isinstance(whole, Mapping) and not records
    for number, record in enumerate(found, 1):
        where = place if is_one else f"{place}, record {number}"
        if isinstance(record, Mapping):
            yield TextRow(where, dict(_flat(record)))
        else:
            remedy = "Write one whole object for each record."
            set_aside(FileRefused(where, "is not a JSON object", remedy))


def _followed(values: Iterable[Any], path: Sequence[str]) -> Iterator[Any]:
    """Yield what a path leads to, through every list on the way."""
    for value in values:
        if isinstance(value, list):
            yield from _followed(value, path)
        elif not path:
            yield value
        elif isinstance(value, Mapping) and value.get(path[0]) is not None:
            yield from _followed([value[path[0]]], path[1:])


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str | None]]:
    for name, written in values.items():
        value = _pairs(_typed(written))
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif value is None or isinstance(value, (str, bool, int)):
            yield f"{above}{name}", None if value is None else str(value).strip() or None


_TYPES = ("stringValue", "intValue", "doubleValue", "boolValue")
"""https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: a value, under its type."""


def _typed(value: object) -> object:
    """Return a value of OpenTelemetry without its type; any other value as it is."""
    if isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in _TYPES:
        return next(iter(value.values()))
    return value


def _pairs(value: object) -> object:
    """Return a list of `{"key": ..., "value": ...}` as an object; any other value as it is."""
    if not (isinstance(value, list) and value):
        return value
    is_pairs = all(isinstance(one, Mapping) and {"key", "value"} <= one.keys() for one in value)
    return {str(one["key"]): one["value"] for one in value} if is_pairs else value


def _parquet(name: str, content: bytes) -> Iterator[TextRow]:
    frame = _unnested(parquet_table(name, content))
    plain = frame.select(cs.exclude(cs.nested(), cs.binary()))
    try:
        known = plain.with_columns(cs.duration().dt.to_string())
        texts = known.select(pl.all().cast(pl.String).str.strip_chars())
    except PARQUET_FAULTS as broken:
        why = f"has a value that cannot be written as text ({first_line(broken)})"
        raise FileRefused(name, why, "Write the column as text, or leave it out.") from None
    for number, cells in enumerate(texts.iter_rows(named=True), 1):
        yield TextRow(f"{name}, row {number}", {head: cells[head] or None for head in cells})


def _unnested(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with a column for each field of a struct, named by the way to it."""
    while structs := [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]:
        fields = [
            pl.col(name).struct.field(one.name).alias(f"{name}.{one.name}")
            for name in structs
            for one in frame.schema[name].fields  # type: ignore[attr-defined]  # a struct's
        ]
        frame = frame.select(pl.exclude(structs), *fields)
    return frame
