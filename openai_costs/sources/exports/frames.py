"""core.spend and core.spend_control from kept rows of exports: summed exactly. Pure.

The ledger is made of the rows; the control total is what was added up from the files when they were
read. Both convert a currency by the same rule.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import MAX_PREC, ROUND_HALF_EVEN, Context, Decimal
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from openai_costs.kernel.days import is_over, naive
from openai_costs.kernel.errors import FileRefused, PageRefused
from openai_costs.kernel.formatting import listed
from openai_costs.kernel.money import (
    SMALLEST,
    NotAnAmount,
    amount,
    exact_quantities,
    exact_where_known,
    sum_with_room,
)
from openai_costs.settings.connection import Connection
from openai_costs.sources.batching import Held, RowsOf, Understood, at_once, batches, page_sums
from openai_costs.sources.exports.charges import Vocabulary, charge
from openai_costs.sources.exports.dialects import (
    Dialect,
    dated,
    facts,
    one_spelling,
    refuse_unusable,
)
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
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl

NO_ROWS: Final = b"[]"
_WIDE: Final = Context(prec=MAX_PREC)
MOST_KINDS: Final = 5
AMOUNTS: Final = ("billed_usd", "list_usd", "amount", "quantity")
GRAIN: Final = tuple(Spend.Config.unique)


class _File(NamedTuple):
    """The rows of a file that a kept read has.

    Args:
        key: The connection and day.
        page: The part that has them, for messages.
        parts: All parts that have rows of the day, for messages.
        dialect: The kind of export.
        table: The rows as text.
    """

    key: Slice
    page: str
    parts: str
    dialect: Dialect
    table: pl.DataFrame


def ledger_batches(
    reads: Reads, connection: Connection, rules: Rules, words: Vocabulary
) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    charges = partial(_charges, connection, rules, words)
    return batches(reads, partial(_files, rules), partial(_batch, partial(_rows, charges)))


def control_batches(
    reads: Reads, connection: Connection, _grace: timedelta, rules: Rules
) -> Iterator[Batch]:
    """Yield core.spend_control for kept reads: what the files added up to when they were read."""
    return batches(reads, partial(_control, connection, rules), _control_batch)


def billing_accounts(read: DayRead | KeptRead) -> set[str]:
    """Return the billing accounts that the control of a read names, in one spelling each.

    Each is of one connection.
    """
    if CONTROL not in read.bodies:
        return set()
    found = totals(read.bodies[CONTROL], CONTROL)
    return {one_spelling(account) for one in found for account in one.accounts}


def _files(rules: Rules, read: KeptRead) -> Understood[_File]:
    dialects, manifest = {one.name: one for one in rules.dialects}, read.manifest
    found = []
    for name, part in manifest.parts.items():
        if name.startswith(ROWS) and read.bodies[name] != NO_ROWS:
            page, kind = read.page_of(name), Source.of(part).dialect
            if kind not in dialects:
                raise PageRefused(page, "a column", f"cannot be used: {kind!r}")
            table = rows_of(read.bodies[name], page).drop(ROW)
            key = Slice(manifest.connection, manifest.day)
            parts = f"{read.page}!{ROWS}*.json"
            found.append(_File(key, page, parts, dialects[kind], table))
    new = sorted({kind for one in found for kind in one.dialect.new_kinds(one.table)})
    remark = f"counted as adjustments, kinds of charges new to us: {listed(new, MOST_KINDS)}"
    return Understood(found, remark if new else "", sum(map(len, read.bodies.values())))


Charges = Callable[[Sequence[_File]], Iterator[dict[str, Any]]]


def _charges(
    connection: Connection, rules: Rules, words: Vocabulary, files: Sequence[_File]
) -> Iterator[dict[str, Any]]:
    """Yield the charges of files with the same columns; amounts are text still."""
    page, dialect = files[0].page, files[0].dialect
    try:
        known = dated(facts(page, pl.concat([one.table for one in files]), dialect))
        refuse_unusable(page, known, dialect)
    except FileRefused as changed:
        raise PageRefused(page, "a column", f"cannot be used: {changed}") from None
    keys = (one.key for one in files for _ in range(one.table.height))
    for key, one in zip(keys, known.iter_rows(named=True), strict=True):
        yield charge(connection, rules, words, dialect, one) | key._asdict()


def _rows(charges: Charges, files: Sequence[_File], *, may_round: bool) -> pl.DataFrame:
    """Return core.spend before its sums; of one day each file alone: a message names its row."""
    alike: dict[object, list[_File]] = {}
    for one in files:
        kind = one.page if may_round else (one.dialect.name, *one.table.columns)
        alike.setdefault(kind, []).append(one)
    found = [one for its in alike.values() for one in charges(its)]
    where = files[0].parts if files else ""
    columns = {
        name: _exact([one[name] for one in found], where, name, may_round=may_round)
        if name in AMOUNTS
        else pl.Series([one.get(name) for one in found], dtype=type_)
        for name, type_ in Spend.types().items()
    }
    return pl.DataFrame(columns)


def _exact(texts: Sequence[str | None], page: str, column: str, *, may_round: bool) -> pl.Series:
    try:
        read = exact_quantities if column == "quantity" else exact_where_known
        return read(texts, may_round=may_round)
    except NotAnAmount as bad:
        raise PageRefused(page, column, bad.why) from None


def _batch(rows_of_files: RowsOf[_File], held: Held[_File]) -> Batch:
    rows = at_once(held, rows_of_files, lambda one: one.key)
    return Batch(summed(rows), held.read_at, held.refused, held.remarks, page_sums(held, rows))


def summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of core.spend added up to its grain.

    A sum of which a part is unknown is unknown; of tags, those stay that all rows of a line have.
    """
    measures = [
        pl.when(pl.col(one).is_not_null().all()).then(sum_with_room(pl.col(one))).alias(one)
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


def _control(
    connection: Connection, rules: Rules, read: KeptRead
) -> Understood[tuple[object, ...]]:
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
    sources = sources_of(manifest)
    its = Read(manifest.read_at, newest_run(sources))
    has_settled = _is_final(sources) or is_settled(
        manifest.day, its, host_of(connection), settled_after(connection)
    )
    row = (
        manifest.connection,
        manifest.day,
        total.quantize(SMALLEST, rounding=ROUND_HALF_EVEN, context=_WIDE),
        has_settled,
        has_settled or is_over(manifest.day, its.known_at),
        naive(manifest.read_at),
    )
    return Understood([row], "", len(read.bodies[CONTROL]))


def _is_final(sources: Sequence[Source]) -> bool:
    """Return whether the vendor says that a day has settled, however old it is.

    Cost Explorer marks a whole month as estimated until its bill is final.
    """
    return {one.estimated for one in sources} == {"false"}


def _control_batch(held: Held[tuple[object, ...]]) -> Batch:
    types = SpendControl.types()
    known = ("connection", "day", "billed_usd", "is_settled", "is_over", "read_at")
    rows = pl.DataFrame(held.pages, {name: types[name] for name in known}, orient="row")
    frame = pl.concat([SpendControl.no_rows(), rows], how="diagonal").sort("connection", "day")
    return Batch(frame, held.read_at, held.refused, held.remarks)
