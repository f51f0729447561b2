"""What one kept read lists of one kind: its entries as rows, and which lists were complete.

Pure. Bytes in, a frame out; the vendor's own words end in entries.py.
"""

from collections.abc import Iterator
from types import GenericAlias
from typing import Any, NamedTuple

import msgspec
import polars as pl

from openai_costs.kernel.days import naive
from openai_costs.kernel.errors import CurrencyRefused, PageRefused
from openai_costs.kernel.redaction import plain_name
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.openai.organization.endpoints import ListEndpoint
from openai_costs.sources.openai.organization.entries import DOLLARS, Alert, Entry, Limit
from openai_costs.sources.openai.organization.kinds import ENTRIES
from openai_costs.sources.organization.kinds import Kind
from openai_costs.sources.organization.listings import LIST, Listing, entry_columns
from openai_costs.storage.archive import KeptRead

_NAMES = frozenset({"name", "owner_name"})
_OPTIONAL = frozenset({"name", "status", "created_at"})
"""Columns that every table has and some entries do not hold."""

_MICROSECONDS = 1_000_000


class _Part(NamedTuple):
    """A part's name taken apart: `users.0` or `api_keys.proj_x.0`."""

    part: str
    list: str
    project_id: str | None
    endpoint: ListEndpoint


class _Page(msgspec.Struct):
    data: list[dict[str, Any]]


def listing(kind: Kind, read: KeptRead) -> Listing:
    """Return what a read lists of one kind.

    Raises:
        PageRefused: A page has an entry without what we rely on, or with another type.
    """
    rows: list[tuple[Any, ...]] = []
    new: set[str] = set()
    parts = list(_parts(kind, read))
    columns = entry_columns(kind.table)
    for part in parts:
        raw, entries = _entries(kind, read, part)
        new.update(_new(part.endpoint, raw))
        rows += (_row(entry, part, columns) for entry in entries)
    return Listing(
        naive(read.manifest.read_at),
        read.manifest.day,
        _frame(rows, columns),
        frozenset(part.list for part in parts),
        frozenset(name for name in read.manifest.absent if _endpoint(kind, name)),
        f"unknown, kept in raw: {', '.join(sorted(new))}" if new else "",
    )


def _parts(kind: Kind, read: KeptRead) -> Iterator[_Part]:
    for part in read.bodies:
        name = part.rpartition(".")[0]
        if (endpoint := _endpoint(kind, name)) is not None:
            yield _Part(part, name, name.partition(".")[2] or None, endpoint)


def _endpoint(kind: Kind, name: str) -> ListEndpoint | None:
    """Return what a list is one of; None when it is of another kind."""
    prefix, _, project_id = name.partition(".")
    for endpoint in ENTRIES[kind.table]:
        if endpoint.name == prefix and endpoint.is_per_project == bool(project_id):
            return endpoint
    return None


def _entries(kind: Kind, read: KeptRead, part: _Part) -> tuple[list[dict[str, Any]], list[Entry]]:
    page = read.page_of(part.part)
    try:
        raw = _raw(read.bodies[part.part], part.endpoint)
        entries: list[Entry] = msgspec.convert(
            raw, GenericAlias(list, ENTRIES[kind.table][part.endpoint])
        )
    except UNREADABLE as unusable:
        where = str(unusable).rpartition("`$")[2].strip("`") if "`$" in str(unusable) else ""
        raise PageRefused(page, f"data{where}", f"has an unexpected form: {unusable}") from None
    _refuse_other_currencies(entries, page)
    return raw, entries


def _raw(body: bytes, endpoint: ListEndpoint) -> list[dict[str, Any]]:
    if not endpoint.is_single:
        return msgspec.json.decode(body, type=_Page).data
    return [msgspec.json.decode(body, type=dict[str, Any])] if body else []


def _new(endpoint: ListEndpoint, raw: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the fields and objects that are new to us."""
    for entry in raw:
        yield from (f"{endpoint.name}.{name}" for name in entry.keys() - endpoint.fields)
        if (named := entry.get("object", endpoint.entry_object)) != endpoint.entry_object:
            yield f"object {named}"


def _refuse_other_currencies(entries: list[Entry], page: str) -> None:
    currencies = {one.currency for one in entries if isinstance(one, Limit | Alert)}
    if strange := currencies - DOLLARS:
        why = f"is {', '.join(sorted(strange))}; thresholds are compared with dollars only"
        raise CurrencyRefused(page, "currency", why)


def _row(entry: Entry, part: _Part, columns: dict[str, pl.DataType]) -> tuple[Any, ...]:
    return (part.list, *(_value(entry, part, column) for column in columns))


def _value(entry: Entry, part: _Part, column: str) -> Any:  # noqa: ANN401 - whatever the column holds
    if column == "project_id":
        return part.project_id
    if column == "id" and part.endpoint.is_single:
        return part.list  # a single object has no id: it is the one of its organization or project
    value = getattr(entry, column, None) if column in _OPTIONAL else getattr(entry, column)
    return plain_name(value) if column in _NAMES else value


def _frame(rows: list[tuple[Any, ...]], columns: dict[str, pl.DataType]) -> pl.DataFrame:
    instants = [name for name, kind in columns.items() if kind == pl.Datetime("us")]
    types = columns | dict.fromkeys(instants, pl.Int64())
    frame = pl.DataFrame(rows, schema={LIST: pl.String(), **types}, orient="row")
    # Zero seconds stands for "never", not for 1970.
    seconds = pl.col(instants).replace(0, None) if instants else None
    return frame.with_columns(
        [] if seconds is None else (seconds * _MICROSECONDS).cast(pl.Datetime("us"))
    )
