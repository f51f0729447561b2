"""core.spend and core.spend_control from kept rows of exports: summed exactly. Pure.

The ledger is made of the rows; the control total is what was added up from the files when they were
read. Both convert a currency by the same rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import MAX_PREC, ROUND_HALF_EVEN, Context, Decimal
from functools import partial
from typing import Any, Final

import msgspec
import polars as pl

from openai_costs.kernel.days import naive
from openai_costs.kernel.errors import FileRefused, PageRefused
from openai_costs.kernel.money import SMALLEST, NotAnAmount, amount, exact
from openai_costs.settings.connection import Connection
from openai_costs.sources.batching import Held, Understood, batches
from openai_costs.sources.exports.charges import Vocabulary, charge
from openai_costs.sources.exports.dialects import dated, facts, one_spelling, refuse_unusable
from openai_costs.sources.exports.evidence import (
    CONTROL,
    ROWS,
    Source,
    newest_run,
    sources_of,
)
from openai_costs.sources.exports.kept_parts import rows_of, totals
from openai_costs.sources.exports.settings import host_of, settled_after
from openai_costs.sources.exports.settled import Read, is_settled
from openai_costs.sources.exports.sheets import ROW, Rules
from openai_costs.sources.exports.text_tables import members
from openai_costs.sources.provider import Reads
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl

NO_ROWS: Final = b"[]"
_WIDE: Final = Context(prec=MAX_PREC)
AMOUNTS: Final = ("billed_usd", "list_usd", "amount", "quantity")
GRAIN: Final = tuple(Spend.Config.unique)


def ledger_batches(
    reads: Reads, connection: Connection, rules: Rules, words: Vocabulary
) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    return batches(reads, partial(_ledger, connection, rules, words), _batch)


def control_batches(
    reads: Reads, connection: Connection, _grace: timedelta, rules: Rules
) -> Iterator[Batch]:
    """Yield core.spend_control for kept reads: what the files added up to when they were read."""
    return batches(reads, partial(_control, connection, rules), _control_batch)


def billing_accounts(bodies: Mapping[str, bytes]) -> set[str]:
    """Return the billing accounts that the control of a read names, in one spelling each.

    Each is of one connection.
    """
    if CONTROL not in bodies:
        return set()
    found = totals(bodies[CONTROL], CONTROL)
    return {one_spelling(account) for one in found for account in one.accounts}


def _ledger(
    connection: Connection, rules: Rules, words: Vocabulary, read: KeptRead
) -> Understood[pl.DataFrame]:
    dialects = {one.name: one for one in rules.dialects}
    found: list[dict[str, Any]] = []
    for name, part in read.manifest.parts.items():
        if name.startswith(ROWS) and read.bodies[name] != NO_ROWS:
            page = read.page_of(name)
            try:
                dialect = dialects[Source.of(part).dialect]
                known = dated(facts(page, rows_of(read.bodies[name], page).drop(ROW), dialect))
                refuse_unusable(page, known, dialect)
            except (FileRefused, KeyError) as changed:
                raise PageRefused(page, "a column", f"cannot be used: {changed}") from None
            its = known.iter_rows(named=True)
            found += [charge(connection, rules, words, dialect.categories, one) for one in its]
    where = f"{read.page}!{ROWS}*.json"
    columns = {name: _exact([one[name] for one in found], where, name) for name in AMOUNTS}
    rest = [{k: v for k, v in one.items() if k not in AMOUNTS} for one in found]
    texts = {k: v for k, v in Spend.types().items() if k not in AMOUNTS}
    rows = pl.DataFrame(rest, schema=texts, orient="row").with_columns(**columns)
    manifest = read.manifest
    rows = rows.with_columns(connection=pl.lit(manifest.connection), day=pl.lit(manifest.day))
    size = sum(map(len, read.bodies.values()))
    return Understood([rows.select(list(Spend.types()))], "", size)


def _exact(texts: Sequence[str | None], page: str, column: str) -> pl.Series:
    known = [row for row, one in enumerate(texts) if one is not None]
    empty = pl.Series([None] * len(texts), dtype=Spend.types()[column])
    try:
        amounts = exact([texts[row] or "" for row in known])
    except NotAnAmount as bad:
        raise PageRefused(page, column, bad.why) from None
    return empty.scatter(known, amounts) if known else empty


def _batch(held: Held[pl.DataFrame]) -> Batch:
    rows = pl.concat([Spend.no_rows(), *held.pages])
    sums = rows.group_by("connection", "day").agg(pl.col("billed_usd").sum())
    page_usd = dict.fromkeys(held.read_at, Decimal(0))
    page_usd |= {Slice(*key): usd for *key, usd in sums.iter_rows()}
    frame = summed(rows)
    return Batch(frame, held.read_at, held.refused, held.remarks, page_usd)


def summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of core.spend added up to its grain.

    A sum of which a part is unknown is unknown; of tags, those stay that all rows of a line have.
    """
    measures = [
        pl.when(pl.col(one).is_not_null().all()).then(pl.col(one).sum()).alias(one)
        for one in AMOUNTS
    ]
    others = [one for one in Spend.types() if one not in (*GRAIN, *AMOUNTS, "tags")]
    grouped = rows.group_by(GRAIN, maintain_order=True).agg(
        *measures, pl.col(others).min(), pl.col("tags").unique(maintain_order=True)
    )
    tags = pl.Series("tags", [_common(one) for one in grouped["tags"].to_list()], dtype=pl.String)
    return grouped.with_columns(tags).select(list(Spend.types())).sort(GRAIN)


