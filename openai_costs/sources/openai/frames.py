"""What a cost page means: from the bytes of a day's bucket to the columns of the core tables.

The vendor's own words end here. Pure: bytes in, Polars frames out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import polars as pl

from openai_costs.archive import KeptRead
from openai_costs.days import is_settled
from openai_costs.errors import CurrencyRefused, OpenAICostsError, PageRefused
from openai_costs.lake import Batch, Slice
from openai_costs.money import MONEY, NotAnAmount, exact, total
from openai_costs.settings import Connection
from openai_costs.sources.openai.endpoints import COSTS
from openai_costs.sources.openai.line_items import parsed_columns
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl

BYTES_A_BATCH = 16 * 1024 * 1024
DIMENSIONS = ("project_id", "user_id", "api_key_id", "line_item")


class _Amount(msgspec.Struct, forbid_unknown_fields=True):
    value: Any
    currency: str


class _Result(msgspec.Struct, forbid_unknown_fields=True):
    """A cost result. Fields behind the blank line are on the wire and in no document."""

    amount: _Amount
    object: str = COSTS.result_object
    line_item: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    api_source: str | None = None
    quantity: Any = None
    quantity_unit: str | None = None

    organization_id: str | None = None
    organization_name: str | None = None
    project_name: str | None = None
    user_email: str | None = None


class _Bucket(msgspec.Struct, forbid_unknown_fields=True):
    results: list[_Result]
    object: str = "bucket"
    start_time: int = 0
    end_time: int = 0
    start_time_iso: str | None = None
    end_time_iso: str | None = None


class _LooseBucket(msgspec.Struct):
    results: list[dict[str, Any]]


# float_hook=str keeps every digit: a float never exists.
_strict = msgspec.json.Decoder(_Bucket, float_hook=str)
_loose = msgspec.json.Decoder(_LooseBucket, float_hook=str)


def ledger_batches(reads: Iterable[KeptRead], connection: Connection) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    return _batches(Spend, reads, lambda read: rows(read, "ledger"), partial(_ledger, connection))


def by_user_batches(reads: Iterable[KeptRead], connection: Connection) -> Iterator[Batch]:
    """Yield core.spend_by_user: from the user view, or from a ledger that names users itself."""
    return _batches(SpendByUser, reads, _user_rows, partial(_by_user, connection))


def control_batches(reads: Iterable[KeptRead], grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control: one row per read, also for a day without spend."""
    return _batches(SpendControl, reads, partial(_control, grace), lambda frame: frame)


def _user_rows(read: KeptRead) -> tuple[pl.DataFrame, str]:
    return rows(read, "user_view" if "user_view" in read.bodies else "ledger")


def rows(read: KeptRead, part: str) -> tuple[pl.DataFrame, str]:
    """Return a part's results as they stand, and a remark about anything new in them.

    Returns:
        One row per result: connection, day, the four dimensions (null for ""), billed_usd,
        quantity, quantity_unit, grouping. The remark is empty when nothing was new.

    Raises:
        PageRefused: An amount is missing, null or not finite; a currency is not usd; a field we
            rely on is gone or has another type.
    """
    page = f"{read.page}!{part}.json"
    grouping = read.manifest.parts[part].grouping
    results, remark = _results(read.bodies[part], grouping, page)
    _refuse_other_currencies(results, page)
    columns: dict[str, list[str | None]] = {
        name: [getattr(result, name) for result in results] for name in DIMENSIONS
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(DIMENSIONS, pl.String)).with_columns(
        pl.col(DIMENSIONS).replace("", None),
        pl.lit(read.manifest.connection).alias("connection"),
        pl.lit(read.manifest.day).alias("day"),
        pl.lit(",".join(grouping)).alias("grouping"),
        _amounts([result.amount.value for result in results], page).alias("billed_usd"),
        _quantities([result.quantity for result in results], page).alias("quantity"),
        pl.Series("quantity_unit", [result.quantity_unit for result in results], pl.String),
    )
    return _in_single_units(frame), remark


def _batches(
    table: type[Contract],
    reads: Iterable[KeptRead],
    rows_of: Callable[[KeptRead], tuple[pl.DataFrame, str]],
    conform: Callable[[pl.DataFrame], pl.DataFrame],
) -> Iterator[Batch]:
    """Clean reads some megabytes at a time; a page that is refused refuses only its own day."""
    held = _Held()
    for read in reads:
        held.add(read, rows_of)
        if held.size > BYTES_A_BATCH:
            yield held.batch(table, conform)
            held = _Held()
    yield held.batch(table, conform)


class _Held:
    """Cleaned days on their way into one batch."""

    def __init__(self) -> None:
        self.frames: list[pl.DataFrame] = []
        self.read_at: dict[Slice, datetime] = {}
        self.page_usd: dict[Slice, Decimal] = {}
        self.refused: dict[Slice, OpenAICostsError] = {}
        self.remarks: dict[Slice, str] = {}
        self.size = 0

    def add(self, read: KeptRead, rows_of: Callable[[KeptRead], tuple[pl.DataFrame, str]]) -> None:
        key = Slice(read.manifest.connection, read.manifest.day)
        try:
            frame, remark = rows_of(read)
        except PageRefused as error:
            self.refused[key] = error
            return
        self.frames.append(frame)
        self.read_at[key] = read.manifest.read_at
        self.page_usd[key] = total(frame["billed_usd"])
        self.size += sum(map(len, read.bodies.values()))
        if remark:
            self.remarks[key] = remark

    def batch(
        self, table: type[Contract], conform: Callable[[pl.DataFrame], pl.DataFrame]
    ) -> Batch:
        frame = conform(pl.concat(self.frames)) if self.frames else table.no_rows()
        return Batch(frame, self.read_at, self.refused, self.remarks, self.page_usd)


