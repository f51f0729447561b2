"""What one kept read lists of one kind: its entries as rows, and which lists were complete.

Pure. Bytes in, a frame out; the vendor's own words end in entries.py.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import GenericAlias
from typing import Any

import msgspec
import polars as pl

from openai_costs.kernel.days import naive
from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.redaction import plain_name
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.anthropic.organization.entries import Entry
from openai_costs.sources.anthropic.organization.kinds import SOURCES, Source, of_table
from openai_costs.sources.organization.kinds import Kind
from openai_costs.sources.organization.listings import LIST, Listing, entry_columns
from openai_costs.storage.archive import KeptRead


class _Page(msgspec.Struct):
    data: list[dict[str, Any]]


def listing(kind: Kind, read: KeptRead) -> Listing:
    """Return what a read lists of one kind; nothing of a kind that Anthropic does not list.

    Raises:
        PageRefused: A page has an entry without what we rely on, or with another type.
    """
    columns = entry_columns(kind.table)
    source = SOURCES.get(kind.table)
    entries, new = _entries(source, read) if source else ([], set())
    given = {source.endpoint.name} if source else set()
    absent = given & read.manifest.absent.keys()
    rows = [_row(one, given, columns) for one in of_table(kind.table, entries)] if given else []
    return Listing(
        naive(read.manifest.read_at),
        read.manifest.day,
        pl.DataFrame([] if absent else rows, schema={LIST: pl.String(), **columns}, orient="row"),
        frozenset(given - absent),
        frozenset(absent),
        f"unknown, kept in raw: {', '.join(sorted(new))}" if new else "",
    )


def _entries(source: Source, read: KeptRead) -> tuple[list[Entry], set[str]]:
    name = source.endpoint.name
    entries: list[Entry] = []
    new: set[str] = set()
    for part in read.bodies:
        if part.rpartition(".")[0] == name:
            raw = _raw(read, part)
            entries += _typed(source, raw, read.page_of(part))
            new |= set(_new(source, raw))
    return entries, new


def _raw(read: KeptRead, part: str) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(read.bodies[part], type=_Page).data
    except UNREADABLE as broken:
        raise PageRefused(read.page_of(part), "data", f"has an unexpected form: {broken}") from None


def _typed(source: Source, raw: list[dict[str, Any]], page: str) -> list[Entry]:
    try:
        found: list[Entry] = msgspec.convert(raw, GenericAlias(list, source.entry))
    except msgspec.ValidationError as unusable:
        where = str(unusable).rpartition("`$")[2].strip("`") if "`$" in str(unusable) else ""
        raise PageRefused(page, f"data{where}", f"has an unexpected form: {unusable}") from None
    return found


def _new(source: Source, raw: list[dict[str, Any]]) -> Iterator[str]:
    for entry in raw:
        yield from (
            f"{source.endpoint.name}.{name}" for name in entry.keys() - source.endpoint.fields
        )


def _row(entry: Entry, given: set[str], columns: dict[str, pl.DataType]) -> tuple[Any, ...]:
    return (*given, *(_value(entry, column) for column in columns))


def _value(entry: Entry, column: str) -> Any:  # noqa: ANN401 - whatever the column holds
    """Return what an entry has for a column; null where the vendor has no such thing."""
    value = getattr(entry, column, None)
    if isinstance(value, datetime):
        return naive(value.astimezone(UTC))
    return plain_name(value) if column == "name" else value