def _common(texts: Sequence[str | None]) -> str | None:
    if len(texts) == 1:
        return texts[0]
    first, *others = [set(members(one).items()) for one in texts]
    shared = dict(first.intersection(*others))
    return msgspec.json.encode(shared, order="sorted").decode() if shared else None


def _control(connection: Connection, rules: Rules, read: KeptRead) -> Understood[pl.DataFrame]:
    manifest = read.manifest
    total, where = Decimal(0), read.page_of(CONTROL)
    for one in totals(read.bodies[CONTROL], where):
        usd = rules.currency.usd(one.currency, one.billed, one.billed_in_usd, one.month)
        if usd is None:
            raise PageRefused(where, "billed", f"is in {one.currency}, without a rate")
        try:
            total = _WIDE.add(total, amount(usd))
        except NotAnAmount as bad:
            raise PageRefused(where, "billed", bad.why) from None
    row = {
        "connection": manifest.connection,
        "day": manifest.day,
        "billed_usd": total.quantize(SMALLEST, rounding=ROUND_HALF_EVEN, context=_WIDE),
        "is_settled": _is_settled(read, connection),
        "read_at": naive(manifest.read_at),
    }
    names = list(SpendControl.types())
    frame = pl.DataFrame([row], schema={one: SpendControl.types()[one] for one in row})
    types = SpendControl.types()
    missing = [pl.lit(None, types[one]).alias(one) for one in names if one not in row]
    return Understood([frame.with_columns(missing).select(names)], "", len(read.bodies[CONTROL]))


def _is_settled(read: KeptRead, connection: Connection) -> bool:
    """Return whether a day had settled: the vendor says so, or it is old enough.

    Cost Explorer marks a whole month as estimated until its bill is final.
    """
    manifest = read.manifest
    sources = sources_of(manifest)
    if {one.estimated for one in sources} == {"false"}:
        return True
    its = Read(manifest.read_at, newest_run(sources))
    return is_settled(manifest.day, its, host_of(connection), settled_after(connection))


def _control_batch(held: Held[pl.DataFrame]) -> Batch:
    frame = pl.concat([SpendControl.no_rows(), *held.pages]).sort("connection", "day")
    return Batch(frame, held.read_at, held.refused, held.remarks)