def _ledger(connection: Connection, frame: pl.DataFrame) -> pl.DataFrame:
    grain = ["connection", "day", *DIMENSIONS, "quantity_unit", "grouping"]
    quantity = pl.when(pl.col("quantity").is_not_null().any()).then(pl.col("quantity").sum())
    summed = frame.group_by(grain).agg(pl.col("billed_usd").sum(), quantity.alias("quantity"))
    return (
        _named(summed, connection)
        .select(list(Spend.types()))
        .sort("connection", "day", *DIMENSIONS)
    )


def _by_user(connection: Connection, frame: pl.DataFrame) -> pl.DataFrame:
    grain = ["connection", "day", "user_id", "line_item"]
    summed = frame.group_by(grain).agg(pl.col("billed_usd").sum())
    return _named(summed, connection).select(list(SpendByUser.types())).sort(grain)


def _named(frame: pl.DataFrame, connection: Connection) -> pl.DataFrame:
    parsed = parsed_columns(frame["line_item"])
    return frame.join(parsed, on="line_item", how="left", nulls_equal=True).with_columns(
        pl.lit(connection.provider).alias("provider"),
        pl.lit(connection.organization_id, pl.String).alias("organization_id"),
    )


def _control(grace: timedelta, read: KeptRead) -> tuple[pl.DataFrame, str]:
    found, remark = rows(read, "control")
    manifest = read.manifest
    row = {
        "connection": [manifest.connection],
        "day": [manifest.day],
        "billed_usd": [total(found["billed_usd"])],
        "is_settled": [is_settled(manifest.day, manifest.read_at, grace)],
        "read_at": [manifest.read_at.replace(tzinfo=None)],
    }
    return pl.DataFrame(row, schema=SpendControl.types()), remark


def _results(body: bytes, grouping: Sequence[str], page: str) -> tuple[Sequence[_Result], str]:
    try:
        results = _strict.decode(body).results
        new = sorted({result.object for result in results} - {COSTS.result_object})
        return results, f"unknown objects, counted: {', '.join(new)}" if new else ""
    except msgspec.ValidationError as unexpected:
        return _loosely(body, grouping, page, str(unexpected))


def _loosely(
    body: bytes, grouping: Sequence[str], page: str, unexpected: str
) -> tuple[Sequence[_Result], str]:
    """Accept what is merely new; refuse what we rely on and cannot find."""
    known = set(_Result.__struct_fields__)
    try:
        loose = _loose.decode(body).results
        results = [
            msgspec.convert({k: v for k, v in one.items() if k in known}, _LooseResult)
            for one in loose
        ]
    except msgspec.ValidationError as gone:
        raise PageRefused(page, _where(str(gone)), f"is not what it was: {gone}") from None
    new = sorted({name for one in loose for name in one if name not in known})
    for dimension in grouping:
        if new and loose and not any(dimension in one for one in loose):
            why = f"is gone from every result, while {', '.join(new)} is new: renamed?"
            raise PageRefused(page, f"results[].{dimension}", why)
    return results, f"unknown fields, kept in raw: {', '.join(new) or unexpected}"


class _LooseAmount(_Amount, forbid_unknown_fields=False):
    """An amount that may carry fields we do not know."""


class _LooseResult(_Result, forbid_unknown_fields=False):
    """A result that may carry fields we do not know."""

    amount: _LooseAmount


def _where(message: str) -> str:
    return message.rpartition("`$")[2].strip("`.") or "results[]"


def _refuse_other_currencies(results: Sequence[_Result], page: str) -> None:
    if strange := {result.amount.currency for result in results} - {"usd", "USD"}:
        why = f"is {', '.join(sorted(strange))}; this ledger adds dollars to dollars only"
        raise CurrencyRefused(page, "results[].amount.currency", why)


def _amounts(values: list[Any], page: str) -> pl.Series:
    try:
        return exact([value if isinstance(value, str) else _text(value) for value in values])
    except NotAnAmount as bad:
        raise PageRefused(page, f"results[{bad.row}].amount.value", bad.why) from None


def _quantities(values: list[Any], page: str) -> pl.Series:
    there = [row for row, value in enumerate(values) if value is not None]
    try:
        counted = exact([_text(values[row]) for row in there])
    except NotAnAmount as bad:
        field = f"results[{there[bad.row]}].quantity"
        raise PageRefused(page, field, bad.why.replace("dollars", "units")) from None
    if len(there) == len(values):
        return counted
    empty = pl.Series([None] * len(values), dtype=MONEY)
    return empty.scatter(there, counted) if there else empty


def _in_single_units(frame: pl.DataFrame) -> pl.DataFrame:
    """Store thousands of tokens as tokens, so that one unit has one name and one size."""
    in_thousands = pl.col("quantity_unit") == "1000_tokens"
    return frame.with_columns(
        quantity=pl.when(in_thousands)
        .then(pl.col("quantity") * 1000)
        .otherwise("quantity")
        .cast(MONEY),
        quantity_unit=pl.col("quantity_unit").replace("1000_tokens", "tokens"),
    )


def _text(value: object) -> str:
    """Return a JSON scalar as it was written; anything else as words that are no number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else repr(value)
