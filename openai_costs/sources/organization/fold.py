"""A table of an organization from what its reads list: who is there, who was, and since when.

Pure. The same reads give the same table, in whatever order and however often they come.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import polars as pl

from openai_costs.sources.organization.kinds import AS_OF, NOT_LISTED, VANISHED, Kind
from openai_costs.sources.organization.listings import LIST, Listing, entry_columns

LAST_KNOWN = frozenset({"name", "email", "owner_name", "created_at"})
"""What is remembered when a later entry no longer holds it."""

_READ = {"read_at": pl.Datetime("us"), "day": pl.Date()}


def fold(kind: Kind, listings: Sequence[Listing], doubted: Collection[datetime]) -> pl.DataFrame:
    """Return everything that was ever listed, without the columns `connection` and `provider`.

    Args:
        kind: The table.
        listings: What its reads list.
        doubted: When those were read that lack more than is believed: nothing is gone by them.
    """
    rows = _rows(kind, listings)
    lists = _lists(listings, rows[LIST].unique().to_list())
    newest = lists.group_by(LIST).agg(pl.col("read_at").max().alias("newest_at"))
    known = _last_listed(kind, rows).join(newest, on=LIST, how="left")
    believed = lists.filter(~pl.col("read_at").is_in(list(doubted)))
    judged = known.join(_missed(kind, known, believed), on=kind.key, how="left")
    return judged.with_columns(
        pl.coalesce("missed_at", "newest_at").alias(AS_OF),
        pl.col("missed_at").is_null().alias("is_current"),
    ).with_columns(_status(kind))


def not_listed(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return ids that the ledger names and no list knows: seen on the days they had a bill.

    Args:
        ledger: id, first_day, last_day.
    """
    return ledger.select(
        "id",
        pl.lit(NOT_LISTED).alias("status"),
        pl.col("first_day").alias("first_seen_day"),
        pl.col("last_day").alias("last_seen_day"),
        pl.lit(False).alias("is_current"),
    )


def _rows(kind: Kind, listings: Sequence[Listing]) -> pl.DataFrame:
    """Return a row per read, list and entry, oldest read first."""
    nothing = pl.DataFrame(schema={LIST: pl.String(), **entry_columns(kind.table), **_READ})
    stamped = (
        one.rows.with_columns(
            pl.lit(one.at, _READ["read_at"]).alias("read_at"), pl.lit(one.day).alias("day")
        )
        for one in listings
    )
    rows = pl.concat([nothing, *stamped])
    return rows.sort("read_at", LIST, *kind.key, maintain_order=True)


def _lists(listings: Sequence[Listing], known: Sequence[str]) -> pl.DataFrame:
    """Return a row per read and complete list: list, read_at.

    A project that is no longer there is not asked for its lists: they are empty from then on.
    """
    of_projects = {name for name in known if "." in name}
    found = [
        (name, one.at) for one in listings for name in (one.complete | (of_projects - one.absent))
    ]
    schema = {LIST: pl.String(), "read_at": _READ["read_at"]}
    return pl.DataFrame(found, schema=schema, orient="row")


def _last_listed(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row per thing: what its newest entry says, and when it was listed."""
    values = [
        (pl.col(name).drop_nulls() if name in LAST_KNOWN else pl.col(name)).last()
        for name in (LIST, *entry_columns(kind.table))
        if name not in kind.key
    ]
    return rows.group_by(kind.key, maintain_order=True).agg(
        *values,
        pl.col("day").min().alias("first_seen_day"),
        pl.col("day").max().alias("last_seen_day"),
        pl.col("read_at").max().alias("last_at"),
    )


def _missed(kind: Kind, known: pl.DataFrame, lists: pl.DataFrame) -> pl.DataFrame:
    """Return when a thing was first missing from the list that had it last."""
    after = known.select(LIST, *kind.key, "last_at").join(lists, on=LIST)
    later = after.filter(pl.col("read_at") > pl.col("last_at"))
    return later.group_by(kind.key).agg(pl.col("read_at").min().alias("missed_at"))


def _status(kind: Kind) -> pl.Expr:
    says_more = kind.status.is_in(kind.lasting)
    return (
        pl.when(pl.col("is_current") | says_more)
        .then(kind.status)
        .otherwise(pl.lit(VANISHED))
        .alias("status")
    )
