"""Files that people keep for us, as rows of text with the place each stands at. Pure.

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


class TextRow(NamedTuple):
    """A row and where it stands; None where a cell is empty."""

    place: str
    cells: Mapping[str, str | None]


def text_rows(name: str, content: bytes) -> Iterator[TextRow]:
    """Yield the rows of a file.

    Args:
        name: The file's name: its ending says what it is.
        content: Its bytes.

    Raises:
        FileRefused: It is not what its ending says, or of no kind we know.
    """
    kind = name.rsplit(".", 1)[-1].lower()
    if kind == "parquet":
        yield from _parquet(name, content)
    elif kind in ("jsonl", "ndjson"):
        yield from _json_lines(name, decoded(name, content))
    elif kind in ("csv", "tsv"):
        yield from _csv(name, decoded(name, content), "\t" if kind == "tsv" else ",")
    else:
        remedy = "Give the file one of the endings .csv, .tsv, .jsonl, .ndjson or .parquet."
        raise FileRefused(name, f"its ending .{kind} says nothing we know", remedy)


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
        if twice := sorted({head for head in heads if head and heads.count(head) > 1}):
            why = f"has more than one column {', '.join(twice)}"
            raise FileRefused(f"{name}, line 1", why, "Give every column a name of its own.")
        for cells in reader:
            place = f"{name}, line {reader.line_num}"
            if len(cells) > len(heads):
                why = f"has {len(cells)} cells under {len(heads)} columns"
                raise FileRefused(place, why, "Quote a cell that holds a comma.")
            if any(cell.strip() for cell in cells):
                padded = [*cells, *[""] * (len(heads) - len(cells))]
                yield TextRow(
                    place, {h: c.strip() or None for h, c in zip(heads, padded, strict=True)}
                )
    except csv.Error as broken:
        place = f"{name}, line {reader.line_num}"
        raise FileRefused(
            place, f"is no CSV ({broken})", "Correct the quotes of that line."
        ) from None


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
            why, remedy = f"is no JSON object ({broken})", "Write one whole object on each line."
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
        raise FileRefused(
            name, f"is no Parquet we can read ({broken})", "Write it again."
        ) from None
    for number, cells in enumerate(texts.iter_rows(named=True), 1):
        yield TextRow(f"{name}, row {number}", {head: cells[head] or None for head in cells})
