"""Files that users maintain, as rows of text with the place of each. Pure.

CSV, JSON lines and Parquet. Numbers stay as they are written; what is nested in JSON is reached by
a dotted name, what is nested in Parquet is passed over. Not here: what a column means, where files
are.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import polars as pl
import polars.selectors as cs

from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.redaction import has_address


class TextRow(NamedTuple):
    """A row of a file.

    Args:
        place: The file and the line.
        cells: Its cells by column; None where a cell is empty.
        fault: Why its cells cannot be used; empty when they can.
    """

    place: str
    cells: Mapping[str, str | None]
    fault: str = ""


def text_rows(
    name: str, content: bytes, separator: str | None = None, *, with_faults: bool = False
) -> Iterator[TextRow]:
    """Yield the rows of a file.

    Args:
        name: The file's name: its extension is the format.
        content: Its bytes.
        separator: What separates the cells of a CSV; by default a comma, in a TSV a tab.
        with_faults: Whether a CSV row with too many cells is yielded with its fault instead of
            refusing the file.

    Raises:
        FileRefused: It does not have the format of its extension, or that is unknown.
    """
    kind = name.rsplit(".", 1)[-1].lower()
    if kind == "parquet":
        yield from _parquet(name, content)
    elif kind in ("jsonl", "ndjson"):
        yield from _json_lines(name, decoded(name, content))
    elif kind in ("csv", "tsv"):
        usual = "\t" if kind == "tsv" else ","
        for row in _csv(name, decoded(name, content), separator or usual):
            if row.fault and not with_faults:
                raise FileRefused(row.place, row.fault, "Quote a cell that contains a comma.")
            yield row
    else:
        remedy = "Use one of the extensions .csv, .tsv, .jsonl, .ndjson or .parquet."
        raise FileRefused(name, f"the extension .{kind} is unknown", remedy)


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


def _csv(name: str, text: str, delimiter: str) -> Iterator[TextRow]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        heads = [head.strip() for head in next(reader, [])]
        _refuse_heads(name, heads)
        for cells in reader:
            place = f"{name}, line {reader.line_num}"
            if len(cells) > len(heads):
                fault = f"has {len(cells)} cells under {len(heads)} columns"
                yield TextRow(place, {str(n): cell for n, cell in enumerate(cells)}, fault)
            elif any(cell.strip() for cell in cells):
                padded = [*cells, *[""] * (len(heads) - len(cells))]
                yield TextRow(
                    place, {h: c.strip() or None for h, c in zip(heads, padded, strict=True)}
                )
    except csv.Error as broken:
        place = f"{name}, line {reader.line_num}"
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


def _json_lines(name: str, text: str) -> Iterator[TextRow]:
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=str)
    # Not splitlines(): a prompt may hold characters that Unicode calls the end of a line.
    for number, line in enumerate(text.split("\n"), 1):
        place = f"{name}, line {number}"
        if not line.strip():
            continue
        try:
            yield TextRow(place, dict(_flat(decoder.decode(line))))
        except msgspec.DecodeError as broken:
            why, remedy = f"is not a JSON object ({broken})", "Write one whole object on each line."
            raise FileRefused(place, why, remedy) from None


def _flat(found: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str | None]]:
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif value is None or isinstance(value, (str, bool, int)):
            yield f"{above}{name}", None if value is None else str(value).strip() or None


def _parquet(name: str, content: bytes) -> Iterator[TextRow]:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
        plain = frame.select(cs.exclude(cs.nested(), cs.binary()))
        texts = plain.select(pl.all().cast(pl.String).str.strip_chars())
    except (pl.exceptions.PolarsError, OSError) as broken:
        raise FileRefused(name, f"is not readable Parquet ({broken})", "Write it again.") from None
    for number, cells in enumerate(texts.iter_rows(named=True), 1):
        yield TextRow(f"{name}, row {number}", {head: cells[head] or None for head in cells})
