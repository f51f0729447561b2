"""Series of the ledger, from sums of its rows: queries, and what their answers are made into. Pure.

A series is what was charged: a credit or a refund is neither less use nor the end of it. A year of
rows is added up while it is read: series need far fewer rows than the bill has.
"""

from itertools import combinations
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies.series_ids import COLUMNS, WHOLE, id_of
from openai_costs.questions.credits import is_charged
from openai_costs.questions.series import ID

SLICE = ("connection", "day")

_OF_BILL = [column for level, column in COLUMNS.items() if level != "user"]


class LedgerSeries(NamedTuple):
    """The series of a connection.

    Args:
        spend: series_id, day, cost.
        hierarchy: child, parent: series that share a line of the bill.
        names: series_id, name, day: the newest day of each name of a series.
    """

    spend: pl.DataFrame
    hierarchy: pl.DataFrame
    names: pl.DataFrame


class Bill(NamedTuple):
    """The answers to the queries of `of_bill`.

    Args:
        keys: connection, day, project_id, api_key_id, billed_usd.
        lines: connection, what lines say, the newest day.
        providers: connection, provider.
    """

    keys: pl.DataFrame
    lines: pl.DataFrame
    providers: pl.DataFrame


class People(NamedTuple):
    """The answers to the queries of `of_people`.

    Args:
        users: connection, day, user_id, billed_usd.
        models: connection, day, model, usage_type, billed_usd.
        lines: connection, what lines say, the newest day.
    """

    users: pl.DataFrame
    models: pl.DataFrame
    lines: pl.DataFrame


def of_bill(rows: pl.LazyFrame, unknown: pl.DataFrame) -> list[pl.LazyFrame]:
    """Return the queries about mart.spend.

    Args:
        rows: mart.spend.
        unknown: connection, day: the slices whose dollars say nothing.
    """
    known = _without(rows, unknown)
    return [
        _per_day(known, "project_id", "api_key_id"),
        _per_line(known, *_OF_BILL, "project_name", "api_key_name"),
        rows.select("connection", "provider").unique(),
    ]


def of_people(rows: pl.LazyFrame, unknown: pl.DataFrame) -> list[pl.LazyFrame]:
    """Return the queries about mart.spend_attribution.

    Args:
        rows: mart.spend_attribution.
        unknown: connection, day: the slices whose dollars say nothing.
    """
    known = _without(rows, unknown)
    return [
        _per_day(known, "user_id"),
        _per_day(known, "model", "usage_type"),
        _per_line(known, *COLUMNS.values(), "user_name"),
    ]


def _without(rows: pl.LazyFrame, unknown: pl.DataFrame) -> pl.LazyFrame:
    return rows if unknown.is_empty() else rows.join(unknown.lazy(), on=SLICE, how="anti")


def _per_day(rows: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
    charged = rows.filter(is_charged())
    return charged.group_by(*SLICE, *columns).agg(pl.col("billed_usd").sum())


def _per_line(rows: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
    return rows.group_by("connection", *columns).agg(pl.col("day").max())


def ledger_series(bill: Bill, people: People) -> dict[str, LedgerSeries]:
    """Return the series of each connection that has a bill.

    Projects and keys come from the bill, all else from the attribution, as their leaf rows do: the
    causes of a day add up to its dollars where a line of one is several of the other.
    """
    sums = dict.fromkeys(("project", "key"), bill.keys) | {"user": people.users}
    parts = [_daily(sums.get(level, people.models), level) for level in COLUMNS]
    frames = (
        pl.concat([_whole(people.users), *parts]),
        _hierarchy(people.lines, bill.lines),
        _names(bill.lines, people.lines),
    )
    by_connection = [one.partition_by("connection", as_dict=True) for one in frames]
    return {
        name: LedgerSeries(
            *(
                of.get((name,), whole[:0]).drop("connection")
                for of, whole in zip(by_connection, frames, strict=True)
            )
        )
        for name in bill.providers["connection"].unique().sort()
    }


def _daily(sums: pl.DataFrame, level: str) -> pl.DataFrame:
    column = COLUMNS[level]
    some = sums.filter(pl.col(column).is_not_null())
    daily = some.group_by(*SLICE, column).agg(cost=pl.col("billed_usd").sum().cast(MONEY))
    return daily.select("connection", id_of(level, column).alias(ID), "day", "cost")


def _whole(sums: pl.DataFrame) -> pl.DataFrame:
    daily = sums.group_by(SLICE).agg(cost=pl.col("billed_usd").sum().cast(MONEY))
    return daily.select("connection", pl.lit(WHOLE).alias(ID), "day", "cost")


def _hierarchy(people: pl.DataFrame, bill: pl.DataFrame) -> pl.DataFrame:
    """Pairs of series that share a line; every series is part of the whole."""
    pairs = []
    for one, other in combinations(COLUMNS, 2):
        both = _sharing_a_line(people if "user" in (one, other) else bill, one, other)
        pairs += [both, both.select("connection", child="parent", parent="child")]
    for level, column in COLUMNS.items():
        some = (people if level == "user" else bill).select("connection", column).drop_nulls()
        child = some.unique().select("connection", child=id_of(level, column))
        pairs.append(child.with_columns(parent=pl.lit(WHOLE)))
    return pl.concat(pairs)


def _sharing_a_line(rows: pl.DataFrame, child: str, parent: str) -> pl.DataFrame:
    columns = COLUMNS[child], COLUMNS[parent]
    both = rows.select("connection", *columns).drop_nulls().unique()
    ids = {"child": id_of(child, columns[0]), "parent": id_of(parent, columns[1])}
    return both.select("connection", **ids)


def _names(bill: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """What lines call a project, a key and a user."""
    return pl.concat(
        (
            _of_level(bill, "project", "project_name"),
            _of_level(bill, "key", "api_key_name"),
            _of_level(people, "user", "user_name"),
        )
    )


def _of_level(lines: pl.DataFrame, level: str, name: str) -> pl.DataFrame:
    column = COLUMNS[level]
    named = lines.filter(pl.col(column).is_not_null(), pl.col(name) != "")
    by = ("connection", id_of(level, column).alias(ID), pl.col(name).alias("name"))
    return named.group_by(by).agg(pl.col("day").max())
