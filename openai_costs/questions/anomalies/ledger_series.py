"""Series of the ledger: what an organization and everything in it cost, day by day. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies.series_ids import (
    COLUMNS,
    WHOLE,
    full_id,
    id_of,
    provider_id,
)
from openai_costs.questions.series import ID, calendar
from openai_costs.tables.candidate import EVERY_CONNECTION

ATTRIBUTES = ("name", "team", "owner")

PAIR = {"child": pl.String, "parent": pl.String}

JUDGED_DAYS = 100
"""The newest settled days, which are judged whenever the table is made."""


class LedgerSeries(NamedTuple):
    """The series of some days of one connection.

    Args:
        spend: series_id, day, cost.
        hierarchy: child, parent: series that share a line of the bill.
        attributes: series_id, name, team, owner, usd, day: what its lines say of a series.
    """

    spend: pl.DataFrame
    hierarchy: pl.DataFrame
    attributes: pl.DataFrame


@dataclass(frozen=True)
class SeriesGroup:
    """Series that are judged together: those of a connection, or the one of a provider.

    Args:
        connection: The connection; `*` for all connections of a provider together.
        judged: The days to judge.
        spend: series_id, day, cost on every day, substitutes for unknown days included.
        hierarchy: child, parent: which of its series are part of which; empty for a provider.
            Series ids name their connection.
    """

    connection: str
    judged: set[date]
    spend: pl.DataFrame
    hierarchy: pl.DataFrame


@dataclass(frozen=True)
class History:
    """What all connections spent.

    Args:
        groups: The series to judge, of every connection and provider.
        days: The known days by connection.
        providers: Who bills each connection.
        attributes: series_id, name, team, owner by connection.
    """

    groups: list[SeriesGroup]
    days: dict[str, set[date]]
    providers: dict[str, str]
    attributes: dict[str, pl.DataFrame]

    @property
    def hierarchy(self) -> pl.DataFrame:
        """child, parent: which series is part of which, across connections."""
        pairs = []
        for group in self.groups:
            if group.connection in self.providers:
                whole = pl.lit(provider_id(self.providers[group.connection]))
                series = group.spend.select(pl.col(ID).unique())
                pairs.append(group.hierarchy)
                pairs.append(series.select(child=ID, parent=whole))
        return pl.concat(pairs)


def history_of(
    parts: Mapping[str, Sequence[LedgerSeries]],
    days: Mapping[str, set[date]],
    providers: Mapping[str, str],
) -> History:
    """Return the history of all connections.

    Args:
        parts: What each connection spent on its known days, a range of days each.
        days: The known days of each.
        providers: Who bills each.
    """
    known = {name: days[name] for name in parts if days[name]}
    series = {name: _combined(parts[name]) for name in known}
    groups = [_connection(name, series[name], mine) for name, mine in known.items()]
    for provider in sorted({providers[name] for name in known}):
        mine = [name for name in known if providers[name] == provider]
        groups.append(
            _provider(provider, [series[one].spend for one in mine], [known[one] for one in mine])
        )
    return History(
        groups,
        known,
        {name: providers[name] for name in known},
        {name: _newest_attributes(series[name].attributes) for name in known},
    )


def _newest(days: set[date]) -> set[date]:
    first = max(days) - timedelta(days=JUDGED_DAYS - 1)
    return {day for day in days if day >= first}


def _connection(name: str, series: LedgerSeries, known: set[date]) -> SeriesGroup:
    """All series of a connection."""
    spend = _on_calendar(series.spend, known).with_columns(full_id(name).alias(ID))
    ends = [full_id(name, end).alias(end) for end in PAIR]
    return SeriesGroup(name, _newest(known), spend, series.hierarchy.select(ends))


def _provider(
    provider: str, spend: Iterable[pl.DataFrame], known: Sequence[set[date]]
) -> SeriesGroup:
    """All connections of a provider as one series, on the days that all of them have."""
    wholes = pl.concat([one.filter(pl.col(ID) == WHOLE) for one in spend])
    shared = set.intersection(*known)
    daily = wholes.filter(pl.col("day").is_in(list(shared))).group_by("day")
    summed = daily.agg(cost=pl.col("cost").sum().cast(MONEY))
    series_id = pl.lit(provider_id(provider))
    days = _on_calendar(summed.select(series_id.alias(ID), "day", "cost"), shared)
    judged = set.intersection(*(_newest(one) for one in known))
    return SeriesGroup(EVERY_CONNECTION, judged, days, pl.DataFrame(schema=PAIR))


def ledger_series(spend: pl.DataFrame, attribution: pl.DataFrame) -> LedgerSeries:
    """Return the series of some days. Users come from the attribution, all else from the bill.

    Args:
        spend: mart.spend of one connection.
        attribution: mart.spend_attribution of the same days.
    """
    parts = [_daily(attribution if level == "user" else spend, level) for level in COLUMNS]
    billed = pl.concat([_whole(spend), *parts])
    return LedgerSeries(billed, _hierarchy(attribution, spend), _attributes(spend, attribution))


def _combined(parts: Iterable[LedgerSeries]) -> LedgerSeries:
    """Return the series of several ranges of days as one."""
    spend, hierarchy, attributes = zip(*parts, strict=True)
    summed = (pl.col("usd").sum().cast(MONEY), pl.col("day").max())
    newest = pl.concat(attributes).group_by(ID, *ATTRIBUTES).agg(summed)
    return LedgerSeries(pl.concat(spend), pl.concat(hierarchy).unique(), newest)


def _newest_attributes(attributes: pl.DataFrame) -> pl.DataFrame:
    """Return series_id, name, team, owner: the newest name; team and owner of most dollars."""
    newest = attributes.drop_nulls("name").sort("day", "name")
    series = attributes.select(pl.col(ID).unique().sort())
    for attribute, rows in (
        ("name", newest),
        ("team", _by_dollars(attributes, "team")),
        ("owner", _by_dollars(attributes, "owner")),
    ):
        values = rows.group_by(ID, maintain_order=True).agg(pl.col(attribute).last())
        series = series.join(values, on=ID, how="left")
    return series


def _on_calendar(spend: pl.DataFrame, known: set[date]) -> pl.DataFrame:
    """The series on every day of the calendar, substitutes for unknown days included."""
    days = spend.rename({"day": "as_of"}).join(calendar(known), on="as_of", how="inner")
    return days.select(ID, "day", "cost")


def _daily(rows: pl.DataFrame, level: str) -> pl.DataFrame:
    column = COLUMNS[level]
    some = rows.filter(pl.col(column).is_not_null())
    daily = some.group_by(column, "day").agg(cost=pl.col("billed_usd").sum())
    return daily.select(id_of(level, column).alias(ID), "day", pl.col("cost").cast(MONEY))


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
    daily = rows.group_by("day").agg(cost=pl.col("billed_usd").sum())
    return daily.select(pl.lit(WHOLE).alias(ID), "day", pl.col("cost").cast(MONEY))


def _hierarchy(attribution: pl.DataFrame, spend: pl.DataFrame) -> pl.DataFrame:
    """Pairs of series that share a line; every series is part of the whole."""
    people = attribution.select(COLUMNS.values()).unique()
    bill = spend.select(name for level, name in COLUMNS.items() if level != "user").unique()
    pairs = []
    for one, other in combinations(COLUMNS, 2):
        both = _sharing_a_line(people if "user" in (one, other) else bill, one, other)
        pairs += [both, both.select(child="parent", parent="child")]
    for level, column in COLUMNS.items():
        rows = people if level == "user" else bill
        some = rows.filter(pl.col(column).is_not_null())
        pairs.append(some.select(child=id_of(level, column), parent=pl.lit(WHOLE)))
    return pl.concat(pairs).unique()


def _sharing_a_line(rows: pl.DataFrame, child: str, parent: str) -> pl.DataFrame:
    columns = COLUMNS[child], COLUMNS[parent]
    both = rows.select(columns).drop_nulls().unique()
    return both.select(child=id_of(child, columns[0]), parent=id_of(parent, columns[1]))


def _attributes(spend: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """What lines say of series: a name, a team, who spends by it."""
    has_name = ~pl.col("user_name").str.contains("@").fill_null(value=True)
    person = pl.when(has_name).then("user_name").otherwise("user_id")
    return pl.concat(
        (
            _of_level(spend, "project", name="project_name", team="team"),
            _of_level(spend, "key", name="api_key_name", team="team"),
            _of_level(attribution, "key", owner=person),
            _of_level(attribution, "user", name="user_name", team="team", owner=person),
        )
    )


def _of_level(rows: pl.DataFrame, level: str, **attributes: str | pl.Expr) -> pl.DataFrame:
    column = COLUMNS[level]
    absent = {name: pl.lit(None, pl.String) for name in ATTRIBUTES if name not in attributes}
    some = rows.filter(pl.col(column).is_not_null()).select(
        "billed_usd", "day", id_of(level, column).alias(ID), **attributes, **absent
    )
    spent = pl.col("billed_usd").sum().cast(MONEY)
    return some.group_by(ID, *ATTRIBUTES).agg(usd=spent, day=pl.col("day").max())


def _by_dollars(attributes: pl.DataFrame, name: str) -> pl.DataFrame:
    summed = attributes.drop_nulls(name).group_by(ID, name).agg(pl.col("usd").sum())
    return summed.sort("usd", name)
